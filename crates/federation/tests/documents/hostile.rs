//! Documents that mean harm, or nothing.

use federation::documents::{Activity, Actor, Collection, Document, Note, Object, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read_all(value: &Value) {
    let _ = Document::read(value);
    let _ = Actor::read(value);
    let _ = Activity::read(value);
    let _ = Collection::read(value);
    let _ = Object::read(value);
    if let Ok(note) = Note::read(value) {
        let _ = (note.visibility(None), note.vote().is_some());
        let _ = note.to_json();
    }
}

#[test]
fn nesting_ends() {
    let mut announce = json!("https://a.example/1");
    for n in 0..1000 {
        announce = json!({ "id": format!("https://a.example/{n}"), "type": "Announce", "actor": "https://a.example/u", "object": announce });
    }
    let mut activity = Activity::read(&announce).unwrap();
    let mut depth = 0;
    while let Object::Activity(inner) = activity.objects.remove(0) {
        activity = *inner;
        depth += 1;
    }
    assert_eq!(depth, 4);
    assert!(parse(announce.to_string().as_bytes()).is_err());
    let mut page = json!([]);
    for _ in 0..1000 {
        page = json!({ "type": "Collection", "first": page });
    }
    assert!(Collection::read(&page).is_ok());
    // Dropped one level after the other: serde_json's own values would overflow the stack far deeper than this.
    drop((announce, page));
}

#[test]
fn lists_end() {
    let many: Vec<String> = (0..5000).map(|n| format!("https://a.example/{n}")).collect();
    let tags: Vec<Value> = many.iter().map(|href| json!({ "type": "Mention", "href": href, "name": "@x" })).collect();
    let media: Vec<Value> = many.iter().map(|url| json!({ "type": "Image", "url": url })).collect();
    let choices: Vec<Value> = many.iter().map(|name| json!({ "type": "Note", "name": name })).collect();
    let note = Note::read(&json!({
        "id": "https://a.example/1", "type": "Question", "attributedTo": many, "to": many, "cc": many, "tag": tags,
        "attachment": media, "oneOf": choices, "content": "x".repeat(900_000), "summary": "x".repeat(900_000),
        "name": "x".repeat(900_000), "url": many,
    }))
    .unwrap();
    assert_eq!((note.to.len(), note.mentions.len(), note.attachments.len()), (2000, 200, 16));
    assert_eq!((note.content.len(), note.summary.len(), note.name.unwrap().len()), (500_000, 20_000, 2048));
    assert_eq!(note.poll.unwrap().choices.len(), 500);
    let page = json!({ "type": "OrderedCollectionPage", "orderedItems": many });
    assert_eq!(Collection::read(&page).unwrap().items.len(), 500);
    let flag = json!({ "type": "Flag", "actor": "https://a.example/u", "object": many, "content": "x".repeat(90_000) });
    let flag = Activity::read(&flag).unwrap();
    assert_eq!((flag.objects.len(), flag.content.unwrap().len()), (500, 5000));
}

/// What linked data lets people write for the same: typed values, lists that say that they are, languages, full names.
#[test]
fn the_same_in_other_words() {
    const AS: &str = "https://www.w3.org/ns/activitystreams#";
    let plain = json!({
        "id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/u", "content": "hello",
        "summary": "careful", "sensitive": true, "to": ["https://a.example/u/followers", "https://b.example/u"],
        "published": "2026-01-02T03:04:05Z", "inReplyTo": "https://b.example/2",
    });
    let wanted = Note::read(&plain).unwrap();
    assert_eq!((wanted.to.len(), wanted.published.is_some()), (2, true));
    let to = || plain["to"].clone();
    for (name, value) in [
        ("content", json!({ "@value": "hello", "@language": "en" })),
        ("content", json!([null, { "@value": "hello" }])),
        ("summary", json!([{ "@value": "careful", "@language": "en" }])),
        ("to", json!({ "@list": to() })),
        ("to", json!({ "@set": to() })),
        ("to", json!([{ "@id": "https://a.example/u/followers" }, "https://b.example/u"])),
        ("published", json!({ "@type": "xsd:dateTime", "@value": "2026-01-02T03:04:05Z" })),
        ("sensitive", json!({ "@value": true })),
        ("inReplyTo", json!([{ "@id": "https://b.example/2" }])),
    ] {
        for prefix in ["", "as:", AS] {
            let mut written = plain.clone();
            written.as_object_mut().unwrap().remove(name);
            written[format!("{prefix}{name}")] = value.clone();
            assert_eq!(Note::read(&written).unwrap(), wanted, "{prefix}{name} {value}");
        }
    }
    // A warning that is only told in languages is one.
    let mut written = plain.clone();
    written.as_object_mut().unwrap().remove("summary");
    written["summaryMap"] = json!({ "en": "careful", "de": "Obacht" });
    assert_eq!(Note::read(&written).unwrap().summary, "careful");
    written["summaryMap"] = json!({ "en": ["careful"] });
    assert_eq!(Note::read(&written).unwrap().summary, "careful");
    for odd in [json!(7), json!(["x"]), json!({ "en": { "x": 1 } }), json!({ "en": [] }), json!(null)] {
        written["summaryMap"] = odd;
        assert_eq!(Note::read(&written).unwrap().summary, "");
    }
    // What it is called has one spelling; its plain name goes before the full ones.
    for prefix in ["as:", AS] {
        let mut written = plain.clone();
        written.as_object_mut().unwrap().remove("id");
        written[format!("{prefix}id")] = json!("https://a.example/1");
        assert!(Note::read(&written).is_err());
        let mut written = plain.clone();
        written[format!("{prefix}content")] = json!("other");
        assert_eq!(Note::read(&written).unwrap(), wanted);
    }
}

#[test]
fn lists_of_one_and_of_none() {
    let page = json!({ "type": "OrderedCollectionPage", "orderedItems": null, "items": "https://a.example/1" });
    assert_eq!(federation::documents::ids_in(&page).collect::<Vec<_>>(), ["https://a.example/1"]);
    let odd = json!({ "items": 7 });
    assert_eq!(federation::documents::ids_in(&odd).count(), 0);
    let question = json!({
        "id": "https://a.example/1", "type": "Question", "attributedTo": "https://a.example/u",
        "anyOf": [], "oneOf": [{ "type": "Note", "name": "yes" }, { "type": "Note", "name": "no" }],
    });
    let poll = Note::read(&question).unwrap().poll.unwrap();
    assert_eq!((poll.multiple, poll.choices.len()), (false, 2));
    let video = json!({
        "id": "https://a.example/1", "type": "Video", "attributedTo": "https://a.example/u", "url": [
            { "type": "Link", "mediaType": "video/mp4", "height": 1080 },
            { "type": "Link", "mediaType": "video/mp4", "height": 720, "href": "https://a.example/720.mp4" },
        ],
    });
    assert_eq!(Note::read(&video).unwrap().attachments[0].url, "https://a.example/720.mp4");
    let actor = json!({
        "id": "https://a.example/u", "type": "Person", "inbox": "https://a.example/u/inbox", "preferredUsername": "u",
        "nameMap": { "en": "Ann" }, "summaryMap": { "en": "<p>me</p>" },
    });
    let actor = Actor::read(&actor).unwrap();
    assert_eq!((actor.name.as_str(), actor.summary.as_str()), ("Ann", "<p>me</p>"));
}

#[test]
fn addresses_are_addresses() {
    for id in [
        "",
        "1",
        "/1",
        "urn:x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///x",
        "http:a",
        "ftp://a.example/1",
        "https://user:password@a.example/1",
        " https://a.example/1",
        "https://a.example/1\n",
        "https://a.example/ 1",
        "ap://did:key:x/1",
        &format!("https://a.example/{}", "x".repeat(3000)),
    ] {
        let note = json!({ "id": id, "type": "Note", "attributedTo": "https://a.example/u" });
        assert!(Note::read(&note).is_err(), "{id}");
        let note = json!({ "id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/u", "url": id, "inReplyTo": id,
            "to": [id], "attachment": { "type": "Image", "url": id }, "context": null });
        let note = Note::read(&note).unwrap();
        assert_eq!((note.url, note.in_reply_to, note.to.len(), note.attachments.len()), (None, None, 0, 0), "{id}");
    }
}

/// Any JSON, with names and types that mean something.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "Note",
        "Question",
        "Person",
        "Create",
        "Announce",
        "Like",
        "Undo",
        "Collection",
        "OrderedCollectionPage",
        "Image",
        "Link",
        "Mention",
        "Emoji",
        "Tombstone",
        "QuoteAuthorization",
        "https://a.example/1",
        "as:Public",
        "2026-01-01T00:00:00Z",
        ":x:",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "@id",
        "type",
        "@type",
        "actor",
        "attributedTo",
        "object",
        "target",
        "to",
        "cc",
        "bto",
        "tag",
        "attachment",
        "icon",
        "image",
        "url",
        "href",
        "name",
        "content",
        "contentMap",
        "summary",
        "source",
        "inbox",
        "publicKey",
        "publicKeyPem",
        "owner",
        "first",
        "items",
        "orderedItems",
        "replies",
        "likes",
        "oneOf",
        "anyOf",
        "endTime",
        "closed",
        "published",
        "quote",
        "mediaType",
        "interactionPolicy",
        "canQuote",
        "automaticApproval",
        "focalPoint",
        "duration",
        "width",
        "language",
        "generator",
        "implements",
    ]);
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..12).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(value in any_json()) {
        read_all(&value);
    }

    #[test]
    fn whatever_is_read_is_written_the_same(mut value in any_json(), kind in prop::sample::select(vec!["Note", "Question", "Video", "Create", "Person"])) {
        if let Some(map) = value.as_object_mut() {
            map.insert("type".into(), kind.into());
            map.insert("id".into(), "https://a.example/1".into());
            map.insert("attributedTo".into(), "https://a.example/u".into());
            map.insert("inbox".into(), "https://a.example/inbox".into());
        }
        if let Ok(actor) = Actor::read(&value) {
            prop_assert_eq!(Actor::read(&actor.to_json()), Ok(actor));
        }
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:a0\\\\ ]{0,60}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(value) = parse(bytes) {
                read_all(&value);
            }
        }
    }
}
