//! Posts, their edits and their end, as another server sees them.

use crate::{find, follow, home, id, notifications, post_as, search, text};
use serde_json::{Value, json};
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn posts_reach_followers_and_nobody_else(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        follow((&bob, &b), (&alice, &a)).await;
        for visibility in ["public", "unlisted", "private"] {
            post_as(&alice, &format!("a {visibility} thing #tea"), visibility).await;
        }
        post_as(&alice, "a direct thing for nobody", "direct").await;
        settle_all(&[&a, &b]).await;
        let seen = home(&bob).await;
        let shown: Vec<(String, &str)> = seen.iter().map(|s| (text(s), s["visibility"].as_str().unwrap())).collect();
        assert_eq!(shown, [
            ("a private thing #tea".to_owned(), "private"),
            ("a unlisted thing #tea".to_owned(), "unlisted"),
            ("a public thing #tea".to_owned(), "public"),
        ]);
        let public = &seen[2];
        assert_eq!(public["account"]["acct"], a.handle("alice"));
        assert_eq!(public["tags"][0]["name"], "tea");
        let base = &a.parts().site.base_url;
        assert!(public["uri"].as_str().unwrap().starts_with(&format!("{base}/users/alice/statuses/")));
        assert!(public["url"].as_str().unwrap().starts_with(&format!("{base}/@alice/")));
        // On the same server, but no follower.
        for status in &seen {
            let reply = carol.get(&format!("/api/v1/statuses/{}", id(status)), ()).await;
            assert_eq!(reply.status, if status["visibility"] == "private" { 404 } else { 200 });
        }
        let remote = bob.get("/api/v1/timelines/public", [("remote", "true")]).await.ok();
        assert_eq!(remote.as_array().unwrap().len(), 1);
        assert_eq!(bob.get("/api/v1/timelines/public", [("local", "true")]).await.ok(), json!([]));
    }

    async fn direct_posts_reach_those_they_name(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        follow((&carol, &b), (&alice, &a)).await;
        find(&alice, &b.handle("bob")).await;
        post_as(&alice, &format!("@{} psst", b.handle("bob")), "direct").await;
        settle_all(&[&a, &b]).await;
        let talks = bob.get("/api/v1/conversations", ()).await.ok();
        assert_eq!(text(&talks[0]["last_status"]), "@bob psst");
        assert_eq!(talks[0]["accounts"][0]["acct"], a.handle("alice"));
        let status = id(&talks[0]["last_status"]).to_owned();
        assert_eq!(carol.get(&format!("/api/v1/statuses/{status}"), ()).await.status, 404);
        assert_eq!(home(&carol).await.len(), 0);

        // And the answer goes back into the same conversation.
        let answer = [("status", format!("@{} what?", a.handle("alice"))), ("visibility", "direct".into()), ("in_reply_to_id", status)];
        bob.post("/api/v1/statuses", answer).await.ok();
        settle_all(&[&a, &b]).await;
        let talks = alice.get("/api/v1/conversations", ()).await.ok();
        assert_eq!(talks.as_array().unwrap().len(), 1);
        assert_eq!(text(&talks[0]["last_status"]), "@alice what?");
    }

    async fn how_many_messages_somebody_writes_is_told_to_nobody(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let words = format!("@{} psst", b.handle("bob"));
        find(&alice, &b.handle("bob")).await;
        let message = post_as(&alice, &words, "direct").await;
        settle_all(&[&a, &b]).await;
        let counted = |account: &Value| (account["statuses_count"].clone(), account["last_status_at"].is_null());
        let here = alice.get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        let there = find(&bob, &a.handle("alice")).await;
        settle_all(&[&a, &b]).await;
        assert_eq!((counted(&here), counted(&there)), ((json!(0), true), (json!(0), true)));
        let outbox = async || {
            let url = format!("{}/outbox", a.parts().site.actor_uri("alice"));
            let asked = a.client().request(http_get(), &url).header("accept", "application/activity+json");
            a.client().send(asked).await.ok()["totalItems"].clone()
        };
        assert_eq!(outbox().await, 0);
        // Neither when it goes; other posts count.
        post_as(&alice, &words, "private").await;
        alice.delete(&format!("/api/v1/statuses/{}", id(&message)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let there = find(&bob, &a.handle("alice")).await;
        assert_eq!((outbox().await, counted(&there)), (json!(1), (json!(1), false)));
    }

    async fn that_somebody_answered_in_private_is_told_to_nobody_else(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "a question", "public").await;
        let found = search(&bob, posted["url"].as_str().unwrap()).await;
        let there = id(&found["statuses"][0]).to_owned();
        let answer = async |visibility: &str| {
            let words = format!("@{} an answer", a.handle("alice"));
            let form = [("status", words), ("in_reply_to_id", there.clone()), ("visibility", visibility.to_owned())];
            let made = bob.post("/api/v1/statuses", form).await.ok();
            settle_all(&[&a, &b]).await;
            id(&made).to_owned()
        };
        let counted = async || {
            let here = a.client().get(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
            let there = b.client().get(&format!("/api/v1/statuses/{there}"), ()).await.ok();
            (here["replies_count"].as_i64().unwrap(), there["replies_count"].as_i64().unwrap(), text(&there))
        };
        let secret = answer("direct").await;
        answer("private").await;
        assert_eq!(counted().await, (0, 0, "a question".to_owned()));
        // Whoever answered has the post, and gets its edits.
        alice.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "another question")]).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(counted().await, (0, 0, "another question".to_owned()));
        answer("unlisted").await;
        bob.delete(&format!("/api/v1/statuses/{secret}"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(counted().await, (1, 1, "another question".to_owned()));
    }

    async fn edits_arrive_with_their_history(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        follow((&bob, &b), (&alice, &a)).await;
        let posted = post_as(&alice, "first", "public").await;
        settle_all(&[&a, &b]).await;
        let there = id(&home(&bob).await[0]).to_owned();
        alice.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "second"), ("spoiler_text", "cw")]).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = bob.get(&format!("/api/v1/statuses/{there}"), ()).await.ok();
        assert_eq!((text(&seen), &seen["spoiler_text"]), ("second".to_owned(), &json!("cw")));
        assert!(seen["edited_at"].is_string());
        let history = bob.get(&format!("/api/v1/statuses/{there}/history"), ()).await.ok();
        let texts: Vec<String> = history.as_array().unwrap().iter().map(text).collect();
        assert_eq!(texts, ["first", "second"]);
    }

    async fn deleted_posts_go(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        follow((&bob, &b), (&alice, &a)).await;
        let posted = post_as(&alice, "soon gone", "public").await;
        settle_all(&[&a, &b]).await;
        let there = id(&home(&bob).await[0]).to_owned();
        alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(bob.get(&format!("/api/v1/statuses/{there}"), ()).await.status, 404);
        assert_eq!(home(&bob).await.len(), 0);
        // Nor does it come back.
        assert_eq!(search(&bob, posted["uri"].as_str().unwrap()).await["statuses"], json!([]));
        let document = a.client().request(http_get(), posted["uri"].as_str().unwrap()).header("accept", "application/activity+json");
        assert_eq!(a.client().send(document).await.status, 410);
    }

    async fn replies_arrive_with_what_they_answer(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "a question", "public").await;
        let found = search(&bob, posted["url"].as_str().unwrap()).await;
        let there = id(&found["statuses"][0]).to_owned();
        let answer = [("status", format!("@{} an answer", a.handle("alice"))), ("in_reply_to_id", there.clone())];
        bob.post("/api/v1/statuses", answer).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(notifications(&alice).await, [("mention".to_owned(), b.handle("bob"))]);
        let context = alice.get(&format!("/api/v1/statuses/{}/context", id(&posted)), ()).await.ok();
        assert_eq!(text(&context["descendants"][0]), "@alice an answer");
        let shown = a.client().get(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        assert_eq!(shown["replies_count"], 1);

        // The answer of somebody unknown brings the whole thread along.
        let carol = b.person("carol").await;
        let thread = post_as(&alice, "one", "public").await;
        let second = alice.post("/api/v1/statuses", [("status", "two"), ("in_reply_to_id", id(&thread))]).await.ok();
        let found = search(&carol, second["uri"].as_str().unwrap()).await;
        let context = carol.get(&format!("/api/v1/statuses/{}/context", id(&found["statuses"][0])), ()).await.ok();
        assert_eq!(text(&context["ancestors"][0]), "one");
    }

    async fn polls_can_be_voted_in_from_elsewhere(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        follow((&bob, &b), (&alice, &a)).await;
        let poll = json!({ "status": "tea?", "poll": { "options": ["yes", "no"], "expires_in": 3600 } });
        let posted = alice.post("/api/v1/statuses", poll).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = home(&bob).await[0].clone();
        let titles: Vec<&Value> = seen["poll"]["options"].as_array().unwrap().iter().map(|o| &o["title"]).collect();
        assert_eq!(titles, ["yes", "no"]);
        bob.post(&format!("/api/v1/polls/{}/votes", id(&seen["poll"])), json!({ "choices": [1] })).await.ok();
        settle_all(&[&a, &b]).await;
        let counted = alice.get(&format!("/api/v1/polls/{}", id(&posted["poll"])), ()).await.ok();
        assert_eq!((&counted["options"][1]["votes_count"], &counted["votes_count"]), (&json!(1), &json!(1)));
        // The numbers are told, in a while.
        let carol = a.person("carol").await;
        carol.post(&format!("/api/v1/polls/{}/votes", id(&posted["poll"])), json!({ "choices": [0] })).await.ok();
        assert_eq!(home(&bob).await[0]["poll"]["votes_count"], 1);
        let tx = a.db().begin().await.unwrap();
        tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%poll_counted%'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        a.db().wake().ring();
        settle_all(&[&a, &b]).await;
        let known = home(&bob).await[0]["poll"].clone();
        assert_eq!((&known["votes_count"], &known["options"][0]["votes_count"]), (&json!(2), &json!(1)));
        // A vote is no reply.
        let context = alice.get(&format!("/api/v1/statuses/{}/context", id(&posted)), ()).await.ok();
        assert_eq!(context["descendants"], json!([]));
    }
}

fn http_get() -> reqwest::Method {
    reqwest::Method::GET
}
