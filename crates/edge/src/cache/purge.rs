//! What was asked for before a certain moment and is not to be served any more.
//!
//! An object's files are found by its name and removed at once. For a prefix there is a mark, which is written down
//! before anybody is told that it is done, and holds until all files have been looked through.

use super::ObjectKey;
use super::disk::Disk;
use super::facts::millis;
use super::key::{KeyHash, joined};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::time::SystemTime;

/// Most marks that hold at once; whoever wants more has to wait until files have been looked through.
const MOST: usize = 1000;
/// No fetch takes longer than so many milliseconds.
const UNDER_WAY: u64 = 6 * 3_600_000;
const FILE: &str = "purges";

/// What to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purge {
    /// One object.
    Object(ObjectKey),
    /// Every object of the site whose path begins so; all of them with an empty path.
    Prefix { site: String, path: String },
}

/// Why a prefix could not be purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    #[error("no object has a name like that")]
    Name,
    #[error("{MOST} purges are being worked on already")]
    Busy,
    /// It holds now, but not after a restart.
    #[error("the purge cannot be written down: {0}")]
    Unwritten(#[from] io::Error),
}

#[derive(Default)]
pub(super) struct Purges {
    is_any: AtomicBool,
    marks: RwLock<Marks>,
    /// The latest moment that was given away.
    latest: AtomicU64,
    /// Counts purges that begin and that end.
    changes: AtomicU64,
}

#[derive(Clone, Default)]
struct Marks {
    /// Beginning of the text, and the moment.
    prefixes: Vec<(String, u64)>,
    /// For fetches that were under way when their object was purged; the oldest leave.
    objects: Vec<(KeyHash, u64)>,
}

impl Purges {
    /// With the marks that were written down.
    pub(super) fn load(disk: &Disk) -> Purges {
        let text = fs::read_to_string(disk.root().join(FILE)).unwrap_or_default();
        let line = |line: &str| {
            let (stamp, rest) = line.split_once('\t')?;
            let (site, path) = rest.split_once('\t')?;
            Some((joined(site, path)?, stamp.parse().ok()?))
        };
        let prefixes: Vec<(String, u64)> = text.lines().filter_map(line).collect();
        let latest = prefixes.iter().map(|(_, stamp)| *stamp).max().unwrap_or_default();
        Purges {
            is_any: AtomicBool::new(!prefixes.is_empty()),
            marks: RwLock::new(Marks { prefixes, objects: Vec::new() }),
            latest: AtomicU64::new(latest),
            changes: AtomicU64::new(0),
        }
    }

    /// If it is the same before something was looked for and after it was found good, no purge came in between.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Comes before what a purge does and says, and before its mark goes.
    fn change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The moment for what is asked for now. Never before a purge that was done, even if the clock is set back.
    pub(super) fn moment(&self) -> u64 {
        millis(SystemTime::now()).max(self.latest.load(Ordering::Acquire))
    }

    /// A moment after everything that was asked for until now.
    fn next_moment(&self) -> u64 {
        let now = millis(SystemTime::now());
        let next = |latest: u64| latest.max(now) + 1;
        let before = self.latest.fetch_update(Ordering::AcqRel, Ordering::Acquire, |latest| Some(next(latest)));
        before.map_or(now, next)
    }

    fn marks(&self) -> RwLockWriteGuard<'_, Marks> {
        self.marks.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what was asked for at that moment is not to be served any more.
    pub(super) fn covers(&self, text: &str, object: KeyHash, stamp: u64) -> bool {
        if !self.is_any.load(Ordering::Acquire) {
            return false;
        }
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let by_prefix = marks.prefixes.iter().any(|(prefix, moment)| stamp < *moment && text.starts_with(prefix));
        by_prefix || marks.objects.iter().any(|(purged, moment)| stamp < *moment && *purged == object)
    }

    pub(super) fn add_object(&self, object: KeyHash) {
        let moment = self.next_moment();
        let mut marks = self.marks();
        marks.objects.retain(|(purged, _)| *purged != object);
        if marks.objects.len() >= MOST {
            marks.objects.remove(0);
        }
        self.change();
        marks.objects.push((object, moment));
        self.is_any.store(true, Ordering::Release);
    }

    /// From here on the prefix is gone for those who ask.
    pub(super) fn add_prefix(&self, prefix: String) -> Result<u64, PurgeError> {
        let moment = self.next_moment();
        let mut marks = self.marks();
        marks.prefixes.retain(|(known, _)| *known != prefix);
        if marks.prefixes.len() >= MOST {
            return Err(PurgeError::Busy);
        }
        self.change();
        marks.prefixes.push((prefix, moment));
        self.is_any.store(true, Ordering::Release);
        Ok(moment)
    }

    /// Drops the marks of objects of which nothing can be under way any more.
    pub(super) fn forget_objects(&self) {
        let long_ago = millis(SystemTime::now()).saturating_sub(UNDER_WAY);
        let mut marks = self.marks();
        marks.objects.retain(|(_, moment)| *moment > long_ago);
        self.is_any.store(!marks.prefixes.is_empty() || !marks.objects.is_empty(), Ordering::Release);
    }

    /// All files have been looked through since that moment.
    pub(super) fn done(&self, moment: u64) {
        let mut marks = self.marks();
        self.change();
        marks.prefixes.retain(|(_, mark)| *mark > moment);
        self.is_any.store(!marks.prefixes.is_empty() || !marks.objects.is_empty(), Ordering::Release);
    }

    /// The last moment for which there is a mark of a prefix.
    pub(super) fn pending(&self) -> Option<u64> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.prefixes.iter().map(|(_, moment)| *moment).max()
    }

    /// Writes the marks of prefixes down, through to the disk.
    pub(super) fn save(&self, disk: &Disk) -> io::Result<()> {
        // Held meanwhile, so that a later state is never overwritten by an earlier one.
        let marks = self.marks();
        let path = disk.root().join(FILE);
        if marks.prefixes.is_empty() {
            return fs::remove_file(path).or_else(|failure| match failure.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(failure),
            });
        }
        let line = |(prefix, stamp): &(String, u64)| format!("{stamp}\t{}\n", prefix.replace('\n', "\t"));
        let text: String = marks.prefixes.iter().map(line).collect();
        fs::create_dir_all(disk.root())?;
        let temporary: PathBuf = disk.root().join(format!("{FILE}.{}", std::process::id()));
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(disk.root())?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_hold_for_what_was_before_them_and_survive() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path()).unwrap();
        let purges = Purges::load(&disk);
        let (a, b) = (ObjectKey::new("site", "/a/1").unwrap(), ObjectKey::new("site", "/b").unwrap());
        let covers = |purges: &Purges, key: &ObjectKey, stamp| purges.covers(key.text(), key.hash(), stamp);
        let before = purges.moment();
        assert!(!covers(&purges, &a, before));
        let moment = purges.add_prefix(joined("site", "/a/").unwrap()).unwrap();
        assert!(covers(&purges, &a, before) && !covers(&purges, &b, before));
        assert!(!covers(&purges, &a, purges.moment()));
        purges.save(&disk).unwrap();
        let later = Purges::load(&disk);
        assert!(covers(&later, &a, before) && !covers(&later, &a, later.moment()));
        assert_eq!(later.pending(), Some(moment));
        later.done(moment);
        later.save(&disk).unwrap();
        assert!(!covers(&later, &a, before) && !covers(&Purges::load(&disk), &a, before));
        later.add_object(b.hash());
        assert!(covers(&later, &b, before) && !covers(&later, &b, later.moment()) && !covers(&later, &a, before));
    }
}
