//! Accounts: looking at people, following, blocking and muting them, and one's own profile.
//! Signing up is in `registration`.

mod credentials;
mod lists;
mod pictures;
mod profile;
mod read;
mod relations;
mod statuses;

pub(crate) use lists::listed;

use crate::App;
use axum::{
    Router,
    routing::{delete, get, patch, post},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/accounts", get(read::several))
        .route("/api/v1/accounts/verify_credentials", get(credentials::verify))
        .route("/api/v1/accounts/update_credentials", patch(credentials::update))
        .route("/api/v1/accounts/relationships", get(relations::several))
        .route("/api/v1/accounts/familiar_followers", get(lists::familiar_followers))
        .route("/api/v1/accounts/search", get(read::search))
        .route("/api/v1/accounts/lookup", get(read::lookup))
        .route("/api/v1/accounts/{id}", get(read::one))
        .route("/api/v1/accounts/{id}/statuses", get(statuses::list))
        .route("/api/v1/accounts/{id}/followers", get(lists::followers))
        .route("/api/v1/accounts/{id}/following", get(lists::following))
        .route("/api/v1/accounts/{id}/endorsements", get(lists::endorsements))
        .route("/api/v1/accounts/{id}/featured_tags", get(lists::featured_tags))
        .route("/api/v1/accounts/{id}/lists", get(lists::containing))
        .route("/api/v1/accounts/{id}/follow", post(relations::follow))
        .route("/api/v1/accounts/{id}/unfollow", post(relations::unfollow))
        .route("/api/v1/accounts/{id}/remove_from_followers", post(relations::remove_from_followers))
        .route("/api/v1/accounts/{id}/block", post(relations::block))
        .route("/api/v1/accounts/{id}/unblock", post(relations::unblock))
        .route("/api/v1/accounts/{id}/mute", post(relations::mute))
        .route("/api/v1/accounts/{id}/unmute", post(relations::unmute))
        .route("/api/v1/accounts/{id}/note", post(relations::note))
        .route("/api/v1/accounts/{id}/endorse", post(relations::endorse))
        .route("/api/v1/accounts/{id}/unendorse", post(relations::unendorse))
        .route("/api/v1/accounts/{id}/pin", post(relations::endorse))
        .route("/api/v1/accounts/{id}/unpin", post(relations::unendorse))
        .route("/api/v1/endorsements", get(lists::own_endorsements))
        .route("/api/v1/profile", get(profile::show).patch(profile::update))
        .route("/api/v1/profile/avatar", delete(credentials::delete_avatar))
        .route("/api/v1/profile/header", delete(credentials::delete_header))
}
