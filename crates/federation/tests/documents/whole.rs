//! What holds for everything that is written.

use crate::corpus;
use crate::written::{ACTOR, AS, activities, actor, note, s};
use federation::documents::{Activity, Collection, Document, Note, Object, Page, QuoteAuthorization, tombstone_json};
use serde_json::{Value, json};

#[test]
fn every_term_is_declared() {
    for document in activities().iter().map(Activity::to_json).chain([actor().to_json(), note().to_json()]) {
        let declared: Vec<&String> = document["@context"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .flat_map(|map| map.keys())
            .collect();
        let mut used = Vec::new();
        terms(&document, &mut used);
        for name in used {
            let known = KNOWN.contains(&name.as_str()) || declared.contains(&&name);
            assert!(known, "{name} is not declared in {}", document["type"]);
        }
    }
}

/// Terms of ActivityStreams itself, of the security and webfinger contexts, and those that nobody declares.
const KNOWN: &[&str] = &[
    "@context",
    "id",
    "type",
    "actor",
    "object",
    "to",
    "cc",
    "published",
    "updated",
    "attributedTo",
    "content",
    "contentMap",
    "name",
    "summary",
    "url",
    "href",
    "mediaType",
    "rel",
    "tag",
    "attachment",
    "icon",
    "image",
    "width",
    "height",
    "duration",
    "inReplyTo",
    "replies",
    "likes",
    "shares",
    "context",
    "audience",
    "target",
    "instrument",
    "result",
    "totalItems",
    "items",
    "first",
    "last",
    "next",
    "prev",
    "partOf",
    "orderedItems",
    "oneOf",
    "anyOf",
    "endTime",
    "closed",
    "formerType",
    "generator",
    "source",
    "preferredUsername",
    "inbox",
    "outbox",
    "followers",
    "following",
    "endpoints",
    "sharedInbox",
    "publicKey",
    "owner",
    "publicKeyPem",
    "webfinger",
    "en",
];

fn terms(value: &Value, used: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter().filter(|(name, _)| *name != "@context") {
                used.push(name.clone());
                terms(inner, used);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| terms(inner, used)),
        _ => {}
    }
}

#[test]
fn collections_are_read_as_they_were_written() {
    let id = |path: &str| Some(format!("{ACTOR}/{path}"));
    let page = Collection {
        id: id("outbox/1"),
        ordered: true,
        is_page: true,
        next: id("outbox/2"),
        prev: id("outbox/0"),
        part_of: id("outbox"),
        items: vec![Object::Id(s("https://b.example/1")), Object::Note(Box::new(note()))],
        ..Collection::default()
    };
    for collection in [
        page.clone(),
        Collection {
            id: id("outbox"),
            ordered: true,
            total: Some(9),
            first: Some(Page::Id(s("https://b.example/p"))),
            last: id("l"),
            ..Collection::default()
        },
        Collection {
            id: id("context"),
            owner: Some(s(ACTOR)),
            first: Some(Page::Embedded(Box::new(page.clone()))),
            ..Collection::default()
        },
        Collection { id: id("hidden"), ordered: true, total: Some(9), ..Collection::default() },
        Collection { id: id("featured"), ordered: true, total: Some(0), ..Collection::default() },
        Collection { ordered: true, is_page: true, items: Vec::new(), ..page },
    ] {
        let written = collection.to_json();
        assert_eq!(Collection::read(&written).unwrap(), collection, "{written}");
        assert!(written["@context"] == AS || written["@context"][0] == AS);
    }
    let hidden = Collection { id: id("hidden"), ordered: true, total: Some(9), ..Collection::default() }.to_json();
    assert_eq!((hidden.get("orderedItems"), hidden.get("first")), (None, None));
    let empty = Collection { id: id("featured"), ordered: true, total: Some(0), ..Collection::default() }.to_json();
    assert_eq!(empty["orderedItems"], json!([]));
}

#[test]
fn tombstones_and_stamps() {
    let written = tombstone_json("https://noren.example/1", Some("Note"));
    assert_eq!(
        written,
        json!({ "@context": AS, "id": "https://noren.example/1", "type": "Tombstone", "formerType": "Note" })
    );
    let Document::QuoteAuthorization(stamp) = Document::read(&corpus("quote_authorization")).unwrap() else { panic!() };
    assert_eq!(QuoteAuthorization::read(&stamp.to_json()).unwrap(), stamp);
}

/// What nobody here writes.
fn forget_what_is_only_read(note: &mut Note) {
    (note.preview, note.when, note.place) = (None, None, None);
}

/// What was read from others can be written again without losing anything that is known here.
#[test]
fn the_corpus_survives_being_written() {
    let folder = format!("{}/tests/corpus", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let document = Document::read(&corpus(name.trim_end_matches(".json")));
        let again = match document {
            Ok(Document::Actor(mut it)) => {
                // Nobody here says that.
                it.hides_unlisted = false;
                (Document::read(&it.to_json()), Document::Actor(it))
            }
            Ok(Document::Note(mut it)) => {
                forget_what_is_only_read(&mut it);
                (Document::read(&it.to_json()), Document::Note(it))
            }
            Ok(Document::Collection(it)) => (Document::read(&it.to_json()), Document::Collection(it)),
            Ok(Document::Activity(mut it)) => {
                it.carries_proof = false;
                it.hidden.clear();
                for object in &mut it.objects {
                    if let Object::Note(note) = object {
                        forget_what_is_only_read(note);
                    }
                }
                (Document::read(&it.to_json()), Document::Activity(it))
            }
            _ => continue,
        };
        assert_eq!(again.0.unwrap(), again.1, "{name}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}
