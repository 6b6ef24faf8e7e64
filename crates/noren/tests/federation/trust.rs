//! Servers that are blocked: what they send, what is asked of them, and what is known of them.

use crate::peer::with_a_peer;
use crate::peer::{Peer, Somebody};
use crate::{find, home, id, notifications, search};
use domain::domain_blocks::{self, DomainBlock, Severity};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Person, TestServer};

/// Makes a rule and waits until it is in force.
pub(crate) async fn block(server: &TestServer, peer: &Peer, severity: Severity, change: impl FnOnce(&mut DomainBlock)) {
    let mut block = DomainBlock { severity, ..DomainBlock::named(peer.host()) };
    change(&mut block);
    domain_blocks::block(server.db(), &block).await.unwrap();
    in_force(server).await;
}

pub(crate) async fn in_force(server: &TestServer) {
    tokio::time::sleep(Duration::from_millis(1000)).await;
    server.settle().await;
}

pub(crate) fn uri_of(server: &TestServer, who: &Person) -> String {
    server.parts().site.actor_uri(&who.username)
}

/// Somebody's post that names `bob`, told to his server.
async fn told(server: &TestServer, (peer, who): (&Peer, &Somebody), bob: &Person, name: &str) -> Value {
    let here = uri_of(server, bob);
    let mut note = peer.note(who, (name, "hello"), &[&here]);
    note["tag"] = json!([{ "type": "Mention", "href": here, "name": "@bob" }]);
    peer.put(&format!("/notes/{name}"), note.clone());
    peer.send(who, server, &peer.activity(who, ("Create", name), note.clone())).await;
    note
}

/// `bob` follows `who`, and they let him.
async fn followed(server: &TestServer, (peer, who): (&Peer, &Somebody), bob: &Person) {
    let found = search(bob, &who.uri).await["accounts"][0].clone();
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&found)), ()).await.ok();
    server.settle().await;
    let follow = peer.received.lock().unwrap().iter().rfind(|a| a["type"] == "Follow").cloned().unwrap();
    peer.send(who, server, &peer.activity(who, ("Accept", "accept"), follow)).await;
}

/// Also when they are not shown any more.
async fn following(who: &Person, account: &str) -> Value {
    let path = "/api/v1/accounts/relationships";
    who.get(path, [("id[]", account), ("with_suspended", "true")]).await.ok()[0]["following"].clone()
}

fn asked(peer: &Peer) -> Vec<String> {
    std::mem::take(&mut peer.asked.lock().unwrap())
}

fn url(note: &Value) -> &str {
    note["id"].as_str().unwrap()
}

with_a_peer! {
    async fn a_suspended_server_is_gone_until_it_is_not(server, peer, bob) {
        let eve = peer.somebody("eve");
        let note = told(&server, (&peer, &eve), &bob, "1").await;
        followed(&server, (&peer, &eve), &bob).await;
        let status = search(&bob, url(&note)).await["statuses"][0].clone();
        let account = id(&status["account"]).to_owned();
        block(&server, &peer, Severity::Suspend, |_| {}).await;
        asked(&peer);
        peer.received.lock().unwrap().clear();

        let path = format!("/api/v1/statuses/{}", id(&status));
        assert_eq!(bob.get(&path, ()).await.status, 404);
        let seen = bob.get(&format!("/api/v1/accounts/{account}"), ()).await.ok();
        assert_eq!((&seen["suspended"], &seen["display_name"]), (&json!(true), &json!("")));
        assert_eq!(following(&bob, &account).await, false);
        assert_eq!((home(&bob).await.len(), notifications(&bob).await.len()), (0, 0));
        for words in [url(&note), &eve.uri, &format!("@eve@{}", peer.host()), "eve"] {
            let found = search(&bob, words).await;
            assert_eq!((&found["accounts"], &found["statuses"]), (&json!([]), &json!([])), "{words}");
        }
        let peers = bob.get("/api/v1/instance/peers", ()).await.ok();
        assert_eq!(peers, json!([]));

        // Whom we never met: no key is fetched for them.
        let zoe = peer.somebody("zoe");
        for who in [&eve, &zoe] {
            let create = peer.activity(who, ("Create", "2"), peer.note(who, ("2", "me again"), &[&uri_of(&server, &bob)]));
            assert_eq!(peer.post(&peer.sign(who, &server, &create), |_, _| {}).await, 403);
        }
        crate::post_as(&bob, &format!("@eve@{} hello?", peer.host()), "public").await;
        server.settle().await;
        assert_eq!(asked(&peer), Vec::<String>::new());
        assert_eq!(*peer.received.lock().unwrap(), Vec::<Value>::new());

        domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
        in_force(&server).await;
        assert_eq!(bob.get(&path, ()).await.status, 200);
        assert_eq!(bob.get(&format!("/api/v1/accounts/{account}"), ()).await.ok().get("suspended"), None);
        // Follows that ended do not come back by themselves.
        assert_eq!(following(&bob, &account).await, false);
        told(&server, (&peer, &zoe), &bob, "3").await;
        assert_eq!(notifications(&bob).await.len(), 2);
    }

    async fn no_other_spelling_of_a_name_gets_in(server, peer, bob) {
        block(&server, &peer, Severity::Suspend, |_| {}).await;
        let (port, eve) = (peer.host().trim_start_matches("localhost:").to_owned(), peer.somebody("eve"));
        for host in ["LOCALHOST", "localhost.", "LocalHost.", "%6cocalhost", "ｌocalhost", "user@localhost"] {
            let uri = format!("http://{host}:{port}/users/eve");
            let other = Somebody { uri: uri.clone(), key: eve.key.clone() };
            let create = peer.activity(&other, ("Create", "1"), peer.note(&other, ("1", "hi"), &[&uri_of(&server, &bob)]));
            let status = peer.post(&peer.sign(&other, &server, &create), |_, _| {}).await;
            assert!((400..404).contains(&status), "{host}: {status}");
            let found = search(&bob, &uri).await;
            assert_eq!(found["accounts"], json!([]), "{host}");
        }
        // A rule for a name holds at every port, and for what is below.
        domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
        domain_blocks::block(server.db(), &DomainBlock { severity: Severity::Suspend, ..DomainBlock::named("LOCALHOST.") }).await.unwrap();
        in_force(&server).await;
        let create = peer.activity(&eve, ("Create", "1"), peer.note(&eve, ("1", "hi"), &[&uri_of(&server, &bob)]));
        assert_eq!(peer.post(&peer.sign(&eve, &server, &create), |_, _| {}).await, 403);
        assert_eq!(asked(&peer), Vec::<String>::new());
    }

    async fn friends_carry_nothing_of_a_blocked_server_in(server, peer, bob) {
        let (bad, friend) = (Peer::start().await, peer.somebody("friend"));
        let eve = bad.somebody("eve");
        let evil = bad.note(&eve, ("1", "evil"), &[]);
        bad.put("/notes/1", evil.clone());
        followed(&server, (&peer, &friend), &bob).await;
        block(&server, &bad, Severity::Suspend, |_| {}).await;

        let mut announce = peer.activity(&friend, ("Announce", "boost"), evil["id"].clone());
        announce["cc"] = json!([format!("{}/followers", friend.uri)]);
        peer.send(&friend, &server, &announce).await;
        let mut reply = peer.note(&friend, ("reply", "<p>so evil</p>"), &[&eve.uri]);
        reply["inReplyTo"] = evil["id"].clone();
        reply["tag"] = json!([{ "type": "Mention", "href": eve.uri, "name": "@eve" }]);
        peer.send(&friend, &server, &peer.activity(&friend, ("Create", "reply"), reply)).await;
        let mut quote = peer.note(&friend, ("quote", "<p>look at this</p>"), &[]);
        for name in ["quote", "quoteUrl", "quoteUri", "_misskey_quote"] {
            quote[name] = evil["id"].clone();
        }
        peer.send(&friend, &server, &peer.activity(&friend, ("Create", "quote"), quote)).await;
        // Passed on with a signature of somebody who may speak: it is not theirs to say.
        let passed = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}/activities/9", bad.base), "type": "Create",
            "actor": eve.uri, "object": evil, "to": ["https://www.w3.org/ns/activitystreams#Public"],
        });
        assert_eq!(peer.post(&peer.sign(&friend, &server, &passed), |_, _| {}).await, 202);
        server.settle().await;

        let shown: Vec<String> = home(&bob).await.iter().map(crate::text).collect();
        assert_eq!(shown, ["look at this", "so evil"]);
        for status in home(&bob).await {
            assert_eq!((&status["reblog"], &status["quote"]["quoted_status"], &status["mentions"]), (&Value::Null, &Value::Null, &json!([])));
        }
        assert_eq!(asked(&bad), Vec::<String>::new());
    }

    async fn a_silenced_server_is_heard_by_who_listens(server, peer, bob) {
        let (eve, friend) = (peer.somebody("eve"), peer.somebody("friend"));
        told(&server, (&peer, &eve), &bob, "1").await;
        followed(&server, (&peer, &friend), &bob).await;
        block(&server, &peer, Severity::Silence, |_| {}).await;
        let limited = async |name: &str| find(&bob, &format!("{name}@{}", peer.host())).await.get("limited").cloned();
        assert_eq!(limited("eve").await, Some(json!(true)));
        let before = notifications(&bob).await.len();
        told(&server, (&peer, &eve), &bob, "2").await;
        // Somebody new from there is limited from the beginning.
        let zoe = peer.somebody("zoe");
        told(&server, (&peer, &zoe), &bob, "3").await;
        assert_eq!(limited("zoe").await, Some(json!(true)));
        assert_eq!(notifications(&bob).await.len(), before);
        told(&server, (&peer, &friend), &bob, "4").await;
        assert_eq!(notifications(&bob).await.len(), before + 1);
        let public = bob.get("/api/v1/timelines/public", ()).await.ok();
        let authors: Vec<&str> = public.as_array().unwrap().iter().map(|s| s["account"]["username"].as_str().unwrap()).collect();
        assert_eq!(authors, ["friend"]);
        let found = bob.get("/api/v1/accounts/search", [("q", "zo")]).await.ok();
        assert_eq!(found, json!([]));
        domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
        in_force(&server).await;
        assert_eq!((limited("eve").await, limited("zoe").await), (None, None));
    }

    async fn rejected_media_are_not_shown_and_come_back(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut actor = peer.actor("eve", &eve);
        actor["icon"] = json!({ "type": "Image", "url": format!("{}/eve.png", peer.base) });
        peer.put("/users/eve", actor);
        let mut note = peer.note(&eve, ("1", "look"), &[&uri_of(&server, &bob)]);
        note["attachment"] = json!([{ "type": "Document", "mediaType": "image/png", "url": format!("{}/cat.png", peer.base) }]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let seen = async || search(&bob, url(&note)).await["statuses"][0].clone();
        let before = seen().await;
        assert_eq!(before["media_attachments"].as_array().map(Vec::len), Some(1));
        block(&server, &peer, Severity::Noop, |block| block.reject_media = true).await;
        let barred = seen().await;
        assert_eq!(barred["media_attachments"], json!([]));
        assert!(barred["account"]["avatar"].as_str().unwrap().ends_with("/missing.png"), "{}", barred["account"]["avatar"]);
        assert_eq!(barred["account"].get("limited"), None);
        domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
        in_force(&server).await;
        assert_eq!(seen().await["media_attachments"], before["media_attachments"]);
    }
}
