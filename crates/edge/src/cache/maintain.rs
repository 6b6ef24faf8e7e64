//! What goes on beside the requests: looking through the files, removing what is too old.

use super::disk::Missing;
use super::facts::{Facts, millis};
use super::key::SliceId;
use super::shared::{Shared, now};
use std::fs::{self, DirEntry};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(30);
/// Rounds between two cleanings of what crashes have left: an hour.
const CLEANING: u32 = 120;
/// Rounds until all files are looked through again, for those that another process has left: a day.
const LOOKING: u32 = 2880;
const FOLDERS: u32 = 256;

/// Begins to look through what is there, and goes the rounds as long as the cache lives.
pub(super) fn start(shared: &Arc<Shared>) {
    look_through(shared);
    let (weak, round) = (Arc::downgrade(shared), ROUND.min(shared.config.inactive / 4).max(Duration::from_millis(50)));
    tokio::spawn(async move {
        let mut rounds = 0_u32;
        loop {
            tokio::time::sleep(round).await;
            let Some(shared) = weak.upgrade() else { return };
            rounds = rounds.wrapping_add(1);
            let cleans = rounds.is_multiple_of(CLEANING);
            if rounds.is_multiple_of(LOOKING) {
                look_through(&shared);
            }
            let _ = tokio::task::spawn_blocking(move || go_round(&shared, cleans)).await;
        }
    });
}

fn go_round(shared: &Shared, cleans: bool) {
    let inactive = u64::try_from(shared.config.inactive.as_millis()).unwrap_or(u64::MAX);
    let old = shared.index.expire(now().saturating_sub(inactive));
    shared.counts.expired.add(old.len() as u64);
    old.into_iter().for_each(|id| shared.remove_now(id));
    let lacking = shared.disk.free().map_or(0, |free| shared.config.min_free.saturating_sub(free));
    if lacking > 0 {
        shared.evict(shared.index.evict(lacking, None));
    }
    if cleans {
        shared.purges.forget_objects();
        shared.disk.clean();
    }
}

/// Looks through all files, on a thread of its own; if that is going on already, once more after that.
pub(super) fn look_through(shared: &Arc<Shared>) {
    shared.look_wanted.store(true, Ordering::Release);
    if shared.is_looking.swap(true, Ordering::AcqRel) {
        return;
    }
    let weak = Arc::downgrade(shared);
    drop(tokio::task::spawn_blocking(move || {
        while let Some(shared) = weak.upgrade() {
            if !shared.look_wanted.swap(false, Ordering::AcqRel) {
                shared.is_looking.store(false, Ordering::Release);
                // Somebody may have wanted it in between.
                if !shared.look_wanted.load(Ordering::Acquire) || shared.is_looking.swap(true, Ordering::AcqRel) {
                    return;
                }
                continue;
            }
            shared.disk.clean();
            drop(shared);
            look(&weak);
        }
    }));
}

/// Stops in the middle when the cache is gone.
fn look(weak: &Weak<Shared>) {
    let Some(pending) = weak.upgrade().map(|shared| shared.purges.pending()) else { return };
    for folder in 0..FOLDERS {
        let Some(shared) = weak.upgrade() else { return };
        let path = shared.disk.root().join(format!("{folder:02x}"));
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            look_at(&shared, &entry, pending.is_some());
        }
    }
    let (Some(shared), Some(moment)) = (weak.upgrade(), pending) else { return };
    shared.purges.done(moment);
    if let Err(failure) = shared.purges.save(&shared.disk) {
        shared.complain("the list of purges cannot be written", &failure);
    }
}

fn look_at(shared: &Shared, entry: &DirEntry, purging: bool) {
    let Ok(meta) = entry.metadata() else { return };
    if !meta.is_file() {
        return;
    }
    let Some(id) = entry.file_name().to_str().and_then(SliceId::parse) else {
        tracing::warn!(file = %entry.path().display(), "a file that is not ours is removed from the cache");
        shared.counts.damaged.one();
        let _ = fs::remove_file(entry.path());
        return;
    };
    if purging && is_purged(shared, id, shared.disk.read_facts(id)) {
        // Once more, with its name held: another may have taken its place.
        shared.remove_if(id, |found| is_purged(shared, id, found));
        return;
    }
    let used = meta.modified().map_or(0, millis);
    shared.evict(shared.index.found(id, meta.len(), used));
}

fn is_purged(shared: &Shared, id: SliceId, found: Result<(String, Facts), Missing>) -> bool {
    match found {
        Ok((text, facts)) => shared.purges.covers(&text, id.object, facts.stamp),
        Err(Missing::Damaged) => true,
        Err(_) => false,
    }
}
