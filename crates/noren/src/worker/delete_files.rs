//! Removes files that no row names any more. A file that is gone already is fine.

use crate::server::Parts;
use domain::{Result, jobs::Outcome};

pub(super) async fn run(parts: &Parts, keys: &[String]) -> Result<Outcome> {
    let mut failed = None;
    for key in keys {
        let Ok(key) = media::Key::parse(key) else {
            tracing::warn!(key, "not a name of a stored file: left alone");
            continue;
        };
        if let Err(error) = parts.store.delete(&key).await {
            failed = Some(format!("{key}: {error}"));
        }
    }
    Ok(failed.map_or(Outcome::Done, Outcome::Retry))
}
