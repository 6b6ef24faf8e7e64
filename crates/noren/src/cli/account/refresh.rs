//! `noren account refresh`

use super::{Failure, output};
use crate::server::Parts;
use anyhow::anyhow;
use clap::Args;
use domain::ids::AccountId;
use domain::{Error, accounts};
use federation::resolve;
use futures_util::StreamExt as _;

/// Accounts asked for at once.
const AT_ONCE: usize = 8;
const PAGE: i64 = 500;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whom").required(true))]
#[command(override_usage = "noren account refresh [OPTIONS] <ACCT|--all|--domain <NAME>>")]
pub(super) struct Refresh {
    /// user@domain
    #[arg(group = "whom")]
    acct: Option<String>,
    /// All accounts of other servers that are known
    #[arg(long, group = "whom")]
    all: bool,
    /// All of this server that are known
    #[arg(long, value_name = "NAME", group = "whom")]
    domain: Option<String>,
    /// Say how many would be asked for, ask for none
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn refresh(parts: &Parts, wanted: &Refresh) -> Result<(), Failure> {
    if let Some(acct) = &wanted.acct {
        return one(parts, acct, wanted.dry_run).await;
    }
    let domain = wanted.domain.as_deref().map(str::to_lowercase);
    let count = accounts::remote::count(&parts.db.read_long().await?, domain.as_deref()).await?;
    if wanted.dry_run {
        let all = if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") };
        output::line(format_args!("{all} would be asked for; nothing was changed"));
        return Ok(());
    }
    let bar = output::progress(usize::try_from(count).unwrap_or_default());
    let (mut done, mut failed, mut after) = (0_u64, 0_u64, AccountId(0));
    loop {
        let page = accounts::remote::list(&parts.db.read().await?, domain.as_deref(), after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = *last;
        let mut asked = futures_util::stream::iter(page)
            .map(|id| resolve::account::refresh(&parts.federation, id))
            .buffer_unordered(AT_ONCE);
        while let Some(outcome) = asked.next().await {
            bar.inc(1);
            match outcome {
                Ok(()) => done += 1,
                Err(error @ Error::Internal(_)) => return Err(error.into()),
                Err(_) => failed += 1,
            }
        }
    }
    bar.finish_and_clear();
    let are = if done == 1 {
        "1 account is as its server says".to_owned()
    } else {
        format!("{done} accounts are as their servers say")
    };
    output::line(format_args!("{are}, {failed} could not be asked for"));
    Ok(())
}

async fn one(parts: &Parts, acct: &str, dry_run: bool) -> Result<(), Failure> {
    let found = accounts::lookup(&parts.db.read().await?, &parts.site, acct).await;
    let account = found.ok().filter(|account| !account.is_local());
    let account = account.ok_or_else(|| anyhow!("no account of another server is known as {acct}"))?;
    if dry_run {
        output::line(format_args!("@{} would be asked for; nothing was changed", account.acct()));
        return Ok(());
    }
    resolve::account::refresh(&parts.federation, account.id).await?;
    output::line(format_args!("@{} is as its server says", account.acct()));
    Ok(())
}
