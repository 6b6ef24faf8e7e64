//! A cache on disk for objects that come from elsewhere.
//!
//! Objects are cut into slices. One request to the origin brings as many of them, one after the other, as somebody wants
//! and nobody has (`run`); each is streamed to all who want it as it arrives, and nobody's going away stops it in the
//! middle. A slice is one file, found by the hash of its object's name: no index is needed to serve. What a crash leaves
//! behind is detected when it is read, removed, and fetched again.
//!
//! The way of a request: [`Cache::object`] looks into memory, then at the file (`shared`), else asks for a fetch
//! (`object`, `fetch`), which cuts what comes into slices (`deliver`); [`Object::part`] walks over the slices (`part`).

mod absent;
mod buffers;
mod config;
mod deliver;
mod disk;
mod facts;
mod fetch;
mod fifo;
mod fill;
mod flights;
mod format;
mod index;
mod keep;
mod kept;
mod key;
mod maintain;
mod memory;
mod object;
mod pages;
mod part;
mod pass;
mod purge;
mod renewals;
mod run;
mod shared;
mod stats;
mod units;
mod upstream;

pub use config::CacheConfig;
pub use key::ObjectKey;
pub use object::{How, Object};
pub use purge::{Purge, PurgeError};
pub use stats::Stats;
pub use upstream::{Chain, Failure, Meta, Reply, TO_THE_END, Upstream, Validators, Want};

use shared::Shared;
use std::io;
use std::sync::Arc;

/// The cache. Cheap to clone; everything stops when the last clone and the last stream are gone.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

impl Cache {
    /// Opens the cache in its folder, within a runtime. What is there is served at once, while it is being looked
    /// through for what is too much, too old, or not ours.
    pub fn open(config: CacheConfig) -> io::Result<Cache> {
        let shared = Arc::new(Shared::new(config.bounded())?);
        maintain::start(&shared);
        Ok(Cache { shared })
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Removes objects. Whoever asks after this returns is not given them from here, whatever happens; those who are
    /// being sent them go on.
    pub async fn purge(&self, purge: Purge) -> Result<(), PurgeError> {
        match purge {
            Purge::Object(key) => {
                self.shared.purge_object(key).await;
                Ok(())
            }
            Purge::Prefix { site, path } => {
                let prefix = key::joined(&site, &path).ok_or(PurgeError::Name)?;
                self.shared.purge_prefix(prefix).await
            }
        }
    }
}
