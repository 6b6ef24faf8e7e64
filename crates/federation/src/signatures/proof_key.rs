//! Keys of ours for what they say, not for requests: Ed25519.

use super::keys::{KeyError, MULTIKEY_ED25519};
use super::{multibase, pem};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use std::fmt;

/// A pair that signs proofs.
pub struct ProofKey {
    key: Ed25519KeyPair,
    multikey: String,
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey(…)")
    }
}

const LABEL: &str = "PRIVATE KEY";

impl ProofKey {
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self::of).map_err(|_| KeyError::Unusable)
    }

    /// Reads PKCS#8 (`BEGIN PRIVATE KEY`).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (_, der) = pem::decode(text).filter(|(label, _)| *label == LABEL).ok_or(KeyError::Unreadable)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self::of).map_err(|_| KeyError::Unreadable)
    }

    #[cfg(test)]
    pub(super) fn from_seed(seed: &[u8]) -> Self {
        Self::of(Ed25519KeyPair::from_seed_unchecked(seed).unwrap())
    }

    fn of(key: Ed25519KeyPair) -> Self {
        let multikey = multibase::encode(&[MULTIKEY_ED25519.as_slice(), key.public_key().as_ref()].concat());
        Self { key, multikey }
    }

    /// PKCS#8.
    pub fn private_pem(&self) -> Result<String, KeyError> {
        let der = self.key.to_pkcs8v1().map_err(|_| KeyError::Unusable)?;
        Ok(pem::encode(LABEL, der.as_ref()))
    }

    /// The public key as actors publish it (FEP-521a).
    pub fn multikey(&self) -> &str {
        &self.multikey
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).as_ref().to_vec()
    }
}
