//! Deleting a local account for good: login, posts, files and every trace in counts. Safe to do again when it was
//! interrupted: the login goes first, the account last.

use super::{User, modify, store};
use crate::{
    Error, Result,
    accounts::{self, Account},
    db::{Db, Tx},
    deliveries::{self, News},
    ids::{StatusId, UserId},
    jobs::Job,
    sessions,
    statuses::{self, Media},
    tombstones,
};

/// Statuses deleted between two looks.
const PAGE: i64 = 200;
/// Files named in one job.
const FILES: usize = 200;

/// Deletes a user, the account and everything of theirs. Takes a while when they wrote much: each status is a
/// transaction of its own, so that others can write meanwhile.
pub async fn delete(db: &Db, id: UserId) -> Result<()> {
    let (user, account) = super::by_id(&db.read().await?, id).await?;
    close(db, &user, &account).await?;
    loop {
        let page: Vec<StatusId> = store::statuses(&db.read().await?, account.id, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for status in page {
            match statuses::delete(db, account.id, (status, Media::Delete)).await {
                // Somebody else was quicker, or a boost went with what it boosted.
                Ok(_) | Err(Error::NotFound) => {}
                Err(e) => return Err(e),
            }
        }
    }
    remove(db, &account).await
}

/// From here on nobody can sign in as them, nobody sees them, and other servers hear that they are gone.
async fn close(db: &Db, user: &User, account: &Account) -> Result<()> {
    let mut tx = db.begin_long().await?;
    // Who never came in was nobody to others: that name is free again.
    match accounts::visible(&tx, account.id).await {
        Err(Error::NotFound) => {}
        seen => tombstones::put_name(&tx, &seen?.username).await?,
    }
    store::disable(&tx, user.id).await?;
    store::suspend(&tx, user.account_id).await?;
    sessions::store::delete_of_user(&tx, user.id, None).await?;
    modify::end_tokens(&mut tx, user.id).await?;
    tx.commit().await
}

async fn remove(db: &Db, account: &Account) -> Result<()> {
    let mut tx = db.begin_long().await?;
    let mut keys = store::media_keys(&tx, account.id).await?;
    keys.extend(
        [&account.avatar, &account.avatar_static, &account.header, &account.header_static]
            .into_iter()
            .flatten()
            .cloned(),
    );
    keys.sort_unstable();
    keys.dedup();
    delete_files(&mut tx, &keys).await?;
    deliveries::tell(&mut tx, News::AccountDeleted { account: account.id, uri: account.uri.clone() }).await?;
    store::uncount(&tx, account.id).await?;
    store::delete_account(&tx, account.id).await?;
    tx.commit().await
}

async fn delete_files(tx: &mut Tx, keys: &[String]) -> Result<()> {
    for some in keys.chunks(FILES) {
        tx.enqueue(Job::DeleteFiles { keys: some.to_vec() }).await?;
    }
    Ok(())
}
