//! Two servers that do not agree who follows whom, and a hostile one that would like them not to.

use crate::peer::{Peer, Somebody, with_a_peer};
use crate::{find, follow, home, id, post_as, relationship, text};
use domain::accounts::remote;
use domain::follows::remote as follows;
use domain::ids::AccountId;
use federation::follows::digest_of;
use serde_json::{Value, json};
use testkit::{Person, TestServer, settle_all};

const PATH: &str = "/users/friend/followers_synchronization";

async fn known(at: &TestServer, uri: &str) -> AccountId {
    remote::by_uri(&at.db().read().await.unwrap(), uri).await.unwrap().unwrap().id
}

async fn followers(who: &Person) -> Vec<String> {
    let list = who.get(&format!("/api/v1/accounts/{}/followers", who.account), ()).await.ok();
    list.as_array().unwrap().iter().map(|a| a["acct"].as_str().unwrap().to_owned()).collect()
}

testkit::between_two_servers! {
    async fn a_follower_that_was_lost_learns_of_it(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        follow((&carol, &b), (&alice, &a)).await;
        // As after a backup that was brought back.
        let bob_there = known(&a, &b.parts().site.actor_uri("bob")).await;
        follows::undone(a.db(), (bob_there, alice.account), None).await.unwrap();
        for visibility in ["public", "unlisted", "direct"] {
            post_as(&alice, "nothing about followers", visibility).await;
            settle_all(&[&a, &b]).await;
            assert_eq!(relationship(&bob, &there).await["following"], true, "{visibility}");
        }
        post_as(&alice, "for followers", "private").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(relationship(&bob, &there).await["following"], false);
        assert_eq!(relationship(&carol, &there).await["following"], true);
        assert_eq!(followers(&alice).await, [b.handle("carol")]);
        assert_eq!(text(&home(&carol).await[0]), "for followers");
    }

    async fn a_follower_too_many_is_taken_off(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        follow((&carol, &b), (&alice, &a)).await;
        let alice_there = known(&b, &a.parts().site.actor_uri("alice")).await;
        follows::undone(b.db(), (bob.account, alice_there), None).await.unwrap();
        assert_eq!(followers(&alice).await, [b.handle("carol"), b.handle("bob")]);
        post_as(&alice, "for followers", "private").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(followers(&alice).await, [b.handle("carol")]);
        assert_eq!(relationship(&bob, &there).await["following"], false);
        assert_eq!(relationship(&carol, &there).await["following"], true);
        // And what nobody lost stays.
        post_as(&alice, "once more", "private").await;
        settle_all(&[&a, &b]).await;
        assert_eq!((followers(&alice).await.len(), home(&carol).await.len(), home(&bob).await.len()), (1, 2, 0));
    }
}

/// `bob` and another follow `friend` of `peer`, who has let only the first. The name of each.
async fn befriend(server: &TestServer, peer: &Peer, bob: &Person) -> (Somebody, Person) {
    let (friend, carol) = (peer.somebody("friend"), server.person("carol").await);
    let there = find(bob, &format!("friend@{}", peer.host())).await;
    for who in [bob, &carol] {
        who.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        server.settle().await;
    }
    let actor = server.parts().site.actor_uri("bob");
    let asked = peer.received.lock().unwrap().iter().find(|a| a["actor"] == actor.as_str()).cloned().unwrap();
    peer.send(&friend, server, &peer.activity(&friend, ("Accept", "1"), asked)).await;
    assert_eq!(follows_friend(server, peer, bob).await, [true, false]);
    assert_eq!(follows_friend(server, peer, &carol).await, [false, true]);
    (friend, carol)
}

/// Whether they follow, and whether they have asked to.
async fn follows_friend(server: &TestServer, peer: &Peer, who: &Person) -> [bool; 2] {
    let friend = known(server, &format!("{}/users/friend", peer.base)).await;
    let is = relationship(who, &friend.to_string()).await;
    [&is["following"], &is["requested"]].map(|value| value.as_bool().unwrap())
}

fn list(peer: &Peer, path: &str, items: &[&str]) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": format!("{}{path}", peer.base), "type": "OrderedCollection", "orderedItems": items,
    })
}

/// What the header says of the names in it.
fn claim(peer: &Peer, digest: &str) -> String {
    let friend = format!("{}/users/friend", peer.base);
    format!("collectionId=\"{friend}/followers\", digest=\"{digest}\", url=\"{}{PATH}\"", peer.base)
}

/// A post of `friend` with this header. How often the peer was asked for a list.
async fn posted(server: &TestServer, peer: &Peer, (friend, claim): (&Somebody, String)) -> usize {
    let asked = || peer.asked.lock().unwrap().iter().filter(|path| path.starts_with(PATH)).count();
    let before = asked();
    let name = domain::ids::next::<domain::ids::StatusId>().to_string();
    let create = peer.activity(friend, ("Create", &name), peer.note(friend, (&name, "hello"), &[]));
    let signed = peer.sign_with(friend, server, (&create, &[("collection-synchronization", claim)]));
    assert_eq!(peer.post(&signed, |_, _| {}).await, 202);
    server.settle().await;
    asked() - before
}

fn undone(peer: &Peer) -> Vec<Value> {
    let received = peer.received.lock().unwrap();
    received.iter().filter(|a| a["type"] == "Undo").map(|a| a["object"]["actor"].clone()).collect()
}

with_a_peer! {
    async fn lists_that_fit_are_believed(server, peer, bob) {
        let (friend, carol) = befriend(&server, &peer, &bob).await;
        let dora = server.person("dora").await;
        let uri = |name: &str| server.parts().site.actor_uri(name);
        let [bobs, carols, doras] = ["bob", "carol", "dora"].map(uri);
        // Both know the same: nothing is asked for.
        assert_eq!(posted(&server, &peer, (&friend, claim(&peer, &digest_of([bobs.as_str()])))).await, 0);
        // Who waits for an answer has got it now; who never asked is taken off.
        let all = [bobs.as_str(), &carols, &doras, "http://third.example/users/1"];
        peer.put(PATH, list(&peer, PATH, &all));
        let digest = digest_of(all.into_iter().take(3));
        assert_eq!(posted(&server, &peer, (&friend, claim(&peer, &digest))).await, 1);
        assert_eq!(follows_friend(&server, &peer, &bob).await, [true, false]);
        assert_eq!(follows_friend(&server, &peer, &carol).await, [true, false]);
        assert_eq!(follows_friend(&server, &peer, &dora).await, [false, false]);
        assert_eq!(undone(&peer), [json!(doras)]);
        // Pages, too.
        let (first, second) = (format!("{PATH}/1"), format!("{PATH}/2"));
        let mut root = list(&peer, PATH, &[]);
        root["first"] = json!(format!("{}{first}", peer.base));
        let page = |path: &str, items: &[&str]| {
            let mut page = list(&peer, path, items);
            page["type"] = json!("OrderedCollectionPage");
            page
        };
        let mut page_1 = page(&first, &["http://third.example/users/1"]);
        page_1["next"] = json!(format!("{}{second}", peer.base));
        peer.put(PATH, root);
        peer.put(&first, page_1);
        peer.put(&second, page(&second, &[&carols]));
        assert_eq!(posted(&server, &peer, (&friend, claim(&peer, &digest_of([carols.as_str()])))).await, 3);
        assert_eq!(follows_friend(&server, &peer, &bob).await, [false, false]);
        assert_eq!(follows_friend(&server, &peer, &carol).await, [true, false]);
        assert_eq!(undone(&peer).len(), 1);
    }

    async fn lists_that_prove_nothing_change_nothing(server, peer, bob) {
        let (friend, _) = befriend(&server, &peer, &bob).await;
        let other = Peer::start().await;
        let (mallory, nobody) = (peer.somebody("mallory"), digest_of([]));
        peer.put(PATH, list(&peer, PATH, &[]));
        other.put(PATH, list(&other, PATH, &[]));
        let good = claim(&peer, &nobody);
        let followed = async || follows_friend(&server, &peer, &bob).await == [true, false];
        // About somebody else's followers, by them, or on another host.
        assert_eq!(posted(&server, &peer, (&mallory, good.clone())).await, 0);
        let others = good.replace("/users/friend/followers\"", "/users/mallory/followers\"");
        assert_eq!(posted(&server, &peer, (&friend, others)).await, 0);
        let elsewhere = format!("url=\"{}{PATH}\"", other.base);
        let elsewhere = good.replace(&format!("url=\"{}{PATH}\"", peer.base), &elsewhere);
        assert_eq!(posted(&server, &peer, (&friend, elsewhere)).await, 0);
        assert_eq!(*other.asked.lock().unwrap(), Vec::<String>::new());
        for broken in ["", "nonsense", "digest=\"\"", &good.replace("digest=\"", "digest=\"f")] {
            assert_eq!(posted(&server, &peer, (&friend, broken.to_owned())).await, 0, "{broken}");
        }
        assert!(followed().await);
        // The digest is of another list than the one that is shown.
        let wrong = claim(&peer, &digest_of(["http://x.example/1"]));
        assert_eq!(posted(&server, &peer, (&friend, wrong)).await, 1);
        assert!(followed().await);
        // No list, one that leads elsewhere, one that never ends.
        peer.put(PATH, json!({ "id": format!("{}{PATH}", other.base), "type": "OrderedCollection" }));
        posted(&server, &peer, (&friend, good.clone())).await;
        let mut elsewhere = list(&peer, PATH, &["http://third.example/users/1"]);
        elsewhere["first"] = json!(format!("{}{PATH}", other.base));
        peer.put(PATH, elsewhere);
        let wrong = claim(&peer, &digest_of(["http://x.example/2"]));
        assert_eq!(posted(&server, &peer, (&friend, wrong)).await, 1);
        for n in 0..20 {
            let path = if n == 0 { PATH.to_owned() } else { format!("{PATH}/{n}") };
            let mut page = list(&peer, &path, &["http://third.example/users/1"]);
            page["next"] = json!(format!("{}{PATH}/{}", peer.base, n + 1));
            peer.put(&path, page);
        }
        let wrong = claim(&peer, &digest_of(["http://x.example/3"]));
        assert_eq!(posted(&server, &peer, (&friend, wrong)).await, 10);
        assert!(followed().await);
    }

    async fn a_claim_that_is_not_signed_is_not_looked_at(server, peer, bob) {
        let (friend, _) = befriend(&server, &peer, &bob).await;
        peer.put(PATH, list(&peer, PATH, &[]));
        let good = claim(&peer, &digest_of([]));
        let create = peer.activity(&friend, ("Create", "unsigned"), peer.note(&friend, ("unsigned", "hello"), &[]));
        let signed = peer.sign(&friend, &server, &create);
        let added = good.parse().unwrap();
        assert_eq!(peer.post(&signed, |headers, _| drop(headers.insert("collection-synchronization", added))).await, 202);
        server.settle().await;
        assert_eq!(peer.hits(PATH), 0);
        assert_eq!(follows_friend(&server, &peer, &bob).await, [true, false]);
        // The very same, signed.
        assert_eq!(posted(&server, &peer, (&friend, good)).await, 1);
        assert_eq!(follows_friend(&server, &peer, &bob).await, [false, false]);
    }

    async fn a_server_sees_its_own_people_alone(server, peer, bob) {
        let other = Peer::start().await;
        let (friend, stranger) = (peer.somebody("friend"), other.somebody("stranger"));
        let here = server.parts().site.actor_uri("bob");
        let carol = server.person("carol").await;
        carol.post(&format!("/api/v1/accounts/{}/follow", bob.account), ()).await.ok();
        bob.patch("/api/v1/accounts/update_credentials", [("hide_collections", "true")]).await.ok();
        peer.send(&friend, &server, &peer.activity(&friend, ("Follow", "1"), json!(here))).await;
        let url = format!("{here}/followers_synchronization");
        let (status, headers, seen) = peer.get(&friend, &url).await;
        assert_eq!((status, &seen["id"], &seen["orderedItems"]), (200, &json!(url), &json!([friend.uri])));
        assert_eq!(headers["cache-control"], "no-store, private");
        let (status, _, seen) = other.get(&stranger, &url).await;
        assert_eq!((status, seen["orderedItems"].as_array().map_or(0, Vec::len)), (200, 0));
        assert_eq!(server.client().get("/users/bob/followers_synchronization", ()).await.status, 401);
        assert_eq!(peer.get(&friend, &url.replace("/bob/", "/nobody/")).await.0, 404);

        for visibility in ["public", "private"] {
            post_as(&bob, visibility, visibility).await;
            server.settle().await;
        }
        let told: Vec<(Value, String)> = {
            let (received, claims) = (peer.received.lock().unwrap(), peer.claims.lock().unwrap());
            received.iter().map(|a| a["type"].clone()).zip(claims.iter().cloned()).collect()
        };
        let digest = digest_of([friend.uri.as_str()]);
        let wanted = format!("collectionId=\"{here}/followers\", digest=\"{digest}\", url=\"{url}\"");
        let wanted = [(json!("Accept"), String::new()), (json!("Create"), String::new()), (json!("Create"), wanted)];
        assert_eq!(told, wanted);
    }
}
