//! Buffers for reading, used again: new ones have to be cleared and mapped, which costs as much as the reading.

use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Length of the buffers that are kept; shorter parts get what they need.
pub(super) const LENGTH: usize = 256 * 1024;
/// From this length on a kept buffer is taken.
const WORTH: usize = 128 * 1024 + 1;
/// Most buffers that are kept.
const MOST: usize = 32;

/// Buffers that nobody uses. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Box<[u8]>>>>);

impl Buffers {
    /// A buffer of this length; what is in it means nothing.
    pub(super) fn take(&self, length: usize) -> Buffer {
        if !(WORTH..=LENGTH).contains(&length) {
            return Buffer { bytes: vec![0; length].into_boxed_slice(), length, home: None };
        }
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = kept.unwrap_or_else(|| vec![0; LENGTH].into_boxed_slice());
        Buffer { bytes, length, home: Some(self.clone()) }
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
        let mut kept = home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}
