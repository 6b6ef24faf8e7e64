//! Lemmy: types that are compared as whole texts, every digest the body's own, names of keys with a fragment, activities of a
//! server under its own name; groups that pass on whole activities.

use super::checks;
use super::signed::{self, Signs};
use super::{Looked, Software};
use crate::{home, id, search, text};
use serde_json::{Value, json};

static LEMMY: Software = Software {
    name: "Lemmy",
    actor: "/u/eve",
    key: "#main-key",
    signs: Signs::Cavage {
        algorithm: "hs2019",
        post: &["(request-target)", "content-type", "date", "digest", "host"],
        get: &["(request-target)", "date", "host"],
        query: true,
    },
    knock: checks::takes_any,
    inbox: &[
        (400, checks::exact_type),
        (400, checks::is_json),
        (400, checks::signed_post),
        (400, every_digest),
        (400, checks::id_at_home),
        (400, checks::actor_signed),
        (400, checks::addressees),
        (400, checks::undo_is_whole),
        (400, checks::note_is_theirs),
        (400, checks::mentions_are_whole),
    ],
    gate: &[(400, fragment), (400, checks::signed_get)],
    fetched: &[(0, checks::is_json), (0, checks::exact_type), (0, checks::id_is_address), (0, checks::actor_is_whole)],
    visibility: checks::by_to,
    actor_has,
    note_has,
    like_has: checks::nothing,
};

/// Not only one of them.
pub(super) fn every_digest(l: &Looked<'_>) -> Result<(), String> {
    for part in signed::header(l.headers, "digest")?.split(',') {
        let (_, value) = part.split_once('=').ok_or("a digest without a value")?;
        if value != signed::sha256(l.body) {
            return Err(format!("the digest {part}"));
        }
    }
    Ok(())
}

/// It takes what stands before the fragment for whose key it is.
pub(super) fn fragment(l: &Looked<'_>) -> Result<(), String> {
    let key_id = signed::cavage(l.headers)?.key_id;
    if key_id.contains('#') { Ok(()) } else { Err(format!("{key_id} has no fragment")) }
}

fn actor_has(_: &str) -> Value {
    json!({ "matrixUserId": null, "source": { "content": "x", "mediaType": "text/markdown" }, "published": "2026-11-20T10:00:00.123456Z" })
}

fn note_has(_: &str) -> Value {
    json!({ "source": { "content": "x", "mediaType": "text/markdown" }, "distinguished": false, "language": { "identifier": "en", "name": "English" }, "tag": [] })
}

super::strict! {
    LEMMY,
    async fn groups_pass_on_whole_activities(strict, bob) {
        let peer = &strict.peer;
        let group = peer.somebody_at("tea", "/c/tea");
        peer.shows(&group, "tea", json!({ "type": "Group", "attributedTo": format!("{}/moderators", group.uri), "postingRestrictedToMods": false }));
        crate::peer::followed(&strict.server, peer, bob, (&group, "tea")).await;
        let mut page = peer.note(&strict.eve, ("page", "<p>tea is better</p>"), &[]);
        for (name, value) in [("type", json!("Page")), ("name", json!("On coffee")), ("audience", json!(group.uri)), ("commentsEnabled", json!(true))] {
            page[name] = value;
        }
        let create = peer.activity(&strict.eve, ("Create", "page"), page.clone());
        let announce = peer.activity(&group, ("Announce", "page"), create);
        // Lemmy's own server passes on what its own people wrote.
        peer.put("/notes/page", page.clone());
        peer.send(&group, &strict.server, &announce).await;
        let seen: Vec<Value> = home(bob).await.into_iter().filter(|s| s["reblog"]["uri"] == page["id"]).collect();
        assert_eq!((seen.len(), &seen[0]["account"]["username"]), (1, &json!("tea")));
        assert!(text(&seen[0]["reblog"]).contains("On coffee"));
        // What Bob answers goes to who wrote it and to the group.
        let known = search(bob, page["id"].as_str().unwrap()).await["statuses"][0].clone();
        let words = [("status", format!("@tea@{} no", peer.host())), ("in_reply_to_id", id(&known).to_owned())];
        bob.post("/api/v1/statuses", words).await.ok();
        strict.server.settle().await;
        let create = strict.got("Create", " no");
        assert_eq!(create["object"]["inReplyTo"], page["id"]);
        assert!(create["cc"].as_array().unwrap().contains(&json!(group.uri)), "{create}");
    }
}
