//! `noren domains purge`

use super::{Failure, named, output, some};
use crate::server::Parts;
use clap::Args;
use domain::domain_blocks::{self, Contents};

#[derive(Debug, Args)]
pub(super) struct Purge {
    /// Its name
    domain: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would go, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn purge(parts: &Parts, wanted: &Purge) -> Result<(), Failure> {
    let domain = named(parts, &wanted.domain)?;
    let conn = parts.db.read_long().await?;
    let contents = domain_blocks::contents(&conn, &domain).await?;
    let blocked = domain_blocks::rules(&conn).await?.suspends(&domain);
    drop(conn);
    let all = described(contents);
    if wanted.dry_run {
        output::line(format_args!("{domain}: {all} would be removed; nothing was changed"));
        return Ok(());
    }
    if !wanted.yes && !output::confirmed(&format!("Remove {all} of {domain} for ever?")) {
        return Err(Failure::Usage("nothing was removed: answer y at a terminal, or say --yes".into()));
    }
    let bar = output::progress(usize::try_from(contents.accounts).unwrap_or_default());
    domain_blocks::purge(&parts.db, &domain, |count| bar.set_position(count)).await?;
    bar.finish_and_clear();
    output::line(format_args!("{domain}: {all} removed"));
    if contents != Contents::default() {
        output::note("What is kept of its files is removed by the server that runs, or when it starts.");
    }
    if !blocked {
        output::note("It is not blocked: what it sends, and what people here look for, comes back.");
    }
    Ok(())
}

fn described(contents: Contents) -> String {
    [
        some(contents.accounts, "account"),
        if contents.statuses == 1 { "1 status".to_owned() } else { format!("{} statuses", contents.statuses) },
        some(contents.media, "attachment"),
        format!("{} emoji", contents.emojis),
    ]
    .join(", ")
}
