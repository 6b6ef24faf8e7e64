//! Registering applications.

use crate::{
    App,
    auth::AppOnly,
    http::{ApiError, ApiResult, Params},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use domain::{
    ids::AppId,
    oauth::{self, NewApp, apps},
};
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/apps", post(create)).route("/api/v1/apps/verify_credentials", get(verify_credentials))
}

/// <https://docs.joinmastodon.org/entities/Application/>
#[derive(Clone, Debug, Serialize)]
pub struct Application {
    pub id: AppId,
    pub name: String,
    pub website: Option<String>,
    pub scopes: Vec<&'static str>,
    pub redirect_uris: Vec<String>,
    /// Deprecated: all of them, one in each line.
    pub redirect_uri: String,
    /// Deprecated.
    pub vapid_key: &'static str,
}

/// <https://docs.joinmastodon.org/entities/Application/#CredentialApplication>
#[derive(Clone, Debug, Serialize)]
pub struct CredentialApplication {
    #[serde(flatten)]
    pub application: Application,
    pub client_id: String,
    pub client_secret: String,
    /// 0: never.
    pub client_secret_expires_at: u8,
}

impl From<&oauth::App> for Application {
    fn from(app: &oauth::App) -> Self {
        let redirect_uris: Vec<String> = app.redirect_uris().map(str::to_owned).collect();
        Self {
            id: app.id,
            name: app.name.clone(),
            website: app.website.clone(),
            scopes: app.scopes().iter().map(oauth::Scope::as_str).collect(),
            redirect_uri: redirect_uris.join("\n"),
            redirect_uris,
            vapid_key: "",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AppForm {
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    scopes: String,
    website: Option<String>,
}

/// `POST /api/v1/apps` <https://docs.joinmastodon.org/methods/apps/#create>
async fn create(State(app): State<App>, Params(form): Params<AppForm>) -> ApiResult<Json<CredentialApplication>> {
    let name = form.client_name.ok_or_else(|| ApiError::missing_param("client_name"))?;
    // Old clients put several addresses into one text, one in each line.
    let lines = form.redirect_uris.iter().flat_map(|text| text.split_ascii_whitespace()).map(str::to_owned);
    let new = NewApp { name, redirect_uris: lines.collect(), scopes: form.scopes, website: form.website };
    let (made, client_secret) = apps::create(&app.db, new).await?;
    Ok(Json(CredentialApplication {
        application: Application::from(&made),
        client_id: made.client_id,
        client_secret,
        client_secret_expires_at: 0,
    }))
}

/// `GET /api/v1/apps/verify_credentials` <https://docs.joinmastodon.org/methods/apps/#verify_credentials>
async fn verify_credentials(State(app): State<App>, caller: AppOnly) -> ApiResult<Json<Application>> {
    // A token made on the command line belongs to no application.
    let id = caller.app.ok_or_else(ApiError::unauthorized)?;
    let row = apps::by_id(&app.db.read().await?, id).await?;
    Ok(Json(Application::from(&row)))
}
