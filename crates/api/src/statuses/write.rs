//! Publishing, editing and deleting.

use super::quotes::own_policy;
use crate::{
    App,
    auth::{User, scope},
    entities::{self, Status},
    http::{ApiError, ApiResult, Id, Params, Path},
    scheduled_statuses,
};
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use domain::{
    Time,
    ids::{MediaId, StatusId},
    polls::NewPoll,
    scheduled,
    statuses::{self, ContentType, Media, NewStatus, QuotePolicy, Visibility, edit},
    users,
};
use federation::resolve;
use serde::Deserialize;

/// Longest Idempotency-Key that is remembered whole, in bytes.
const KEY_BYTES: usize = 255;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    status: Option<String>,
    media_ids: Vec<Id<MediaId>>,
    poll: Option<PollForm>,
    in_reply_to_id: Id<StatusId>,
    sensitive: Option<bool>,
    spoiler_text: Option<String>,
    visibility: Option<Visibility>,
    language: Option<String>,
    scheduled_at: Option<String>,
    quoted_status_id: Id<StatusId>,
    #[serde(deserialize_with = "own_policy")]
    quote_approval_policy: Option<QuotePolicy>,
    /// `text/plain` or `text/markdown`, as other servers with Markdown call it.
    content_type: Option<ContentType>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PollForm {
    options: Vec<String>,
    expires_in: u64,
    multiple: bool,
    hide_totals: bool,
}

impl From<PollForm> for NewPoll {
    fn from(form: PollForm) -> Self {
        let PollForm { options, expires_in, multiple, hide_totals } = form;
        Self { options, expires_in, multiple, hide_totals }
    }
}

impl Form {
    fn into_new(self) -> ApiResult<NewStatus> {
        Ok(NewStatus {
            text: self.status.unwrap_or_default(),
            spoiler_text: self.spoiler_text.unwrap_or_default(),
            visibility: self.visibility,
            sensitive: self.sensitive,
            language: self.language,
            in_reply_to: self.in_reply_to_id.optional()?,
            media: media_ids(self.media_ids)?,
            poll: self.poll.map(Into::into),
            quote_of: self.quoted_status_id.optional()?,
            quote_policy: self.quote_approval_policy,
            content_type: self.content_type,
            app: None,
            idempotency_key: None,
        })
    }
}

fn media_ids(ids: Vec<Id<MediaId>>) -> ApiResult<Vec<MediaId>> {
    let mut out: Vec<MediaId> = Vec::new();
    for id in ids {
        if let Some(id) = id.optional()?
            && !out.contains(&id)
        {
            out.push(id);
        }
    }
    Ok(out)
}

/// `POST /api/v1/statuses`: a Status, or a ScheduledStatus when `scheduled_at` is given.
/// <https://docs.joinmastodon.org/methods/statuses/#create>
pub(super) async fn create(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    headers: HeaderMap,
    Params(form): Params<Form>,
) -> ApiResult<Response> {
    let scheduled_at = form.scheduled_at.clone().filter(|t| !t.trim().is_empty());
    let mut new = form.into_new()?;
    new.app = user.app;
    new.idempotency_key = idempotency_key(&headers)?;
    let row = users::store::by_id(&app.db.read().await?, user.user).await?.ok_or_else(ApiError::unauthorized)?;
    resolve::named::meet(&app.federation, &new.text).await?;
    if let Some(at) = scheduled_at {
        let at = Time::parse(at.trim()).ok_or_else(|| ApiError::validation(["Scheduled at is not a date"]))?;
        let made = scheduled::create(&app.db, &app.site, &row, (new, at)).await?;
        return Ok(Json(scheduled_statuses::entity(&app, made).await?).into_response());
    }
    let status = statuses::publish(&app.db, &app.site, &row, new).await?;
    let conn = app.db.read().await?;
    Ok(Json(entities::status(&app, &conn, status, Some(user.account)).await?).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::bad_request("Idempotency-Key must be ASCII"))?.trim();
    if text.len() > KEY_BYTES {
        return Err(ApiError::bad_request("Idempotency-Key is too long"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct EditForm {
    status: Option<String>,
    spoiler_text: Option<String>,
    sensitive: Option<bool>,
    language: Option<String>,
    media_ids: Vec<Id<MediaId>>,
    media_attributes: Vec<MediaForm>,
    poll: Option<PollForm>,
    #[serde(deserialize_with = "own_policy")]
    quote_approval_policy: Option<QuotePolicy>,
    content_type: Option<ContentType>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MediaForm {
    id: Id<MediaId>,
    description: Option<String>,
    focus: Option<String>,
}

/// `PUT /api/v1/statuses/:id` <https://docs.joinmastodon.org/methods/statuses/#edit>
pub(super) async fn edit(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<StatusId>,
    Params(form): Params<EditForm>,
) -> ApiResult<Json<Status>> {
    let row = users::store::by_id(&app.db.read().await?, user.user).await?.ok_or_else(ApiError::unauthorized)?;
    let mut media_changes = Vec::new();
    for change in form.media_attributes {
        let Some(id) = change.id.optional()? else { continue };
        let focus = change.focus.as_deref().map(crate::media::focus).transpose()?.flatten();
        media_changes.push(edit::MediaChange { id, description: change.description, focus });
    }
    let edit = edit::Edit {
        text: form.status.unwrap_or_default(),
        spoiler_text: form.spoiler_text.unwrap_or_default(),
        sensitive: form.sensitive,
        language: form.language,
        media: media_ids(form.media_ids)?,
        media_changes,
        poll: form.poll.map(Into::into),
        quote_policy: form.quote_approval_policy,
        content_type: form.content_type,
    };
    resolve::named::meet(&app.federation, &edit.text).await?;
    let status = edit::edit(&app.db, &app.site, &row, (id, edit)).await?;
    let conn = app.db.read().await?;
    Ok(Json(entities::status(&app, &conn, status, Some(user.account)).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DeleteForm {
    delete_media: bool,
}

/// `DELETE /api/v1/statuses/:id`: answers what it was, with its source, so that it can be drafted anew.
/// <https://docs.joinmastodon.org/methods/statuses/#delete>
pub(super) async fn delete(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<StatusId>,
    Params(form): Params<DeleteForm>,
) -> ApiResult<Json<Status>> {
    let conn = app.db.read().await?;
    let row = statuses::store::by_id(&conn, id).await?.filter(|s| s.account_id == user.account);
    let row = row.ok_or_else(ApiError::not_found)?;
    let (text, content_type) = (row.text.clone(), row.content_type);
    let quote = entities::quoted_again(&app, &conn, &row).await?;
    let mut was = entities::status(&app, &conn, row, Some(user.account)).await?;
    drop(conn);
    was.text = Some(text);
    was.content_type = Some(content_type);
    was.quote = quote.map(Box::new);
    let media = if form.delete_media { Media::Delete } else { Media::Keep };
    statuses::delete(&app.db, user.account, (id, media)).await?;
    Ok(Json(was))
}
