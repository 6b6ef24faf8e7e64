//! Bytes of answers that lie in memory until clients of HTTP/2 take them. Each connection may have a hundred answers that
//! nobody reads: there are as many of them in parallel as a client likes, and it need not take a byte of any.
//!
//! As long as that is little, files are read in large pieces, which is fastest; when it is much, in small ones.

use std::sync::atomic::{AtomicU64, Ordering};

/// From here on it is much.
pub(crate) const MUCH: u64 = 32 * 1024 * 1024;
/// What is read at a time then.
const LITTLE: u64 = 16 * 1024;

static ALL: AtomicU64 = AtomicU64::new(0);

/// Some bytes that wait, as long as it is there.
#[derive(Debug, Default)]
pub(crate) struct Waiting(u64);

impl Waiting {
    pub(crate) fn new(count: usize) -> Waiting {
        ALL.fetch_add(count as u64, Ordering::Relaxed);
        Waiting(count as u64)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        ALL.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// How much to read at a time where it is usually so much.
pub(crate) fn piece(usual: u64) -> u64 {
    if ALL.load(Ordering::Relaxed) > MUCH { usual.min(LITTLE) } else { usual }
}
