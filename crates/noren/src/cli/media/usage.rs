//! `noren media usage`

use super::{ATTACHMENTS, AVATARS, HEADERS, cache};
use crate::cli::storage::{files, human};
use crate::cli::{Failure, output};
use crate::copies::{Files, Sum};
use crate::server::Parts;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

/// Whose it is, what it is, and how the names of such files begin.
const FOLDERS: [(&str, &str, &str); 11] = [
    (OWN, "attachments", "media_attachments/"),
    (OWN, "avatars", "accounts/avatars/"),
    (OWN, "headers", "accounts/headers/"),
    (OWN, "emoji", "custom_emojis/"),
    (OWN, "pictures of the site", "site_uploads/"),
    (OWN, "uploads that wait", media::UPLOADS),
    (COPIES, "attachments", ATTACHMENTS),
    (COPIES, "avatars", AVATARS),
    (COPIES, "headers", HEADERS),
    (COPIES, "emoji", "cache/custom_emojis/"),
    (COPIES, "previews of pages", "cache/preview_cards/"),
];
const OWN: &str = "own";
const COPIES: &str = "copies";
const CACHE: &str = "cache";

/// Add up what is stored: own files, copies of other servers' files, the cache
#[derive(Debug, Args)]
pub(super) struct Usage {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct Row {
    whose: &'static str,
    what: &'static str,
    sum: Sum,
}

impl Usage {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let (mut rows, bar) = (Vec::new(), output::counter());
        for (whose, what, prefix) in FOLDERS {
            rows.push(Row { whose, what, sum: below((parts, prefix), &bar).await? });
        }
        let folder = cache(parts);
        let cached = if folder.is_dir() { files::sum(&folder)? } else { files::Sum::default() };
        let sum = Sum { files: cached.files, bytes: cached.bytes };
        rows.push(Row { whose: CACHE, what: "files of other servers, and of buckets", sum });
        bar.finish_and_clear();
        self.print(&rows)
    }

    fn print(&self, rows: &[Row]) -> Result<(), Failure> {
        if self.json {
            let row = |row: &Row| json!({ "whose": row.whose, "what": row.what, "files": row.sum.files, "bytes": row.sum.bytes });
            return Ok(output::json(&rows.iter().map(row).collect::<Vec<_>>())?);
        }
        let all = rows.iter().fold(Sum::default(), |all, row| all.and(row.sum));
        let line = |whose: &str, what: &str, sum: Sum| {
            [human(sum.bytes), sum.files.to_string(), whose.to_owned(), what.to_owned()]
        };
        let mut lines: Vec<_> = rows.iter().map(|row| line(row.whose, row.what, row.sum)).collect();
        lines.push(line("all", "", all));
        output::table(["SIZE", "FILES", "WHOSE", "WHAT"], &lines);
        Ok(())
    }
}

async fn below((parts, prefix): (&Parts, &str), bar: &ProgressBar) -> Result<Sum, Failure> {
    let (mut files, mut sum) = (Files::below(parts, prefix), Sum::default());
    loop {
        let page = files.entries().await?;
        if page.is_empty() {
            return Ok(sum);
        }
        page.iter().for_each(|entry| sum.count(entry));
        bar.inc(page.len() as u64);
        bar.set_message(human(sum.bytes));
    }
}
