//! `noren storage usage`

use super::files::Walk;
use super::list::{closed, shown};
use super::place::{Looked, looked};
use super::target::Target;
use super::{Failure, failed, human, objects, output};
use crate::cli::Place;
use clap::Args;
use edge::presets::{Preset, Standing};
use indicatif::{ProgressBar, ProgressStyle};
use media::s3::{Bucket, Scope};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// More folders than this are added up under one name.
const FOLDERS: usize = 10_000;
const OTHERS: &str = "(others)";

#[derive(Debug, Args)]
pub(super) struct Usage {
    /// Only names that begin with this; or a folder of this machine, as folder:PATH
    #[arg(default_value = "", hide_default_value = true)]
    start: String,
    /// Add up folders so many levels deep
    #[arg(long, default_value_t = 1, value_name = "N")]
    depth: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    objects: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What has been added up so far.
struct Adding {
    depth: usize,
    all: Sum,
    folders: BTreeMap<String, Sum>,
    bar: ProgressBar,
}

impl Adding {
    fn add(&mut self, name: &str, bytes: u64) {
        self.all.add(bytes);
        let folder = folder(name, self.depth);
        let known = self.folders.contains_key(folder) || self.folders.len() < FOLDERS;
        self.folders.entry(if known { folder } else { OTHERS }.to_owned()).or_default().add(bytes);
        if self.all.objects.is_multiple_of(1000) {
            self.bar.set_message(format!("{}, {} so far", objects(self.all.objects), human(self.all.bytes)));
        }
    }
}

impl Usage {
    pub(super) async fn run(self, target: &Target, place: &Place) -> Result<(), Failure> {
        let (all, folders, bar) = (Sum::default(), BTreeMap::new(), spinner());
        let mut adding = Adding { depth: self.depth, all, folders, bar };
        match looked(&self.start, target, place)? {
            Looked::There(chosen, start) => there(&chosen.bucket, start, &mut adding).await?,
            Looked::Here(folder) => here(&folder, &mut adding)?,
        }
        adding.bar.finish_and_clear();
        show(&adding, target.software(), self.json)?;
        Ok(())
    }
}

async fn there(bucket: &Bucket, start: String, adding: &mut Adding) -> Result<(), Failure> {
    let scope = Scope { prefix: start, limit: 1000, ..Scope::default() };
    let mut next = None;
    loop {
        let page = bucket.list(&scope, next.as_ref()).await.map_err(failed)?;
        page.objects.iter().for_each(|found| adding.add(&found.key, found.len));
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

fn here(folder: &Path, adding: &mut Adding) -> anyhow::Result<()> {
    for file in Walk::below(folder)? {
        let file = file?;
        adding.add(&file.name, file.len);
    }
    Ok(())
}

/// The first parts of a key, with their slash; empty for what lies in no folder.
fn folder(key: &str, depth: usize) -> &str {
    let slashes = key.match_indices('/').map(|(at, _)| at + 1);
    key.get(..slashes.take(depth).last().unwrap_or(0)).unwrap_or_default()
}

fn show(Adding { all, folders, .. }: &Adding, software: Option<&Preset>, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let row = |(name, sum): (&String, &Sum)| {
            let mut row = json!({"folder": name, "objects": sum.objects, "bytes": sum.bytes});
            if let Some(preset) = software {
                row["public"] = (preset.standing(name) == Standing::Public).into();
            }
            row
        };
        let rows: Vec<_> = folders.iter().map(row).collect();
        return output::json(&json!({"objects": all.objects, "bytes": all.bytes, "folders": rows}));
    }
    let row = |name: &str, sum: Sum| {
        let note = software.filter(|_| name != "total").and_then(|preset| closed(preset, name));
        let note = note.map_or_else(String::new, |note| format!("  ({note})"));
        let name = if name.is_empty() { "." } else { name };
        [human(sum.bytes), sum.objects.to_string(), format!("{}{note}", shown(name))]
    };
    let mut rows: Vec<_> = folders.iter().map(|(name, sum)| row(name, *sum)).collect();
    rows.push(row("total", *all));
    output::table(["SIZE", "OBJECTS", "FOLDER"], &rows);
    Ok(())
}

/// How far it is, where there is a terminal: nobody knows how much there will be.
pub(super) fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_by_depth() {
        for (key, depth, expected) in [
            ("a/b/c.png", 0, ""),
            ("a/b/c.png", 1, "a/"),
            ("a/b/c.png", 2, "a/b/"),
            ("a/b/c.png", 9, "a/b/"),
            ("c.png", 1, ""),
            ("日本/a", 1, "日本/"),
        ] {
            assert_eq!(folder(key, depth), expected);
        }
    }
}
