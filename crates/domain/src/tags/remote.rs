//! What accounts of other servers feature: told one by one, or read as a whole list.

use super::{FEATURED, find, kept, parse, store};
use crate::{
    Result, accounts,
    db::{Db, Tx},
    ids::AccountId,
};

/// An account of another server features a tag; nothing for what can be no tag here, and over ten.
pub async fn feature(db: &Db, account: AccountId, named: &str) -> Result<()> {
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, account, account).await?;
    insert(&tx, account, named).await?;
    tx.commit().await
}

async fn insert(tx: &Tx, account: AccountId, named: &str) -> Result<()> {
    let Some(typed) = parse(named) else { return Ok(()) };
    if store::count_featured(tx, account).await? >= FEATURED {
        return Ok(());
    }
    let tag = kept(tx, find(tx, &typed.name).await?).await?;
    store::insert_featured(tx, account, (tag.id, &typed.name)).await.map(drop)
}

/// They no longer do.
pub async fn unfeature(db: &Db, account: AccountId, named: &str) -> Result<()> {
    let Some(typed) = parse(named) else { return Ok(()) };
    let tx = db.begin().await?;
    let tag = find(&tx, &typed.name).await?;
    store::delete_featured_tag(&tx, account, tag.id).await?;
    tx.commit().await
}

/// All that an account of another server features.
pub async fn replace(db: &Db, account: AccountId, names: &[String]) -> Result<()> {
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, account, account).await?;
    let known: Vec<String> = store::featured(&tx, account, FEATURED).await?.into_iter().map(|f| f.name).collect();
    let same = known.len() == names.len() && known.iter().all(|name| names.contains(name));
    if same {
        return Ok(());
    }
    store::delete_all_featured(&tx, account).await?;
    for name in names {
        insert(&tx, account, name).await?;
    }
    tx.commit().await
}
