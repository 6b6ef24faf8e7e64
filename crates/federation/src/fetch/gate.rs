//! Who may be asked at all, as somebody else decides.

use super::{Error, Scope};
use std::future::Future;
use std::pin::Pin;

/// Whether a host may be asked, to come; [`Error::Blocked`] when it may not.
pub type Admission<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Asked before each connection, after each redirect too.
pub trait Gate: Send + Sync {
    fn admit<'a>(&'a self, host: &'a str, scope: Scope) -> Admission<'a>;
}

/// Everybody may be asked.
pub struct Open;

impl Gate for Open {
    fn admit<'a>(&'a self, _: &'a str, _: Scope) -> Admission<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}
