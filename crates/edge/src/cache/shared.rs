//! What all parts of the cache share, and how a slice is looked up.

use super::absent::Absences;
use super::disk::{Disk, Found, Missing, OpenSlice};
use super::facts::{Facts, Version, millis};
use super::flights::Flights;
use super::index::Index;
use super::key::SliceId;
use super::memory::{Hot, Memory};
use super::pages::Patience;
use super::purge::{PurgeError, Purges};
use super::renewals::Renewals;
use super::stats::{Counts, Stats};
use super::upstream::Failure;
use super::{CacheConfig, ObjectKey};
use bytes::Bytes;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// Fetches that wait for their turn; one more is told to come again.
const QUEUE: usize = 4096;
/// Between two complaints about the disk.
const QUIET: u64 = 60_000;
/// Of so many hot slices for which there is no room in memory, one is taken in.
const EXCHANGED: u64 = 16;
/// Looks at a file while purges come and go, before it is fetched anew.
const LOOKS: u32 = 4;

pub(super) struct Shared {
    pub(super) config: CacheConfig,
    pub(super) disk: Disk,
    pub(super) index: Index,
    pub(super) memory: Memory,
    pub(super) absences: Absences,
    pub(super) renewals: Renewals,
    pub(super) flights: Arc<Flights>,
    pub(super) purges: Purges,
    pub(super) counts: Counts,
    /// Until when writing is not tried, because it failed.
    pub(super) pause: AtomicU64,
    /// Whether the files are being looked through, and are to be once more.
    pub(super) is_looking: AtomicBool,
    pub(super) look_wanted: AtomicBool,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    complained: AtomicU64,
    exchanges: AtomicU64,
    /// Slices that are being read into memory: once each, however many read them.
    promoting: Mutex<HashSet<SliceId>>,
}

/// A slice that is here.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) facts: Arc<Facts>,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    Open(Arc<OpenSlice>),
}

pub(super) fn now() -> u64 {
    millis(SystemTime::now())
}

impl Shared {
    pub(super) fn new(config: CacheConfig) -> io::Result<Shared> {
        let disk = Disk::new(&config.path)?;
        Ok(Shared {
            index: Index::new(config.max_size),
            memory: Memory::new(config.memory, config.slice_size),
            absences: Absences::new(),
            renewals: Renewals::new(),
            flights: Arc::default(),
            purges: Purges::load(&disk),
            counts: Counts::default(),
            pause: AtomicU64::new(0),
            is_looking: AtomicBool::new(false),
            look_wanted: AtomicBool::new(false),
            turns: Arc::new(Semaphore::new(config.fills)),
            waiting: AtomicUsize::new(0),
            complained: AtomicU64::new(0),
            exchanges: AtomicU64::new(0),
            promoting: Mutex::default(),
            disk,
            config,
        })
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            files: self.index.len() as u64,
            disk_bytes: self.index.weight(),
            memory_bytes: self.memory.weight(),
            fills_now: self.flights.len() as u64,
            ..self.counts.read()
        }
    }

    /// The number of the slice that has this byte, and where that slice begins.
    pub(super) fn slice_at(&self, place: u64) -> u32 {
        u32::try_from(place / self.config.slice_size).unwrap_or(u32::MAX)
    }

    /// What is in memory, or in the page cache. `Later`: somewhere else, [`Shared::look`] knows.
    pub(super) fn look_now(&self, key: &ObjectKey, number: u32) -> Result<Stored, Missing> {
        let id = key.slice(number);
        // What was on its way when it was purged may still have come into memory.
        let is_good = |hot: &Arc<Hot>| *hot.text == *key.text() && !self.is_purged(key, &hot.facts);
        if let Some(hot) = self.memory.find(id).filter(is_good) {
            let now = now();
            if hot.is_news(now) {
                self.used(id, now);
            }
            return Ok(Stored { facts: hot.facts.clone(), content: Content::Bytes(hot.payload.clone()) });
        }
        self.open(key, number, Patience::Now)
    }

    /// The slice on the disk. A purge that begins or ends meanwhile has it looked up again: the file may have been
    /// opened before it was removed, and be judged after its mark had gone.
    fn open(&self, key: &ObjectKey, number: u32, patience: Patience) -> Result<Stored, Missing> {
        for _ in 0..LOOKS {
            let changes = self.purges.changes();
            let found = self.open_once(key, number, patience);
            if self.purges.changes() == changes {
                return found;
            }
            self.memory.remove(key.slice(number));
        }
        Err(Missing::Absent)
    }

    /// The slice, if there is a whole one that may be served.
    pub(super) async fn look(self: &Arc<Shared>, key: &ObjectKey, number: u32) -> Option<Stored> {
        let found = match self.look_now(key, number) {
            Err(Missing::Later) => {
                let (shared, key) = (self.clone(), key.clone());
                let opening = move || shared.open(&key, number, Patience::Wait);
                tokio::task::spawn_blocking(opening).await.unwrap_or(Err(Missing::Absent))
            }
            found => found,
        };
        match found {
            Ok(stored) => Some(stored),
            Err(Missing::Damaged) => {
                self.damaged(key.slice(number)).await;
                None
            }
            Err(Missing::Failed(failure)) => {
                self.complain("a cached file cannot be opened", &failure);
                None
            }
            Err(Missing::Absent | Missing::Later) => None,
        }
    }

    fn open_once(&self, key: &ObjectKey, number: u32, patience: Patience) -> Result<Stored, Missing> {
        let id = key.slice(number);
        let mut found = self.disk.open(key, number, patience)?;
        let (Found::Whole(facts, _) | Found::Open(facts, _)) = &mut found;
        if !facts.fits(self.config.slice_size) || self.is_purged(key, facts) {
            // Whoever fetches it now replaces it.
            return Err(Missing::Absent);
        }
        self.renewals.apply(id, facts);
        let now = now();
        if !self.used(id, now) {
            self.index.found(id, facts.len(), now).into_iter().for_each(|id| self.evict_later(id));
        }
        Ok(match found {
            Found::Whole(facts, payload) => {
                let facts = Arc::new(facts);
                self.remember(key, &facts, payload.clone(), now);
                Stored { facts, content: Content::Bytes(payload) }
            }
            Found::Open(facts, open) => Stored { facts: Arc::new(facts), content: Content::Open(Arc::new(open)) },
        })
    }

    fn is_purged(&self, key: &ObjectKey, facts: &Facts) -> bool {
        self.purges.covers(key.text(), key.hash(), facts.stamp)
    }

    /// Keeps a slice in memory for a while, if there is room for its like.
    pub(super) fn remember(&self, key: &ObjectKey, facts: &Arc<Facts>, payload: Bytes, told: u64) {
        self.memory.insert(facts.id(key), Arc::new(Hot::new(key, facts, (payload, told))));
    }

    /// Whether a slice of this length should be in memory: it is used often, and there is room. Without room only one
    /// in some is exchanged for another, lest more is read than sent where there is more hot than fits.
    pub(super) fn is_hot(&self, id: SliceId, length: u64) -> bool {
        let is_drawn = || self.exchanges.fetch_add(1, Ordering::Relaxed).is_multiple_of(EXCHANGED);
        self.memory.takes(length) && self.index.is_hot(id) && (self.memory.has_room(id, length) || is_drawn())
    }

    /// Reads a slice into memory, on a thread that may wait. What has been removed since it was opened does not stay
    /// there. `None` while somebody else does the same: who reads it meanwhile does without a copy of his own.
    pub(super) fn promote(&self, key: &ObjectKey, stored: &Stored, open: &OpenSlice) -> Option<Bytes> {
        let id = stored.facts.id(key);
        if !self.promoting().insert(id) {
            return None;
        }
        let bytes = self.promote_alone(key, stored, open);
        self.promoting().remove(&id);
        bytes
    }

    fn promote_alone(&self, key: &ObjectKey, stored: &Stored, open: &OpenSlice) -> Option<Bytes> {
        let (id, changes) = (stored.facts.id(key), self.purges.changes());
        if let Some(hot) = self.memory.find(id).filter(|hot| hot.facts.version == stored.facts.version) {
            return Some(hot.payload.clone());
        }
        let bytes = Bytes::from(open.read_all().ok()?);
        if self.disk.is_same(id, open) {
            let hot = Hot::new(key, &stored.facts, (bytes.clone(), now()));
            self.memory.insert_proved(id, Arc::new(hot));
        }
        if self.purges.changes() != changes {
            self.memory.remove(id);
        }
        Some(bytes)
    }

    fn promoting(&self) -> MutexGuard<'_, HashSet<SliceId>> {
        self.promoting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody reads this slice into memory just now.
    pub(super) fn is_promoting(&self, id: SliceId) -> bool {
        self.promoting().contains(&id)
    }

    /// Counts a use of a file; whether it is known.
    fn used(&self, id: SliceId, now: u64) -> bool {
        let Some(used) = self.index.used(id, now) else { return false };
        if used.touch {
            // Rare: once an hour for a file. Setting a time does not wait for the disk.
            self.disk.touch(id);
        }
        true
    }

    /// Removes a file that is not what it should be.
    pub(super) async fn damaged(self: &Arc<Shared>, id: SliceId) {
        self.counts.damaged.one();
        tracing::warn!(file = %id.file_name(), "a damaged file is removed from the cache");
        self.remove(vec![id]).await;
    }

    /// Removes files, and what memory has of them.
    pub(super) async fn remove(self: &Arc<Shared>, ids: Vec<SliceId>) {
        let shared = self.clone();
        let removing = move || ids.into_iter().for_each(|id| shared.remove_now(id));
        let _ = tokio::task::spawn_blocking(removing).await;
    }

    /// As [`Shared::remove`], on a thread that may wait.
    pub(super) fn remove_now(&self, id: SliceId) {
        self.index.remove(id);
        self.memory.remove(id);
        self.unlink(id);
    }

    /// As [`Shared::remove_now`], if that is wanted of the file that is there now: one that takes its place stays.
    pub(super) fn remove_if(&self, id: SliceId, goes: impl FnOnce(Result<(String, Facts), Missing>) -> bool) {
        let goes = |found: Result<_, Missing>| {
            let is_damaged = matches!(found, Err(Missing::Damaged));
            let goes = goes(found);
            if goes {
                self.counts.damaged.add(is_damaged.into());
                self.index.remove(id);
                self.memory.remove(id);
            }
            goes
        };
        if let Err(failure) = self.disk.remove_if(id, goes) {
            self.complain("a cached file cannot be removed", &failure);
        }
    }

    /// Removes what was asked for at that moment or before.
    pub(super) fn remove_until(&self, id: SliceId, stamp: u64) {
        self.remove_if(id, |found| found.is_ok_and(|(_, facts)| facts.stamp <= stamp));
    }

    /// Removes the file of what has left the index.
    pub(super) fn unlink(&self, id: SliceId) {
        if let Err(failure) = self.disk.remove(id) {
            self.complain("a cached file cannot be removed", &failure);
        }
    }

    /// For the rare case that a look at a file makes another leave.
    fn evict_later(&self, id: SliceId) {
        self.counts.evictions.one();
        self.unlink(id);
    }

    /// Removes the slices of an object that are of another, earlier version than these facts.
    /// It happens whether or not it is waited for.
    pub(super) fn drop_older(self: &Arc<Shared>, key: &ObjectKey, newest: &Arc<Facts>) -> JoinHandle<()> {
        let (shared, key, newest) = (self.clone(), key.clone(), newest.clone());
        tokio::task::spawn_blocking(move || {
            let is_older = |facts: &Facts| facts.version != newest.version && facts.stamp < newest.stamp;
            let goes = |(text, facts): (String, Facts)| text == key.text() && is_older(&facts);
            for id in shared.disk.slices(key.hash()) {
                shared.remove_if(id, |found| found.is_ok_and(goes));
            }
            shared.memory.remove_where(|id, hot| id.object == key.hash() && is_older(&hot.facts));
        })
    }

    /// Removes the slices of an object that are of this version.
    pub(super) async fn drop_version(self: &Arc<Shared>, key: &ObjectKey, version: Version) {
        let (shared, key) = (self.clone(), key.clone());
        let removing = move || {
            let goes = |(text, facts): (String, Facts)| text == key.text() && facts.version == version;
            for id in shared.disk.slices(key.hash()) {
                shared.remove_if(id, |found| found.is_ok_and(goes));
            }
            shared.memory.remove_where(|id, hot| id.object == key.hash() && hot.facts.version == version);
        };
        let _ = tokio::task::spawn_blocking(removing).await;
    }

    /// Removes an object and what is on its way.
    pub(super) async fn purge_object(self: &Arc<Shared>, key: ObjectKey) {
        self.purges.add_object(key.hash());
        self.flights.forget_where(|known| *known == key);
        self.memory.remove_object(key.hash());
        self.absences.forget(key.hash());
        let shared = self.clone();
        let removing = move || shared.disk.slices(key.hash()).into_iter().for_each(|id| shared.remove_now(id));
        let _ = tokio::task::spawn_blocking(removing).await;
    }

    /// Marks a prefix as gone; its files are removed later.
    pub(super) async fn purge_prefix(self: &Arc<Shared>, prefix: String) -> Result<(), PurgeError> {
        self.purges.add_prefix(prefix.clone())?;
        self.flights.forget_where(|key| key.text().starts_with(&prefix));
        self.memory.remove_where(|_, hot| hot.text.starts_with(&prefix));
        self.absences.clear();
        let shared = self.clone();
        let saving = tokio::task::spawn_blocking(move || shared.purges.save(&shared.disk));
        saving.await.map_err(io::Error::other)??;
        super::maintain::look_through(self);
        Ok(())
    }

    /// A turn to fetch something, if there is one without waiting.
    pub(super) fn turn_now(&self) -> Option<OwnedSemaphorePermit> {
        self.turns.clone().try_acquire_owned().ok()
    }

    /// A turn to fetch something. Whoever has one may hold a slice in memory.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Some(turn) = self.turn_now() {
            return Ok(turn);
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Failure::Busy);
        }
        let turn = tokio::time::timeout(self.config.stall, self.turns.clone().acquire_owned()).await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        turn.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)
    }

    /// Whether others wait for a turn: whoever can do without his gives it back.
    pub(super) fn is_busy(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// A turn for something that nobody waits for yet: only if there is plenty of room.
    pub(super) fn spare_turn(&self) -> Option<OwnedSemaphorePermit> {
        let has_room = self.turns.available_permits() > self.config.fills / 2;
        has_room.then(|| self.turn_now()).flatten()
    }

    /// Tells the admin, though not of every file.
    pub(super) fn complain(&self, what: &'static str, failure: &io::Error) {
        let (now, last) = (now(), self.complained.load(Ordering::Relaxed));
        let is_due = now.saturating_sub(last) >= QUIET || last > now;
        if is_due && self.complained.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::error!(folder = %self.config.path.display(), %failure, "{what}; answers go on without the cache");
        }
    }
}
