//! One server at a time on an embedded database: a second one would release the first one's jobs and fight for the writer.

use anyhow::{Context as _, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Held as long as the server runs; the system takes it back however the process ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code)] File);

/// How often a lock is tried that is about to be let go of.
const PAUSE: Duration = Duration::from_millis(20);

impl Lock {
    /// Takes the lock as soon as the server that we replace has let go of it.
    pub async fn wait(data: &Path, patience: Duration) -> anyhow::Result<Self> {
        let deadline = Instant::now() + patience;
        loop {
            match Self::take(data) {
                Err(_) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                other => return other,
            }
        }
    }

    /// Takes the lock of the data folder, or says who holds it.
    pub fn take(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("noren.lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = (&file).take(32).read_to_string(&mut holder);
                let who = holder.trim().parse::<u32>().map_or_else(|_| String::new(), |id| format!(" (process {id})"));
                bail!(
                    "another server{who} is running on {}: stop it first, or choose another folder with --data",
                    data.display()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // Only for the message above; the lock holds without it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let text = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
