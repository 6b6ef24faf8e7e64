//! Why nothing came back.

use std::time::Duration;
use url::Url;

#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one that may be asked.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It leads to this server.
    #[error("this is our own address")]
    Ours,
    /// This site has nothing to do with that server.
    #[error("this server is blocked here")]
    Blocked,
    #[error("the name does not resolve: {0}")]
    Unresolved(String),
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("no secure connection: {0}")]
    Tls(String),
    #[error("it took too long")]
    TimedOut,
    /// The connection broke, or what came is not HTTP.
    #[error("the answer is broken: {0}")]
    Broken(String),
    #[error("the answer is too large")]
    TooLarge,
    #[error("too many redirects, or one that leads nowhere")]
    Redirects,
    /// Any answer but a success, signatures of other forms tried. `note`: what else is known of why.
    #[error("answered with {status}{note}")]
    Status { status: u16, retry_after: Option<Duration>, note: String },
    /// Not a document; `alternate` is where the page says that its document is.
    #[error("not an ActivityPub document but {kind}")]
    Type { kind: String, alternate: Option<Url> },
    #[error("not JSON, or JSON that is too deep or too large")]
    NotJson,
    /// The document's id is missing or is not where it was found.
    #[error("the document is not where its id says")]
    Origin,
    /// Too much is being fetched, from everywhere or from there.
    #[error("busy")]
    Busy,
    /// Our own key does not sign.
    #[error("cannot sign: {0}")]
    Key(#[from] crate::signatures::KeyError),
}

impl Error {
    /// The thing existed and does no more, or never did.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }
    /// Asking again later may help.
    pub fn passes(&self) -> bool {
        match self {
            Self::Unresolved(_)
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::TimedOut
            | Self::Broken(_)
            | Self::Busy => true,
            Self::Status { status, .. } => matches!(status, 401 | 408 | 429) || (*status >= 500 && *status != 501),
            _ => false,
        }
    }
    /// The host as a whole does not answer: the next request will hardly fare better.
    pub fn is_of_the_host(&self) -> bool {
        matches!(self, Self::Unresolved(_) | Self::Unreachable(_) | Self::Tls(_) | Self::TimedOut)
    }
    /// Nothing was asked yet: no request can be the reason.
    pub fn is_of_the_connection(&self) -> bool {
        matches!(self, Self::Unresolved(_) | Self::Unreachable(_) | Self::Tls(_))
    }
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
