//! A bucket behind https, with an authority of its own.

use crate::server;
use crate::tls_server::Encrypted;
use crate::whole;
use bytes::Bytes;
use media::s3::{Bucket, Error, Headers, S3Config, Source};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

#[tokio::test]
async fn an_authority_that_is_named_is_believed() {
    let server = server::start().await;
    let encrypted = Encrypted::before(&server.config, "127.0.0.1").await;
    let bucket = Bucket::open(&encrypted.config).unwrap();
    let source = Source::Bytes(Bytes::from_static(b"words"));
    bucket.put("a.txt", &source, &Headers::default()).await.unwrap();
    assert_eq!(whole(bucket.get("a.txt", None).await.unwrap().unwrap()).await.unwrap(), b"words");
    assert_eq!(std::fs::read(server.folder.path().join("files/a.txt")).unwrap(), b"words");
}

#[tokio::test]
async fn who_cannot_prove_who_it_is_is_told_nothing() {
    let server = server::start().await;
    let (right, other) =
        (Encrypted::before(&server.config, "127.0.0.1").await, Encrypted::before(&server.config, "other.test").await);
    let mixed = S3Config { authorities: other.config.authorities.clone(), ..right.config.clone() };
    for (config, words) in [
        (right.unknown(), "its certificate is from an authority that is not known here"),
        (mixed, "its certificate is from an authority that is not known here"),
        (other.config.clone(), "its certificate is for another name: other.test"),
    ] {
        let started = std::time::Instant::now();
        let host = config.endpoint.as_ref().unwrap().authority().to_owned();
        let error = Bucket::open(&config).unwrap().get("a.txt", None).await.unwrap_err();
        assert!(matches!(error, Error::Certificate { .. }) && !error.is_passing(), "{error:?}");
        assert_eq!(error.to_string(), format!("{host} is not trusted: {words}"));
        assert!(started.elapsed() < std::time::Duration::from_secs(3), "asking again is no use");
    }
}

/// As people make them who have one server.
#[tokio::test]
async fn a_certificate_that_signed_itself_is_its_own_authority() {
    let server = server::start().await;
    for (is_ca, words) in [
        (IsCa::ExplicitNoCa, ""),
        (IsCa::NoCa, ""),
        (IsCa::Ca(BasicConstraints::Unconstrained), "its certificate is an authority's own (CA:TRUE)"),
    ] {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let shown = params.self_signed(&key).unwrap();
        let encrypted = Encrypted::showing(&server.config, &shown.pem(), (&shown, &key)).await;
        let got = Bucket::open(&encrypted.config).unwrap().get("none.txt", None).await;
        let why = got.as_ref().err().map_or_else(String::new, ToString::to_string);
        assert!(why.contains(words) && got.is_ok() == words.is_empty(), "{got:?}");
    }
}
