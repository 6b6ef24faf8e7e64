//! What a certificate authority looks for, to see that a name leads here.

use crate::server::config::ChallengeKind;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

const PATH: &str = "/.well-known/acme-challenge/";

/// The answers that are shown at present. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Challenges(Arc<RwLock<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    /// By token.
    http: HashMap<String, String>,
    /// By name.
    tls: HashMap<String, Arc<CertifiedKey>>,
}

/// An answer that is shown as long as this is kept.
#[derive(Debug)]
pub(super) struct Shows {
    challenges: Challenges,
    kind: ChallengeKind,
    /// Token or name.
    key: String,
}

/// What an authority asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) token: &'a str,
    /// The answer, and its SHA-256.
    pub(super) authorization: &'a str,
    pub(super) digest: &'a [u8],
}

impl Challenges {
    /// The answer to a request by HTTP, if there is one at this path.
    pub(in crate::server) fn answer(&self, path: &str) -> Option<Response<Body>> {
        let token = path.strip_prefix(PATH)?;
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut answer = Response::new(Body::from(shown.http.get(token)?.clone()));
        *answer.status_mut() = StatusCode::OK;
        let kind = HeaderValue::from_static("application/octet-stream");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        Some(answer)
    }

    /// Shows the answer from now on.
    pub(super) fn show(&self, kind: ChallengeKind, asked: Asked<'_>) -> Result<Shows, rcgen::Error> {
        let key = match kind {
            ChallengeKind::Http01 => {
                self.write().http.insert(asked.token.to_owned(), asked.authorization.to_owned());
                asked.token
            }
            ChallengeKind::TlsAlpn01 => {
                let certificate = certificate(asked.name, asked.digest)?;
                self.write().tls.insert(asked.name.to_owned(), Arc::new(certificate));
                asked.name
            }
        };
        Ok(Shows { challenges: self.clone(), kind, key: key.to_owned() })
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shown> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shows {
    fn drop(&mut self) {
        let mut shown = self.challenges.write();
        match self.kind {
            ChallengeKind::Http01 => shown.http.remove(&self.key).is_some(),
            ChallengeKind::TlsAlpn01 => shown.tls.remove(&self.key).is_some(),
        };
    }
}

/// A certificate that holds the answer (RFC 8737).
fn certificate(name: &str, digest: &[u8]) -> Result<CertifiedKey, rcgen::Error> {
    if digest.len() != 32 {
        return Err(rcgen::Error::CouldNotParseCertificate);
    }
    let mut wanted = CertificateParams::new(vec![name.to_owned()])?;
    wanted.distinguished_name = DistinguishedName::new();
    wanted.custom_extensions.push(CustomExtension::new_acme_identifier(digest));
    let pair = KeyPair::generate()?;
    let made = wanted.self_signed(&pair)?;
    let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
    let key = any_supported_type(&key).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok(CertifiedKey::new(vec![made.der().clone()], key))
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.tls.get(hello.server_name()?).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_shown_only_as_long_as_they_are_wanted() {
        let challenges = Challenges::default();
        let asked = Asked { name: "a.example", token: "tok", authorization: "tok.key", digest: &[7; 32] };
        let path = "/.well-known/acme-challenge/tok";
        assert!(challenges.answer(path).is_none());
        let shows = challenges.show(ChallengeKind::Http01, asked).unwrap();
        assert!(challenges.answer(path).is_some());
        for other in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/tok/", "/tok", "/"] {
            assert!(challenges.answer(other).is_none(), "{other}");
        }
        drop(shows);
        assert!(challenges.answer(path).is_none());
        let shows = challenges.show(ChallengeKind::TlsAlpn01, asked).unwrap();
        assert!(challenges.0.read().unwrap().tls.contains_key("a.example"));
        drop(shows);
        assert!(challenges.0.read().unwrap().tls.is_empty());
        assert!(challenges.show(ChallengeKind::TlsAlpn01, Asked { digest: &[7; 31], ..asked }).is_err());
    }
}
