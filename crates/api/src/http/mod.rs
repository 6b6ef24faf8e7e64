//! What every endpoint shares: reading parameters, answering errors, paging, rate limits and CORS.
//! Nothing here knows a noun; the endpoints do.

pub mod cors;
mod de;
pub mod error;
mod json;
mod multipart;
pub mod oauth_error;
pub mod paging;
mod param_error;
pub mod params;
pub mod path;
pub mod rate_limit;
pub mod request_id;
mod tree;
pub mod types;
pub mod upload;

pub use error::{ApiError, ApiResult};
pub use json::Json;
pub use oauth_error::OAuthError;
pub use paging::{Links, Page, PageLimits, Paged, Paging};
pub use params::Params;
pub use path::Path;
pub use types::{Given, Id};
pub use upload::Upload;

use std::sync::Arc;

/// The binary puts it into the request's extensions before any layer of this crate runs.
pub use domain::site::ClientIp;

/// Scheme and authority under which the server is known, without a trailing slash: `https://example.org`.
/// Absolute links in answers start with it.
#[derive(Clone, Debug)]
pub struct BaseUrl(Arc<str>);

impl BaseUrl {
    pub fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
