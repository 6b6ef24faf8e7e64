//! Delete: a post, an account, or the consent to be quoted is gone.

use crate::Federation;
use crate::documents::{Activity, same_origin};
use domain::accounts::{Account, remote as accounts};
use domain::statuses::{quotes, remote};
use domain::{Error, Result};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let uri = activity.object_id().ok_or(Error::NotFound)?;
    if uri == from.uri {
        federation.known.forget(from.id);
        return accounts::delete(&federation.db, from.id).await;
    }
    if !same_origin(uri, &from.uri) {
        return Err(Error::forbidden("It is not theirs to delete"));
    }
    if quotes::remote::revoked(&federation.db, from.id, uri).await? {
        return Ok(());
    }
    remote::delete(&federation.db, from.id, uri).await
}
