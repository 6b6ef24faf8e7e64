//! How other servers find this one and the people on it, and what they say to each other: ActivityPub.

pub mod documents;
pub mod fetch;
mod host_meta;
mod nodeinfo;
pub mod signatures;
mod webfinger;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::statistics::Statistics;
use domain::{Db, site::Site};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;

/// What discovery has to know. Cheap to clone.
#[derive(Clone)]
pub struct Discovery {
    db: Db,
    site: Arc<Site>,
    /// Public numbers and when they were counted.
    statistics: Arc<Mutex<Option<(Instant, Statistics)>>>,
}

impl Discovery {
    pub fn new(db: Db, site: Arc<Site>) -> Self {
        Self { db, site, statistics: Arc::default() }
    }
}

/// `/.well-known/{webfinger,nodeinfo,host-meta}` and `/nodeinfo`. CORS is the caller's business.
pub fn router(discovery: Discovery) -> Router {
    Router::new().merge(webfinger::routes()).merge(nodeinfo::routes()).merge(host_meta::routes()).with_state(discovery)
}

/// Why there is no answer.
#[derive(Debug)]
enum Refusal {
    /// The question cannot be understood.
    Bad(&'static str),
    Unknown,
    /// There was such an account.
    Gone,
    Internal(domain::Error),
}

impl From<domain::Error> for Refusal {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::NotFound => Self::Unknown,
            domain::Error::Gone => Self::Gone,
            other => Self::Internal(other),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Bad(why) => (StatusCode::BAD_REQUEST, why),
            Self::Unknown => (StatusCode::NOT_FOUND, "Not Found"),
            Self::Gone => (StatusCode::GONE, "Gone"),
            Self::Internal(domain::Error::Busy(_)) => (StatusCode::SERVICE_UNAVAILABLE, "Try again later"),
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "discovery failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        };
        (status, axum::Json(serde_json::json!({ "error": text }))).into_response()
    }
}
