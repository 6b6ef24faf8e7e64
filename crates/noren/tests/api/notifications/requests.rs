//! /api/v1/notifications/requests: people whose mentions are held back

use super::kinds;
use crate::{id, ids, post, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

const REQUESTS: &str = "/api/v1/notifications/requests";

/// Somebody who wants nothing from strangers.
async fn shy(server: &TestServer) -> Person {
    let alice = server.person("alice").await;
    alice.patch("/api/v2/notifications/policy", [("for_not_following", "filter")]).await.ok();
    alice
}

async fn waiting(who: &Person) -> Value {
    who.get(REQUESTS, ()).await.ok()
}

async fn told(who: &Person) -> Value {
    who.get("/api/v1/notifications", ()).await.ok()
}

async fn pending(who: &Person) -> (i64, i64) {
    let summary = who.get("/api/v2/notifications/policy", ()).await.ok()["summary"].clone();
    let count = |name: &str| summary[name].as_i64().unwrap();
    (count("pending_requests_count"), count("pending_notifications_count"))
}

testkit::on_both_engines! {
    async fn accepting_merges_and_is_remembered(server: TestServer) {
        let (alice, bob) = (shy(&server).await, server.person("bob").await);
        let posted = post(&alice, "look").await;
        bob.post(&format!("/api/v1/statuses/{}/favourite", id(&posted)), ()).await.ok();
        assert_eq!(waiting(&alice).await, json!([]), "a click asks for no attention");
        post(&bob, "@alice one").await;
        let last = post(&bob, "@alice two").await;
        let list = waiting(&alice).await;
        assert_eq!(ids(&list).len(), 1);
        let request = &list[0];
        let mut keys: Vec<_> = request.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["account", "created_at", "id", "last_status", "notifications_count", "updated_at"]);
        assert_eq!(request["notifications_count"], "2");
        assert_eq!((&request["account"]["acct"], &request["last_status"]["id"]), (&json!("bob"), &last["id"]));
        assert!(text(request, "created_at") <= text(request, "updated_at"));
        assert_eq!(pending(&alice).await, (1, 2));
        let path = format!("{REQUESTS}/{}", id(request));
        assert_eq!(&alice.get(&path, ()).await.ok(), request);
        assert_eq!(alice.post(&format!("{path}/accept"), ()).await.ok(), json!({}));
        assert_eq!(alice.get(&format!("{REQUESTS}/merged"), ()).await.ok(), json!({ "merged": true }));
        assert_eq!(kinds(&told(&alice).await), ["mention", "mention", "favourite"]);
        assert_eq!((waiting(&alice).await, pending(&alice).await), (json!([]), (0, 0)));
        alice.get(&path, ()).await.expect(404);
        alice.post(&format!("{path}/accept"), ()).await.expect(404);
        post(&bob, "@alice three").await;
        assert_eq!(told(&alice).await.as_array().unwrap().len(), 4);
        // A block takes that back.
        alice.post(&format!("/api/v1/accounts/{}/block", bob.account), ()).await.ok();
        alice.post(&format!("/api/v1/accounts/{}/unblock", bob.account), ()).await.ok();
        post(&bob, "@alice four").await;
        assert_eq!(told(&alice).await, json!([]));
        assert_eq!(pending(&alice).await, (1, 1));
    }

    async fn dismissing_removes(server: TestServer) {
        let (alice, bob) = (shy(&server).await, server.person("bob").await);
        post(&bob, "@alice one").await;
        let path = format!("{REQUESTS}/{}", id(&waiting(&alice).await[0]));
        assert_eq!(alice.post(&format!("{path}/dismiss"), ()).await.ok(), json!({}));
        assert_eq!(waiting(&alice).await, json!([]));
        assert_eq!(alice.get("/api/v1/notifications?include_filtered=true", ()).await.ok(), json!([]));
        alice.post(&format!("{path}/dismiss"), ()).await.expect(404);
        post(&bob, "@alice two").await;
        assert_eq!(waiting(&alice).await[0]["notifications_count"], "1");
        assert_eq!(told(&alice).await, json!([]));
    }

    async fn several_at_once_and_in_pages(server: TestServer) {
        let alice = shy(&server).await;
        let mut names = Vec::new();
        for name in ["bob", "carol", "dave"] {
            post(&server.person(name).await, "@alice hello").await;
            names.insert(0, name);
        }
        let first = alice.get(&format!("{REQUESTS}?limit=2"), ()).await;
        let (next, prev) = (first.link("next").unwrap(), first.link("prev").unwrap());
        let mut list = first.ok().as_array().unwrap().clone();
        assert_eq!(alice.get(&prev, ()).await.ok(), json!([]));
        list.extend(alice.get(&next, ()).await.ok().as_array().unwrap().clone());
        assert_eq!(list.iter().map(|r| text(&r["account"], "acct")).collect::<Vec<_>>(), names);
        let of = |n: usize| id(&list[n]).to_owned();
        let up = alice.get(&format!("{REQUESTS}?limit=1&min_id={}", of(2)), ()).await.ok();
        assert_eq!(ids(&up), [of(1)]);
        // Others cannot answer for her.
        let mallory = server.person("mallory").await;
        mallory.get(&format!("{REQUESTS}/{}", of(0)), ()).await.expect(404);
        mallory.post(&format!("{REQUESTS}/{}/accept", of(0)), ()).await.expect(404);
        mallory.post(&format!("{REQUESTS}/{}/dismiss", of(0)), ()).await.expect(404);
        assert_eq!(mallory.post(&format!("{REQUESTS}/dismiss"), [("id[]", of(0))]).await.ok(), json!({}));
        assert_eq!(pending(&alice).await, (3, 3));
        let some = [("id[]", of(0)), ("id[]", of(2)), ("id[]", "1".into()), ("id[]", "x".into())];
        assert_eq!(alice.post(&format!("{REQUESTS}/accept"), some).await.ok(), json!({}));
        assert_eq!(kinds(&told(&alice).await), ["mention", "mention"]);
        assert_eq!(ids(&waiting(&alice).await), [of(1)]);
        let rest = json!({ "id": [of(1)] });
        assert_eq!(alice.post(&format!("{REQUESTS}/dismiss"), rest).await.ok(), json!({}));
        assert_eq!(pending(&alice).await, (0, 0));
        assert_eq!(alice.post(&format!("{REQUESTS}/accept"), ()).await.ok(), json!({}));
        let many = json!({ "id": (0..501).map(|n| n.to_string()).collect::<Vec<_>>() });
        alice.post(&format!("{REQUESTS}/accept"), many).await.expect(422);
        alice.get(&format!("{REQUESTS}/x"), ()).await.expect(404);
    }

    async fn a_request_is_gone_with_what_it_holds(server: TestServer) {
        let (alice, bob, carol) = (shy(&server).await, server.person("bob").await, server.person("carol").await);
        let (kept, gone) = (post(&bob, "@alice one").await, post(&bob, "@alice two").await);
        bob.delete(&format!("/api/v1/statuses/{}", id(&gone)), ()).await.ok();
        assert_eq!(waiting(&alice).await[0]["last_status"]["id"], kept["id"]);
        let request = waiting(&alice).await[0]["id"].clone();
        bob.delete(&format!("/api/v1/statuses/{}", id(&kept)), ()).await.ok();
        assert_eq!((waiting(&alice).await, pending(&alice).await), (json!([]), (0, 0)));
        alice.post(&format!("{REQUESTS}/{}/accept", request.as_str().unwrap()), ()).await.expect(404);
        // Muted with notifications: nothing is left to answer.
        post(&carol, "@alice hello").await;
        assert_eq!(pending(&alice).await, (1, 1));
        alice.post(&format!("/api/v1/accounts/{}/mute", carol.account), ()).await.ok();
        assert_eq!(pending(&alice).await, (0, 0));
        // Suspended: out of sight, and back with its sender.
        post(&bob, "@alice three").await;
        let suspend = "UPDATE accounts SET suspended_at = 1 WHERE id = $1";
        let restore = "UPDATE accounts SET suspended_at = NULL WHERE id = $1";
        for (sql, count) in [(suspend, 0), (restore, 1)] {
            let tx = server.db().begin().await.unwrap();
            tx.exec(sql, &[&bob.account]).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(waiting(&alice).await.as_array().unwrap().len(), count);
            assert_eq!(pending(&alice).await.0, i64::try_from(count).unwrap());
        }
    }

    async fn scopes(server: TestServer) {
        let alice = server.person("alice").await;
        let client = server.client();
        let read = client.with_token(&server.token(&alice, "read:notifications").await);
        let write = client.with_token(&server.token(&alice, "write:notifications").await);
        for path in ["", "/1", "/merged"] {
            client.get(&format!("{REQUESTS}{path}"), ()).await.expect(401);
            write.get(&format!("{REQUESTS}{path}"), ()).await.expect(403);
            assert_ne!(read.get(&format!("{REQUESTS}{path}"), ()).await.status, 403);
        }
        for path in ["/1/accept", "/1/dismiss", "/accept", "/dismiss"] {
            client.post(&format!("{REQUESTS}{path}"), ()).await.expect(401);
            read.post(&format!("{REQUESTS}{path}"), ()).await.expect(403);
            assert_ne!(write.post(&format!("{REQUESTS}{path}"), ()).await.status, 403);
        }
    }
}
