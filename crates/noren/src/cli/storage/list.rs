//! `noren storage ls`

use super::target::Chosen;
use super::{Failure, failed, human, output};
use clap::Args;
use media::s3::{Found, Scope};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct Ls {
    /// Only names that begin with this; a folder ends with a slash
    #[arg(default_value = "", hide_default_value = true)]
    start: String,
    /// What lies in folders too
    #[arg(long, short)]
    recursive: bool,
    /// At most so many
    #[arg(long, default_value_t = 1000, value_name = "N")]
    limit: usize,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Ls {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let scope = Scope { prefix: self.start, folders: !self.recursive, limit: self.limit.min(1000), after: None };
        let (mut left, mut next) = (self.limit, None);
        while left > 0 {
            let page = chosen.bucket.list(&scope, next.as_ref()).await.map_err(failed)?;
            let folders = page.folders.into_iter().map(Line::Folder);
            let mut lines: Vec<Line> = folders.chain(page.objects.into_iter().map(Line::Object)).collect();
            lines.sort_unstable_by(|a, b| a.name().cmp(b.name()));
            lines.truncate(left);
            left -= lines.len();
            lines.iter().try_for_each(|line| line.print(self.json))?;
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
        output::note(format_args!("there are more than {} (--limit)", self.limit));
        Ok(())
    }
}

enum Line {
    Folder(String),
    Object(Found),
}

impl Line {
    fn name(&self) -> &str {
        match self {
            Line::Folder(name) => name,
            Line::Object(found) => &found.key,
        }
    }

    fn print(&self, as_json: bool) -> anyhow::Result<()> {
        match self {
            Line::Folder(name) if as_json => output::line(json!({ "folder": name })),
            Line::Folder(name) => output::line(format_args!("{:>10}  {:20}  {}", "", "", shown(name))),
            Line::Object(Found { key, len, modified, .. }) => {
                let time = jiff::Timestamp::try_from(*modified)?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                match as_json {
                    true => output::line(json!({ "key": key, "size": len, "modified": time })),
                    false => output::line(format_args!("{:>10}  {time:20}  {}", human(*len), shown(key))),
                }
            }
        }
        Ok(())
    }
}

/// Names come from outside: no control characters reach the terminal.
pub(super) fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
