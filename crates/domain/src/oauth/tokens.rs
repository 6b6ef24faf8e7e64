//! Tokens: who holds one acts as its application, and as its person if it has one.

use super::{App, Refusal, Scopes, store};
use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx},
    events::Event,
    ids::{self, AccountId, AppId, TokenId, UserId},
    row, secrets,
    users::{self, Login},
};

/// Tokens of one person that are listed.
const LISTED: i64 = 200;

/// A new token. The text is nowhere else.
#[derive(Clone, Debug)]
pub struct Issued {
    pub id: TokenId,
    pub token: String,
    pub scopes: Scopes,
    pub created_at: Time,
}

/// What a token allows, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub token: TokenId,
    /// None: made on the command line.
    pub app: Option<AppId>,
    /// None: the application itself.
    pub person: Option<Person>,
    pub scopes: Scopes,
}

/// Whom a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub user: UserId,
    pub account: AccountId,
    pub login: Login,
    /// They use another account now.
    pub moved: bool,
    /// When they were here last, to the day.
    pub last_active_at: Option<Time>,
}

row! {
    pub(super) struct TokenRow {
        pub(super) id: TokenId,
        pub(super) app_id: Option<AppId>,
        pub(super) scopes: String,
        pub(super) user_id: Option<UserId>,
        pub(super) account_id: Option<AccountId>,
        pub(super) approved: Option<bool>,
        pub(super) disabled: Option<bool>,
        pub(super) confirmed_at: Option<Time>,
        pub(super) last_active_at: Option<Time>,
        pub(super) suspended_at: Option<Time>,
        pub(super) moved_to_id: Option<AccountId>,
    }
}

/// What a token allows; None for a token that is not there (any more). One query.
pub async fn authenticate(conn: &Conn, token: &str) -> Result<Option<Grant>> {
    let row = store::token_by_hash(conn, &secrets::hash(token)).await?;
    Ok(row.map(|row| Grant {
        token: row.id,
        app: row.app_id,
        scopes: Scopes::stored(&row.scopes),
        person: row.person(),
    }))
}

impl TokenRow {
    fn person(&self) -> Option<Person> {
        let disabled = self.disabled.unwrap_or(true) || self.suspended_at.is_some();
        let login = Login::of(disabled, self.confirmed_at.is_some(), self.approved.unwrap_or(false));
        let (user, account) = (self.user_id?, self.account_id?);
        Some(Person { user, account, login, moved: self.moved_to_id.is_some(), last_active_at: self.last_active_at })
    }
}

/// A token for a person without an application, as the command line makes it.
pub async fn create(db: &Db, user: UserId, scopes: Scopes) -> Result<Issued> {
    let tx = db.begin().await?;
    users::store::by_id(&tx, user).await?.ok_or(Error::NotFound)?;
    let issued = insert(&tx, (None, Some(user)), scopes).await?;
    tx.commit().await?;
    Ok(issued)
}

/// A token for a person who has just signed up through `app`.
pub async fn create_for_app(db: &Db, (app, user): (AppId, UserId), scopes: Scopes) -> Result<Issued> {
    let tx = db.begin().await?;
    let issued = insert(&tx, (Some(app), Some(user)), scopes).await?;
    tx.commit().await?;
    Ok(issued)
}

/// A token for the application itself. `scope` as the client wrote it.
pub async fn client_credentials(db: &Db, app: &App, scope: &str) -> Result<Issued, Refusal> {
    let scopes = Scopes::asked(scope, app.scopes()).ok_or(Refusal::Scope)?;
    let tx = db.begin().await?;
    let issued = insert(&tx, (Some(app.id), None), scopes).await?;
    store::mark_used(&tx, app.id).await?;
    tx.commit().await?;
    Ok(issued)
}

pub(super) async fn insert(tx: &Tx, owner: (Option<AppId>, Option<UserId>), scopes: Scopes) -> Result<Issued> {
    let issued = Issued { id: ids::next(), token: secrets::token()?, scopes, created_at: tx.now };
    store::insert_token(tx, &issued, owner).await?;
    Ok(issued)
}

/// Revokes a token of `app`; streams that were opened with it close. An unknown token is fine: it is revoked already.
pub async fn revoke(db: &Db, app: &App, token: &str) -> Result<(), Refusal> {
    let mut tx = db.begin().await?;
    let Some(row) = store::token_by_hash(&tx, &secrets::hash(token)).await? else { return Ok(()) };
    if row.app_id != Some(app.id) {
        return Err(Refusal::Foreign);
    }
    store::delete_token(&tx, row.id).await?;
    tx.publish(Event::TokenRevoked { token: row.id });
    Ok(tx.commit().await?)
}

row! {
    /// A token that somebody gave out, for them to see.
    pub struct Authorised {
        pub token: TokenId,
        /// None: made on the command line.
        pub app: Option<AppId>,
        pub name: Option<String>,
        pub website: Option<String>,
        pub(super) scopes: String,
        pub created_at: Time,
    }
}

impl Authorised {
    pub(super) const FROM_BOTH: &'static str = "t.id, t.app_id, a.name, a.website, t.scopes, t.created_at";

    pub fn scopes(&self) -> Scopes {
        Scopes::stored(&self.scopes)
    }
}

/// The tokens that somebody gave out, newest first.
pub async fn list(conn: &Conn, user: UserId) -> Result<Vec<Authorised>> {
    store::authorised(conn, user, LISTED).await
}

/// Takes back a token that one gave out, and with it all that the same application has; streams close.
/// [`Error::NotFound`] when there is none.
pub async fn take_back(db: &Db, user: UserId, token: TokenId) -> Result<()> {
    let mut tx = db.begin().await?;
    let gone = store::delete_with_siblings(&tx, user, token).await?;
    if gone.is_empty() {
        return Err(Error::NotFound);
    }
    for token in gone {
        tx.publish(Event::TokenRevoked { token });
    }
    tx.commit().await
}
