//! Parts of posts that have to be right to be worth keeping.

use federation::documents::Note;
use serde_json::{Value, json};

/// What is read of a post with these properties.
fn read(kind: &str, more: Value) -> Note {
    let mut document = json!({ "id": "https://a.example/1", "type": kind, "attributedTo": "https://a.example/eve" });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Note::read(&document).unwrap()
}

#[test]
fn languages_are_tags() {
    for (tag, meant) in [
        ("en", Some("en")),
        ("EN-us", Some("en-us")),
        ("pt_BR", Some("pt-BR")),
        ("zh-Hant-TW", Some("zh-Hant-TW")),
        ("ast", Some("ast")),
        ("und", None),
        ("und-Latn", None),
        ("", None),
        ("e", None),
        ("english", None),
        ("e1", None),
        ("en-", None),
        ("en--us", None),
        ("en-abcdefghi", None),
        ("en\"><script>", None),
        ("日本", None),
        ("en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa", None),
    ] {
        let note = read("Note", json!({ "content": "x", "contentMap": { tag: "x" } }));
        assert_eq!(note.language.as_deref(), meant, "{tag}");
    }
    let of_lemmy = read("Note", json!({ "content": "x", "language": { "identifier": "FR" } }));
    assert_eq!(of_lemmy.language.as_deref(), Some("fr"));
}

#[test]
fn only_what_can_be_drawn_is_a_blurhash() {
    let most = format!("{}{}", "e", "0".repeat(53));
    for (hash, good) in [
        ("LEHV6nWB2yk8pyo0adR*.7kCMdnj", true),
        ("UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH", true),
        // One component.
        ("000000", true),
        (most.as_str(), true),
        ("", false),
        ("0", false),
        ("LEHV6nWB2yk8pyo0adR*.7kCMdn", false),
        ("LEHV6nWB2yk8pyo0adR*.7kCMdnjj", false),
        ("LEHV6nWB2yk8pyo0adR*.7kCMdn\"", false),
        ("LEHV6nWB2yk8pyo0adR*.7kCMd日", false),
        // More of them than anybody draws.
        (&format!("5{}", "0".repeat(15)), false),
        (&"~".repeat(200), false),
    ] {
        let note = read(
            "Note",
            json!({ "attachment": { "type": "Image", "url": "https://a.example/1.png", "blurhash": hash } }),
        );
        assert_eq!(note.attachments[0].blurhash.is_some(), good, "{hash}");
    }
}

#[test]
fn sizes_of_files_stand_in_either_place() {
    let inner = json!([{ "type": "Link", "href": "https://a.example/1.png", "mediaType": "image/png", "width": 4, "height": 3 }]);
    let picture = |more: Value| {
        let mut picture = json!({ "type": "Document", "url": inner });
        picture.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let note = read("Note", json!({ "attachment": [picture] }));
        (note.attachments[0].width, note.attachments[0].height)
    };
    assert_eq!(picture(json!({})), (Some(4), Some(3)));
    assert_eq!(picture(json!({ "width": 8, "height": 0 })), (Some(8), Some(3)));
    assert_eq!(picture(json!({ "width": "x", "height": -1 })), (Some(4), Some(3)));
}

#[test]
fn what_stands_for_an_article() {
    let preview = |value: Value| read("Article", json!({ "name": "T", "preview": value })).preview;
    assert_eq!(preview(json!({ "type": "Note", "content": "<p>x</p>" })).as_deref(), Some("<p>x</p>"));
    for bad in [
        json!(null),
        json!("https://a.example/2"),
        json!({ "type": "Note" }),
        json!({ "type": "Note", "content": " " }),
        json!({ "type": "Link", "content": "x" }),
        json!({ "type": "Note", "content": "x", "mediaType": "text/markdown" }),
        json!({ "type": "Note", "content": ["x", "y"] }),
    ] {
        let found = preview(bad.clone());
        // Of several the first counts, as everywhere.
        assert!(found.is_none() || bad["content"].is_array(), "{bad}: {found:?}");
    }
}

#[test]
fn events_have_a_time_and_a_place() {
    let event = |start: Value, location: Value| {
        let note = read("Event", json!({ "startTime": start, "location": location }));
        (note.when, note.place)
    };
    let (hall, nothing) = (json!({ "type": "Place", "name": " Hall " }), json!(null));
    let is = |when: &str| Some(when.to_owned());
    assert_eq!(event(json!("2026-12-01T18:00:00Z"), hall), (is("2026-12-01 18:00 UTC"), is("Hall")));
    assert_eq!(event(json!("2026-12-01T18:00:00.5-03:00"), nothing.clone()), (is("2026-12-01 18:00 -03:00"), None));
    for bad in
        [json!(null), json!("tomorrow"), json!("2026-12-01"), json!("2026-13-01T18:00:00Z"), json!(5), json!("<b>")]
    {
        assert_eq!(event(bad, json!({ "name": "" })), (None, None));
    }
    assert_eq!(
        read("Note", json!({ "startTime": "2026-12-01T18:00:00Z", "location": { "name": "Hall" } })).place,
        None
    );
}
