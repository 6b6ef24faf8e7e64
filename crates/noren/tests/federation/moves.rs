//! Accounts that move: out of here, to here, and past here.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, follow, home, id, post_as, relationship};
use domain::{accounts, moves};
use federation::resolve;
use serde_json::{Value, json};
use testkit::{Person, TestServer, settle_all};

async fn account(server: &TestServer, of: &Person) -> accounts::Account {
    accounts::store::by_id(&server.db().read().await.unwrap(), of.account).await.unwrap().unwrap()
}

/// `who` says to be `handle` too.
async fn alias(server: &TestServer, who: &Person, handle: &str) {
    let other = resolve::moves::other(&server.parts().federation, handle).await.unwrap();
    moves::add_alias(server.db(), who.account, &other).await.unwrap();
}

async fn leave(server: &TestServer, who: &Person, target: &str) -> domain::Result<accounts::Account> {
    resolve::moves::leave(&server.parts().federation, &account(server, who).await, target).await
}

async fn counts(who: &Person) -> (Value, Value) {
    let shown = who.get(&format!("/api/v1/accounts/{}", who.account), ()).await.json;
    (shown["followers_count"].clone(), shown["following_count"].clone())
}

testkit::between_two_servers! {
    async fn followers_come_along(a: TestServer, b: TestServer) {
        let (alice, carol) = (a.person("alice").await, a.person("carol").await);
        let (ally, bob) = (b.person("ally").await, b.person("bob").await);
        let old = follow((&bob, &b), (&alice, &a)).await;
        carol.post(&format!("/api/v1/accounts/{}/follow", alice.account), [("reblogs", "false")]).await.ok();
        // What they keep about her.
        let list = bob.post("/api/v1/lists", [("title", "friends")]).await.ok();
        bob.post(&format!("/api/v1/lists/{}/accounts", id(&list)), [("account_ids[]", old.as_str())]).await.ok();
        bob.post(&format!("/api/v1/accounts/{old}/note"), [("comment", "met at the fair")]).await.ok();
        post_as(&alice, "before", "public").await;
        settle_all(&[&a, &b]).await;

        // Only who says to be her can be her.
        assert!(leave(&a, &alice, &b.handle("ally")).await.is_err());
        assert!(leave(&a, &alice, &b.handle("nobody")).await.is_err());
        assert!(leave(&a, &alice, &a.handle("alice")).await.is_err());
        alias(&b, &ally, &a.handle("alice")).await;
        let here = account(&a, &alice).await;
        resolve::moves::rehearse(&a.parts().federation, &here, &b.handle("ally")).await.unwrap();
        assert_eq!(account(&a, &alice).await.moved_to_id, None);
        leave(&a, &alice, &b.handle("ally")).await.unwrap();
        settle_all(&[&a, &b]).await;

        let new = find(&bob, "ally").await;
        let (to_new, to_old) = (relationship(&bob, id(&new)).await, relationship(&bob, &old).await);
        assert_eq!((&to_new["following"], &to_old["following"]), (&json!(true), &json!(false)));
        assert_eq!(to_new["note"], format!("Moved here from {}. Your note about it:\nmet at the fair", a.handle("alice")));
        let members = bob.get(&format!("/api/v1/lists/{}/accounts", id(&list)), ()).await.ok();
        assert_eq!((members.as_array().unwrap().len(), &members[0]["acct"]), (1, &json!("ally")));
        assert_eq!(home(&bob).await.len(), 1, "what was there stays");
        let there = find(&carol, &b.handle("ally")).await;
        let to_new = relationship(&carol, id(&there)).await;
        assert_eq!((&to_new["following"], &to_new["showing_reblogs"]), (&json!(true), &json!(false)));
        assert_eq!(relationship(&carol, &alice.account.to_string()).await["following"], false);
        assert_eq!(counts(&ally).await, (json!(2), json!(0)));

        // Everybody sees where she went, and she can do nothing there any more.
        let seen = b.client().get(&format!("/api/v1/accounts/{old}"), ()).await.ok();
        assert_eq!(seen["moved"]["acct"], "ally");
        let seen = a.client().get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!((&seen["moved"]["acct"], &seen["followers_count"]), (&json!(b.handle("ally")), &json!(0)));
        let refused = alice.post("/api/v1/statuses", [("status", "still here")]).await;
        assert_eq!((refused.status, &refused.json["error"]), (403, &json!("Your login is currently disabled")));
        assert_eq!(alice.post(&format!("/api/v1/accounts/{}/follow", carol.account), ()).await.status, 403);
        assert_eq!(carol.post(&format!("/api/v1/accounts/{}/follow", alice.account), ()).await.status, 403);
        assert_eq!(bob.post(&format!("/api/v1/accounts/{old}/follow"), ()).await.status, 403);

        // She can use it again, but not leave again so soon.
        moves::come_back(a.db(), alice.account).await.unwrap();
        settle_all(&[&a, &b]).await;
        assert_eq!(b.client().get(&format!("/api/v1/accounts/{old}"), ()).await.ok().get("moved"), None);
        post_as(&alice, "back again", "public").await;
        assert!(leave(&a, &alice, &b.handle("ally")).await.is_err());
        assert!(moves::come_back(a.db(), alice.account).await.is_err());
        assert_eq!(relationship(&bob, id(&new)).await["following"], true);
    }

    async fn blocks_and_mutes_come_along(a: TestServer, b: TestServer) {
        let (alice, ally) = (a.person("alice").await, a.person("ally").await);
        let (bob, carol, dave) = (b.person("bob").await, b.person("carol").await, b.person("dave").await);
        let old = follow((&carol, &b), (&alice, &a)).await;
        let new = id(&find(&bob, &a.handle("ally")).await).to_owned();
        bob.post(&format!("/api/v1/accounts/{old}/block"), ()).await.ok();
        carol.post(&format!("/api/v1/accounts/{old}/mute"), [("notifications", "false"), ("duration", "3600")]).await.ok();
        carol.post(&format!("/api/v1/accounts/{old}/unfollow"), ()).await.ok();
        // Who follows the new one knows already, and thinks otherwise.
        dave.post(&format!("/api/v1/accounts/{old}/block"), ()).await.ok();
        dave.post(&format!("/api/v1/accounts/{new}/follow"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        alias(&a, &ally, "alice").await;
        leave(&a, &alice, "ally").await.unwrap();
        settle_all(&[&a, &b]).await;
        let seen = relationship(&bob, &new).await;
        assert_eq!(seen["blocking"], true);
        assert_eq!(seen["note"], format!("Moved here from {}, which you had blocked.", a.handle("alice")));
        let seen = relationship(&carol, &new).await;
        assert_eq!((&seen["muting"], &seen["muting_notifications"]), (&json!(true), &json!(false)));
        assert!(seen["muting_expires_at"].is_string() && seen["note"].as_str().unwrap().ends_with("had muted."));
        let seen = relationship(&dave, &new).await;
        assert_eq!((&seen["blocking"], &seen["following"], &seen["note"]), (&json!(false), &json!(true), &json!("")));
    }
}

fn moving(peer: &Peer, who: &Somebody, name: &str, (object, target): (&str, &str)) -> Value {
    let mut activity = peer.activity(who, ("Move", name), json!(object));
    activity["target"] = json!(target);
    activity
}

with_a_peer! {
    async fn everybody_concerned_is_told(server, peer, bob) {
        let (blocker, far, stranger) = (Peer::start().await, Peer::start().await, Peer::start().await);
        let (ann, new, eve) = (peer.somebody("ann"), peer.somebody("new"), blocker.somebody("eve"));
        let (tom, relay) = (far.somebody("tom"), Peer::start().await);
        stranger.somebody("sam");
        find(&bob, &format!("sam@{}", stranger.host())).await;
        crate::relays::accepted(&server, &relay).await;
        let here = local_uri(&server, &bob);
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "1"), json!(here))).await;
        far.send(&tom, &server, &far.activity(&tom, ("Follow", "1"), json!(here))).await;
        blocker.send(&eve, &server, &blocker.activity(&eve, ("Block", "1"), json!(here))).await;
        peer.shows(&new, "new", json!({ "alsoKnownAs": [here] }));
        leave(&server, &bob, &format!("new@{}", peer.host())).await.unwrap();
        server.settle().await;
        assert_eq!(*stranger.received.lock().unwrap(), Vec::<Value>::new());
        for told in [&peer, &blocker, &far, &relay] {
            let (moved, profile) = (told.last("Move"), told.last("Update"));
            assert_eq!((&moved["object"], &moved["target"], &moved["actor"]), (&json!(here), &json!(new.uri), &json!(here)));
            assert_eq!((told.told("Move").len(), &profile["object"]["movedTo"]), (1, &json!(new.uri)));
        }
        // Nobody can follow them there any more.
        peer.send(&new, &server, &peer.activity(&new, ("Follow", "2"), json!(here))).await;
        assert_eq!(peer.last("Reject")["object"]["actor"], new.uri);
    }

    async fn whom_one_follows_moves(server, peer, bob) {
        let (old, new) = (peer.somebody("old"), peer.somebody("new"));
        let there = followed(&server, &peer, &bob, (&old, "old")).await;
        peer.shows(&new, "new", json!({ "alsoKnownAs": old.uri }));
        // Twice, and twice by another name: it is one move.
        for name in ["move-1", "move-1", "move-2"] {
            peer.send(&old, &server, &moving(&peer, &old, name, (&old.uri, &new.uri))).await;
        }
        assert_eq!(peer.told("Follow"), [old.uri.clone(), new.uri.clone()]);
        assert_eq!(peer.told("Undo"), [old.uri.as_str()]);
        let seen = bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!(seen["moved"]["username"], "new");
        let to_new = relationship(&bob, id(&seen["moved"])).await;
        assert_eq!((&to_new["requested"], &to_new["following"]), (&json!(true), &json!(false)));
        assert_eq!(relationship(&bob, &there).await["following"], false);
        // Not on to the next one within a week.
        let third = peer.somebody("third");
        peer.shows(&third, "third", json!({ "alsoKnownAs": [old.uri] }));
        peer.send(&old, &server, &moving(&peer, &old, "move-3", (&old.uri, &third.uri))).await;
        assert_eq!(peer.told("Follow").len(), 2);
    }

    async fn who_moves_here_brings_followers(server, peer, bob) {
        let old = peer.somebody("old");
        let carol = server.person("carol").await;
        carol.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        followed(&server, &peer, &bob, (&old, "old")).await;
        let target = local_uri(&server, &carol);
        peer.send(&old, &server, &moving(&peer, &old, "1", (&old.uri, &target))).await;
        assert_eq!(relationship(&bob, &carol.account.to_string()).await["following"], false);
        alias(&server, &carol, &format!("old@{}", peer.host())).await;
        peer.send(&old, &server, &moving(&peer, &old, "2", (&old.uri, &target))).await;
        // She approves followers, but these are hers.
        assert_eq!(relationship(&bob, &carol.account.to_string()).await["following"], true);
        // Her actor says who she is too.
        let shown = peer.get(&old, &target).await.2;
        assert_eq!(shown["alsoKnownAs"], json!([old.uri]));
        moves::remove_alias(server.db(), carol.account, &format!("@old@{}", peer.host())).await.unwrap();
        assert!(moves::remove_alias(server.db(), carol.account, &old.uri).await.is_err());
        assert_eq!(peer.get(&old, &target).await.2.get("alsoKnownAs"), None);
    }

    async fn nobody_is_talked_into_following(server, peer, bob) {
        let other = Peer::start().await;
        let (old, new, mallory) = (peer.somebody("old"), peer.somebody("new"), other.somebody("mallory"));
        let there = followed(&server, &peer, &bob, (&old, "old")).await;
        // Mallory moves somebody else to herself, and says that she is them.
        other.shows(&mallory, "mallory", json!({ "alsoKnownAs": [old.uri] }));
        peer.send(&mallory, &server, &moving(&other, &mallory, "1", (&old.uri, &mallory.uri))).await;
        // Nobody says to be the old one.
        peer.send(&old, &server, &moving(&peer, &old, "2", (&old.uri, &new.uri))).await;
        // To oneself, to nowhere, to what is no account.
        peer.send(&old, &server, &moving(&peer, &old, "3", (&old.uri, &old.uri))).await;
        peer.send(&old, &server, &moving(&peer, &old, "4", (&old.uri, &format!("{}/users/nobody", peer.base)))).await;
        peer.put("/notes/1", peer.note(&old, ("1", "x"), &[]));
        peer.send(&old, &server, &moving(&peer, &old, "5", (&old.uri, &format!("{}/notes/1", peer.base)))).await;
        // To somebody who went on: where that ends nobody knows.
        let gone_on = peer.somebody("gone_on");
        peer.shows(&gone_on, "gone_on", json!({ "alsoKnownAs": [old.uri], "movedTo": mallory.uri }));
        peer.send(&old, &server, &moving(&peer, &old, "6", (&old.uri, &gone_on.uri))).await;
        // To somebody here who knows nothing of it.
        peer.send(&old, &server, &moving(&peer, &old, "7", (&old.uri, &local_uri(&server, &bob)))).await;
        // What was known of the new one once is not enough: it is asked now.
        let once = peer.somebody("once");
        peer.shows(&once, "once", json!({ "alsoKnownAs": [old.uri] }));
        find(&bob, &format!("once@{}", peer.host())).await;
        peer.shows(&once, "once", json!({}));
        peer.send(&old, &server, &moving(&peer, &old, "8", (&old.uri, &once.uri))).await;
        assert_eq!(["gone_on", "once"].map(|name| peer.hits(&format!("/users/{name}"))), [1, 2]);
        assert_eq!(peer.told("Follow"), [old.uri.as_str()]);
        assert_eq!(other.told("Follow"), [] as [&str; 0]);
        let seen = bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!(seen.get("moved"), None);
        assert_eq!(relationship(&bob, &there).await["following"], true);
    }

    async fn a_move_that_came_to_nothing_is_not_looked_at_each_time(server, peer, bob) {
        let other = Peer::start().await;
        let (old, new, third) = (peer.somebody("old"), other.somebody("new"), other.somebody("third"));
        followed(&server, &peer, &bob, (&old, "old")).await;
        let moves = async |name: &str, target: &str| {
            peer.send(&old, &server, &moving(&peer, &old, name, (&old.uri, target))).await;
        };
        let nowhere = format!("{}/users/nowhere", other.base);
        for n in 0..5 {
            moves(&format!("new-{n}"), &new.uri).await;
            moves(&format!("nowhere-{n}"), &nowhere).await;
        }
        assert_eq!((other.hits("/users/new"), other.hits("/users/nowhere")), (1, 1));
        // To somebody else, or by somebody else, is another move.
        other.shows(&third, "third", json!({ "alsoKnownAs": [old.uri] }));
        moves("third", &third.uri).await;
        assert_eq!(other.told("Follow"), [third.uri.as_str()]);
    }

    async fn where_a_profile_leads_is_shown_when_both_say_so(server, peer, bob) {
        let (old, new) = (peer.somebody("old"), peer.somebody("new"));
        peer.shows(&old, "old", json!({ "movedTo": new.uri }));
        let there = find(&bob, &format!("old@{}", peer.host())).await;
        server.settle().await;
        let path = format!("/api/v1/accounts/{}", id(&there));
        assert_eq!(bob.get(&path, ()).await.ok().get("moved"), None, "the other one knows nothing of it");
        peer.shows(&new, "new", json!({ "alsoKnownAs": [old.uri] }));
        let update = |name: &str, more: Value| {
            let mut actor = peer.actor("old", &old);
            actor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            peer.activity(&old, ("Update", name), actor)
        };
        peer.send(&old, &server, &update("1", json!({}))).await;
        peer.send(&old, &server, &update("2", json!({ "movedTo": new.uri }))).await;
        assert_eq!(bob.get(&path, ()).await.ok()["moved"]["username"], "new");
        peer.send(&old, &server, &update("3", json!({}))).await;
        assert_eq!(bob.get(&path, ()).await.ok().get("moved"), None);
    }

    async fn who_was_met_where_somebody_went_is_asked_later(server, peer, bob) {
        let (old, new, last) = (peer.somebody("old"), peer.somebody("new"), peer.somebody("last"));
        peer.shows(&old, "old", json!({ "movedTo": new.uri }));
        peer.shows(&new, "new", json!({ "alsoKnownAs": [old.uri], "movedTo": last.uri }));
        peer.shows(&last, "last", json!({ "alsoKnownAs": [new.uri] }));
        find(&bob, &format!("old@{}", peer.host())).await;
        server.settle().await;
        assert_eq!(peer.hits("/users/last"), 0, "chains are not walked along");
        let there = id(&find(&bob, &format!("new@{}", peer.host())).await).to_owned();
        domain::accounts::remote::refresh_later(server.db(), there.parse().unwrap()).await.unwrap();
        server.settle().await;
        let seen = bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!(seen["moved"]["username"], "last");
    }
}
