//! Sites that show themselves only to who signs, and sites that have to do with few.

use crate::peer::{File, Peer};
use crate::trust::{block, in_force, uri_of};
use crate::{follow, home, id, post_as, search};
use domain::domain_blocks::{Severity, allows};
use serde_json::json;
use testkit::{Engine, TestServer, settle_all};

async fn only_who_signs_gets_an_answer(engine: Engine) {
    let careful = |config: &mut noren::config::Config| config.federation.authorized_fetch = true;
    let Some(server) = TestServer::start_reachable_with(engine, careful).await else { return };
    let (peer, alice) = (Peer::start().await, server.person("alice").await);
    let eve = peer.somebody("eve");
    let posted = post_as(&alice, "hello", "public").await;
    let (base, uri) = (server.parts().site.base_url.clone(), uri_of(&server, &alice));
    let client = reqwest::Client::new();
    let ask = async |url: &str| client.get(url).header("accept", "application/activity+json").send().await.unwrap();
    let documents =
        [uri.clone(), posted["uri"].as_str().unwrap().to_owned(), format!("{uri}/followers"), format!("{uri}/outbox")];
    for document in &documents {
        let answer = ask(document).await;
        assert_eq!(answer.status(), 401, "{document}");
        assert!(answer.headers().contains_key("accept-signature"), "{document}");
        let (status, headers, _) = peer.get(&eve, document).await;
        assert_eq!(status, 200, "{document}");
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert!(header("vary").contains("Signature"), "{document}: {}", header("vary"));
        let cached = header("cache-control");
        assert!(cached.contains("private") && !cached.contains("public"), "{document}: {cached}");
    }
    let alice_at_home = format!("acct:{}", server.handle("alice"));
    let finger = format!("{base}/.well-known/webfinger?resource={alice_at_home}");
    for open in
        [format!("{base}/actor"), finger, format!("{base}/nodeinfo/2.1"), format!("{base}/.well-known/nodeinfo")]
    {
        assert_eq!(ask(&open).await.status(), 200, "{open}");
    }
    // People read pages as before.
    assert_eq!(client.get(format!("{base}/@alice")).header("accept", "text/html").send().await.unwrap().status(), 200);
    block(&server, &peer, Severity::Suspend, |_| {}).await;
    for document in &documents {
        assert_eq!(peer.get(&eve, document).await.0, 403, "{document}");
    }
    server.finish().await;
}

async fn careful_servers_speak_to_each_other(engine: Engine) {
    let careful = |config: &mut noren::config::Config| config.federation.authorized_fetch = true;
    let Some(a) = TestServer::start_reachable_with(engine, careful).await else { return };
    let Some(b) = TestServer::start_reachable_with(engine, careful).await else { return };
    let (alice, bob) = (a.person("alice").await, b.person("bob").await);
    follow((&bob, &b), (&alice, &a)).await;
    post_as(&alice, "for my followers", "private").await;
    settle_all(&[&a, &b]).await;
    assert_eq!(home(&bob).await.len(), 1);
    a.finish().await;
    b.finish().await;
}

async fn only_who_is_allowed_has_to_do_with_a_limited_site(engine: Engine) {
    let limited = |config: &mut noren::config::Config| config.federation.limited = true;
    let Some(server) = TestServer::start_reachable_with(engine, limited).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let note = peer.note(&eve, ("1", "hello"), &[&uri_of(&server, &bob)]);
    let create = peer.activity(&eve, ("Create", "1"), note);
    assert_eq!(peer.post(&peer.sign(&eve, &server, &create), |_, _| {}).await, 403);
    assert_eq!(search(&bob, &eve.uri).await["accounts"], json!([]));
    assert_eq!(*peer.asked.lock().unwrap(), Vec::<String>::new());
    assert_eq!(bob.get("/api/v1/instance/peers", ()).await.status, 404);
    let instance = bob.get("/api/v2/instance", ()).await.ok();
    assert_eq!(instance["configuration"]["limited_federation"], true);

    allows::allow(server.db(), peer.host()).await.unwrap();
    in_force(&server).await;
    peer.send(&eve, &server, &create).await;
    let found = search(&bob, &eve.uri).await;
    assert_eq!(found["accounts"][0]["username"], "eve");

    allows::disallow(server.db(), peer.host()).await.unwrap();
    in_force(&server).await;
    assert_eq!(peer.post(&peer.sign(&eve, &server, &create), |_, _| {}).await, 403);
    peer.received.lock().unwrap().clear();
    post_as(&bob, &format!("@eve@{} are you there?", peer.host()), "public").await;
    server.settle().await;
    assert_eq!(peer.received.lock().unwrap().len(), 0);
    server.finish().await;
}

/// Whoever is not allowed gets nothing, is asked for nothing, and is heard in nobody's words; who is allowed misses nothing.
async fn every_door_of_a_limited_site_is_shut(engine: Engine) {
    let limited = |config: &mut noren::config::Config| config.federation.limited = true;
    let Some(server) = TestServer::start_reachable_with(engine, limited).await else { return };
    let (friend, other, bob) = (Peer::start().await, Peer::start().await, server.person("bob").await);
    let (fay, oz, zoe) = (friend.somebody("fay"), other.somebody("oz"), other.somebody("zoe"));
    let icon = other.file("/oz.png", File::Plain("image/png", crate::media::png(40, 40)));
    other.shows(&oz, "oz", json!({ "icon": { "type": "Image", "mediaType": "image/png", "url": icon } }));
    for peer in [&friend, &other] {
        allows::allow(server.db(), peer.host()).await.unwrap();
    }
    in_force(&server).await;
    let here = uri_of(&server, &bob);
    friend.send(&fay, &server, &friend.activity(&fay, ("Follow", "1"), json!(here))).await;
    other.send(&oz, &server, &other.activity(&oz, ("Follow", "1"), json!(here))).await;
    let known = crate::find(&bob, &format!("oz@{}", other.host())).await;
    allows::disallow(server.db(), other.host()).await.unwrap();
    in_force(&server).await;
    let quiet = || assert_eq!(*other.asked.lock().unwrap(), Vec::<String>::new());
    other.asked.lock().unwrap().clear();
    other.received.lock().unwrap().clear();

    // What is asked of this site: by who does not sign, by who is not allowed, by who is.
    let posted = post_as(&bob, &format!("@oz@{} hello", other.host()), "public").await;
    server.settle().await;
    let uri = posted["uri"].as_str().unwrap().to_owned();
    let lists = ["followers", "following", "outbox", "outbox/first", "collections/featured", "collections/tags"];
    let mut documents: Vec<String> = lists.iter().map(|list| format!("{here}/{list}")).collect();
    documents.extend(["", "/activity", "/replies", "/likes", "/shares"].map(|part| format!("{uri}{part}")));
    documents.push(here.clone());
    let client = reqwest::Client::new();
    for document in &documents {
        let answer = client.get(document).header("accept", "application/activity+json").send().await.unwrap();
        assert_eq!(answer.status(), 401, "{document}");
        assert_eq!(other.get(&oz, document).await.0, 403, "{document}");
        let (status, headers, _) = friend.get(&fay, document).await;
        assert!(matches!(status, 200 | 404) && headers["vary"].to_str().unwrap().contains("Signature"), "{document}");
    }
    assert_eq!(friend.get(&fay, &uri).await.2["id"], json!(uri));
    quiet();

    // What is sent.
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&known)), ()).await;
    bob.post("/api/v1/reports", [("account_id", id(&known)), ("forward", "true")]).await;
    bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Robert")]).await.ok();
    server.settle().await;
    assert_eq!(*other.received.lock().unwrap(), Vec::<serde_json::Value>::new());
    assert_eq!((friend.told("Create"), friend.told("Update")), (vec![uri], vec![here.clone()]));

    // What is fetched: for who looks, for whom others name, and files.
    let note = other.note(&oz, ("1", "hello"), &[]);
    other.put("/notes/1", note.clone());
    for words in [note["id"].as_str().unwrap(), &zoe.uri, &format!("@zoe@{}", other.host())] {
        let found = search(&bob, words).await;
        assert_eq!((&found["accounts"], &found["statuses"]), (&json!([]), &json!([])), "{words}");
    }
    let mut naming = friend.note(&fay, ("2", "look at zoe"), &[&here, &zoe.uri]);
    naming["tag"] = json!([{ "type": "Mention", "href": zoe.uri, "name": "@zoe" }]);
    naming["inReplyTo"] = note["id"].clone();
    friend.send(&fay, &server, &friend.activity(&fay, ("Create", "2"), naming)).await;
    friend.send(&fay, &server, &friend.activity(&fay, ("Announce", "3"), note["id"].clone())).await;
    friend.send(&fay, &server, &other.activity(&oz, ("Create", "4"), note)).await;
    assert_eq!(server.client().get(known["avatar"].as_str().unwrap(), ()).await.status, 404);
    assert!(federation::resolve::relay::subscribe(&server.parts().federation, &zoe.uri).await.is_err());
    quiet();
    server.finish().await;
}

testkit::with_each_engine!(
    only_who_signs_gets_an_answer,
    careful_servers_speak_to_each_other,
    only_who_is_allowed_has_to_do_with_a_limited_site,
    every_door_of_a_limited_site_is_shut,
);
