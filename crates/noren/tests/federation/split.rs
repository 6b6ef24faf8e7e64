//! Sites whose handles have another domain than their pages, and names that lead to a site besides.

use crate::peer::{Peer, Somebody, with_a_peer};
use crate::{find, follow, home, id, notifications, post_as, relationship, search};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{Engine, TestServer, settle_all};

/// A domain that is nothing but a name: it sends whoever asks for what is well-known there on.
struct Sign {
    host: String,
    to: Arc<Mutex<String>>,
}

impl Sign {
    async fn put_up() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sign = Self { host: format!("localhost:{}", listener.local_addr().unwrap().port()), to: Arc::default() };
        let router = Router::new().fallback(point).with_state(sign.to.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        sign
    }

    fn points_to(&self, base: &str) {
        base.clone_into(&mut self.to.lock().unwrap());
    }
}

async fn point(State(to): State<Arc<Mutex<String>>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().as_str();
    match path.starts_with("/.well-known/") {
        true => (StatusCode::FOUND, [("location", format!("{}{path}", to.lock().unwrap()))]).into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What WebFinger says: the subject and the actor.
async fn finger(client: &reqwest::Client, handle: &str) -> (String, String) {
    let (_, domain) = handle.split_once('@').unwrap();
    let url = format!("http://{domain}/.well-known/webfinger");
    let asked = client.get(url).query(&[("resource", format!("acct:{handle}"))]).send().await.unwrap();
    assert_eq!(asked.headers()["content-type"], "application/jrd+json; charset=utf-8");
    let said: Value = asked.json().await.unwrap();
    let is_actor = |link: &&Value| link["rel"] == "self" && link["type"] == "application/activity+json";
    let href = said["links"].as_array().unwrap().iter().find(is_actor).unwrap()["href"].as_str().unwrap();
    (said["subject"].as_str().unwrap().strip_prefix("acct:").unwrap().to_owned(), href.to_owned())
}

/// What Mastodon calls the actor, who begins with the name on the actor's own host.
async fn as_mastodon_finds_out(client: &reqwest::Client, actor: &Value) -> String {
    let uri = actor["id"].as_str().unwrap();
    let host = uri.split('/').nth(2).unwrap();
    let first = format!("{}@{host}", actor["preferredUsername"].as_str().unwrap());
    let (subject, href) = finger(client, &first).await;
    if subject.eq_ignore_ascii_case(&first) {
        assert_eq!(href, uri);
        return subject;
    }
    assert_eq!(finger(client, &subject).await, (subject.clone(), uri.to_owned()), "a third name, or another actor");
    subject
}

async fn our_handles_have_another_domain(engine: Engine) {
    let (sign, other) = (Sign::put_up().await, Sign::put_up().await);
    let split = |config: &mut noren::config::Config| {
        let web = format!("http://localhost:{}", config.server.listen.0.port());
        config.site.domain = Some(sign.host.parse().unwrap());
        config.site.alternate_domains = vec![other.host.parse().unwrap()];
        config.site.base_url = Some(web.parse().unwrap());
    };
    let Some(a) = TestServer::start_reachable_with(engine, split).await else { return };
    let Some(b) = TestServer::start_reachable(engine).await else { return };
    let base = a.parts().site.base_url.clone();
    let web = base.trim_start_matches("http://").to_owned();
    sign.points_to(&base);
    other.points_to(&base);
    let (alice, bob) = (a.person("alice").await, b.person("bob").await);
    let (name, uri) = (format!("alice@{}", sign.host), format!("{base}/users/alice"));

    let client = reqwest::Client::new();
    let asked = client.get(&uri).header("accept", "application/activity+json").send().await.unwrap();
    let actor: Value = asked.json().await.unwrap();
    assert_eq!((&actor["id"], &actor["webfinger"]), (&json!(uri), &json!(name)));
    assert_eq!(as_mastodon_finds_out(&client, &actor).await, name);
    let site = client.get(format!("{base}/actor")).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(site["preferredUsername"], sign.host);
    for handle in [format!("alice@{web}"), format!("ALICE@{}", other.host), name.clone()] {
        assert_eq!(finger(&client, &handle).await, (name.clone(), uri.clone()), "{handle}");
    }

    // Under each of its names she is the same, elsewhere and at home.
    let there = find(&bob, &name).await;
    assert_eq!((&there["acct"], &there["uri"]), (&json!(name), &json!(uri)));
    for words in [format!("@alice@{web}"), format!("@alice@{}", other.host), uri.clone(), format!("{base}/@alice")] {
        assert_eq!(search(&bob, &words).await["accounts"][0]["id"], there["id"], "{words}");
        assert_eq!(search(&alice, &words).await["accounts"][0]["acct"], "alice", "{words}");
    }
    // And in what people here write.
    let carol = a.person("carol").await;
    for domain in [&sign.host, &other.host, &web] {
        let posted = post_as(&carol, &format!("@alice@{domain} hello"), "public").await;
        assert_eq!(
            (&posted["mentions"][0]["acct"], posted["mentions"].as_array().unwrap().len()),
            (&json!("alice"), 1)
        );
        assert!(posted["content"].as_str().unwrap().contains(&format!("href=\"{base}/@alice\"")), "{posted:#}");
    }
    let elsewhere = post_as(&carol, &format!("@alice@{} hello", b.parts().site.domain), "public").await;
    assert_eq!(elsewhere["mentions"], json!([]));
    follow((&bob, &b), (&alice, &a)).await;
    post_as(&alice, "hello", "private").await;
    post_as(&bob, &format!("@{name} hello"), "unlisted").await;
    settle_all(&[&a, &b]).await;
    assert!(home(&bob).await.iter().any(|status| status["account"]["acct"] == name));
    let mentioned = ("mention".to_owned(), b.handle("bob"));
    assert!(notifications(&alice).await.contains(&mentioned));
    // Nobody elsewhere has a name of ours.
    let peer = Peer::start().await;
    let mallory = peer.somebody("mallory");
    for domain in [&sign.host, &other.host, &web] {
        peer.shows(&mallory, "mallory", json!({ "webfinger": format!("mallory@{domain}") }));
        assert_eq!(search(&alice, &mallory.uri).await["accounts"], json!([]), "{domain}");
    }
    a.finish().await;
    b.finish().await;
}

testkit::with_each_engine!(our_handles_have_another_domain);

/// Answers for the handle `asked` with `subject`, which belongs to `uri`.
fn says(peer: &Peer, asked: &str, (subject, uri): (&str, &str)) {
    let resource: String = url::form_urlencoded::byte_serialize(format!("acct:{asked}").as_bytes()).collect();
    peer.put(
        &format!("/.well-known/webfinger?resource={resource}"),
        json!({
            "subject": format!("acct:{subject}"),
            "links": [{ "rel": "self", "type": "application/activity+json", "href": uri }],
        }),
    );
}

with_a_peer! {
    async fn a_handle_moves_to_another_domain(server, peer, bob) {
        let (ann, other) = (peer.somebody("ann"), Peer::start().await);
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        let tells = async |name: &str, handle: String| {
            peer.shows(&ann, "ann", json!({ "name": name, "webfinger": handle }));
            let actor = peer.get(&ann, &ann.uri).await.2;
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), actor)).await;
            let seen = bob.get(&format!("/api/v1/accounts/{}", id(&there)), ()).await.ok();
            assert_eq!(seen["display_name"], name);
            seen["acct"].as_str().unwrap().to_owned()
        };
        let before = format!("ann@{}", peer.host());
        // A domain that knows nothing of it, and one that means somebody else.
        assert_eq!(tells("one", format!("ann@{}", other.host())).await, before);
        let finger = format!("/.well-known/webfinger?resource=acct%3Aann%40localhost%3A{}", &other.host()["localhost:".len()..]);
        let says = |href: &str| {
            let link = json!({ "rel": "self", "type": "application/activity+json", "href": href });
            other.put(&finger, json!({ "subject": format!("acct:ann@{}", other.host()), "links": [link] }));
        };
        says(&format!("{}/users/mallory", peer.base));
        assert_eq!(tells("two", format!("ann@{}", other.host())).await, before);
        // Both agree: told, or seen when it is looked at again.
        says(&ann.uri);
        assert_eq!(tells("three", format!("acct:ann@{}", other.host().to_uppercase())).await, format!("ann@{}", other.host()));
        peer.shows(&ann, "ann", json!({ "webfinger": before }));
        domain::accounts::remote::refresh_later(server.db(), id(&there).parse().unwrap()).await.unwrap();
        server.settle().await;
        let seen = bob.get(&format!("/api/v1/accounts/{}", id(&there)), ()).await.ok();
        assert_eq!(seen["acct"], before);
        // Nothing to ask where it says what is known.
        let asked = peer.asked.lock().unwrap().iter().filter(|path| path.contains("webfinger")).count();
        assert_eq!(tells("four", before.clone()).await, before);
        assert_eq!(peer.asked.lock().unwrap().iter().filter(|path| path.contains("webfinger")).count(), asked);
    }

    async fn their_handles_have_another_domain(server, peer, bob) {
        let sign = Sign::put_up().await;
        sign.points_to(&peer.base);
        let (eve, zoe) = (peer.somebody("eve"), peer.somebody("zoe"));
        let (name, web) = (format!("eve@{}", sign.host), format!("eve@{}", peer.host()));
        says(&peer, &web, (&name, &eve.uri));
        says(&peer, &name, (&name, &eve.uri));
        let there = find(&bob, &web).await;
        assert_eq!((&there["acct"], &there["uri"]), (&json!(name), &json!(eve.uri)));
        for words in [format!("@{name}"), format!("@{web}"), eve.uri.clone()] {
            assert_eq!(search(&bob, &words).await["accounts"][0]["id"], there["id"], "{words}");
        }
        bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        server.settle().await;
        let asked = peer.last("Follow");
        peer.send(&eve, &server, &peer.activity(&eve, ("Accept", "1"), asked)).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], true);
        // Who says its handle itself, and speaks before anybody looked.
        let (name, web) = (format!("zoe@{}", sign.host), format!("zoe@{}", peer.host()));
        says(&peer, &web, (&name, &zoe.uri));
        says(&peer, &name, (&name, &zoe.uri));
        peer.shows(&zoe, "zoe", json!({ "webfinger": name }));
        let here = crate::peer::local_uri(&server, &bob);
        let mut note = peer.note(&zoe, ("1", "hello"), &[&here]);
        note["tag"] = json!([{ "type": "Mention", "href": here, "name": "@bob" }]);
        peer.send(&zoe, &server, &peer.activity(&zoe, ("Create", "1"), note)).await;
        assert_eq!(notifications(&bob).await, [("mention".to_owned(), name)]);
    }

    async fn host_meta_says_where_names_are_looked_up(server, peer, bob) {
        let eve = peer.somebody("eve");
        let handle = format!("eve@{}", peer.host());
        let resource: String = url::form_urlencoded::byte_serialize(format!("acct:{handle}").as_bytes()).collect();
        peer.remove(&format!("/.well-known/webfinger?resource={resource}"));
        let found = async || search(&bob, &format!("@{handle}")).await["accounts"].as_array().map_or(0, Vec::len);
        assert_eq!(found().await, 0);
        let meta = |template: &str| {
            let link = format!("<XRD><Link rel='other'/><Link rel=\"lrdd\" template=\"{}{template}\"/></XRD>", peer.base);
            peer.file("/.well-known/host-meta", crate::peer::File::Plain("application/xrd+xml", link.into_bytes()));
        };
        // It leads nowhere, and nobody looks for a third place.
        meta("/nothing?of={uri}");
        peer.asked.lock().unwrap().clear();
        assert_eq!((found().await, peer.asked.lock().unwrap().len()), (0, 3));
        meta("/finger?amp=1&amp;of={uri}");
        peer.put(&format!("/finger?amp=1&of={resource}"), json!({
            "subject": format!("acct:{handle}"),
            "links": [{ "rel": "self", "type": "application/activity+json", "href": eve.uri }],
        }));
        assert_eq!(found().await, 1);
    }

    async fn nobody_has_a_name_that_others_give(server, peer, bob) {
        let (sign, other) = (Sign::put_up().await, Peer::start().await);
        sign.points_to(&peer.base);
        let victim = other.somebody("victim");
        let victims = format!("victim@{}", other.host());
        let denied = async |who: &Somebody, words: &str| {
            assert_eq!(search(&bob, words).await["accounts"], json!([]), "{words}");
            let create = peer.activity(who, ("Create", "1"), peer.note(who, ("1", "hi"), &[]));
            assert_eq!(peer.post(&peer.sign(who, &server, &create), |_, _| {}).await, 401, "{words}");
        };
        // The name of somebody on another server, who says that it is theirs.
        let one = peer.somebody("one");
        says(&peer, &format!("one@{}", peer.host()), (&victims, &one.uri));
        denied(&one, &one.uri).await;
        let two = peer.somebody("two");
        peer.shows(&two, "two", json!({ "webfinger": victims }));
        denied(&two, &two.uri).await;
        // A name that leads to a third.
        let three = peer.somebody("three");
        let [first, second, third] = [peer.host(), &sign.host, &sign.host].map(|host| format!("three@{host}"));
        says(&peer, &first, (&second, &three.uri));
        says(&peer, &second, (&third.replace("three", "fourth"), &three.uri));
        denied(&three, &three.uri).await;
        // One that is somebody else's there.
        let five = peer.somebody("five");
        let [web, name] = [peer.host(), &sign.host].map(|host| format!("five@{host}"));
        says(&peer, &web, (&name, &five.uri));
        says(&peer, &name, (&name, &victim.uri));
        denied(&five, &five.uri).await;
        // One that nobody there knows.
        let six = peer.somebody("six");
        peer.shows(&six, "six", json!({ "webfinger": format!("six@{}", sign.host) }));
        denied(&six, &six.uri).await;
        assert_eq!(find(&bob, &victims).await["uri"], victim.uri);
    }
}
