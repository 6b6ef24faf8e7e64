//! Where bytes are kept: one set of operations, whatever lies underneath.

mod disk;
mod places;
mod s3;
mod spool;
#[cfg(test)]
mod tests;

use crate::s3::Bucket;
use crate::{Content, Key, Result};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

pub use disk::DiskStore;
pub use places::{Place, Places};
pub use s3::{Remote, S3Store};

/// Where objects are kept. Cheap to clone; all clones follow when its places are changed.
#[derive(Debug, Clone)]
pub struct Store(Arc<RwLock<Arc<Places>>>);

/// An object that has been opened.
#[derive(Debug)]
pub struct Blob {
    /// Length in bytes.
    pub len: u64,
    /// When it was stored.
    pub modified: SystemTime,
    /// What is in it.
    pub body: Body,
}

/// The content of a [`Blob`].
#[derive(Debug)]
pub enum Body {
    /// Everything.
    Bytes(Bytes),
    /// To be read from on a blocking thread, at any position.
    File(std::fs::File),
    /// To be fetched, any part of it.
    Remote(Remote),
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: Key,
    /// Length in bytes.
    pub len: u64,
    /// When it was stored.
    pub modified: SystemTime,
}

/// Which part of a store to list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Only keys that begin with this text; empty for all.
    pub prefix: String,
    /// Only keys after this one: the last key of the page before.
    pub after: Option<Key>,
    /// Longest page.
    pub limit: usize,
}

impl Store {
    /// Made of these places.
    pub fn of(places: Places) -> Store {
        Store(Arc::new(RwLock::new(Arc::new(places))))
    }

    /// A folder as a store; makes the folder. Blocks on the disk.
    pub fn disk(root: impl AsRef<Path>) -> Result<Store> {
        Place::disk(root).map(Places::new).map(Store::of)
    }

    /// A bucket as a store, with this folder for temporary files; makes the folder. Blocks on the disk, and makes no
    /// connection.
    pub fn bucket(bucket: Bucket, spool: impl AsRef<Path>) -> Result<Store> {
        Place::bucket(bucket, spool).map(Places::new).map(Store::of)
    }

    /// Where it keeps objects now.
    pub fn places(&self) -> Arc<Places> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps objects elsewhere from now on. What has begun is finished where it began: the old places should be among
    /// the new ones until everything is moved.
    pub fn move_to(&self, places: Places) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(places);
    }

    /// A folder for temporary files: what is made there can be moved into a store on disk without a copy.
    /// Files older than a day are removed when the store is opened.
    pub fn spool(&self) -> PathBuf {
        self.places().spool()
    }

    /// Stores `content` under `key`, replacing what was there. When this answers Ok the object survives a
    /// power cut; until then readers see the old object or none, never a part. On an error `content` is gone too.
    pub async fn put(&self, key: &Key, content: Content) -> Result<()> {
        self.places().put(key, content).await
    }

    /// Opens an object; `None` when there is none. Objects of up to `inline` bytes come read
    /// ([`Body::Bytes`]), larger ones come open ([`Body::File`], [`Body::Remote`]). With an `inline` of 0 nothing is
    /// fetched from a bucket before it is known which part is wanted.
    pub async fn open(&self, key: &Key, inline: u64) -> Result<Option<Blob>> {
        self.places().open(key, inline).await
    }

    /// Whether there is such an object.
    pub async fn exists(&self, key: &Key) -> Result<bool> {
        self.places().exists(key).await
    }

    /// Removes an object from all places; it is no error when there was none.
    pub async fn delete(&self, key: &Key) -> Result<()> {
        self.places().delete(key).await
    }

    /// One page of objects in the order of their keys' bytes. An empty page is the end.
    pub async fn list(&self, listing: Listing) -> Result<Vec<Entry>> {
        self.places().list(listing).await
    }
}
