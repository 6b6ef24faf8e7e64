//! /api/v2/notifications: in groups

use crate::{follow, id, ids, post, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{Client, Person, TestServer};

async fn favourite(who: &Person, status: &Value) {
    who.post(&format!("/api/v1/statuses/{}/favourite", id(status)), ()).await.ok();
}

fn kinds(answer: &Value) -> Vec<&str> {
    answer["notification_groups"].as_array().unwrap().iter().map(|g| text(g, "type")).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn number(value: &Value, name: &str) -> i64 {
    text(value, name).parse().unwrap()
}

/// Of the notifications of a list those that a page's group covers, by their own group keys.
fn covered(group: &Value, single: &Value) -> Vec<String> {
    let range = number(group, "page_min_id")..=number(group, "page_max_id");
    let own = |n: &&Value| n["group_key"] == group["group_key"] && range.contains(&number(n, "id"));
    single.as_array().unwrap().iter().filter(own).map(|n| id(n).to_owned()).collect()
}

/// Alice with a status that bob and carol favour, a follower, and a mention.
async fn busy(server: &TestServer) -> (Person, Person, Person, Value) {
    let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
    let posted = post(&alice, "look").await;
    favourite(&bob, &posted).await;
    follow(&bob, &alice).await;
    favourite(&carol, &posted).await;
    post(&carol, "@alice hello").await;
    (alice, bob, carol, posted)
}

testkit::on_both_engines! {
    async fn what_belongs_together_is_one_line(server: TestServer) {
        let (alice, bob, carol, posted) = busy(&server).await;
        let single = alice.get("/api/v1/notifications", ()).await.ok();
        let answer = alice.get("/api/v2/notifications", ()).await.ok();
        assert_eq!(keys(&answer), BTreeSet::from(["accounts", "statuses", "notification_groups"]));
        assert_eq!(kinds(&answer), ["mention", "favourite", "follow"]);
        let group = &answer["notification_groups"][1];
        let wanted = [
            "group_key", "notifications_count", "type", "most_recent_notification_id", "page_min_id", "page_max_id",
            "latest_page_notification_at", "sample_account_ids", "status_id",
        ];
        assert_eq!(keys(group), BTreeSet::from(wanted));
        assert_eq!(group["group_key"], single[1]["group_key"]);
        assert_eq!(group["notifications_count"], 2);
        assert_eq!(group["most_recent_notification_id"], single[1]["id"]);
        assert_eq!(group["page_max_id"], single[1]["id"]);
        assert_eq!(group["page_min_id"], single[3]["id"]);
        assert_eq!(group["latest_page_notification_at"], single[1]["created_at"]);
        assert_eq!(group["sample_account_ids"], json!([carol.account.to_string(), bob.account.to_string()]));
        assert_eq!(group["status_id"], posted["id"]);
        assert!(answer["notification_groups"][2].get("status_id").is_none());
        assert_eq!(ids(&answer["accounts"]), [carol.account.to_string(), bob.account.to_string()]);
        let mention = &answer["notification_groups"][0];
        assert_eq!(ids(&answer["statuses"]), [text(mention, "status_id"), id(&posted)]);
        assert_eq!(text(mention, "group_key"), format!("ungrouped-{}", id(&single[0])));
    }

    async fn accounts_may_be_partial(server: TestServer) {
        let (alice, bob, carol, posted) = busy(&server).await;
        let dave = server.person("dave").await;
        favourite(&dave, &posted).await;
        let answer = alice.get("/api/v2/notifications?expand_accounts=partial_avatars&types[]=favourite", ()).await.ok();
        assert_eq!(ids(&answer["accounts"]), [dave.account.to_string()]);
        assert_eq!(ids(&answer["partial_accounts"]), [carol.account.to_string(), bob.account.to_string()]);
        let wanted = ["id", "acct", "url", "avatar", "avatar_static", "avatar_description", "locked", "bot"];
        assert_eq!(keys(&answer["partial_accounts"][0]), BTreeSet::from(wanted));
        // Who is the latest of any group is whole.
        let answer = alice.get("/api/v2/notifications?expand_accounts=partial_avatars", ()).await.ok();
        assert_eq!(answer["partial_accounts"], json!([]));
        assert!(alice.get("/api/v2/notifications?expand_accounts=full", ()).await.ok().get("partial_accounts").is_none());
        alice.get("/api/v2/notifications?expand_accounts=none", ()).await.expect(400);
    }

    async fn clients_say_what_they_group(server: TestServer) {
        let (alice, ..) = busy(&server).await;
        let single = alice.get("/api/v1/notifications", ()).await.ok();
        let get = |query: &'static str| {
            let client: Client = (*alice).clone();
            async move { client.get(&format!("/api/v2/notifications{query}"), ()).await.ok() }
        };
        assert_eq!(kinds(&get("?grouped_types[]=favourite&grouped_types[]=mention").await), ["mention", "favourite", "follow"]);
        for query in ["?grouped_types[]=reblog", "?grouped_types[]=", "?grouped_types[]=nothing"] {
            let alone = get(query).await;
            assert_eq!(kinds(&alone), ["mention", "favourite", "follow", "favourite"], "{query}");
            assert_eq!(text(&alone["notification_groups"][1], "group_key"), format!("ungrouped-{}", id(&single[1])));
        }
        assert_eq!(get("/unread_count").await, json!({ "count": 3 }));
        assert_eq!(get("/unread_count?grouped_types[]=reblog").await, json!({ "count": 4 }));
        // A notification has the name that such a client knows, too.
        let path = format!("/api/v2/notifications/ungrouped-{}", id(&single[1]));
        let one = alice.get(&path, ()).await.ok();
        assert_eq!((kinds(&one), &one["notification_groups"][0]["notifications_count"]), (vec!["favourite"], &json!(1)));
        alice.post(&format!("{path}/dismiss"), ()).await.ok();
        alice.get(&path, ()).await.expect(404);
        assert_eq!(kinds(&get("").await), ["mention", "follow", "favourite"]);
    }

    async fn lists_are_filtered(server: TestServer) {
        let (alice, bob, _, posted) = busy(&server).await;
        let get = |query: String| {
            let client: Client = (*alice).clone();
            async move { client.get(&format!("/api/v2/notifications{query}"), ()).await.ok() }
        };
        assert_eq!(kinds(&get("?types[]=follow&types[]=poll".into()).await), ["follow"]);
        assert_eq!(kinds(&get("?exclude_types[]=follow".into()).await), ["mention", "favourite"]);
        let none = json!({ "accounts": [], "statuses": [], "notification_groups": [] });
        assert_eq!(get("?types[]=not.a.type".into()).await, none);
        let bobs = get(format!("?account_id={}", bob.account)).await;
        assert_eq!(kinds(&bobs), ["follow", "favourite"]);
        let group = &bobs["notification_groups"][1];
        assert_eq!((&group["notifications_count"], &group["sample_account_ids"]), (&json!(1), &json!([bob.account.to_string()])));
        assert_eq!(get(format!("/unread_count?account_id={}", bob.account)).await, json!({ "count": 2 }));
        let newest = get("?limit=1".into()).await["notification_groups"][0]["most_recent_notification_id"].clone();
        alice.post("/api/v1/markers", [("notifications[last_read_id]", newest.as_str().unwrap())]).await.ok();
        assert_eq!(get("/unread_count".into()).await, json!({ "count": 0 }));
        follow(&server.person("erin").await, &alice).await;
        favourite(&server.person("frank").await, &posted).await;
        assert_eq!(get("/unread_count".into()).await, json!({ "count": 2 }));
        assert_eq!(get("/unread_count?limit=1".into()).await, json!({ "count": 1 }));
    }

    async fn pages_follow_each_other(server: TestServer) {
        let alice = server.person("alice").await;
        let mut others = Vec::new();
        for name in ["bob", "carol", "dave"] {
            others.push(server.person(name).await);
        }
        let (one, two) = (post(&alice, "one").await, post(&alice, "two").await);
        for other in &others {
            favourite(other, &one).await;
            post(other, "@alice hello").await;
            favourite(other, &two).await;
            other.post(&format!("/api/v1/statuses/{}/reblog", id(&one)), ()).await.ok();
        }
        let single = alice.get("/api/v1/notifications", ()).await.ok();
        assert_eq!(single.as_array().unwrap().len(), 12);
        for limit in 1..=5 {
            let (mut seen, mut next) = (Vec::new(), Some(format!("/api/v2/notifications?limit={limit}")));
            let mut oldest = None;
            while let Some(path) = next {
                let page = alice.get(&path, ()).await;
                next = page.link("next");
                oldest = page.link("prev").or(oldest);
                let groups = page.ok()["notification_groups"].clone();
                assert!(groups.as_array().unwrap().len() <= limit);
                seen.extend(groups.as_array().unwrap().iter().flat_map(|g| covered(g, &single)));
            }
            seen.sort_unstable();
            let mut all = ids(&single);
            all.sort_unstable();
            assert_eq!(seen, all, "each exactly once, {limit} at a time");
            // And up again, from the last page's newest.
            let (mut up, mut path) = (0, oldest);
            while let Some(here) = path {
                let page = alice.get(&here, ()).await;
                path = page.link("prev");
                let groups = page.ok()["notification_groups"].clone();
                up += groups.as_array().unwrap().iter().map(|g| covered(g, &single).len()).sum::<usize>();
                assert!(up <= all.len());
            }
        }
        let mut seen = Vec::new();
        let mut path = "/api/v2/notifications?limit=2&min_id=1".to_owned();
        loop {
            let page = alice.get(&path, ()).await;
            let link = page.link("prev");
            seen.extend(page.ok()["notification_groups"].as_array().unwrap().iter().flat_map(|g| covered(g, &single)));
            let Some(link) = link else { break };
            path = link;
        }
        assert_eq!(seen.len(), 12);
        let newer = alice.get(&format!("/api/v2/notifications?since_id={}", id(&single[1])), ()).await.ok();
        assert_eq!(newer["notification_groups"].as_array().unwrap().len(), 1);
    }

    async fn one_group(server: TestServer) {
        let (alice, bob, carol, posted) = busy(&server).await;
        let list = alice.get("/api/v2/notifications", ()).await.ok();
        let path = format!("/api/v2/notifications/{}", text(&list["notification_groups"][1], "group_key"));
        let one = alice.get(&path, ()).await.ok();
        let group = &one["notification_groups"][0];
        assert_eq!((&group["notifications_count"], &group["status_id"]), (&json!(2), &posted["id"]));
        for absent in ["page_min_id", "page_max_id", "latest_page_notification_at"] {
            assert!(group.get(absent).is_none(), "{absent}");
        }
        assert_eq!(ids(&one["accounts"]).len(), 2);
        assert_eq!(ids(&one["statuses"]), [id(&posted)]);
        let people = alice.get(&format!("{path}/accounts?limit=1"), ()).await;
        let next = people.link("next").unwrap();
        assert_eq!(ids(&people.ok()), [carol.account.to_string()]);
        assert_eq!(ids(&alice.get(&next, ()).await.ok()), [bob.account.to_string()]);
        // Not theirs.
        bob.get(&path, ()).await.expect(404);
        bob.get(&format!("{path}/accounts"), ()).await.expect(404);
        assert_eq!(bob.post(&format!("{path}/dismiss"), ()).await.ok(), json!({}));
        assert_eq!(alice.post(&format!("{path}/dismiss"), ()).await.ok(), json!({}));
        alice.get(&path, ()).await.expect(404);
        assert_eq!(kinds(&alice.get("/api/v2/notifications", ()).await.ok()), ["mention", "follow"]);
        for garbage in ["ungrouped-x", "ungrouped-99999999999999999999", "%F0%9F%8D%A1", "a%2Fb", "favourite--"] {
            alice.get(&format!("/api/v2/notifications/{garbage}"), ()).await.expect(404);
            alice.get(&format!("/api/v2/notifications/{garbage}/accounts"), ()).await.expect(404);
        }
        alice.post("/api/v2/notifications/clear", ()).await.ok();
        assert_eq!(kinds(&alice.get("/api/v2/notifications", ()).await.ok()), Vec::<&str>::new());
    }

    async fn scopes(server: TestServer) {
        let alice = server.person("alice").await;
        let client = server.client();
        let read = client.with_token(&server.token(&alice, "read:notifications").await);
        let write = client.with_token(&server.token(&alice, "write:notifications").await);
        let other = client.with_token(&server.token(&alice, "read:statuses write:statuses").await);
        for path in ["", "/unread_count", "/policy", "/follow-1"] {
            let path = format!("/api/v2/notifications{path}");
            client.get(&path, ()).await.expect(401);
            other.get(&path, ()).await.expect(403);
            write.get(&path, ()).await.expect(403);
            assert_ne!(read.get(&path, ()).await.status, 403);
        }
        // The documentation asks for the scope to write, which a reader need not have.
        read.get("/api/v2/notifications/follow-1/accounts", ()).await.expect(404);
        write.get("/api/v2/notifications/follow-1/accounts", ()).await.expect(404);
        other.get("/api/v2/notifications/follow-1/accounts", ()).await.expect(403);
        read.post("/api/v2/notifications/follow-1/dismiss", ()).await.expect(403);
        read.patch("/api/v2/notifications/policy", ()).await.expect(403);
        write.post("/api/v2/notifications/follow-1/dismiss", ()).await.ok();
    }

    async fn nobody_who_is_suspended(server: TestServer) {
        let (alice, bob, carol, _) = busy(&server).await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE accounts SET suspended_at = 1 WHERE id = $1", &[&carol.account]).await.unwrap();
        tx.commit().await.unwrap();
        let answer = alice.get("/api/v2/notifications", ()).await.ok();
        assert_eq!(kinds(&answer), ["follow", "favourite"]);
        assert_eq!(answer["notification_groups"][1]["notifications_count"], 1);
        assert_eq!(ids(&answer["accounts"]), [bob.account.to_string()]);
        assert_eq!(alice.get("/api/v1/notifications/unread_count", ()).await.ok(), json!({ "count": 2 }));
    }
}
