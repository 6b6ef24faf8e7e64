//! `noren media refresh`

use super::{cache, files};
use crate::cli::edge::orders::give_to;
use crate::cli::{Failure, output};
use crate::config::Mode;
use crate::copies::{Shown, attachment_files, emoji_files, portrait_files};
use crate::server::Parts;
use anyhow::anyhow;
use clap::Args;
use domain::ids::{AccountId, MediaId, StatusId};
use domain::{Time, accounts, emojis, media as attachments, statuses};
use edge::control::Order;
use media::{Key, keys};
use std::time::Duration;

const DAY: u64 = 24 * 3600;
const PAGE: i64 = 200;

/// Fetch files of other servers anew: what the cache has of them is forgotten, a mirror copies what is missing
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
#[command(override_usage = "noren media refresh [OPTIONS] <--account <HANDLE>|--domain <NAME>|--status <ID>>")]
pub(super) struct Refresh {
    /// Avatar, header and attachments of an account: user@domain
    #[arg(long, group = "whose", value_name = "HANDLE")]
    account: Option<String>,
    /// The same of all accounts of a server that are known, and its emoji
    #[arg(long, group = "whose", value_name = "NAME")]
    domain: Option<String>,
    /// What hangs on a post
    #[arg(long, group = "whose", value_name = "ID")]
    status: Option<StatusId>,
    /// Only attachments that came within so many days
    #[arg(long, value_name = "N")]
    days: Option<u64>,
    /// Remove copies that a mirror has, too
    #[arg(long)]
    force: bool,
    /// Count, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What a refresh has gone through.
struct Run<'a> {
    parts: &'a Parts,
    wanted: &'a Refresh,
    since: Time,
    files: u64,
    bar: indicatif::ProgressBar,
}

impl Refresh {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let since = self.days.map_or(Time(0), |days| Time::now().minus(Duration::from_secs(days.saturating_mul(DAY))));
        let mut run = Run { parts, wanted: &self, since, files: 0, bar: output::counter() };
        if !self.dry_run {
            // Nothing is removed before it is known that the cache can be told.
            give_to(&cache(parts), &Order::Status)?;
        }
        match (&self.account, &self.domain, self.status) {
            (Some(handle), ..) => run.of_handle(handle).await?,
            (_, Some(domain), _) => run.of_domain(&domain.to_lowercase()).await?,
            (.., Some(status)) => run.of_status(status).await?,
            _ => {}
        }
        run.bar.finish_and_clear();
        let done = match (self.dry_run, parts.config.media.remote.mode) {
            (true, _) => "would be fetched anew; nothing was changed",
            (false, Mode::Lazy) => "forgotten: fetched anew when somebody looks",
            (false, Mode::Mirror) => "forgotten: fetched anew, what is missing at once",
        };
        output::line(format_args!("{} {done}", files(run.files)));
        Ok(())
    }
}

impl Run<'_> {
    async fn of_handle(&mut self, handle: &str) -> Result<(), Failure> {
        let account = accounts::lookup(&self.parts.db.read().await?, &self.parts.site, handle).await;
        let account = account.map_err(|_| anyhow!("there is no account {handle}"))?;
        if account.is_local() {
            return Err(anyhow!("@{} is of this site: its files are from nowhere else", account.username).into());
        }
        self.of_account(account.id).await
    }

    async fn of_domain(&mut self, domain: &str) -> Result<(), Failure> {
        let mut after = AccountId(0);
        loop {
            let page = accounts::remote::list(&self.parts.db.read().await?, Some(domain), after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = *last;
            for id in page {
                self.of_account(id).await?;
            }
        }
        let emojis = emojis::by_domain(&self.parts.db.read().await?, domain).await?;
        if after == AccountId(0) && emojis.is_empty() {
            return Err(anyhow!("no account and no emoji of {domain} is known").into());
        }
        for emoji in emojis {
            self.forget(&emoji_files(&emoji)).await?;
        }
        Ok(())
    }

    async fn of_account(&mut self, id: AccountId) -> Result<(), Failure> {
        let db = &self.parts.db;
        let Some(account) = accounts::store::by_id(&db.read().await?, id).await? else { return Ok(()) };
        self.forget(&portrait_files(&account)).await?;
        if self.is_copied() {
            attachments::mirror_account_later(db, id).await?;
        }
        let mut after = MediaId(0);
        loop {
            let of = (id, self.since);
            let page = attachments::store::of_account(&db.read().await?, of, (after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for row in &page {
                self.forget(&attachment_files(row)).await?;
            }
            let mut statuses: Vec<StatusId> = page.iter().filter_map(|row| row.status_id).collect();
            statuses.dedup();
            for status in statuses.into_iter().filter(|_| self.is_copied()) {
                attachments::mirror_later(db, status).await?;
            }
        }
    }

    async fn of_status(&mut self, id: StatusId) -> Result<(), Failure> {
        let conn = self.parts.db.read().await?;
        statuses::store::by_id(&conn, id).await?.ok_or_else(|| anyhow!("there is no post {id}"))?;
        let rows = attachments::store::by_statuses(&conn, [id]).await?;
        drop(conn);
        let since = self.since;
        for row in rows.iter().filter(|row| row.loose_since >= since) {
            self.forget(&attachment_files(row)).await?;
        }
        if self.is_copied() {
            attachments::mirror_later(&self.parts.db, id).await?;
        }
        Ok(())
    }

    /// Whether a job is to copy it at once.
    fn is_copied(&self) -> bool {
        !self.wanted.dry_run && self.parts.config.media.remote.mode == Mode::Mirror
    }

    async fn forget(&mut self, files: &[Shown]) -> Result<(), Failure> {
        for (what, address) in files {
            self.files += 1;
            self.bar.inc(1);
            if self.wanted.dry_run {
                continue;
            }
            let key = keys::shown(*what, address);
            if self.wanted.force {
                let key = Key::parse(&key).map_err(|_| anyhow!("{key} is not a name of a stored file"))?;
                self.parts.store.delete(&key).await.map_err(anyhow::Error::from)?;
            }
            give_to(&cache(self.parts), &Order::Purge { url: self.parts.site.media(&key) })?;
        }
        Ok(())
    }
}
