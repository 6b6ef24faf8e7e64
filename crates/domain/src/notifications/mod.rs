//! Notifications: what others did that concerns somebody here.

pub mod groups;
pub mod policy;
pub mod requests;
pub mod store;

use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx, stored_enum},
    events::Event,
    ids::{self, AccountId, NotificationId, StatusId},
    page::Page,
    row,
};
use policy::Action;

stored_enum! {
    pub enum Kind {
        Mention = 0 => "mention",
        Status = 1 => "status",
        Reblog = 2 => "reblog",
        Follow = 3 => "follow",
        FollowRequest = 4 => "follow_request",
        Favourite = 5 => "favourite",
        Poll = 6 => "poll",
        Update = 7 => "update",
        AdminSignUp = 8 => "admin.sign_up",
        AdminReport = 9 => "admin.report",
        SeveredRelationships = 10 => "severed_relationships",
        ModerationWarning = 11 => "moderation_warning",
        Quote = 12 => "quote",
        QuotedUpdate = 13 => "quoted_update",
    }
}

row! {
    pub struct Notification {
        pub id: NotificationId,
        pub account_id: AccountId,
        pub from_account_id: AccountId,
        pub kind: Kind,
        pub status_id: Option<StatusId>,
        pub group_key: String,
        pub created_at: Time,
        /// Held back by the policy of the one it is for.
        pub filtered: bool,
    }
}

/// Something to tell `account`: `from` did `kind`, perhaps to `status`.
#[derive(Clone, Copy, Debug)]
pub struct New {
    pub account: AccountId,
    pub from: AccountId,
    pub kind: Kind,
    pub status: Option<StatusId>,
}

/// Tells somebody here, unless they are the one who did it, are not a local user, have blocked or muted who did it, or
/// muted the conversation. Telling the same twice tells once. Their policy may hold it back or drop it.
pub async fn notify(tx: &mut Tx, new: New) -> Result<()> {
    if new.account == new.from && new.kind != Kind::Poll {
        return Ok(());
    }
    let action = policy::judge(tx, &new).await?;
    if action == Action::Drop {
        return Ok(());
    }
    let filtered = action == Action::Filter;
    let id: NotificationId = ids::next();
    let row = Notification {
        id,
        account_id: new.account,
        from_account_id: new.from,
        kind: new.kind,
        status_id: new.status,
        // What was held back is merged one by one, not into groups that were read long ago.
        group_key: if filtered { groups::own_key(id) } else { groups::key(id, &new, tx.now) },
        created_at: tx.now,
        filtered,
    };
    if !store::insert_if_wanted(tx, &row).await? {
        return Ok(());
    }
    if filtered {
        return requests::hold(tx, &row).await;
    }
    tx.publish(Event::Notified { notification: id, account: new.account });
    Ok(())
}

/// What of the list is wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these kinds; empty: all.
    pub kinds: Vec<Kind>,
    pub except: Vec<Kind>,
    pub from: Option<AccountId>,
    /// Also what the policy holds back.
    pub include_filtered: bool,
}

impl Filter {
    fn kinds(&self) -> impl Iterator<Item = Kind> {
        let wanted = |k: &Kind| (self.kinds.is_empty() || self.kinds.contains(k)) && !self.except.contains(k);
        Kind::ALL.iter().copied().filter(wanted)
    }
}

/// Notifications of `account`, newest first.
pub async fn list(conn: &Conn, account: AccountId, filter: &Filter, page: Page) -> Result<Vec<Notification>> {
    store::list(conn, account, filter, page).await
}

pub async fn one(conn: &Conn, account: AccountId, id: NotificationId) -> Result<Notification> {
    store::by_id(conn, account, id).await?.ok_or(Error::NotFound)
}

/// Removes all notifications of `account`.
pub async fn clear(db: &Db, account: AccountId) -> Result<()> {
    let tx = db.begin().await?;
    store::delete_all(&tx, account).await?;
    tx.commit().await
}

/// Removes one; [`Error::NotFound`] when it is not there or not theirs.
pub async fn dismiss(db: &Db, account: AccountId, id: NotificationId) -> Result<()> {
    let tx = db.begin().await?;
    if store::delete(&tx, account, id).await? == 0 {
        return Err(Error::NotFound);
    }
    tx.commit().await
}

/// Removes what `from` caused for `owner`: after a block.
pub async fn forget(tx: &Tx, owner: AccountId, from: AccountId) -> Result<()> {
    store::delete_from(tx, owner, from).await
}

/// Removes the trace of something taken back, such as a favourite.
pub(crate) async fn retract(tx: &Tx, was: New) -> Result<()> {
    store::delete_same(tx, &was).await
}

/// How many of those wanted are newer than `after`, counted up to `limit`.
pub async fn unread(conn: &Conn, account: AccountId, filter: &Filter, page: Page) -> Result<i64> {
    store::count(conn, account, filter, page).await
}

#[cfg(test)]
mod tests;
