//! A server behind TLS, with the certificate of an authority that nobody else knows.

use media::s3::S3Config;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Stops when it is dropped.
pub struct Encrypted {
    /// How to reach the bucket through it; names the authority.
    pub config: S3Config,
    _folder: TempDir,
    task: AbortHandle,
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Encrypted {
    /// In front of the server of this bucket, with a certificate for `name`.
    pub async fn before(bucket: &S3Config, name: &str) -> Encrypted {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let shown = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        Encrypted::showing(bucket, &authority.pem(), (&shown, &key)).await
    }

    /// With any certificate.
    pub async fn showing(bucket: &S3Config, authority: &str, (shown, key): (&Certificate, &KeyPair)) -> Encrypted {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, authority).unwrap();
        let acceptor = acceptor(shown, key);
        let behind = bucket.endpoint.clone().unwrap();
        let behind = format!("{}:{}", behind.host_str().unwrap(), behind.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    let Ok(mut outer) = acceptor.accept(socket).await else { return };
                    let mut inner = TcpStream::connect(behind).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                });
            }
        });
        let config = S3Config { endpoint: Some(endpoint), authorities: vec![file], ..bucket.clone() };
        Encrypted { config, _folder: folder, task: task.abort_handle() }
    }

    /// For who does not know the authority.
    pub fn unknown(&self) -> S3Config {
        S3Config { authorities: Vec::new(), ..self.config.clone() }
    }
}

fn acceptor(shown: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let versions = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = versions.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![shown.der().clone()], key).unwrap()))
}
