//! Changing users: what they may do, how they are reached, their passwords.

use super::{Role, User, password, rules, store};
use crate::{
    Error, Result, Time, accounts,
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{self, AccountId, SessionId, UserId},
    oauth, sessions, tombstones,
};
use std::time::Duration;

/// What changes; None leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub role: Option<Role>,
    /// Empty: none any more.
    pub email: Option<String>,
    /// A disabled user can do nothing: sessions end, streams close, tokens are refused until enabled again.
    pub disabled: Option<bool>,
    /// As disabled, and nothing of theirs is shown to anybody, until it is undone.
    pub suspended: Option<bool>,
    /// Limited: seen and heard by who follows them, and by who looks for them.
    pub silenced: Option<bool>,
    pub approved: Option<bool>,
    pub confirmed: Option<bool>,
    pub locale: Option<String>,
}

/// What ends when a password changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endings {
    /// All sessions in browsers; applications stay signed in.
    Sessions,
    /// All sessions but the one that asks.
    OtherSessions(SessionId),
    /// All sessions, and all applications have to ask again.
    Everything,
}

/// How exactly it is known when somebody was here last.
const SEEN_AGAIN: Duration = Duration::from_secs(86_400);

/// [`Error::Invalid`] when the address is taken or none, or when the site would be left without an owner.
pub async fn modify(db: &Db, id: UserId, change: Change) -> Result<User> {
    let mut tx = db.begin().await?;
    let before = store::by_id(&tx, id).await?.ok_or(Error::NotFound)?;
    let mut after = before.clone();
    after.role = change.role.unwrap_or(before.role);
    after.disabled = change.disabled.unwrap_or(before.disabled);
    after.approved = change.approved.unwrap_or(before.approved);
    if let Some(confirmed) = change.confirmed {
        after.confirmed_at = confirmed.then_some(before.confirmed_at.unwrap_or(tx.now));
    }
    if let Some(code) = &change.locale {
        after.locale = super::create::locale(code);
    }
    if let Some(address) = change.email {
        after.email = checked_email(&tx, id, address).await?;
    }
    let out = change.suspended == Some(true) || after.disabled;
    let stops = before.role == Role::Owner && !before.disabled && (after.role != Role::Owner || out);
    if stops && !store::other_owner(&tx, id).await? {
        return Err(Error::invalid("Role", "cannot be taken from the only owner"));
    }
    if !store::update(&tx, &after).await? {
        return Err(Error::invalid("E-mail address", "has already been taken"));
    }
    if after.role != before.role {
        accounts::store::update_role(&tx, after.account_id, after.role).await?;
    }
    write_state(&mut tx, after.account_id, (change.suspended, change.silenced)).await?;
    if out && !before.disabled {
        send_away(&mut tx, id).await?;
    }
    tx.commit().await?;
    Ok(after)
}

async fn write_state(tx: &mut Tx, id: AccountId, (suspended, silenced): (Option<bool>, Option<bool>)) -> Result<()> {
    if let Some(suspended) = suspended {
        write_suspension(tx, id, suspended).await?;
    }
    match silenced {
        Some(true) => store::silence(tx, id).await,
        Some(false) => store::unsilence(tx, id).await,
        None => Ok(()),
    }
}

/// Suspends somebody or ends that, and tells other servers, which are to hide them and not to forget them.
async fn write_suspension(tx: &mut Tx, id: AccountId, suspended: bool) -> Result<()> {
    let account = accounts::store::by_id(tx, id).await?.ok_or(Error::NotFound)?;
    if suspended {
        store::suspend(tx, id).await?;
    } else {
        store::unsuspend(tx, id).await?;
        // A deletion that was begun and not ended.
        tombstones::forget_name(tx, &account.username).await?;
    }
    if account.suspended_at.is_some() == suspended {
        return Ok(());
    }
    deliveries::tell(tx, News::ProfileChanged { account: id, telling: ids::next() }).await
}

/// Ends what somebody has open: sessions for good, streams until their tokens are good again.
async fn send_away(tx: &mut Tx, id: UserId) -> Result<()> {
    sessions::store::delete_of_user(tx, id, None).await?;
    sessions::store::delete_challenges(tx, id).await?;
    for token in oauth::store::token_ids(tx, id).await? {
        tx.publish(Event::TokenRevoked { token });
    }
    Ok(())
}

async fn checked_email(conn: &Conn, id: UserId, address: String) -> Result<String> {
    if !address.is_empty() {
        if let Some(fault) = rules::email(&address) {
            return Err(rules::Problem { field: "email", fault }.into());
        }
        if store::by_email(conn, &address).await?.is_some_and(|other| other.id != id) {
            return Err(Error::invalid("E-mail address", "has already been taken"));
        }
    }
    Ok(address)
}

/// Whether `password` is this user's.
pub async fn verify_password(user: &User, password: &str) -> Result<bool> {
    password::verify(password, Some(&user.password_hash)).await
}

/// Gives a user another password. [`Error::Invalid`] when it is too short or too long.
pub async fn set_password(db: &Db, id: UserId, password: &str, endings: Endings) -> Result<()> {
    if let Some(fault) = rules::password(password) {
        return Err(rules::Problem { field: "password", fault }.into());
    }
    let hash = password::hash(password).await?;
    let mut tx = db.begin().await?;
    if !store::update_password(&tx, id, &hash).await? {
        return Err(Error::NotFound);
    }
    let keep = match endings {
        Endings::OtherSessions(session) => Some(session),
        Endings::Sessions | Endings::Everything => None,
    };
    sessions::store::delete_of_user(&tx, id, keep).await?;
    sessions::store::delete_challenges(&tx, id).await?;
    if endings == Endings::Everything {
        end_tokens(&mut tx, id).await?;
    }
    tx.commit().await
}

/// Revokes all tokens of a user: streams close, codes that wait are void.
pub(super) async fn end_tokens(tx: &mut Tx, id: UserId) -> Result<()> {
    oauth::store::delete_codes_of_user(tx, id).await?;
    for token in oauth::store::delete_of_user(tx, id).await? {
        tx.publish(Event::TokenRevoked { token });
    }
    Ok(())
}

/// Whether the last visit that was written down is long enough ago that [`seen`] is worth a write.
pub fn is_stale(last_active_at: Option<Time>) -> bool {
    last_active_at.is_none_or(|at| Time::now().since(at) > SEEN_AGAIN)
}

/// Writes down that somebody was here.
pub async fn seen(db: &Db, id: UserId) -> Result<()> {
    let tx = db.begin().await?;
    store::update_seen(&tx, id).await?;
    tx.commit().await
}
