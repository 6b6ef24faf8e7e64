//! Counts of what happened.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count that many threads add to. Each has a cache line to itself.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn one(&self) {
        self.add(1);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Declares the counts once, for counting and for showing.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        #[derive(Debug, Default)]
        pub(super) struct Counts { $(pub(super) $name: Count,)+ }

        /// What happened since the start, and what there is now.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)+
            /// Files of slices on the disk, as far as they have been looked through.
            pub files: u64,
            /// Bytes that these take.
            pub disk_bytes: u64,
            /// Bytes of hot objects in memory.
            pub memory_bytes: u64,
            /// Slices that are being fetched.
            pub fills_now: u64,
        }

        impl Counts {
            pub(super) fn read(&self) -> Stats {
                Stats { $($name: self.$name.read(),)+ ..Stats::default() }
            }
        }
    };
}

counts! {
    /// Objects answered from the cache.
    hits,
    /// Objects that had to be fetched, also by somebody else at the same moment.
    misses,
    /// Objects answered from the cache although their time was over.
    stale,
    /// Objects answered from the cache after the origin said that nothing changed.
    revalidated,
    /// Objects that went through without being kept.
    bypassed,
    /// Bytes handed out from memory and disk.
    bytes_kept,
    /// Bytes handed out as they arrived.
    bytes_fresh,
    /// Bytes that came from the origin.
    bytes_fetched,
    /// Requests to the origin.
    fills,
    /// Requests to the origin that failed.
    failed_fills,
    /// Files removed for want of room.
    evictions,
    /// Files removed because nobody asked for them any more.
    expired,
    /// Files removed because they were damaged or not ours.
    damaged,
    /// Slices that could not be written.
    unwritten,
}
