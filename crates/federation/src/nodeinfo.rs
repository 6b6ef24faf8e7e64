//! What this server is: <https://nodeinfo.diaspora.software/>.

use crate::{Federation, Path, Refusal};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use domain::Time;
use domain::settings::{self, Registrations};
use domain::statistics::{self, Statistics};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How old the public numbers may be.
const FRESH: Duration = Duration::from_secs(300);
const CACHE: &str = "max-age=259200, public";

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/.well-known/nodeinfo", get(links)).route("/nodeinfo/{version}", get(document))
}

/// `GET /.well-known/nodeinfo` <https://nodeinfo.diaspora.software/protocol>
async fn links(State(federation): State<Federation>) -> Response {
    let link = |version: &str| {
        json!({
            "rel": format!("http://nodeinfo.diaspora.software/ns/schema/{version}"),
            "href": format!("{}/nodeinfo/{version}", federation.site.base_url),
        })
    };
    let site = json!({ "rel": "https://www.w3.org/ns/activitystreams#Application", "href": federation.site_uri() });
    let document = json!({ "links": [link("2.0"), link("2.1"), site] });
    ([(header::CACHE_CONTROL, CACHE)], Json(document)).into_response()
}

/// `GET /nodeinfo/2.0`, `GET /nodeinfo/2.1` <https://nodeinfo.diaspora.software/schema>
async fn document(State(federation): State<Federation>, Path(version): Path<String>) -> Result<Response, Refusal> {
    if version != "2.0" && version != "2.1" {
        return Err(Refusal::Unknown);
    }
    let counted = federation.statistics().await?;
    let settings = settings::read(&federation.db.read().await?).await?;
    let document = json!({
        "version": version,
        "software": software(&version),
        "protocols": ["activitypub"],
        "services": { "inbound": [], "outbound": [] },
        "openRegistrations": settings.open_to() != Registrations::Closed,
        "usage": {
            "users": {
                "total": counted.users,
                "activeMonth": counted.active_month,
                "activeHalfyear": counted.active_halfyear,
            },
            "localPosts": counted.statuses,
            "localComments": counted.answers,
        },
        "metadata": { "nodeName": settings.title, "nodeDescription": settings.description },
    });
    let kind = format!("application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/{version}#\"");
    let headers = [(header::CONTENT_TYPE, kind.as_str()), (header::CACHE_CONTROL, "max-age=1800, public")];
    Ok((headers, document.to_string()).into_response())
}

/// Where the source is, as far as the package says: since 2.1, before which nothing else may stand there.
fn software(version: &str) -> Value {
    let mut software = json!({ "name": "noren", "version": env!("CARGO_PKG_VERSION") });
    let places = [("repository", option_env!("CARGO_PKG_REPOSITORY")), ("homepage", option_env!("CARGO_PKG_HOMEPAGE"))];
    for (name, place) in places {
        if let Some(place) = place.filter(|place| version != "2.0" && !place.is_empty()) {
            software[name] = place.into();
        }
    }
    software
}

impl Federation {
    /// Counted at most once in [`FRESH`]; who asks meanwhile waits for the count that runs.
    async fn statistics(&self) -> domain::Result<Statistics> {
        let mut kept = self.statistics.lock().await;
        if let Some((at, statistics)) = &*kept
            && at.elapsed() < FRESH
        {
            return Ok(statistics.clone());
        }
        let statistics = statistics::count(&self.db.read_long().await?, Time::now()).await?;
        *kept = Some((Instant::now(), statistics.clone()));
        Ok(statistics)
    }
}
