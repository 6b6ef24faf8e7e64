//! The hostile corpus once more, over TLS: with HTTP/1.1, and with HTTP/2, whose frames can say what no line can.

use crate::headers::{HOSTS, smuggled};
use crate::http2::{Heard, request};
use crate::keys::{KEYS, sites};
use crate::paths::{BROKEN, NASTY, world};
use crate::world::{Answer, Origin, World, sent};
use edge::server::config::{CertificateFiles, ListenConfig, Serve};
use edge::server::{Server, Setup, Sockets};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

type Field<'a> = (&'a [u8], &'a [u8]);

/// The same edge, encrypted.
struct Encrypted {
    address: SocketAddr,
    roots: RootCertStore,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Encrypted {
    fn of(world: &World) -> Encrypted {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["files.test".to_owned()]).unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let listen = ListenConfig { serve: Serve::Https, ..ListenConfig::http("127.0.0.1:0".parse().unwrap()) };
        let mut setup = Setup::http(vec![listen], world.edge.router());
        setup.tls.certificates = vec![CertificateFiles { chain, key }];
        let stop = CancellationToken::new();
        let server = Server::start(setup, Sockets::default(), stop.clone()).unwrap();
        Encrypted { address: server.addresses()[0], roots, stop, _folder: folder }
    }

    async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut client = ClientConfig::builder().with_root_certificates(self.roots.clone()).with_no_client_auth();
        client.alpn_protocols = vec![protocol.into()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("files.test").unwrap();
        TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap()
    }

    /// Any bytes as HTTP/1.1.
    async fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect("http/1.1").await;
        stream.write_all(bytes).await.unwrap();
        Answer::read(stream).await
    }

    /// Any fields as one request of HTTP/2.
    async fn ask(&self, fields: &[Field<'_>]) -> Heard {
        request(self.connect("h2").await, fields).await
    }

    async fn get(&self, host: &str, path: &[u8]) -> Heard {
        self.ask(&usual(host.as_bytes(), path)).await
    }
}

fn usual<'a>(host: &'a [u8], path: &'a [u8]) -> [Field<'a>; 4] {
    [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", host), (b":path", path)]
}

/// What cannot be said in HTTP/2 at all is no request: only its stream is ended.
fn is_refused(status: u16, expected: u16) -> bool {
    status == expected || (status == 0 && expected == 400)
}

#[tokio::test]
async fn nothing_outside_the_folder_comes_out() {
    let world = world().await;
    let edge = Encrypted::of(&world);
    for (path, status) in NASTY {
        let line = format!("GET {path} HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n");
        let first = edge.send(line.as_bytes()).await;
        let second = edge.get("files.test", path.as_bytes()).await;
        assert!(first.status == *status && is_refused(second.status, *status), "{path}: {second:?}");
        assert_eq!([first.text() == "inside", second.body == b"inside"], [*status == 200; 2], "{path}");
    }
    let more: [&[u8]; 6] =
        [b"*", b"https://files.test/a.png", b"//files.test/a.png", b"/a.png#x", b"/a.png\r\n", b"/\0"];
    for path in BROKEN.iter().chain(&more) {
        let heard = edge.get("files.test", path).await;
        let is_fragment = path.ends_with(b"#x");
        assert!(matches!(heard.status, 0 | 400 | 404) || is_fragment, "{}: {heard:?}", path.escape_ascii());
        assert!(heard.body != b"inside" || is_fragment, "{}", path.escape_ascii());
    }
}

#[tokio::test]
async fn keys_are_told_apart() {
    let (world, _one) = sites().await;
    let edge = Encrypted::of(&world);
    for (host, path, body) in KEYS {
        let line = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let first = edge.send(line.as_bytes()).await;
        let second = edge.get(host, path.as_bytes()).await;
        assert_eq!((first.status, first.text().as_str()), (200, *body), "{host}{path}");
        assert_eq!((second.status, second.text().as_str()), (200, *body), "{host}{path}");
    }
}

async fn one_file() -> (World, Origin) {
    let origin = Origin::with(&[("/a.png", "image/png", b"0123456789")]).await;
    let site = format!("[[site]]\nhosts = [\"files.test\"]\n[[site.origin]]\nurl = \"{}\"\n", origin.url());
    (World::new(&site).await, origin)
}

#[tokio::test]
async fn hosts_have_to_be_clear() {
    let (world, _origin) = one_file().await;
    let edge = Encrypted::of(&world);
    for (lines, status) in HOSTS {
        let request = format!("GET /a.png HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
        assert_eq!(edge.send(request.as_bytes()).await.status, *status, "{lines}");
    }
    for (authority, host, status) in [
        (Some("files.test"), None, 200),
        (Some("FILES.Test:8443"), None, 200),
        (Some("files.test."), None, 200),
        (Some("other.test"), None, 404),
        (Some("files.test"), Some("files.test:443"), 200),
        (Some("files.test"), Some("other.test"), 400),
        (Some("other.test"), Some("files.test"), 400),
        (Some("files.test"), Some("files.test, other.test"), 400),
        (Some("files.test, other.test"), None, 400),
        (Some("other.test@files.test"), None, 400),
        (Some("files.test@other.test"), None, 400),
        (Some("files.test/x"), None, 400),
        (Some("files.test:99999999"), None, 400),
        (Some(""), None, 400),
        (None, Some("files.test"), 200),
        (None, None, 400),
    ] {
        let mut fields: Vec<Field> = vec![(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/a.png")];
        fields.extend(authority.map(|name| (&b":authority"[..], name.as_bytes())));
        fields.extend(host.map(|name| (&b"host"[..], name.as_bytes())));
        let heard = edge.ask(&fields).await;
        assert!(is_refused(heard.status, status), "{authority:?} {host:?}: {heard:?}");
    }
}

#[tokio::test]
async fn hidden_requests_reach_nobody() {
    let (world, origin) = one_file().await;
    let edge = Encrypted::of(&world);
    for request in smuggled() {
        let answer = edge.send(request.as_bytes()).await;
        assert!(matches!(answer.status, 0 | 200 | 400 | 501), "{request}: {}", answer.head);
        assert!(!answer.text().contains("HTTP/1.1"), "{request}: two answers");
    }
    let good = usual(b"files.test", b"/a.png");
    let hidden = b"x\r\n\r\nGET /inner HTTP/1.1\r\nHost: files.test\r\n\r\n";
    let more: [&[Field]; 16] = [
        &[(b"transfer-encoding", b"chunked")],
        &[(b"connection", b"close, content-length")],
        &[(b"te", b"chunked")],
        &[(b"content-length", b"-1")],
        &[(b"content-length", b"0"), (b"content-length", b"5")],
        &[(b"x", hidden)],
        &[(b"x", b"y\nTransfer-Encoding: chunked")],
        &[(b"x", b"y\0z")],
        &[(b"x: y\r\nz", b"w")],
        &[(b"X-Upper", b"y")],
        &[(b"", b"y")],
        &[(b":path", b"/inner")],
        &[(b":authority", b"other.test")],
        &[(b":method", b"POST")],
        &[(b":status", b"200")],
        &[(b":evil", b"y")],
    ];
    for fields in more {
        let heard = edge.ask(&[&good, fields].concat()).await;
        let text = fields.iter().map(|(name, value)| format!("{} {}; ", name.escape_ascii(), value.escape_ascii()));
        assert!(matches!(heard.status, 0 | 400), "{}: {heard:?}", text.collect::<String>());
    }
    for (at, field) in [
        (0, (&b":method"[..], &b"GET /inner HTTP/1.1\r\nHost: files.test\r\n\r\nGET"[..])),
        (0, (b":method", b"")),
        (1, (b":scheme", b"http\r\nx: y")),
        (2, (b":authority", b"files.test\r\nx: y")),
        (3, (b":path", b"/inner HTTP/1.1\r\nHost: files.test\r\n\r\nGET /a.png")),
        (3, (b":path", b"/inner HTTP/1.1")),
        // A field of a request before those that say which it is, and one that is lacking.
        (0, (b"x", b"y")),
        (3, (b"x", b"y")),
    ] {
        let mut fields = good;
        fields[at] = field;
        let heard = edge.ask(&fields).await;
        assert!(matches!(heard.status, 0 | 400), "{}: {heard:?}", field.1.escape_ascii());
    }
    assert!(origin.paths().iter().all(|path| path == "/a.png"), "{:?}", origin.paths());
    assert_eq!(edge.ask(&good).await.body, b"0123456789");
}

#[tokio::test]
async fn origins_learn_nothing_of_who_asks() {
    let (world, origin) = one_file().await;
    let edge = Encrypted::of(&world);
    let spy: [Field; 8] = [
        (b"cookie", b"session=1"),
        (b"authorization", b"Bearer 2"),
        (b"x-forwarded-host", b"evil.test"),
        (b"x-original-url", b"/evil"),
        (b"x-http-method-override", b"DELETE"),
        (b"cache-control", b"no-cache"),
        (b"x-amz-date", b"3"),
        (b"user-agent", b"spy"),
    ];
    for _ in 0..2 {
        let heard = edge.ask(&[&usual(b"files.test", b"/a.png?token=4")[..], &spy].concat()).await;
        assert_eq!((heard.status, &heard.body[..]), (200, &b"0123456789"[..]));
    }
    let asked = origin.asked();
    assert!(asked.len() == 1 && asked[0].starts_with("GET /a.png HTTP/1.1\r\n"), "{asked:?}");
    assert!(spy[..7].iter().all(|(name, _)| sent(&asked[0], str::from_utf8(name).unwrap()).is_none()), "{}", asked[0]);
    assert!(sent(&asked[0], "user-agent").unwrap().starts_with("Noren/"));
    let heard = edge
        .ask(&[
            (b":method", b"DELETE"),
            usual(b"files.test", b"/a.png")[1],
            (b":authority", b"files.test"),
            (b":path", b"/a.png"),
        ])
        .await;
    assert_eq!(heard.status, 405);
}
