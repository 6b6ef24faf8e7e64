//! Files of slices: their names, and how they are opened, written and removed. Knows nothing of what is worth keeping.

use super::ObjectKey;
use super::buffers::{self, Buffers};
use super::facts::Facts;
use super::format::{self, BLOCK, Checks, Damaged, LAYOUT, Shape, TRAILER, Tail};
use super::key::{KeyHash, SliceId};
use super::pages::{self, Patience};
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Folder of files that are being written.
const UNFINISHED: &str = "unfinished";
/// What is older has been left behind by a crash; another process may be writing what is younger.
const ABANDONED: Duration = Duration::from_secs(600);
/// What our folders are called; other layouts are of other releases.
const FOLDER: &str = "noren-cache-v";
/// Locks for names.
const NAMES: usize = 16;
/// Files up to this length are read in one step.
const SMALL: u64 = 2 * BLOCK;
/// Enough for the facts of nearly every slice.
const TAIL: u64 = 4096;

/// A folder of slices in our layout.
#[derive(Debug)]
pub(super) struct Disk {
    above: PathBuf,
    root: PathBuf,
    buffers: Buffers,
    written: AtomicU64,
    emptied: AtomicBool,
    /// One for each part of the names: between a look at a file and its removal no other takes its name.
    names: [Mutex<()>; NAMES],
}

/// A file of a slice, with its name and facts checked.
#[derive(Debug)]
pub(super) enum Found {
    /// All of it, checked.
    Whole(Facts, Bytes),
    /// Where the rest is read from.
    Open(Facts, OpenSlice),
}

#[derive(Debug)]
pub(super) struct OpenSlice {
    file: File,
    checks: Checks,
    length: u64,
    buffers: Buffers,
}

/// Why there is nothing.
#[derive(Debug)]
pub(super) enum Missing {
    Absent,
    /// It would take waiting for the disk.
    Later,
    /// The file has to go.
    Damaged,
    Failed(io::Error),
}

impl From<Damaged> for Missing {
    fn from(_: Damaged) -> Missing {
        Missing::Damaged
    }
}

impl From<io::Error> for Missing {
    fn from(failure: io::Error) -> Missing {
        match failure.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Missing::Absent,
            ErrorKind::WouldBlock => Missing::Later,
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::IsADirectory => Missing::Damaged,
            _ => Missing::Failed(failure),
        }
    }
}

impl Disk {
    /// Makes the folder; nothing is looked at yet.
    pub(super) fn new(above: &Path) -> io::Result<Disk> {
        let root = above.join(format!("{FOLDER}{LAYOUT}"));
        let (above, buffers) = (above.to_owned(), Buffers::default());
        let (written, emptied) = (AtomicU64::new(0), AtomicBool::new(false));
        let disk = Disk { above, root, buffers, written, emptied, names: Default::default() };
        fs::create_dir_all(disk.root.join(UNFINISHED))?;
        Ok(disk)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, id: SliceId) -> PathBuf {
        let mut path = PathBuf::with_capacity(self.root.as_os_str().len() + 48);
        path.push(&self.root);
        path.push(id.folder());
        path.push(id.file_name());
        path
    }

    /// Opens the slice of this key and checks everything but the bytes of long ones.
    pub(super) fn open(&self, key: &ObjectKey, number: u32, patience: Patience) -> Result<Found, Missing> {
        let file = pages::open(&self.path(key.slice(number)), patience)?;
        let length = file.metadata()?.len();
        if length <= SMALL {
            return whole(&pages::read(&file, 0..length, (patience, &self.buffers))?, (key, number));
        }
        let (end, shape) = self.end(&file, length, patience)?;
        let tail = checked(Tail::read(&end, shape)?, (key, number))?;
        let (checks, length, buffers) = (tail.checks(), shape.payload, self.buffers.clone());
        Ok(Found::Open(tail.facts, OpenSlice { file, checks, length, buffers }))
    }

    /// The last bytes of a file, at least what stands behind the slice.
    fn end(&self, file: &File, length: u64, patience: Patience) -> Result<(Bytes, Shape), Missing> {
        let read = |bytes: u64| pages::read(file, length.saturating_sub(bytes)..length, (patience, &self.buffers));
        let end = read(TAIL)?;
        let shape = Shape::of(&end, length)?;
        match shape.tail() > end.len() {
            true => Ok((read(u64::try_from(shape.tail()).map_err(|_| Damaged)?)?, shape)),
            false => Ok((end, shape)),
        }
    }

    /// The name and the facts in a file, whoever it belongs to.
    pub(super) fn read_facts(&self, id: SliceId) -> Result<(String, Facts), Missing> {
        let file = pages::open(&self.path(id), Patience::Wait)?;
        let length = file.metadata()?.len();
        let (end, shape) = self.end(&file, length, Patience::Wait)?;
        let tail = Tail::read(&end, shape)?;
        Ok((tail.text.to_owned(), tail.facts))
    }

    /// Writes a file beside; [`Disk::publish`] gives it its name.
    pub(super) fn write(&self, id: SliceId, file: &[u8]) -> io::Result<Written> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.{number}", std::process::id());
        let temporary = self.root.join(UNFINISHED).join(name);
        let mut opened = File::create(&temporary).or_else(|failure| {
            if failure.kind() != ErrorKind::NotFound {
                return Err(failure);
            }
            fs::create_dir_all(self.root.join(UNFINISHED))?;
            self.emptied.store(true, Ordering::Relaxed);
            File::create(&temporary)
        })?;
        let written = Written { temporary, id, is_published: false };
        opened.write_all(file)?;
        Ok(written)
    }

    /// From here on it is found.
    pub(super) fn publish(&self, mut written: Written) -> io::Result<()> {
        let path = self.path(written.id);
        let _name = self.name(written.id);
        if let Err(failure) = fs::rename(&written.temporary, &path) {
            if failure.kind() != ErrorKind::NotFound {
                return Err(failure);
            }
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(&written.temporary, &path)?;
        }
        written.is_published = true;
        Ok(())
    }

    fn name(&self, id: SliceId) -> MutexGuard<'_, ()> {
        self.names[id.place(NAMES)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the folder was found to be gone, since this was asked last.
    pub(super) fn was_emptied(&self) -> bool {
        self.emptied.load(Ordering::Relaxed) && self.emptied.swap(false, Ordering::Relaxed)
    }

    pub(super) fn remove(&self, id: SliceId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(failure) if !matches!(failure.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Removes the file if that is wanted when its name and facts have been read; whether it was removed.
    pub(super) fn remove_if(
        &self,
        id: SliceId,
        goes: impl FnOnce(Result<(String, Facts), Missing>) -> bool,
    ) -> io::Result<bool> {
        let _name = self.name(id);
        match goes(self.read_facts(id)) {
            true => self.remove(id).map(|()| true),
            false => Ok(false),
        }
    }

    /// Whether the slice's file is the one that was opened, not one that has taken its place.
    pub(super) fn is_same(&self, id: SliceId, open: &OpenSlice) -> bool {
        let identity = |meta: io::Result<fs::Metadata>| meta.ok().map(|meta| (meta.dev(), meta.ino()));
        identity(fs::metadata(self.path(id))) == identity(open.file.metadata())
    }

    /// The slices of an object that have files.
    pub(super) fn slices(&self, object: KeyHash) -> Vec<SliceId> {
        let folder = self.root.join(SliceId { object, number: 0 }.folder());
        let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let ids = names.filter_map(|name| SliceId::parse(name.to_str()?));
        ids.filter(|id| id.object == object).collect()
    }

    /// Sets the time of last use to now.
    pub(super) fn touch(&self, id: SliceId) {
        let touched = File::open(self.path(id)).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(failure) = touched {
            tracing::debug!(%failure, "the time of a cached file cannot be set");
        }
    }

    /// Bytes of the disk that others may still fill; `None` where that cannot be told.
    pub(super) fn free(&self) -> Option<u64> {
        let stats = rustix::fs::statvfs(&self.root).ok()?;
        stats.f_bavail.checked_mul(stats.f_frsize)
    }

    /// Removes what crashes and other layouts have left.
    pub(super) fn clean(&self) {
        for entry in fs::read_dir(&self.above).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(FOLDER)).and_then(|v| v.parse::<u32>().ok());
            if number.is_some_and(|number| number != LAYOUT) {
                tracing::info!(folder = %entry.path().display(), "a cache of another release is removed");
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        for entry in fs::read_dir(self.root.join(UNFINISHED)).into_iter().flatten().flatten() {
            let modified = entry.metadata().and_then(|meta| meta.modified()).ok();
            if modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn whole(file: &Bytes, (key, number): (&ObjectKey, u32)) -> Result<Found, Missing> {
    let shape = Shape::of(file, file.len() as u64)?;
    let tail = checked(Tail::read(file, shape)?, (key, number))?;
    let payload = file.slice(..file.len() - shape.tail());
    tail.checks().verify(0, &payload)?;
    Ok(Found::Whole(tail.facts, payload))
}

/// A file under a name that is not its own counts as damaged.
fn checked<'a>(tail: Tail<'a>, (key, number): (&ObjectKey, u32)) -> Result<Tail<'a>, Damaged> {
    match tail.text == key.text() && tail.facts.number == number {
        true => Ok(tail),
        false => Err(Damaged),
    }
}

impl OpenSlice {
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// How much is read at once. Pieces of that length begin where blocks do.
    pub(super) fn piece(&self) -> u64 {
        if self.buffers.are_plenty() { buffers::LENGTH as u64 } else { BLOCK }
    }

    /// The whole slice, read in parts as long as the buffers are.
    pub(super) fn read_all(&self) -> Result<Vec<u8>, Missing> {
        let mut all = Vec::with_capacity(usize::try_from(self.length).map_err(|_| Damaged)?);
        while (all.len() as u64) < self.length {
            let start = all.len() as u64;
            let end = (start + buffers::LENGTH as u64).min(self.length);
            all.extend_from_slice(&self.read(start..end, Patience::Wait)?);
        }
        Ok(all)
    }

    /// Reads a part; its blocks are checked.
    pub(super) fn read(&self, part: Range<u64>, patience: Patience) -> Result<Bytes, Missing> {
        let blocks = part.start / BLOCK * BLOCK..part.end.next_multiple_of(BLOCK).min(self.length);
        let bytes = pages::read(&self.file, blocks.clone(), (patience, &self.buffers))?;
        self.checks.verify(blocks.start / BLOCK, &bytes)?;
        let offset = |place: u64| usize::try_from(place - blocks.start).map_err(|_| Damaged);
        Ok(bytes.slice(offset(part.start)?..offset(part.end)?))
    }
}

/// A file that has been written and has no name yet. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct Written {
    temporary: PathBuf,
    id: SliceId,
    is_published: bool,
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.is_published {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The whole file of a slice.
pub(super) fn file_of(key: &ObjectKey, facts: &Facts, mut payload: Vec<u8>) -> Vec<u8> {
    format::seal(&mut payload, key.text(), facts);
    payload
}

/// Room that [`file_of`] takes beside the payload, roughly.
pub(super) fn overhead(facts: &Facts) -> usize {
    TRAILER + 1024 + usize::try_from(facts.len().div_ceil(BLOCK) * 4).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::sample;
    use super::*;
    use std::thread;

    #[test]
    fn what_takes_the_name_of_a_file_that_is_being_removed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path()).unwrap();
        let key = ObjectKey::new("site", "/a").unwrap();
        let publish = |stamp: u64| {
            let facts = Facts { stamp, ..sample(10) };
            let written = disk.write(key.slice(0), &file_of(&key, &facts, vec![7; 10])).unwrap();
            disk.publish(written).unwrap();
        };
        publish(1);
        thread::scope(|scope| {
            let goes = |found: Result<(String, Facts), Missing>| {
                scope.spawn(|| publish(2));
                thread::sleep(Duration::from_millis(100));
                found.unwrap().1.stamp == 1
            };
            assert!(disk.remove_if(key.slice(0), goes).unwrap());
        });
        assert_eq!(disk.read_facts(key.slice(0)).unwrap().1.stamp, 2);
        assert!(!disk.remove_if(key.slice(0), |found| found.unwrap().1.stamp == 1).unwrap());
        assert_eq!(disk.read_facts(key.slice(0)).unwrap().1.stamp, 2);
    }

    #[test]
    fn where_a_thousand_read_none_holds_a_long_piece() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path()).unwrap();
        let key = ObjectKey::new("site", "/a").unwrap();
        let file = file_of(&key, &sample(1 << 20), vec![7; 1 << 20]);
        disk.publish(disk.write(key.slice(0), &file).unwrap()).unwrap();
        let Found::Open(_, open) = disk.open(&key, 0, Patience::Wait).unwrap() else { panic!("it is long") };
        let held: Vec<Bytes> = (0..1000).map(|_| open.read(0..open.piece(), Patience::Wait).unwrap()).collect();
        let all: usize = held.iter().map(Bytes::len).sum();
        assert!(all < 80_000_000, "{all}");
        assert_eq!((held[0].len(), held[999].len() as u64, open.piece()), (buffers::LENGTH, BLOCK, BLOCK));
        drop(held);
        assert_eq!(open.piece(), buffers::LENGTH as u64);
    }
}
