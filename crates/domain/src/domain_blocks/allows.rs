//! Servers that are allowed where federation is limited to some.

use super::{name, store};
use crate::{
    Error, Result, Time,
    db::{Conn, Db},
    ids::{self, DomainAllowId},
    row,
};

row! {
    /// A server that is allowed, and all below its name.
    pub struct DomainAllow {
        pub id: DomainAllowId,
        pub domain: String,
        pub created_at: Time,
    }
}

/// Allows a server; once is enough. [`Error::Invalid`] for what is no name of one.
pub async fn allow(db: &Db, domain: &str) -> Result<DomainAllow> {
    let Some(domain) = name::normal(domain) else {
        return Err(Error::invalid("Domain", "is not the name of a server"));
    };
    let tx = db.begin().await?;
    let allow = DomainAllow { id: ids::next(), domain, created_at: tx.now };
    store::insert_allow(&tx, &allow).await?;
    store::touch(&tx).await?;
    tx.commit().await?;
    Ok(allow)
}

/// Ends [`allow`]. [`Error::NotFound`] when it was not allowed.
pub async fn disallow(db: &Db, domain: &str) -> Result<()> {
    let domain = name::normal(domain).ok_or(Error::NotFound)?;
    let tx = db.begin().await?;
    if !store::delete_allow(&tx, &domain).await? {
        return Err(Error::NotFound);
    }
    store::touch(&tx).await?;
    tx.commit().await
}

/// All of them, by domain.
pub async fn list(conn: &Conn) -> Result<Vec<DomainAllow>> {
    store::list_allows(conn).await
}
