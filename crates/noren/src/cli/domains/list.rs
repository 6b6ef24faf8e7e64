//! `noren domains list`

use super::{Failure, output};
use crate::server::Parts;
use clap::Args;
use domain::domain_blocks::{self, DomainBlock, allows, csv};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct List {
    /// What is allowed instead
    #[arg(long)]
    allowed: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print CSV, as export does
    #[arg(long, conflicts_with_all = ["json", "allowed"])]
    csv: bool,
}

pub(super) async fn list(parts: &Parts, wanted: &List) -> Result<(), Failure> {
    let conn = parts.db.read_long().await?;
    if wanted.allowed {
        let allowed = allows::list(&conn).await?;
        let as_json = |a: &allows::DomainAllow| json!({ "domain": a.domain, "created_at": a.created_at.iso() });
        if wanted.json {
            return Ok(output::json(&allowed.iter().map(as_json).collect::<Vec<_>>())?);
        }
        if allowed.is_empty() {
            output::line("no server is allowed by name");
        }
        for allow in allowed {
            output::line(allow.domain);
        }
        return Ok(());
    }
    let blocks = domain_blocks::list(&conn).await?;
    if wanted.json {
        return Ok(output::json(&blocks.iter().map(as_json).collect::<Vec<_>>())?);
    }
    if wanted.csv {
        output::line(csv::write(&blocks).trim_end());
        return Ok(());
    }
    if blocks.is_empty() {
        output::line("nothing is blocked");
        return Ok(());
    }
    let rows: Vec<_> = blocks.iter().map(row).collect();
    output::table(["DOMAIN", "SEVERITY", "REJECTS", "SINCE", "WHY"], &rows);
    Ok(())
}

fn row(block: &DomainBlock) -> [String; 5] {
    let rejects = [(block.reject_media, "media"), (block.reject_reports, "reports")];
    let rejects: Vec<_> = rejects.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    let why: Vec<_> =
        [&block.public_comment, &block.private_comment].into_iter().filter(|c| !c.is_empty()).cloned().collect();
    let why = why.join(" / ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let rejects = if rejects.is_empty() { "-".to_owned() } else { rejects.join(", ") };
    [block.domain.clone(), block.severity.as_str().to_owned(), rejects, block.created_at.date(), why]
}

fn as_json(block: &DomainBlock) -> Value {
    json!({
        "domain": block.domain, "severity": block.severity.as_str(), "reject_media": block.reject_media,
        "reject_reports": block.reject_reports, "private_comment": block.private_comment,
        "public_comment": block.public_comment, "obfuscate": block.obfuscate, "created_at": block.created_at.iso(),
    })
}
