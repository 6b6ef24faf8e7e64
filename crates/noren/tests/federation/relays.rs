//! Relays: what goes to them, and what of theirs is taken.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, home, id, post_as, text};
use domain::relays::{self, State};
use federation::{documents, resolve};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn subscribe(server: &TestServer, url: &str) -> domain::Result<relays::Relay> {
    let made = resolve::relay::subscribe(&server.parts().federation, url).await;
    server.settle().await;
    made
}

async fn state(server: &TestServer) -> (State, i64) {
    let all = relays::list(&server.db().read().await.unwrap()).await.unwrap();
    (all[0].state, all[0].received)
}

/// What strangers see of other servers.
async fn federated(server: &TestServer) -> Vec<String> {
    let list = server.client().get("/api/v1/timelines/public", [("remote", "true")]).await.ok();
    list.as_array().unwrap().iter().map(text).collect()
}

async fn document(server: &TestServer, path: &str) -> Value {
    let request = server.client().request(Method::GET, path).header("accept", "application/activity+json");
    server.client().send(request).await.ok()
}

/// A relay that is known by its inbox and has agreed.
pub(crate) async fn accepted(server: &TestServer, peer: &Peer) -> Somebody {
    let relay = peer.somebody("relay");
    subscribe(server, &format!("{}/inbox", peer.base)).await.unwrap();
    let asked = peer.last("Follow");
    peer.send(&relay, server, &peer.activity(&relay, ("Accept", "yes"), asked)).await;
    assert_eq!(state(server).await, (State::Accepted, 0));
    relay
}

async fn edit(who: &Person, status: &Value, words: &str) {
    who.put(&format!("/api/v1/statuses/{}", id(status)), [("status", words)]).await.ok();
}

with_a_peer! {
    async fn public_posts_go_to_relays(server, peer, bob) {
        let other = Peer::start().await;
        let (relay, mallory) = (peer.somebody("relay"), other.somebody("mallory"));
        let inbox = format!("{}/inbox", peer.base);
        subscribe(&server, &inbox).await.unwrap();
        assert!(subscribe(&server, &inbox).await.is_err(), "twice");
        let asked = peer.last("Follow");
        let site = format!("{}/actor", server.parts().site.base_url);
        assert_eq!((&asked["actor"], &asked["object"]), (&json!(site), &json!(documents::PUBLIC)));
        assert_eq!(asked["to"], json!([documents::PUBLIC]));
        // Nothing before they agree, and nobody agrees for others.
        post_as(&bob, "too early", "public").await;
        other.send(&mallory, &server, &other.activity(&mallory, ("Accept", "1"), asked.clone())).await;
        assert_eq!(state(&server).await, (State::Waiting, 0));
        peer.send(&relay, &server, &peer.activity(&relay, ("Accept", "2"), asked["id"].clone())).await;
        assert_eq!(state(&server).await, (State::Accepted, 0));
        let public = post_as(&bob, "for everybody", "public").await;
        for visibility in ["unlisted", "private", "direct"] {
            post_as(&bob, "not for relays", visibility).await;
        }
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&public)), ()).await.ok();
        edit(&bob, &public, "for everyone").await;
        server.settle().await;
        bob.delete(&format!("/api/v1/statuses/{}", id(&public)), ()).await.ok();
        server.settle().await;
        let uri = public["uri"].as_str().unwrap();
        for verb in ["Create", "Update", "Delete"] {
            assert_eq!(peer.told(verb), [uri], "{verb}");
        }
        assert_eq!(peer.told("Announce"), [] as [&str; 0]);
        // Left, with the wish that is taken back shown.
        relays::leave(server.db(), &inbox).await.unwrap();
        assert!(relays::leave(server.db(), &inbox).await.is_err());
        server.settle().await;
        assert_eq!(peer.last("Undo")["object"], json!({ "id": asked["id"], "type": "Follow", "actor": site,
            "to": [documents::PUBLIC], "object": documents::PUBLIC }));
        post_as(&bob, "after that", "public").await;
        server.settle().await;
        assert_eq!(peer.told("Create").len(), 1);
    }

    async fn a_relay_may_change_its_mind(server, peer, bob) {
        let relay = accepted(&server, &peer).await;
        let asked = peer.last("Follow");
        let other = Peer::start().await;
        let (author, neighbour) = (other.somebody("author"), peer.somebody("neighbour"));
        let says = async |who: &Somebody, (verb, name): (&str, &str)| {
            peer.send(who, &server, &peer.activity(who, (verb, name), asked["id"].clone())).await;
            state(&server).await.0
        };
        let brings = async |name: &str| {
            let note = other.note(&author, (name, name), &[]);
            other.put(&format!("/notes/{name}"), note.clone());
            peer.send(&relay, &server, &peer.activity(&relay, ("Announce", &format!("a-{name}")), note["id"].clone())).await;
            federated(&server).await.len()
        };
        // Whoever else is on its server has no say in it.
        assert_eq!(says(&neighbour, ("Reject", "1")).await, State::Accepted);
        assert_eq!(brings("one").await, 1);
        assert_eq!(says(&relay, ("Reject", "2")).await, State::Rejected);
        post_as(&bob, "not for who wants nothing", "public").await;
        server.settle().await;
        assert_eq!((peer.told("Create").len(), brings("two").await), (0, 1));
        assert_eq!(says(&neighbour, ("Accept", "3")).await, State::Rejected);
        assert_eq!(says(&relay, ("Accept", "4")).await, State::Accepted);
        post_as(&bob, "once more", "public").await;
        server.settle().await;
        assert_eq!((peer.told("Create").len(), brings("three").await), (1, 2));
        // Left: what it says of that does not bring it back.
        relays::leave(server.db(), &format!("{}/inbox", peer.base)).await.unwrap();
        server.settle().await;
        assert_eq!(peer.told("Undo"), [documents::PUBLIC]);
        peer.send(&relay, &server, &peer.activity(&relay, ("Accept", "5"), asked["id"].clone())).await;
        assert!(relays::list(&server.db().read().await.unwrap()).await.unwrap().is_empty());
        assert_eq!(brings("four").await, 2);
    }

    async fn relays_hear_of_another_key_of_the_name_that_they_know(server, peer, bob) {
        accepted(&server, &peer).await;
        drop(bob);
        let soon = (std::time::Duration::ZERO, domain::keys::Haste::Forced);
        domain::keys::rotate_later(server.db(), &[domain::keys::SITE], soon).await.unwrap();
        server.settle().await;
        let site = format!("{}/actor", server.parts().site.base_url);
        assert_eq!(peer.told("Update"), [site.as_str()], "once, and nothing of what it is to relays that follow back");
        let shown = document(&server, "/actor").await["publicKey"]["publicKeyPem"].clone();
        assert_eq!(peer.last("Update")["object"]["publicKey"]["publicKeyPem"], shown);
    }

    async fn relays_that_follow_back_get_boosts(server, peer, bob) {
        let relay = peer.somebody("relay");
        // Somebody is no relay.
        assert!(matches!(subscribe(&server, &relay.uri).await, Err(domain::Error::NotFound)));
        assert!(peer.received.lock().unwrap().is_empty());
        peer.shows(&relay, "relay", json!({ "type": "Application" }));
        subscribe(&server, &relay.uri).await.unwrap();
        let ours = format!("{}/relay", server.parts().site.base_url);
        let asked = peer.last("Follow");
        assert_eq!((&asked["actor"], &asked["object"]), (&json!(ours), &json!(relay.uri)));
        peer.send(&relay, &server, &peer.activity(&relay, ("Accept", "1"), asked)).await;
        peer.send(&relay, &server, &peer.activity(&relay, ("Follow", "2"), json!(ours))).await;
        let answer = peer.last("Accept");
        assert_eq!((&answer["actor"], &answer["object"]["id"]), (&json!(ours), &json!(format!("{}/activities/2", peer.base))));
        let public = post_as(&bob, "for everybody", "public").await;
        post_as(&bob, "for few", "unlisted").await;
        server.settle().await;
        let told = peer.last("Announce");
        assert_eq!((peer.told("Announce").len(), &told["object"], &told["actor"]), (1, &public["uri"], &json!(ours)));
        assert_eq!(told["to"], json!([format!("{ours}/followers")]));
        assert_eq!(peer.told("Create"), [] as [&str; 0]);
        // They find out who it is.
        let actor = document(&server, "/relay").await;
        assert_eq!((&actor["id"], &actor["type"], &actor["preferredUsername"]), (&json!(ours), &json!("Application"), &json!("relay")));
        assert_eq!(actor["publicKey"]["id"], format!("{ours}#main-key"));
        for list in ["outbox", "followers", "following"] {
            assert_eq!(document(&server, &format!("/relay/{list}")).await["totalItems"], 0);
        }
        let resource = format!("acct:{}", server.parts().site.handle("relay"));
        let found = server.client().get("/.well-known/webfinger", [("resource", resource)]).await.ok();
        assert_eq!(found["links"][0]["href"], ours);
        // Everybody else is told no.
        let stranger = peer.somebody("stranger");
        for (name, object) in [("3", &ours), ("4", &format!("{}/actor", server.parts().site.base_url))] {
            peer.send(&stranger, &server, &peer.activity(&stranger, ("Follow", name), json!(object))).await;
            assert_eq!(peer.last("Reject")["object"]["object"], json!(object));
        }
    }

    async fn what_relays_bring_is_fetched_and_no_boost(server, peer, bob) {
        let other = Peer::start().await;
        let (relay, author) = (accepted(&server, &peer).await, other.somebody("author"));
        let announced = other.note(&author, ("1", "announced"), &[]);
        other.put("/notes/1", announced.clone());
        peer.send(&relay, &server, &peer.activity(&relay, ("Announce", "1"), announced["id"].clone())).await;
        peer.send(&relay, &server, &peer.activity(&relay, ("Announce", "2"), announced["id"].clone())).await;
        // Passed on as it was sent, or so they say: what it says where it is from is what counts.
        let true_one = other.note(&author, ("2", "the truth"), &[]);
        other.put("/notes/2", true_one.clone());
        let mut told = true_one.clone();
        told["content"] = json!("a lie");
        peer.send(&relay, &server, &other.activity(&author, ("Create", "2"), told)).await;
        // Not for everybody; not there; no post.
        let mut quiet = other.note(&author, ("3", "quiet"), &[]);
        (quiet["to"], quiet["cc"]) = (json!([format!("{}/followers", author.uri)]), json!([documents::PUBLIC]));
        other.put("/notes/3", quiet.clone());
        for (name, uri) in [("3", quiet["id"].clone()), ("4", json!(format!("{}/notes/4", other.base))), ("5", json!(author.uri))] {
            peer.send(&relay, &server, &peer.activity(&relay, ("Announce", name), uri)).await;
        }
        // A server that is not there is asked once, and people who are named are not looked up for it.
        let mut naming = other.note(&author, ("8", "naming"), &[]);
        naming["tag"] = json!([{ "type": "Mention", "href": other.somebody("named").uri, "name": "@named" }]);
        other.put("/notes/8", naming.clone());
        for (name, uri) in [("n1", naming["id"].clone()), ("n2", json!("http://localhost:1/notes/1"))] {
            peer.send(&relay, &server, &peer.activity(&relay, ("Announce", name), uri)).await;
        }
        let named = bob.get("/api/v1/accounts/lookup", [("acct", format!("named@{}", other.host()))]).await;
        assert_eq!(named.status, 404);
        // Boosts by others that come along are not taken for the relay's.
        let boosted = other.note(&author, ("6", "boosted"), &[]);
        other.put("/notes/6", boosted.clone());
        peer.send(&relay, &server, &other.activity(&author, ("Announce", "6"), boosted["id"].clone())).await;
        let mut seen = federated(&server).await;
        seen.sort();
        assert_eq!(seen, ["announced", "boosted", "naming", "the truth"]);
        assert_eq!(state(&server).await, (State::Accepted, 8));
        assert_eq!(home(&bob).await.len(), 0);
        let known = find(&bob, &format!("relay@{}", peer.host())).await;
        assert_eq!(known["statuses_count"], 0);
        // Others bring nothing: neither who is no relay, nor a relay that was left.
        let late = other.note(&author, ("7", "too late"), &[]);
        other.put("/notes/7", late.clone());
        let nobody = peer.somebody("nobody");
        peer.send(&nobody, &server, &other.activity(&author, ("Create", "7"), late.clone())).await;
        peer.send(&nobody, &server, &peer.activity(&nobody, ("Announce", "8"), late["id"].clone())).await;
        relays::leave(server.db(), &format!("{}/inbox", peer.base)).await.unwrap();
        peer.send(&relay, &server, &peer.activity(&relay, ("Announce", "9"), late["id"].clone())).await;
        assert_eq!(federated(&server).await.len(), 4);
    }

    async fn what_comes_by_a_relay_and_directly_is_there_once(server, peer, bob) {
        let other = Peer::start().await;
        let (relay, author) = (accepted(&server, &peer).await, other.somebody("author"));
        followed(&server, &other, &bob, (&author, "author")).await;
        for (name, relay_first) in [("1", true), ("2", false)] {
            let note = other.note(&author, (name, &format!("number {name}")), &[&local_uri(&server, &bob)]);
            other.put(&format!("/notes/{name}"), note.clone());
            let create = other.activity(&author, ("Create", name), note.clone());
            let announce = peer.activity(&relay, ("Announce", name), note["id"].clone());
            if relay_first {
                peer.send(&relay, &server, &announce).await;
            }
            other.send(&author, &server, &create).await;
            peer.send(&relay, &server, &create).await;
            peer.send(&relay, &server, &announce).await;
        }
        let seen: Vec<String> = home(&bob).await.iter().map(text).collect();
        assert_eq!(seen, ["number 2", "number 1"]);
        assert_eq!(federated(&server).await.len(), 2);
    }
}
