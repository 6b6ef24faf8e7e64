//! Buffers for reading, used again: new ones have to be cleared and mapped, which costs as much as the reading. There are
//! few long ones: where many read, each is given less at once, lest a thousand slow clients hold a long piece each.

use bytes::Bytes;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Length of the buffers that are kept; shorter parts get what they need.
pub(super) const LENGTH: usize = 256 * 1024;
/// From this length on a kept buffer is taken.
const WORTH: usize = 128 * 1024 + 1;
/// Most buffers that are kept.
const MOST: usize = 32;
/// While so many are in use, pieces are as long as blocks.
const PLENTY: usize = 64;

/// Buffers that nobody uses. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Home>);

#[derive(Default)]
struct Home {
    kept: Mutex<Vec<Box<[u8]>>>,
    /// How many of the long ones are in use.
    lent: AtomicUsize,
}

impl Buffers {
    /// A buffer of this length; what is in it means nothing.
    pub(super) fn take(&self, length: usize) -> Buffer {
        if !(WORTH..=LENGTH).contains(&length) {
            return Buffer { bytes: vec![0; length].into_boxed_slice(), length, home: None };
        }
        self.0.lent.fetch_add(1, Ordering::Relaxed);
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = kept.unwrap_or_else(|| vec![0; LENGTH].into_boxed_slice());
        Buffer { bytes, length, home: Some(self.clone()) }
    }

    /// Whether there are long buffers for whoever reads on.
    pub(super) fn are_plenty(&self) -> bool {
        self.0.lent.load(Ordering::Relaxed) < PLENTY
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buffers")
    }
}

/// Bytes to write into. A kept one goes home when nobody holds a piece of it any more.
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    length: usize,
    home: Option<Buffers>,
}

impl Buffer {
    pub(super) fn freeze(mut self) -> Bytes {
        match self.home {
            Some(_) => Bytes::from_owner(self),
            None => Bytes::from(std::mem::take(&mut self.bytes)),
        }
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        home.0.lent.fetch_sub(1, Ordering::Relaxed);
        let mut kept = home.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}
