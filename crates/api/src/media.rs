//! Media attachments: uploading pictures and saying what they show.
//! <https://docs.joinmastodon.org/methods/media/>

use crate::{
    App,
    auth::{User, scope},
    entities::{Empty, MediaAttachment, media_attachment},
    http::{ApiError, ApiResult, Path, Upload, upload::TempFile},
};
use ::media::{Error, Key, Stored, StoredAttachment, Workshop};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use domain::{
    ids::{self, MediaId},
    media::{self, Attachment, Details, New, Shape, Small, State as Stage, Versions},
};
use serde::Deserialize;
use std::{future::Future, time::Duration};
use tracing::Instrument as _;

/// When to come again while too many pictures are being processed.
const BUSY: Duration = Duration::from_secs(5);

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/media", post(create_later))
        .route("/api/v1/media", post(create_now))
        .route("/api/v1/media/{id}", get(show).put(update).delete(delete))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    description: Option<String>,
    focus: Option<String>,
}

/// `POST /api/v2/media` <https://docs.joinmastodon.org/methods/media/#v2>
///
/// Answers 202 as soon as the upload is on the disk; a job makes what is shown.
async fn create_later(
    State(app): State<App>,
    user: User<scope::WriteMedia>,
    upload: Upload<Form>,
) -> ApiResult<(StatusCode, Json<MediaAttachment>)> {
    let received = Received::read(&app, upload)?;
    let made = to_the_end(async move {
        let (file, limits) = (received.file, app.media_limits.clone());
        let probed = app.pool.run(move || ::media::probe(&file.path, &limits).map(|probe| (file, probe)));
        let (file, probe) = probed.await.map_err(|e| refused(e, "File"))?;
        let id = ids::next();
        let thumbnail = thumbnail(&app, id, received.thumbnail).await?;
        let key = ::media::upload_key(id.0);
        app.store.put(&key, ::media::Content::File(file.path)).await.map_err(ApiError::internal)?;
        let new = New { id, owner: user.account, details: received.details, thumbnail };
        let content_type = probe.format.content_type().to_owned();
        let upload = media::Upload { key: key.to_string(), content_type, size: bytes(probe.bytes) };
        let kept = media::receive(&app.db, new, upload).await;
        let row = or_discard(&app, kept, [&key]).await?;
        Ok(media_attachment(&app, row))
    });
    Ok((StatusCode::ACCEPTED, Json(made.await?)))
}

/// `POST /api/v1/media` <https://docs.joinmastodon.org/methods/media/#v1>
async fn create_now(
    State(app): State<App>,
    user: User<scope::WriteMedia>,
    upload: Upload<Form>,
) -> ApiResult<Json<MediaAttachment>> {
    let received = Received::read(&app, upload)?;
    let made = to_the_end(async move {
        let id: MediaId = ids::next();
        let workshop = app.workshop();
        let made = workshop.attachment(id.0, received.file.path).await.map_err(|e| refused(e, "File"))?;
        let keys = [made.original.key.clone(), made.small.key.clone()];
        let kept = async {
            let thumbnail = thumbnail(&app, id, received.thumbnail).await?;
            let new = New { id, owner: user.account, details: received.details, thumbnail };
            ApiResult::Ok(media::create(&app.db, new, versions(made)).await?)
        };
        let row = or_discard(&app, kept.await, &keys).await?;
        Ok(media_attachment(&app, row))
    });
    made.await.map(Json)
}

/// `GET /api/v1/media/:id` <https://docs.joinmastodon.org/methods/media/#get>
async fn show(
    State(app): State<App>,
    user: User<scope::WriteMedia>,
    Path(id): Path<MediaId>,
) -> ApiResult<(StatusCode, Json<MediaAttachment>)> {
    let conn = app.db.read().await?;
    let row = media::own(&conn, user.account, id).await?;
    drop(conn);
    answer(&app, row)
}

/// `PUT /api/v1/media/:id` <https://docs.joinmastodon.org/methods/media/#update>
async fn update(
    State(app): State<App>,
    user: User<scope::WriteMedia>,
    Path(id): Path<MediaId>,
    mut upload: Upload<Form>,
) -> ApiResult<(StatusCode, Json<MediaAttachment>)> {
    let details = upload.fields.details(&app)?;
    let conn = app.db.read().await?;
    media::own(&conn, user.account, id).await?;
    drop(conn);
    let file = upload.files.remove("thumbnail");
    let row = to_the_end(async move {
        let thumbnail = thumbnail(&app, id, file).await?;
        let key = thumbnail.as_ref().and_then(|small| Key::parse(&small.key).ok());
        let changed = media::update(&app.db, (user.account, id), details, thumbnail).await;
        let row = or_discard(&app, changed, &key).await?;
        answer(&app, row)
    });
    row.await
}

/// `DELETE /api/v1/media/:id` <https://docs.joinmastodon.org/methods/media/#delete>
async fn delete(
    State(app): State<App>,
    user: User<scope::WriteMedia>,
    Path(id): Path<MediaId>,
) -> ApiResult<Json<Empty>> {
    media::delete(&app.db, user.account, id).await?;
    Ok(Json(Empty {}))
}

/// 206 while it is processed, 422 when it could not be.
fn answer(app: &App, row: Attachment) -> ApiResult<(StatusCode, Json<MediaAttachment>)> {
    let status = match row.state {
        Stage::Processing => StatusCode::PARTIAL_CONTENT,
        Stage::Ready => StatusCode::OK,
        Stage::Failed => return Err(ApiError::unprocessable(media::failure(&row))),
    };
    Ok((status, Json(media_attachment(app, row))))
}

/// A focal point from a form, `x,y`; none when it is empty.
pub(crate) fn focus(text: &str) -> ApiResult<Option<(f64, f64)>> {
    match text.trim() {
        "" => Ok(None),
        text => Ok(Some(media::focus(text)?)),
    }
}

impl App {
    pub(crate) fn workshop(&self) -> Workshop {
        Workshop { store: self.store.clone(), pool: self.pool.clone(), limits: self.media_limits.clone() }
    }
}

impl Form {
    fn details(&self, app: &App) -> ApiResult<Details> {
        let Self { description, focus } = self;
        Ok(Details::read(&app.site.limits, description.as_deref(), focus.as_deref())?)
    }
}

struct Received {
    file: TempFile,
    thumbnail: Option<TempFile>,
    details: Details,
}

impl Received {
    fn read(app: &App, mut upload: Upload<Form>) -> ApiResult<Self> {
        let file = upload.files.remove("file").ok_or_else(|| ApiError::validation(["File can't be blank"]))?;
        let details = upload.fields.details(app)?;
        Ok(Self { file, thumbnail: upload.files.remove("thumbnail"), details })
    }
}

async fn thumbnail(app: &App, id: MediaId, file: Option<TempFile>) -> ApiResult<Option<Small>> {
    let Some(file) = file else { return Ok(None) };
    let made = app.workshop().thumbnail(id.0, file.path).await;
    let (stored, blurhash) = made.map_err(|e| refused(e, "Thumbnail"))?;
    Ok(Some(small(stored, blurhash)))
}

/// Runs `work` to its end even when the client goes away: nothing is left half-written.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = ApiResult<T>> + Send + 'static) -> ApiResult<T> {
    tokio::spawn(work.in_current_span()).await.map_err(ApiError::internal)?
}

/// Takes the files away when they could not be written down.
async fn or_discard<'a, T, E>(app: &App, result: Result<T, E>, keys: impl IntoIterator<Item = &'a Key>) -> ApiResult<T>
where
    ApiError: From<E>,
{
    if result.is_err() {
        for key in keys {
            app.workshop().discard(key).await;
        }
    }
    Ok(result?)
}

/// What the uploader is told; `name` is what the sentences call the file.
fn refused(error: Error, name: &str) -> ApiError {
    match error {
        // As Mastodon does, without "Validation failed".
        Error::Input(fault @ ::media::Fault::TooManyPixels { .. }) => ApiError::unprocessable(fault.to_string()),
        Error::Input(fault) => ApiError::validation(fault.sentences(name)),
        Error::Busy => ApiError::busy(BUSY),
        Error::Storage(_) => ApiError::internal(error),
    }
}

fn versions(made: StoredAttachment) -> Versions {
    let StoredAttachment { original, small: preview, blurhash } = made;
    Versions {
        original: original.key.to_string(),
        shape: shape(&original),
        content_type: original.format.content_type().to_owned(),
        size: bytes(original.bytes),
        small: small(preview, blurhash),
    }
}

fn small(stored: Stored, blurhash: String) -> Small {
    Small { key: stored.key.to_string(), shape: shape(&stored), blurhash }
}

fn shape(stored: &Stored) -> Shape {
    Shape { width: stored.size.width, height: stored.size.height }
}

fn bytes(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use http_body_util::BodyExt;

    async fn told(error: Error, name: &str) -> (u16, String) {
        let response = refused(error, name).into_response();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        (status, body["error"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn refusals_are_mastodons_sentences() {
        use ::media::Fault::*;
        let invalid = "Validation failed: File content type is invalid, File is invalid";
        assert_eq!(told(ContentType.into(), "File").await, (422, invalid.into()));
        assert_eq!(told(Undecodable("HEIC").into(), "File").await, (422, invalid.into()));
        let size = "Validation failed: Header must be less than 8 MB";
        assert_eq!(told(TooManyBytes { max: 8 << 20 }.into(), "Header").await, (422, size.into()));
        let pixels = TooManyPixels { width: 40_000, height: 30_000 };
        assert_eq!(told(pixels.into(), "Avatar").await, (422, "40000x30000 images are not supported".into()));
        let cut = "Validation failed: Avatar is invalid: it is incomplete";
        assert_eq!(told(Truncated.into(), "Avatar").await, (422, cut.into()));
        assert_eq!(told(Error::Busy, "File").await.0, 503);
        let hidden = Error::Storage(std::io::Error::other("/srv/secret"));
        assert_eq!(told(hidden, "File").await, (500, "Internal Server Error".into()));
    }

    #[test]
    fn an_empty_focal_point_is_none() {
        assert_eq!(focus("").unwrap(), None);
        assert_eq!(focus("0.5,-1").unwrap(), Some((0.5, -1.0)));
        assert_eq!(focus("x").unwrap_err().status(), 422);
    }
}
