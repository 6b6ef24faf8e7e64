//! Accounts that their own server has suspended (`suspended` of their actor), and not this one.

use crate::peer::{followed, local_uri, with_a_peer};
use crate::{find, home, id, notifications, post_as, relationship};
use serde_json::{Value, json};

with_a_peer! {
    async fn who_is_suspended_at_home_is_hidden_until_that_ends(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = followed(&server, &peer, &bob, (&ann, "ann")).await;
        let note = |name: &str| peer.activity(&ann, ("Create", name), peer.note(&ann, (name, name), &[]));
        peer.send(&ann, &server, &note("before")).await;
        let post = id(&home(&bob).await[0]).to_owned();
        let says = async |name: &str, suspended: bool| {
            // As Mastodon shows somebody whom it suspended.
            let words = if suspended { "" } else { "Ann" };
            peer.shows(&ann, "ann", json!({ "suspended": suspended, "name": words, "summary": words }));
            let (_, _, actor) = peer.get(&ann, &ann.uri).await;
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), actor)).await;
        };
        let account = async || bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        let statuses = async || bob.get(&format!("/api/v1/accounts/{there}/statuses"), ()).await.ok();
        says("u0", false).await;
        assert_eq!((account().await["display_name"].clone(), account().await["note"].clone()), (json!("Ann"), json!("Ann")));
        says("u1", true).await;
        let seen = account().await;
        assert_eq!((&seen["suspended"], &seen["display_name"], &seen["note"]), (&json!(true), &json!(""), &json!("")));
        assert_eq!((statuses().await, home(&bob).await.len()), (json!([]), 0));
        bob.get(&format!("/api/v1/statuses/{post}"), ()).await.expect(404);
        // Whoever is suspended says nothing new.
        peer.send(&ann, &server, &note("meanwhile")).await;
        let mine = post_as(&bob, "mine", "public").await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Like", "l1"), mine["uri"].clone())).await;
        says("u2", true).await;
        assert_eq!(notifications(&bob).await, []);
        says("u3", false).await;
        let seen = account().await;
        assert_eq!((seen["suspended"] == true, &seen["display_name"]), (false, &json!("Ann")));
        assert_eq!(home(&bob).await.iter().map(crate::text).collect::<Vec<_>>(), ["mine", "before"]);
        assert_eq!(statuses().await.as_array().unwrap().len(), 1);
        assert_eq!(relationship(&bob, &there).await["following"], true);
        peer.send(&ann, &server, &note("after")).await;
        assert_eq!(home(&bob).await.len(), 3);
    }

    async fn who_follows_is_told_again_when_it_ends(server, peer, bob) {
        let ann = peer.somebody("ann");
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "1"), json!(local_uri(&server, &bob)))).await;
        let says = async |name: &str, suspended: bool| {
            peer.shows(&ann, "ann", json!({ "suspended": suspended }));
            let (_, _, actor) = peer.get(&ann, &ann.uri).await;
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), actor)).await;
        };
        let mut posted = Vec::new();
        for (words, suspended) in [("one", false), ("two", true), ("three", true), ("four", false)] {
            says(words, suspended).await;
            let post = post_as(&bob, words, "public").await;
            server.settle().await;
            if !suspended {
                posted.push(post["uri"].as_str().unwrap().to_owned());
            }
            assert_eq!(peer.told("Create"), posted, "{words}");
        }
    }

    async fn a_suspension_of_this_site_is_not_for_others_to_end(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        let suspended = async || bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok()["suspended"] == true;
        let decide = async |at: Option<i64>| {
            let tx = server.db().begin().await.unwrap();
            tx.exec("UPDATE accounts SET suspended_at = $1 WHERE username = 'ann'", &[&at.map(domain::Time)]).await.unwrap();
            tx.commit().await.unwrap();
        };
        // Both ways in which another server says how an account is: it sends it, and it is asked.
        let shows = async |name: &str, more: Value| {
            peer.shows(&ann, "ann", more);
            let (_, _, actor) = peer.get(&ann, &ann.uri).await;
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), actor)).await;
            domain::accounts::remote::refresh_later(server.db(), there.parse().unwrap()).await.unwrap();
            server.settle().await;
        };
        decide(Some(1)).await;
        for (name, more) in [("u1", json!({ "suspended": false })), ("u2", json!({ "suspended": true })), ("u3", json!({}))] {
            shows(name, more).await;
            assert!(suspended().await, "{name}");
        }
        decide(None).await;
        shows("u4", json!({ "suspended": true })).await;
        assert!(suspended().await);
        // Decided here too, while it was so there.
        decide(Some(1)).await;
        shows("u5", json!({ "suspended": false })).await;
        assert!(suspended().await);
        decide(None).await;
        assert!(!suspended().await);
    }

    async fn who_is_suspended_at_home_can_still_go_for_good(server, peer, bob) {
        let (ann, mallory) = (peer.somebody("ann"), peer.somebody("mallory"));
        peer.shows(&ann, "ann", json!({ "suspended": true }));
        // Somebody new, who was never seen otherwise.
        let note = peer.note(&ann, ("1", "hello"), &[&local_uri(&server, &bob)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note)).await;
        assert_eq!(notifications(&bob).await, []);
        let conn = server.db().read().await.unwrap();
        let known = domain::accounts::remote::by_uri(&conn, &ann.uri).await.unwrap().unwrap();
        assert!(known.suspended_at.is_some());
        drop(conn);
        // Nobody else says that it is over.
        let mut actor = peer.actor("ann", &ann);
        actor["suspended"] = json!(false);
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Update", "2"), actor)).await;
        bob.get(&format!("/api/v1/accounts/{}", known.id), ()).await.ok();
        let still = bob.get(&format!("/api/v1/accounts/{}", known.id), ()).await.ok();
        assert_eq!(still["suspended"], true);
        peer.send(&ann, &server, &peer.activity(&ann, ("Delete", "3"), json!(ann.uri))).await;
        bob.get(&format!("/api/v1/accounts/{}", known.id), ()).await.expect(404);
    }
}
