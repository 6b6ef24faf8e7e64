//! The `@context` of what we write. Its first entry stays the literal that some peers look for; the terms are declared
//! for those few who expand documents.

use serde_json::{Map, Value, json};
use std::sync::LazyLock;

pub(super) const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";
pub(crate) const SECURITY: &str = "https://w3id.org/security/v1";
pub(super) const WEBFINGER: &str = "https://purl.archive.org/socialweb/webfinger";

/// Which terms a document needs, the larger including the smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Terms {
    Plain,
    Post,
    Actor,
}

static POST: LazyLock<Value> = LazyLock::new(|| json!([ACTIVITY_STREAMS, post()]));
static ACTOR: LazyLock<Value> = LazyLock::new(|| {
    let mut terms = post();
    if let (Some(all), Value::Object(more)) = (terms.as_object_mut(), actor()) {
        all.extend(more);
    }
    json!([ACTIVITY_STREAMS, SECURITY, WEBFINGER, terms])
});

pub(super) fn of(terms: Terms) -> Value {
    match terms {
        Terms::Plain => ACTIVITY_STREAMS.into(),
        Terms::Post => POST.clone(),
        Terms::Actor => ACTOR.clone(),
    }
}

/// Names one more context in a document that is to be signed: behind the first, so that what is said in the document itself
/// still has the last word.
pub(crate) fn declare(document: &mut Map<String, Value>, url: &str) {
    let Some(context) = document.get_mut("@context") else { return };
    match context {
        Value::Array(list) if !list.iter().any(|known| known == url) => list.insert(list.len().min(1), url.into()),
        Value::Array(_) => {}
        one => *one = json!([one.take(), url]),
    }
}

fn id(term: &str) -> Value {
    json!({ "@id": term, "@type": "@id" })
}

fn post() -> Value {
    let mut terms = json!({
        "toot": "http://joinmastodon.org/ns#",
        "ostatus": "http://ostatus.org#",
        "misskey": "https://misskey-hub.net/ns#",
        "fedibird": "http://fedibird.com/ns#",
        "litepub": "http://litepub.social/ns#",
        "gts": "https://gotosocial.org/ns#",
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "quoteUrl": "as:quoteUrl",
        "Emoji": "toot:Emoji",
        "blurhash": "toot:blurhash",
        "focalPoint": { "@id": "toot:focalPoint", "@container": "@list" },
        "votersCount": "toot:votersCount",
        "conversation": "ostatus:conversation",
        "_misskey_quote": "misskey:_misskey_quote",
        "_misskey_reaction": "misskey:_misskey_reaction",
        "quoteUri": "fedibird:quoteUri",
        "directMessage": "litepub:directMessage",
        "htmlMfm": "https://w3id.org/fep/c16b#htmlMfm",
        "EmojiReact": "litepub:EmojiReact",
        "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
        "FeatureRequest": "https://w3id.org/fep/7aa9#FeatureRequest",
        "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    });
    let links = [
        ("quote", "https://w3id.org/fep/044f#quote"),
        ("quoteAuthorization", "https://w3id.org/fep/044f#quoteAuthorization"),
        ("interactionPolicy", "gts:interactionPolicy"),
        ("canQuote", "gts:canQuote"),
        ("canReply", "gts:canReply"),
        ("canLike", "gts:canLike"),
        ("canAnnounce", "gts:canAnnounce"),
        ("automaticApproval", "gts:automaticApproval"),
        ("manualApproval", "gts:manualApproval"),
        ("approvedBy", "gts:approvedBy"),
        ("interactingObject", "gts:interactingObject"),
        ("interactionTarget", "gts:interactionTarget"),
    ];
    if let Some(map) = terms.as_object_mut() {
        map.extend(links.into_iter().map(|(name, term)| (name.to_owned(), id(term))));
    }
    terms
}

fn actor() -> Value {
    json!({
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "movedTo": id("as:movedTo"),
        "alsoKnownAs": id("as:alsoKnownAs"),
        "featured": id("toot:featured"),
        "featuredTags": id("toot:featuredTags"),
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "memorial": "toot:memorial",
        "suspended": "toot:suspended",
        "attributionDomains": { "@id": "toot:attributionDomains", "@container": "@set" },
        "assertionMethod": { "@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set" },
        "controller": id("https://w3id.org/security#controller"),
        "Multikey": "https://w3id.org/security#Multikey",
        "publicKeyMultibase": "https://w3id.org/security#publicKeyMultibase",
        "implements": id("https://w3id.org/fep/844e/implements"),
    })
}
