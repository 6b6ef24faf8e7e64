//! Everybody is an addressee, and nothing that could be fetched: nobody has this server ask www.w3.org.

use crate::peer::{followed, with_a_peer};
use crate::{find, id, post_as};
use domain::accounts::remote;
use federation::documents::PUBLIC;
use serde_json::{Value, json};

with_a_peer! {
    async fn nobody_asks_for_everybody(server, peer, bob) {
        let eve = peer.somebody("eve");
        let there = followed(&server, &peer, &bob, (&eve, "eve")).await;
        let mine = post_as(&bob, "hello", "public").await;
        for (n, name) in [PUBLIC, "as:Public", "Public"].into_iter().enumerate() {
            let said = |verb: &str, object: Value| peer.activity(&eve, (verb, &format!("{verb}-{n}")), object);
            let mut all: Vec<Value> = ["Announce", "Like", "Create", "Update", "Delete", "Undo", "Accept", "Reject", "Block", "Flag", "Follow"]
                .map(|verb| said(verb, json!(name)))
                .to_vec();
            for verb in ["Add", "Remove"] {
                let mut add = said(verb, json!(name));
                add["target"] = json!(format!("{}/collections/featured", eve.uri));
                all.push(add);
            }
            let mut moved = said("Move", json!(eve.uri));
            moved["target"] = json!(name);
            all.push(moved);
            let mut quotes = said("QuoteRequest", mine["uri"].clone());
            quotes["instrument"] = json!(name);
            all.push(quotes);
            let mut actor = peer.actor("eve", &eve);
            (actor["movedTo"], actor["alsoKnownAs"], actor["featured"]) = (json!(name), json!([name]), json!(name));
            peer.put("/users/eve", actor.clone());
            all.push(peer.activity(&eve, ("Update", &format!("profile-{n}")), actor));
            for part in ["inReplyTo", "quoteUrl", "quote", "quoteAuthorization", "approvedBy", "context", "replies", "audience"] {
                let mut note = peer.note(&eve, (&format!("{part}-{n}"), part), &[]);
                note[part] = json!(name);
                note["tag"] = json!([{ "type": "Mention", "href": name, "name": "@everybody" }]);
                all.push(peer.activity(&eve, ("Create", &format!("{part}-{n}")), note));
            }
            for activity in &all {
                peer.send(&eve, &server, activity).await;
            }
        }
        // They answer nothing, and are there.
        let shown = bob.get(&format!("/api/v1/accounts/{there}/statuses"), [("limit", "40")]).await.ok();
        assert_eq!(shown.as_array().unwrap().iter().filter(|s| s["in_reply_to_id"].is_null()).count(), 24);
        // Nothing waits to be asked for once more, and no connection there failed.
        let left = "SELECT payload FROM jobs WHERE attempts > 0";
        let left: Vec<(String,)> = server.db().read().await.unwrap().all(left, &[]).await.unwrap();
        assert_eq!(left, Vec::new());
        assert!(!server.parts().federation.fetcher.is_silent("www.w3.org"));
        let conn = server.db().read().await.unwrap();
        assert!(remote::by_uri(&conn, PUBLIC).await.unwrap().is_none());
        drop(conn);
        // Whoever looks for it finds nothing.
        let found = bob.get("/api/v2/search", [("q", PUBLIC), ("resolve", "true")]).await.ok();
        assert_eq!(found["accounts"], json!([]));
        assert_eq!(id(&find(&bob, &format!("eve@{}", peer.host())).await), there);
    }
}
