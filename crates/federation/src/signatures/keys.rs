//! Keys: ours, which sign (RSA), and others', which verify (RSA and Ed25519).

use super::{multibase, pem};
use crate::documents::KeyMaterial;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{
    self, ED25519, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
};
use std::fmt;
use std::sync::Arc;

/// Bytes of the smallest modulus that is believed.
const WEAK: usize = 256;
/// What Ed25519 keys begin with as a Multikey.
pub(super) const MULTIKEY_ED25519: [u8; 2] = [0xed, 0x01];
/// What RSA keys begin with as a Multikey; PKCS#1 follows.
const MULTIKEY_RSA: [u8; 2] = [0x85, 0x24];
/// A subject public key info of Ed25519 is this and 32 bytes.
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("this is no key that is known here")]
    Unreadable,
    #[error("RSA keys of less than 2048 bits are not believed")]
    Weak,
    #[error("the key does not sign")]
    Unusable,
    /// Something to be signed cannot be a header.
    #[error("a header cannot hold this")]
    Header,
}

/// How something was signed, as far as the signature tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    RsaSha256,
    Ed25519,
    /// The key decides: RSA with SHA-256 or SHA-512, or Ed25519.
    OfTheKey,
}

/// A key of ours: RSA with 2048 bits, or whatever RSA key was brought along.
pub struct KeyPair {
    key: RsaKeyPair,
    public_pem: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

impl KeyPair {
    /// Takes tenths of a second of computing: not for a thread that serves others.
    pub fn generate() -> Result<Self, KeyError> {
        Self::of(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Unusable)?)
    }

    /// Reads PKCS#8 (`BEGIN PRIVATE KEY`) and PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(text).ok_or(KeyError::Unreadable)?;
        let key = match label {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
            _ => return Err(KeyError::Unreadable),
        };
        Self::of(key.map_err(|_| KeyError::Unreadable)?)
    }

    fn of(key: RsaKeyPair) -> Result<Self, KeyError> {
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| KeyError::Unusable)?;
        let public_pem = pem::encode("PUBLIC KEY", der.as_ref());
        Ok(Self { key, public_pem })
    }

    /// PKCS#8.
    pub fn private_pem(&self) -> Result<String, KeyError> {
        let der: Pkcs8V1Der<'_> = self.key.as_der().map_err(|_| KeyError::Unusable)?;
        Ok(pem::encode("PRIVATE KEY", der.as_ref()))
    }

    /// `BEGIN PUBLIC KEY`: the subject's public key info, as actors publish it.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_pem(&self.public_pem)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut out = vec![0; self.key.public_modulus_len()];
        let done = self.key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out);
        done.map_err(|_| KeyError::Unusable)?;
        Ok(out)
    }
}

/// A key that verifies. Parsed once; cheap to clone and to keep.
#[derive(Clone, Debug)]
pub struct PublicKey(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Rsa(Arc<ParsedPublicKey>),
    Ed25519(Arc<ParsedPublicKey>),
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Rsa(a), Kind::Rsa(b)) | (Kind::Ed25519(a), Kind::Ed25519(b)) => (**a).as_ref() == (**b).as_ref(),
            _ => false,
        }
    }
}

impl PublicKey {
    pub fn read(material: &KeyMaterial) -> Result<Self, KeyError> {
        match material {
            KeyMaterial::Pem(text) => Self::from_pem(text),
            KeyMaterial::Multibase(text) => Self::from_multibase(text),
        }
    }

    /// Reads `BEGIN PUBLIC KEY` (RSA or Ed25519) and `BEGIN RSA PUBLIC KEY`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(text).ok_or(KeyError::Unreadable)?;
        match label {
            "PUBLIC KEY" => match der.strip_prefix(&SPKI_ED25519) {
                Some(raw) => Self::ed25519(raw),
                None => Self::rsa(&der),
            },
            "RSA PUBLIC KEY" => Self::rsa(&der),
            _ => Err(KeyError::Unreadable),
        }
    }

    /// Reads a Multikey: `z` and base58 of a prefix and the key.
    pub fn from_multibase(text: &str) -> Result<Self, KeyError> {
        let bytes = multibase::decode(text).ok_or(KeyError::Unreadable)?;
        if let Some(raw) = bytes.strip_prefix(&MULTIKEY_ED25519) {
            return Self::ed25519(raw);
        }
        let der = bytes.strip_prefix(&MULTIKEY_RSA).ok_or(KeyError::Unreadable)?;
        Self::rsa(der)
    }

    fn ed25519(raw: &[u8]) -> Result<Self, KeyError> {
        if raw.len() != 32 {
            return Err(KeyError::Unreadable);
        }
        let key = ParsedPublicKey::new(&ED25519, raw).map_err(|_| KeyError::Unreadable)?;
        Ok(Self(Kind::Ed25519(Arc::new(key))))
    }

    /// PKCS#1 or a subject's public key info: the library tells them apart.
    fn rsa(der: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPublicKey::from_der(der).map_err(|_| KeyError::Unreadable)?;
        if key.modulus_len() < WEAK {
            return Err(KeyError::Weak);
        }
        // In one form, so that equal keys are equal.
        let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| KeyError::Unreadable)?;
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref());
        let key = key.map_err(|_| KeyError::Unreadable)?;
        Ok(Self(Kind::Rsa(Arc::new(key))))
    }

    /// Whether the key is of the kind that the algorithm takes.
    pub(super) fn suits(&self, algorithm: Algorithm) -> bool {
        match (&self.0, algorithm) {
            (_, Algorithm::OfTheKey) => true,
            (Kind::Rsa(_), Algorithm::RsaSha256) | (Kind::Ed25519(_), Algorithm::Ed25519) => true,
            (Kind::Rsa(_), Algorithm::Ed25519) | (Kind::Ed25519(_), Algorithm::RsaSha256) => false,
        }
    }

    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.suits(algorithm) {
            return false;
        }
        match &self.0 {
            Kind::Ed25519(key) => key.verify_sig(message, signature).is_ok(),
            Kind::Rsa(key) if key.verify_sig(message, signature).is_ok() => true,
            // hs2019 was written for SHA-512, although nearly everybody means SHA-256.
            Kind::Rsa(key) if algorithm == Algorithm::OfTheKey => {
                let bytes: &[u8] = (**key).as_ref();
                ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, bytes)
                    .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
            }
            Kind::Rsa(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_being_written_and_read() {
        let pair = KeyPair::generate().unwrap();
        let again = KeyPair::from_pem(&pair.private_pem().unwrap()).unwrap();
        assert_eq!(pair.public_pem(), again.public_pem());
        assert!(pair.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let signature = pair.sign(b"text").unwrap();
        let key = again.public_key().unwrap();
        assert!(key.verifies(Algorithm::RsaSha256, b"text", &signature));
        assert!(key.verifies(Algorithm::OfTheKey, b"text", &signature));
        assert!(!key.verifies(Algorithm::Ed25519, b"text", &signature));
        assert!(!key.verifies(Algorithm::RsaSha256, b"Text", &signature));
        assert_eq!(format!("{pair:?}"), "KeyPair(…)");
    }

    #[test]
    fn rsa_may_mean_either_digest_where_the_key_decides() {
        let pair = KeyPair::generate().unwrap();
        let key = pair.public_key().unwrap();
        let mut long = vec![0; pair.key.public_modulus_len()];
        pair.key.sign(&signature::RSA_PKCS1_SHA512, &SystemRandom::new(), b"text", &mut long).unwrap();
        assert!(key.verifies(Algorithm::OfTheKey, b"text", &long));
        assert!(!key.verifies(Algorithm::RsaSha256, b"text", &long));
        assert!(!key.verifies(Algorithm::OfTheKey, b"Text", &long));
    }

    #[test]
    fn public_keys_come_in_several_envelopes() {
        let pair = KeyPair::generate().unwrap();
        let key = pair.public_key().unwrap();
        let (_, spki) = pem::decode(pair.public_pem()).unwrap();
        // The last part of the info is PKCS#1: a header of 24 bytes stands before it.
        let pkcs1 = &spki[24..];
        assert_eq!(PublicKey::from_pem(&pem::encode("RSA PUBLIC KEY", pkcs1)).unwrap(), key);
        let crlf = pair.public_pem().replace('\n', "\r\n");
        assert_eq!(PublicKey::from_pem(&crlf).unwrap(), key);
        assert_eq!(PublicKey::from_pem(pair.public_pem().trim_end()).unwrap(), key);
        let one_line = pair.public_pem().replace('\n', " ");
        assert_eq!(PublicKey::from_pem(&one_line).unwrap(), key);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "-----BEGIN PUBLIC KEY-----".to_owned() + &"A".repeat(20_000) + "-----END PUBLIC KEY-----";
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            // 1024 bits: of the drafts' appendix.
            "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3\n6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6\nZ4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw\noYi+1hqp1fIekaxsyQIDAQAB\n-----END PUBLIC KEY-----",
            long.as_str(),
        ] {
            assert!(PublicKey::from_pem(text).is_err(), "{text}");
        }
        for text in ["", "z", "z6Mk", "u6Mk", "z0", &format!("z{}", "6".repeat(5000))] {
            assert!(PublicKey::from_multibase(text).is_err(), "{text}");
        }
    }
}
