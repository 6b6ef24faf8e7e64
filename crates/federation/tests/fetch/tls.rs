//! Certificates are checked, and http/1.1 is spoken inside.

use crate::server::{Asked, Says, Server, answer, converse, document};
use crate::{options, signer};
use domain::Db;
use domain::db::DatabaseConfig;
use domain::site::Site;
use federation::fetch::{Error, Fetcher, Options};
use federation::resolve::account;
use federation::signatures::Payload;
use federation::{Federation, FederationConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// (port, the authority's certificate)
async fn start(names: &[&str]) -> (u16, Vec<u8>) {
    let (port, authority) = start_with(names, |asked| match asked.method.as_str() {
        "POST" => answer("202 Accepted", &[], b""),
        _ => document(&format!(r#"{{"id":"https://{}{}"}}"#, asked.header("host"), asked.uri)),
    })
    .await;
    (port, CertificateDer::from_pem_slice(authority.as_bytes()).unwrap().to_vec())
}

/// (port, the authority's certificate as text)
async fn start_with(names: &[&str], handler: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> (u16, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let handler = Arc::new(handler);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, handler) = (acceptor.clone(), handler.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
                converse(stream, &Mutex::default(), |asked| handler(asked)).await;
            });
        }
    });
    (port, authority.pem())
}

#[tokio::test]
async fn certificates_are_checked() {
    let (port, authority) = start(&["localhost", "127.0.0.1"]).await;
    let trusting = Fetcher::new(Options { authorities: vec![authority], ..options() }).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let url = Url::parse(&format!("https://{host}:{port}/1")).unwrap();
        assert_eq!(trusting.document(&url, None).await.unwrap().url, url);
        let delivered = trusting.deliver(&url, &Payload::new("{}"), &signer(), &[]).await.unwrap();
        assert_eq!(delivered.status, 202);
        assert!(trusting.reach(&url).await.unwrap().iter().any(|one| one.outcome.is_ok()));
        let error = Fetcher::new(options()).unwrap().document(&url, None).await.unwrap_err();
        assert!(matches!(error, Error::Tls(_)) && error.passes() && error.is_of_the_host(), "{error}");
    }
    let (port, authority) = start(&["other.example"]).await;
    let trusting = Fetcher::new(Options { authorities: vec![authority], ..options() }).unwrap();
    let url = Url::parse(&format!("https://localhost:{port}/1")).unwrap();
    assert!(matches!(trusting.document(&url, None).await, Err(Error::Tls(_))));
}

/// host-meta is a stranger's text: where it leads is looked at like every other address.
#[tokio::test]
async fn host_meta_leads_to_no_private_address() {
    let inside = Server::start("127.0.0.2", |_, _| document("{}")).await;
    let template = Arc::new(Mutex::new(String::new()));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (told, seen) = (template.clone(), asked.clone());
    let (port, authority) = start_with(&["localhost"], move |asked| {
        seen.lock().unwrap().push(asked.uri.path().to_owned());
        let link = format!("<XRD><Link rel=\"lrdd\" template=\"{}\"/></XRD>", told.lock().unwrap());
        match asked.uri.path() {
            "/.well-known/host-meta" => answer("200 OK", &[("content-type", "application/xrd+xml")], link.as_bytes()),
            _ => answer("404 Not Found", &[], b""),
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let site = Site {
        domain: "noren.example".into(),
        alternate_domains: Vec::new(),
        base_url: "https://noren.example".into(),
        media_url: String::new(),
        limits: Default::default(),
    };
    let db = Db::open(&DatabaseConfig::default(), &folder.path().join("noren.sqlite")).await.unwrap();
    let allowed_addresses = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    let config = FederationConfig { authorities: vec![file], allowed_addresses, ..FederationConfig::default() };
    let federation = Federation::new(db, Arc::new(site), "0.1", config).unwrap();
    let handle = format!("eve@localhost:{port}");
    let at = inside.address.port();
    for (to, reached) in [
        (format!("https://localhost:{port}/finger?of={{uri}}"), true),
        (format!("http://127.0.0.2:{at}/finger?of={{uri}}"), false),
        (format!("https://127.0.0.2:{at}/finger?of={{uri}}"), false),
        (format!("http://[::ffff:127.0.0.2]:{at}/finger?of={{uri}}"), false),
        ("https://192.168.0.1/finger?of={uri}".to_owned(), false),
        ("file:///etc/passwd?of={uri}".to_owned(), false),
    ] {
        asked.lock().unwrap().clear();
        template.lock().unwrap().clone_from(&to);
        assert!(account::by_handle(&federation, &handle).await.is_err(), "{to}");
        let wanted = ["/.well-known/webfinger", "/.well-known/host-meta", "/finger"];
        assert_eq!(asked.lock().unwrap()[..], wanted[..2 + usize::from(reached)], "{to}");
    }
    assert_eq!(inside.connections(), 0);
}

#[test]
fn options_that_make_no_sense() {
    assert!(Fetcher::new(Options { authorities: vec![b"nonsense".to_vec()], ..options() }).is_err());
    assert!(Fetcher::new(Options { user_agent: String::new(), ..options() }).is_err());
    assert!(Fetcher::new(Options { user_agent: "a\nb".into(), ..options() }).is_err());
}
