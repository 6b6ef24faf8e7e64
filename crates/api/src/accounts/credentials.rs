//! One's own account: looking at it and changing it.

use super::pictures::{self, Slot};
use crate::{
    App,
    auth::{User, scope},
    entities::{self, CredentialAccount},
    http::{ApiError, ApiResult, Json, Upload},
    statuses::own_policy,
};
use axum::extract::State;
use domain::{
    accounts::{self, Defaults, Picture, ProfileChange},
    db::Conn,
    follows,
    ids::AccountId,
    statuses::{ContentType, QuotePolicy, Visibility},
    users,
};
use serde::Deserialize;

/// `GET /api/v1/accounts/verify_credentials` <https://docs.joinmastodon.org/methods/accounts/#verify_credentials>
pub(super) async fn verify(
    State(app): State<App>,
    user: User<scope::ReadProfile>,
) -> ApiResult<Json<CredentialAccount>> {
    let conn = app.db.read().await?;
    let row = accounts::store::by_id(&conn, user.account).await?.ok_or_else(ApiError::unauthorized)?;
    shown(&app, &conn, row).await
}

async fn shown(app: &App, conn: &Conn, row: accounts::Account) -> ApiResult<Json<CredentialAccount>> {
    let user = users::store::by_account(conn, row.id).await?.ok_or_else(ApiError::unauthorized)?;
    let waiting = follows::requests_count(conn, row.id).await?;
    Ok(Json(entities::credential_account(app, conn, (row, user), waiting).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ProfileForm {
    display_name: Option<String>,
    note: Option<String>,
    avatar_description: Option<String>,
    header_description: Option<String>,
    locked: Option<bool>,
    bot: Option<bool>,
    discoverable: Option<bool>,
    indexable: Option<bool>,
    hide_collections: Option<bool>,
    attribution_domains: Option<Vec<String>>,
    fields_attributes: Option<Vec<FieldForm>>,
    source: Option<SourceForm>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FieldForm {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SourceForm {
    privacy: Option<Visibility>,
    sensitive: Option<bool>,
    language: Option<String>,
    #[serde(deserialize_with = "own_policy")]
    quote_policy: Option<QuotePolicy>,
    status_content_type: Option<ContentType>,
}

impl ProfileForm {
    fn change(self) -> ProfileChange {
        let source = self.source.unwrap_or_default();
        let line = |f: FieldForm| (f.name, f.value);
        ProfileChange {
            display_name: self.display_name,
            note: self.note,
            avatar: None,
            avatar_description: self.avatar_description,
            header: None,
            header_description: self.header_description,
            locked: self.locked,
            bot: self.bot,
            discoverable: self.discoverable,
            indexable: self.indexable,
            hide_collections: self.hide_collections,
            attribution_domains: self.attribution_domains,
            fields: self.fields_attributes.map(|list| list.into_iter().map(line).collect()),
            defaults: Defaults {
                visibility: source.privacy,
                sensitive: source.sensitive,
                language: source.language,
                quote_policy: source.quote_policy,
                content_type: source.status_content_type,
            },
        }
    }
}

/// `PATCH /api/v1/accounts/update_credentials`
/// <https://docs.joinmastodon.org/methods/accounts/#update_credentials>
pub(super) async fn update(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    upload: Upload<ProfileForm>,
) -> ApiResult<Json<CredentialAccount>> {
    let row = apply(&app, user.account, upload).await?;
    shown(&app, &app.db.read().await?, row).await
}

/// Changes what the form says; pictures that come to nothing are removed.
pub(super) async fn apply(
    app: &App,
    account: AccountId,
    mut upload: Upload<ProfileForm>,
) -> ApiResult<accounts::Account> {
    let mut change = upload.fields.change();
    let mut kept = Vec::new();
    for slot in [Slot::Avatar, Slot::Header] {
        let Some(file) = upload.files.remove(slot.field()) else { continue };
        match pictures::keep(app, (account, slot), file).await {
            Ok(picture) => {
                kept.push(picture.clone());
                match slot {
                    Slot::Avatar => change.avatar = Some(picture),
                    Slot::Header => change.header = Some(picture),
                }
            }
            Err(e) => {
                pictures::drop_all(app, &kept).await;
                return Err(e);
            }
        }
    }
    let updated = accounts::update_profile(&app.db, &app.site, account, change).await;
    if updated.is_err() {
        pictures::drop_all(app, &kept).await;
    }
    Ok(updated?)
}

/// `DELETE /api/v1/profile/avatar` <https://docs.joinmastodon.org/methods/profile/#delete-profile-avatar>
pub(super) async fn delete_avatar(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
) -> ApiResult<Json<CredentialAccount>> {
    let change = ProfileChange { avatar: Some(Picture::Remove), ..ProfileChange::default() };
    changed(&app, user.account, change).await
}

/// `DELETE /api/v1/profile/header` <https://docs.joinmastodon.org/methods/profile/#delete-profile-header>
pub(super) async fn delete_header(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
) -> ApiResult<Json<CredentialAccount>> {
    let change = ProfileChange { header: Some(Picture::Remove), ..ProfileChange::default() };
    changed(&app, user.account, change).await
}

async fn changed(app: &App, id: AccountId, change: ProfileChange) -> ApiResult<Json<CredentialAccount>> {
    let row = accounts::update_profile(&app.db, &app.site, id, change).await?;
    shown(app, &app.db.read().await?, row).await
}
