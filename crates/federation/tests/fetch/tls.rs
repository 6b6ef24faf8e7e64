//! Certificates are checked, and http/1.1 is spoken inside.

use crate::server::{answer, converse, document};
use crate::{options, signer};
use federation::fetch::{Error, Fetcher, Options};
use federation::signatures::Payload;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// (port, the authority's certificate)
async fn start(names: &[&str]) -> (u16, Vec<u8>) {
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
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
                converse(stream, &Mutex::default(), |asked| match asked.method.as_str() {
                    "POST" => answer("202 Accepted", &[], b""),
                    _ => document(&format!(r#"{{"id":"https://{}{}"}}"#, asked.header("host"), asked.uri)),
                })
                .await;
            });
        }
    });
    (port, authority.der().to_vec())
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

#[test]
fn options_that_make_no_sense() {
    assert!(Fetcher::new(Options { authorities: vec![b"nonsense".to_vec()], ..options() }).is_err());
    assert!(Fetcher::new(Options { user_agent: String::new(), ..options() }).is_err());
    assert!(Fetcher::new(Options { user_agent: "a\nb".into(), ..options() }).is_err());
}
