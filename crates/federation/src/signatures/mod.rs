//! Signing requests, and finding out who signed one: draft-cavage-12 and RFC 9421. The same for documents: `proof`.
//!
//! Verifying has two steps, because the key may have to be fetched between them: [`parse`] checks everything that needs
//! no key (what is covered, the digest, the clock, the host) and names the key; [`Signed::verify`] checks with a key,
//! and may be asked again with a newer one.

mod base;
mod canonical;
mod cavage;
mod digest;
mod keys;
mod linked_data;
mod multibase;
mod params;
mod pem;
mod proof;
mod proof_key;
mod rfc9421;
mod structured;
#[cfg(test)]
mod tests;
mod window;

pub use digest::{Payload, content_digest_header, digest_header};
pub use keys::{KeyError, KeyPair, PublicKey};
pub use linked_data::sign as sign_linked_data;
pub use proof::{Proof, prove};
pub use proof_key::ProofKey;

pub(crate) use base::authority;
pub(crate) use params::pairs as parameters;
pub(crate) use window::of_date as http_date;

use axum::http::{HeaderMap, Method, Uri};
use domain::Time;
use std::sync::Arc;
use url::Url;

/// Tells a peer that was refused how to sign: the value of `Accept-Signature` on our 401.
pub(crate) const ACCEPT_SIGNATURE: &str = "sig1=(\"@method\" \"@target-uri\" \"content-digest\");created";

/// How a request is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    #[default]
    Cavage,
    /// As [`Form::Cavage`], but the query is not covered: some verify only the path.
    CavagePathOnly,
    Rfc9421,
}

/// Who signs: a key and its id. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Signer {
    pub key_id: Arc<str>,
    pub key: Arc<KeyPair>,
}

/// A request that is about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub method: &'a Method,
    pub url: &'a Url,
    /// Of a POST.
    pub payload: Option<&'a Payload>,
    /// What is sent and signed besides, such as `Collection-Synchronization`; of POSTs alone.
    pub extra: &'a [(&'static str, String)],
}

impl Signer {
    pub fn new(key_id: impl Into<Arc<str>>, key: Arc<KeyPair>) -> Self {
        Self { key_id: key_id.into(), key }
    }

    /// All headers that the request needs to be signed: `host`, `date`, digests, content type and the signature.
    pub fn sign(&self, form: Form, request: &Outgoing<'_>, now: Time) -> Result<HeaderMap, KeyError> {
        match form {
            Form::Cavage | Form::CavagePathOnly => cavage::sign(self, form, request, now),
            Form::Rfc9421 => rfc9421::sign(self, request, now),
        }
    }
}

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub method: &'a Method,
    /// As the client sent it: before any rewriting.
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// What this server is called: signatures made for another host are refused.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// Host names (with ports, if not the usual ones) that requests may be for, in lower case.
    pub hosts: &'a [&'a str],
    /// `https` or `http`: what the client used, whatever a proxy made of it.
    pub scheme: &'a str,
}

/// Why a request counts as not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the request is not signed")]
    Missing,
    #[error("the signature cannot be read: {0}")]
    Malformed(&'static str),
    #[error("the signature does not cover {0}")]
    NotCovered(&'static str),
    #[error("the digest is missing or does not fit the body")]
    Digest,
    #[error("the signature is too old, or of the future")]
    Window,
    #[error("the request is signed for another host")]
    Host,
    #[error("the signature's algorithm does not fit the key, or is not known")]
    Algorithm,
    #[error("the signature does not fit the request")]
    Mismatch,
}

/// A signature that is right in everything that can be told without the key.
#[derive(Clone, Debug)]
pub struct Signed {
    /// An address, with or without a fragment.
    pub key_id: String,
    pub form: Form,
    /// When it was made.
    pub created: Time,
    /// Names of what is covered, in lower case.
    covered: Vec<String>,
    algorithm: keys::Algorithm,
    /// What may have been signed, most likely first.
    bases: Vec<Vec<u8>>,
    signature: Vec<u8>,
    /// Another signature on the same request, by the same key or by another.
    other: Option<Box<Signed>>,
}

impl Signed {
    /// A signature by another key beside this one: each is of whom its key is.
    pub fn apart(mut self) -> (Self, Option<Self>) {
        match self.other.take() {
            Some(other) if other.key_id != self.key_id => (self, Some(*other)),
            other => (Self { other, ..self }, None),
        }
    }

    /// Another signature by the same key.
    fn twin(&self) -> Option<&Self> {
        self.other.as_deref().filter(|other| other.key_id == self.key_id)
    }

    /// [`Refusal::Mismatch`] and [`Refusal::Algorithm`] may be cured by a newer key.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Refusal> {
        let fits = self.bases.iter().any(|base| key.verifies(self.algorithm, base, &self.signature));
        match (self.twin(), key.suits(self.algorithm)) {
            _ if fits => Ok(()),
            (Some(other), _) => other.verify(key),
            (None, true) => Err(Refusal::Mismatch),
            (None, false) => Err(Refusal::Algorithm),
        }
    }

    /// Whether this header is signed. Where there are two signatures, either may be the one that fits: both must say so.
    pub fn covers(&self, header: &str) -> bool {
        let here = self.covered.iter().any(|name| name.eq_ignore_ascii_case(header));
        here && self.twin().is_none_or(|other| other.covers(header))
    }

    /// The signature itself, whatever is written around it: of two, the one that fits `key`.
    pub(crate) fn bytes(&self, key: &PublicKey) -> &[u8] {
        match self.twin() {
            Some(other) if !self.bases.iter().any(|base| key.verifies(self.algorithm, base, &self.signature)) => {
                other.bytes(key)
            }
            _ => &self.signature,
        }
    }
}

/// Reads the request's signature and checks all but the signature itself.
pub fn parse(request: &Incoming<'_>, ours: &Ours<'_>, now: Time) -> Result<Signed, Refusal> {
    if !request.headers.contains_key("signature-input") {
        return cavage::parse(request, ours, now);
    }
    match (rfc9421::parse(request, ours, now), cavage::parse(request, ours, now)) {
        (Ok(signed), Ok(other)) => Ok(Signed { other: Some(Box::new(other)), ..signed }),
        (Err(_), Ok(other)) => Ok(other),
        (outcome, _) => outcome,
    }
}
