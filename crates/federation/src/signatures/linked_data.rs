//! Linked Data signatures (RsaSignature2017), made for relays that pass on only what is signed in itself. What comes with
//! one is believed no more than without: there are too many ways to say something else with the same signature.
//!
//! What is signed is not the text of a document but its meaning: quads in the one order and with the one naming of nodes of
//! RDF Dataset Canonicalization (RDFC-1.0, formerly URDNA2015).

use super::{KeyError, KeyPair, pem};
use crate::documents::{context, terms};
use aws_lc_rs::digest::{SHA256, digest};
use domain::Time;
use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::Dataset;
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long others should believe it: longer than a relay tries to pass it on.
const HOLDS: Duration = Duration::from_secs(2 * 24 * 3600);

/// Signs a document that [`crate::documents`] wrote.
pub fn sign(document: &mut Map<String, Value>, (key_id, key): (&str, &KeyPair), now: Time) -> Result<(), KeyError> {
    context::declare(document, context::SECURITY);
    let (created, expires) = (now.iso(), now.plus(HOLDS).iso());
    let options = hash(&options(key_id, &created, &expires));
    let text = hash(&canonical(document).ok_or(KeyError::Unusable)?);
    let value = pem::to_base64(&key.sign(format!("{options}{text}").as_bytes())?);
    let signature = json!({
        "type": "RsaSignature2017", "creator": key_id, "created": created, "expires": expires, "signatureValue": value,
    });
    document.insert("signature".to_owned(), signature);
    Ok(())
}

/// In hexadecimal, as the kind of signature wants it.
fn hash(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the signature says of itself, canonical: one node without a name, its properties in order.
fn options(key_id: &str, created: &str, expires: &str) -> String {
    const TIME: &str = "http://www.w3.org/2001/XMLSchema#dateTime";
    format!(
        "_:c14n0 <http://purl.org/dc/terms/created> \"{created}\"^^<{TIME}> .\n\
         _:c14n0 <http://purl.org/dc/terms/creator> <{key_id}> .\n\
         _:c14n0 <https://w3id.org/security#expiration> \"{expires}\"^^<{TIME}> .\n"
    )
}

/// What a document of ours means, as canonical N-Quads. None when it names a context that is not known here, or something
/// in it has an address that is none.
pub(super) fn canonical(document: &Map<String, Value>) -> Option<String> {
    let text = serde_json::to_vec(document).ok()?;
    let quads = JsonLdParser::new().for_slice(&text).with_load_document_callback(|url, _| {
        let known = terms::at(url).ok_or("no context of ours")?;
        Ok(JsonLdRemoteDocument { document: serde_json::to_vec(known)?, document_url: url.to_owned() })
    });
    let mut dataset = Dataset::new();
    for quad in quads {
        dataset.insert(&quad.ok()?);
    }
    let hash_algorithm = CanonicalizationHashAlgorithm::Sha256;
    dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 { hash_algorithm });
    let mut lines: Vec<String> = dataset.iter().map(|quad| format!("{quad} .\n")).collect();
    lines.sort_unstable();
    Some(lines.concat())
}
