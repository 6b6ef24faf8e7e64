//! The store that is a folder. Objects appear by rename, so that a reader never sees half of one.

use super::{Blob, Body, Entry, Listing, spool};
use crate::key::valid_segment;
use crate::{Content, Error, Key, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tempfile::{NamedTempFile, TempPath};

/// Keys cannot begin with a dot, so nothing in here is ever served or listed.
const SPOOL: &str = ".incoming";
/// How often a put is tried when folders vanish under it.
const ATTEMPTS: u32 = 5;
/// Deeper folders are not ours.
const MAX_DEPTH: usize = 32;

/// Objects as files below a folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DiskStore(Arc<Folders>);

#[derive(Debug)]
struct Folders {
    root: PathBuf,
    spool: PathBuf,
    /// Read: making folders and moving a file into them. Write: removing empty ones.
    shape: RwLock<()>,
}

impl DiskStore {
    pub(super) fn new(root: &Path) -> Result<DiskStore> {
        let store = DiskStore::old(root);
        spool::prepare(store.spool())?;
        Ok(store)
    }

    /// One that nothing is put into: the folder is not made.
    pub(super) fn old(root: &Path) -> DiskStore {
        DiskStore(Arc::new(Folders { root: root.to_owned(), spool: root.join(SPOOL), shape: RwLock::new(()) }))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    pub(super) fn spool(&self) -> &Path {
        &self.0.spool
    }

    pub(super) async fn put(&self, key: &Key, content: Content) -> Result<()> {
        let key = key.clone();
        self.blocking(move |folders| folders.put(&key, content)).await
    }

    pub(super) async fn open(&self, key: &Key, inline: u64) -> Result<Option<Blob>> {
        let path = self.0.path(key);
        self.blocking(move |_| absent_is_none(open(&path, inline))).await.map(Option::flatten)
    }

    pub(super) async fn exists(&self, key: &Key) -> Result<bool> {
        let path = self.0.path(key);
        let found = self.blocking(move |_| absent_is_none(fs::metadata(path))).await?;
        Ok(found.is_some_and(|meta| meta.is_file()))
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<()> {
        let key = key.clone();
        self.blocking(move |folders| folders.delete(&key)).await
    }

    pub(super) async fn list(&self, listing: Listing) -> Result<Vec<Entry>> {
        self.blocking(move |folders| {
            let mut found = Vec::new();
            walk((&folders.root, "", 0), &listing, &mut found)?;
            Ok(found)
        })
        .await
    }

    async fn blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Folders) -> io::Result<T> + Send + 'static,
    {
        let folders = self.0.clone();
        let done = tokio::task::spawn_blocking(move || work(&folders)).await;
        done.map_err(io::Error::other).and_then(|result| result).map_err(Error::Storage)
    }
}

impl Folders {
    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    fn put(&self, key: &Key, content: Content) -> io::Result<()> {
        let file = self.staged(content)?;
        let target = self.path(key);
        let folder = target.parent().unwrap_or(&self.root);
        // Another process may remove an empty folder between its making and the rename.
        let mut attempts = 1;
        let touched = loop {
            match self.move_in(&file, &target, folder) {
                Ok(touched) => break touched,
                Err(failure) if attempts < ATTEMPTS && failure.kind() == ErrorKind::NotFound => attempts += 1,
                Err(failure) => return Err(failure),
            }
        };
        // It has another name now: there is nothing to remove under this one.
        file.keep().map_err(|failure| failure.error)?;
        // The innermost first: on journalling file systems the others then have nothing left to write.
        sync_folder(folder)?;
        touched.iter().try_for_each(|parent| sync_folder(parent))
    }

    /// Answers the folders that got new folders.
    fn move_in(&self, file: &Path, target: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let _shape = self.shape.read().unwrap_or_else(PoisonError::into_inner);
        let touched = make_folders(folder)?;
        fs::rename(file, target)?;
        Ok(touched)
    }

    /// The content as a synced temporary file on the store's file system.
    fn staged(&self, content: Content) -> io::Result<TempPath> {
        match content {
            Content::Bytes(bytes) => {
                let mut file = NamedTempFile::new_in(&self.spool)?;
                file.write_all(&bytes)?;
                seal(file.as_file())?;
                Ok(file.into_temp_path())
            }
            Content::File(path) if path.parent() == Some(&self.spool) => {
                seal(&File::open(&path)?)?;
                Ok(path)
            }
            Content::File(path) => {
                let mut file = NamedTempFile::new_in(&self.spool)?;
                io::copy(&mut File::open(&path)?, &mut file)?;
                seal(file.as_file())?;
                Ok(file.into_temp_path())
            }
        }
    }

    fn delete(&self, key: &Key) -> io::Result<()> {
        let path = self.path(key);
        absent_is_none(fs::remove_file(&path))?;
        let _shape = self.shape.write().unwrap_or_else(PoisonError::into_inner);
        // Folders of one object would pile up; removing stops at the first that is not empty.
        let above = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Makes a file readable for a web server beside us and brings it to the disk.
fn seal(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.sync_all()
}

/// Makes the folder and those above it; answers the folders that got a new entry, innermost first.
fn make_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.is_dir()).collect();
    for path in missing.iter().rev() {
        match fs::create_dir(path) {
            Err(failure) if failure.kind() != ErrorKind::AlreadyExists => return Err(failure),
            _ => {}
        }
    }
    Ok(missing.iter().filter_map(|path| path.parent().map(Path::to_owned)).collect())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    absent_is_none(File::open(folder)).and_then(|found| found.map_or(Ok(()), |folder| folder.sync_all()))
}

fn open(path: &Path, inline: u64) -> io::Result<Option<Blob>> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Ok(None);
    }
    let (len, modified) = (meta.len(), meta.modified()?);
    if len > inline {
        return Ok(Some(Blob { len, modified, body: Body::File(file) }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).map_err(io::Error::other)?);
    file.take(len).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == len {
        true => Ok(Some(Blob { len, modified, body: Body::Bytes(bytes.into()) })),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(failure) if matches!(failure.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Adds the matching objects below a folder, which has this path, key prefix and depth.
fn walk((folder, above, depth): (&Path, &str, usize), listing: &Listing, found: &mut Vec<Entry>) -> io::Result<()> {
    let Some(entries) = absent_is_none(fs::read_dir(folder))? else { return Ok(()) };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| valid_segment(name)) else { continue };
        let Some(meta) = absent_is_none(fs::metadata(folder.join(name)))? else { continue };
        // With its slash a folder sorts where the keys below it do.
        let slash = if meta.is_dir() { "/" } else { "" };
        names.push((format!("{above}{name}{slash}"), meta));
    }
    names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let after = listing.after.as_ref().map_or("", Key::as_str);
    for (name, meta) in names {
        if found.len() >= listing.limit {
            break;
        }
        if meta.is_dir() {
            let wanted = name.starts_with(&listing.prefix) || listing.prefix.starts_with(&name);
            let passed = name.as_str() < after && !after.starts_with(&name);
            if wanted && !passed && depth < MAX_DEPTH {
                let path = folder.join(name[above.len()..].trim_end_matches('/'));
                walk((&path, &name, depth + 1), listing, found)?;
            }
        } else if name.starts_with(&listing.prefix) && name.as_str() > after && meta.is_file() {
            let Ok(key) = Key::parse(&name) else { continue };
            found.push(Entry { key, len: meta.len(), modified: meta.modified()? });
        }
    }
    Ok(())
}
