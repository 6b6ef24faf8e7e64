//! OAuth 2 for programs: tokens, their end, who somebody is, and where all of this is found.
//! The pages on which people sign in and consent are in `web`.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Empty},
    http::{ApiError, ApiResult, OAuthError, Params},
};
use axum::{
    Json, Router,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    accounts,
    oauth::{self, Issued, Redeem, Refusal, Scope, apps, tokens},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/userinfo", get(userinfo).post(userinfo))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

/// <https://docs.joinmastodon.org/entities/Token/>
#[derive(Debug, Serialize)]
pub struct Token {
    pub access_token: String,
    pub token_type: &'static str,
    pub scope: String,
    /// Epoch seconds.
    pub created_at: i64,
}

impl From<Issued> for Token {
    fn from(issued: Issued) -> Self {
        Self {
            access_token: issued.token,
            token_type: "Bearer",
            scope: issued.scopes.to_string(),
            created_at: issued.created_at.seconds(),
        }
    }
}

impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Client => Self::InvalidClient,
            Refusal::Grant => Self::InvalidGrant,
            Refusal::Scope => Self::InvalidScope,
            Refusal::Foreign => Self::UnauthorizedClient,
            Refusal::Other(e) => Self::Other(e.into()),
        }
    }
}

/// What the two endpoints take, together; see there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    scope: String,
    token: String,
    client_id: String,
    client_secret: String,
}

/// A form and the application that proved to have sent it.
struct Proven {
    client: oauth::App,
    form: Form,
}

impl FromRequest<App> for Proven {
    type Rejection = OAuthError;

    async fn from_request(request: Request, app: &App) -> Result<Self, OAuthError> {
        let basic = basic(request.headers());
        let Params(form) = Params::<Form>::from_request(request, app).await?;
        let (id, secret) = basic.as_ref().map_or((&form.client_id, &form.client_secret), |(id, secret)| (id, secret));
        let conn = app.db.read().await.map_err(ApiError::from)?;
        let client = apps::authenticate(&conn, id, secret).await.map_err(ApiError::from)?;
        Ok(Self { client: client.ok_or(OAuthError::InvalidClient)?, form })
    }
}

/// Name and secret of RFC 6749, section 2.3.1. Ours need no escapes, but some clients write them.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(String::from);
    Some((plain(id)?, plain(secret)?))
}

/// `POST /oauth/token` <https://docs.joinmastodon.org/methods/oauth/#token>
async fn token(State(app): State<App>, Proven { client, form }: Proven) -> Result<Response, OAuthError> {
    let issued = match form.grant_type.as_str() {
        "authorization_code" => {
            let redeem = Redeem { code: &form.code, redirect_uri: &form.redirect_uri, verifier: &form.code_verifier };
            oauth::exchange(&app.db, &client, redeem).await?
        }
        "client_credentials" => tokens::client_credentials(&app.db, &client, &form.scope).await?,
        "" => return Err(OAuthError::InvalidRequest("Missing required parameter: grant_type.".into())),
        _ => return Err(OAuthError::UnsupportedGrantType),
    };
    Ok(uncached(Token::from(issued)))
}

/// `POST /oauth/revoke` <https://docs.joinmastodon.org/methods/oauth/#revoke>
async fn revoke(State(app): State<App>, Proven { client, form }: Proven) -> Result<Json<Empty>, OAuthError> {
    tokens::revoke(&app.db, &client, &form.token).await?;
    Ok(Json(Empty {}))
}

/// RFC 6749, section 5.1: what carries a token is not kept by anybody on its way.
fn uncached(answer: impl Serialize) -> Response {
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (headers, Json(answer)).into_response()
}

/// `GET /oauth/userinfo` <https://docs.joinmastodon.org/methods/oauth/#userinfo>
async fn userinfo(State(app): State<App>, user: User<scope::ReadProfile>) -> ApiResult<Json<Value>> {
    let conn = app.db.read().await?;
    let row = accounts::store::by_id(&conn, user.account).await?.ok_or_else(ApiError::unauthorized)?;
    let shown = entities::account(&app, &conn, row).await?;
    Ok(Json(json!({
        "iss": issuer(&app),
        "sub": shown.uri,
        "name": shown.display_name,
        "preferred_username": shown.username,
        "profile": shown.url,
        "picture": shown.avatar,
    })))
}

fn issuer(app: &App) -> String {
    format!("{}/", app.site.base_url)
}

/// `GET /.well-known/oauth-authorization-server` <https://docs.joinmastodon.org/methods/oauth/#authorization-server-metadata>
async fn metadata(State(app): State<App>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", app.site.base_url);
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    Json(json!({
        "issuer": issuer(&app),
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/revoke"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "app_registration_endpoint": at("/api/v1/apps"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "service_documentation": "https://docs.joinmastodon.org/",
    }))
}
