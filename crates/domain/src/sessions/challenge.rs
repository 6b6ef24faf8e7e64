//! Half signed in: the password was right, the code of the second factor is still to come. The browser has a random
//! secret that opens nothing but the question for the code, and not for long.

use super::{Attempts, store};
use crate::{
    Result, Time,
    db::{Conn, Db},
    ids::UserId,
    secrets,
    site::ClientIp,
    two_factor,
    users::{self, Login},
};
use std::time::Duration;

/// How long one may look for the phone.
pub const CHALLENGE_LIFE: Duration = Duration::from_secs(600);
/// Browsers of one person that may be in the middle of it at once.
const AT_ONCE: i64 = 5;

/// Asks for the code of somebody whose password was right; gives the secret for the browser's cookie.
pub(super) async fn challenge(db: &Db, user: UserId) -> Result<String> {
    let token = secrets::token()?;
    let tx = db.begin().await?;
    store::insert_challenge(&tx, (user, &secrets::hash(&token)), tx.now.plus(CHALLENGE_LIFE)).await?;
    store::delete_oldest_challenges(&tx, user, AT_ONCE).await?;
    tx.commit().await?;
    Ok(token)
}

/// Whether a code is waited for from the browser with this secret.
pub async fn is_challenged(conn: &Conn, token: &str) -> Result<bool> {
    Ok(store::challenged(conn, &secrets::hash(token), Time::now()).await?.is_some())
}

/// Somebody with a code.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What the browser was given when the password was right.
    pub challenge: &'a str,
    pub code: &'a str,
    pub ip: Option<ClientIp>,
    pub user_agent: &'a str,
}

/// How a try with a code ended.
#[derive(Clone, Debug)]
pub enum Answered {
    /// The secret for the browser's cookie.
    Yes { token: String },
    /// Wrong, or used before.
    Wrong,
    /// The code is right, and yet they may not.
    Refused(Login),
    /// Too many tries: again after this long.
    TooMany(Duration),
    /// Nobody waits for this: the password first.
    Expired,
}

/// Tries to sign somebody in who has a code. Counts as the password does: by the person, and by the address.
pub async fn answer(db: &Db, attempts: &Attempts, answer: Answer<'_>) -> Result<Answered> {
    let hash = secrets::hash(answer.challenge);
    let Some(user) = store::challenged(&db.read().await?, &hash, Time::now()).await? else {
        return Ok(Answered::Expired);
    };
    if let Err(wait) = attempts.count(answer.ip, &user.to_string(), Time::now()) {
        return Ok(Answered::TooMany(wait));
    }
    let tx = db.begin().await?;
    // With this it is gone: of two who answer at the same time one gets in.
    if !store::delete_challenge(&tx, &hash).await? {
        return Ok(Answered::Expired);
    }
    // What was taken is given back when this ends early.
    if !two_factor::use_code(&tx, user, answer.code).await? {
        return Ok(Answered::Wrong);
    }
    let (user, account) = users::by_id(&tx, user).await?;
    match user.login(&account) {
        Login::Usable => {}
        login => return Ok(Answered::Refused(login)),
    }
    let token = super::insert(&tx, user.id, answer.user_agent).await?;
    tx.commit().await?;
    Ok(Answered::Yes { token })
}
