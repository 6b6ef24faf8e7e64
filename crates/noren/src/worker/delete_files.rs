//! Removes files that no row names any more, and what the cache has of them. A file that is gone already is fine.

use crate::remote::Remote;
use crate::server::Parts;
use domain::{Result, jobs::Outcome};

pub(super) async fn run((parts, remote): (&Parts, &Remote), keys: &[String]) -> Result<Outcome> {
    let mut failed = None;
    for key in keys {
        let Ok(key) = media::Key::parse(key) else {
            tracing::warn!(key, "not a name of a stored file: left alone");
            continue;
        };
        if let Err(error) = parts.store.delete(&key).await {
            failed = Some(format!("{key}: {error}"));
        }
        remote.purge(key.as_str()).await;
    }
    Ok(failed.map_or(Outcome::Done, Outcome::Retry))
}
