//! `Upload<T>`: parameters with files, which go to temporary files as they arrive.

use super::de::from_tree;
use super::error::{ApiError, ApiResult};
use super::multipart::Files;
use super::params;
use axum::extract::{FromRef, FromRequest, Request};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncWriteExt, BufWriter};

/// Bytes gathered before a write: each one is a trip to another thread.
const WRITE_SIZE: usize = 64 * 1024;

/// Where uploads wait until they are looked at: a directory that exists.
#[derive(Clone, Debug)]
pub struct UploadDir(pub Arc<Path>);

/// What is refused while it still arrives. Limits of one kind of media come later, when the kind is known.
#[derive(Clone, Copy, Debug)]
pub struct UploadLimits {
    /// Bytes of one file.
    pub file_bytes: u64,
}

/// A file as it was sent; gone from the disk when dropped.
#[derive(Debug)]
pub struct TempFile {
    pub path: TempPath,
    /// The client's own name for it, at most 255 characters; not to be used as a path.
    pub file_name: String,
    /// The client's opinion, lower case and without parameters: `image/jpeg`.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: u64,
}

/// Like [`Params`](super::Params), with files: multipart parts that have a file name, by field name (`file`,
/// `avatar`; the last of two). Works without any file and with forms and JSON as well.
///
/// Errors: 422 for a file over [`UploadLimits::file_bytes`], as Mastodon does; those of `Params`.
#[derive(Debug)]
pub struct Upload<T> {
    pub fields: T,
    pub files: BTreeMap<String, TempFile>,
}

impl<T, S> FromRequest<S> for Upload<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
    UploadDir: FromRef<S>,
    UploadLimits: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let destination = Destination { dir: UploadDir::from_ref(state), limits: UploadLimits::from_ref(state) };
        let received = params::read(request, Files::Keep(destination)).await?;
        let fields = from_tree(received.fields.into_value())?;
        Ok(Self { fields, files: received.files })
    }
}

pub(super) struct Destination {
    dir: UploadDir,
    limits: UploadLimits,
}

impl Destination {
    pub(super) async fn create(&self) -> ApiResult<Incoming> {
        let dir = self.dir.0.clone();
        let create = move || tempfile::Builder::new().prefix("upload-").tempfile_in(dir);
        let made: NamedTempFile =
            tokio::task::spawn_blocking(create).await.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
        let (file, path) = made.into_parts();
        let file = BufWriter::with_capacity(WRITE_SIZE, tokio::fs::File::from_std(file));
        Ok(Incoming { file, path, size: 0, limit: self.limits.file_bytes })
    }
}

/// A file that is arriving.
pub(super) struct Incoming {
    file: BufWriter<tokio::fs::File>,
    path: TempPath,
    size: u64,
    limit: u64,
}

impl Incoming {
    pub(super) async fn write(&mut self, chunk: &[u8]) -> ApiResult<()> {
        self.size = self.size.saturating_add(chunk.len() as u64);
        if self.size > self.limit {
            return Err(ApiError::validation([format!("File must be less than {}", human_size(self.limit))]));
        }
        self.file.write_all(chunk).await.map_err(ApiError::internal)
    }

    pub(super) async fn finish(mut self, file_name: String, content_type: Option<String>) -> ApiResult<TempFile> {
        self.file.flush().await.map_err(ApiError::internal)?;
        let file_name = file_name.chars().take(255).collect();
        Ok(TempFile { path: self.path, file_name, content_type, size: self.size })
    }
}

/// `99 MB`, in units of 1024.
fn human_size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} Bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::extract::State;
    use axum::http::header;
    use axum::response::Response;
    use axum::routing::post;
    use http_body_util::BodyExt;
    use serde::Deserialize;
    use tower::ServiceExt;

    const LIMIT: u64 = 3 << 20;

    #[derive(Clone)]
    struct App(UploadDir);
    impl FromRef<App> for UploadDir {
        fn from_ref(app: &App) -> Self {
            app.0.clone()
        }
    }
    impl FromRef<App> for UploadLimits {
        fn from_ref(_: &App) -> Self {
            Self { file_bytes: LIMIT }
        }
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Form {
        description: Option<String>,
        focus: Option<String>,
    }

    async fn show(State(app): State<App>, upload: Upload<Form>) -> String {
        let mut out = format!("{:?} {:?}", upload.fields.description, upload.fields.focus);
        for (name, file) in &upload.files {
            assert!(file.path.starts_with(&app.0.0));
            let bytes = std::fs::read(&file.path).unwrap();
            assert_eq!(bytes.len() as u64, file.size);
            let sum: u64 = bytes.iter().map(|b| u64::from(*b)).sum();
            out += &format!(" {name}={:?},{:?},{},{sum}", file.file_name, file.content_type, file.size);
        }
        out
    }

    async fn send(dir: &Path, kind: &str, body: impl Into<Body>) -> Response {
        let app = Router::new().route("/", post(show)).with_state(App(UploadDir(dir.into())));
        let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(body.into()).unwrap();
        app.oneshot(request).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        format!("{status} {}", String::from_utf8_lossy(&bytes))
    }

    fn part(head: &str, body: &[u8]) -> Vec<u8> {
        [b"--XX\r\nContent-Disposition: form-data; ", head.as_bytes(), b"\r\n\r\n", body, b"\r\n"].concat()
    }

    const KIND: &str = "multipart/form-data; boundary=XX";

    #[tokio::test]
    async fn files_are_kept_and_cleaned_up() {
        let dir = tempfile::tempdir().unwrap();
        // Carriage returns and half boundaries inside must not confuse anything.
        let picture: Vec<u8> = b"\r\n--X\r\r\n--".iter().copied().cycle().take(2_000_000).collect();
        let sum: u64 = picture.iter().map(|b| u64::from(*b)).sum();
        let head = "name=\"file\"; filename=\"a.JPG\"\r\nContent-Type: Image/JPEG; x=y";
        let whole = [
            part("name=\"description\"", "絵".as_bytes()),
            part(head, &picture),
            part("name=\"thumbnail\"; filename=\"\"", b""),
            part("name=\"empty\"; filename=\"e\"", b""),
            part("name=\"focus\"", b"0.1,-0.5"),
            b"--XX--".to_vec(),
        ]
        .concat();
        let expected = format!(
            "200 Some(\"絵\") Some(\"0.1,-0.5\") empty=\"e\",None,0,0 file=\"a.JPG\",Some(\"image/jpeg\"),2000000,{sum}"
        );
        assert_eq!(text(send(dir.path(), KIND, whole.clone()).await).await, expected);
        for size in [7, 1000, 65_536] {
            let pieces: Vec<_> = whole.chunks(size).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect();
            let body = Body::from_stream(futures_util::stream::iter(pieces));
            assert_eq!(text(send(dir.path(), KIND, body).await).await, expected);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn works_without_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let form = "application/x-www-form-urlencoded";
        assert_eq!(text(send(dir.path(), form, "focus=1").await).await, "200 None Some(\"1\")");
        assert_eq!(text(send(dir.path(), "application/json", "{\"focus\":1}").await).await, "200 None Some(\"1\")");
    }

    #[tokio::test]
    async fn bad_uploads_are_refused_and_leave_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let head = "name=\"file\"; filename=\"a\"";
        let big = [part(head, &vec![b'x'; LIMIT as usize + 1]), b"--XX--".to_vec()].concat();
        let exact = [part(head, &vec![b'x'; LIMIT as usize]), b"--XX--".to_vec()].concat();
        let cut = part(head, b"xxxx");
        let many = [
            part(head, b"x").repeat(1),
            (0..9).flat_map(|i| part(&format!("name=\"f{i}\"; filename=\"a\""), b"x")).collect(),
            b"--XX--".to_vec(),
        ]
        .concat();
        let too_big = "422 {\"error\":\"Validation failed: File must be less than 3 MB\"}";
        assert_eq!(text(send(dir.path(), KIND, big).await).await, too_big);
        assert_eq!(send(dir.path(), KIND, exact).await.status(), 200);
        assert_eq!(send(dir.path(), KIND, cut).await.status(), 400);
        assert_eq!(send(dir.path(), KIND, many).await.status(), 400);
        let missing = dir.path().join("missing");
        assert_eq!(send(&missing, KIND, [part(head, b"x"), b"--XX--".to_vec()].concat()).await.status(), 500);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn sizes_read_well() {
        let table = [(103_809_024, "99 MB"), (262_144, "256 KB"), (12, "12 Bytes"), (1 << 30, "1 GB")];
        for (bytes, text) in table {
            assert_eq!(human_size(bytes), text);
        }
    }
}
