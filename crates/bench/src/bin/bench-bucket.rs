//! `bench-bucket`: buckets for the benchmark of the edge. Folders are buckets, files are objects; keys open everything, and
//! strangers may read what they know the name of. Requests are counted: `GET /-/requests`.

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use futures_util::stream;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::dto::{ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, StreamingBlob, Timestamp};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;
use tokio::net::TcpListener;

/// Where the requests so far are told.
const COUNT: &str = "/-/requests";
/// Read at once.
const PIECE: u64 = 256 * 1024;

/// Serve folders as buckets, for the benchmark of the edge
#[derive(Debug, Parser)]
#[command(after_help = "\
Example:
  bench-bucket --folder target/bench/edge/objects-2 --port 9000 --access-key id --secret-key secret

scripts/bench-edge does all of it.")]
struct Arguments {
    /// Each folder in it is a bucket
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_name = "NUMBER")]
    port: u16,
    #[arg(long, value_name = "ID")]
    access_key: String,
    #[arg(long, value_name = "SECRET")]
    secret_key: String,
    /// Take uploads too, as s3s-fs does; slower at reading, and strangers may do nothing
    #[arg(long)]
    writable: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime");
    match runtime.and_then(|runtime| runtime.block_on(serve(&arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let service = service(arguments)?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await.context("cannot listen")?;
    let counted = Arc::new(AtomicU64::new(0));
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let _ = socket.set_nodelay(true);
        let (service, counted) = (service.clone(), counted.clone());
        let answer = service_fn(move |request| answer(service.clone(), counted.clone(), request));
        let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(socket), answer);
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
}

fn service(arguments: &Arguments) -> anyhow::Result<S3Service> {
    let auth = SimpleAuth::from_single(&arguments.access_key, arguments.secret_key.as_str());
    if arguments.writable {
        let store = s3s_fs::FileSystem::new(&arguments.folder);
        let store = store.map_err(|error| anyhow::anyhow!("{}: {error:?}", arguments.folder.display()))?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(auth);
        return Ok(builder.build());
    }
    let mut builder = S3ServiceBuilder::new(Shelf { root: arguments.folder.clone() });
    builder.set_auth(auth);
    builder.set_access(PublicRead);
    Ok(builder.build())
}

async fn answer(
    service: S3Service,
    counted: Arc<AtomicU64>,
    request: Request<Incoming>,
) -> Result<Response<Body>, s3s::HttpError> {
    if request.uri().path() == COUNT {
        let count = counted.load(Ordering::Relaxed).to_string();
        return Ok(Response::new(Body::from(count)));
    }
    counted.fetch_add(1, Ordering::Relaxed);
    service.call(request.map(Body::from)).await
}

/// Who signs may do all that there is; strangers may read.
struct PublicRead;

#[async_trait::async_trait]
impl S3Access for PublicRead {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = matches!(context.s3_op().name(), "GetObject" | "HeadObject");
        match context.credentials().is_some() || reads {
            true => Ok(()),
            false => Err(s3_error!(AccessDenied)),
        }
    }
}

/// Files as they lie.
struct Shelf {
    root: PathBuf,
}

struct Opened {
    file: File,
    len: u64,
    modified: Timestamp,
    etag: ETag,
    content_type: &'static str,
}

impl Shelf {
    async fn open(&self, bucket: &str, key: &str) -> S3Result<Opened> {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.');
        if !key.split('/').chain([bucket]).all(plain) {
            return Err(s3_error!(NoSuchKey));
        }
        let path = self.root.join(bucket).join(key);
        let opening = tokio::task::spawn_blocking(move || open(&path)).await;
        opening.map_err(io::Error::other).and_then(|opened| opened).map_err(|_| s3_error!(NoSuchKey))
    }
}

fn open(path: &Path) -> io::Result<Opened> {
    let file = File::open(path)?;
    let (meta, extension) = (file.metadata()?, path.extension().and_then(|extension| extension.to_str()));
    let (len, modified) = (meta.len(), meta.modified()?);
    let age = modified.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let etag = ETag::Strong(format!("{len:x}-{:x}", age.as_nanos()));
    let content_type = media::content_type(extension.unwrap_or_default()).unwrap_or("application/octet-stream");
    Ok(Opened { file, len, modified: modified.into(), etag, content_type })
}

#[async_trait::async_trait]
impl S3 for Shelf {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let Opened { file, len, modified, etag, content_type } = self.open(&input.bucket, &input.key).await?;
        let part = match input.range {
            Some(range) => range.check(len)?,
            None => 0..len,
        };
        let told = input.range.map(|_| format!("bytes {}-{}/{len}", part.start, part.end - 1));
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(part.end - part.start).ok(),
            content_range: told,
            body: Some(body(file, part)),
            last_modified: Some(modified),
            e_tag: Some(etag),
            content_type: content_type.parse().ok(),
            accept_ranges: Some("bytes".into()),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let Opened { len, modified, etag, content_type, .. } = self.open(&input.bucket, &input.key).await?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(len).ok(),
            last_modified: Some(modified),
            e_tag: Some(etag),
            content_type: content_type.parse().ok(),
            accept_ranges: Some("bytes".into()),
            ..HeadObjectOutput::default()
        }))
    }
}

fn body(file: File, part: Range<u64>) -> StreamingBlob {
    let pieces = stream::try_unfold((Arc::new(file), part), |(file, left)| async move {
        if left.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        let piece = left.start..left.end.min(left.start + PIECE);
        let (reading, rest) = (file.clone(), piece.end..left.end);
        let read = tokio::task::spawn_blocking(move || read(&reading, piece)).await.map_err(io::Error::other)??;
        Ok(Some((read, (file, rest))))
    });
    StreamingBlob::wrap(Box::pin(pieces))
}

fn read(file: &File, piece: Range<u64>) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(piece.end - piece.start).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, piece.start)?;
    Ok(bytes.into())
}
