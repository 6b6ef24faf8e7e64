//! The hourly round: what has expired goes. Each step is a domain operation of its own; one that fails does not keep
//! the others from being done.

use super::{mirror_media, prune_media};
use crate::server::Parts;
use domain::jobs::{self, Outcome};
use domain::{
    Result, arrivals, cards, deliveries, invites, keys, mutes, oauth, sessions, statuses, tags, timelines, tombstones,
};
use std::future::Future;

pub(super) async fn run(parts: &Parts) -> Result<Outcome> {
    let db = &parts.db;
    let mut failed = Vec::new();
    step("sessions", sessions::sweep(db), &mut failed).await;
    step("invites", invites::sweep(db), &mut failed).await;
    step("codes and applications", oauth::sweep(db), &mut failed).await;
    step("idempotency keys", statuses::publish::forget_idempotency(db), &mut failed).await;
    step("mutes", mutes::remove_expired(db), &mut failed).await;
    step("uses of hashtags", tags::forget_uses(db), &mut failed).await;
    step("what arrived", arrivals::sweep(db), &mut failed).await;
    step("dead letters", jobs::sweep(db), &mut failed).await;
    step("what was sent", deliveries::sweep(db), &mut failed).await;
    step("old keys", keys::sweep(db), &mut failed).await;
    step("what is gone", tombstones::sweep(db), &mut failed).await;
    step("previews of pages", cards::sweep(db), &mut failed).await;
    step("copies of files of other servers", mirror_media::sweep(parts), &mut failed).await;
    step("uploads", prune_media::run(parts), &mut failed).await;
    step("home timelines", trim_feeds(parts), &mut failed).await;
    // Tried again, all of it: every step is safe to repeat.
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Retry(failed.join("; ")) })
}

async fn step(what: &str, work: impl Future<Output = Result<u64>>, failed: &mut Vec<String>) {
    match work.await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed what had expired: {what}"),
        Err(error) => failed.push(format!("{what}: {error:#}")),
    }
}

async fn trim_feeds(parts: &Parts) -> Result<u64> {
    let owners = timelines::owners(&parts.db.read().await?).await?;
    let mut removed = 0;
    for owner in owners {
        removed += timelines::trim(&parts.db, owner).await?;
    }
    Ok(removed)
}
