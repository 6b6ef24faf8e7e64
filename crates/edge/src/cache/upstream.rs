//! What the cache asks of whoever has the objects.

use super::ObjectKey;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The end of a [`Want`] that goes to the end of the object, however long it is.
pub const TO_THE_END: u64 = u64::MAX;

/// A part of an object that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The bytes. `0..TO_THE_END` is the whole object: ask without a Range.
    pub slice: Range<u64>,
    /// Ask conditionally: what we have is this.
    pub validators: Option<Validators>,
    /// There is a copy, with validators or without: a doubtful answer must not make an end of it.
    pub has_copy: bool,
}

/// What tells one version of an object from another, in the words of its origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// With its quotes, as it came.
    pub etag: Option<String>,
    pub last_modified: Option<SystemTime>,
}

/// The answer of an upstream. Statuses other than 200 and 206 need no body.
pub struct Reply {
    pub status: u16,
    pub meta: Meta,
    pub body: BoxStream<'static, Result<Bytes, Failure>>,
}

/// What an upstream says of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    pub content_type: Option<String>,
    /// Where the body begins within the object; 0 unless the status is 206.
    pub start: u64,
    /// Length of the whole object, as far as it is known.
    pub total: Option<u64>,
    pub etag: Option<String>,
    pub last_modified: Option<SystemTime>,
    /// How long it may be kept without asking again; only if the origin's word is honoured.
    pub fresh_for: Option<Duration>,
    /// Not to be kept anywhere: it goes through, for each request anew. Only if the origin's word is honoured.
    pub unkept: bool,
    /// Where a 301, 302, 307 or 308 leads.
    pub location: Option<String>,
}

/// The edges that a request has passed before this one, with commas between them; empty for most. They are compared and
/// counted.
pub type Chain = Arc<str>;

/// Why there is no answer, or no more of it. Cheap to clone: everybody who waits gets one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection: network, name or host are not there. Trying again helps later.
    #[error("the origin cannot be reached: {0}")]
    Unreachable(Arc<str>),
    /// It did not answer in time. Trying again helps later.
    #[error("the origin does not answer in time")]
    TimedOut,
    /// The answer made no sense or ended early. Trying again may help.
    #[error("the origin's answer is broken: {0}")]
    Broken(Arc<str>),
    /// Too much is being fetched already. Trying again helps soon.
    #[error("too many objects are being fetched")]
    Busy,
    /// The origin answered with this status.
    #[error("the origin answers with status {0}")]
    Refused(u16),
    /// The origin asks this edge: its answer is no word about how the origin does.
    #[error("the origin leads back to this edge: look at its url")]
    Circle,
    /// The object became another one while it was being sent. Asking from the beginning helps.
    #[error("the object has changed")]
    Changed,
}

impl Failure {
    pub(super) fn broken(why: &str) -> Failure {
        Failure::Broken(why.into())
    }
}

/// Whoever has the objects: a bucket, another server, or several of them in order.
///
/// A reply comes within the upstream's own times; redirects that it does not follow are replies.
pub trait Upstream: Send + Sync + 'static {
    fn fetch(&self, key: &ObjectKey, want: Want) -> BoxFuture<'static, Result<Reply, Failure>>;

    /// How long a reply may take by the upstream's own times, where it has several places to ask. Whoever waits has to
    /// wait so long at least: else the later ones are never asked.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// On whose behalf it asks. Who may wait for what was asked for on behalf of another chain is restricted: edges that
    /// ask each other would wait for each other.
    fn chain(&self) -> Chain {
        Chain::default()
    }
}
