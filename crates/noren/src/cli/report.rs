//! `noren report`

use super::{Failure, Place, output, start};
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::ids::{AccountId, ReportId};
use domain::page::Page;
use domain::reports::{self, Report as Row, Which};
use domain::{accounts, db::Conn, statuses};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Characters of a comment in a list.
const SHORT: usize = 60;

/// What people reported to you
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren report list
  noren report show 115583000000000001
  noren report resolve 115583000000000001")]
pub(super) struct Report {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List reports that wait for somebody, newest first
    List {
        /// Those that were dealt with instead
        #[arg(long)]
        resolved: bool,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one with the posts it names
    Show {
        /// The report's number, from the list
        id: ReportId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that one was dealt with
    Resolve {
        /// The report's number, from the list
        id: ReportId,
    },
}

impl Report {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::List { resolved, limit, json } => {
                let which = if resolved { Which::Resolved } else { Which::Open };
                let conn = parts.db.read().await?;
                let rows = reports::list(&conn, which, Page::newest(i64::from(limit))).await?;
                Ok(show_list(&conn, &rows, json).await?)
            }
            Command::Show { id, json } => {
                let report = reports::one(&parts.db.read().await?, id).await.map_err(|e| missing(e, id))?;
                Ok(show_one(&parts, &report, json).await?)
            }
            Command::Resolve { id } => {
                reports::resolve(&parts.db, id).await.map_err(|e| missing(e, id))?;
                output::line(format_args!("report {id} is resolved"));
                Ok(())
            }
        })
    }
}

fn missing(error: domain::Error, id: ReportId) -> Failure {
    match error {
        domain::Error::NotFound => Failure::Failed(anyhow!("there is no report {id}")),
        other => other.into(),
    }
}

/// Names of whom the reports are about and from.
async fn names(conn: &Conn, rows: &[Row]) -> anyhow::Result<HashMap<AccountId, String>> {
    let ids = rows.iter().flat_map(|r| [Some(r.target_id), r.account_id]).flatten();
    let found = accounts::store::by_ids(conn, ids).await?;
    Ok(found.into_iter().map(|a| (a.id, a.acct())).collect())
}

fn name(names: &HashMap<AccountId, String>, id: Option<AccountId>) -> String {
    id.and_then(|id| names.get(&id)).map_or_else(|| "(gone)".to_owned(), |name| format!("@{name}"))
}

/// A stranger's text in one line: what would move the cursor of a terminal is left out.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn as_json(row: &Row, names: &HashMap<AccountId, String>) -> Value {
    json!({
        "id": row.id, "created_at": row.created_at.iso(), "category": row.category,
        "account": name(names, Some(row.target_id)), "reporter": name(names, row.account_id),
        "comment": row.comment, "status_ids": row.statuses(), "rule_ids": row.rules(),
        "resolved_at": row.resolved_at.map(|at| at.iso()),
    })
}

async fn show_list(conn: &Conn, rows: &[Row], json: bool) -> anyhow::Result<()> {
    let names = names(conn, rows).await?;
    if json {
        return output::json(&rows.iter().map(|row| as_json(row, &names)).collect::<Vec<_>>());
    }
    if rows.is_empty() {
        output::line("no reports");
        return Ok(());
    }
    let line = |row: &Row| {
        let comment: String = one_line(&row.comment).chars().take(SHORT).collect();
        [
            row.id.to_string(),
            row.created_at.iso(),
            row.category.as_str().to_owned(),
            name(&names, Some(row.target_id)),
            name(&names, row.account_id),
            comment,
        ]
    };
    let lines: Vec<_> = rows.iter().map(line).collect();
    output::table(["ID", "FILED", "CATEGORY", "ABOUT", "FROM", "COMMENT"], &lines);
    Ok(())
}

async fn show_one(parts: &Parts, row: &Row, json: bool) -> anyhow::Result<()> {
    let conn = parts.db.read().await?;
    let names = names(&conn, std::slice::from_ref(row)).await?;
    let posts = statuses::store::by_ids(&conn, row.statuses()).await?;
    let rules = domain::settings::read(&conn).await?.rules;
    if json {
        let mut shown = as_json(row, &names);
        let post = |s: &statuses::Status| json!({ "id": s.id, "url": s.url, "text": text(s) });
        shown["statuses"] = posts.iter().map(post).collect();
        return output::json(&shown);
    }
    output::line(format_args!("report {} about {}", row.id, name(&names, Some(row.target_id))));
    output::line(format_args!("filed     {} by {}", row.created_at.iso(), name(&names, row.account_id)));
    output::line(format_args!("category  {}", row.category.as_str()));
    if let Some(at) = row.resolved_at {
        output::line(format_args!("resolved  {}", at.iso()));
    }
    for rule in rules.iter().filter(|rule| row.rules().contains(&rule.id)) {
        output::line(format_args!("rule {}    {}", rule.id, one_line(&rule.text)));
    }
    for line in row.comment.lines() {
        output::line(format_args!("comment   {}", one_line(line)));
    }
    for post in &posts {
        output::line(format_args!("post {}  {}", post.id, post.url.as_deref().unwrap_or_default()));
        for line in text(post).lines() {
            output::line(format_args!("          {}", one_line(line)));
        }
    }
    let gone = row.statuses().len().saturating_sub(posts.len());
    if gone > 0 {
        output::line(format_args!("{gone} of the posts are gone"));
    }
    Ok(())
}

/// What a post says, its warning first.
fn text(status: &statuses::Status) -> String {
    let said = domain::text::plain(&status.content);
    if status.spoiler_text.is_empty() { said } else { format!("[{}]\n{said}", status.spoiler_text) }
}
