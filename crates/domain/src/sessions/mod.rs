//! Sessions: somebody signed in with a browser. The browser has a random secret, the database its hash.

mod attempts;
mod challenge;
pub(crate) mod store;

pub use attempts::{Attempts, Limit};
pub use challenge::{Answer, Answered, CHALLENGE_LIFE, answer, is_challenged};

use crate::{
    Error, Result, Time,
    accounts::{self, Account},
    db::{Conn, Db, Tx},
    ids::{self, SessionId, UserId},
    row, secrets,
    site::{ClientIp, Site},
    two_factor,
    users::{self, Login, User},
};
use std::time::Duration;

/// How long a browser stays signed in.
pub const LIFE: Duration = Duration::from_secs(90 * 86_400);
/// Browsers of one person that are signed in at once; the oldest goes when there is one more.
const AT_ONCE: i64 = 20;
/// Characters kept of what a browser calls itself.
const AGENT_CHARACTERS: usize = 250;

row! {
    pub struct Session {
        pub id: SessionId,
        pub user_id: UserId,
        /// What the browser called itself.
        pub user_agent: String,
        pub created_at: Time,
        pub expires_at: Time,
    }
}

/// Somebody at the door.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// E-mail address or name.
    pub login: &'a str,
    pub password: &'a str,
    pub ip: Option<ClientIp>,
    pub user_agent: &'a str,
}

/// How a try to sign in ended.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// The secret for the browser's cookie.
    Yes { token: String },
    /// Both are right, and a code is needed too: what the browser answers with to [`answer`].
    NeedsCode { challenge: String },
    /// Name or password is wrong; which of them is not told.
    Wrong,
    /// Both are right, and yet they may not.
    Refused(Login),
    /// Too many tries: again after this long.
    TooMany(Duration),
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub session: Session,
    pub user: User,
    pub account: Account,
}

/// Tries to sign somebody in with a password.
pub async fn sign_in(db: &Db, site: &Site, attempts: &Attempts, try_: SignIn<'_>) -> Result<SignedIn> {
    let found = users::find(&db.read().await?, site, try_.login).await?;
    // By person where there is one: two names of one person are no second chance.
    let who = found.as_ref().map_or_else(|| try_.login.trim().to_lowercase(), |(user, _)| user.id.to_string());
    if let Err(wait) = attempts.count(try_.ip, &who, Time::now()) {
        return Ok(SignedIn::TooMany(wait));
    }
    let stored = found.as_ref().map(|(user, _)| user.password_hash.as_str());
    let fits = match users::password::verify(try_.password, stored).await {
        Err(Error::Busy(wait)) => return Ok(SignedIn::TooMany(wait)),
        fits => fits?,
    };
    let Some((user, account)) = found.filter(|_| fits) else { return Ok(SignedIn::Wrong) };
    match user.login(&account) {
        Login::Usable => {}
        login => return Ok(SignedIn::Refused(login)),
    }
    if two_factor::is_on(&db.read().await?, user.id).await? {
        return Ok(SignedIn::NeedsCode { challenge: challenge::challenge(db, user.id).await? });
    }
    Ok(SignedIn::Yes { token: start(db, user.id, try_.user_agent).await? })
}

/// Starts a session for somebody who proved who they are; gives the secret for the browser's cookie.
pub async fn start(db: &Db, user: UserId, user_agent: &str) -> Result<String> {
    let tx = db.begin().await?;
    let token = insert(&tx, user, user_agent).await?;
    tx.commit().await?;
    Ok(token)
}

async fn insert(tx: &Tx, user: UserId, user_agent: &str) -> Result<String> {
    let token = secrets::token()?;
    let agent: String = user_agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARACTERS).collect();
    let session = Session {
        id: ids::next(),
        user_id: user,
        user_agent: agent,
        created_at: tx.now,
        expires_at: tx.now.plus(LIFE),
    };
    store::insert(tx, &session, &secrets::hash(&token)).await?;
    store::delete_oldest(tx, user, AT_ONCE).await?;
    Ok(token)
}

/// Who has this secret; None when the session has ended or the person may not do anything any more.
pub async fn visitor(conn: &Conn, token: &str) -> Result<Option<Visitor>> {
    let Some(session) = store::by_hash(conn, &secrets::hash(token), Time::now()).await? else { return Ok(None) };
    let Some(user) = users::store::by_id(conn, session.user_id).await? else { return Ok(None) };
    let Some(account) = accounts::store::by_id(conn, user.account_id).await? else { return Ok(None) };
    let usable = user.login(&account) == Login::Usable;
    Ok(usable.then_some(Visitor { session, user, account }))
}

/// Sessions that have not ended, newest first.
pub async fn list(conn: &Conn, user: UserId) -> Result<Vec<Session>> {
    store::of_user(conn, user, Time::now(), AT_ONCE).await
}

/// Ends one's own session. [`Error::NotFound`] when it is not theirs or has ended.
pub async fn end(db: &Db, user: UserId, session: SessionId) -> Result<()> {
    let tx = db.begin().await?;
    if !store::delete(&tx, user, session).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await
}

/// Ends all of one's sessions but this one.
pub async fn end_others(db: &Db, user: UserId, keep: SessionId) -> Result<()> {
    let tx = db.begin().await?;
    store::delete_of_user(&tx, user, Some(keep)).await?;
    store::delete_challenges(&tx, user).await?;
    tx.commit().await
}

/// Removes sessions that have expired, and half sign-ins that nobody went on with. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::delete_expired(&tx).await? + store::delete_expired_challenges(&tx).await?;
    tx.commit().await?;
    Ok(n)
}

#[cfg(test)]
mod tests;
