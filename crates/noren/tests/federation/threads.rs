//! Threads across servers: the lists that others read, and answers that are asked for elsewhere. `/contexts`,
//! `/api/v1_alpha/async_refreshes`

use crate::peer::{Peer, Somebody, with_a_peer};
use crate::{id, post_as, search, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer, settle_all};

async fn answer(who: &Person, to: &str, words: &str, visibility: &str) -> Value {
    who.post("/api/v1/statuses", [("status", words), ("in_reply_to_id", to), ("visibility", visibility)]).await.ok()
}

/// A document as a stranger gets it.
async fn document(server: &TestServer, uri: &str) -> (u16, Value) {
    let request = server.client().request(reqwest::Method::GET, uri).header("accept", "application/activity+json");
    let reply = server.client().send(request).await;
    (reply.status, serde_json::from_str(reply.text()).unwrap_or_default())
}

/// Every item of a collection, following its pages.
async fn items(server: &TestServer, uri: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (_, root) = document(server, uri).await;
    let mut page = match &root["first"] {
        Value::String(first) => document(server, first).await.1,
        first => first.clone(),
    };
    for _ in 0..20 {
        let list = page["items"].as_array().or_else(|| page["orderedItems"].as_array()).cloned().unwrap_or_default();
        found.extend(list.iter().map(|item| item.as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str().map(str::to_owned) else { return found };
        page = document(server, &next).await.1;
        assert_eq!(page["id"], json!(next));
    }
    panic!("pages without an end: {uri}");
}

/// What stands below a status, as `who` sees it.
pub(crate) async fn below(who: &Person, status: &str) -> Vec<String> {
    let context = who.get(&format!("/api/v1/statuses/{status}/context"), ()).await.ok();
    context["descendants"].as_array().unwrap().iter().map(text).collect()
}

/// As if nobody had looked for a long time.
async fn forget_fetches(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE thread_fetches SET started_at = 0", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

testkit::between_two_servers! {
    async fn whoever_reads_a_thread_gets_its_answers(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, a.person("carol").await);
        let root = post_as(&alice, "the beginning", "public").await;
        let there = id(&search(&bob, root["uri"].as_str().unwrap()).await["statuses"][0]).to_owned();
        let own = answer(&alice, id(&root), "and on", "public").await;
        let other = answer(&carol, id(&root), "why", "unlisted").await;
        answer(&alice, id(&other), "because", "public").await;
        answer(&carol, id(&own), "only for friends", "private").await;

        let path = format!("/api/v1/statuses/{there}/context");
        b.client().get(&path, ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(below(&bob, &there).await, Vec::<String>::new(), "strangers cause nothing");
        settle_all(&[&a, &b]).await;
        assert_eq!(below(&bob, &there).await, ["and on", "why", "because"]);

        let again = bob.get(&path, ()).await;
        assert_eq!(again.header("mastodon-async-refresh"), "", "it is done");
        let refresh = format!("/api/v1_alpha/async_refreshes/{there}");
        let wanted = json!({ "async_refresh": { "id": there, "status": "finished", "result_count": 3 } });
        assert_eq!(bob.get(&refresh, ()).await.ok(), wanted);
        bob.get("/api/v1_alpha/async_refreshes/1", ()).await.expect(404);
        b.client().get(&refresh, ()).await.expect(401);
        let token = b.token(&bob, "write").await;
        b.client().with_token(&token).get(&refresh, ()).await.expect(403);

        // What came later is there when somebody looks later.
        answer(&carol, id(&root), "much later", "public").await;
        below(&bob, &there).await;
        settle_all(&[&a, &b]).await;
        assert_eq!(below(&bob, &there).await.len(), 3, "not so soon");
        forget_fetches(&b).await;
        let first = bob.get(&path, ()).await;
        let header = first.header("mastodon-async-refresh").to_owned();
        assert!(header.starts_with(&format!("id=\"{there}\", retry=5, result_count=")), "{header}");
        settle_all(&[&a, &b]).await;
        assert_eq!(below(&bob, &there).await.len(), 4);
    }

    async fn lists_show_what_everybody_may_see(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, a.person("carol").await);
        let root = post_as(&alice, "the beginning", "public").await;
        let mut own = Vec::new();
        for n in 0..7 {
            own.push(answer(&alice, id(&root), &format!("own {n}"), "public").await["uri"].clone());
        }
        let other = answer(&carol, id(&root), "other", "public").await;
        answer(&carol, id(&root), "hidden", "private").await;
        answer(&carol, id(&root), "@alice direct", "direct").await;
        carol.post(&format!("/api/v1/statuses/{}/favourite", id(&root)), ()).await.ok();
        carol.post(&format!("/api/v1/statuses/{}/reblog", id(&root)), ()).await.ok();

        let uri = root["uri"].as_str().unwrap();
        let (_, note) = document(&a, uri).await;
        assert_eq!(note["likes"]["totalItems"], 1);
        assert_eq!(document(&a, note["likes"]["id"].as_str().unwrap()).await.1["totalItems"], 1);
        assert_eq!(document(&a, note["shares"]["id"].as_str().unwrap()).await.1["totalItems"], 1);
        assert_eq!(note["replies"]["first"]["items"].as_array().unwrap().len(), 5);
        let all = [&own[..], &[other["uri"].clone()]].concat();
        assert_eq!(json!(items(&a, note["replies"]["id"].as_str().unwrap()).await), json!(all));
        let (_, context) = document(&a, note["context"].as_str().unwrap()).await;
        assert_eq!((&context["type"], &context["attributedTo"]), (&json!("OrderedCollection"), &note["attributedTo"]));
        let whole = [&[root["uri"].clone()][..], &all].concat();
        assert_eq!(json!(items(&a, note["context"].as_str().unwrap()).await), json!(whole));
        assert_eq!(document(&a, &format!("{uri}/replies/both/0")).await.0, 404);
        assert_eq!(document(&a, &format!("{}/contexts/77", a.parts().site.base_url)).await.0, 404);

        // An answer from elsewhere stays in the same conversation, and is named by the list of where it began.
        let there = id(&search(&bob, uri).await["statuses"][0]).to_owned();
        let far = answer(&bob, &there, "from afar", "public").await;
        settle_all(&[&a, &b]).await;
        let (_, said) = document(&b, far["uri"].as_str().unwrap()).await;
        assert_eq!((&said["context"], &said["conversation"]), (&note["context"], &note["context"]));
        assert!(items(&a, note["context"].as_str().unwrap()).await.contains(&far["uri"].as_str().unwrap().to_owned()));
    }
}

pub(crate) fn reply(peer: &Peer, who: &Somebody, (name, words): (&str, &str), to: &Value) -> Value {
    let mut note = peer.note(who, (name, words), &[]);
    note["inReplyTo"] = to.clone();
    peer.put(&format!("/notes/{name}"), note.clone());
    note
}

pub(crate) fn list(of: &str, items: Value) -> Value {
    json!({ "id": format!("{of}/replies"), "type": "Collection",
        "first": { "type": "CollectionPage", "partOf": format!("{of}/replies"), "items": items } })
}

/// A post that Bob found, and its id here.
pub(crate) async fn found(bob: &Person, peer: &Peer, note: &Value) -> String {
    let path = note["id"].as_str().unwrap().strip_prefix(&peer.base).unwrap();
    peer.put(path, note.clone());
    id(&search(bob, note["id"].as_str().unwrap()).await["statuses"][0]).to_owned()
}

pub(crate) fn asked(peer: &Peer, part: &str) -> usize {
    peer.asked.lock().unwrap().iter().filter(|path| path.contains(part)).count()
}

with_a_peer! {
    async fn an_answer_names_the_thread_both_ways(server, peer, bob) {
        let eve = peer.somebody("eve");
        let names = [json!("tag:b.example,2026:objectId=7:objectType=Conversation"), json!(format!("{}/contexts/7", peer.base))];
        let answered = async |name: &str, with: [Option<&Value>; 2]| {
            let mut root = peer.note(&eve, (name, "the beginning"), &[]);
            for (key, value) in ["conversation", "context"].into_iter().zip(with) {
                root[key] = value.cloned().unwrap_or_default();
            }
            let form = [("status", "an answer"), ("in_reply_to_id", &found(&bob, &peer, &root).await)];
            let answer = bob.post("/api/v1/statuses", form).await.ok();
            server.settle().await;
            let note = peer.get(&eve, answer["uri"].as_str().unwrap()).await.2;
            [note["conversation"].clone(), note["context"].clone()]
        };
        let [tag, list] = names.each_ref();
        // One who says less comes first: who says more fills it in.
        assert_eq!(answered("old", [Some(tag), None]).await, [tag.clone(), Value::Null]);
        assert_eq!(answered("both", [Some(tag), Some(list)]).await, names);
        assert_eq!(answered("new", [None, Some(list)]).await, [list.clone(), list.clone()]);
    }

    async fn lists_prove_nothing(server, peer, bob) {
        let other = Peer::start().await;
        let (mallory, victim) = (peer.somebody("mallory"), other.somebody("victim"));
        let mut root = peer.note(&mallory, ("root", "the beginning"), &[]);
        let uri = root["id"].clone();
        let real = reply(&other, &victim, ("real", "a real answer"), &uri);
        // Shown whole in the list, and not there.
        let mut forged = other.note(&victim, ("forged", "I never said this"), &[]);
        forged["inReplyTo"] = uri.clone();
        // Said by somebody on another server.
        let mut stolen = reply(&peer, &mallory, ("stolen", "in the name of another"), &uri);
        stolen["attributedTo"] = json!(victim.uri);
        peer.put("/notes/stolen", stolen.clone());
        // No answer at all, or for few.
        let loose = other.note(&victim, ("loose", "no answer"), &[]);
        other.put("/notes/loose", loose.clone());
        let mut private = reply(&other, &victim, ("private", "for few"), &uri);
        private["to"] = json!([format!("{}/followers", victim.uri)]);
        other.put("/notes/private", private.clone());
        let ours = format!("{}/users/bob/statuses/7", server.parts().site.base_url);
        let items = json!([real["id"], forged, stolen["id"], loose["id"], private["id"], ours, "nonsense", { "type": "Note" }]);
        root["replies"] = list(uri.as_str().unwrap(), items);
        let here = found(&bob, &peer, &root).await;
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(below(&bob, &here).await, ["a real answer"]);
        // What was not there is not asked for again at once.
        let before = asked(&other, "/notes/forged");
        assert_eq!(before, 1);
        forget_fetches(&server).await;
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(asked(&other, "/notes/forged"), before);
    }

    async fn lists_without_end_end(server, peer, bob) {
        let other = Peer::start().await;
        let mallory = peer.somebody("mallory");
        let mut root = peer.note(&mallory, ("root", "the beginning"), &[]);
        let page = |base: &str, n: usize, next: &str| json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{base}/endless/{n}"), "type": "CollectionPage", "next": next,
            "items": (0..40).map(|i| format!("{base}/nothing/{n}/{i}")).collect::<Vec<_>>(),
        });
        for n in 0..600 {
            peer.put(&format!("/endless/{n}"), page(&peer.base, n, &format!("{}/endless/{}", peer.base, n + 1)));
        }
        // A page that is its own next, and one on another server.
        peer.put("/circle", json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}/circle", peer.base),
            "type": "OrderedCollection", "first": format!("{}/circle", peer.base), "next": format!("{}/circle", peer.base) }));
        root["context"] = json!(format!("{}/circle", peer.base));
        root["replies"] = json!({ "id": format!("{}/notes/root/replies", peer.base), "type": "Collection",
            "first": { "type": "CollectionPage", "next": format!("{}/endless/0", peer.base), "items": [] } });
        other.put("/endless/0", page(&other.base, 0, &format!("{}/endless/0", other.base)));
        let here = found(&bob, &peer, &root).await;
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(asked(&peer, "/circle"), 1);
        let all = asked(&peer, "/endless/") + asked(&peer, "/nothing/");
        assert!((20..=500).contains(&all), "{all}");
        assert!(asked(&peer, "/endless/") <= 60);
        root["replies"]["first"]["next"] = json!(format!("{}/endless/0", other.base));
        peer.put("/notes/root", root);
        forget_fetches(&server).await;
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(asked(&other, "/endless/"), 0);
    }

    async fn answers_may_come_before_what_they_answer(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut root = peer.note(&eve, ("root", "one"), &[]);
        let second = reply(&peer, &eve, ("second", "two"), &root["id"]);
        let third = reply(&peer, &eve, ("third", "three"), &second["id"]);
        let fourth = reply(&peer, &eve, ("fourth", "four"), &third["id"]);
        let astray = reply(&peer, &eve, ("astray", "astray"), &json!(format!("{}/notes/nowhere", peer.base)));
        let context = format!("{}/context", peer.base);
        peer.put("/context", json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": context, "type": "OrderedCollection",
            "orderedItems": [fourth["id"], astray["id"], third["id"], root["id"]] }));
        root["context"] = json!(context);
        let here = found(&bob, &peer, &root).await;
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(below(&bob, &here).await, ["two", "three", "four"]);
    }

    async fn a_host_that_has_enough_is_left_in_peace(server, peer, bob) {
        let (busy, other) = (Peer::start().await, Peer::start().await);
        let (eve, ann) = (peer.somebody("eve"), other.somebody("ann"));
        let mut root = peer.note(&eve, ("root", "one"), &[]);
        let fine = reply(&other, &ann, ("fine", "fine"), &root["id"]);
        other.put("/notes/closed", json!(403));
        let mut items = vec![json!(format!("{}/notes/closed", other.base)), fine["id"].clone()];
        for n in 0..10 {
            busy.put(&format!("/notes/{n}"), json!(429));
            items.insert(0, json!(format!("{}/notes/{n}", busy.base)));
        }
        root["replies"] = list(root["id"].as_str().unwrap(), json!(items));
        let here = found(&bob, &peer, &root).await;
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(below(&bob, &here).await, ["fine"]);
        assert!((1..=2).contains(&asked(&busy, "/notes/")), "{}", asked(&busy, "/notes/"));
        // Once with each form of signature.
        assert!((1..=2).contains(&asked(&other, "/notes/closed")));
    }

    async fn numbers_are_those_of_the_server_it_is_from(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut root = peer.note(&eve, ("root", "one"), &[]);
        let total = |name: &str, n: u64| json!({ "id": format!("{}/{name}", peer.base), "type": "Collection", "totalItems": n });
        (root["likes"], root["shares"]) = (total("likes", 7), total("shares", 5_000_000_000));
        let here = found(&bob, &peer, &root).await;
        let numbers = async || {
            let shown = bob.get(&format!("/api/v1/statuses/{here}"), ()).await.ok();
            (shown["favourites_count"].as_i64().unwrap(), shown["reblogs_count"].as_i64().unwrap())
        };
        assert_eq!(numbers().await, (7, i64::from(i32::MAX)));
        bob.post(&format!("/api/v1/statuses/{here}/favourite"), ()).await.ok();
        assert_eq!(numbers().await.0, 8);
        bob.post(&format!("/api/v1/statuses/{here}/unfavourite"), ()).await.ok();
        assert_eq!(numbers().await.0, 7);
        (root["likes"], root["shares"]) = (total("likes", 9), total("shares", 0));
        peer.put("/notes/root", root.clone());
        below(&bob, &here).await;
        server.settle().await;
        assert_eq!(numbers().await, (9, 0));
        bob.post(&format!("/api/v1/statuses/{here}/reblog"), ()).await.ok();
        assert_eq!(numbers().await, (9, 1));
        // What is only said does not make it a trend.
        assert_eq!(bob.get("/api/v1/trends/statuses", ()).await.ok(), json!([]));
        server.settle().await;
        (root["likes"], root["content"]) = (total("likes", 3), json!("<p>edited</p>"));
        peer.send(&eve, &server, &peer.activity(&eve, ("Update", "u1"), root)).await;
        assert_eq!(numbers().await.0, 3, "also by what is sent");
    }

    async fn a_thread_in_two_pieces_grows_together(server, peer, bob) {
        let eve = peer.somebody("eve");
        let root = peer.note(&eve, ("root", "one"), &[]);
        // Its parent could not be had when it came.
        let second = reply(&peer, &eve, ("second", "two"), &root["id"]);
        let here = found(&bob, &peer, &second).await;
        let seen = bob.get(&format!("/api/v1/statuses/{here}"), ()).await.ok();
        assert_eq!(seen["in_reply_to_id"], Value::Null);
        peer.put("/notes/root", root);
        below(&bob, &here).await;
        server.settle().await;
        let context = bob.get(&format!("/api/v1/statuses/{here}/context"), ()).await.ok();
        assert_eq!(text(&context["ancestors"][0]), "one");
        let counted = bob.get(&format!("/api/v1/statuses/{}", id(&context["ancestors"][0])), ()).await.ok();
        assert_eq!(counted["replies_count"], 1);
    }

    async fn lists_of_private_posts_are_for_those_who_may_see_them(server, peer, bob) {
        let (friend, stranger) = (peer.somebody("friend"), peer.somebody("stranger"));
        let asked = peer.activity(&friend, ("Follow", "1"), json!(server.parts().site.actor_uri("bob")));
        peer.send(&friend, &server, &asked).await;
        let private = post_as(&bob, "for friends", "private").await;
        let more = answer(&bob, id(&private), "and more", "private").await;
        let uri = private["uri"].as_str().unwrap();
        for part in ["/replies", "/replies/own/0", "/likes", "/shares"] {
            let (status, headers, list) = peer.get(&friend, &format!("{uri}{part}")).await;
            assert_eq!(status, 200, "{part}");
            assert_eq!(headers["cache-control"], "no-store, private");
            if part == "/replies" {
                assert_eq!(list["first"]["items"], json!([more["uri"]]));
            }
            assert_eq!(peer.get(&stranger, &format!("{uri}{part}")).await.0, 404, "{part}");
            assert_eq!(document(&server, &format!("{uri}{part}")).await.0, 404, "{part}");
        }
        let (_, _, note) = peer.get(&friend, uri).await;
        assert_eq!(note["context"], Value::Null);
    }
}
