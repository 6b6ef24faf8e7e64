//! Notifications: what others did that concerns somebody here.

pub mod store;

use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx, stored_enum},
    events::Event,
    ids::{self, AccountId, NotificationId, StatusId},
    page::Page,
    row,
};

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
/// muted the conversation. Telling the same twice tells once.
pub async fn notify(tx: &mut Tx, new: New) -> Result<()> {
    if new.account == new.from && new.kind != Kind::Poll {
        return Ok(());
    }
    let id: NotificationId = ids::next();
    let row = Notification {
        id,
        account_id: new.account,
        from_account_id: new.from,
        kind: new.kind,
        status_id: new.status,
        group_key: group_key(id, &new, tx.now),
        created_at: tx.now,
    };
    if store::insert_if_wanted(tx, &row).await? {
        tx.publish(Event::Notified { notification: id, account: new.account });
    }
    Ok(())
}

/// Favourites and boosts of one status, and follows, gather in groups of half a day.
/// <https://docs.joinmastodon.org/methods/grouped_notifications/>
fn group_key(id: NotificationId, new: &New, now: Time) -> String {
    let half_day = now.seconds() / (12 * 3600);
    match (new.kind, new.status) {
        (Kind::Favourite | Kind::Reblog, Some(status)) => format!("{}-{status}-{half_day}", new.kind.as_str()),
        (Kind::Follow | Kind::AdminSignUp, _) => format!("{}-{half_day}", new.kind.as_str()),
        _ => format!("ungrouped-{id}"),
    }
}

/// What of the list is wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these kinds; empty: all.
    pub kinds: Vec<Kind>,
    pub except: Vec<Kind>,
    pub from: Option<AccountId>,
}

/// Notifications of `account`, newest first.
pub async fn list(conn: &Conn, account: AccountId, filter: &Filter, page: Page) -> Result<Vec<Notification>> {
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|k| (filter.kinds.is_empty() || filter.kinds.contains(k)) && !filter.except.contains(k))
        .collect();
    store::list(conn, account, &kinds, filter.from, page).await
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
pub async fn retract(tx: &Tx, was: New) -> Result<()> {
    store::delete_same(tx, &was).await
}

/// How many are newer than `after`, counted up to `limit`.
pub async fn unread(conn: &Conn, account: AccountId, after: NotificationId, limit: i64) -> Result<i64> {
    store::count_after(conn, account, after, limit).await
}
