//! `noren storage usage`

use super::list::shown;
use super::target::Chosen;
use super::{Failure, failed, human, objects, output};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use media::s3::Scope;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// More folders than this are added up under one name.
const FOLDERS: usize = 10_000;
const OTHERS: &str = "(others)";

#[derive(Debug, Args)]
pub(super) struct Usage {
    /// Only names that begin with this
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

impl Usage {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let scope = Scope { prefix: self.start.clone(), limit: 1000, ..Scope::default() };
        let bar = spinner();
        let (mut all, mut folders, mut next) = (Sum::default(), BTreeMap::<String, Sum>::new(), None);
        loop {
            let page = chosen.bucket.list(&scope, next.as_ref()).await.map_err(failed)?;
            for found in &page.objects {
                all.add(found.len);
                let folder = folder(&found.key, self.depth);
                let known = folders.contains_key(folder) || folders.len() < FOLDERS;
                folders.entry(if known { folder } else { OTHERS }.to_owned()).or_default().add(found.len);
            }
            bar.set_message(format!("{}, {} so far", objects(all.objects), human(all.bytes)));
            bar.tick();
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        bar.finish_and_clear();
        show(all, &folders, self.json)?;
        Ok(())
    }
}

/// The first parts of a key, with their slash; empty for what lies in no folder.
fn folder(key: &str, depth: usize) -> &str {
    let slashes = key.match_indices('/').map(|(at, _)| at + 1);
    key.get(..slashes.take(depth).last().unwrap_or(0)).unwrap_or_default()
}

fn show(all: Sum, folders: &BTreeMap<String, Sum>, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let rows =
            folders.iter().map(|(name, sum)| json!({"folder": name, "objects": sum.objects, "bytes": sum.bytes}));
        let rows: Vec<_> = rows.collect();
        return output::json(&json!({"objects": all.objects, "bytes": all.bytes, "folders": rows}));
    }
    let row = |name: &str, sum: Sum| [human(sum.bytes), sum.objects.to_string(), shown(name)];
    let mut rows: Vec<_> =
        folders.iter().map(|(name, sum)| row(if name.is_empty() { "." } else { name }, *sum)).collect();
    rows.push(row("total", all));
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
