//! Another key for somebody here: what tells of it is signed with the old one, what comes after with the new one.

use crate::peer::Peer;
use crate::process::Site;
use axum::http::{Method, Uri};
use federation::signatures::{Incoming, Ours, PublicKey, parse};
use serde_json::{Value, json};
use testkit::{postgres, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    a_new_key_is_believed(Site::new("alice", None), Site::new("bob", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let (Some(a), Some(b)) = (postgres::database(), postgres::database()) else { return };
    a_new_key_is_believed(Site::new("alice", Some(a)), Site::new("bob", Some(b))).await;
}

/// The key that an actor shows.
fn shown(actor: &Value) -> String {
    actor["publicKey"]["publicKeyPem"].as_str().unwrap_or_default().to_owned()
}

/// Whether the request that brought the `n`th thing to the peer is signed with this key.
pub(crate) fn is_signed_with(peer: &Peer, n: usize, pem: &str) -> bool {
    // Both write JSON the same way: these are the bytes that came.
    let (headers, body) = (peer.heads.lock().unwrap()[n].clone(), peer.received.lock().unwrap()[n].to_string());
    let (uri, method) = (Uri::from_static("/inbox"), Method::POST);
    let request = Incoming { method: &method, uri: &uri, headers: &headers, body: body.as_bytes() };
    let signed = parse(&request, &Ours { hosts: &[peer.host()], scheme: "http" }, domain::Time::now());
    signed.unwrap().verify(&PublicKey::from_pem(pem).unwrap()).is_ok()
}

async fn follow(peer: &Peer, a: &Site) {
    let who = peer.somebody("friend");
    let url = format!("http://localhost:{}", a.port);
    let body = peer.activity(&who, ("Follow", "1"), json!(format!("{url}/users/alice")));
    let url = format!("{url}/inbox").parse().unwrap();
    assert_eq!(peer.post(&peer.sign_to(&who, url, (&body, &[])), |_, _| {}).await, 202);
    until("the answer", async || peer.told("Accept").len() == 1).await;
}

async fn a_new_key_is_believed(a: Site, b: Site) {
    let (_at_a, _at_b) = (a.serve(), b.serve());
    let peer = Peer::start().await;
    follow(&peer, &a).await;
    let found = b.get(&format!("/api/v2/search?resolve=true&q=@alice@localhost:{}", a.port)).await;
    let alice = found["accounts"][0]["id"].as_str().unwrap().to_owned();
    b.post(&format!("/api/v1/accounts/{alice}/follow"), &[]).await.unwrap();
    until("the follow", async || {
        b.get(&format!("/api/v1/accounts/relationships?id[]={alice}")).await[0]["following"] == true
    })
    .await;
    a.post("/api/v1/statuses", &[("status", "before")]).await.unwrap();
    until("the post before", async || peer.told("Create").len() == 1 && b.texts().await.len() == 1).await;
    let actor = async || {
        let url = format!("http://localhost:{}/users/alice", a.port);
        let asked = a.client.get(url).header("accept", "application/activity+json").send().await.unwrap();
        asked.json::<Value>().await.unwrap()
    };
    let old = shown(&actor().await);
    let first = peer.received.lock().unwrap().len() - 1;
    assert!(is_signed_with(&peer, first, &old));

    assert!(a.line(&["account", "rotate-keys", "--all", "--dry-run"]).starts_with("1 key would be changed"));
    assert!(a.line(&["account", "rotate-keys", "alice", "--dry-run"]).contains("@alice would be changed"));
    assert_eq!(shown(&actor().await), old);
    assert!(a.line(&["account", "rotate-keys", "alice"]).contains("will be changed"));
    until("the new key", async || peer.told("Update").len() == 1).await;
    let told = peer.received.lock().unwrap().len() - 1;
    let new = shown(&peer.last("Update")["object"]);
    assert_ne!(new, old);
    assert_eq!(shown(&actor().await), new);
    assert_eq!(peer.last("Update")["object"]["publicKey"]["id"], actor().await["publicKey"]["id"]);
    // Whoever never asks for a key again believes this, and then only what the new one signs.
    assert!(is_signed_with(&peer, told, &old) && !is_signed_with(&peer, told, &new));
    a.post("/api/v1/statuses", &[("status", "later")]).await.unwrap();
    until("the post after", async || peer.told("Create").len() == 2 && b.texts().await.len() == 2).await;
    let last = peer.received.lock().unwrap().len() - 1;
    assert!(is_signed_with(&peer, last, &new) && !is_signed_with(&peer, last, &old));
    // That of the site, which signs what is fetched: everybody who was ever asked for something hears of it.
    let site = format!("http://localhost:{}/actor", a.port);
    let about_site =
        || peer.received.lock().unwrap().iter().filter(|it| it["actor"] == json!(site)).cloned().collect::<Vec<_>>();
    let of_site = async || {
        let asked = a.client.get(&site).header("accept", "application/activity+json").send().await.unwrap();
        shown(&asked.json::<Value>().await.unwrap())
    };
    let old = of_site().await;
    assert!(a.line(&["account", "rotate-keys", "--site", "--dry-run"]).starts_with("the key of the site would"));
    assert_eq!(of_site().await, old);
    assert!(a.line(&["account", "rotate-keys", "--site"]).starts_with("the key of the site will"));
    until("the site's new key", async || about_site().len() == 1).await;
    let told = peer.received.lock().unwrap().iter().position(|it| it["actor"] == json!(site)).unwrap();
    let said = about_site()[0].clone();
    assert_eq!((&said["type"], &said["object"]["id"]), (&json!("Update"), &json!(site)));
    let new = shown(&said["object"]);
    assert!(new != old && of_site().await == new);
    assert!(is_signed_with(&peer, told, &old) && !is_signed_with(&peer, told, &new));
    // What is fetched in the site's name is signed with it, and believed by who knew the old one.
    let known = b.get(&format!("/api/v2/search?resolve=true&q=http://localhost:{}/users/alice", a.port)).await;
    assert_eq!(known["accounts"][0]["id"], json!(alice));
    let found = a.get(&format!("/api/v2/search?resolve=true&q=@bob@localhost:{}", b.port)).await;
    assert_eq!(found["accounts"][0]["username"], "bob");
    assert!(
        a.get(&format!("/api/v2/search?resolve=true&q={}/users/friend", peer.base)).await["accounts"][0].is_object()
    );
    // Who has not heard of one change would never hear of the next.
    let refused = a.command(&["account", "rotate-keys", "alice"]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--force"));
    assert!(a.line(&["account", "rotate-keys", "--all", "--dry-run"]).starts_with("0 keys would"));
    // Everybody's, at once: there is one.
    let before = shown(&actor().await);
    assert!(a.line(&["account", "rotate-keys", "--all", "--pause", "0", "--force"]).starts_with("1 key will"));
    until("another key", async || peer.told("Update").len() == 3).await;
    assert_ne!(shown(&peer.last("Update")["object"]), before);
}
