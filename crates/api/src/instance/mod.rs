//! What clients ask first: who this site is and what it can do. <https://docs.joinmastodon.org/methods/instance/>

mod about;

use crate::{
    App,
    entities::{self, Account},
    http::{ApiError, ApiResult},
};
use axum::{
    Json, Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use domain::{
    Time, accounts,
    db::Conn,
    settings::{self, InstanceSettings, Registrations},
    statistics::{self, Statistics, Week},
    statuses::ContentType,
    users,
};
use serde_json::{Value, json};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The release of Mastodon that clients take features from who do not know the number below: with grouped
/// notifications, without what 4.4 has for filters.
const COMPATIBLE: &str = "4.3.0";
/// Mastodon's own number for its API: 2 is grouped notifications, 3 domains for attribution, 4 deleting media. 5 is
/// filters that blur, which are not here yet.
/// <https://docs.joinmastodon.org/entities/Instance/#api_versions>
const API_VERSION: i64 = 4;
/// How long a made document is given out: a change of the site's title shows after so long.
const FRESH: Duration = Duration::from_secs(5);
/// Counting reads whole tables.
const COUNTED: Duration = Duration::from_secs(300);
/// What uploads may be.
pub(crate) const MIME_TYPES: [&str; 5] = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"];

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/instance", get(v1))
        .route("/api/v2/instance", get(v2))
        .route("/api/v1/instance/rules", get(rules))
        .route("/api/v1/instance/peers", get(peers))
        .route("/api/v1/instance/extended_description", get(extended_description))
        .route("/api/v1/instance/domain_blocks", get(about::domain_blocks))
        .route("/api/v1/instance/privacy_policy", get(about::privacy_policy))
        .route("/api/v1/instance/terms_of_service", get(about::terms_of_service))
        .route("/api/v1/instance/terms_of_service/{date}", get(about::terms_of_service))
        .route("/api/v1/instance/translation_languages", get(about::translation_languages))
        .route("/api/v1/instance/activity", get(about::activity))
}

/// Documents made a moment ago: every client asks for them at every start, and they are the same for everybody.
#[derive(Default)]
pub struct Cache {
    v1: Mutex<Option<(Instant, Bytes)>>,
    v2: Mutex<Option<(Instant, Bytes)>>,
    numbers: Mutex<Option<(Instant, Statistics)>>,
    weeks: Mutex<Option<(Instant, Vec<Week>)>>,
}

fn fresh<T: Clone>(slot: &Mutex<Option<(Instant, T)>>, age: Duration) -> Option<T> {
    let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.as_ref().filter(|(made, _)| made.elapsed() < age).map(|(_, value)| value.clone())
}

fn keep<T: Clone>(slot: &Mutex<Option<(Instant, T)>>, value: T) -> T {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), value.clone()));
    value
}

fn document(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn numbers(app: &App, conn: &Conn) -> ApiResult<Statistics> {
    match fresh(&app.instance.numbers, COUNTED) {
        Some(known) => Ok(known),
        None => Ok(keep(&app.instance.numbers, statistics::count(conn, Time::now()).await?)),
    }
}

/// Whom to turn to.
async fn contact(app: &App, conn: &Conn, settings: &InstanceSettings) -> ApiResult<Option<Account>> {
    let row = match &settings.contact_username {
        Some(name) => accounts::store::by_handle(conn, name, None).await?,
        None => users::list(conn, None, 1).await?.into_iter().map(|(_, account)| account).next(),
    };
    match row {
        Some(row) => Ok(Some(entities::account(app, conn, row).await?)),
        None => Ok(None),
    }
}

/// `GET /api/v2/instance` <https://docs.joinmastodon.org/methods/instance/#v2>
async fn v2(State(app): State<App>) -> ApiResult<Response> {
    if let Some(body) = fresh(&app.instance.v2, FRESH) {
        return Ok(document(body));
    }
    let conn = app.db.read_long().await?;
    let settings = settings::read(&conn).await?;
    let made = json!({
        "domain": app.site.domain,
        "title": settings.title,
        "version": version(&app),
        "source_url": source_url(&app),
        "description": settings.description,
        "wrapstodon": null,
        "usage": { "users": { "active_month": numbers(&app, &conn).await?.active_month } },
        "thumbnail": { "url": thumbnail(&app, &settings), "description": "", "blurhash": null, "versions": {} },
        "icon": [],
        "languages": settings.languages,
        "configuration": configuration_v2(&app),
        "registrations": {
            "enabled": settings.open_to() != Registrations::Closed,
            "approval_required": settings.open_to() == Registrations::Approval,
            "reason_required": settings.open_to() == Registrations::Approval,
            "message": null,
            "min_age": null,
            "url": null,
        },
        "api_versions": { "mastodon": API_VERSION },
        "contact": { "email": settings.contact_email, "account": contact(&app, &conn, &settings).await? },
        "rules": rule_list(&settings),
    });
    Ok(document(keep(&app.instance.v2, serde_json::to_vec(&made).map_err(ApiError::internal)?.into())))
}

/// `GET /api/v1/instance` <https://docs.joinmastodon.org/methods/instance/#v1>
async fn v1(State(app): State<App>) -> ApiResult<Response> {
    if let Some(body) = fresh(&app.instance.v1, FRESH) {
        return Ok(document(body));
    }
    let conn = app.db.read_long().await?;
    let settings = settings::read(&conn).await?;
    let numbers = numbers(&app, &conn).await?;
    let limits = &app.site.limits;
    let made = json!({
        "uri": app.site.domain,
        "title": settings.title,
        "short_description": settings.description,
        "description": settings.about,
        "email": settings.contact_email,
        "version": version(&app),
        "urls": { "streaming_api": streaming_url(&app) },
        "stats": {
            "user_count": numbers.users, "status_count": numbers.statuses, "domain_count": numbers.domains,
        },
        "thumbnail": thumbnail(&app, &settings),
        "languages": settings.languages,
        "registrations": settings.open_to() != Registrations::Closed,
        "approval_required": settings.open_to() == Registrations::Approval,
        "invites_enabled": false,
        "configuration": {
            "accounts": { "max_featured_tags": domain::tags::FEATURED, "max_pinned_statuses": limits.pinned_statuses },
            "statuses": status_limits(&app),
            "media_attachments": media_limits(&app),
            "polls": poll_limits(&app),
        },
        "contact_account": contact(&app, &conn, &settings).await?,
        "rules": rule_list(&settings),
    });
    Ok(document(keep(&app.instance.v1, serde_json::to_vec(&made).map_err(ApiError::internal)?.into())))
}

fn version(app: &App) -> String {
    format!("{COMPATIBLE} (compatible; Noren {})", app.version)
}

/// Where the source of what runs here is, as far as the package says; else the page about the site.
fn source_url(app: &App) -> String {
    match option_env!("CARGO_PKG_REPOSITORY") {
        Some(url) if !url.is_empty() => url.to_owned(),
        _ => format!("{}/about", app.site.base_url),
    }
}

fn streaming_url(app: &App) -> String {
    let base = &app.site.base_url;
    match base.strip_prefix("https") {
        Some(rest) => format!("wss{rest}"),
        None => base.replacen("http", "ws", 1),
    }
}

fn thumbnail(app: &App, settings: &InstanceSettings) -> Option<String> {
    let own = settings.thumbnail.as_ref().map(|key| app.site.media(key));
    own.or_else(|| Some(format!("{}/headers/original/missing.png", app.site.base_url)))
}

fn rule_list(settings: &InstanceSettings) -> Vec<Value> {
    let one =
        |r: &settings::Rule| json!({ "id": r.id.to_string(), "text": r.text, "hint": r.hint, "translations": {} });
    settings.rules.iter().map(one).collect()
}

fn status_limits(app: &App) -> Value {
    let types = ContentType::ALL.iter().filter(|t| app.site.limits.markdown || **t == ContentType::Plain);
    json!({
        "max_characters": app.site.limits.status_characters,
        "max_media_attachments": app.site.limits.status_media,
        "characters_reserved_per_url": domain::text::count::URL_CHARS,
        // Not Mastodon's: how posts may be written.
        "supported_mime_types": types.collect::<Vec<_>>(),
    })
}

fn media_limits(app: &App) -> Value {
    json!({
        "supported_mime_types": MIME_TYPES,
        "description_limit": app.site.limits.media_description_characters,
        "image_size_limit": app.media_limits.max_bytes,
        "image_matrix_limit": app.media_limits.max_pixels,
        // Video and audio are not taken: these say nothing but must be there.
        "video_size_limit": 0,
        "video_frame_rate_limit": 0,
        "video_matrix_limit": 0,
    })
}

fn poll_limits(app: &App) -> Value {
    json!({
        "max_options": app.site.limits.poll_options,
        "max_characters_per_option": app.site.limits.poll_option_characters,
        "min_expiration": domain::polls::LIFETIME.start(),
        "max_expiration": domain::polls::LIFETIME.end(),
    })
}

fn configuration_v2(app: &App) -> Value {
    let limits = &app.site.limits;
    let feeds = json!({ "local": "public", "remote": "public" });
    json!({
        "urls": {
            "streaming": streaming_url(app), "status": null, "about": format!("{}/about", app.site.base_url),
            "privacy_policy": null, "terms_of_service": null,
        },
        "vapid": { "public_key": "" },
        "accounts": {
            "max_display_name_length": limits.display_name_characters,
            "max_note_length": limits.note_characters,
            "max_avatar_description_length": 150,
            "max_header_description_length": 150,
            "max_featured_tags": domain::tags::FEATURED,
            "max_pinned_statuses": limits.pinned_statuses,
            "max_profile_fields": limits.profile_fields,
            "profile_field_name_limit": 255,
            "profile_field_value_limit": 255,
        },
        "statuses": status_limits(app),
        "media_attachments": media_limits(app),
        "polls": poll_limits(app),
        "translation": { "enabled": false },
        "timelines_access": { "live_feeds": feeds, "hashtag_feeds": feeds, "trending_link_feeds": feeds },
        "limited_federation": app.federation.policy.is_limited(),
    })
}

/// `GET /api/v1/instance/rules` <https://docs.joinmastodon.org/methods/instance/#rules>
async fn rules(State(app): State<App>) -> ApiResult<Json<Vec<Value>>> {
    let settings = settings::read(&app.db.read().await?).await?;
    Ok(Json(rule_list(&settings)))
}

/// `GET /api/v1/instance/peers`: without those that are blocked; nothing where federation is limited.
/// <https://docs.joinmastodon.org/methods/instance/#peers>
async fn peers(State(app): State<App>) -> ApiResult<Json<Vec<String>>> {
    let policy = &app.federation.policy;
    if policy.is_limited() {
        return Err(ApiError::not_found());
    }
    let mut peers = accounts::remote::domains(&app.db.read_long().await?).await?;
    let rules = policy.rules().await?;
    peers.retain(|domain| !rules.suspends(domain));
    Ok(Json(peers))
}

/// `GET /api/v1/instance/extended_description`
/// <https://docs.joinmastodon.org/methods/instance/#extended_description>
async fn extended_description(State(app): State<App>) -> ApiResult<Json<Value>> {
    let settings = settings::read(&app.db.read().await?).await?;
    let none = domain::text::Mentions::new();
    let options =
        domain::text::Options { base_url: &app.site.base_url, local_domains: &app.site.domains(), mentions: &none };
    Ok(Json(json!({ "updated_at": null, "content": domain::text::html(&settings.about, &options) })))
}
