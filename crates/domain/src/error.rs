//! What can go wrong in the domain. Each border (API, page, command line, worker) maps these once to its own language.

use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not there, or not for this person to know about: the two are never told apart.
    #[error("record not found")]
    NotFound,
    /// The account is known and suspended, or the thing is gone for good.
    #[error("gone")]
    Gone,
    #[error("{0}")]
    Forbidden(String),
    /// A value given by a person is not acceptable; `why` is a sentence fragment such as "can't be blank".
    #[error("{field} {why}")]
    Invalid { field: &'static str, why: String },
    #[error("{0}")]
    Conflict(String),
    /// Try again after this long.
    #[error("busy, try again in {0:?}")]
    Busy(Duration),
    #[error("{0} could not be reached")]
    Unreachable(String),
    /// Our fault. Logged once at the border, never shown.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }
    pub fn forbidden(why: impl Into<String>) -> Self {
        Self::Forbidden(why.into())
    }
    pub fn internal(why: impl Into<String>) -> Self {
        Self::Internal(anyhow::anyhow!(why.into()))
    }
}

/// Foreign errors are ours to answer for: none of them becomes a status code by accident.
macro_rules! internal {
    ($($t:ty),* $(,)?) => { $(impl From<$t> for Error {
        fn from(e: $t) -> Self { Self::Internal(e.into()) }
    })* };
}
internal!(
    rusqlite::Error,
    tokio_postgres::Error,
    serde_json::Error,
    std::io::Error,
    std::fmt::Error,
    tokio::task::JoinError,
);
