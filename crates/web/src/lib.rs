//! HTML: first start, sign-in, consent, one's own settings, and what everybody may see.
//!
//! A page is a file with its address, what it looks up and what it shows. No page needs a script.

mod about;
mod assets;
mod authorize;
mod cookies;
mod elsewhere;
mod error;
mod forms;
mod home;
mod interact;
mod invites;
mod lang;
mod page;
mod people;
mod posts;
mod settings;
mod setup;
mod sign_in;
mod sign_up;
mod status;
mod two_factor;
mod visit;
mod waiting;
mod words;

pub use error::{error_page, not_found};

use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn};
use domain::{Db, Result, sessions::Attempts, site::Site, users};
use federation::Federation;
use std::{ops::Deref, sync::Arc};

/// Bytes of a form: more than any of ours can hold.
const FORM_BYTES: usize = 64 * 1024;

/// What every page works with. Cheap to clone; dereferences to its parts.
#[derive(Clone)]
pub struct Web(Arc<Parts>);

pub struct Parts {
    pub db: Db,
    pub site: Arc<Site>,
    /// Finds people and posts elsewhere.
    pub federation: Federation,
    /// Tries to sign in: one counter for the whole process.
    pub attempts: Attempts,
    /// The program's version, such as `0.1.0`.
    pub version: &'static str,
}

impl Web {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether people come over TLS.
    fn is_secure(&self) -> bool {
        self.site.base_url.starts_with("https://")
    }
}

impl Deref for Web {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// All pages. The client's address is taken from the request's extension [`domain::site::ClientIp`].
pub fn router(web: Web) -> Router {
    Router::new()
        .merge(about::routes())
        .merge(assets::routes())
        .merge(authorize::routes())
        .merge(home::routes())
        .merge(interact::routes())
        .merge(invites::routes())
        .merge(people::routes())
        .merge(settings::routes())
        .merge(setup::routes())
        .merge(sign_in::routes())
        .merge(sign_up::routes())
        .merge(status::routes())
        .merge(two_factor::routes())
        .merge(waiting::routes())
        .method_not_allowed_fallback(error::wrong_method)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(from_fn(error::speak))
        .with_state(web)
}

/// The link on which the first person becomes the owner; None once somebody is here.
pub async fn setup_link(db: &Db, site: &Site) -> Result<Option<String>> {
    let token = users::setup::token(db).await?;
    Ok(token.map(|token| format!("{}/setup?token={token}", site.base_url)))
}
