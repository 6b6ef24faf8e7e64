//! Two-factor sign-in: the question for the code at the door, and where one turns it on and off.

mod code;
mod qr;
mod settings;

use crate::{Web, cookies::Cookie, visit::Visit};
use axum::{
    Router,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use url::form_urlencoded;

pub(crate) use settings::card;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/auth/two_factor", get(code::show).post(code::answer))
        .route("/settings/two_factor", get(settings::show))
        .route("/settings/two_factor/prepare", post(settings::prepare))
        .route("/settings/two_factor/enable", post(settings::enable))
        .route("/settings/two_factor/codes", post(settings::renew_codes))
        .route("/settings/two_factor/disable", post(settings::disable))
}

/// Sends somebody whose password was right to the question for the code.
pub(crate) fn ask(visit: &Visit, challenge: &str, return_to: &str) -> Response {
    let mut response = Redirect::to(&path(visit, &[("return_to", return_to)])).into_response();
    let cookie = Cookie::Challenge.set(&visit.web, challenge);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// The question's path with those of `pairs` that are not empty.
fn path(visit: &Visit, pairs: &[(&str, &str)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    visit.path(format!("/auth/two_factor?{query}").trim_end_matches('?'))
}
