//! That each check can fail: what is right passes all of them, and each kind of wrong is found.

use super::signed::{self, Secret, Signs};
use super::{Holds, Known, Looked, checks, fedify, lemmy, misskey};
use federation::documents::PUBLIC;
use federation::signatures::KeyPair;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;
use url::Url;

const OURS: &str = "http://localhost:1/users/bob";

fn key_id() -> String {
    format!("{OURS}#main-key")
}

/// A request of ours to a peer at port 2.
struct Sent {
    headers: HeaderMap,
    body: Vec<u8>,
    target: &'static str,
}

fn known(pair: &KeyPair) -> Known {
    let keys = HashMap::from([(key_id(), pair.public_pem().to_owned())]);
    Known {
        base: "http://localhost:2".into(),
        theirs: "http://localhost:1".into(),
        keys: Mutex::new(keys),
        actors: Mutex::default(),
    }
}

fn good() -> Value {
    let note = json!({
        "id": format!("{OURS}/statuses/1"), "type": "Note", "attributedTo": OURS, "content": "<p>hi</p>",
        "published": "2026-11-20T10:00:00Z", "to": [PUBLIC], "cc": [], "attachment": [],
        "tag": [{ "type": "Mention", "href": "http://localhost:2/eve", "name": "@eve@localhost:2" }],
    });
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", {}], "id": format!("{OURS}/statuses/1/activity"),
        "type": "Create", "actor": OURS, "to": [PUBLIC], "object": note,
    })
}

const CAVAGE: Signs = Signs::Cavage {
    algorithm: "rsa-sha256",
    post: &["(request-target)", "host", "date", "digest"],
    get: &["(request-target)", "host", "date"],
    query: true,
};
const ANEW: Signs = Signs::Rfc9421(&["@method", "@target-uri", "content-digest"]);

fn sent(pair: &KeyPair, signs: Signs, value: &Value) -> Sent {
    let (url, body) = (Url::parse("http://localhost:2/inbox").unwrap(), value.to_string().into_bytes());
    let pem = pair.private_pem().unwrap();
    let headers = signed::sign(signs, ("post", &url, Some(&body)), (&key_id(), &Secret::Rsa(&pem)));
    Sent { headers, body, target: "/inbox" }
}

fn outcome(known: &Known, sent: &Sent, check: Holds) -> Result<(), String> {
    let value = serde_json::from_slice(&sent.body).unwrap_or_default();
    let Sent { headers, body, target } = sent;
    check(&Looked { method: &Method::POST, target, headers, body, value: &value, known })
}

#[test]
fn what_is_right_passes_and_every_wrong_is_found() {
    let pair = KeyPair::generate().unwrap();
    let known = known(&pair);
    let all: [Holds; 11] = [
        checks::exact_type,
        checks::is_json,
        checks::under_64_kib,
        checks::one_digest,
        checks::signed_post,
        checks::actor_signed,
        checks::id_at_home,
        checks::context,
        checks::addressees,
        checks::note_is_theirs,
        checks::mentions_are_whole,
    ];
    let right = sent(&pair, CAVAGE, &good());
    for check in all {
        assert_eq!(outcome(&known, &right, check), Ok(()));
    }
    // (what is changed, to what, who finds it)
    for (path, wrong, check) in [
        ("/@context", json!("https://example.com/context"), checks::context as Holds),
        ("/actor", json!({ "id": OURS }), checks::actor_signed),
        ("/actor", json!("http://localhost:1/users/alice"), checks::actor_signed),
        ("/id", Value::Null, checks::id_at_home),
        ("/id", json!("http://localhost:3/1"), checks::id_at_home),
        ("/to", json!(PUBLIC), checks::addressees),
        ("/to", json!(["as:Public"]), checks::addressees),
        ("/object/cc", json!([{ "id": OURS }]), checks::addressees),
        ("/object/bcc", json!([OURS]), checks::addressees),
        ("/object/attributedTo", json!("http://localhost:1/users/alice"), checks::note_is_theirs),
        ("/object/id", json!("http://localhost:3/1"), checks::note_is_theirs),
        ("/object/to", json!([OURS]), checks::note_is_theirs),
        ("/object/content", json!("hi"), checks::note_is_theirs),
        ("/object/published", json!("yesterday"), checks::note_is_theirs),
        ("/object/attachment", json!({}), checks::note_is_theirs),
        ("/type", json!("Update"), checks::note_is_theirs),
        ("/object/tag/0/name", json!("@eve"), checks::mentions_are_whole),
        ("/object/tag/0/href", json!(1), checks::mentions_are_whole),
        ("/type", json!("Undo"), checks::undo_is_whole),
        ("/object/content", json!(format!("<p>{}</p>", "x".repeat(65_536))), checks::under_64_kib),
    ] {
        let mut value = good();
        let (above, name) = path.rsplit_once('/').unwrap();
        let above = value.pointer_mut(above).unwrap();
        match above.as_array_mut() {
            Some(list) => list[name.parse::<usize>().unwrap()] = wrong.clone(),
            None => above[name] = wrong.clone(),
        }
        assert!(outcome(&known, &sent(&pair, CAVAGE, &value), check).is_err(), "{path} = {wrong}");
    }
}

#[test]
fn every_wrong_header_is_found() {
    let (pair, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let known = known(&pair);
    let short =
        Signs::Cavage { algorithm: "rsa-sha256", post: &["(request-target)", "host", "date"], get: &[], query: true };
    let old = "Fri, 20 Nov 2026 10:00:00 GMT";
    let other_digest = format!("SHA-256={}", signed::sha256(b"{}"));
    let small = sent(&pair, CAVAGE, &good()).headers["digest"].to_str().unwrap().replace("SHA-256", "sha-256");
    for (name, value, check) in [
        ("content-type", "application/json", checks::exact_type as Holds),
        ("content-type", "application/activity+json;charset=utf-8", checks::exact_type),
        ("digest", other_digest.as_str(), checks::one_digest),
        ("digest", small.as_str(), checks::one_digest),
        ("date", old, checks::signed_post),
        ("date", "now", checks::signed_post),
        ("host", "localhost:3", checks::signed_post),
        ("signature", "keyId=x", checks::signed_post),
    ] {
        let mut request = sent(&pair, CAVAGE, &good());
        request.headers.insert(name, HeaderValue::from_str(value).unwrap());
        assert!(outcome(&known, &request, check).is_err(), "{name}: {value}");
    }
    let elsewhere = Sent { target: "/users/eve/inbox", ..sent(&pair, CAVAGE, &good()) };
    for request in [sent(&other, CAVAGE, &good()), sent(&pair, short, &good()), elsewhere] {
        assert!(outcome(&known, &request, checks::signed_post).is_err(), "{:?}", request.headers);
    }
    // Without quotes, and with something twice.
    for (from, to) in [("\"rsa-sha256\"", "rsa-sha256"), ("algorithm=", "keyId=\"x\",algorithm=")] {
        let mut request = sent(&pair, CAVAGE, &good());
        let value = request.headers["signature"].to_str().unwrap().replacen(from, to, 1);
        request.headers.insert("signature", HeaderValue::from_str(&value).unwrap());
        assert!(outcome(&known, &request, checks::signed_post).is_err(), "{value}");
    }
}

#[test]
fn wrong_signatures_of_the_new_form_are_found() {
    let (pair, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let known = known(&pair);
    let right = sent(&pair, ANEW, &good());
    assert_eq!(outcome(&known, &right, fedify::signed_anew), Ok(()));
    let no_digest = Signs::Rfc9421(&["@method", "@target-uri"]);
    let mut changed = sent(&pair, ANEW, &good());
    changed.body = b"{}".to_vec();
    let elsewhere = Sent { target: "/other", ..sent(&pair, ANEW, &good()) };
    for request in
        [sent(&other, ANEW, &good()), sent(&pair, no_digest, &good()), changed, elsewhere, sent(&pair, CAVAGE, &good())]
    {
        assert!(outcome(&known, &request, fedify::signed_anew).is_err(), "{:?}", request.headers);
    }
}

#[test]
fn wrong_documents_are_found() {
    let known = known(&KeyPair::generate().unwrap());
    let key = json!({ "id": key_id(), "owner": OURS, "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nx" });
    let actor = json!({
        "id": OURS, "type": "Person", "preferredUsername": "bob", "inbox": format!("{OURS}/inbox"), "outbox": format!("{OURS}/outbox"),
        "followers": format!("{OURS}/followers"), "sharedInbox": "http://localhost:1/inbox", "attachment": [], "tag": [],
        "endpoints": { "sharedInbox": "http://localhost:1/inbox" }, "publicKey": key, "manuallyApprovesFollowers": false,
    });
    let look = |actor: &Value, check: Holds| {
        let (headers, body) = (HeaderMap::new(), actor.to_string().into_bytes());
        check(&Looked {
            method: &Method::GET,
            target: OURS,
            headers: &headers,
            body: &body,
            value: actor,
            known: &known,
        })
    };
    assert_eq!((look(&actor, checks::actor_is_whole), look(&actor, checks::id_is_address)), (Ok(()), Ok(())));
    for (path, wrong) in [
        ("/inbox", json!("http://localhost:3/inbox")),
        ("/outbox", Value::Null),
        ("/followers", json!(format!("{OURS}/fans"))),
        ("/endpoints/sharedInbox", Value::Null),
        ("/publicKey/owner", json!("http://localhost:1/users/alice")),
        ("/publicKey/id", json!(format!("{OURS}/main-key"))),
        ("/publicKey/publicKeyPem", json!("-----BEGIN RSA PUBLIC KEY-----\nx")),
        ("/preferredUsername", Value::Null),
        ("/url", json!("http://localhost:3/@bob")),
        ("/tag", json!({})),
        ("/manuallyApprovesFollowers", json!("no")),
    ] {
        let mut changed = actor.clone();
        match changed.pointer_mut(path) {
            Some(there) => *there = wrong.clone(),
            None => changed[&path[1..]] = wrong.clone(),
        }
        assert!(look(&changed, checks::actor_is_whole).is_err(), "{path} = {wrong}");
    }
    let mut elsewhere = actor;
    elsewhere["id"] = json!("http://localhost:1/@bob");
    assert!(look(&elsewhere, checks::id_is_address).is_err());
    // Where followers stand says for whom a post is.
    let (here, note) = (json!({ "followers": "f" }), |to: Value, cc: Value| json!({ "to": to, "cc": cc }));
    for (to, cc, strict, loose) in [
        (json!([PUBLIC]), json!(["f"]), "public", "public"),
        (json!(["f"]), json!([PUBLIC]), "unlisted", "unlisted"),
        (json!(["f"]), json!([]), "private", "private"),
        (json!([]), json!(["f"]), "direct", "private"),
        (json!(["x"]), json!([]), "direct", "direct"),
    ] {
        let note = note(to, cc);
        assert_eq!((checks::by_to(&note, &here), checks::by_to_and_cc(&note, &here)), (strict, loose), "{note}");
    }
}

#[test]
fn what_single_programs_ask_for_can_fail() {
    let pair = KeyPair::generate().unwrap();
    let known = known(&pair);
    let right = sent(&pair, CAVAGE, &good());
    for check in [lemmy::every_digest as Holds, lemmy::fragment, misskey::name_fits] {
        assert_eq!(outcome(&known, &right, check), Ok(()));
    }
    let mut two = sent(&pair, CAVAGE, &good());
    let digests = format!("{},SHA-256={}", two.headers["digest"].to_str().unwrap(), signed::sha256(b"{}"));
    two.headers.insert("digest", HeaderValue::from_str(&digests).unwrap());
    assert!(outcome(&known, &two, lemmy::every_digest).is_err());
    let mut bare = sent(&pair, CAVAGE, &good());
    let signature = bare.headers["signature"].to_str().unwrap().replace("#main-key", "/main-key");
    bare.headers.insert("signature", HeaderValue::from_str(&signature).unwrap());
    assert!(outcome(&known, &bare, lemmy::fragment).is_err());
    for (name, wrong) in [("name", "x".repeat(129)), ("preferredUsername", "b b".to_owned())] {
        let mut actor = good();
        actor[name] = json!(wrong);
        assert!(outcome(&known, &sent(&pair, CAVAGE, &actor), misskey::name_fits).is_err(), "{name}");
    }
}
