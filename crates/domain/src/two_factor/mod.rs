//! A second proof at sign-in: a code of an app on the phone, or one of ten recovery codes for who has lost it.

mod store;
mod totp;

pub use totp::{DIGITS, Secret};

use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx},
    ids::UserId,
    row, secrets, sessions,
};
use unicode_normalization::UnicodeNormalization;

/// Recovery codes that one gets at once.
pub const RECOVERY_CODES: usize = 10;
/// A longer text is no code; in bytes.
const LONGEST: usize = 100;

row! {
    struct Factor {
        user_id: UserId,
        secret: Secret,
        last_step: i64,
        enabled_at: Option<Time>,
    }
}

/// How somebody's second factor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Off,
    /// An app can be set up with this; nothing is asked for yet.
    Prepared(Secret),
    On {
        since: Time,
        recovery_codes: i64,
    },
}

pub async fn state(conn: &Conn, user: UserId) -> Result<State> {
    let Some(factor) = store::of_user(conn, user).await? else { return Ok(State::Off) };
    Ok(match factor.enabled_at {
        None => State::Prepared(factor.secret),
        Some(since) => State::On { since, recovery_codes: store::count_codes(conn, user).await? },
    })
}

/// Whether a code is asked for at sign-in.
pub async fn is_on(conn: &Conn, user: UserId) -> Result<bool> {
    store::is_on(conn, user).await
}

/// Makes a secret to set an app up with, in place of an earlier one that was not confirmed.
/// [`Error::Conflict`] when codes are asked for already.
pub async fn prepare(db: &Db, user: UserId) -> Result<()> {
    let secret = Secret::random()?;
    let tx = db.begin().await?;
    if !store::prepare(&tx, user, &secret).await? {
        return Err(Error::Conflict("Two-factor sign-in is on already".into()));
    }
    tx.commit().await
}

/// From now on a code is asked for at sign-in. Answers the recovery codes, which are nowhere else; None when the code
/// is wrong. [`Error::Conflict`] when nothing was prepared, or it is on already.
pub async fn enable(db: &Db, user: UserId, code: &str) -> Result<Option<Vec<String>>> {
    let conflict = || Error::Conflict("There is nothing to be confirmed".into());
    let tx = db.begin().await?;
    let factor = store::of_user(&tx, user).await?.filter(|f| f.enabled_at.is_none()).ok_or_else(conflict)?;
    let Some(step) = factor.secret.accept(&normal(code), (tx.now, factor.last_step)) else { return Ok(None) };
    if !store::enable(&tx, &factor, step).await? {
        return Err(conflict());
    }
    let codes = replace_codes(&tx, user).await?;
    tx.commit().await?;
    Ok(Some(codes))
}

/// Ten new recovery codes; those of before are void. [`Error::Conflict`] when it is off.
pub async fn renew_codes(db: &Db, user: UserId) -> Result<Vec<String>> {
    let tx = db.begin().await?;
    if !store::is_on(&tx, user).await? {
        return Err(Error::Conflict("Two-factor sign-in is off".into()));
    }
    let codes = replace_codes(&tx, user).await?;
    tx.commit().await?;
    Ok(codes)
}

async fn replace_codes(tx: &Tx, user: UserId) -> Result<Vec<String>> {
    store::delete_codes(tx, user).await?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = secrets::password()?;
        store::insert_code(tx, user, &secrets::hash(&normal(&code))).await?;
        codes.push(code);
    }
    Ok(codes)
}

/// The password alone is enough again. Who is in the middle of signing in starts over. False when it was off.
pub async fn disable(db: &Db, user: UserId) -> Result<bool> {
    let tx = db.begin().await?;
    let was = store::delete(&tx, user).await?;
    store::delete_codes(&tx, user).await?;
    sessions::store::delete_challenges(&tx, user).await?;
    tx.commit().await?;
    Ok(was)
}

/// Whether `code` is a good one, which is used up with that: from the app, or for recovery.
pub(crate) async fn use_code(tx: &Tx, user: UserId, code: &str) -> Result<bool> {
    if code.len() > LONGEST {
        return Ok(false);
    }
    let Some(factor) = store::of_user(tx, user).await?.filter(|f| f.enabled_at.is_some()) else { return Ok(false) };
    let code = normal(code);
    if code.len() != DIGITS {
        return store::use_code(tx, user, &secrets::hash(&code)).await;
    }
    match factor.secret.accept(&code, (tx.now, factor.last_step)) {
        Some(step) => store::use_step(tx, user, step).await,
        None => Ok(false),
    }
}

/// A code without what people put between its parts, and with the digits that a Japanese keyboard types made plain.
fn normal(code: &str) -> String {
    let plain = code.get(..LONGEST).unwrap_or(code).nfkc();
    plain.filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
