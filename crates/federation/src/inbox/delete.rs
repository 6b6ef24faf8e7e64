//! Delete: a post, an account, or the consent to be quoted is gone.

use super::look_again;
use crate::documents::{Activity, same_origin};
use crate::{Federation, resolve};
use domain::accounts::{Account, remote as accounts};
use domain::statuses::{quotes, remote};
use domain::{Error, Result};
use serde_json::Value;

/// `whole`: as it came, for those who have to hear of it in the words of who said it.
pub(super) async fn apply(
    federation: &Federation,
    from: &Account,
    (activity, whole): (&Activity, Option<&Value>),
) -> Result<()> {
    let uri = activity.object_id().ok_or(Error::NotFound)?;
    if uri == from.uri {
        federation.known.forget(from.id);
        return accounts::delete(&federation.db, from.id).await;
    }
    if !same_origin(uri, &from.uri) {
        return Err(Error::forbidden("It is not theirs to delete"));
    }
    let words = whole.map(Value::to_string);
    if quotes::remote::revoked(&federation.db, from.id, (uri, words.as_deref())).await? {
        return Ok(());
    }
    let conn = federation.db.read().await?;
    let status = remote::by_uri(&conn, uri).await?;
    let another = match &status {
        None => accounts::by_uri(&conn, uri).await?,
        Some(_) => None,
    };
    drop(conn);
    match (status, another) {
        // By somebody else there: perhaps a moderator, or another member of the group. Their server has the last word.
        (Some(status), _) if status.account_id != from.id => resolve::status::confirm_gone(federation, uri).await,
        (_, Some(_)) => look_again(federation, uri).await,
        _ => remote::delete(&federation.db, from.id, uri).await,
    }
}
