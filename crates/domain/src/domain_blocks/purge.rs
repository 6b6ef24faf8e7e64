//! Forgetting a domain: everything that is known of it goes.

use super::{apply, apply::groups, name, store};
use crate::{
    Error, Result,
    accounts::remote,
    db::{Conn, Db},
    ids::AccountId,
    media,
};

/// Accounts removed between two looks.
const PAGE: i64 = 100;

/// What is known of a domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub accounts: i64,
    pub statuses: i64,
    pub media: i64,
    pub emojis: i64,
}

/// What [`purge`] would remove. [`Error::Invalid`] for what is no name of a server.
pub async fn contents(conn: &Conn, domain: &str) -> Result<Contents> {
    let groups = groups(conn, &[normal(domain)?]).await?;
    let (accounts, statuses, media, emojis) = store::contents(conn, groups).await?;
    Ok(Contents { accounts, statuses, media, emojis })
}

fn normal(domain: &str) -> Result<String> {
    name::normal(domain).ok_or_else(|| Error::invalid("Domain", "is not the name of a server"))
}

/// Removes all accounts of `domain` and all below it with what is theirs, and its emoji. `removed` is called after each
/// account. What is interrupted goes on the next time. Nothing is remembered as gone: what is asked for later comes back,
/// unless the domain is blocked.
pub async fn purge(db: &Db, domain: &str, mut removed: impl FnMut(u64)) -> Result<u64> {
    let domains = [normal(domain)?];
    // Whoever was blocked a moment ago may not have been told yet that follows have ended.
    apply(db, &domains, &[]).await?;
    let groups = groups(&db.read_long().await?, &domains).await?;
    let mut count = 0;
    for group in groups {
        loop {
            let page = store::accounts(&db.read_long().await?, (&group, AccountId(0)), PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                remote::clear(db, row.id).await?;
                count += 1;
                removed(count);
            }
        }
        let mut tx = db.begin().await?;
        let emojis = store::delete_emojis(&tx, &group).await?;
        media::forget(&mut tx, emojis.iter().flat_map(media::of_emoji)).await?;
        store::delete_host(&tx, &group).await?;
        tx.commit().await?;
    }
    Ok(count)
}
