//! What somebody elsewhere has pinned to their profile.

use super::{Budget, failed, status};
use crate::Federation;
use crate::documents::{Collection, Object, same_origin};
use domain::accounts::{self, remote as accounts_elsewhere};
use domain::ids::AccountId;
use domain::statuses::remote;
use domain::{Error, Result};
use url::Url;

/// Pinned posts that are looked at.
const PINS: usize = 10;

/// Fetches the list and the posts on it that are not known. What cannot be had is left out.
pub async fn fetch(federation: &Federation, id: AccountId) -> Result<()> {
    let conn = federation.db.read().await?;
    let account = accounts::store::by_id(&conn, id).await?.filter(|a| !a.is_local()).ok_or(Error::NotFound)?;
    let actor = accounts_elsewhere::store::actor(&conn, id).await?.ok_or(Error::NotFound)?;
    drop(conn);
    let Some(featured) = actor.featured.filter(|uri| same_origin(uri, &account.uri)) else { return Ok(()) };
    let url = Url::parse(&featured).map_err(|_| Error::NotFound)?;
    let signer = federation.site_signer().await?;
    let fetched = match federation.fetcher.document(&url, Some(&signer)).await {
        Ok(fetched) => fetched,
        // A list that cannot be had now is asked for when the account is next met.
        Err(error) => {
            let error = failed(&url, error);
            tracing::debug!(%url, %error, "no list of pinned posts");
            return Ok(());
        }
    };
    let Ok(list) = Collection::read(&fetched.value) else { return Ok(()) };
    // Oldest pin first, so that the order comes out as theirs.
    for uri in list.items.iter().filter_map(Object::id).take(PINS).collect::<Vec<_>>().into_iter().rev() {
        let Ok(status) = status::by_uri(federation, uri, Budget::SENT).await else { continue };
        if status.account_id == id {
            remote::pin(&federation.db, &status, true).await?;
        }
    }
    Ok(())
}
