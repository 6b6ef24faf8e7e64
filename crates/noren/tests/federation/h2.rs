//! Deliveries over HTTP/2: one program brings them as it brings everything, by HTTP/1.1, to something in front of the other,
//! which speaks HTTP/2 with it. There the host that was signed stands in `:authority`.

use crate::process::Site;
use crate::tls::{Authority, TRUSTING, authority, certified};
use axum::body::Bytes;
use axum::http::{Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use testkit::until;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const FORMS: [&str; 2] = ["cavage", "rfc9421"];

/// How something that was posted was brought, and what became of it.
#[derive(Clone, Debug, PartialEq)]
struct Brought {
    form: &'static str,
    /// What was agreed on by ALPN, and what the answer came by.
    protocols: (Vec<u8>, Version),
    status: u16,
}

#[derive(Clone)]
struct Front {
    port: u16,
    /// Where the program is.
    behind: u16,
    client: Arc<ClientConfig>,
    /// The only form of signatures that is let through.
    takes: Arc<Mutex<&'static str>>,
    /// What the host is called instead.
    renames: Arc<Mutex<Option<String>>>,
    brought: Arc<Mutex<Vec<Brought>>>,
}

impl Front {
    async fn start(authority: &Authority, behind: u16) -> Front {
        let (chain, key) = certified(authority);
        let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let server = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let mut known = RootCertStore::empty();
        known.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let mut client = ClientConfig::builder().with_root_certificates(known).with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, takes) = (Arc::new(client), Arc::new(Mutex::new(FORMS[0])));
        let front = Front { port, behind, client, takes, renames: Arc::default(), brought: Arc::default() };
        tokio::spawn(front.clone().accept(listener, TlsAcceptor::from(Arc::new(server))));
        front
    }

    async fn accept(self, listener: TcpListener, acceptor: TlsAcceptor) {
        while let Ok((stream, _)) = listener.accept().await {
            let (front, acceptor) = (self.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request: Request<Incoming>| {
                    let front = front.clone();
                    async move { Ok::<_, Infallible>(front.bring(request).await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    /// A connection to the program, and what was agreed on by ALPN.
    async fn open(&self) -> (SendRequest<Full<Bytes>>, Vec<u8>) {
        let stream = TcpStream::connect(("127.0.0.1", self.behind)).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = TlsConnector::from(self.client.clone()).connect(name, stream).await.unwrap();
        let agreed = stream.get_ref().1.alpn_protocol().unwrap_or_default().to_vec();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        (sender, agreed)
    }

    async fn bring(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let form = FORMS[usize::from(head.headers.contains_key("signature-input"))];
        let is_posted = head.method == Method::POST;
        if is_posted && form != *self.takes.lock().unwrap() {
            let refused = Response::builder().status(StatusCode::UNAUTHORIZED);
            return refused.body(Full::default()).unwrap();
        }
        // HTTP/2 has the host beside the headers, and no words about connections.
        let host = head.headers.remove(header::HOST).unwrap();
        let host = self.renames.lock().unwrap().clone().unwrap_or_else(|| host.to_str().unwrap().to_owned());
        for name in [header::CONNECTION, header::TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        let target = head.uri.path_and_query().unwrap().clone();
        let uri = Uri::builder().scheme("https").authority(host).path_and_query(target);
        (head.uri, head.version) = (uri.build().unwrap(), Version::HTTP_2);
        let (mut sender, agreed) = self.open().await;
        let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await.unwrap();
        let (mut head, body) = answer.into_parts();
        if is_posted {
            let (protocols, status) = ((agreed, head.version), head.status.as_u16());
            self.brought.lock().unwrap().push(Brought { form, protocols, status });
        }
        head.version = Version::HTTP_11;
        Response::from_parts(head, Full::new(body.collect().await.unwrap().to_bytes()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_for_a_host_counts_over_http2() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    let authority = authority();
    let a = crate::tls::site("alice", &authority, TRUSTING);
    let mut b = Site::unowned(None);
    let front = Front::start(&authority, b.port).await;
    crate::tls::settle(&mut b, &authority, (TRUSTING, front.port));
    b.own("bob");
    let (_at_a, _at_b) = (a.serve(), b.serve());
    crate::tls::follow(&b, "alice", a.port).await;
    for form in FORMS {
        *front.takes.lock().unwrap() = form;
        front.brought.lock().unwrap().clear();
        let (text, seen) = (format!("signed as {form}"), format!("<p>signed as {form}</p>"));
        a.post("/api/v1/statuses", &[("status", &text), ("visibility", "private")]).await.unwrap();
        until("the post", async || b.texts().await.contains(&seen)).await;
        let wanted = Brought { form, protocols: (b"h2".to_vec(), Version::HTTP_2), status: 202 };
        assert_eq!(*front.brought.lock().unwrap(), [wanted]);
    }
    // Under another name of the same machine it is not what was signed.
    *front.renames.lock().unwrap() = Some(format!("127.0.0.1:{}", front.port));
    front.brought.lock().unwrap().clear();
    a.post("/api/v1/statuses", &[("status", "for another"), ("visibility", "private")]).await.unwrap();
    until("the refusal", async || !front.brought.lock().unwrap().is_empty()).await;
    let refused = front.brought.lock().unwrap()[0].clone();
    assert_eq!((refused.protocols, refused.status), ((b"h2".to_vec(), Version::HTTP_2), 401));
    assert_eq!(b.texts().await.len(), FORMS.len());
}
