//! What can go wrong with bytes, sorted by whose fault it is.

use std::io;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault it was decides what is answered and whether trying again helps.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that came in is at fault: tell its sender, trying again gives the same.
    #[error("{0}")]
    Input(#[from] Fault),
    /// Disk or bucket failed: not the sender's fault, trying again may help.
    #[error("media storage failed: {0}")]
    Storage(#[source] io::Error),
    /// Too much work is waiting already: the sender should come again a little later.
    #[error("too many files are being processed")]
    Busy,
}

/// Why a file is refused. Shown as a sentence that may follow Mastodon's "Validation failed: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a format that is accepted here.
    #[error("File content type is invalid")]
    ContentType,
    /// A known format for which there is no decoder here.
    #[error("File content type is not supported by this server ({0})")]
    Undecodable(&'static str),
    /// Larger than so many bytes.
    #[error("File must be less than {}", megabytes(*.max))]
    TooManyBytes {
        /// The limit in bytes.
        max: u64,
    },
    /// More pixels, or a longer side, than is accepted.
    #[error("{width}x{height} images are not supported")]
    TooManyPixels {
        /// Declared width in pixels.
        width: u32,
        /// Declared height in pixels.
        height: u32,
    },
    /// An animation with more frames than is accepted.
    #[error("File has more than {max} frames")]
    TooManyFrames {
        /// The limit in frames.
        max: u32,
    },
    /// The file ends in the middle.
    #[error("File is invalid: it is incomplete")]
    Truncated,
    /// The file's format is known but its content makes no sense; the reason is for logs too.
    #[error("File is invalid: {0}")]
    Broken(String),
}

impl Fault {
    pub(crate) fn broken(why: impl Into<String>) -> Fault {
        Fault::Broken(why.into())
    }
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{} MB", bytes / 1_048_576),
    }
}
