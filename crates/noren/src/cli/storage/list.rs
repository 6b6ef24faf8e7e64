//! `noren storage ls`

use super::files::{self, File, Kind, Walk};
use super::incomplete;
use super::place::{Looked, looked};
use super::target::Target;
use super::{Failure, failed, human, output};
use crate::cli::Place;
use clap::Args;
use edge::presets::{Preset, Standing};
use media::s3::{Bucket, Found, Scope};
use serde_json::json;
use std::path::Path;
use std::time::SystemTime;

#[derive(Debug, Args)]
pub(super) struct Ls {
    /// Only names that begin with this, a folder with its slash; or a folder of this machine, as folder:PATH
    #[arg(default_value = "", hide_default_value = true)]
    start: String,
    /// What lies in folders too
    #[arg(long, short)]
    recursive: bool,
    /// Uploads that were begun and never ended, which no other listing shows
    #[arg(long, conflicts_with = "recursive")]
    incomplete: bool,
    /// At most so many
    #[arg(long, default_value_t = 1000, value_name = "N")]
    limit: usize,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Ls {
    pub(super) async fn run(self, target: &Target, place: &Place) -> Result<(), Failure> {
        let software = target.software();
        match looked(&self.start, target, place)? {
            Looked::There(chosen, start) if self.incomplete => {
                let there_are_more = incomplete::list(&chosen.bucket, (&start, self.limit), self.json).await?;
                if there_are_more {
                    self.more();
                }
                Ok(())
            }
            Looked::Here(_) if self.incomplete => {
                Err(Failure::Usage("--incomplete: only buckets have uploads that were never ended".into()))
            }
            Looked::There(chosen, start) => self.there(&chosen.bucket, (start, software)).await,
            Looked::Here(folder) => self.here(&folder, software).map_err(Failure::Failed),
        }
    }

    async fn there(&self, bucket: &Bucket, (start, software): (String, Option<&Preset>)) -> Result<(), Failure> {
        let scope = Scope { prefix: start, folders: !self.recursive, limit: self.limit.min(1000), after: None };
        let (mut left, mut next) = (self.limit, None);
        while left > 0 {
            let page = bucket.list(&scope, next.as_ref()).await.map_err(failed)?;
            let folders = page.folders.into_iter().map(Line::Folder);
            let mut lines: Vec<Line> = folders.chain(page.objects.into_iter().map(Line::from)).collect();
            lines.sort_unstable_by(|a, b| a.name().cmp(b.name()));
            lines.truncate(left);
            left -= lines.len();
            lines.iter().try_for_each(|line| line.print(self.json, software))?;
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
        self.more();
        Ok(())
    }

    fn here(&self, folder: &Path, software: Option<&Preset>) -> anyhow::Result<()> {
        let found: Box<dyn Iterator<Item = anyhow::Result<File>>> = match self.recursive {
            true => Box::new(Walk::below(folder)?),
            false => Box::new(files::level(folder, "")?.into_iter().map(Ok)),
        };
        for (count, file) in found.enumerate() {
            if count >= self.limit {
                self.more();
                break;
            }
            Line::from(file?).print(self.json, software)?;
        }
        Ok(())
    }

    fn more(&self) {
        output::note(format_args!("there are more than {} (--limit)", self.limit));
    }
}

enum Line {
    Folder(String),
    File(File),
}

impl From<Found> for Line {
    fn from(Found { key, len, modified, .. }: Found) -> Line {
        Line::File(File { kind: Kind::File, name: key, len, modified })
    }
}

impl From<File> for Line {
    fn from(file: File) -> Line {
        match file.kind {
            Kind::Folder => Line::Folder(file.name),
            Kind::File | Kind::Other => Line::File(file),
        }
    }
}

impl Line {
    fn name(&self) -> &str {
        match self {
            Line::Folder(name) => name,
            Line::File(file) => &file.name,
        }
    }

    fn print(&self, as_json: bool, software: Option<&Preset>) -> anyhow::Result<()> {
        let standing = software.map(|preset| preset.standing(self.name()));
        let mut value = match self {
            Line::Folder(name) => json!({ "folder": name }),
            Line::File(File { name, len, .. }) => json!({ "key": name, "size": len, "modified": self.time()? }),
        };
        if as_json {
            if let Some(standing) = standing {
                value["public"] = (standing == Standing::Public).into();
            }
            output::line(value);
            return Ok(());
        }
        let size = match self {
            Line::Folder(_) => String::new(),
            Line::File(file) => human(file.len),
        };
        let note = software.and_then(|preset| closed(preset, self.name()));
        let note = note.map_or_else(String::new, |note| format!("  ({note})"));
        output::line(format_args!("{size:>10}  {:20}  {}{note}", self.time()?, shown(self.name())));
        Ok(())
    }

    fn time(&self) -> anyhow::Result<String> {
        match self {
            Line::Folder(_) => Ok(String::new()),
            Line::File(file) => time(file.modified),
        }
    }
}

/// `2026-01-02T03:04:05Z`
pub(super) fn time(at: SystemTime) -> anyhow::Result<String> {
    Ok(jiff::Timestamp::try_from(at)?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Why nobody is to see a file of this name, if so.
pub(super) fn closed(preset: &Preset, name: &str) -> Option<String> {
    match preset.standing(name) {
        Standing::Public => None,
        Standing::Closed(what) => Some(format!("not public: {what}")),
        Standing::Unknown => Some(format!("not public: {} has no such files", preset.title)),
    }
}

/// Names come from outside: no control characters reach the terminal.
pub(super) fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
