//! Why a file cannot be had, and what is answered then.

use super::empty;
use edge::cache::{Failure, Reply};
use federation::fetch;
use std::io;

#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Fetch(#[from] fetch::Error),
    #[error("{0}")]
    Media(#[from] media::Error),
    /// Whatever it is called, it is nothing that is shown here.
    #[error("it is not what was announced")]
    NotMedia,
    #[error("{0}")]
    Given(Failure),
    #[error("cannot keep it for the moment: {0}")]
    Disk(#[from] io::Error),
}

impl Trouble {
    /// When the next file of the host will hardly fare better.
    pub(super) fn of_the_host(&self) -> Option<&fetch::Error> {
        match self {
            Self::Fetch(error) if error.is_of_the_host() => Some(error),
            _ => None,
        }
    }

    /// Absent where asking again gives the same.
    pub(super) fn into_answer(self) -> Result<Reply, Failure> {
        match self {
            Self::Fetch(fetch::Error::Status { status: 416, .. }) => Ok(empty(416)),
            Self::Fetch(fetch::Error::Busy) | Self::Media(media::Error::Busy) => Err(Failure::Busy),
            Self::Fetch(fetch::Error::TimedOut) => Err(Failure::TimedOut),
            Self::Fetch(fetch::Error::Status { status, .. }) if status == 429 || status >= 500 => {
                Err(Failure::Refused(status))
            }
            Self::Fetch(error) if error.passes() && !matches!(error, fetch::Error::Status { .. }) => {
                Err(Failure::Unreachable(error.to_string().into()))
            }
            Self::Given(failure) => Err(failure),
            Self::Disk(error) => Err(Failure::Broken(error.to_string().into())),
            Self::Media(media::Error::Storage(error)) => Err(Failure::Broken(error.to_string().into())),
            Self::Fetch(_) | Self::Media(media::Error::Input(_)) | Self::NotMedia => Ok(empty(404)),
        }
    }
}

/// In the middle of a body there is only one way to say it.
pub(super) fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::Broken(error.to_string().into())
}
