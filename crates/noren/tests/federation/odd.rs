//! What arrives in odd shapes, at odd times, about people who are nobody, or once more.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, id, notifications, post_as, relationship, search, text};
use domain::users::{self, NewUser};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// What `who` finds under this name.
async fn seen(who: &Person, note: &Value) -> Value {
    search(who, note["id"].as_str().unwrap()).await["statuses"][0].clone()
}

fn mention(href: &str) -> Value {
    json!({ "type": "Mention", "href": href, "name": "@somebody" })
}

/// All of them at the same time, each by who says it.
async fn send_together(peer: &Peer, to: &TestServer, all: &[(&Somebody, Value)]) {
    let signed: Vec<_> = all.iter().map(|(who, body)| peer.sign(who, to, body)).collect();
    let sent = join_all(signed.iter().map(|request| peer.post(request, |_, _| {}))).await;
    assert!(sent.iter().all(|status| *status == 202), "{sent:?}");
    to.settle().await;
}

with_a_peer! {
    async fn nul_is_in_no_text(server, peer, bob) {
        let ann = peer.somebody("ann");
        let mut note = peer.note(&ann, ("1", "no\u{0}thing"), &[&local_uri(&server, &bob)]);
        note["conversation"] = json!("tag:a\u{0}b");
        note["summary"] = json!("a\u{0} warning");
        note["attachment"] = json!([{ "type": "Document", "url": format!("{}/1.png", peer.base), "name": "x\u{0}y",
            "mediaType": "image/p\u{0}ng", "blurhash": "LEHV6nWB2y\u{0}k8pyo0adR*.7kCMdnj" }]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let status = seen(&bob, &note).await;
        assert_eq!((text(&status).as_str(), &status["spoiler_text"]), ("nothing", &json!("a warning")));
        assert_eq!(status["media_attachments"][0]["blurhash"], "LEHV6nWB2yk8pyo0adR*.7kCMdnj");
        // A profile's, too.
        let summary = "w\u{0}eaver";
        peer.shows(&ann, "ann", json!({ "summary": summary, "attachment": [
            { "type": "PropertyValue", "name": "a\u{0}", "value": "b\u{0}c" }] }));
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "2"), json!(ann.uri))).await;
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        assert_eq!((&there["note"], &there["fields"][0]["value"]), (&json!("weaver"), &json!("bc")));
    }

    async fn what_is_older_than_counting_is_seen(server, peer, bob) {
        let ann = peer.somebody("ann");
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let mut note = peer.note(&ann, ("old", "a telegram"), &[]);
        note["published"] = json!("1907-01-01T00:00:00Z");
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "old"), note.clone())).await;
        let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        assert_eq!(found["created_at"], "1907-01-01T00:00:00.000Z");
        let there = bob.get(&format!("/api/v1/accounts/{}/statuses", id(&found["account"])), ()).await.ok();
        assert_eq!(there[0]["id"], found["id"]);
    }

    async fn nothing_was_edited_in_the_future(server, peer, bob) {
        let ann = peer.somebody("ann");
        let mut note = peer.note(&ann, ("1", "first"), &[&local_uri(&server, &bob)]);
        note["updated"] = json!("9999-01-01T00:00:00Z");
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let status = seen(&bob, &note).await;
        let now = jiff::Timestamp::now().to_string();
        assert!(status["edited_at"].as_str().unwrap() <= now.as_str(), "{status:#}");
        let update = async |name: &str, words: &str| {
            let mut edited = note.clone();
            edited["content"] = json!(words);
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), edited)).await;
            let versions = bob.get(&format!("/api/v1/statuses/{}/history", id(&status)), ()).await.ok();
            (text(&seen(&bob, &note).await), versions.as_array().unwrap().len())
        };
        assert_eq!(update("2", "second").await, ("second".to_owned(), 2));
        // It says that it is newer than anything each time; the same is no edit.
        assert_eq!(update("3", "second").await, ("second".to_owned(), 2));
        assert_eq!(update("4", "second").await, ("second".to_owned(), 2));
        assert_eq!(update("5", "third").await, ("third".to_owned(), 3));
        note["attachment"] = json!([{ "type": "Document", "mediaType": "image/png", "name": "one",
            "url": format!("{}/1.png", peer.base) }]);
        let update = async |name: &str, note: &Value| {
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), note.clone())).await;
            bob.get(&format!("/api/v1/statuses/{}/history", id(&status)), ()).await.ok().as_array().unwrap().len()
        };
        note["content"] = json!("third");
        assert_eq!((update("6", &note).await, update("7", &note).await), (4, 4));
        note["attachment"][0]["name"] = json!("another");
        assert_eq!((update("8", &note).await, update("9", &note).await), (5, 5));
    }

    async fn votes_become_no_posts(server, peer, bob) {
        let ann = peer.somebody("ann");
        let mine = post_as(&bob, "no poll", "public").await;
        let mut vote = peer.note(&ann, ("1", ""), &[&local_uri(&server, &bob)]);
        vote.as_object_mut().unwrap().remove("content");
        (vote["name"], vote["inReplyTo"]) = (json!("tea"), mine["uri"].clone());
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "1"), vote.clone())).await;
        assert_eq!(seen(&bob, &vote).await, Value::Null);
        let mine = bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok();
        assert_eq!(mine["replies_count"], 0);
    }

    async fn people_are_named_by_their_pages(server, peer, bob) {
        let (ann, cat) = (peer.somebody("ann"), peer.somebody("cat"));
        let page = format!("{}/@cat", peer.base);
        peer.shows(&cat, "cat", json!({ "url": page }));
        let there = find(&bob, &format!("cat@{}", peer.host())).await;
        let here = local_uri(&server, &bob);
        let mut note = peer.note(&ann, ("1", "hello"), &[&here]);
        note["tag"] = json!([mention(&format!("{}/@bob", server.parts().site.base_url)), mention(&page)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        assert_eq!(notifications(&bob).await, [("mention".to_owned(), format!("ann@{}", peer.host()))]);
        let status = seen(&bob, &note).await;
        let named: Vec<&Value> = status["mentions"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
        assert!(named.len() == 2 && named.contains(&&there["id"]), "{status:#}");
        assert_eq!(peer.hits("/@cat"), 0, "who is known is not fetched");
    }

    async fn who_waits_for_approval_is_nobody(server, peer, bob) {
        let ann = peer.somebody("ann");
        find(&bob, &format!("ann@{}", peer.host())).await;
        let (db, site) = (server.db(), &server.parts().site);
        users::create(db, site, NewUser { approved: false, ..NewUser::named("waits") }).await.unwrap();
        let finger = format!("/.well-known/webfinger?resource=acct:waits@{}", site.domain);
        assert_eq!(server.client().get(&finger, ()).await.status, 404);
        let follow = peer.activity(&ann, ("Follow", "1"), json!(site.actor_uri("waits")));
        peer.send(&ann, &server, &follow).await;
        assert_eq!(peer.told("Accept"), [] as [&str; 0]);
        let (user, _) = users::find(&db.read().await.unwrap(), site, "waits").await.unwrap().unwrap();
        let change = users::Change { approved: Some(true), ..users::Change::default() };
        users::modify(db, user.id, change).await.unwrap();
        server.client().get(&finger, ()).await.ok();
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "2"), json!(site.actor_uri("waits")))).await;
        assert_eq!(peer.told("Accept").len(), 1);
    }

    async fn who_is_suspended_is_shown_nothing_private(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        let mine = post_as(&bob, &format!("@ann@{} between us", peer.host()), "direct").await;
        server.settle().await;
        let uri = mine["uri"].as_str().unwrap();
        assert_eq!(peer.get(&ann, uri).await.0, 200);
        let account: i64 = id(&there).parse().unwrap();
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE accounts SET suspended_at = 1 WHERE id = $1", &[&account]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(peer.get(&ann, uri).await.0, 404);
    }

    async fn a_signature_with_more_around_it_is_the_same(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        let follow = peer.activity(&ann, ("Follow", "1"), json!(local_uri(&server, &bob)));
        let signed = peer.sign(&ann, &server, &follow);
        let follows = async || relationship(&bob, id(&there)).await["followed_by"].clone();
        assert_eq!(peer.post(&signed, |_, _| {}).await, 202);
        server.settle().await;
        assert_eq!(follows().await, true);
        peer.send(&ann, &server, &peer.activity(&ann, ("Undo", "2"), follow)).await;
        assert_eq!(follows().await, false);
        for (from, to) in [("signature=\"", "x=\"1\",signature=\""), ("==\"", "\"")] {
            let sent = peer.post(&signed, |headers, _| {
                let changed = headers["signature"].to_str().unwrap().replace(from, to);
                headers.insert("signature", changed.parse().unwrap());
            });
            assert!(matches!(sent.await, 202 | 401));
        }
        server.settle().await;
        assert_eq!(follows().await, false, "an old wish does not come to life again");
    }

    async fn a_conversation_is_one_however_it_comes(server, peer, bob) {
        let here = local_uri(&server, &bob);
        let people: Vec<Somebody> = (0..6).map(|n| peer.somebody(&format!("p{n}"))).collect();
        for n in 0..people.len() {
            find(&bob, &format!("p{n}@{}", peer.host())).await;
        }
        let notes = people.iter().enumerate().map(|(n, who)| {
            let mut note = peer.note(who, (&format!("{n}"), "together"), &[&here]);
            note["conversation"] = json!("tag:example,2026:one".repeat(150));
            (who, peer.activity(who, ("Create", &format!("{n}")), note))
        });
        let notes: Vec<(&Somebody, Value)> = notes.collect();
        send_together(&peer, &server, &notes).await;
        let first = seen(&bob, &notes[0].1["object"]).await;
        bob.post(&format!("/api/v1/statuses/{}/mute", id(&first)), ()).await.ok();
        for (_, note) in &notes {
            assert_eq!(seen(&bob, &note["object"]).await["muted"], true);
        }
    }

    async fn a_quote_that_is_asked_for_at_once_counts_once(server, peer, bob) {
        let ann = peer.somebody("ann");
        let mine = post_as(&bob, "quote me", "public").await;
        let mut note = peer.note(&ann, ("1", "look"), &[&local_uri(&server, &bob)]);
        note["quote"] = mine["uri"].clone();
        peer.put("/notes/1", note.clone());
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let asked = |n: usize| {
            let mut request = peer.activity(&ann, ("QuoteRequest", &format!("ask-{n}")), mine["uri"].clone());
            request["instrument"] = note.clone();
            (&ann, request)
        };
        send_together(&peer, &server, &(0..8).map(asked).collect::<Vec<_>>()).await;
        assert_eq!(peer.told("Accept").len(), 8);
        assert_eq!(bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok()["quotes_count"], 1);
    }

    async fn an_answer_is_put_below_its_parent_once(server, peer, bob) {
        let ann = peer.somebody("ann");
        let here = local_uri(&server, &bob);
        let (above, below) = (peer.note(&ann, ("1", "above"), &[&here]), peer.note(&ann, ("2", "below"), &[&here]));
        for (name, note) in [("1", &above), ("2", &below)] {
            peer.send(&ann, &server, &peer.activity(&ann, ("Create", name), note.clone())).await;
        }
        let (above, below) = (seen(&bob, &above).await, seen(&bob, &below).await);
        let (parent, child) = (id(&above).parse().unwrap(), id(&below).parse().unwrap());
        let adopt = |_| domain::statuses::remote::adopt(server.db(), child, parent);
        let done: Vec<bool> = join_all((0..8).map(adopt)).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done.iter().filter(|done| **done).count(), 1);
        let above = bob.get(&format!("/api/v1/statuses/{}", id(&above)), ()).await.ok();
        assert_eq!(above["replies_count"], 1);
    }

    async fn who_cannot_be_asked_again_is_no_dead_letter(server, peer, bob) {
        peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        server.settle().await;
        peer.put("/users/ann", json!(503));
        let account = id(&there).parse().unwrap();
        domain::accounts::remote::refresh_later(server.db(), account).await.unwrap();
        server.settle().await;
        assert!(peer.hits("/users/ann") >= 2);
    }

    async fn hidden_addressees_are_addressed(server, peer, bob) {
        let ann = peer.somebody("ann");
        let here = local_uri(&server, &bob);
        for (name, on) in [("1", "note"), ("2", "activity")] {
            let mut note = peer.note(&ann, (name, "psst"), &[]);
            (note["to"], note["cc"]) = (json!([]), json!([]));
            note["tag"] = json!([mention(&here)]);
            let mut create = peer.activity(&ann, ("Create", name), note);
            create["to"] = json!([]);
            // Never for everybody by this way.
            let hidden = json!([here, "as:Public"]);
            if on == "note" { create["object"]["bcc"] = hidden } else { create["bto"] = hidden }
            if on == "activity" { create["object"]["to"] = json!([ann.uri]) }
            peer.send(&ann, &server, &create).await;
            let status = seen(&bob, &create["object"]).await;
            assert_eq!((text(&status).as_str(), &status["visibility"]), ("psst", &json!("direct")), "{on}");
        }
    }

    async fn a_poll_that_begins_anew_is_counted_anew(server, peer, bob) {
        let ann = peer.somebody("ann");
        find(&bob, &format!("ann@{}", peer.host())).await;
        let form = |words: &str, options: [&str; 2]| json!({ "status": format!("@ann@{} {words}", peer.host()),
            "poll": { "options": options, "expires_in": 3600 } });
        let mine = bob.post("/api/v1/statuses", form("tea?", ["yes", "no"])).await.ok();
        let vote = async |name: &str| {
            let note = json!({ "id": format!("{}/votes/{name}", peer.base), "type": "Note", "attributedTo": ann.uri,
                "name": name, "inReplyTo": mine["uri"], "to": [local_uri(&server, &bob)] });
            peer.send(&ann, &server, &peer.activity(&ann, ("Create", name), note)).await;
            // Numbers are told after a while.
            let tx = server.db().begin().await.unwrap();
            tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%poll_counted%'", &[]).await.unwrap();
            tx.commit().await.unwrap();
            server.settle().await;
            let told = peer.last("Update")["object"]["oneOf"].clone();
            let of = |n: usize| (told[n]["name"].clone(), told[n]["replies"]["totalItems"].clone());
            [of(0), of(1)]
        };
        assert_eq!(vote("no").await, [(json!("yes"), json!(0)), (json!("no"), json!(1))]);
        bob.put(&format!("/api/v1/statuses/{}", id(&mine)), form("coffee?", ["milk", "sugar"])).await.ok();
        server.settle().await;
        assert_eq!(vote("sugar").await, [(json!("milk"), json!(0)), (json!("sugar"), json!(1))]);
    }

    async fn handles_are_the_same_in_any_case(server, peer, bob) {
        let other = Peer::start().await;
        let ann = other.somebody("ann");
        let named = |peer: &Peer, name: &str| {
            let port = peer.host().trim_start_matches("localhost:").to_owned();
            format!("/.well-known/webfinger?resource=acct%3A{name}%40localhost%3A{port}")
        };
        // At another server than the one in the handle, which answers in the case in which it was asked.
        let says = |name: &str| json!({ "subject": format!("acct:{name}@{}", peer.host()),
            "links": [{ "rel": "self", "type": "application/activity+json", "href": ann.uri }] });
        for name in ["ann", "Ann"] {
            peer.put(&named(&peer, name), says(name));
        }
        other.put(&named(&other, "ann"), says("ann"));
        let found = find(&bob, &format!("Ann@{}", peer.host())).await;
        assert_eq!((&found["uri"], id(&found)), (&json!(ann.uri), id(&find(&bob, &format!("ann@{}", peer.host())).await)));
    }
}
