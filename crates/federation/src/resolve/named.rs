//! Those whom somebody here names in what they write, and nobody here has met.

use super::account;
use crate::Federation;
use domain::{Result, statuses};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::timeout;

/// Asked for because of one text.
const STRANGERS: usize = 10;
/// Whoever writes waits for other servers no longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who cannot be had is not asked for again so soon.
const ABSENT: Duration = Duration::from_secs(60);

/// Asks for them before the text is written down, so that they are named in it and told. Who cannot be had in time stays
/// a word.
pub async fn meet(federation: &Federation, text: &str) -> Result<()> {
    let strangers = statuses::strangers(&federation.db.read().await?, &federation.site, text).await?;
    let wanted = strangers.iter().filter(|handle| !federation.missing.has(handle)).take(STRANGERS);
    join_all(wanted.map(|handle| ask(federation, handle))).await;
    Ok(())
}

async fn ask(federation: &Federation, handle: &str) {
    match timeout(PATIENCE, account::by_handle(federation, handle)).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => tracing::debug!(handle, %error, "who is named cannot be had"),
        Err(_) => tracing::debug!(handle, "who is named cannot be had in time"),
    }
    federation.missing.begin(handle, ABSENT);
}
