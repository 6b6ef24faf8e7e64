//! Mastodon's client API: entities, endpoints, paging, streaming.
//!
//! A noun is a file (or a folder) with its endpoints and their `routes()`; what they answer is in `entities`.

pub mod accounts;
mod announcements;
pub mod apps;
mod assets;
mod async_refreshes;
pub mod auth;
mod blocks;
mod bookmarks;
mod conversations;
mod directory;
mod emails;
mod emojis;
pub mod entities;
mod favourites;
mod featured_tags;
mod follow_requests;
mod health;
pub mod http;
pub mod instance;
mod lists;
mod markers;
pub mod media;
mod mutes;
mod notifications;
pub mod oauth;
mod polls;
mod preferences;
mod registration;
mod reports;
mod scheduled_statuses;
mod search;
mod statuses;
pub mod streaming;
mod suggestions;
mod tags;
mod timelines;
mod trends;

use axum::{Router, extract::FromRef};
use domain::{Db, site::Site};
use std::{ops::Deref, sync::Arc};

/// What every endpoint works with. Cheap to clone; dereferences to its parts.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub db: Db,
    pub site: Arc<Site>,
    pub store: ::media::Store,
    pub pool: ::media::Pool,
    pub media_limits: ::media::Limits,
    pub streams: streaming::Streams,
    pub instance: instance::Cache,
    pub federation: federation::Federation,
    /// The program's version, such as `0.1.0`.
    pub version: &'static str,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<App> for http::BaseUrl {
    fn from_ref(app: &App) -> Self {
        Self::new(&app.site.base_url)
    }
}

impl FromRef<App> for http::upload::UploadDir {
    fn from_ref(app: &App) -> Self {
        Self(app.store.spool().into())
    }
}

impl FromRef<App> for http::upload::UploadLimits {
    fn from_ref(app: &App) -> Self {
        Self { file_bytes: app.media_limits.max_bytes }
    }
}

impl FromRef<App> for Db {
    fn from_ref(app: &App) -> Self {
        app.db.clone()
    }
}

/// All endpoints. The binary adds what is around them: addresses of clients, rate limits, CORS.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(accounts::routes())
        .merge(announcements::routes())
        .merge(apps::routes())
        .merge(assets::routes())
        .merge(async_refreshes::routes())
        .merge(blocks::routes())
        .merge(bookmarks::routes())
        .merge(conversations::routes())
        .merge(directory::routes())
        .merge(emails::routes())
        .merge(emojis::routes())
        .merge(favourites::routes())
        .merge(featured_tags::routes())
        .merge(follow_requests::routes())
        .merge(health::routes())
        .merge(instance::routes())
        .merge(lists::routes())
        .merge(markers::routes())
        .merge(media::routes())
        .merge(mutes::routes())
        .merge(notifications::routes())
        .merge(oauth::routes())
        .merge(polls::routes())
        .merge(preferences::routes())
        .merge(registration::routes())
        .merge(reports::routes())
        .merge(scheduled_statuses::routes())
        .merge(search::routes())
        .merge(statuses::routes())
        .merge(streaming::routes())
        .merge(tags::routes())
        .merge(suggestions::routes())
        .merge(timelines::routes())
        .merge(trends::routes())
        .with_state(app)
}
