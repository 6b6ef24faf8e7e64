//! People whose mentions the policy holds back: let them through, or remove what they sent.
//! <https://docs.joinmastodon.org/entities/NotificationRequest/>

use super::{Kind, Notification, store};
use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx},
    events::Event,
    ids::{AccountId, NotificationRequestId, StatusId},
    page::Page,
    row,
};

/// Notifications held back from one sender; older ones are forgotten.
const HELD: i64 = 500;
/// Requests answered at once.
const AT_ONCE: usize = 500;
/// As far as Mastodon counts what waits.
pub const COUNTED: i64 = 100;

row! {
    /// A sender with mentions that are held back.
    pub struct Request {
        pub id: NotificationRequestId,
        pub from_account_id: AccountId,
        pub created_at: Time,
        /// When the latest of them came.
        pub updated_at: Time,
        /// How many, counted up to [`COUNTED`].
        pub count: i64,
        pub last_status_id: Option<StatusId>,
    }
}

row! {
    /// What waits for an answer, counted up to a hundred requests of [`COUNTED`] notifications.
    #[derive(Copy, PartialEq, Eq)]
    pub struct Pending {
        pub requests: i64,
        pub notifications: i64,
    }
}

/// After `row` was held back: its sender asks for attention, if it is more than a click.
pub(super) async fn hold(tx: &Tx, row: &Notification) -> Result<()> {
    if matches!(row.kind, Kind::Mention | Kind::Quote) {
        store::requests::insert(tx, row.account_id, row.from_account_id).await?;
    }
    store::requests::trim(tx, row, HELD).await
}

/// Who waits, the latest request first.
pub async fn list(conn: &Conn, account: AccountId, page: Page) -> Result<Vec<Request>> {
    store::requests::list(conn, account, page).await
}

pub async fn one(conn: &Conn, account: AccountId, id: NotificationRequestId) -> Result<Request> {
    store::requests::by_id(conn, account, id).await?.ok_or(Error::NotFound)
}

pub async fn pending(conn: &Conn, account: AccountId) -> Result<Pending> {
    store::requests::pending(conn, account).await
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What was held back is shown, and the policy does not concern the sender any more.
    Accept,
    /// What was held back is removed; the next goes the same way.
    Dismiss,
}

/// Answers one; [`Error::NotFound`] when it is not there or not theirs.
pub async fn answer(db: &Db, account: AccountId, id: NotificationRequestId, answer: Answer) -> Result<()> {
    let mut tx = db.begin().await?;
    let request = one(&tx, account, id).await?;
    apply(&mut tx, account, &[request.from_account_id], answer).await?;
    tx.commit().await
}

/// Answers several; what is not theirs is passed over. [`Error::Invalid`] for more than 500.
pub async fn answer_all(db: &Db, account: AccountId, ids: &[NotificationRequestId], answer: Answer) -> Result<()> {
    if ids.len() > AT_ONCE {
        return Err(Error::invalid("Id", format!("is too long (maximum is {AT_ONCE})")));
    }
    let mut tx = db.begin_long().await?;
    let senders = store::requests::senders(&tx, account, ids).await?;
    if senders.is_empty() {
        return Ok(());
    }
    apply(&mut tx, account, &senders, answer).await?;
    tx.commit().await
}

async fn apply(tx: &mut Tx, account: AccountId, senders: &[AccountId], answer: Answer) -> Result<()> {
    match answer {
        Answer::Accept => {
            store::policy::insert_permissions(tx, account, senders).await?;
            store::requests::release(tx, account, senders).await?;
            tx.publish(Event::NotificationsMerged { account });
        }
        Answer::Dismiss => store::requests::delete_held(tx, account, senders).await?,
    }
    store::requests::delete(tx, account, senders).await
}

/// Ends what an accepted request gave to `from`: after a block.
pub(crate) async fn distrust(tx: &Tx, account: AccountId, from: AccountId) -> Result<()> {
    store::policy::delete_permission(tx, account, from).await
}
