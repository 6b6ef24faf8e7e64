//! Creating users, with their accounts.

use super::{Role, User, password, rules, store};
use crate::{
    Error, Result,
    accounts::{self, Account},
    db::{Db, Tx},
    ids,
    site::Site,
    statuses::{ContentType, QuotePolicy, Visibility},
    users::ExpandMedia,
};

/// Somebody about to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub username: String,
    /// None: has none, and signs in by name.
    pub email: Option<String>,
    /// None: nobody can sign in with a password until one is set.
    pub password: Option<String>,
    pub role: Role,
    /// What language to speak to them, such as `ja`.
    pub locale: String,
    /// Why they want an account.
    pub reason: String,
    /// False: the e-mail address has to be confirmed first.
    pub confirmed: bool,
    /// False: a moderator has to approve first.
    pub approved: bool,
}

impl NewUser {
    /// An ordinary user who may start at once, without address or password.
    pub fn named(username: &str) -> Self {
        Self {
            username: username.into(),
            email: None,
            password: None,
            role: Role::User,
            locale: "en".into(),
            reason: String::new(),
            confirmed: true,
            approved: true,
        }
    }
}

/// Creates a user and the account that others see.
///
/// [`Error::Invalid`] with the first of [`rules::check`]'s problems.
pub async fn create(db: &Db, site: &Site, new: NewUser) -> Result<(User, Account)> {
    let ready = prepare(db, new).await?;
    let tx = db.begin().await?;
    let made = insert(&tx, site, ready).await?;
    tx.commit().await?;
    Ok(made)
}

/// Checked, and its password hashed: ready to be written.
pub(super) struct Ready {
    new: NewUser,
    password_hash: String,
}

/// What has to be done before the transaction, because it takes time.
pub(super) async fn prepare(db: &Db, new: NewUser) -> Result<Ready> {
    if let Some(problem) = rules::check(&db.read().await?, &new).await?.into_iter().next() {
        return Err(problem.into());
    }
    let password_hash = match &new.password {
        Some(chosen) => password::hash(chosen).await?,
        None => String::new(),
    };
    Ok(Ready { new, password_hash })
}

pub(super) async fn insert(tx: &Tx, site: &Site, ready: Ready) -> Result<(User, Account)> {
    let Ready { new, password_hash } = ready;
    let account = Account { role: new.role, ..accounts::create(tx, site, &new.username).await? };
    let user = User {
        id: ids::next(),
        account_id: account.id,
        email: new.email.unwrap_or_default(),
        password_hash,
        role: new.role,
        locale: locale(&new.locale),
        reason: new.reason.replace('\0', ""),
        confirmed_at: new.confirmed.then_some(tx.now),
        approved: new.approved,
        disabled: false,
        default_visibility: Visibility::Public,
        default_sensitive: false,
        default_language: None,
        default_quote_policy: QuotePolicy::Public,
        expand_media: ExpandMedia::Default,
        expand_spoilers: false,
        autoplay_gifs: false,
        created_at: tx.now,
        last_active_at: None,
        default_content_type: ContentType::Plain,
    };
    if !store::insert(tx, &user).await? {
        return Err(Error::invalid("E-mail address", "has already been taken"));
    }
    if user.role != Role::User {
        accounts::store::update_role(tx, account.id, user.role).await?;
    }
    Ok((user, account))
}

/// A language's code as it came, or English for what is none.
pub(super) fn locale(code: &str) -> String {
    let ok = (2..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if ok { code.to_owned() } else { "en".into() }
}
