//! Linked Data signatures that we make: all that is said is signed. That others verify them, Fedify says in tests/clients.

use crate::written::{ACTOR, activities, note};
use domain::Time;
use federation::documents::{Activity, Choice, Note, NoteKind, Object, PUBLIC, Poll, Verb};
use federation::signatures::{KeyPair, sign_linked_data};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate().unwrap());

fn signed(document: &Value) -> Option<Map<String, Value>> {
    let mut map = document.as_object().unwrap().clone();
    let at = Time::parse("2026-11-26T18:00:00.123Z").unwrap();
    sign_linked_data(&mut map, (&format!("{ACTOR}#main-key"), &KEY), at).ok()?;
    Some(map)
}

fn value(document: &Value) -> Option<String> {
    Some(signed(document)?["signature"]["signatureValue"].as_str().unwrap().to_owned())
}

/// What is told to relays.
fn told() -> Vec<Value> {
    let choice = |name: &str, votes| Choice { name: name.to_owned(), votes: Some(votes) };
    let choices = vec![choice("yes", 0), choice("no", 0), choice("perhaps", 3)];
    let poll =
        Poll { multiple: true, choices, ends_at: Time::parse("2026-12-01T00:00:00Z"), closed: true, voters: Some(3) };
    let question = Note { kind: NoteKind::Question, poll: Some(poll), ..note() };
    let question = Activity {
        id: Some(format!("{ACTOR}/statuses/1/activity")),
        actor: ACTOR.to_owned(),
        objects: vec![Object::Note(Box::new(question))],
        to: vec![PUBLIC.to_owned()],
        ..Activity::default()
    };
    let all = activities().into_iter().chain([question]);
    // What somebody felt or reported, and what a Tombstone was, is for nobody's relay.
    let some =
        all.filter(|activity| matches!(activity.verb, Verb::Create | Verb::Update | Verb::Move | Verb::Announce));
    some.map(|activity| activity.to_json()).collect()
}

#[test]
fn a_signature_says_who_made_it_and_for_how_long() {
    for document in told() {
        let signed = signed(&document).unwrap();
        let signature = &signed["signature"];
        assert_eq!(
            (&signature["type"], &signature["creator"], &signature["created"], &signature["expires"]),
            (
                &json!("RsaSignature2017"),
                &json!(format!("{ACTOR}#main-key")),
                &json!("2026-11-26T18:00:00.123Z"),
                &json!("2026-11-28T18:00:00.123Z")
            )
        );
        // The words of the signature are declared, once, and the first context is still the first.
        let contexts = signed["@context"].as_array().unwrap();
        assert_eq!(contexts.iter().filter(|it| **it == "https://w3id.org/security/v1").count(), 1);
        assert_eq!(contexts[0], "https://www.w3.org/ns/activitystreams");
    }
}

/// Everything in `value` that can be taken away, as paths.
fn places(value: &Value, path: &str, out: &mut Vec<String>) {
    let mut inside = |name: &str, value: &Value| {
        let path = format!("{path}/{name}");
        places(value, &path, out);
        out.push(path);
    };
    match value {
        Value::Object(map) => {
            map.iter().filter(|(name, _)| *name != "@context").for_each(|(name, it)| inside(name, it))
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(at, it)| inside(&at.to_string(), it)),
        _ => {}
    }
}

fn without(document: &Value, path: &str) -> Value {
    let mut document = document.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.shift_remove(name)),
        Value::Array(list) => drop(list.remove(name.parse().unwrap())),
        _ => unreachable!(),
    }
    document
}

#[test]
fn whatever_is_taken_away_is_missed() {
    for document in told() {
        let whole = value(&document).unwrap();
        let mut paths = Vec::new();
        places(&document, "", &mut paths);
        for path in paths.iter().filter(|path| document.pointer(path) != Some(&json!([]))) {
            assert_ne!(value(&without(&document, path)).as_ref(), Some(&whole), "{path} is not signed: {document}");
        }
    }
}

#[test]
fn the_order_of_things_says_nothing() {
    let document = told().remove(0);
    let mut turned = document.clone();
    let object = turned["object"].as_object_mut().unwrap();
    object["tag"].as_array_mut().unwrap().reverse();
    *object = object.clone().into_iter().rev().collect();
    assert_eq!(value(&turned), value(&document));
    // But the order of a picture's focus does.
    let focus = turned.pointer_mut("/object/attachment/0/focalPoint").unwrap();
    focus.as_array_mut().unwrap().reverse();
    assert_ne!(value(&turned), value(&document));
}

#[test]
fn nothing_is_fetched_to_sign() {
    for context in [
        json!("https://evil.example/context"),
        json!(["https://www.w3.org/ns/activitystreams", "https://w3id.org/identity/v1"]),
    ] {
        let document = json!({ "@context": context, "id": "https://noren.example/1", "type": "Note" });
        assert_eq!(value(&document), None, "{context}");
    }
}
