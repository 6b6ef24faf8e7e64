//! Polls of other servers: how they stand now, what edits make of them, and the many forms that they come in.

use crate::peer::{File, Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, home, id, search, text};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::Person;

fn choices(votes: &[(&str, u64)]) -> Value {
    let one = |(name, votes): &(&str, u64)| json!({ "type": "Note", "name": name, "replies": { "type": "Collection", "totalItems": votes } });
    votes.iter().map(one).collect()
}

fn question(peer: &Peer, who: &Somebody, name: &str, more: &Value) -> Value {
    let mut note = peer.note(who, (name, "<p>tea?</p>"), &[]);
    note["type"] = json!("Question");
    note["oneOf"] = choices(&[("yes", 1), ("no", 0)]);
    note.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    note
}

/// What somebody whom Bob follows posted, as it stands in his timeline.
async fn arrived(bob: &Person, note: &Value) -> Value {
    home(bob).await.into_iter().find(|s| s["uri"] == note["id"]).unwrap()
}

async fn poll(bob: &Person, status: &Value) -> Value {
    bob.get(&format!("/api/v1/polls/{}", id(&status["poll"])), ()).await.ok()
}

fn votes(poll: &Value) -> Vec<u64> {
    poll["options"].as_array().unwrap().iter().map(|o| o["votes_count"].as_u64().unwrap()).collect()
}

with_a_peer! {
    async fn numbers_that_nobody_counts_are_none_that_clients_cannot_read(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let most = u64::try_from(i64::MAX).unwrap();
        let votes_of = choices(&[("yes", most), ("no", most)]);
        let picture = json!({ "type": "Document", "mediaType": "image/png", "url": format!("{}/1.png", peer.base),
            "width": u32::MAX, "height": u32::MAX });
        let more = json!({ "oneOf": votes_of, "votersCount": most, "attachment": [picture],
            "likes": { "type": "Collection", "totalItems": most } });
        let note = question(&peer, &eve, "1", &more);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = arrived(&bob, &note).await;
        let poll = &status["poll"];
        let most = json!(i32::MAX);
        for number in [&poll["votes_count"], &poll["voters_count"], &poll["options"][1]["votes_count"], &status["favourites_count"]] {
            assert_eq!(*number, most, "{status:#}");
        }
        assert_eq!(status["media_attachments"][0]["meta"], Value::Null);
        // Votes from here come to that, and make no more of it.
        let voted = bob.post(&format!("/api/v1/polls/{}/votes", id(poll)), json!({ "choices": [0] })).await.ok();
        assert_eq!((&voted["options"][0]["votes_count"], &voted["voters_count"]), (&most, &most));
    }

    async fn whoever_looks_sees_how_it_stands(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let note = question(&peer, &eve, "1", &json!({}));
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = arrived(&bob, &note).await;
        let mut later = note.clone();
        (later["oneOf"], later["votersCount"]) = (choices(&[("yes", 5), ("no", 2)]), json!(6));
        peer.put("/notes/1", later.clone());
        // Whoever reads the post does not ask for the poll, as on Mastodon.
        let read = bob.get(&format!("/api/v1/statuses/{}", id(&status)), ()).await.ok();
        assert_eq!((votes(&read["poll"]), peer.hits("/notes/1")), (vec![1, 0], 0));
        // A stranger causes nothing.
        let path = format!("/api/v1/polls/{}", id(&status["poll"]));
        assert_eq!(votes(&server.client().get(&path, ()).await.ok()), [1, 0]);
        assert_eq!(peer.hits("/notes/1"), 0);
        let seen = poll(&bob, &status).await;
        assert_eq!((votes(&seen), &seen["voters_count"]), (vec![5, 2], &json!(6)));
        // Not again so soon, whoever looks.
        later["oneOf"] = choices(&[("yes", 9), ("no", 9)]);
        peer.put("/notes/1", later);
        assert_eq!(votes(&poll(&bob, &status).await), [5, 2]);
        assert_eq!(peer.hits("/notes/1"), 1);
        assert_eq!(votes(&home(&bob).await[0]["poll"]), [5, 2]);
    }

    async fn hidden_numbers_stay_hidden_until_the_end(server, peer, bob) {
        let ann = peer.somebody("ann");
        find(&bob, &format!("ann@{}", peer.host())).await;
        let form = json!({ "status": format!("@ann@{} tea?", peer.host()),
            "poll": { "options": ["yes", "no"], "expires_in": 3600, "hide_totals": true } });
        let mine = bob.post("/api/v1/statuses", form).await.ok();
        let note = json!({ "id": format!("{}/votes/1", peer.base), "type": "Note", "attributedTo": ann.uri,
            "name": "yes", "inReplyTo": mine["uri"], "to": [local_uri(&server, &bob)] });
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note)).await;
        let at_once = async |job: &str| {
            let tx = server.db().begin().await.unwrap();
            tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE $1", &[&format!("%{job}%")]).await.unwrap();
            tx.commit().await.unwrap();
            server.settle().await;
        };
        at_once("poll_counted").await;
        assert_eq!(peer.told("Update"), Vec::<String>::new());
        let uri = mine["uri"].as_str().unwrap();
        let shown = peer.get(&ann, uri).await.2;
        assert_eq!((&shown["oneOf"][0]["name"], &shown["oneOf"][0]["replies"]["totalItems"]), (&json!("yes"), &Value::Null));
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE polls SET expires_at = 1", &[]).await.unwrap();
        tx.commit().await.unwrap();
        at_once("close_poll").await;
        let last = peer.last("Update")["object"].clone();
        assert!(last["closed"].is_string(), "{last}");
        assert_eq!([&last["oneOf"][0], &last["oneOf"][1]].map(|o| o["replies"]["totalItems"].clone()), [json!(1), json!(0)]);
    }

    /// What is told of numbers goes by their sum, which must never come back to what it was.
    async fn a_vote_counts_longer_than_who_gave_it(server, peer, bob) {
        let (ann, eve) = (peer.somebody("ann"), peer.somebody("eve"));
        for name in ["ann", "eve"] {
            find(&bob, &format!("{name}@{}", peer.host())).await;
        }
        let form = json!({ "status": format!("@ann@{0} @eve@{0} tea?", peer.host()),
            "poll": { "options": ["yes", "no"], "expires_in": 3600 } });
        let mine = bob.post("/api/v1/statuses", form).await.ok();
        let vote = async |who: &Somebody, name: &str| {
            let note = json!({ "id": format!("{}/votes/{name}", who.uri), "type": "Note", "attributedTo": who.uri,
                "name": name, "inReplyTo": mine["uri"], "to": [local_uri(&server, &bob)] });
            peer.send(who, &server, &peer.activity(who, ("Create", name), note)).await;
            let tx = server.db().begin().await.unwrap();
            tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%poll_counted%'", &[]).await.unwrap();
            tx.commit().await.unwrap();
            server.db().wake().ring();
            server.settle().await;
            let told = peer.last("Update")["object"]["oneOf"].clone();
            [0, 1].map(|n| told[n]["replies"]["totalItems"].as_u64().unwrap())
        };
        assert_eq!(vote(&ann, "yes").await, [1, 0]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Delete", "end"), json!(ann.uri))).await;
        assert_eq!(vote(&eve, "no").await, [1, 1]);
    }

    async fn what_is_neither_a_vote_nor_a_post_is_nothing(server, peer, bob) {
        let ann = peer.somebody("ann");
        find(&bob, &format!("ann@{}", peer.host())).await;
        let form = json!({ "status": format!("@ann@{} tea?", peer.host()), "poll": { "options": ["yes", "5"], "expires_in": 3600 } });
        let mine = bob.post("/api/v1/statuses", form).await.ok();
        let said = async |name: &str, more: Value| {
            let mut note = json!({ "id": format!("{}/votes/{name}", peer.base), "type": "Note", "attributedTo": ann.uri,
                "inReplyTo": mine["uri"], "to": [local_uri(&server, &bob)] });
            note.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            peer.put(&format!("/votes/{name}"), note.clone());
            peer.send(&ann, &server, &peer.activity(&ann, ("Create", name), note)).await;
        };
        let is_here = async |name: &str| {
            let conn = server.db().read().await.unwrap();
            domain::statuses::remote::by_uri(&conn, &format!("{}/votes/{name}", peer.base)).await.unwrap().is_some()
        };
        for (n, more) in [
            json!({ "name": 5 }),
            json!({ "name": null }),
            json!({ "name": "" }),
            json!({ "name": true, "content": null }),
            json!({ "name": ["", null] }),
            json!({ "name": { "en": "yes" }, "content": "" }),
            json!({ "name": 5, "content": "  ", "summary": null, "attachment": [], "tag": [] }),
            json!({ "nameMap": { "en": 5 }, "source": { "content": "", "mediaType": "text/plain" } }),
            json!({}),
        ]
        .into_iter()
        .enumerate()
        {
            said(&format!("broken-{n}"), more).await;
            assert!(!is_here(&format!("broken-{n}")).await, "{n}");
        }
        let counted = async || votes(&bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok()["poll"]);
        assert_eq!(counted().await, [0, 0]);
        assert_eq!(bob.get("/api/v1/notifications", ()).await.ok(), json!([]));
        // Nor is it anything to who looks for it.
        let found = search(&bob, &format!("{}/votes/broken-0", peer.base)).await;
        assert_eq!(found["statuses"], json!([]));
        // A vote is one, and what says or shows anything is an answer.
        said("vote", json!({ "name": "5" })).await;
        assert!(counted().await == [0, 1] && !is_here("vote").await);
        let picture = json!([{ "type": "Document", "mediaType": "image/png", "url": format!("{}/1.png", peer.base) }]);
        for (name, more) in [
            ("words", json!({ "name": 5, "content": "<p>five</p>" })),
            ("picture", json!({ "attachment": picture })),
            ("warning", json!({ "summary": "nothing to say" })),
        ] {
            said(name, more).await;
            assert!(is_here(name).await, "{name}");
        }
        assert_eq!(counted().await, [0, 1]);
    }

    async fn what_is_wrong_there_changes_nothing(server, peer, bob) {
        let (eve, mallory) = (peer.somebody("eve"), peer.somebody("mallory"));
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let more = choices(&[("yes", 9), ("no", 9)]);
        let other = |name: &str, more: &Value| question(&peer, &eve, name, more);
        for (name, there) in [
            ("gone", json!(404)),
            ("busy", json!(503)),
            ("elsewhere", other("another", &json!({ "oneOf": more }))),
            ("stolen", other("stolen", &json!({ "oneOf": more, "attributedTo": mallory.uri }))),
            ("changed", other("changed", &json!({ "oneOf": choices(&[("maybe", 9)]) }))),
            ("none", other("none", &json!({ "oneOf": null }))),
        ] {
            let note = question(&peer, &eve, name, &json!({}));
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", name), note.clone())).await;
            let status = arrived(&bob, &note).await;
            peer.put(&format!("/notes/{name}"), there);
            assert_eq!(votes(&poll(&bob, &status).await), [1, 0], "{name}");
            assert_eq!(peer.hits(&format!("/notes/{name}")), 1, "{name}");
        }
        // Nobody waits long for a server that says nothing.
        let note = question(&peer, &eve, "silent", &json!({}));
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "silent"), note.clone())).await;
        let status = arrived(&bob, &note).await;
        peer.file("/notes/silent", File::Silent("application/activity+json", Duration::from_secs(30)));
        let began = Instant::now();
        assert_eq!(votes(&poll(&bob, &status).await), [1, 0]);
        // Three seconds, and not ten as elsewhere.
        assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    }

    async fn what_is_for_few_is_asked_for_by_who_may_see_it(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let followers = json!({ "to": [format!("{}/followers", eve.uri)], "cc": [] });
        let note = question(&peer, &eve, "1", &followers);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = arrived(&bob, &note).await;
        assert_eq!(status["visibility"], "private");
        // There it is for Bob alone, and not for his server.
        let key = format!("keyId=\"{}#main-key\"", local_uri(&server, &bob));
        let judge = move |came: &crate::peer::Came| {
            let signed = came.headers.get("signature").is_some_and(|s| s.to_str().unwrap().contains(&key));
            let refused = came.target == "/notes/1" && !signed;
            refused.then(|| axum::response::IntoResponse::into_response(reqwest::StatusCode::NOT_FOUND))
        };
        assert!(peer.judge.set(Box::new(judge)).is_ok());
        let mut later = note.clone();
        later["oneOf"] = choices(&[("yes", 3), ("no", 0)]);
        peer.put("/notes/1", later);
        assert_eq!(votes(&poll(&bob, &status).await), [3, 0]);
    }

    async fn edits_count_from_new_where_the_question_is_another(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let end = |hours: i64| json!((jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string());
        let note = question(&peer, &eve, "1", &json!({ "endTime": end(2) }));
        peer.put("/notes/1", note.clone());
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = arrived(&bob, &note).await;
        let path = format!("/api/v1/statuses/{}", id(&status));
        let seen = async || bob.get(&path, ()).await.ok();
        bob.post(&format!("/api/v1/polls/{}/votes", id(&status["poll"])), json!({ "choices": [1] })).await.ok();
        server.settle().await;
        assert_eq!(peer.last("Create")["object"]["name"], "no");
        let update = async |name: &str, changes: Value| {
            let mut changed = note.clone();
            changed.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            peer.send(&eve, &server, &peer.activity(&eve, ("Update", name), changed)).await;
        };
        let now = |seconds: i64| json!((jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string());
        // Without a time it is no edit: numbers alone.
        update("a", json!({ "content": "<p>coffee?</p>", "oneOf": choices(&[("yes", 4), ("no", 3)]) })).await;
        let shown = seen().await;
        assert_eq!((votes(&shown["poll"]), text(&shown), &shown["edited_at"]), (vec![4, 3], "tea?".into(), &Value::Null));
        assert_eq!(shown["poll"]["own_votes"], json!([1]));
        // Other options without a time are of nobody's making.
        update("b", json!({ "oneOf": choices(&[("black", 1), ("green", 1)]) })).await;
        assert_eq!(votes(&seen().await["poll"]), [4, 3]);
        let edited = json!({ "content": "<p>which?</p>", "updated": now(1), "anyOf": choices(&[("black", 0), ("green", 1), ("white", 0)]), "oneOf": null });
        update("c", edited).await;
        let shown = seen().await;
        assert_eq!((votes(&shown["poll"]), text(&shown), &shown["poll"]["multiple"]), (vec![0, 1, 0], "which?".into(), &json!(true)));
        assert_eq!((&shown["poll"]["own_votes"], &shown["poll"]["voted"]), (&json!([]), &json!(false)));
        let history = bob.get(&format!("{path}/history"), ()).await.ok();
        let titles = |version: &Value| version["poll"]["options"][0]["title"].clone();
        let versions: Vec<Value> = history.as_array().unwrap().iter().map(titles).collect();
        assert_eq!(versions, [json!("yes"), json!("black")]);
        // One that was made before is old news.
        update("d", json!({ "content": "<p>older</p>", "updated": now(-3600) })).await;
        assert_eq!(text(&seen().await), "which?");
        // And it may go altogether.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        update("e", json!({ "type": "Note", "oneOf": null, "updated": now(0) })).await;
        assert_eq!(seen().await["poll"], Value::Null);
    }

    async fn polls_in_every_form(server, peer, bob) {
        let eve = peer.somebody("eve");
        let many: Vec<(String, u64)> = (0..600).map(|n| (format!("option {n}"), n)).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        let (past, future) = ("2026-11-20T10:00:00.000Z", "2036-11-20T10:00:00Z");
        for (name, more, (expired, expires, options)) in [
            ("endless", json!({}), (false, Value::Null, 2)),
            ("no-any", json!({ "anyOf": [] }), (false, Value::Null, 2)),
            ("ends", json!({ "endTime": future }), (false, json!("2036-11-20T10:00:00.000Z"), 2)),
            // Misskey's, while it runs and when it is over.
            ("misskey", json!({ "type": "Note", "closed": future, "_misskey_fallback_content": "x" }), (false, json!("2036-11-20T10:00:00.000Z"), 2)),
            ("misskey-over", json!({ "closed": past }), (true, json!(past), 2)),
            // Over before its time, and over without a word of when.
            ("early", json!({ "closed": past, "endTime": future }), (true, json!(past), 2)),
            ("closed", json!({ "closed": true }), (true, json!(""), 2)),
            ("open", json!({ "closed": false, "endTime": future }), (false, json!("2036-11-20T10:00:00.000Z"), 2)),
            ("many", json!({ "oneOf": choices(&many) }), (false, Value::Null, 500)),
            // Two of one name could not be told apart.
            ("twice", json!({ "oneOf": choices(&[("a", 1), ("a", 2), ("b", 3), ("", 1)]) }), (false, Value::Null, 2)),
            // The year ten thousand is no year.
            ("never", json!({ "endTime": "+010000-01-01T00:00:00Z" }), (false, Value::Null, 2)),
        ] {
            let note = question(&peer, &eve, name, &more);
            peer.put(&format!("/notes/{name}"), note.clone());
            let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            let poll = &found["poll"];
            assert_eq!((&poll["expired"], poll["options"].as_array().map(Vec::len)), (&json!(expired), Some(options)), "{name}: {poll}");
            assert!(poll["expires_at"] == expires || (expires == json!("") && poll["expires_at"].is_string()), "{name}: {poll}");
        }
        // One that ran when it was last heard of and is over now.
        let mut note = question(&peer, &eve, "endless", &json!({}));
        note["closed"] = json!(true);
        peer.put("/notes/endless", note.clone());
        let status = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        assert_eq!((&status["poll"]["expired"], &poll(&bob, &status).await["expired"]), (&json!(false), &json!(true)));
        let late = bob.post(&format!("/api/v1/polls/{}/votes", id(&status["poll"])), json!({ "choices": [0] })).await;
        assert_eq!(late.status, 422);
    }
}
