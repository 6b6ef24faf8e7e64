//! Scheduled statuses: written now, published later by a job.

pub mod store;

use crate::{
    Error, Result, Time, accounts,
    db::{Conn, Db},
    ids::{self, AccountId, ScheduledId},
    jobs::Job,
    page::Page,
    row,
    site::Site,
    statuses::{self, NewStatus, Status, publish},
    users::{self, Login, User},
};
use std::time::Duration;

/// A status must lie at least so far ahead.
pub const AHEAD: Duration = Duration::from_secs(300);
/// How many one may have waiting, in all and for one day.
const TOTAL: i64 = 300;
const DAILY: i64 = 25;

row! {
    pub struct Scheduled {
        pub id: ScheduledId,
        pub account_id: AccountId,
        pub scheduled_at: Time,
        /// JSON of `statuses::NewStatus`
        pub params_json: String,
    }
}

impl Scheduled {
    pub fn params(&self) -> Result<NewStatus> {
        Ok(serde_json::from_str(&self.params_json)?)
    }
}

/// Keeps a status for later. It is checked now as if it were published, so that it does not fail in silence then.
pub async fn create(db: &Db, site: &Site, user: &User, (new, at): (NewStatus, Time)) -> Result<Scheduled> {
    let conn = db.read().await?;
    publish::check(&conn, site, user, &new).await?;
    check_time(at)?;
    let (total, same_day) = store::counts(&conn, user.account_id, at).await?;
    if total >= TOTAL {
        return Err(Error::invalid("You have", "exceeded the limit of 300 scheduled posts"));
    }
    if same_day >= DAILY {
        return Err(Error::invalid("You have", "exceeded the limit of 25 scheduled posts for that day"));
    }
    drop(conn);
    let mut tx = db.begin().await?;
    let row = Scheduled {
        id: ids::next(),
        account_id: user.account_id,
        scheduled_at: at,
        params_json: serde_json::to_string(&new)?,
    };
    store::insert(&tx, &row).await?;
    tx.enqueue_at(Job::PublishScheduled { scheduled: row.id }, at).await?;
    tx.commit().await?;
    Ok(row)
}

fn check_time(at: Time) -> Result<()> {
    if at < Time::now().plus(AHEAD) {
        return Err(Error::invalid("Scheduled at", "The scheduled date must be in the future"));
    }
    Ok(())
}

pub async fn list(conn: &Conn, owner: AccountId, page: Page) -> Result<Vec<Scheduled>> {
    Ok(page.newest_first(store::list(conn, owner, page).await?))
}

pub async fn one(conn: &Conn, owner: AccountId, id: ScheduledId) -> Result<Scheduled> {
    store::by_id(conn, id).await?.filter(|s| s.account_id == owner).ok_or(Error::NotFound)
}

/// Moves it to another time. The job of the old time finds that it is too early and leaves it alone.
pub async fn reschedule(db: &Db, owner: AccountId, (id, at): (ScheduledId, Time)) -> Result<Scheduled> {
    check_time(at)?;
    let mut tx = db.begin().await?;
    let row = one(&tx, owner, id).await?;
    store::update_time(&tx, id, at).await?;
    tx.enqueue_at(Job::PublishScheduled { scheduled: id }, at).await?;
    tx.commit().await?;
    Ok(Scheduled { scheduled_at: at, ..row })
}

pub async fn cancel(db: &Db, owner: AccountId, id: ScheduledId) -> Result<()> {
    let tx = db.begin().await?;
    one(&tx, owner, id).await?;
    store::delete(&tx, id).await?;
    tx.commit().await
}

/// Publishes what is due; None when it was cancelled, moved or published already, and when its author may not write any
/// more: then it is gone. Safe to repeat: the row's id is the
/// idempotency key, so a crash between publishing and forgetting does not publish twice.
pub async fn publish_due(db: &Db, site: &Site, id: ScheduledId) -> Result<Option<Status>> {
    let conn = db.read().await?;
    let Some(row) = store::by_id(&conn, id).await? else { return Ok(None) };
    if row.scheduled_at > Time::now().plus(Duration::from_secs(1)) {
        return Ok(None);
    }
    let owner = accounts::store::by_id(&conn, row.account_id).await?.ok_or(Error::NotFound)?;
    let user = users::store::by_account(&conn, owner.id).await?.ok_or(Error::NotFound)?;
    drop(conn);
    if user.login(&owner) != Login::Usable || owner.moved_to_id.is_some() {
        let tx = db.begin().await?;
        store::delete(&tx, id).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let new = NewStatus { idempotency_key: Some(format!("scheduled-{id}")), ..row.params()? };
    let status = statuses::publish(db, site, &user, new).await?;
    let tx = db.begin().await?;
    store::delete(&tx, id).await?;
    tx.commit().await?;
    Ok(Some(status))
}
