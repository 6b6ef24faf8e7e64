//! Mastodon 4.7: knocks again with RFC 9421 where its first signature is refused, has keys of Ed25519 beside the one of RSA,
//! proofs in what it sends, and reads what is signed either way.

use super::checks;
use super::mastodon;
use super::signed::{self, Secret, Signs};
use super::{Holds, Looked, Software};
use crate::{id, post_as};
use serde_json::{Value, json};

static MASTODON: Software = Software {
    name: "Mastodon 4.7",
    actor: "/ap/users/115",
    key: "#main-key",
    signs: mastodon::SIGNS,
    knock: checks::takes_any,
    inbox: mastodon::INBOX,
    gate: &[(401, checks::signed_get)],
    fetched: mastodon::FETCHED,
    visibility: checks::by_to,
    actor_has,
    note_has: mastodon::note_has,
    like_has: checks::nothing,
};

const SEED: [u8; 32] = [7; 32];
const AGAIN: Signs = Signs::Rfc9421(&["@method", "@target-uri", "content-digest"]);

fn edwards(uri: &str) -> String {
    format!("{uri}#ed25519-key")
}

fn actor_has(uri: &str) -> Value {
    let mut more = mastodon::actor_has(uri);
    let key = json!({ "id": edwards(uri), "type": "Multikey", "controller": uri, "publicKeyMultibase": signed::multikey(&SEED) });
    more["assertionMethod"] = json!([key]);
    more["interactionPolicy"] = json!({ "canFeature": { "automaticApproval": [] } });
    more
}

super::strict! {
    MASTODON,
    async fn knocks_again(strict, bob) {
        let post = post_as(bob, "who is there", "public").await;
        strict.server.settle().await;
        let pem = strict.eve.key.private_pem().unwrap();
        let (rsa, key_id) = (Secret::Rsa(&pem), strict.key_id());
        let proof = json!({
            "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "2026-11-20T10:00:00Z",
            "verificationMethod": edwards(&strict.eve.uri), "proofPurpose": "assertionMethod", "proofValue": "z3",
        });
        let favourites = async || {
            strict.server.settle().await;
            let shown = bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
            shown["favourites_count"].clone()
        };
        let mut like = strict.peer.activity(&strict.eve, ("Like", "knock"), post["uri"].clone());
        like["proof"] = proof;
        // The first is broken on the way; the answer says what helps.
        let broken = Secret::Ed25519(&SEED);
        let (status, headers) = strict.post_as(mastodon::SIGNS, (&key_id, &broken), &like).await;
        assert_eq!((status, favourites().await), (401, json!(0)));
        let how = headers["accept-signature"].to_str().unwrap();
        assert!(["@method", "@target-uri", "content-digest", "created"].iter().all(|name| how.contains(name)), "{how}");
        let (status, _) = strict.post_as(AGAIN, (&key_id, &rsa), &like).await;
        assert_eq!((status, favourites().await), (202, json!(1)));
        // With the other key, which it has published.
        let undo = strict.peer.activity(&strict.eve, ("Undo", "knocked"), like);
        let (status, _) = strict.post_as(AGAIN, (&edwards(&strict.eve.uri), &Secret::Ed25519(&SEED)), &undo).await;
        assert_eq!((status, favourites().await), (202, json!(0)));
        // And with one that it has not.
        let (status, _) = strict.post_as(AGAIN, (&edwards(&strict.eve.uri), &Secret::Ed25519(&[8; 32])), &undo).await;
        assert_eq!(status, 401);
        // What it asks for with the new form it gets.
        let looked: Holds = checks::id_is_address;
        let url = url::Url::parse(post["uri"].as_str().unwrap()).unwrap();
        let headers = signed::sign(AGAIN, ("get", &url, None), (&key_id, &rsa));
        let (status, headers, body) = strict.get(url.clone(), headers).await;
        let value = serde_json::from_slice(&body).unwrap();
        let looked = looked(&Looked { method: &reqwest::Method::GET, target: url.as_str(), headers: &headers, body: &body, value: &value, known: &strict.known });
        assert_eq!((status, looked), (200, Ok(())));
    }
}
