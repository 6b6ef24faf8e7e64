//! The folder for temporary files beside a store.

use crate::{Error, Result};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What is older has been left behind by a crash.
const AGE: Duration = Duration::from_secs(24 * 3600);

/// Makes the folder if need be, and removes what a crash left in it.
pub(super) fn prepare(spool: &Path) -> Result<()> {
    fs::create_dir_all(spool).map_err(Error::Storage)?;
    remove_leftovers(spool);
    Ok(())
}

fn remove_leftovers(spool: &Path) {
    let Ok(entries) = fs::read_dir(spool) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let age = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_some_and(|age| age > AGE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
