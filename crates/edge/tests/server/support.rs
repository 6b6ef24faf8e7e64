//! A server to talk to, and ways to talk to it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use edge::server::config::{Addresses, CertificateFiles, ListenConfig, Serve};
use edge::server::{Peer, Scheme, Server, Setup, Sockets};
use futures_util::stream;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// Longest that anything here takes, on a machine that does other things.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long the beginning of an answer is waited for.
const BEGINNING: Duration = Duration::from_secs(10);

pub fn plain(address: &str) -> ListenConfig {
    ListenConfig::http(address.parse().unwrap())
}

pub fn listen(serve: Serve) -> ListenConfig {
    ListenConfig { serve, ..plain("127.0.0.1:0") }
}

pub fn addresses(texts: &[&str]) -> Addresses {
    Addresses(texts.iter().map(|text| text.parse().unwrap()).collect())
}

/// A running server, stopped when it is dropped.
pub struct Running {
    pub server: Server,
    pub stop: CancellationToken,
    pub asked: Arc<Asked>,
}

/// What the routers of one server were asked for.
#[derive(Default)]
pub struct Asked {
    slow: AtomicUsize,
    endless: AtomicUsize,
    /// Endless answers that somebody still waits for.
    waited_for: AtomicUsize,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    pub fn start(listen: Vec<ListenConfig>, change: impl FnOnce(&mut Setup)) -> Self {
        let asked = Arc::default();
        let mut setup = Setup::http(listen, router("one", &asked));
        change(&mut setup);
        let stop = CancellationToken::new();
        let server = Server::start(setup, Sockets::default(), stop.clone()).unwrap();
        Self { server, stop, asked }
    }

    /// The one address, or the first one.
    pub fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// Sends these bytes and reads until the end, or until nothing has come for a moment.
    pub async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // It may hang up in the middle.
        let _ = stream.write_all(bytes).await;
        heard(&mut stream).await
    }

    /// Waits until so many slow answers have begun.
    pub async fn slow_begun(&self, count: usize) {
        until("the slow ones begin", async || self.asked.slow.load(Ordering::SeqCst) >= count).await;
    }

    /// Waits until an endless answer has begun.
    pub async fn something_endless(&self) {
        until("the answer begins", async || self.asked.endless.load(Ordering::SeqCst) > 0).await;
    }

    /// Waits until nobody waits for an endless answer.
    pub async fn nothing_endless(&self) {
        until("the answer is given up", async || self.endless() == 0).await;
    }

    /// Endless answers that somebody still waits for.
    pub fn endless(&self) -> usize {
        self.asked.waited_for.load(Ordering::SeqCst)
    }
}

/// Waits until this is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let coming = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, coming).await.expect(what);
}

/// What comes until the end, or until nothing has come for a moment.
pub async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    let mut bytes = [0; 16 * 1024];
    // The beginning may be late; what comes after it is on its way.
    let mut moment = BEGINNING;
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(moment, stream.read(&mut bytes)).await {
        text.extend_from_slice(&bytes[..count]);
        moment = Duration::from_millis(700);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether nothing comes for a while, and the other side does not close.
pub async fn is_silent(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    tokio::time::timeout(Duration::from_secs(2), stream.read(&mut [0; 1])).await.is_err()
}

/// Whether the other side has closed, within a reasonable time.
pub async fn is_closed(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut bytes = [0; 16 * 1024];
    let end = async { while let Ok(1..) = stream.read(&mut bytes).await {} };
    tokio::time::timeout(PATIENCE, end).await.is_ok()
}

struct Waiting(Arc<Asked>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waited_for.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What the tests ask for. `name` tells routers apart.
pub fn router(name: &'static str, asked: &Arc<Asked>) -> Router {
    let (endless, slow) = (asked.clone(), asked.clone());
    let slow = move |time| {
        slow.slow.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(time).await;
            "slow"
        }
    };
    let slower = slow.clone();
    Router::new()
        .route("/name", get(move || async move { name }))
        .route("/who", any(who))
        .route("/slow", get(move || slow(Duration::from_millis(500))))
        .route("/slower", get(move || slower(Duration::from_millis(2500))))
        .route("/large", get(|| async { Bytes::from(vec![b'x'; 4 << 20]) }))
        .route("/length", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/smuggled", any(|| async { "SMUGGLED" }))
        .route(
            "/endless",
            get(move || async move {
                endless.waited_for.fetch_add(1, Ordering::SeqCst);
                endless.endless.fetch_add(1, Ordering::SeqCst);
                let part = Bytes::from(vec![b'x'; 64 * 1024]);
                Body::from_stream(stream::unfold((Waiting(endless), part), |(waiting, part)| async move {
                    Some((Ok::<_, std::io::Error>(part.clone()), (waiting, part)))
                }))
            }),
        )
}

async fn who(request: Request) -> Response {
    let (peer, scheme) = (request.extensions().get::<Peer>().unwrap(), request.extensions().get::<Scheme>().unwrap());
    let host = edge::server::host(&request).unwrap_or("nobody");
    format!("{} {scheme:?} {:?} {host}", peer.0, request.version()).into_response()
}

/// Certificates for tests: files for the server, roots for its clients.
pub struct Certified {
    pub folder: tempfile::TempDir,
    pub files: Vec<CertificateFiles>,
    pub roots: RootCertStore,
}

impl Certified {
    /// One certificate for each list of names.
    pub fn new(lists: &[&[&str]]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut own = Self { folder, files: Vec::new(), roots: RootCertStore::empty() };
        for names in lists {
            let files = own.make(names);
            own.files.push(files);
        }
        own
    }

    fn make(&mut self, names: &[&str]) -> CertificateFiles {
        let path = |ending: &str| self.folder.path().join(format!("{}.{ending}", names[0].replace('*', "any")));
        let (chain, key) = (path("chain.pem"), path("key.pem"));
        self.roots.add(write(names, &chain, &key)).unwrap();
        CertificateFiles { chain, key }
    }

    pub fn client(&self) -> ClientConfig {
        ClientConfig::builder().with_root_certificates(self.roots.clone()).with_no_client_auth()
    }

    /// One that speaks this version alone.
    pub fn client_of(&self, version: &'static SupportedProtocolVersion) -> ClientConfig {
        let builder = ClientConfig::builder_with_protocol_versions(&[version]);
        builder.with_root_certificates(self.roots.clone()).with_no_client_auth()
    }

    /// A server for https with these certificates.
    pub fn start(&self, change: impl FnOnce(&mut Setup)) -> Running {
        Running::start(vec![listen(Serve::Https)], |setup| {
            setup.tls.certificates.clone_from(&self.files);
            change(setup);
        })
    }
}

/// Makes a certificate and writes it.
pub fn write(names: &[&str], chain: &std::path::Path, key: &std::path::Path) -> CertificateDer<'static> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(chain, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()
}

/// Speaks TLS as this client with the host of this name, offering these protocols.
pub async fn encrypt(
    stream: TcpStream,
    mut client: ClientConfig,
    name: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    client.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

/// A GET request of HTTP/1.1.
pub fn get_request(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a.example\r\n{more}\r\n")
}
