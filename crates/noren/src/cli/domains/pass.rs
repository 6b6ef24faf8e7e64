//! `noren domains import` and `export`: lists that admins pass to each other.

use super::{Failure, block::told, named, output, some, text};
use crate::server::Parts;
use clap::Args;
use domain::domain_blocks::{self, DomainBlock, Severity, csv};
use std::collections::HashMap;
use std::path::PathBuf;

/// Lines that could not be read and are shown.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file; - for standard input
    file: PathBuf,
    /// Let the file change blocks that there are
    #[arg(long)]
    overwrite: bool,
    /// Say what would change, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn import(parts: &Parts, wanted: &Import) -> Result<(), Failure> {
    let (found, unread) = csv::read(&text(&wanted.file)?);
    for line in unread.iter().take(SHOWN) {
        output::note(format_args!("line {}: {}", line.line, line.why));
    }
    let conn = parts.db.read_long().await?;
    let known: HashMap<String, DomainBlock> =
        domain_blocks::list(&conn).await?.into_iter().map(|block| (block.domain.clone(), block)).collect();
    // Of a name that comes twice the last counts, as if one line after the other were imported.
    let found: HashMap<String, DomainBlock> = found.into_iter().map(|block| (block.domain.clone(), block)).collect();
    let (old, mut new): (Vec<_>, Vec<_>) = found.into_values().partition(|block| known.contains_key(&block.domain));
    let mut changed: Vec<_> =
        if wanted.overwrite { old.iter().filter_map(|b| over(b, &known)).collect() } else { Vec::new() };
    let kept = old.len() - changed.len();
    new.sort_by(|a, b| a.domain.cmp(&b.domain));
    changed.sort_by(|a, b| a.domain.cmp(&b.domain));
    let suspended = new.iter().chain(&changed).filter(|b| b.severity == Severity::Suspend).map(|b| b.domain.clone());
    let extent = domain_blocks::extent(&conn, &suspended.collect::<Vec<_>>()).await?;
    drop(conn);
    let numbers = format!(
        "{} new, {} changed, {kept} kept as they are, {} not read: {} hidden, {} ended",
        new.len(),
        changed.len(),
        some(unread.len(), "line"),
        some(extent.accounts, "account"),
        some(extent.follows, "follow"),
    );
    if wanted.dry_run {
        output::line(format_args!("{numbers}; nothing was changed"));
        return Ok(());
    }
    let bar = output::progress(new.len() + changed.len());
    let mut wanted = Vec::new();
    for block in new.iter().chain(&changed) {
        match named(parts, &block.domain) {
            Ok(_) => wanted.push(block.clone()),
            Err(_) => output::note(format_args!("{} is this site: left out", block.domain)),
        }
    }
    domain_blocks::block_all(&parts.db, &wanted, |count| bar.inc(count.try_into().unwrap_or_default())).await?;
    bar.finish_and_clear();
    output::line(numbers);
    if !new.is_empty() || !changed.is_empty() {
        told();
    }
    Ok(())
}

/// The block of the file in the place of the one that there is, whose private comment stays. None when it is the same.
fn over(block: &DomainBlock, known: &HashMap<String, DomainBlock>) -> Option<DomainBlock> {
    let before = known.get(&block.domain)?;
    let after = DomainBlock {
        id: before.id,
        created_at: before.created_at,
        private_comment: before.private_comment.clone(),
        ..block.clone()
    };
    (after != *before).then_some(after)
}

pub(super) async fn export(parts: &Parts) -> Result<(), Failure> {
    let blocks = domain_blocks::list(&parts.db.read_long().await?).await?;
    output::line(csv::write(&blocks).trim_end());
    Ok(())
}
