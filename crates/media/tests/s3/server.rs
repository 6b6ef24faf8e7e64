//! A real S3 server in this process: checks every signature, keeps objects as files.

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use media::s3::{S3Config, Secret};
use media::values::Period;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Stops when it is dropped.
pub struct Server {
    /// How to reach its bucket "files".
    pub config: S3Config,
    /// Where its buckets are folders.
    pub folder: TempDir,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server with an empty bucket "files".
pub async fn start() -> Server {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("files")).unwrap();
    let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
    builder.set_auth(SimpleAuth::from_single("test-id", "test-secret"));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone());
            tokio::spawn(async move {
                let _ = connection.await;
            });
        }
    });
    Server { config: config(&format!("http://{address}")), folder, task: task.abort_handle() }
}

/// With keys, and with little patience.
pub fn config(endpoint: &str) -> S3Config {
    S3Config {
        endpoint: Some(endpoint.parse().unwrap()),
        bucket: Some("files".into()),
        access_key: Some("test-id".into()),
        secret_key: Some(Secret::new("test-secret")),
        answer_timeout: Period(Duration::from_secs(20)),
        idle_timeout: Period(Duration::from_secs(20)),
        retries: 2,
        ..S3Config::default()
    }
}
