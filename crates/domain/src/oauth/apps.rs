//! Applications: programs that people let act for them. Anybody may register one.

use super::{Scope, Scopes, redirects, store};
use crate::{
    Error, Result, Time,
    db::{Conn, Db},
    ids::{self, AppId},
    row, secrets,
};
use url::Url;

const NAME_CHARACTERS: usize = 60;
const WEBSITE_CHARACTERS: usize = 2000;

row! {
    pub struct App {
        pub id: AppId,
        pub client_id: String,
        pub(super) secret_hash: String,
        pub name: String,
        pub website: Option<String>,
        /// One in each line
        pub(super) redirect_uris: String,
        pub(super) scopes: String,
        pub created_at: Time,
    }
}

impl App {
    pub fn redirect_uris(&self) -> impl Iterator<Item = &str> {
        self.redirect_uris.lines()
    }
    /// What the application may ask people for.
    pub fn scopes(&self) -> Scopes {
        Scopes::stored(&self.scopes)
    }
}

/// An application about to be registered.
#[derive(Clone, Debug, Default)]
pub struct NewApp {
    pub name: String,
    pub redirect_uris: Vec<String>,
    /// Separated by spaces; empty: `read`.
    pub scopes: String,
    pub website: Option<String>,
}

/// Registers an application. Gives it and its secret, which nobody can ask for again.
///
/// [`Error::Invalid`] with Mastodon's sentences.
pub async fn create(db: &Db, new: NewApp) -> Result<(App, String)> {
    let name: String = new.name.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::invalid("Name", "can't be blank"));
    }
    if name.chars().count() > NAME_CHARACTERS {
        return Err(Error::invalid("Name", format!("is too long (maximum is {NAME_CHARACTERS} characters)")));
    }
    redirects::check(&new.redirect_uris)?;
    let scopes: Scopes =
        new.scopes.parse().map_err(|_| Error::invalid("Scopes", "doesn't match configured on the server."))?;
    let scopes = if scopes.is_empty() { Scopes::of(&[Scope::Read]) } else { scopes };
    let website = new.website.filter(|text| !text.trim().is_empty()).map(|text| checked_website(&text)).transpose()?;
    let secret = secrets::token()?;
    let tx = db.begin().await?;
    let app = App {
        id: ids::next(),
        client_id: secrets::token()?,
        secret_hash: secrets::hash(&secret),
        name: name.to_owned(),
        website,
        redirect_uris: new.redirect_uris.join("\n"),
        scopes: scopes.to_string(),
        created_at: tx.now,
    };
    store::insert_app(&tx, &app).await?;
    tx.commit().await?;
    Ok((app, secret))
}

fn checked_website(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > WEBSITE_CHARACTERS {
        return Err(Error::invalid("Website", format!("is too long (maximum is {WEBSITE_CHARACTERS} characters)")));
    }
    match Url::parse(text) {
        Ok(_) if text.contains(char::is_control) => Err(Error::invalid("Website", "must be a valid URL")),
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(text.to_owned()),
        _ => Err(Error::invalid("Website", "must be a valid URL")),
    }
}

/// The application that has these credentials; None when there is none, which is all that is told.
pub async fn authenticate(conn: &Conn, client_id: &str, secret: &str) -> Result<Option<App>> {
    let app = store::app_by_client_id(conn, client_id).await?;
    Ok(app.filter(|app| secrets::same(&app.secret_hash, &secrets::hash(secret))))
}

pub async fn by_id(conn: &Conn, id: AppId) -> Result<App> {
    store::app_by_id(conn, id).await?.ok_or(Error::NotFound)
}

/// Name and website of each of the applications, for showing what a status was posted with.
pub async fn names(conn: &Conn, ids: &[AppId]) -> Result<Vec<(AppId, String, Option<String>)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    store::names(conn, ids).await
}
