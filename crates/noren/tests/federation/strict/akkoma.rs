//! Akkoma: reactions whose emoji have no name among servers, votes that are Answers, hidden addressees, relays that follow
//! back; documents with texts where others have lists.

use super::Software;
use super::checks;
use super::signed::Signs;
use crate::{id, notifications};
use federation::resolve;
use serde_json::{Value, json};

static AKKOMA: Software = Software {
    name: "Akkoma",
    actor: "/users/eve",
    key: "#main-key",
    signs: Signs::Cavage {
        algorithm: "rsa-sha256",
        post: &["(request-target)", "content-length", "date", "digest", "host"],
        get: &["(request-target)", "date", "host"],
        query: true,
    },
    knock: checks::takes_any,
    inbox: &[
        (400, checks::is_json),
        (400, checks::signed_post),
        (400, checks::one_digest),
        (400, checks::actor_signed),
        (400, checks::id_at_home),
        (400, checks::addressees),
        (400, checks::undo_is_whole),
        (400, checks::note_is_theirs),
        (400, checks::mentions_are_whole),
    ],
    gate: &[(401, checks::signed_get)],
    fetched: &[(0, checks::is_json), (0, checks::exact_type), (0, checks::id_is_address), (0, checks::actor_is_whole)],
    visibility: checks::by_to_and_cc,
    actor_has,
    note_has,
    like_has,
};

fn actor_has(_: &str) -> Value {
    json!({ "capabilities": {}, "tag": [], "attachment": [], "vcard:bday": null, "backgroundUrl": null, "@context": ["https://www.w3.org/ns/activitystreams", "https://akkoma.example/schemas/litepub-0.1.jsonld", { "@language": "und" }] })
}

fn note_has(uri: &str) -> Value {
    json!({ "actor": uri, "attributedTo": [uri], "bto": [], "bcc": [], "summary": "", "tag": [], "emoji": {}, "repliesCount": 0, "sensitive": null,
        "source": { "content": "x", "mediaType": "text/bbcode" } })
}

/// Its emoji has no id.
fn like_has(base: &str) -> Value {
    let emoji = json!({ "id": null, "type": "Emoji", "name": ":blob:", "icon": { "type": "Image", "url": format!("{base}/blob.png") } });
    json!({ "type": "EmojiReact", "content": ":blob:", "tag": [emoji], "cc": [], "bcc": [], "bto": [] })
}

super::strict! {
    AKKOMA,
    async fn votes_hides_and_relays(strict, bob) {
        let (peer, eve) = (&strict.peer, &strict.eve);
        // A vote by its own name.
        let poll = json!({ "status": "tea or coffee?", "poll": { "options": ["tea", "coffee"], "expires_in": 3600 } });
        let question = bob.post("/api/v1/statuses", poll).await.ok();
        strict.server.settle().await;
        assert_eq!(strict.got("Create", "tea or coffee")["object"]["type"], "Question");
        let vote = json!({
            "id": format!("{}/objects/vote", peer.base), "type": "Answer", "actor": eve.uri, "attributedTo": eve.uri, "name": "tea",
            "inReplyTo": question["uri"], "to": [crate::peer::local_uri(&strict.server, bob)], "cc": [], "context": question["uri"],
        });
        strict.send(&peer.activity(eve, ("Create", "vote"), vote)).await;
        let counted = bob.get(&format!("/api/v1/polls/{}", id(&question["poll"])), ()).await.ok();
        assert_eq!((&counted["options"][0]["votes_count"], &counted["votes_count"]), (&json!(1), &json!(1)));
        // For Bob, who is not named where all can read it.
        let mut hidden = peer.note(eve, ("hidden", "<p>psst</p>"), &[]);
        let here = crate::peer::local_uri(&strict.server, bob);
        for name in ["to", "cc"] {
            hidden[name] = json!([]);
        }
        (hidden["bcc"], hidden["to"]) = (json!([here]), json!([format!("{}/lists/1", peer.base)]));
        let mut create = peer.activity(eve, ("Create", "hidden"), hidden.clone());
        (create["to"], create["bcc"], create["bto"]) = (hidden["to"].clone(), json!([here]), json!([]));
        strict.send(&create).await;
        let path = format!("/api/v2/search?q={}/notes/hidden", peer.base);
        let found = strict.server.client().get(&path, ()).await.ok();
        assert_eq!(found["statuses"], json!([]), "nobody else sees it");
        let before = notifications(bob).await.len();
        relayed(strict).await;
        assert_eq!(notifications(bob).await.len(), before);
    }
}

/// Asked by its actor, the relay agrees and follows back.
async fn relayed(strict: &super::Strict) {
    let peer = &strict.peer;
    let relay = peer.somebody_at("relay", "/relay");
    peer.shows(&relay, "relay", json!({ "type": "Application" }));
    let ours = format!("{}/relay", strict.known.theirs);
    strict.learn(&ours).await;
    resolve::relay::subscribe(&strict.server.parts().federation, &relay.uri).await.unwrap();
    strict.server.settle().await;
    let asked = strict.got("Follow", &relay.uri);
    assert_eq!((&asked["actor"], &asked["object"]), (&json!(ours), &json!(relay.uri)));
    peer.send(&relay, &strict.server, &peer.activity(&relay, ("Accept", "relay"), asked)).await;
    peer.send(&relay, &strict.server, &peer.activity(&relay, ("Follow", "back"), json!(ours))).await;
    assert_eq!(strict.got("Accept", "activities/back")["actor"], json!(ours));
}
