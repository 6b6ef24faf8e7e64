//! What can go wrong with a bucket, sorted by whose fault it is. No message holds a key or a signed address.

use std::time::Duration;

/// Result of everything in this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who has to do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Whoever configured this server: settings, keys, permissions, the clock.
    Settings,
    /// Whoever runs the bucket, or the network in between: it may pass.
    Provider,
    /// The caller: what was asked for cannot be had.
    Caller,
    /// This machine.
    Machine,
}

/// Why a bucket did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration makes no sense.
    #[error("{field}: {why}")]
    Config {
        /// The setting.
        field: &'static str,
        /// What is expected there.
        why: String,
    },
    /// No bucket takes such a key.
    #[error("{0:?} cannot be the name of an object")]
    Key(String),
    /// There is no such object.
    #[error("there is no such object")]
    NoObject,
    /// There is no such bucket.
    #[error("there is no bucket {0:?}; make it with `noren storage create`")]
    NoBucket(String),
    /// The name is taken by somebody else.
    #[error("the bucket's name {0:?} is taken by somebody else; choose another")]
    Taken(String),
    /// The keys are wrong, or may not do this.
    #[error("{host} refused ({code}){}", after(message))]
    Denied {
        /// Who said so.
        host: String,
        /// Such as AccessDenied, InvalidAccessKeyId or SignatureDoesNotMatch.
        code: String,
        /// In the server's words.
        message: String,
        /// It was asked without a key.
        anonymous: bool,
    },
    /// This machine's clock and the server's are too far apart for signatures.
    #[error("this machine's clock is {} {}: set it right (signed requests carry the time)", human(*.by), side(*.ahead))]
    Clock {
        /// How far.
        by: Duration,
        /// Whether ours is ahead.
        ahead: bool,
    },
    /// The bucket lies elsewhere.
    #[error("the bucket is in the region {0:?}: set region (and the endpoint, if it names one)")]
    Region(String),
    /// The server does not know this kind of request.
    #[error("{host} does not support this ({code})")]
    Unsupported {
        /// Who said so.
        host: String,
        /// Its word for it.
        code: String,
    },
    /// The part that was asked for lies behind the end.
    #[error("the object has no such part; its length is {total:?}")]
    OutOfRange {
        /// Its length, if it was told.
        total: Option<u64>,
    },
    /// The object became another one while it was read.
    #[error("the object was replaced while it was read")]
    Changed,
    /// Another refusal: trying again gives the same.
    #[error("{host} answered {status} ({code}){}", after(message))]
    Refused {
        /// Who said so.
        host: String,
        /// The status of HTTP.
        status: u16,
        /// The code of S3.
        code: String,
        /// In the server's words.
        message: String,
    },
    /// Too many requests, or too much work there.
    #[error("{host} is busy ({status})")]
    Busy {
        /// Who said so.
        host: String,
        /// 429 or 503.
        status: u16,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// The server failed.
    #[error("{host} failed: {status} ({code})")]
    Failed {
        /// Who said so.
        host: String,
        /// The status of HTTP.
        status: u16,
        /// The code of S3.
        code: String,
    },
    /// No connection, or it broke.
    #[error("cannot reach {host}: {why}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What the network said.
        why: String,
        /// Nothing of the request has arrived there.
        unsent: bool,
    },
    /// There is somebody, and nothing says that it is who was meant.
    #[error("{host} is not trusted: {why}")]
    Certificate {
        /// Who was asked.
        host: String,
        /// What is wrong with the certificate there.
        why: String,
    },
    /// It took too long.
    #[error("{host} did not answer in time ({waited:?})")]
    TimedOut {
        /// Who was asked.
        host: String,
        /// How long it was given.
        waited: Duration,
    },
    /// The answer makes no sense.
    #[error("{host} gave an answer that makes no sense: {why}")]
    Broken {
        /// Who gave it.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file here cannot be read or written.
    #[error("a file on this machine: {0}")]
    File(#[from] std::io::Error),
}

impl Error {
    /// Who has to do something about it.
    pub fn origin(&self) -> Origin {
        match self {
            Error::Config { .. }
            | Error::NoBucket(_)
            | Error::Taken(_)
            | Error::Denied { .. }
            | Error::Clock { .. }
            | Error::Certificate { .. }
            | Error::Region(_)
            | Error::Unsupported { .. } => Origin::Settings,
            Error::Key(_) | Error::NoObject | Error::OutOfRange { .. } | Error::Changed => Origin::Caller,
            Error::Refused { .. }
            | Error::Busy { .. }
            | Error::Failed { .. }
            | Error::Unreachable { .. }
            | Error::TimedOut { .. }
            | Error::Broken { .. } => Origin::Provider,
            Error::File(_) => Origin::Machine,
        }
    }

    /// Whether asking again may help, as far as the server is concerned.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Error::Busy { .. }
                | Error::Failed { .. }
                | Error::Unreachable { .. }
                | Error::TimedOut { .. }
                | Error::Broken { .. }
        )
    }

    /// Whether it is sure that the server has not done what it was asked to.
    pub(super) fn is_undone(&self) -> bool {
        matches!(self, Error::Busy { .. } | Error::Unreachable { unsent: true, .. })
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> crate::Error {
        crate::Error::Storage(std::io::Error::other(error))
    }
}

/// Some refuse without a word.
fn after(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn human(by: Duration) -> String {
    match by.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds @ 7200..172_800 => format!("{} hours", seconds / 3600),
        seconds => format!("{} days", seconds / 86400),
    }
}

fn side(ahead: bool) -> &'static str {
    if ahead { "ahead" } else { "behind" }
}
