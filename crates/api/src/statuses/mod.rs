//! Statuses. <https://docs.joinmastodon.org/methods/statuses/>

mod actions;
mod people;
mod quotes;
mod reactions;
mod read;
mod write;

pub(crate) use quotes::own_policy;

use crate::App;
use axum::{
    Router,
    routing::{get, post, put},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/statuses", post(write::create).get(read::several))
        .route("/api/v1/statuses/{id}", get(read::one).put(write::edit).delete(write::delete))
        .route("/api/v1/statuses/{id}/context", get(read::context))
        .route("/api/v1/statuses/{id}/history", get(read::history))
        .route("/api/v1/statuses/{id}/source", get(read::source))
        .route("/api/v1/statuses/{id}/card", get(read::card))
        .route("/api/v1/statuses/{id}/reblogged_by", get(people::reblogged_by))
        .route("/api/v1/statuses/{id}/favourited_by", get(people::favourited_by))
        .route("/api/v1/statuses/{id}/quotes", get(quotes::list))
        .route("/api/v1/statuses/{id}/quotes/{quoting}/revoke", post(quotes::revoke))
        .route("/api/v1/statuses/{id}/interaction_policy", put(quotes::set_policy))
        .route("/api/v1/pleroma/statuses/{id}/reactions", get(reactions::list))
        .route(
            "/api/v1/pleroma/statuses/{id}/reactions/{emoji}",
            get(reactions::one).put(reactions::put).delete(reactions::delete),
        )
        .route("/api/v1/statuses/{id}/favourite", post(actions::favourite))
        .route("/api/v1/statuses/{id}/unfavourite", post(actions::unfavourite))
        .route("/api/v1/statuses/{id}/reblog", post(actions::reblog))
        .route("/api/v1/statuses/{id}/unreblog", post(actions::unreblog))
        .route("/api/v1/statuses/{id}/bookmark", post(actions::bookmark))
        .route("/api/v1/statuses/{id}/unbookmark", post(actions::unbookmark))
        .route("/api/v1/statuses/{id}/pin", post(actions::pin))
        .route("/api/v1/statuses/{id}/unpin", post(actions::unpin))
        .route("/api/v1/statuses/{id}/mute", post(actions::mute))
        .route("/api/v1/statuses/{id}/unmute", post(actions::unmute))
}
