//! Who hears that a stamp was taken back, and how often a stamp is looked at.

use crate::peer::{Peer, Somebody, local_uri, with_a_peer};
use crate::{id, post_as, search};
use domain::{hosts, jobs};
use serde_json::{Value, json};
use testkit::{Person, TestServer, until};

async fn state(who: &Person, uri: &Value) -> Value {
    search(who, uri.as_str().unwrap()).await["statuses"][0]["quote"]["state"].clone()
}

/// A stamp by `who`, served where they are.
fn stamp(host: &Peer, who: &Somebody, (quoting, quoted): (&Value, &Value)) -> Value {
    let uri = format!("{}/stamps/1", host.base);
    let made = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "QuoteAuthorization",
        "attributedTo": who.uri, "interactingObject": quoting, "interactionTarget": quoted });
    host.put("/stamps/1", made.clone());
    made
}

/// A post of `who` that says it quotes `quoted`.
fn quoting(peer: &Peer, who: &Somebody, quoted: &Value) -> Value {
    let mut note = peer.note(who, ("quoting", "look"), &[]);
    note["quote"] = quoted.clone();
    peer.put("/notes/quoting", note.clone());
    note
}

/// All stamps were last looked at long ago.
async fn grow_old(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE quotes SET checked_at = 1", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// What came there as the end of this stamp.
fn ends(peer: &Peer, stamp: &Value) -> Vec<Value> {
    let is_one = |it: &&Value| it["type"] == "Delete" && (it["object"] == *stamp || it["object"]["id"] == *stamp);
    peer.received.lock().unwrap().iter().filter(is_one).cloned().collect()
}

/// Somebody of another server follows Bob.
async fn fan(server: &TestServer, bob: &Person) -> Peer {
    let far = Peer::start().await;
    let fay = far.somebody("fay");
    far.send(&fay, server, &far.activity(&fay, ("Follow", "f"), json!(local_uri(server, bob)))).await;
    far
}

/// Bob quotes `victim`, who lets him: what he made of it, and the stamp.
async fn allowed(server: &TestServer, peer: &Peer, (victim, bob): (&Somebody, &Person)) -> (Value, Value) {
    let mut said = peer.note(victim, ("said", "what I said"), &[]);
    said["interactionPolicy"] = json!({ "canQuote": { "automaticApproval": [federation::documents::PUBLIC] } });
    peer.put("/notes/said", said.clone());
    let original = search(bob, said["id"].as_str().unwrap()).await["statuses"][0].clone();
    let quote = [("status", "look"), ("quoted_status_id", id(&original))];
    let made = bob.post("/api/v1/statuses", quote).await.ok();
    server.settle().await;
    let mut accept = peer.activity(victim, ("Accept", "a1"), peer.last("QuoteRequest"));
    let given = stamp(peer, victim, (&made["uri"], &said["id"]));
    accept["result"] = given["id"].clone();
    peer.send(victim, server, &accept).await;
    assert_eq!(state(bob, &made["uri"]).await, "accepted");
    (made, given)
}

with_a_peer! {
    async fn the_end_of_a_stamp_comes_after_what_was_said_before(server, peer, bob) {
        let (victim, far) = (peer.somebody("victim"), fan(&server, &bob).await);
        let (_, given) = allowed(&server, &peer, (&victim, &bob)).await;
        far.received.lock().unwrap().clear();
        far.refuses.lock().unwrap().insert("/inbox".into(), (503, 0));
        let end = peer.activity(&victim, ("Delete", "d1"), given.clone());
        assert_eq!(peer.post(&peer.sign(&victim, &server, &end), |_, _| {}).await, 202);
        let came = || far.received.lock().unwrap().iter().map(|it| it["type"].clone()).collect::<Vec<_>>();
        let put_off = async || {
            let waiting = jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap();
            let late = domain::Time::now().plus(std::time::Duration::from_secs(20));
            waiting.into_iter().filter(|job| job.payload.contains(&far.base) && job.run_at > late).collect::<Vec<_>>()
        };
        until("both are put off", async || put_off().await.len() == 2).await;
        let left = put_off().await;
        // What is passed on was not tried: its turn comes after ours.
        assert_eq!((came(), left[0].attempts), (vec![json!("Update")], 0));
        far.refuses.lock().unwrap().clear();
        hosts::retry(server.db(), None).await.unwrap();
        until("both", async || came().len() >= 3).await;
        server.settle().await;
        assert_eq!(came(), ["Update", "Update", "Delete"]);
        assert_eq!(ends(&far, &given["id"]), [end]);
    }

    async fn everybody_who_has_either_post_hears_of_it(server, peer, bob) {
        let (quinn, far) = (peer.somebody("quinn"), fan(&server, &bob).await);
        let mine = post_as(&bob, "quote me", "public").await;
        let note = quoting(&peer, &quinn, &mine["uri"]);
        let mut asked = peer.activity(&quinn, ("QuoteRequest", "r1"), mine["uri"].clone());
        asked["instrument"] = note.clone();
        peer.send(&quinn, &server, &asked).await;
        let made = peer.last("Accept")["result"].clone();
        let here = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        bob.post(&format!("/api/v1/statuses/{}/quotes/{}/revoke", id(&mine), id(&here)), ()).await.ok();
        server.settle().await;
        for (name, peer) in [("who quotes", &peer), ("who follows", &far)] {
            let ends = ends(peer, &made);
            assert_eq!(ends.len(), 1, "{name}");
            assert_eq!((&ends[0]["object"]["type"], &ends[0]["actor"]), (&json!("QuoteAuthorization"), &json!(local_uri(&server, &bob))));
        }
    }

    async fn the_end_of_a_stamp_is_passed_on_to_who_has_our_quote(server, peer, bob) {
        let (victim, far) = (peer.somebody("victim"), fan(&server, &bob).await);
        let (made, given) = allowed(&server, &peer, (&victim, &bob)).await;
        let mut end = peer.activity(&victim, ("Delete", "d1"), given.clone());
        end["proof"] = json!({ "type": "DataIntegrityProof", "kept": ["as", "it", "came"] });
        peer.send(&victim, &server, &end).await;
        assert_eq!(state(&bob, &made["uri"]).await, "revoked");
        assert_eq!(ends(&far, &given["id"]), [end.clone()], "in the words of who said it");
        assert_eq!(far.last("Update")["object"]["quote"], Value::Null);
        assert_eq!(ends(&peer, &given["id"]), [] as [Value; 0], "not back to where it came from");
        // Once.
        end["id"] = json!(format!("{}/activities/d2", peer.base));
        peer.send(&victim, &server, &end).await;
        assert_eq!(ends(&far, &given["id"]).len(), 1);
    }

    async fn what_others_pass_on_is_looked_at(server, peer, bob) {
        let (mallory, other) = (peer.somebody("mallory"), Peer::start().await);
        let victim = other.somebody("victim");
        let said = other.note(&victim, ("said", "what I said"), &[]);
        other.put("/notes/said", said.clone());
        let mut note = quoting(&peer, &mallory, &said["id"]);
        let given = stamp(&other, &victim, (&note["id"], &said["id"]));
        note["quoteAuthorization"] = given["id"].clone();
        peer.put("/notes/quoting", note.clone());
        assert_eq!(state(&bob, &note["id"]).await, "accepted");
        let end = |name: &str| other.activity(&victim, ("Delete", name), given.clone());
        // It is there still: whoever passes this on made it up.
        peer.send(&mallory, &server, &end("d1")).await;
        assert_eq!(state(&bob, &note["id"]).await, "accepted");
        other.put("/stamps/1", json!(410));
        peer.send(&mallory, &server, &end("d3")).await;
        assert_eq!(state(&bob, &note["id"]).await, "revoked");
    }

    async fn a_stamp_is_looked_at_again_when_the_post_is_edited_or_read(server, peer, bob) {
        let (quinn, other) = (peer.somebody("quinn"), Peer::start().await);
        let victim = other.somebody("victim");
        let said = other.note(&victim, ("said", "what I said"), &[]);
        other.put("/notes/said", said.clone());
        let mut note = quoting(&peer, &quinn, &said["id"]);
        let given = stamp(&other, &victim, (&note["id"], &said["id"]));
        note["quoteAuthorization"] = given["id"].clone();
        peer.put("/notes/quoting", note.clone());
        let here = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        let read = async || {
            bob.get(&format!("/api/v1/statuses/{}/context", id(&here)), ()).await.ok();
            server.settle().await;
        };
        let edit = async |name: &str, words: &str| {
            let mut edited = note.clone();
            (edited["content"], edited["updated"]) = (json!(words), json!(jiff::Timestamp::now().to_string()));
            peer.put("/notes/quoting", edited.clone());
            peer.send(&quinn, &server, &peer.activity(&quinn, ("Update", name), edited)).await;
        };
        assert_eq!((state(&bob, &note["id"]).await, other.hits("/stamps/1")), (json!("accepted"), 1));
        // Not while it was looked at lately.
        read().await;
        edit("u1", "look there").await;
        assert_eq!(other.hits("/stamps/1"), 1);
        grow_old(&server).await;
        read().await;
        read().await;
        assert_eq!((state(&bob, &note["id"]).await, other.hits("/stamps/1")), (json!("accepted"), 2));
        grow_old(&server).await;
        edit("u2", "look here").await;
        assert_eq!((state(&bob, &note["id"]).await, other.hits("/stamps/1")), (json!("accepted"), 3));
        // What cannot be had, or is not for us, is not gone.
        for status in [503, 403] {
            other.put("/stamps/1", json!(status));
            grow_old(&server).await;
            edit(&format!("u{status}"), &format!("look {status}")).await;
            grow_old(&server).await;
            read().await;
            assert_eq!(state(&bob, &note["id"]).await, "accepted", "{status}");
        }
        other.put("/stamps/1", json!(404));
        grow_old(&server).await;
        edit("u3", "look again").await;
        assert_eq!(state(&bob, &note["id"]).await, "revoked");
    }

    async fn a_stamp_that_is_gone_is_found_out_by_reading(server, peer, bob) {
        let (quinn, other) = (peer.somebody("quinn"), Peer::start().await);
        let victim = other.somebody("victim");
        let said = other.note(&victim, ("said", "what I said"), &[]);
        other.put("/notes/said", said.clone());
        let mut note = quoting(&peer, &quinn, &said["id"]);
        let mut given = stamp(&other, &victim, (&note["id"], &said["id"]));
        note["quoteAuthorization"] = given["id"].clone();
        peer.put("/notes/quoting", note.clone());
        let here = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        given["interactingObject"] = json!(format!("{}/notes/another", peer.base));
        other.put("/stamps/1", given);
        grow_old(&server).await;
        // Not by who is not here.
        server.client().get(&format!("/api/v1/statuses/{}/context", id(&here)), ()).await.ok();
        server.settle().await;
        assert_eq!(state(&bob, &note["id"]).await, "accepted");
        bob.get(&format!("/api/v1/statuses/{}/context", id(&here)), ()).await.ok();
        server.settle().await;
        assert_eq!(state(&bob, &note["id"]).await, "revoked");
    }
}
