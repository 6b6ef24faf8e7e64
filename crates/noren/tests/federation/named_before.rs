//! Whoever was named in a post holds a copy, also when an edit names them no more.

use crate::peer::{local_uri, with_a_peer};
use crate::{find, follow, home, id, post_as, search, text};
use federation::documents::PUBLIC;
use serde_json::{Value, json};
use testkit::{Person, TestServer, settle_all};

async fn edit(who: &Person, status: &Value, words: &str) {
    who.put(&format!("/api/v1/statuses/{}", id(status)), [("status", words)]).await.ok();
}

async fn is_known(server: &TestServer, status: &Value) -> bool {
    let conn = server.db().read().await.unwrap();
    domain::statuses::remote::by_uri(&conn, status["uri"].as_str().unwrap()).await.unwrap().is_some()
}

testkit::between_two_servers! {
    async fn edits_and_the_end_reach_who_was_named_before(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        find(&alice, &b.handle("bob")).await;
        let hello = format!("@{} hello", b.handle("bob"));
        let posted = post_as(&alice, &hello, "public").await;
        settle_all(&[&a, &b]).await;
        let there = id(&search(&bob, posted["uri"].as_str().unwrap()).await["statuses"][0]).to_owned();
        let seen = async || text(&bob.get(&format!("/api/v1/statuses/{there}"), ()).await.ok());
        assert_eq!(seen().await, "@bob hello");
        // Nobody there follows her: only who was named has it. The second edit is as far from the first as anything.
        for words in ["hello all of you", "hello"] {
            edit(&alice, &posted, words).await;
            settle_all(&[&a, &b]).await;
            assert_eq!(seen().await, words);
        }
        alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        bob.get(&format!("/api/v1/statuses/{there}"), ()).await.expect(404);
        assert!(!is_known(&b, &posted).await);
    }

    async fn who_has_it_from_a_quoter_hears_of_its_edits_and_its_end(a: TestServer, b: TestServer) {
        let (alice, carol, bob) = (a.person("alice").await, a.person("carol").await, b.person("bob").await);
        follow((&bob, &b), (&carol, &a)).await;
        let posted = post_as(&alice, "a mistake", "public").await;
        let quote = [("status", "look"), ("quoted_status_id", id(&posted))];
        carol.post("/api/v1/statuses", quote).await.ok();
        settle_all(&[&a, &b]).await;
        let shown = async || home(&bob).await[0]["quote"].clone();
        assert_eq!(text(&shown().await["quoted_status"]), "a mistake");
        edit(&alice, &posted, "a lesser one").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(text(&shown().await["quoted_status"]), "a lesser one");
        alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!((is_known(&b, &posted).await, shown().await["quoted_status"].clone()), (false, Value::Null));
    }

    async fn who_is_named_no_more_in_a_direct_post_keeps_no_old_copy(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        find(&alice, &b.handle("bob")).await;
        let posted = post_as(&alice, &format!("@{} a secret", b.handle("bob")), "direct").await;
        settle_all(&[&a, &b]).await;
        let talks = bob.get("/api/v1/conversations", ()).await.ok();
        let there = id(&talks[0]["last_status"]).to_owned();
        edit(&alice, &posted, "to nobody").await;
        settle_all(&[&a, &b]).await;
        let conn = b.db().read().await.unwrap();
        let copy = domain::statuses::remote::by_uri(&conn, posted["uri"].as_str().unwrap()).await.unwrap().unwrap();
        drop(conn);
        assert_eq!((copy.content.as_str(), copy.visibility), ("<p>to nobody</p>", domain::statuses::Visibility::Direct));
        bob.get(&format!("/api/v1/statuses/{there}"), ()).await.expect(404);
        alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert!(!is_known(&b, &posted).await);
        assert_eq!(bob.get("/api/v1/notifications", ()).await.ok(), json!([]));
    }
}

with_a_peer! {
    async fn an_edit_that_names_nobody_is_addressed_all_the_same(server, peer, bob) {
        let (ann, eve) = (peer.somebody("ann"), peer.somebody("eve"));
        for name in ["ann", "eve"] {
            find(&bob, &format!("{name}@{}", peer.host())).await;
        }
        let posted = post_as(&bob, &format!("@ann@{} a secret", peer.host()), "direct").await;
        server.settle().await;
        assert_eq!(peer.last("Create")["to"], json!([ann.uri]));
        let told = async |words: &str| {
            edit(&bob, &posted, words).await;
            server.settle().await;
            peer.last("Update")
        };
        // Who is named does not hear who was.
        let update = told(&format!("@eve@{} a secret", peer.host())).await;
        assert_eq!((&update["to"], &update["object"]["to"]), (&json!([eve.uri]), &json!([eve.uri])));
        peer.received.lock().unwrap().clear();
        let update = told("to nobody").await;
        // Each hears it alone: none learns who the others were.
        let updates = peer.received.lock().unwrap().clone();
        let mut to: Vec<Value> = updates.iter().map(|update| update["to"].clone()).collect();
        to.sort_by_key(Value::to_string);
        assert_eq!(to, [json!([ann.uri]), json!([eve.uri])]);
        assert!(updates[0]["id"] != updates[1]["id"] && updates[0]["object"] == updates[1]["object"], "{updates:?}");
        for (update, other) in updates.iter().flat_map(|update| [(update, &ann.uri), (update, &eve.uri)]) {
            assert!(update["to"] == json!([other]) || !update.to_string().contains(&format!("{other}\"")), "{update}");
        }
        // What they hold is a post for its author alone, whom it does not name.
        let (note, me) = (&update["object"], local_uri(&server, &bob));
        assert_eq!((&note["to"], &note["cc"], &note["tag"]), (&json!([me]), &json!([]), &json!([])));
        assert_eq!((&note["directMessage"], update.get("cc")), (&json!(true), None));
        assert!(!update.to_string().contains(&format!("\"to\":[\"{PUBLIC}")), "{update}");
        assert_eq!(note["content"], "<p>to nobody</p>");
        // Nobody elsewhere may fetch it.
        assert_eq!(peer.get(&ann, posted["uri"].as_str().unwrap()).await.0, 404);
        bob.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        server.settle().await;
        assert_eq!(peer.told("Delete"), [posted["uri"].as_str().unwrap()]);
    }
}
