//! Scheduled statuses. <https://docs.joinmastodon.org/methods/scheduled_statuses/>

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Empty, Iso, MediaAttachment},
    http::{ApiError, ApiResult, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::{Router, extract::State, routing::get};
use domain::{
    Result, Time,
    db::Conn,
    ids::{MediaId, ScheduledId},
    media,
    polls::NewPoll,
    scheduled,
    statuses::Visibility,
};
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/scheduled_statuses", get(list))
        .route("/api/v1/scheduled_statuses/{id}", get(one).put(reschedule).delete(cancel))
}

/// <https://docs.joinmastodon.org/entities/ScheduledStatus/>
#[derive(Serialize)]
pub(crate) struct ScheduledStatus {
    id: ScheduledId,
    scheduled_at: Iso,
    params: Parameters,
    media_attachments: Vec<MediaAttachment>,
}

/// Ids are integers in here, against the rule.
#[derive(Serialize)]
struct Parameters {
    text: String,
    poll: Option<NewPoll>,
    media_ids: Option<Vec<MediaId>>,
    sensitive: Option<bool>,
    spoiler_text: Option<String>,
    visibility: Option<Visibility>,
    in_reply_to_id: Option<i64>,
    language: Option<String>,
    application_id: Option<i64>,
    scheduled_at: Option<Iso>,
    idempotency: Option<String>,
    with_rate_limit: bool,
}

pub(crate) async fn entity(app: &App, row: scheduled::Scheduled) -> ApiResult<ScheduledStatus> {
    let conn = app.db.read().await?;
    Ok(with_media(app, &conn, row).await?)
}

async fn with_media(app: &App, conn: &Conn, row: scheduled::Scheduled) -> Result<ScheduledStatus> {
    let params = row.params()?;
    let media = media::store::by_ids(conn, &params.media).await?;
    Ok(ScheduledStatus {
        id: row.id,
        scheduled_at: Iso(row.scheduled_at),
        media_attachments: media.into_iter().map(|m| entities::media_attachment(app, m)).collect(),
        params: Parameters {
            text: params.text,
            poll: params.poll,
            media_ids: (!params.media.is_empty()).then_some(params.media),
            sensitive: params.sensitive,
            spoiler_text: Some(params.spoiler_text),
            visibility: params.visibility,
            in_reply_to_id: params.in_reply_to.map(|id| id.0),
            language: params.language,
            application_id: params.app.map(|id| id.0),
            scheduled_at: None,
            idempotency: params.idempotency_key,
            with_rate_limit: false,
        },
    })
}

/// `GET /api/v1/scheduled_statuses` <https://docs.joinmastodon.org/methods/scheduled_statuses/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    paging: Paging,
) -> ApiResult<Paged<Vec<ScheduledStatus>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES);
    let rows = scheduled::list(&conn, user.account, page.into()).await?;
    let ends = page.shown(&rows, |s| s.id);
    let mut made = Vec::with_capacity(rows.len());
    for row in rows {
        made.push(with_media(&app, &conn, row).await?);
    }
    Ok(paging.paged(made, ends, Links::List))
}

/// `GET /api/v1/scheduled_statuses/:id` <https://docs.joinmastodon.org/methods/scheduled_statuses/#get-one>
async fn one(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    Path(id): Path<ScheduledId>,
) -> ApiResult<Json<ScheduledStatus>> {
    let row = scheduled::one(&app.db.read().await?, user.account, id).await?;
    entity(&app, row).await.map(Json)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    scheduled_at: Option<String>,
}

/// `PUT /api/v1/scheduled_statuses/:id` <https://docs.joinmastodon.org/methods/scheduled_statuses/#update>
async fn reschedule(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<ScheduledId>,
    Params(form): Params<Form>,
) -> ApiResult<Json<ScheduledStatus>> {
    let at = form.scheduled_at.ok_or_else(|| ApiError::missing_param("scheduled_at"))?;
    let at = Time::parse(at.trim()).ok_or_else(|| ApiError::validation(["Scheduled at is not a date"]))?;
    let row = scheduled::reschedule(&app.db, user.account, (id, at)).await?;
    entity(&app, row).await.map(Json)
}

/// `DELETE /api/v1/scheduled_statuses/:id` <https://docs.joinmastodon.org/methods/scheduled_statuses/#cancel>
async fn cancel(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<ScheduledId>,
) -> ApiResult<Json<Empty>> {
    scheduled::cancel(&app.db, user.account, id).await?;
    Ok(Json(Empty {}))
}
