//! Invites: a code with which somebody may open an account here, whoever else may.

mod store;

use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx},
    ids::{self, InviteId, UserId},
    row, secrets,
};
use std::{ops::RangeInclusive, time::Duration};

/// Invites that there may be at once.
pub const AT_ONCE: i64 = 200;
pub const USES: RangeInclusive<i64> = 1..=10_000;
/// Longer is for ever, which can be said too.
const LONGEST: Duration = Duration::from_secs(3660 * 86_400);
/// How long the owner still sees in the list how an invite ended.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

row! {
    pub struct Invite {
        pub id: InviteId,
        pub code: String,
        /// Who made it; None: made on the command line.
        pub user_id: Option<UserId>,
        pub uses: i64,
        /// None: as often as you like.
        pub max_uses: Option<i64>,
        /// None: never.
        pub expires_at: Option<Time>,
        pub created_at: Time,
    }
}

/// What an invite is good for.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewInvite {
    pub by: Option<UserId>,
    pub max_uses: Option<i64>,
    pub life: Option<Duration>,
}

impl Invite {
    /// Whether somebody can still come in with it.
    pub fn is_good(&self, now: Time) -> bool {
        self.max_uses.is_none_or(|most| self.uses < most) && self.expires_at.is_none_or(|end| end > now)
    }
}

/// [`Error::Invalid`] for numbers that make no sense, and when there are too many.
pub async fn create(db: &Db, new: NewInvite) -> Result<Invite> {
    if new.max_uses.is_some_and(|uses| !USES.contains(&uses)) {
        return Err(Error::invalid("Uses", format!("must be from {} to {}", USES.start(), USES.end())));
    }
    if new.life.is_some_and(|life| life.is_zero() || life > LONGEST) {
        return Err(Error::invalid("Expiry", "must be a time from now to ten years ahead"));
    }
    // Like a password that can be read aloud; in an address without the hyphens.
    let code = secrets::password()?.replace('-', "");
    let tx = db.begin().await?;
    if store::count(&tx).await? >= AT_ONCE {
        return Err(Error::invalid("base", format!("There are {AT_ONCE} invites already: revoke some")));
    }
    let invite = Invite {
        id: ids::next(),
        code,
        user_id: new.by,
        uses: 0,
        max_uses: new.max_uses,
        expires_at: new.life.map(|life| tx.now.plus(life)),
        created_at: tx.now,
    };
    store::insert(&tx, &invite).await?;
    tx.commit().await?;
    Ok(invite)
}

/// All invites, newest first, also those that are used up or over.
pub async fn list(conn: &Conn) -> Result<Vec<Invite>> {
    store::list(conn, AT_ONCE).await
}

/// Whether somebody can come in with `code`.
pub async fn is_good(conn: &Conn, code: &str) -> Result<bool> {
    if !is_code(code) {
        return Ok(false);
    }
    Ok(store::by_code(conn, code).await?.is_some_and(|invite| invite.is_good(Time::now())))
}

/// Whether it may be one at all: what cannot, the database is not asked about.
fn is_code(text: &str) -> bool {
    (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Uses one up. [`Error::Forbidden`] when it is not there, used up or over.
pub(crate) async fn take(tx: &Tx, code: &str) -> Result<()> {
    match is_code(code) && store::take(tx, code).await? {
        true => Ok(()),
        false => Err(Error::forbidden("This invite has been used up or is over")),
    }
}

/// Nobody can come in with it any more; who came stays. [`Error::NotFound`] when it is not there.
pub async fn revoke(db: &Db, id: InviteId) -> Result<()> {
    let tx = db.begin().await?;
    if !store::delete(&tx, id).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await
}

/// As [`revoke`], by its code.
pub async fn revoke_code(db: &Db, code: &str) -> Result<()> {
    let tx = db.begin().await?;
    if !is_code(code) || !store::delete_by_code(&tx, code).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await
}

/// Removes those that nobody can use any more. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::delete_over(&tx, tx.now.minus(REMEMBERED)).await?;
    tx.commit().await?;
    Ok(n)
}
