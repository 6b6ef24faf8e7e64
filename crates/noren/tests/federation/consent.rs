//! What authors elsewhere let others do with their posts: GoToSocial's `interactionPolicy`.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, home, id, notifications, search, text};
use federation::documents::PUBLIC;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// A post of `who` with this policy, as bob finds it.
async fn posted(peer: &Peer, who: &Somebody, (name, policy): (&str, Value), bob: &Person) -> Value {
    let mut note = peer.note(who, (name, "do what you may"), &[]);
    note["interactionPolicy"] = policy;
    peer.put(&format!("/notes/{name}"), note.clone());
    search(bob, note["id"].as_str().unwrap()).await["statuses"][0].clone()
}

/// A policy that says the same of everything.
fn all(automatic: Value, manual: Value) -> Value {
    let rule = json!({ "automaticApproval": automatic, "manualApproval": manual });
    json!({ "canLike": rule, "canReply": rule, "canAnnounce": rule })
}

async fn answer(bob: &Person, status: &Value, words: &str) -> testkit::Reply {
    bob.post("/api/v1/statuses", [("status", words), ("in_reply_to_id", id(status))]).await
}

/// The status of what bob wants to do: favour it, put an emoji on it, boost it, answer it.
async fn tried(bob: &Person, status: &Value) -> [u16; 4] {
    let to = |path: &str| format!("/api/v1/{path}").replace("ID", id(status));
    [
        bob.post(&to("statuses/ID/favourite"), ()).await.status,
        bob.put(&to("pleroma/statuses/ID/reactions/🍵"), ()).await.status,
        bob.post(&to("statuses/ID/reblog"), ()).await.status,
        answer(bob, status, "look").await.status,
    ]
}

fn approval(peer: &Peer, who: &Somebody, (name, kind): (&str, &str), (object, target): (&Value, &Value)) -> Value {
    let uri = format!("{}/approvals/{name}", peer.base);
    let made = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": kind,
        "attributedTo": who.uri, "object": object, "target": target });
    peer.put(&format!("/approvals/{name}"), made);
    json!(uri)
}

fn accept(peer: &Peer, who: &Somebody, name: &str, (object, result): (Value, &Value)) -> Value {
    let mut it = peer.activity(who, ("Accept", name), object);
    it["result"] = result.clone();
    it
}

/// What came of a kind, about a thing.
fn came(peer: &Peer, verb: &str, about: &Value) -> usize {
    peer.told(verb).iter().filter(|uri| json!(uri) == *about).count()
}

async fn status_of(who: &Person, id: &Value) -> u16 {
    who.get(&format!("/api/v1/statuses/{}", id.as_str().unwrap()), ()).await.status
}

/// Somebody elsewhere follows bob, from a server of their own.
async fn follower(server: &TestServer, bob: &Person) -> Peer {
    let far = Peer::start().await;
    let fan = far.somebody("fan");
    far.send(&fan, server, &far.activity(&fan, ("Follow", "f"), json!(local_uri(server, bob)))).await;
    far
}

/// Carol, who is here and follows bob.
async fn fan(server: &TestServer) -> Person {
    let carol = server.person("carol").await;
    let bob = carol.get("/api/v1/accounts/lookup", [("acct", "bob")]).await.ok();
    carol.post(&format!("/api/v1/accounts/{}/follow", id(&bob)), ()).await.ok();
    carol
}

with_a_peer! {
    async fn what_nobody_may_is_refused_before_it_is_written(server, peer, bob) {
        let ann = peer.somebody("ann");
        let nobody = posted(&peer, &ann, ("1", all(json!([ann.uri]), json!([]))), &bob).await;
        assert_eq!(tried(&bob, &nobody).await, [403; 4]);
        assert_eq!(answer(&bob, &nobody, "look").await.expect(403)["error"], "This action is not allowed");
        let older = json!({ "canLike": { "always": [], "approvalRequired": [] }, "canReply": { "always": [PUBLIC] } });
        let older = posted(&peer, &ann, ("2", older), &bob).await;
        assert_eq!(tried(&bob, &older).await, [403, 403, 200, 200]);
        // What is not said, said as nothing, or nonsense is for everybody; what is for all is, whatever else it says.
        for (n, open) in [json!({}), json!("x"), json!({ "canLike": null, "canReply": 7 }), all(json!(PUBLIC), json!([]))].into_iter().enumerate() {
            let open = posted(&peer, &ann, (&format!("open{n}"), open), &bob).await;
            assert_eq!(tried(&bob, &open).await, [200; 4]);
        }
        server.settle().await;
        let shown = bob.get(&format!("/api/v1/statuses/{}", id(&nobody)), ()).await.ok();
        assert_eq!((&shown["replies_count"], &shown["favourites_count"], &shown["reblogs_count"]), (&json!(0), &json!(0), &json!(0)));
        assert!(!peer.received.lock().unwrap().iter().any(|it| it.to_string().contains("/notes/1\"")));
        // The author thinks better of it, without editing it.
        let mut note = peer.note(&ann, ("1", "do what you may"), &[]);
        note["published"] = nobody["created_at"].clone();
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "u1"), note)).await;
        assert_eq!(tried(&bob, &nobody).await, [200; 4]);
        server.settle().await;
    }

    async fn circles_are_known_and_whoever_is_spoken_to_may_answer(server, peer, bob) {
        let (ann, here) = (peer.somebody("ann"), local_uri(&server, &bob));
        peer.shows(&ann, "ann", json!({ "following": format!("{}/following", ann.uri) }));
        let (followers, following) = (format!("{}/followers", ann.uri), format!("{}/following", ann.uri));
        let of = |circle: &str| all(json!([circle]), json!([]));
        let (one, two, three) = (
            posted(&peer, &ann, ("1", of(&followers)), &bob).await,
            posted(&peer, &ann, ("2", of(&following)), &bob).await,
            posted(&peer, &ann, ("3", of(&here)), &bob).await,
        );
        assert_eq!((tried(&bob, &one).await, tried(&bob, &two).await), ([403; 4], [403; 4]));
        assert_eq!(tried(&bob, &three).await, [200; 4], "by name");
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "f1"), json!(here))).await;
        assert_eq!((tried(&bob, &one).await, tried(&bob, &two).await), ([200; 4], [200; 4]));
        // Named in it, and answered by it.
        let mut named = peer.note(&ann, ("4", "what do you think?"), &[&here]);
        named["tag"] = json!([{ "type": "Mention", "href": here, "name": "@bob" }]);
        let mut answered = peer.note(&ann, ("5", "no"), &[&here]);
        answered["inReplyTo"] = crate::post_as(&bob, "good?", "public").await["uri"].clone();
        for (name, mut note) in [("4", named), ("5", answered)] {
            note["interactionPolicy"] = all(json!([]), json!([]));
            peer.send(&ann, &server, &peer.activity(&ann, ("Create", &format!("c{name}")), note.clone())).await;
            let shown = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            assert_eq!(tried(&bob, &shown).await, [403, 403, 403, 200], "{name}");
        }
        server.settle().await;
    }

    async fn an_answer_waits_for_the_author_alone(server, peer, bob) {
        let (ann, far) = (peer.somebody("ann"), follower(&server, &bob).await);
        let eve = peer.somebody("eve");
        let carol = fan(&server).await;
        let status = posted(&peer, &ann, ("1", all(json!([]), json!([PUBLIC]))), &bob).await;
        let made = answer(&bob, &status, "may I? @carol").await.ok();
        server.settle().await;
        // Ann gets it; nobody else sees it, here or there.
        let told = peer.last("Create");
        assert_eq!((&told["object"]["id"], &told["object"]["inReplyTo"]), (&made["uri"], &status["uri"]));
        assert!(far.told("Create").is_empty());
        let uri = made["uri"].as_str().unwrap();
        assert_eq!((status_of(&bob, &made["id"]).await, status_of(&carol, &made["id"]).await), (200, 404));
        assert_eq!((home(&bob).await.len(), notifications(&carol).await.len()), (1, 0));
        assert_eq!((peer.get(&ann, uri).await.0, peer.get(&eve, uri).await.0), (200, 404));
        // Nor an edit of it.
        bob.put(&format!("/api/v1/statuses/{}", id(&made)), [("status", "may I, please? @carol")]).await.ok();
        server.settle().await;
        assert!(far.told("Update").is_empty() && peer.told("Update").len() == 1);
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&made)), ()).await.expect(403);
        // Not by somebody else, nor by what lies elsewhere, nor by what lies nowhere.
        let stamp = approval(&peer, &ann, ("1", "ReplyApproval"), (&made["uri"], &status["uri"]));
        peer.send(&eve, &server, &accept(&peer, &eve, "a1", (made["uri"].clone(), &stamp))).await;
        peer.send(&ann, &server, &accept(&peer, &ann, "a2", (made["uri"].clone(), &json!(format!("{}/approvals/1", far.base))))).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Accept", "a3"), made["uri"].clone())).await;
        peer.send(&eve, &server, &peer.activity(&eve, ("Reject", "a4"), made["uri"].clone())).await;
        assert_eq!((status_of(&carol, &made["id"]).await, far.told("Create").len()), (404, 0));

        peer.send(&ann, &server, &accept(&peer, &ann, "a5", (told.clone(), &stamp))).await;
        let sent = far.last("Create");
        assert_eq!((&sent["object"]["id"], &sent["object"]["approvedBy"]), (&made["uri"], &stamp));
        assert_eq!(status_of(&carol, &made["id"]).await, 200);
        assert_eq!(notifications(&carol).await, [("mention".to_owned(), "bob".to_owned())]);
        assert_eq!(peer.get(&eve, uri).await.2["approvedBy"], stamp);
        // Again, it changes nothing; then Ann thinks better of it.
        peer.send(&ann, &server, &accept(&peer, &ann, "a6", (told, &stamp))).await;
        assert_eq!((far.told("Create").len(), notifications(&carol).await.len()), (1, 1));
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a7"), made["uri"].clone())).await;
        assert_eq!((status_of(&bob, &made["id"]).await, came(&far, "Delete", &made["uri"])), (404, 1));
        // Once refused it is gone, and nobody else hears of it.
        let second = answer(&bob, &status, "and now?").await.ok();
        server.settle().await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a8"), json!(format!("{}/activity", second["uri"].as_str().unwrap())))).await;
        assert_eq!((status_of(&bob, &second["id"]).await, far.told("Delete").len()), (404, 1));
        // Nor of what bob takes back himself meanwhile.
        let third = answer(&bob, &status, "well").await.ok();
        bob.delete(&format!("/api/v1/statuses/{}", id(&third)), ()).await.ok();
        server.settle().await;
        assert_eq!((far.told("Delete").len(), came(&peer, "Delete", &third["uri"])), (1, 1));
        let shown = bob.get(&format!("/api/v1/statuses/{}", id(&status)), ()).await.ok();
        assert_eq!(shown["replies_count"], 0);
        // What needs no consent is not the author's to remove.
        let open = posted(&peer, &ann, ("2", json!({})), &bob).await;
        let free = answer(&bob, &open, "free").await.ok();
        server.settle().await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a9"), free["uri"].clone())).await;
        assert_eq!(status_of(&bob, &free["id"]).await, 200);
    }

    async fn what_waits_and_names_nobody_any_more_is_told_to_the_author_alone(server, peer, bob) {
        let (ann, eve) = (peer.somebody("ann"), peer.somebody("eve"));
        let question = posted(&peer, &ann, ("1", all(json!([]), json!([PUBLIC]))), &bob).await;
        find(&bob, &format!("eve@{}", peer.host())).await;
        let words = format!("@eve@{} look", peer.host());
        let form = [("status", words.as_str()), ("in_reply_to_id", id(&question)), ("visibility", "direct")];
        let answer = bob.post("/api/v1/statuses", form).await.ok();
        server.settle().await;
        assert_eq!(peer.told("Create"), [answer["uri"].as_str().unwrap()]);
        bob.put(&format!("/api/v1/statuses/{}", id(&answer)), [("status", "look")]).await.ok();
        server.settle().await;
        assert_eq!(peer.told("Update"), [answer["uri"].as_str().unwrap()]);
        let update = peer.last("Update");
        assert_eq!(update["to"], json!([ann.uri]));
        assert!(!update.to_string().contains(&eve.uri), "{update}");
    }

    async fn a_boost_and_a_favourite_wait_too(server, peer, bob) {
        let (ann, far) = (peer.somebody("ann"), follower(&server, &bob).await);
        let status = posted(&peer, &ann, ("1", all(json!([]), json!([PUBLIC]))), &bob).await;
        let to = |path: &str| format!("/api/v1/statuses/{}/{path}", id(&status));
        let carol = fan(&server).await;
        let boost = bob.post(&to("reblog"), ()).await.ok();
        bob.post(&to("favourite"), ()).await.ok();
        server.settle().await;
        let told = peer.last("Announce");
        assert_eq!((&told["object"], &told["approvedBy"]), (&status["uri"], &Value::Null));
        assert!(far.told("Announce").is_empty());
        assert_eq!((home(&bob).await.len(), home(&carol).await.len()), (1, 0));
        assert_eq!((status_of(&bob, &boost["id"]).await, status_of(&carol, &boost["id"]).await), (200, 404));
        assert_eq!(carol.get(&to("reblogged_by"), ()).await.ok(), json!([]));
        let stamp = approval(&peer, &ann, ("1", "AnnounceApproval"), (&told["id"], &status["uri"]));
        peer.send(&ann, &server, &accept(&peer, &ann, "a1", (told["id"].clone(), &stamp))).await;
        let sent = far.last("Announce");
        assert_eq!((&sent["id"], &sent["approvedBy"]), (&told["id"], &stamp));
        assert_eq!((status_of(&carol, &boost["id"]).await, carol.get(&to("reblogged_by"), ()).await.ok()[0]["acct"].clone()), (200, json!("bob")));
        assert_eq!(home(&carol).await.len(), 1);
        // The favourite: consent changes nothing that anybody sees, refusal does.
        let like = peer.last("Like");
        peer.send(&ann, &server, &accept(&peer, &ann, "a2", (like.clone(), &approval(&peer, &ann, ("2", "LikeApproval"), (&like["id"], &status["uri"]))))).await;
        let favoured = async || bob.get(&format!("/api/v1/statuses/{}", id(&status)), ()).await.ok()["favourited"].clone();
        assert_eq!(favoured().await, true);
        let eve = peer.somebody("eve");
        peer.send(&eve, &server, &peer.activity(&eve, ("Reject", "a3"), like.clone())).await;
        assert_eq!(favoured().await, true, "not hers");
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a4"), like["id"].clone())).await;
        assert_eq!(favoured().await, false);
        bob.put(&format!("/api/v1/pleroma/statuses/{}/reactions/🍵", id(&status)), ()).await.ok();
        server.settle().await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a5"), peer.last("Like"))).await;
        assert_eq!(favoured().await, false);
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "a6"), told["id"].clone())).await;
        assert_eq!((status_of(&bob, &boost["id"]).await, came(&far, "Undo", &status["uri"])), (404, 1));
    }

    async fn what_others_do_counts_with_consent_alone(server, peer, bob) {
        let other = Peer::start().await;
        let (ann, vic) = (peer.somebody("ann"), other.somebody("vic"));
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        followed(&server, &other, &bob, (&vic, "vic")).await;
        let status = posted(&peer, &ann, ("1", all(json!([format!("{}/followers", ann.uri)]), json!([PUBLIC]))), &bob).await;
        let parent = &status["uri"];
        let reply = |name: &str| {
            let mut note = other.note(&vic, (name, name), &[]);
            note["inReplyTo"] = parent.clone();
            note
        };
        let uri = |name: &str| json!(format!("{}/notes/{name}", other.base));
        let answers = async || {
            let context = bob.get(&format!("/api/v1/statuses/{}/context", id(&status)), ()).await.ok();
            context["descendants"].as_array().unwrap().iter().map(text).collect::<Vec<_>>()
        };
        // None; of another; by another; of another kind; about another post; elsewhere; not there.
        let mallory = peer.somebody("mallory");
        for (name, stamp) in [
            ("none", Value::Null),
            ("other", approval(&peer, &ann, ("other", "ReplyApproval"), (&uri("good"), parent))),
            ("forged", approval(&peer, &mallory, ("forged", "ReplyApproval"), (&uri("forged"), parent))),
            ("like", approval(&peer, &ann, ("like", "LikeApproval"), (&uri("like"), parent))),
            ("quote", approval(&peer, &ann, ("quote", "QuoteAuthorization"), (&uri("quote"), parent))),
            ("about", approval(&peer, &ann, ("about", "ReplyApproval"), (&uri("about"), &uri("about")))),
            ("own", approval(&other, &vic, ("own", "ReplyApproval"), (&uri("own"), parent))),
            ("absent", json!(format!("{}/approvals/absent", peer.base))),
        ] {
            let mut note = reply(name);
            note["approvedBy"] = stamp;
            other.send(&vic, &server, &other.activity(&vic, ("Create", name), note.clone())).await;
            other.put(&format!("/notes/{name}"), note.clone());
            assert_eq!(search(&bob, note["id"].as_str().unwrap()).await["statuses"], json!([]), "{name}");
        }
        assert_eq!(answers().await, [] as [&str; 0]);
        let mut good = reply("good");
        good["approvedBy"] = approval(&peer, &ann, ("good", "ReplyApproval"), (&good["id"], parent));
        other.send(&vic, &server, &other.activity(&vic, ("Create", "good"), good)).await;
        let mut newer = reply("newer");
        newer["approvedBy"] = json!(format!("{}/approvals/newer", peer.base));
        peer.put("/approvals/newer", json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": newer["approvedBy"],
            "type": "ReplyAuthorization", "attributedTo": ann.uri, "interactingObject": newer["id"], "interactionTarget": parent }));
        other.send(&vic, &server, &other.activity(&vic, ("Create", "newer"), newer)).await;
        assert_eq!(answers().await, ["good", "newer"]);
        // Boosts in the same way.
        let boosts = async || home(&bob).await.iter().filter(|s| s["reblog"].is_object()).count();
        let mut boost = other.activity(&vic, ("Announce", "b1"), parent.clone());
        other.send(&vic, &server, &boost).await;
        assert_eq!(boosts().await, 0);
        boost["id"] = json!(format!("{}/activities/b2", other.base));
        boost["approvedBy"] = approval(&peer, &ann, ("b2", "AnnounceApproval"), (&boost["id"], parent));
        other.send(&vic, &server, &boost).await;
        assert_eq!(boosts().await, 1);
        // Ann herself needs nobody's consent.
        let mut own = peer.note(&ann, ("own", "and another thing"), &[]);
        own["inReplyTo"] = parent.clone();
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "own"), own)).await;
        assert_eq!(answers().await[0], "and another thing");
    }

    async fn consent_that_was_not_waited_for_is_told_on(server, peer, bob) {
        // Followers may: but who follows Ann only her server knows.
        let (ann, far) = (peer.somebody("ann"), follower(&server, &bob).await);
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let status = posted(&peer, &ann, ("1", all(json!([format!("{}/followers", ann.uri)]), json!([]))), &bob).await;
        let made = answer(&bob, &status, "as a follower").await.ok();
        let boost = bob.post(&format!("/api/v1/statuses/{}/reblog", id(&status)), ()).await.ok();
        server.settle().await;
        assert_eq!((came(&far, "Create", &made["uri"]), far.told("Announce").len()), (1, 1));
        let stamp = approval(&peer, &ann, ("1", "ReplyApproval"), (&made["uri"], &status["uri"]));
        peer.send(&ann, &server, &accept(&peer, &ann, "a1", (made["uri"].clone(), &stamp))).await;
        let told = far.last("Update");
        assert_eq!((&told["object"]["id"], &told["object"]["approvedBy"], &told["object"]["updated"]), (&made["uri"], &stamp, &Value::Null));
        let uri = far.last("Announce")["id"].clone();
        let stamp = approval(&peer, &ann, ("2", "AnnounceApproval"), (&uri, &status["uri"]));
        peer.send(&ann, &server, &accept(&peer, &ann, "a2", (uri.clone(), &stamp))).await;
        assert_eq!((&far.last("Announce")["id"], &far.last("Announce")["approvedBy"]), (&uri, &stamp));
        assert_eq!(status_of(&bob, &boost["id"]).await, 200);
    }
}
