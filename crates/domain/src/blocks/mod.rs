//! Blocks: of single accounts, and of everything from a domain.

mod store;

use crate::{
    Error, Result,
    accounts::{self, Account, Listed},
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    follows,
    ids::AccountId,
    notifications,
    page::Page,
    relationships::{self, Relationship},
    timelines::{self, Parting},
};

/// Follows ended at a time when a domain is blocked.
const BATCH: i64 = 500;

/// Blocks somebody: neither follows or asks to follow the other any more, and their statuses and notifications go.
/// Blocking oneself does nothing.
/// <https://docs.joinmastodon.org/methods/accounts/#block>
pub async fn block(db: &Db, me: AccountId, target: AccountId) -> Result<Relationship> {
    let mut tx = db.begin().await?;
    let other = accounts::visible(&tx, target).await?;
    if me != target {
        accounts::store::lock_pair(&tx, me, target).await?;
        let new = store::insert(&tx, me, (target, None)).await?;
        follows::sever(&mut tx, me, target).await?;
        part(&tx, me, target).await?;
        if let Some(block) = new.filter(|_| !other.is_local()) {
            deliveries::tell(&mut tx, News::Blocked { account: me, target, block }).await?;
        }
        notifications::forget(&tx, me, target).await?;
        notifications::requests::distrust(&tx, me, target).await?;
    }
    let shown = relationships::with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Who blocked an account that moved blocks the new one too, unless they follow it; a private note says why.
pub(crate) async fn carry(db: &Db, who: AccountId, (from, to): (&Account, &Account)) -> Result<()> {
    let known = relationships::with(&db.read().await?, who, to.id).await?;
    if known.blocking || known.following {
        return Ok(());
    }
    block(db, who, to.id).await?;
    relationships::note_once(db, (who, to.id), &format!("Moved here from {}, which you had blocked.", from.acct()))
        .await
}

/// Nothing of either is in the other's feed any more.
async fn part(tx: &Tx, me: AccountId, other: AccountId) -> Result<()> {
    timelines::remove_author(tx, me, (other, Parting::Silenced)).await?;
    timelines::remove_author(tx, other, (me, Parting::Silenced)).await
}

/// Somebody elsewhere blocks somebody here: as [`block`], and their server, which calls it `uri`, knows already.
pub async fn blocked_by(db: &Db, blocker: AccountId, (me, uri): (AccountId, Option<&str>)) -> Result<()> {
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, blocker, me).await?;
    store::insert(&tx, blocker, (me, uri)).await?;
    for (follower, followee) in [(me, blocker), (blocker, me)] {
        follows::end(&tx, follower, followee).await?;
        follows::withdraw(&tx, follower, followee).await?;
    }
    part(&tx, me, blocker).await?;
    tx.commit().await
}

/// Somebody elsewhere no longer blocks somebody here.
pub async fn unblocked_by(db: &Db, blocker: AccountId, me: AccountId) -> Result<()> {
    let tx = db.begin().await?;
    store::delete(&tx, blocker, me).await?;
    tx.commit().await
}

/// As [`unblocked_by`], by the name of the block. False when there is none.
pub async fn unblocked_by_name(db: &Db, blocker: AccountId, uri: &str) -> Result<bool> {
    let tx = db.begin().await?;
    let done = store::delete_named(&tx, blocker, uri).await?;
    tx.commit().await?;
    Ok(done)
}

/// Ends a block; no error when there was none.
/// <https://docs.joinmastodon.org/methods/accounts/#unblock>
pub async fn unblock(db: &Db, me: AccountId, target: AccountId) -> Result<Relationship> {
    let mut tx = db.begin().await?;
    let other = accounts::visible(&tx, target).await?;
    if let Some(block) = store::delete(&tx, me, target).await?.filter(|_| !other.is_local()) {
        deliveries::tell(&mut tx, News::Unblocked { account: me, target, block }).await?;
    }
    let shown = relationships::with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Whom `me` has blocked, latest first.
pub async fn list(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<Listed>> {
    let rows = page.newest_first(store::list(conn, me, page).await?);
    accounts::listed(conn, rows).await
}

/// Hides everything from a domain: follows and wishes to follow, from and to it, end, notifications from it go.
/// [`Error::Invalid`] for what is no domain name.
/// <https://docs.joinmastodon.org/methods/domain_blocks/#block>
pub async fn block_domain(db: &Db, me: AccountId, domain: &str) -> Result<()> {
    let domain = normalised(domain).ok_or_else(|| Error::invalid("Domain", "is not a valid domain name"))?;
    let mut tx = db.begin().await?;
    store::insert_domain(&tx, me, &domain).await?;
    loop {
        let pairs = follows::store::list_with_domain(&tx, me, &domain, BATCH).await?;
        if pairs.is_empty() {
            break;
        }
        for (follower, followee) in pairs {
            let other = if follower == me { followee } else { follower };
            follows::sever(&mut tx, me, other).await?;
        }
    }
    store::delete_notifications_of_domain(&tx, me, &domain).await?;
    tx.commit().await
}

/// Ends [`block_domain`]; no error when there was none. What ended does not come back.
pub async fn unblock_domain(db: &Db, me: AccountId, domain: &str) -> Result<()> {
    let Some(domain) = normalised(domain) else { return Ok(()) };
    let tx = db.begin().await?;
    store::delete_domain(&tx, me, &domain).await?;
    tx.commit().await
}

/// (cursor, domain) of what `me` has blocked, latest first.
pub async fn domains(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<(i64, String)>> {
    Ok(page.newest_first(store::list_domains(conn, me, page).await?))
}

/// As accounts keep it: lower case, ASCII, with the port if there is one.
fn normalised(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_start_matches('@');
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
        None => (domain, None),
    };
    if host.is_empty() || host.contains('%') {
        return None;
    }
    let host = url::Host::parse(host).ok()?;
    Some(port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests;
