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
    async fn shows_its_key_alone_and_comes_again(strict, bob) {
        let peer = &strict.peer;
        let stub = |who: &crate::peer::Somebody, name: &str| json!({
            "@context": ["https://w3id.org/security/v1", "https://www.w3.org/ns/activitystreams"],
            "id": who.uri, "type": "Person", "preferredUsername": name,
            "publicKey": { "id": format!("{}/main-key", who.uri), "owner": who.uri, "publicKeyPem": who.key.public_pem() },
        });
        let zoe = peer.somebody("zoe");
        let key_id = format!("{}/main-key", zoe.uri);
        let key = json!({ "publicKey": { "id": key_id, "owner": zoe.uri, "publicKeyPem": zoe.key.public_pem() } });
        peer.shows(&zoe, "zoe", key);
        let post = post_as(bob, "does she like it", "public").await;
        strict.server.settle().await;
        let pem = zoe.key.private_pem().unwrap();
        let like = peer.activity(&zoe, ("Like", "zoe"), post["uri"].clone());
        // Her server is busy: she is to come again, and is not told that she is nobody.
        peer.put("/users/zoe/main-key", json!(503));
        assert_eq!(strict.post_as(SIGNS, (&key_id, &Secret::Rsa(&pem)), &like).await.0, 503);
        peer.put("/users/zoe/main-key", stub(&zoe, "zoe"));
        assert_eq!(strict.post_as(SIGNS, (&key_id, &Secret::Rsa(&pem)), &like).await.0, 202);
        strict.server.settle().await;
        let shown = bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
        assert_eq!(shown["favourites_count"], 1);
        assert_eq!(peer.hits("/users/zoe/main-key"), 2);
    }
}
