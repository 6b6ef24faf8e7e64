//! Digests of bodies: `Digest` of RFC 3230, which everybody sends, and `Content-Digest` of RFC 9530.

use super::{Refusal, pem, structured};
use aws_lc_rs::{constant_time, digest};
use axum::http::HeaderMap;
use bytes::Bytes;

/// A body that is to be sent, perhaps to thousands: its bytes and their digest are made once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payload {
    pub bytes: Bytes,
    /// SHA-256 in base64.
    digest: std::sync::Arc<str>,
}

impl Payload {
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = pem::to_base64(digest::digest(&digest::SHA256, &bytes).as_ref()).into();
        Self { bytes, digest }
    }
    /// The value of `Digest`. In capitals: some know no other way to write it.
    pub(super) fn digest(&self) -> String {
        format!("SHA-256={}", self.digest)
    }
    /// The value of `Content-Digest`.
    pub(super) fn content_digest(&self) -> String {
        format!("sha-256=:{}:", self.digest)
    }
}

/// The value of `Digest` for a body.
pub fn digest_header(body: &[u8]) -> String {
    Payload::new(Bytes::copy_from_slice(body)).digest()
}

/// The value of `Content-Digest` for a body.
pub fn content_digest_header(body: &[u8]) -> String {
    Payload::new(Bytes::copy_from_slice(body)).content_digest()
}

/// Checks `Digest`: a SHA-256 must be there, and every one that is must be that of the body.
pub(super) fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let actual = digest::digest(&digest::SHA256, body);
    let mut found = false;
    for header in headers.get_all("digest") {
        for part in header.to_str().map_err(|_| Refusal::Digest)?.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else { return Err(Refusal::Digest) };
            if !name.eq_ignore_ascii_case("sha-256") {
                continue;
            }
            let told = pem::base64(value).ok_or(Refusal::Digest)?;
            same(&told, actual.as_ref())?;
            found = true;
        }
    }
    if found { Ok(()) } else { Err(Refusal::Digest) }
}

/// Checks `Content-Digest`: a SHA-256 or SHA-512 must be there, and every one that is must be that of the body.
pub(super) fn check_content(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let value = structured::joined(headers, "content-digest").ok_or(Refusal::Digest)?;
    let mut found = false;
    for member in structured::dictionary(&value).ok_or(Refusal::Digest)? {
        let algorithm = match member.key {
            "sha-256" => &digest::SHA256,
            "sha-512" => &digest::SHA512,
            _ => continue,
        };
        let told = structured::bytes(member.value).ok_or(Refusal::Digest)?;
        same(&told, digest::digest(algorithm, body).as_ref())?;
        found = true;
    }
    if found { Ok(()) } else { Err(Refusal::Digest) }
}

fn same(told: &[u8], actual: &[u8]) -> Result<(), Refusal> {
    constant_time::verify_slices_are_equal(told, actual).map_err(|_| Refusal::Digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const BODY: &[u8] = b"{\"hello\": \"world\"}";

    fn with(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn digests_in_every_spelling() {
        assert_eq!(digest_header(BODY), "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=");
        assert_eq!(content_digest_header(BODY), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
        for values in [
            &["SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="][..],
            &["sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE"],
            &["MD5=abc, SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
            &["unixsum=1", "Sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
        ] {
            assert_eq!(check(&with("digest", values), BODY), Ok(()), "{values:?}");
        }
        for values in [
            &[][..],
            &[""],
            &["SHA-256"],
            &["SHA-256=*"],
            &["MD5=Sd/dVLAcvNLSq16eXua5uQ=="],
            &["SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPF="],
            // One that fits does not excuse one that does not.
            &[
                "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=,SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            ],
        ] {
            assert_eq!(check(&with("digest", values), BODY), Err(Refusal::Digest), "{values:?}");
        }
    }

    #[test]
    fn content_digests() {
        // RFC 9530, appendix D: the same body with SHA-512.
        let sha512 =
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        for values in [
            &["sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"][..],
            &[sha512],
            &["sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", sha512],
            &["unixsum=30637, sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"],
        ] {
            assert_eq!(check_content(&with("content-digest", values), BODY), Ok(()), "{values:?}");
        }
        for values in [
            &[][..],
            &["sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
            &["unixsum=30637"],
            &["sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", sha512],
        ] {
            assert_eq!(check_content(&with("content-digest", values), BODY), Err(Refusal::Digest), "{values:?}");
        }
    }
}
