//! Markers. <https://docs.joinmastodon.org/methods/markers/>

use crate::{
    App,
    auth::{User, scope},
    entities::Iso,
    http::{ApiResult, Id, Json, Params},
};
use axum::{Router, extract::State, routing::get};
use domain::{ids::StatusId, markers};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/markers", get(list).post(set))
}

/// <https://docs.joinmastodon.org/entities/Marker/>
#[derive(Serialize)]
struct Marker {
    last_read_id: String,
    version: i64,
    updated_at: Iso,
}

type Markers = BTreeMap<String, Marker>;

fn entities(rows: Vec<markers::Marker>) -> Markers {
    let one = |m: markers::Marker| {
        let marker =
            Marker { last_read_id: m.last_read_id.to_string(), version: m.version, updated_at: Iso(m.updated_at) };
        (m.timeline, marker)
    };
    rows.into_iter().map(one).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    timeline: Vec<String>,
}

/// `GET /api/v1/markers` <https://docs.joinmastodon.org/methods/markers/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    Params(form): Params<Wanted>,
) -> ApiResult<Json<Markers>> {
    let mut rows = markers::list(&app.db.read().await?, user.account).await?;
    rows.retain(|m| form.timeline.contains(&m.timeline));
    Ok(Json(entities(rows)))
}

/// A position is the id of a status or a notification.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Position {
    last_read_id: Id<StatusId>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Positions {
    home: Option<Position>,
    notifications: Option<Position>,
}

/// `POST /api/v1/markers` <https://docs.joinmastodon.org/methods/markers/#create>
async fn set(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Params(form): Params<Positions>,
) -> ApiResult<Json<Markers>> {
    let mut positions = Vec::new();
    for (name, position) in [("home", form.home), ("notifications", form.notifications)] {
        if let Some(id) = position.map(|p| p.last_read_id.optional()).transpose()?.flatten() {
            positions.push((name, id.0));
        }
    }
    Ok(Json(entities(markers::set(&app.db, user.account, &positions).await?)))
}
