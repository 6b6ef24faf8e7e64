//! GoToSocial: nothing is shown to who does not sign, not even who somebody is; the key is a document of its own that holds
//! no more than it must; other types than it knows are 406; and it tries a few times only, so that "later" must be right.

use super::Software;
use super::checks;
use super::signed::{Secret, Signs};
use crate::{id, post_as};
use serde_json::{Value, json};

static GOTOSOCIAL: Software = Software {
    name: "GoToSocial",
    actor: "/users/eve",
    key: "/main-key",
    signs: SIGNS,
    knock: checks::takes_any,
    inbox: &[
        (406, checks::exact_type),
        (401, checks::signed_post),
        (401, checks::one_digest),
        (400, checks::context),
        (401, checks::actor_signed),
        (400, checks::id_at_home),
        (400, checks::addressees),
        (400, checks::undo_is_whole),
        (400, checks::note_is_theirs),
        (400, checks::mentions_are_whole),
    ],
    gate: &[(401, checks::signed_get)],
    fetched: &[(0, checks::is_json), (0, checks::exact_type), (0, checks::id_is_address), (0, checks::actor_is_whole)],
    visibility: checks::by_to_and_cc,
    actor_has: checks::nothing,
    note_has,
    like_has: checks::nothing,
};

const SIGNS: Signs = Signs::Cavage {
    algorithm: "hs2019",
    post: &["(request-target)", "host", "date", "digest"],
    get: &["(request-target)", "host", "date"],
    query: true,
};

/// Lists of one are that one.
fn note_has(uri: &str) -> Value {
    let everybody = "https://www.w3.org/ns/activitystreams#Public";
    let rule =
        json!({ "always": everybody, "automaticApproval": everybody, "approvalRequired": [], "manualApproval": [] });
    json!({ "to": everybody, "cc": format!("{uri}/followers"), "attachment": [], "tag": [],
        "interactionPolicy": { "canLike": rule, "canReply": rule, "canAnnounce": rule } })
}

super::strict! {
    GOTOSOCIAL,
    async fn shows_its_key_alone(strict, bob) {
        let peer = &strict.peer;
        let post = post_as(bob, "do they like it", "public").await;
        strict.server.settle().await;
        // The server of one is busy: they are to come again, and are not told that they are nobody. A key that is there is
        // had from a document that says nothing but whose it is.
        for (name, is_there, wanted) in [("zoe", false, 503), ("ann", true, 202)] {
            let who = peer.somebody(name);
            let key_id = format!("{}/main-key", who.uri);
            let key = json!({ "id": key_id, "owner": who.uri, "publicKeyPem": who.key.public_pem() });
            peer.shows(&who, name, json!({ "publicKey": key }));
            let stub = json!({
                "@context": ["https://w3id.org/security/v1", "https://www.w3.org/ns/activitystreams"],
                "id": who.uri, "type": "Person", "preferredUsername": name, "publicKey": key,
            });
            let path = format!("/users/{name}/main-key");
            peer.put(&path, if is_there { stub } else { json!(503) });
            let pem = who.key.private_pem().unwrap();
            let like = peer.activity(&who, ("Like", name), post["uri"].clone());
            assert_eq!(strict.post_as(SIGNS, (&key_id, &Secret::Rsa(&pem)), &like).await.0, wanted, "{name}");
            assert_eq!(peer.hits(&path), 1, "{name}");
        }
        strict.server.settle().await;
        let shown = bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
        assert_eq!(shown["favourites_count"], 1);
    }
}
