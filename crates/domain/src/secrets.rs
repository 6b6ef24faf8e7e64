//! Random secrets, what the database keeps of them, and comparing them without telling how much was right.

use crate::{Error, Result};
use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Letters and digits that cannot be mistaken for each other: 32 of them, five bits each.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 256 random bits as 43 characters that are safe in addresses and headers.
pub fn token() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// A password for people to type once: four groups of four readable characters, 80 random bits.
pub fn password() -> Result<String> {
    let mut out = String::with_capacity(19);
    for (n, byte) in random::<16>()?.into_iter().enumerate() {
        if n > 0 && n % 4 == 0 {
            out.push('-');
        }
        out.push(char::from(READABLE[usize::from(byte % 32)]));
    }
    Ok(out)
}

/// What the database keeps of a secret of at least 80 random bits: SHA-256, in base64.
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}

/// HMAC-SHA-256 of `text`, in base64: only who knows `key` can make it.
pub fn mac(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()))
}

/// Whether two texts are the same, in a time that depends on their lengths only.
pub fn same(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::internal("the system gives no random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_twice() {
        let made: std::collections::HashSet<String> = (0..1000).map(|_| token().unwrap()).collect();
        assert_eq!(made.len(), 1000);
        assert!(made.iter().all(|t| t.len() == 43));
    }

    #[test]
    fn passwords_can_be_read_aloud() {
        let made = password().unwrap();
        let groups: Vec<&str> = made.split('-').collect();
        assert_eq!(groups.iter().map(|g| g.len()).collect::<Vec<_>>(), [4, 4, 4, 4]);
        assert!(!made.contains(['0', 'o', '1', 'l']), "{made}");
    }

    #[test]
    fn hashes_are_sha_256() {
        // RFC 7636, appendix B: the challenge of PKCE is made in the same way.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(hash(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab"));
        assert_ne!(mac("a", "text"), mac("b", "text"));
    }
}
