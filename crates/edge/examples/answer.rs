//! Answers from memory, to measure what connections and encryption cost:
//! `cargo run --release -p edge --example answer -- 127.0.0.1:8080 127.0.0.1:8443`, then ask for `/bytes/LENGTH` or
//! `/parts/LENGTH/COUNT`.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::routing::get;
use edge::server::config::{CertificateFiles, ListenConfig, Serve};
use edge::server::{Server, Setup, Sockets, allow_many_files};
use futures_util::stream;
use std::convert::Infallible;
use std::error::Error;
use tokio_util::sync::CancellationToken;

/// Longest part.
const MOST: usize = 4 << 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut address = |usual: &str| arguments.next().unwrap_or_else(|| usual.to_owned()).parse();
    let (http, https) = (address("127.0.0.1:8080")?, address("127.0.0.1:8443")?);
    let listen = vec![ListenConfig::http(http), ListenConfig { serve: Serve::Https, ..ListenConfig::http(https) }];
    let folder = std::env::temp_dir().join("noren-answer");
    std::fs::create_dir_all(&folder)?;
    let files = CertificateFiles { chain: folder.join("chain.pem"), key: folder.join("key.pem") };
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    std::fs::write(&files.chain, made.cert.pem())?;
    std::fs::write(&files.key, made.signing_key.serialize_pem())?;

    let all = Bytes::from(vec![b'x'; MOST]);
    let parts = all.clone();
    let router = Router::new()
        .route("/bytes/{length}", get(move |Path(length): Path<usize>| async move { all.slice(..length.min(MOST)) }))
        .route(
            "/parts/{length}/{count}",
            get(move |Path((length, count)): Path<(usize, usize)>| async move {
                let part = parts.slice(..length.min(MOST));
                Body::from_stream(stream::iter((0..count).map(move |_| Ok::<_, Infallible>(part.clone()))))
            }),
        );
    let mut setup = Setup::http(listen, router);
    setup.tls.certificates = vec![files];
    setup.limits.connections.requests = u64::MAX;
    setup.limits.connections.per_address = 100_000;
    allow_many_files();
    Server::start(setup, Sockets::default(), CancellationToken::new())?.finished().await;
    Ok(())
}
