//! Asking to quote: again when nobody answers, a person where a person decides; and what is quoted by what is quoted.

use crate::peer::{Peer, Somebody, followed, with_a_peer};
use crate::{id, search, text};
use domain::deliveries::News;
use domain::ids::StatusId;
use domain::jobs::{self, Job, State};
use federation::documents::PUBLIC;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// A post of `who` that may be quoted so, as bob finds it.
async fn posted(peer: &Peer, who: &Somebody, (name, policy): (&str, Value), bob: &Person) -> Value {
    let mut note = peer.note(who, (name, name), &[]);
    note["interactionPolicy"] = json!({ "canQuote": policy });
    peer.put(&format!("/notes/{name}"), note.clone());
    search(bob, note["id"].as_str().unwrap()).await["statuses"][0].clone()
}

async fn quote(bob: &Person, quoted: &Value) -> testkit::Reply {
    bob.post("/api/v1/statuses", [("status", "look"), ("quoted_status_id", id(quoted))]).await
}

async fn state(bob: &Person, status: &Value) -> Value {
    bob.get(&format!("/api/v1/statuses/{}", id(status)), ()).await.ok()["quote"]["state"].clone()
}

/// The time has come to ask again.
async fn again(server: &TestServer, status: &Value, again: u8) {
    let status: StatusId = id(status).parse().unwrap();
    let mut tx = server.db().begin().await.unwrap();
    tx.enqueue(Job::Tell { news: News::QuoteRequested { status, again } }).await.unwrap();
    tx.commit().await.unwrap();
    server.settle().await;
}

with_a_peer! {
    async fn who_does_not_answer_is_asked_again(server, peer, bob) {
        let ann = peer.somebody("ann");
        let status = posted(&peer, &ann, ("said", json!({ "automaticApproval": [PUBLIC] })), &bob).await;
        let made = quote(&bob, &status).await.ok();
        server.settle().await;
        let asked = || peer.told("QuoteRequest").len();
        assert_eq!(asked(), 1);
        let waiting = jobs::list(&server.db().read().await.unwrap(), State::Waiting, 100).await.unwrap();
        let mut days: Vec<i64> = waiting.iter().filter(|job| job.payload.contains("quote_requested"))
            .map(|job| (job.run_at.millis() - domain::Time::now().millis()) / 3_600_000 / 24).collect();
        days.sort_unstable();
        assert_eq!(days, [1, 6]);
        // At its time, and once for each time.
        for _ in 0..2 {
            again(&server, &made, 1).await;
        }
        assert_eq!((asked(), state(&bob, &made).await), (2, json!("pending")));
        let first = peer.received.lock().unwrap().iter().find(|it| it["type"] == "QuoteRequest").cloned().unwrap();
        assert_eq!(peer.last("QuoteRequest")["id"], first["id"], "the same question");
        let mut accept = peer.activity(&ann, ("Accept", "a1"), peer.last("QuoteRequest"));
        accept["result"] = json!(format!("{}/stamps/1", peer.base));
        peer.send(&ann, &server, &accept).await;
        assert_eq!(state(&bob, &made).await, "accepted");
        again(&server, &made, 2).await;
        assert_eq!(asked(), 2, "it was answered");
        // Nor about what is gone.
        let gone = quote(&bob, &status).await.ok();
        bob.delete(&format!("/api/v1/statuses/{}", id(&gone)), ()).await.ok();
        server.settle().await;
        let before = asked();
        again(&server, &gone, 1).await;
        assert_eq!(asked(), before);
    }

    async fn a_person_decides_where_that_is_said(server, peer, bob) {
        let ann = peer.somebody("ann");
        let manual = json!({ "automaticApproval": [ann.uri], "manualApproval": PUBLIC });
        let status = posted(&peer, &ann, ("said", manual), &bob).await;
        assert_eq!(status["quote_approval"], json!({ "automatic": [], "manual": ["public"], "current_user": "manual" }));
        let made = quote(&bob, &status).await.ok();
        assert_eq!(made["quote"]["state"], "pending");
        server.settle().await;
        let mut accept = peer.activity(&ann, ("Accept", "a1"), peer.last("QuoteRequest"));
        accept["result"] = json!(format!("{}/stamps/1", peer.base));
        peer.send(&ann, &server, &accept).await;
        assert_eq!(state(&bob, &made).await, "accepted");
        let other = quote(&bob, &status).await.ok();
        server.settle().await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a2"), peer.last("QuoteRequest"))).await;
        assert_eq!(state(&bob, &other).await, "rejected");
        // Only followers can ask.
        let few = json!({ "automaticApproval": [], "manualApproval": [format!("{}/followers", ann.uri)] });
        let status = posted(&peer, &ann, ("few", few), &bob).await;
        assert_eq!(status["quote_approval"], json!({ "automatic": [], "manual": ["followers"], "current_user": "denied" }));
        quote(&bob, &status).await.expect(403);
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        assert_eq!(quote(&bob, &status).await.ok()["quote"]["state"], "pending");
        // The policy changes without an edit.
        let mut note = peer.note(&ann, ("few", "few"), &[]);
        note["published"] = status["created_at"].clone();
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "u1"), note)).await;
        quote(&bob, &status).await.expect(403);
        server.settle().await;
    }

    async fn quotes_inside_quotes_come_with_them(server, peer, bob) {
        let ann = peer.somebody("ann");
        let uri = |name: &str| json!(format!("{}/notes/{name}", peer.base));
        for (name, quoted) in [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "")] {
            let mut note = peer.note(&ann, (name, name), &[]);
            if !quoted.is_empty() {
                note["quote"] = uri(quoted);
            }
            peer.put(&format!("/notes/{name}"), note);
        }
        let outer = search(&bob, uri("a").as_str().unwrap()).await["statuses"][0].clone();
        server.settle().await;
        assert_eq!(text(&outer["quote"]["quoted_status"]), "b");
        let shown = async |status: &Value| bob.get(&format!("/api/v1/statuses/{}", id(status)), ()).await.ok()["quote"].clone();
        let inner = outer["quote"]["quoted_status"].clone();
        let second = shown(&inner).await;
        assert_eq!((&second["state"], text(&second["quoted_status"])), (&json!("accepted"), "c".to_owned()));
        let third = shown(&second["quoted_status"]).await;
        assert_eq!(third["state"], "accepted");
        // So far and no further: somebody may go on for ever.
        assert_eq!((shown(&third["quoted_status"]).await["state"].clone(), peer.hits("/notes/e")), (json!("pending"), 0));
        assert!(["a", "b", "c", "d"].iter().all(|name| peer.hits(&format!("/notes/{name}")) <= 2));
    }
}
