//! `noren domains block` and `unblock`

use super::{Failure, Severity, named, output, some};
use crate::server::Parts;
use anyhow::anyhow;
use clap::Args;
use domain::domain_blocks::{self, DomainBlock, Severity as Rank, Written};

#[derive(Debug, Args)]
pub(super) struct Block {
    /// Its name; what is below it is blocked too
    domain: String,
    /// How strictly
    #[arg(long, value_enum, default_value = "suspend")]
    severity: Severity,
    /// Neither show nor fetch pictures and files from there
    #[arg(long)]
    reject_media: bool,
    /// Do not hear reports from there
    #[arg(long)]
    reject_reports: bool,
    /// Why, for those who run this site
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    comment: String,
    /// Why, for everybody
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    public_comment: String,
    /// Show strangers the name in part only
    #[arg(long)]
    obfuscate: bool,
    /// Say what would change, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn block(parts: &Parts, wanted: Block) -> Result<(), Failure> {
    let domain = named(parts, &wanted.domain)?;
    let conn = parts.db.read_long().await?;
    let extent = domain_blocks::extent(&conn, std::slice::from_ref(&domain)).await?;
    let before = domain_blocks::by_domain(&conn, &domain).await?;
    drop(conn);
    let block = DomainBlock {
        severity: wanted.severity.into(),
        reject_media: wanted.reject_media,
        reject_reports: wanted.reject_reports,
        private_comment: wanted.comment,
        public_comment: wanted.public_comment,
        obfuscate: wanted.obfuscate,
        ..DomainBlock::named(&domain)
    };
    let accounts = some(extent.accounts, "account");
    let effect = match block.severity {
        Rank::Suspend => format!("{accounts} hidden, {} ended", some(extent.follows, "follow")),
        Rank::Silence => format!("{accounts} limited"),
        Rank::Noop => format!("{accounts} as before"),
    };
    if wanted.dry_run {
        let verb = if before.is_some() { "would be blocked otherwise" } else { "would be blocked" };
        output::line(format_args!("{domain} {verb} ({}): {effect}; nothing was changed", block.severity.as_str()));
        return Ok(());
    }
    let (block, written) = domain_blocks::block(&parts.db, &block).await?;
    let verb = match written {
        Written::New => "is blocked",
        Written::Changed => "is blocked otherwise",
        Written::Same => "was blocked like this already",
    };
    output::line(format_args!("{domain} {verb} ({}): {effect}", block.severity.as_str()));
    if written != Written::Same {
        told();
    }
    Ok(())
}

pub(super) async fn unblock(parts: &Parts, domain: &str, dry_run: bool) -> Result<(), Failure> {
    let conn = parts.db.read_long().await?;
    let before = domain_blocks::by_domain(&conn, domain).await?;
    let before = before.ok_or_else(|| anyhow!("{domain} is not blocked"))?;
    let extent = domain_blocks::extent(&conn, std::slice::from_ref(&before.domain)).await?;
    drop(conn);
    let accounts = format!("{} marked anew", some(extent.accounts, "account"));
    if dry_run {
        let domain = &before.domain;
        output::line(format_args!("{domain} would not be blocked any more: {accounts}; nothing was changed"));
        return Ok(());
    }
    domain_blocks::unblock(&parts.db, domain).await?;
    output::line(format_args!("{} is not blocked any more: {accounts}", before.domain));
    told();
    Ok(())
}

/// How soon it is so.
pub(super) fn told() {
    output::note("A server that runs follows within two seconds; accounts that are known, as fast as they are marked.");
}
