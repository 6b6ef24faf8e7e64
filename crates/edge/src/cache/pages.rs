//! Reading files: what is in the page cache at once, the rest only where waiting is allowed.
//!
//! Handing a read over to another thread costs more than copying a picture out of the page cache; waiting for a disk on
//! a thread that serves others costs more than anything. The kernel knows which of the two it is.

use super::buffers::Buffers;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Whether the disk may be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Only what is in memory; else `WouldBlock`.
    Now,
    Wait,
}

/// Opens a file for reading.
pub(super) fn open(path: &Path, patience: Patience) -> io::Result<File> {
    match patience {
        #[cfg(target_os = "linux")]
        Patience::Now => cached::open(path),
        _ => File::open(path),
    }
}

/// Reads exactly this part.
pub(super) fn read(file: &File, part: Range<u64>, (patience, buffers): (Patience, &Buffers)) -> io::Result<Bytes> {
    let length = usize::try_from(part.end.saturating_sub(part.start)).map_err(|_| ErrorKind::InvalidData)?;
    let mut buffer = buffers.take(length);
    match patience {
        #[cfg(target_os = "linux")]
        Patience::Now => cached::read(file, buffer.as_mut(), part.start)?,
        _ => file.read_exact_at(buffer.as_mut(), part.start)?,
    }
    Ok(buffer.freeze())
}

#[cfg(target_os = "linux")]
mod cached {
    use super::{ErrorKind, File, Path, io};
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
    use rustix::io::{Errno, IoSliceMut, ReadWriteFlags};

    /// Kernels and sandboxes that do not know the call answer in many ways; then waiting is the only way.
    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        match rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::NOENT) => Err(ErrorKind::NotFound.into()),
            Err(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn read(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let flags = ReadWriteFlags::NOWAIT;
            let length = match rustix::io::preadv2(file, &mut [IoSliceMut::new(buffer)], offset, flags) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(Errno::INTR) => continue,
                Err(_) => return Err(ErrorKind::WouldBlock.into()),
            };
            buffer = &mut buffer[length..];
            offset += length as u64;
        }
        Ok(())
    }
}
