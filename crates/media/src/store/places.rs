//! Several places that are one store: new objects go to the first, old ones are wherever they are.

use super::{Blob, DiskStore, Entry, Listing, S3Store};
use crate::s3::Bucket;
use crate::{Content, Key, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One place for objects. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder of the local file system.
    Disk(DiskStore),
    /// A bucket.
    S3(S3Store),
}

impl Place {
    /// A folder for new objects; makes it. Blocks on the disk.
    pub fn disk(root: impl AsRef<Path>) -> Result<Place> {
        DiskStore::new(root.as_ref()).map(Place::Disk)
    }

    /// A folder that has objects already, or none: it is not made, and nothing new is put there.
    pub fn old_disk(root: impl AsRef<Path>) -> Place {
        Place::Disk(DiskStore::old(root.as_ref()))
    }

    /// A bucket for new objects, with this folder for temporary files; makes the folder. Blocks on the disk, and makes
    /// no connection.
    pub fn bucket(bucket: Bucket, spool: impl AsRef<Path>) -> Result<Place> {
        S3Store::new(bucket, spool.as_ref()).map(Place::S3)
    }

    /// A bucket that has objects already: nothing new is put there.
    pub fn old_bucket(bucket: Bucket) -> Place {
        Place::S3(S3Store::old(bucket))
    }

    /// Whether what lies here can be removed by us: not from buckets that we have no key to.
    pub fn can_be_cleaned(&self) -> bool {
        !matches!(self, Place::S3(store) if store.bucket().is_anonymous())
    }

    fn spool(&self) -> &Path {
        match self {
            Place::Disk(disk) => disk.spool(),
            Place::S3(bucket) => bucket.spool(),
        }
    }

    async fn put(&self, key: &Key, content: Content) -> Result<()> {
        match self {
            Place::Disk(disk) => disk.put(key, content).await,
            Place::S3(bucket) => bucket.put(key, content).await,
        }
    }

    async fn open(&self, key: &Key, inline: u64) -> Result<Option<Blob>> {
        match self {
            Place::Disk(disk) => disk.open(key, inline).await,
            Place::S3(bucket) => bucket.open(key, inline).await,
        }
    }

    async fn exists(&self, key: &Key) -> Result<bool> {
        match self {
            Place::Disk(disk) => disk.exists(key).await,
            Place::S3(bucket) => bucket.exists(key).await,
        }
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        match self {
            Place::Disk(disk) => disk.delete(key).await,
            Place::S3(bucket) => bucket.delete(key).await,
        }
    }

    async fn list(&self, listing: Listing) -> Result<Vec<Entry>> {
        match self {
            Place::Disk(disk) => disk.list(listing).await,
            Place::S3(bucket) => bucket.list(listing).await,
        }
    }
}

/// Where objects are: the place for new ones, and others that may have old ones, in the order in which they are asked.
#[derive(Debug, Clone)]
pub struct Places {
    first: Place,
    old: Vec<Place>,
}

impl Places {
    /// One place for everything.
    pub fn new(first: Place) -> Places {
        Places { first, old: Vec::new() }
    }

    /// Looks there too, after the others.
    pub fn and(mut self, old: Place) -> Places {
        self.old.push(old);
        self
    }

    /// Where new objects go.
    pub fn first(&self) -> &Place {
        &self.first
    }

    /// All of them, the first one first.
    pub fn all(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.first).chain(&self.old)
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.first.spool().to_owned()
    }

    pub(super) async fn put(&self, key: &Key, content: Content) -> Result<()> {
        self.first.put(key, content).await
    }

    /// One that fails does not keep the next from being asked. Only what all of them say they do not have is absent.
    pub(super) async fn open(&self, key: &Key, inline: u64) -> Result<Option<Blob>> {
        let mut failure = None;
        for place in self.all() {
            match place.open(key, inline).await {
                Ok(Some(blob)) => return Ok(Some(blob)),
                Ok(None) => {}
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(None), Err)
    }

    pub(super) async fn exists(&self, key: &Key) -> Result<bool> {
        let mut failure = None;
        for place in self.all() {
            match place.exists(key).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(false), Err)
    }

    /// From the old places first: who copies from there to the new one meanwhile finds out, and takes the copy back.
    pub(super) async fn delete(&self, key: &Key) -> Result<()> {
        let mut failure = None;
        for place in self.old.iter().chain([&self.first]).filter(|place| place.can_be_cleaned()) {
            if let Err(error) = place.delete(key).await {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// What several places have is told once, as the first of them has it.
    pub(super) async fn list(&self, listing: Listing) -> Result<Vec<Entry>> {
        if self.old.is_empty() {
            return self.first.list(listing).await;
        }
        let mut found = BTreeMap::new();
        for place in self.all() {
            for entry in place.list(listing.clone()).await? {
                found.entry(entry.key.clone()).or_insert(entry);
            }
        }
        Ok(found.into_values().take(listing.limit).collect())
    }
}
