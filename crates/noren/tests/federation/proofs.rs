//! Proofs that activities carry of who said them (FEP-8b32), and requests that are signed with Ed25519.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{home, notifications, text};
use base64::Engine as _;
use domain::Time;
use domain::relays;
use federation::resolve;
use federation::signatures::{Form, Outgoing, Payload, ProofKey, Signer, digest_header, prove};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::Person;

/// Of RFC 9421, appendix B.1.4: both halves.
const REQUEST_KEY: (&str, &str) = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n",
);

/// `who` shows this key too from now on.
fn shows_key(peer: &Peer, (who, name): (&Somebody, &str), key: &ProofKey) {
    let multikey =
        json!({ "id": key_id(who), "type": "Multikey", "controller": who.uri, "publicKeyMultibase": key.multikey() });
    peer.shows(who, name, json!({ "assertionMethod": [multikey] }));
}

fn key_id(who: &Somebody) -> String {
    format!("{}#ed25519-key", who.uri)
}

/// Proven as being said by `who`.
fn proven(who: &Somebody, key: &ProofKey, said: &Value) -> Value {
    proven_at(who, key, (said, Time::now()))
}

fn proven_at(who: &Somebody, key: &ProofKey, (said, at): (&Value, Time)) -> Value {
    let mut document = said.clone();
    prove(document.as_object_mut().unwrap(), (&key_id(who), key), at).unwrap();
    document
}

/// What is on Bob's home timeline, the newest first.
async fn seen(bob: &Person) -> Vec<String> {
    home(bob).await.iter().map(text).collect()
}

with_a_peer! {
    async fn who_proves_what_they_said_is_believed_whoever_brings_it(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, mallory, key) = (other.somebody("alice"), peer.somebody("mallory"), ProofKey::generate().unwrap());
        shows_key(&other, (&alice, "alice"), &key);
        followed(&server, &other, &bob, (&alice, "alice")).await;
        let note = other.note(&alice, ("1", "proven"), &[]);
        let mut create = proven(&alice, &key, &other.activity(&alice, ("Create", "1"), note.clone()));
        // A signature of the older kind, and terms that nobody signed, say nothing.
        create["signature"] = json!({ "type": "RsaSignature2017", "signatureValue": "x" });
        peer.send(&mallory, &server, &create).await;
        assert_eq!(seen(&bob).await, ["proven"]);
        let mut edited = note.clone();
        (edited["content"], edited["updated"]) = (json!("better"), json!(jiff::Timestamp::now().to_string()));
        peer.send(&mallory, &server, &proven(&alice, &key, &other.activity(&alice, ("Update", "2"), edited))).await;
        assert_eq!(seen(&bob).await, ["better"]);
        // Once more what was edited since.
        peer.send(&mallory, &server, &create).await;
        assert_eq!(seen(&bob).await, ["better"]);
        let gone = other.activity(&alice, ("Delete", "3"), json!({ "id": note["id"], "type": "Tombstone" }));
        peer.send(&mallory, &server, &proven(&alice, &key, &gone)).await;
        assert_eq!(seen(&bob).await, [] as [&str; 0]);
        // And once more what is gone.
        peer.send(&mallory, &server, &proven(&alice, &key, &other.activity(&alice, ("Create", "4"), note))).await;
        assert_eq!(seen(&bob).await, [] as [&str; 0]);
        assert_eq!(other.hits("/notes/1"), 0, "nobody had to be asked");
    }

    async fn what_is_wrong_with_a_proof_is_asked_for(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, mallory, key) = (other.somebody("alice"), peer.somebody("mallory"), ProofKey::generate().unwrap());
        shows_key(&other, (&alice, "alice"), &key);
        followed(&server, &other, &bob, (&alice, "alice")).await;
        let (evil, now) = (ProofKey::generate().unwrap(), Time::now());
        shows_key(&peer, (&mallory, "mallory"), &evil);
        let make = |name: &str| {
            let note = other.note(&alice, (name, &format!("lie {name}")), &[]);
            let mut truth = note.clone();
            truth["content"] = json!(format!("truth {name}"));
            other.put(&format!("/notes/{name}"), truth);
            other.activity(&alice, ("Create", name), note)
        };
        let (mut wrong, names) = (Vec::new(), ["a", "b", "c", "d", "e", "f", "g"]);
        let day = Duration::from_secs(24 * 3600 + 60);
        wrong.push(proven_at(&alice, &key, (&make("a"), now.minus(day))));
        wrong.push(proven_at(&alice, &key, (&make("b"), now.plus(day))));
        wrong.push(proven(&alice, &evil, &make("c")));
        // Mallory's own key proves nothing of what others say.
        wrong.push(proven(&mallory, &evil, &make("d")));
        // The words of another proof.
        let mut changed = proven(&alice, &key, &make("e"));
        changed["object"]["content"] = json!("lie e, and more");
        wrong.push(changed);
        let mut no_purpose = proven(&alice, &key, &make("f"));
        no_purpose["proof"]["proofPurpose"] = json!("authentication");
        wrong.push(no_purpose);
        let mut older = make("g");
        older["signature"] = json!({ "type": "RsaSignature2017", "creator": format!("{}#main-key", alice.uri),
            "created": now.iso(), "signatureValue": "AAAA" });
        wrong.push(older);
        for (create, name) in wrong.iter().zip(names) {
            peer.send(&mallory, &server, create).await;
            assert!(seen(&bob).await.contains(&format!("truth {name}")), "{name}");
            assert_eq!(other.hits(&format!("/notes/{name}")), 1, "{name}");
        }
        assert_eq!(seen(&bob).await.len(), names.len());
    }

    async fn a_proof_says_no_more_than_its_actor_may_say(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, mallory, key) = (other.somebody("alice"), peer.somebody("mallory"), ProofKey::generate().unwrap());
        let carol = other.somebody("carol");
        shows_key(&other, (&alice, "alice"), &key);
        followed(&server, &other, &bob, (&alice, "alice")).await;
        // Another's words, and what is turned on and off.
        let theirs = other.note(&carol, ("1", "not mine"), &[&local_uri(&server, &bob)]);
        peer.send(&mallory, &server, &proven(&alice, &key, &other.activity(&alice, ("Create", "1"), theirs))).await;
        let mine = crate::post_as(&bob, "mine", "public").await;
        let before = notifications(&bob).await.len();
        for (verb, object) in [("Follow", json!(local_uri(&server, &bob))), ("Like", mine["uri"].clone()), ("Block", json!(local_uri(&server, &bob)))] {
            peer.send(&mallory, &server, &proven(&alice, &key, &other.activity(&alice, (verb, verb), object))).await;
        }
        // Nobody's key is a key for all on its server.
        let by_carol = proven(&alice, &key, &other.activity(&carol, ("Create", "2"), other.note(&carol, ("2", "hers"), &[&local_uri(&server, &bob)])));
        peer.send(&mallory, &server, &by_carol).await;
        // A key for requests is none for this, although it would fit.
        let (dave, for_requests) = (peer.somebody("dave"), ProofKey::from_pem(REQUEST_KEY.0).unwrap());
        let mut actor = peer.actor("dave", &dave);
        let pem = json!({ "id": key_id(&dave), "owner": dave.uri, "publicKeyPem": REQUEST_KEY.1 });
        actor["publicKey"] = json!([actor["publicKey"], pem]);
        peer.put("/users/dave", actor);
        followed(&server, &peer, &bob, (&dave, "dave")).await;
        let url = format!("{}/inbox", server.parts().site.base_url);
        let body = peer.activity(&dave, ("Like", "like"), mine["uri"].clone()).to_string();
        let request = by_hand(&dave, &for_requests, (&url, &body), false);
        assert_eq!(request.body(body).send().await.unwrap().status(), 202);
        let theirs = peer.note(&dave, ("3", "with the wrong key"), &[]);
        peer.send(&mallory, &server, &proven(&dave, &for_requests, &peer.activity(&dave, ("Create", "3"), theirs))).await;
        assert_eq!(seen(&bob).await, ["mine"]);
        assert_eq!(notifications(&bob).await.len(), before + 1);
    }

    async fn what_is_read_is_what_was_signed(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, mallory, key) = (other.somebody("alice"), peer.somebody("mallory"), ProofKey::generate().unwrap());
        shows_key(&other, (&alice, "alice"), &key);
        followed(&server, &other, &bob, (&alice, "alice")).await;
        let mut note = other.note(&alice, ("1", "once"), &[]);
        note["likes"] = json!({ "id": format!("{}/likes", note["id"].as_str().unwrap()), "type": "Collection", "totalItems": 3 });
        let create = proven(&alice, &key, &other.activity(&alice, ("Create", "1"), note.clone()));
        let written_otherwise = [
            // Another way to write the same number.
            ("\"totalItems\":3", "\"totalItems\":3.0"),
            // Twice: the last counts, for us as for the signature.
            ("\"content\":\"once\"", "\"content\":\"never\",\"content\":\"once\""),
        ];
        peer.send(&mallory, &server, &create).await;
        let status = home(&bob).await[0].clone();
        assert_eq!((text(&status).as_str(), &status["favourites_count"]), ("once", &json!(3)));
        // The same in other spelling: taken for the same, and not asked for.
        let mut update = other.activity(&alice, ("Update", "2"), note.clone());
        (update["object"]["content"], update["object"]["updated"]) = (json!("once"), json!(jiff::Timestamp::now().to_string()));
        update["object"]["summary"] = json!("edited");
        let mut body = proven(&alice, &key, &update).to_string();
        for (from, to) in written_otherwise {
            assert!(body.contains(from), "{body}");
            body = body.replace(from, to);
        }
        let url = format!("{}/inbox", server.parts().site.base_url);
        let answer = sends(&mallory, (&url, &body)).await;
        assert_eq!(answer, 202);
        server.settle().await;
        let status = home(&bob).await[0].clone();
        assert_eq!((text(&status).as_str(), &status["spoiler_text"], &status["favourites_count"]), ("once", &json!("edited"), &json!(3)));
        assert_eq!(other.hits("/notes/1"), 0);
    }

    async fn relays_bring_what_is_proven_without_being_asked_for(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, relay, key) = (other.somebody("alice"), peer.somebody("relay"), ProofKey::generate().unwrap());
        shows_key(&other, (&alice, "alice"), &key);
        resolve::relay::subscribe(&server.parts().federation, &format!("{}/inbox", peer.base)).await.unwrap();
        server.settle().await;
        let asked = peer.last("Follow");
        peer.send(&relay, &server, &peer.activity(&relay, ("Accept", "yes"), asked)).await;
        // The first is asked for, because nobody here knows who she is.
        let first = other.note(&alice, ("1", "first"), &[]);
        other.put("/notes/1", first.clone());
        peer.send(&relay, &server, &proven(&alice, &key, &other.activity(&alice, ("Create", "1"), first))).await;
        let second = other.note(&alice, ("2", "second"), &[&local_uri(&server, &bob)]);
        let create = proven(&alice, &key, &other.activity(&alice, ("Create", "2"), second.clone()));
        peer.send(&relay, &server, &create).await;
        peer.send(&relay, &server, &create).await;
        let mut quiet = other.note(&alice, ("3", "quiet"), &[]);
        quiet["to"] = json!([format!("{}/followers", alice.uri)]);
        peer.send(&relay, &server, &proven(&alice, &key, &other.activity(&alice, ("Create", "3"), quiet))).await;
        let federated = async || {
            let list = server.client().get("/api/v1/timelines/public", [("remote", "true")]).await.ok();
            list.as_array().unwrap().iter().map(text).collect::<Vec<String>>()
        };
        assert_eq!(federated().await, ["second", "first"]);
        let hits = ["/notes/1", "/notes/2", "/notes/3"].map(|path| other.hits(path));
        assert_eq!(hits, [1, 0, 0]);
        let received = relays::list(&server.db().read().await.unwrap()).await.unwrap()[0].received;
        assert_eq!((received, home(&bob).await.len()), (2, 0));
        let gone = other.activity(&alice, ("Delete", "4"), second["id"].clone());
        peer.send(&relay, &server, &proven(&alice, &key, &gone)).await;
        assert_eq!(federated().await, ["first"]);
    }

    async fn an_old_profile_comes_back_by_no_proof(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, mallory, key) = (other.somebody("alice"), peer.somebody("mallory"), ProofKey::generate().unwrap());
        shows_key(&other, (&alice, "alice"), &key);
        let there = followed(&server, &other, &bob, (&alice, "alice")).await;
        let multikey = json!({ "id": key_id(&alice), "type": "Multikey", "controller": alice.uri, "publicKeyMultibase": key.multikey() });
        let mut old = other.actor("alice", &alice);
        (old["name"], old["assertionMethod"]) = (json!("What I was called"), json!([multikey]));
        let update = proven(&alice, &key, &other.activity(&alice, ("Update", "1"), old));
        let before = other.hits("/users/alice");
        peer.send(&mallory, &server, &update).await;
        let seen = bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!((&seen["display_name"], other.hits("/users/alice")), (&json!("alice"), before + 1), "she was asked");
        // Who says it herself is believed.
        other.send(&alice, &server, &update).await;
        let seen = bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!(seen["display_name"], "What I was called");
    }

    async fn requests_may_be_signed_with_ed25519(server, peer, bob) {
        let (alice, key) = (peer.somebody("alice"), ProofKey::generate().unwrap());
        shows_key(&peer, (&alice, "alice"), &key);
        let url = format!("{}/inbox", server.parts().site.base_url);
        for (name, newer) in [("1", false), ("2", true)] {
            let mut note = peer.note(&alice, (name, &format!("number {name}")), &[]);
            note["tag"] = json!([{ "type": "Mention", "href": local_uri(&server, &bob) }]);
            note["cc"] = json!([local_uri(&server, &bob)]);
            let body = peer.activity(&alice, ("Create", name), note).to_string();
            let request = by_hand(&alice, &key, (&url, &body), newer);
            assert_eq!(request.try_clone().unwrap().body(body.clone() + " ").send().await.unwrap().status(), 401);
            assert_eq!(request.body(body).send().await.unwrap().status(), 202);
            server.settle().await;
            assert_eq!(notifications(&bob).await.len(), usize::from(newer) + 1);
        }
        // Somebody else's signature in their name.
        let body = peer.activity(&alice, ("Like", "3"), json!("http://localhost:1/")).to_string();
        let request = by_hand(&alice, &ProofKey::generate().unwrap(), (&url, &body), false);
        assert_eq!(request.body(body).send().await.unwrap().status(), 401);
    }
}

/// Sends this very text with the signature of `who`.
async fn sends(who: &Somebody, (url, body): (&str, &str)) -> u16 {
    let url = url::Url::parse(url).unwrap();
    let payload = Payload::new(body.as_bytes().to_vec());
    let signer = Signer::new(format!("{}#main-key", who.uri), who.key.clone());
    let request = Outgoing { method: &reqwest::Method::POST, url: &url, payload: Some(&payload), extra: &[] };
    let headers = signer.sign(Form::Cavage, &request, Time::now()).unwrap();
    let answer = reqwest::Client::new().post(url).headers(headers).body(body.to_owned()).send().await.unwrap();
    answer.status().as_u16()
}

/// A request that is signed as others do it who have such keys, in the older form or in the newer one.
fn by_hand(who: &Somebody, key: &ProofKey, (url, body): (&str, &str), newer: bool) -> reqwest::RequestBuilder {
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let host = url.split('/').nth(2).unwrap();
    let now = jiff::Timestamp::now();
    let digest = digest_header(body.as_bytes());
    let request = reqwest::Client::new().post(url);
    if newer {
        let content_digest = format!("sha-256=:{}:", digest.trim_start_matches("SHA-256="));
        let input = format!(
            "(\"@method\" \"@target-uri\" \"content-digest\");created={};keyid=\"{}\";alg=\"ed25519\"",
            now.as_second(),
            key_id(who)
        );
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": {url}\n\"content-digest\": {content_digest}\n\"@signature-params\": {input}"
        );
        let signature = format!("sig1=:{}:", base64(&key.sign(base.as_bytes())));
        return request
            .header("content-digest", content_digest)
            .header("signature-input", format!("sig1={input}"))
            .header("signature", signature);
    }
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
    let base = format!("(request-target): post /inbox\nhost: {host}\ndate: {date}\ndigest: {digest}");
    let signature = base64(&key.sign(base.as_bytes()));
    let header = format!(
        "keyId=\"{}\",algorithm=\"hs2019\",headers=\"(request-target) host date digest\",signature=\"{signature}\"",
        key_id(who)
    );
    request.header("date", date).header("digest", digest).header("signature", header)
}
