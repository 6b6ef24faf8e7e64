//! The first start: while there is nobody, whoever holds the link that the program printed becomes the owner.

use super::{NewUser, Role, User, create, store};
use crate::{
    Error, Result,
    accounts::Account,
    db::{Conn, Db},
    secrets,
    settings::store as settings,
    site::Site,
};

/// What the link to the first start has to carry, made when it is asked for the first time; None once somebody is here.
pub async fn token(db: &Db) -> Result<Option<String>> {
    let conn = db.read().await?;
    if store::any(&conn).await? {
        return Ok(None);
    }
    if let Some(token) = settings::by_key(&conn, settings::SETUP_TOKEN).await? {
        return Ok(Some(token));
    }
    drop(conn);
    let tx = db.begin().await?;
    settings::put_new(&tx, settings::SETUP_TOKEN, &secrets::token()?).await?;
    let token = settings::by_key(&tx, settings::SETUP_TOKEN).await?;
    tx.commit().await?;
    Ok(token)
}

/// Whether nobody is here yet.
pub async fn is_due(conn: &Conn) -> Result<bool> {
    Ok(!store::any(conn).await?)
}

/// Whether `token` is the one of the link, and nobody is here yet.
pub async fn is_open(conn: &Conn, token: &str) -> Result<bool> {
    let wanted = settings::by_key(conn, settings::SETUP_TOKEN).await?;
    let fits = wanted.is_some_and(|wanted| !wanted.is_empty() && secrets::same(&wanted, token));
    Ok(fits && is_due(conn).await?)
}

/// Creates the first user, who owns the site, whatever role `new` names. The link of the first start is used up.
///
/// [`Error::Conflict`] when somebody is here already: of two who try at the same time one becomes the owner.
pub async fn create_owner(db: &Db, site: &Site, new: NewUser) -> Result<(User, Account)> {
    let new = NewUser { role: Role::Owner, confirmed: true, approved: true, ..new };
    if !is_due(&db.read().await?).await? {
        return Err(already());
    }
    let ready = create::prepare(db, new).await?;
    let tx = db.begin().await?;
    // Holds off others who do the same, on both engines, before the look that decides.
    settings::put_new(&tx, settings::SETUP_TOKEN, "").await?;
    if store::any(&tx).await? {
        return Err(already());
    }
    let made = create::insert(&tx, site, ready).await?;
    settings::delete(&tx, settings::SETUP_TOKEN).await?;
    tx.commit().await?;
    Ok(made)
}

fn already() -> Error {
    Error::Conflict("The site has an owner already".into())
}
