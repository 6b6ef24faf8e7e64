//! Posts for followers, fetched: in the name of a follower, if the site is refused, and so that nobody else learns of it.

use crate::peer::{Came, Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{id, post_as, search};
use axum::response::IntoResponse as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::TestServer;

/// What was asked for, and with whose key.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// `peer` writes down who asks for what, and shows what is below these paths to nobody but who signs as `friend`.
fn guard(peer: &Peer, (paths, friend): (&'static [&'static str], Option<String>), refusal: StatusCode) -> Asked {
    let asked = Asked::default();
    let kept = asked.clone();
    let judge = move |came: &Came| {
        let signed = ["signature", "signature-input"].map(|name| came.headers.get(name).and_then(|v| v.to_str().ok()));
        let key = signed.into_iter().flatten().find_map(|text| Some(text.split_once("keyId=\"")?.1.split_once('#')?.0));
        let key = key.unwrap_or_default().to_owned();
        let hidden = paths.iter().any(|path| came.target.starts_with(path));
        let shown = !hidden || friend.as_ref() == Some(&key);
        kept.lock().unwrap().push((came.target.clone(), key));
        (!shown).then(|| refusal.into_response())
    };
    assert!(peer.judge.set(Box::new(judge)).is_ok());
    asked
}

/// For followers alone, at `path`.
fn secret(peer: &Peer, who: &Somebody, path: &str) -> Value {
    let mut note = peer.note(who, ("x", "for friends"), &[]);
    note["id"] = json!(format!("{}{path}", peer.base));
    (note["to"], note["cc"]) = (json!([format!("{}/followers", who.uri)]), json!([]));
    peer.put(path, note.clone());
    note
}

fn found(answer: &Value) -> usize {
    answer["statuses"].as_array().unwrap().len()
}

with_a_peer! {
    async fn whoever_follows_finds_what_is_for_followers(server, peer, bob) {
        let (eve, carol) = (peer.somebody("eve"), server.person("carol").await);
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let friend = local_uri(&server, &bob);
        let asked = guard(&peer, (&["/users/eve/statuses/", "/objects/"], Some(friend.clone())), StatusCode::NOT_FOUND);
        let one = secret(&peer, &eve, "/users/eve/statuses/1");
        let uri = one["id"].as_str().unwrap();
        // Who follows nobody there is not shown to that server.
        assert_eq!(found(&search(&carol, uri).await), 0);
        let stranger = local_uri(&server, &carol);
        assert!(asked.lock().unwrap().iter().all(|(_, key)| *key != stranger && *key != friend));
        let shown = search(&bob, uri).await;
        assert_eq!((found(&shown), &shown["statuses"][0]["visibility"]), (1, &json!("private")));
        assert_eq!(found(&search(&carol, uri).await), 0);
        let tries = asked.lock().unwrap().iter().filter(|(path, key)| path == "/users/eve/statuses/1" && *key == friend).count();
        assert_eq!(tries, 1);
        // Whose name it is not below and which is not there for Bob either: one more try, and that is all.
        peer.remove("/objects/9");
        assert_eq!(found(&search(&bob, &format!("{}/objects/9", peer.base)).await), 0);
        let tries = asked.lock().unwrap().iter().filter(|(path, key)| path == "/objects/9" && *key == friend).count();
        assert_eq!(tries, 1);
    }

    async fn what_is_answered_or_boosted_is_fetched_for_a_follower(server, peer, bob) {
        let (eve, vic) = (peer.somebody("eve"), peer.somebody("vic"));
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        followed(&server, &peer, &bob, (&vic, "vic")).await;
        guard(&peer, (&["/users/eve/statuses/", "/objects/"], Some(local_uri(&server, &bob))), StatusCode::FORBIDDEN);
        // By the address, and by who is named.
        for (n, path) in ["/users/eve/statuses/1", "/objects/2"].into_iter().enumerate() {
            let parent = secret(&peer, &eve, path);
            let mut reply = peer.note(&vic, (&format!("reply{n}"), "indeed"), &[&eve.uri]);
            reply["inReplyTo"] = parent["id"].clone();
            reply["tag"] = json!([{ "type": "Mention", "href": eve.uri, "name": "@eve" }]);
            peer.send(&vic, &server, &peer.activity(&vic, ("Create", &format!("r{n}")), reply.clone())).await;
            let shown = search(&bob, reply["id"].as_str().unwrap()).await["statuses"][0].clone();
            let above = bob.get(&format!("/api/v1/statuses/{}", shown["in_reply_to_id"].as_str().unwrap()), ()).await.ok();
            assert_eq!((&above["uri"], &above["visibility"]), (&parent["id"], &json!("private")));
        }
        // By who boosts it, and by who wrote it and only names it.
        let boosted = secret(&peer, &eve, "/objects/3");
        let mut boost = peer.activity(&eve, ("Announce", "b"), boosted["id"].clone());
        boost["to"] = json!([format!("{}/followers", eve.uri)]);
        peer.send(&eve, &server, &boost).await;
        let named = secret(&peer, &eve, "/objects/4");
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "n"), named["id"].clone())).await;
        let home = crate::home(&bob).await;
        assert!(home.iter().any(|s| s["reblog"]["uri"] == boosted["id"]), "{home:?}");
        assert!(home.iter().any(|s| s["uri"] == named["id"]), "{home:?}");
    }

    async fn what_a_thread_answers_is_looked_for_as_a_follower(server, peer, bob) {
        let (eve, vic, carol) = (peer.somebody("eve"), peer.somebody("vic"), server.person("carol").await);
        guard(&peer, (&["/users/eve/statuses/", "/objects/"], Some(local_uri(&server, &bob))), StatusCode::NOT_FOUND);
        let mut answers = Vec::new();
        for (n, path) in ["/users/eve/statuses/1", "/objects/2"].into_iter().enumerate() {
            let parent = secret(&peer, &eve, path);
            let mut reply = peer.note(&vic, (&format!("reply{n}"), "indeed"), &[]);
            reply["inReplyTo"] = parent["id"].clone();
            reply["tag"] = json!([{ "type": "Mention", "href": eve.uri, "name": "@eve" }]);
            peer.put(&format!("/notes/reply{n}"), reply.clone());
            // When it came nobody here could see what it answers.
            let shown = search(&bob, reply["id"].as_str().unwrap()).await["statuses"][0].clone();
            assert_eq!(shown["in_reply_to_id"], Value::Null);
            answers.push((id(&shown).to_owned(), parent["id"].clone()));
        }
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        for (answer, parent) in answers {
            let path = format!("/api/v1/statuses/{answer}/context");
            bob.get(&path, ()).await.ok();
            server.settle().await;
            let above = bob.get(&path, ()).await.ok()["ancestors"].clone();
            assert_eq!((&above[0]["uri"], &above[0]["visibility"]), (&parent, &json!("private")), "{above}");
            assert_eq!(carol.get(&path, ()).await.ok()["ancestors"], json!([]));
        }
    }

    async fn nobody_else_learns_who_asks(server, peer, bob) {
        let (eve, other) = (peer.somebody("eve"), Peer::start().await);
        let mallory = other.somebody("mallory");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let friend = local_uri(&server, &bob);
        // The site is refused; whoever signs as Bob is sent to another server, or told that it is there.
        let elsewhere = secret(&other, &mallory, "/notes/1")["id"].as_str().unwrap().to_owned();
        let (key, to) = (format!("keyId=\"{friend}#"), elsewhere.clone());
        let judge = move |came: &Came| {
            let by_bob = came.headers.get("signature").is_some_and(|v| v.to_str().unwrap().contains(&key));
            let location = [("location", to.clone())];
            match came.target.as_str() {
                "/users/eve/statuses/1" if by_bob => Some((StatusCode::FOUND, location).into_response()),
                "/users/eve/statuses/2" if by_bob => None,
                path if path.starts_with("/users/eve/statuses/") => Some(StatusCode::UNAUTHORIZED.into_response()),
                _ => None,
            }
        };
        assert!(peer.judge.set(Box::new(judge)).is_ok());
        let mut moved = secret(&peer, &eve, "/users/eve/statuses/2");
        moved["id"] = json!(elsewhere);
        peer.put("/users/eve/statuses/2", moved);
        let asked = guard(&other, (&[], None), StatusCode::NOT_FOUND);
        for n in 1..=2 {
            assert_eq!(found(&search(&bob, &format!("{}/users/eve/statuses/{n}", peer.base)).await), 0, "{n}");
        }
        assert_eq!(*asked.lock().unwrap(), []);
    }
}

testkit::between_two_servers! {
    async fn who_follows_finds_what_is_older(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        let old = post_as(&alice, "before you came", "private").await;
        let uri = old["uri"].as_str().unwrap();
        crate::follow((&bob, &b), (&alice, &a)).await;
        assert_eq!(found(&search(&carol, uri).await), 0);
        let shown = search(&bob, uri).await;
        assert_eq!((found(&shown), crate::text(&shown["statuses"][0])), (1, "before you came".to_owned()));
        assert_eq!(found(&search(&carol, uri).await), 0);
        // What is for one person stays theirs.
        let whispered = post_as(&alice, "to myself", "direct").await;
        assert_eq!(found(&search(&bob, whispered["uri"].as_str().unwrap()).await), 0);
        assert_eq!(bob.get(&format!("/api/v1/statuses/{}", id(&shown["statuses"][0])), ()).await.status, 200);
    }
}
