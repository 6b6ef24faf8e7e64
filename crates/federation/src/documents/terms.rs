//! The contexts that ours name, as far as we use them: what the words in our documents mean to who reads them as linked
//! data. Known here, because nothing is fetched to find out what we say ourselves.

use super::context::{ACTIVITY_STREAMS, SECURITY, WEBFINGER};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Types, and properties whose values are texts or numbers or of no certain kind.
const PLAIN: &[&str] = &[
    "Accept",
    "Add",
    "Announce",
    "Application",
    "Article",
    "Audio",
    "Block",
    "Collection",
    "CollectionPage",
    "Create",
    "Delete",
    "Dislike",
    "Document",
    "Event",
    "Flag",
    "Follow",
    "Group",
    "Image",
    "Like",
    "Link",
    "Mention",
    "Move",
    "Note",
    "OrderedCollection",
    "OrderedCollectionPage",
    "Organization",
    "Page",
    "Person",
    "Place",
    "Question",
    "Reject",
    "Remove",
    "Service",
    "Tombstone",
    "Undo",
    "Update",
    "Video",
    "content",
    "hreflang",
    "mediaType",
    "name",
    "preferredUsername",
    "rel",
    "source",
    "summary",
    "units",
];
/// Properties whose values are things, or addresses of things.
const LINKS: &[&str] = &[
    "actor",
    "alsoKnownAs",
    "anyOf",
    "attachment",
    "attributedTo",
    "audience",
    "bcc",
    "bto",
    "cc",
    "context",
    "current",
    "endpoints",
    "first",
    "followers",
    "following",
    "formerType",
    "generator",
    "href",
    "icon",
    "image",
    "inReplyTo",
    "instrument",
    "items",
    "last",
    "liked",
    "likes",
    "location",
    "next",
    "object",
    "oneOf",
    "origin",
    "outbox",
    "partOf",
    "prev",
    "preview",
    "replies",
    "result",
    "sharedInbox",
    "shares",
    "streams",
    "tag",
    "target",
    "to",
    "url",
];
/// Properties whose values are of one type of XML Schema.
const TYPED: &[(&str, &str)] = &[
    ("closed", "dateTime"),
    ("deleted", "dateTime"),
    ("duration", "duration"),
    ("endTime", "dateTime"),
    ("height", "nonNegativeInteger"),
    ("published", "dateTime"),
    ("startTime", "dateTime"),
    ("totalItems", "nonNegativeInteger"),
    ("updated", "dateTime"),
    ("width", "nonNegativeInteger"),
];

static STREAMS: LazyLock<Value> = LazyLock::new(|| {
    let mut terms = json!({
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "as": "https://www.w3.org/ns/activitystreams#",
        "ldp": "http://www.w3.org/ns/ldp#",
        "id": "@id",
        "type": "@type",
        "inbox": { "@id": "ldp:inbox", "@type": "@id" },
        "orderedItems": { "@id": "as:items", "@type": "@id", "@container": "@list" },
        "contentMap": { "@id": "as:content", "@container": "@language" },
        "nameMap": { "@id": "as:name", "@container": "@language" },
        "summaryMap": { "@id": "as:summary", "@container": "@language" },
    });
    if let Some(terms) = terms.as_object_mut() {
        terms.extend(PLAIN.iter().map(|name| ((*name).to_owned(), json!(format!("as:{name}")))));
        let typed = |name: &str, kind: String| (name.to_owned(), json!({ "@id": format!("as:{name}"), "@type": kind }));
        terms.extend(LINKS.iter().map(|name| typed(name, "@id".to_owned())));
        terms.extend(TYPED.iter().map(|(name, kind)| typed(name, format!("xsd:{kind}"))));
    }
    json!({ "@context": terms })
});

static KEYS: LazyLock<Value> = LazyLock::new(|| {
    json!({ "@context": {
        "id": "@id",
        "type": "@type",
        "sec": "https://w3id.org/security#",
        "owner": { "@id": "sec:owner", "@type": "@id" },
        "publicKey": { "@id": "sec:publicKey", "@type": "@id" },
        "publicKeyPem": "sec:publicKeyPem",
    } })
});

static FINGER: LazyLock<Value> = LazyLock::new(|| {
    json!({ "@context": {
        "wf": "https://purl.archive.org/socialweb/webfinger#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "webfinger": { "@id": "wf:webfinger", "@type": "xsd:string" },
    } })
});

/// The context at this address.
pub(crate) fn at(url: &str) -> Option<&'static Value> {
    match url {
        ACTIVITY_STREAMS => Some(&STREAMS),
        SECURITY => Some(&KEYS),
        WEBFINGER => Some(&FINGER),
        _ => None,
    }
}
