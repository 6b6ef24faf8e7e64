//! Object integrity proofs (FEP-8b32) with the cryptosuite eddsa-jcs-2022: what says who said it, whoever brings it.
//!
//! As with requests there are two steps: [`Proof::read`] checks everything that needs no key and names the key;
//! [`Proof::verify`] checks with it.

use super::keys::Algorithm;
use super::{KeyError, ProofKey, PublicKey, canonical, multibase};
use crate::documents;
use aws_lc_rs::digest::{SHA256, digest};
use domain::Time;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

const KIND: &str = "DataIntegrityProof";
const SUITE: &str = "eddsa-jcs-2022";
const PURPOSE: &str = "assertionMethod";
/// How long what carries a proof may be passed on: relays and servers try again for hours. Shorter than
/// [`domain::arrivals::KEPT`], so that the same does not come to count twice.
const OLD: Duration = Duration::from_secs(24 * 3600);
/// How far clocks may be apart.
const DRIFT: Duration = Duration::from_secs(3600);
/// Proofs of one document among which one is looked for that is understood.
const SEVERAL: usize = 4;
const SIGNATURE: usize = 64;

/// A proof that is right in everything that can be told without the key.
#[derive(Debug)]
pub struct Proof {
    /// An address.
    pub key_id: String,
    /// What is signed: the hashes of the proof and of the document.
    hashes: Vec<u8>,
    signature: Vec<u8>,
    /// The document without its proof, canonical.
    said: Vec<u8>,
}

impl Proof {
    /// Reads the proof of a document; None when there is none that could count.
    pub fn read(document: &Value, now: Time) -> Option<Self> {
        let document = document.as_object()?;
        let (options, signature) = match document.get("proof")? {
            Value::Object(one) => options(one, now)?,
            Value::Array(several) => {
                several.iter().take(SEVERAL).filter_map(Value::as_object).find_map(|one| options(one, now))?
            }
            _ => return None,
        };
        let key_id = options.get("verificationMethod")?.as_str()?.to_owned();
        documents::origin(&key_id)?;
        let mut said = document.clone();
        // A Linked Data signature is made after the proof, and is not part of what was said.
        for name in ["proof", "signature"] {
            said.shift_remove(name);
        }
        if let Some(context) = options.get("@context") {
            if !begins_with(said.get("@context")?, context) {
                return None;
            }
            said.insert("@context".to_owned(), context.clone());
        }
        let said = canonical::text(&Value::Object(said))?;
        let hashes = hashes(&canonical::text(&Value::Object(options))?, &said);
        Some(Self { key_id, hashes, signature, said })
    }

    /// What was said, read from what was signed: other spellings of the same numbers or names cannot come between. None
    /// when it is not signed with this key, or the key is not of the kind that these proofs take.
    pub fn verify(&self, key: &PublicKey) -> Option<Value> {
        let fits = key.verifies(Algorithm::Ed25519, &self.hashes, &self.signature);
        if fits { serde_json::from_slice(&self.said).ok() } else { None }
    }
}

/// What of the proof is signed, and the signature, if it is one that is understood and of a time that counts.
fn options(proof: &Map<String, Value>, now: Time) -> Option<(Map<String, Value>, Vec<u8>)> {
    let text = |name: &str| proof.get(name).and_then(Value::as_str);
    let known =
        text("type") == Some(KIND) && text("cryptosuite") == Some(SUITE) && text("proofPurpose") == Some(PURPOSE);
    // A proof about another proof says more than is understood here.
    if !known || proof.contains_key("previousProof") {
        return None;
    }
    let created = Time::parse(text("created")?)?;
    if created < now.minus(OLD) || created > now.plus(DRIFT) {
        return None;
    }
    if proof.contains_key("expires") && Time::parse(text("expires")?)? < now {
        return None;
    }
    let signature = multibase::decode(text("proofValue")?).filter(|bytes| bytes.len() == SIGNATURE)?;
    let mut options = proof.clone();
    options.shift_remove("proofValue");
    Some((options, signature))
}

fn begins_with(whole: &Value, beginning: &Value) -> bool {
    fn list(value: &Value) -> &[Value] {
        value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
    }
    list(whole).starts_with(list(beginning))
}

pub(super) fn hashes(options: &[u8], said: &[u8]) -> Vec<u8> {
    [digest(&SHA256, options).as_ref(), digest(&SHA256, said).as_ref()].concat()
}

/// Puts a proof into a document that has none yet.
pub fn prove(document: &mut Map<String, Value>, (key_id, key): (&str, &ProofKey), now: Time) -> Result<(), KeyError> {
    // Whole seconds, because not everybody writes fractions in the same way when they hash it again.
    let created = Timestamp::from_second(now.seconds()).map_err(|_| KeyError::Unusable)?;
    let mut options = Map::new();
    if let Some(context) = document.get("@context") {
        options.insert("@context".to_owned(), context.clone());
    }
    let created = created.to_string();
    let texts = [
        ("type", KIND),
        ("cryptosuite", SUITE),
        ("created", &created),
        ("verificationMethod", key_id),
        ("proofPurpose", PURPOSE),
    ];
    options.extend(texts.into_iter().map(|(name, text)| (name.to_owned(), text.into())));
    let said = canonical::text(&Value::Object(document.clone())).ok_or(KeyError::Unusable)?;
    let config = canonical::text(&Value::Object(options.clone())).ok_or(KeyError::Unusable)?;
    let signature = key.sign(&hashes(&config, &said));
    options.insert("proofValue".to_owned(), multibase::encode(&signature).into());
    document.insert("proof".to_owned(), Value::Object(options));
    Ok(())
}
