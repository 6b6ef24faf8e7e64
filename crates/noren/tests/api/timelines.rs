//! /api/v1/timelines

use crate::{follow, id, ids, post, post_as};
use serde_json::json;
use testkit::TestServer;

testkit::on_both_engines! {
    async fn home_has_whom_one_follows_and_oneself(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let before = post(&alice, "before the follow").await;
        follow(&bob, &alice).await;
        let from_alice = post(&alice, "to my followers").await;
        let private = post_as(&alice, "only to my followers", "private").await;
        post(&carol, "a stranger").await;
        let own = post(&bob, "my own").await;
        let to_stranger = post(&carol, "first").await;
        alice.post("/api/v1/statuses", [("status", "@carol a reply to a stranger"), ("in_reply_to_id", id(&to_stranger))]).await.ok();
        let home = ids(&bob.get("/api/v1/timelines/home", ()).await.ok());
        assert_eq!(home, [id(&own), id(&private), id(&from_alice), id(&before)]);
        bob.post(&format!("/api/v1/accounts/{}/unfollow", alice.account), ()).await.ok();
        assert_eq!(ids(&bob.get("/api/v1/timelines/home", ()).await.ok()), [id(&own)]);
    }

    async fn boosts_come_along_unless_unwanted(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&bob, &alice).await;
        let posted = post(&carol, "boost me").await;
        let boost = alice.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        assert_eq!(boost["reblog"]["id"], posted["id"]);
        let home = bob.get("/api/v1/timelines/home", ()).await.ok();
        assert_eq!(home[0]["reblog"]["account"]["acct"], "carol");
        assert_eq!(home[0]["account"]["acct"], "alice");
        bob.post(&format!("/api/v1/accounts/{}/block", carol.account), ()).await.ok();
        assert_eq!(bob.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
        bob.post(&format!("/api/v1/accounts/{}/unblock", carol.account), ()).await.ok();
        bob.post(&format!("/api/v1/accounts/{}/follow", alice.account), [("reblogs", "false")]).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/unreblog", id(&posted)), ()).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        assert_eq!(bob.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
    }

    async fn pages_go_both_ways_without_gaps(server: TestServer) {
        let alice = server.person("alice").await;
        let mut all = Vec::new();
        for n in 0..11 {
            all.push(id(&post(&alice, &format!("post {n}")).await).to_owned());
        }
        all.reverse();
        let mut seen = Vec::new();
        let mut next = Some("/api/v1/timelines/home?limit=4".to_owned());
        let mut last = None;
        while let Some(path) = next {
            let page = alice.get(&path, ()).await;
            next = page.link("next");
            let got = ids(&page.json);
            if !got.is_empty() {
                last = page.link("prev");
            }
            seen.extend(got);
        }
        assert_eq!(seen, all);
        // Up again: min_id gives the neighbours, newest first.
        let up = alice.get(&last.unwrap(), ()).await;
        assert_eq!(ids(&up.json), all[4..8]);
        let since = alice.get("/api/v1/timelines/home", [("since_id", all[5].as_str()), ("limit", "2")]).await.ok();
        assert_eq!(ids(&since), all[..2]);
        let between = alice.get("/api/v1/timelines/home", [("min_id", all[8].as_str()), ("max_id", all[2].as_str())]).await.ok();
        assert_eq!(ids(&between), all[3..8]);
        let clamped = alice.get("/api/v1/timelines/home", [("limit", "-3")]).await.ok();
        assert_eq!(clamped.as_array().unwrap().len(), 3);
    }

    async fn public_has_public_posts_only(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let open = post(&alice, "for all").await;
        post_as(&alice, "quiet", "unlisted").await;
        post_as(&alice, "followers", "private").await;
        post_as(&alice, "@bob you", "direct").await;
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&open)), ()).await.ok();
        for query in ["", "?local=true"] {
            let seen = server.client().get(&format!("/api/v1/timelines/public{query}"), ()).await.ok();
            assert_eq!(ids(&seen), [id(&open)], "{query}");
        }
        assert_eq!(server.client().get("/api/v1/timelines/public", [("remote", "true")]).await.ok(), json!([]));
        assert_eq!(server.client().get("/api/v1/timelines/public", [("only_media", "true")]).await.ok(), json!([]));
        bob.post(&format!("/api/v1/accounts/{}/mute", alice.account), ()).await.ok();
        assert_eq!(bob.get("/api/v1/timelines/public", ()).await.ok(), json!([]));
    }

    async fn hashtags_any_all_none(server: TestServer) {
        let alice = server.person("alice").await;
        let one = post(&alice, "#東京 の空").await;
        let two = post(&alice, "#東京 #Ｃａｆｅ").await;
        let three = post(&alice, "#cafe #静か").await;
        let tag = |query: &'static str| {
            let client = server.client().clone();
            async move { ids(&client.get(&format!("/api/v1/timelines/tag/{query}"), ()).await.ok()) }
        };
        assert_eq!(tag("東京").await, [id(&two), id(&one)]);
        assert_eq!(tag("CAFE").await, [id(&three), id(&two)]);
        assert_eq!(tag("東京?any[]=cafe").await, [id(&three), id(&two), id(&one)]);
        assert_eq!(tag("東京?all[]=cafe").await, [id(&two)]);
        assert_eq!(tag("東京?none[]=cafe").await, [id(&one)]);
        assert_eq!(tag("nobody").await, [""; 0]);
    }

    async fn a_profile_shows_what_is_asked_for(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let plain = post(&alice, "plain #tag").await;
        let other = post(&bob, "other").await;
        let reply = alice.post("/api/v1/statuses", [("status", "@bob reply"), ("in_reply_to_id", id(&other))]).await.ok();
        let boost = alice.post(&format!("/api/v1/statuses/{}/reblog", id(&other)), ()).await.ok();
        let path = format!("/api/v1/accounts/{}/statuses", alice.account);
        let get = |query: &'static str| {
            let (client, path) = (server.client().clone(), path.clone());
            async move { ids(&client.get(&format!("{path}{query}"), ()).await.ok()) }
        };
        assert_eq!(get("").await, [id(&boost), id(&reply), id(&plain)]);
        assert_eq!(get("?exclude_replies=true").await, [id(&boost), id(&plain)]);
        assert_eq!(get("?exclude_reblogs=1").await, [id(&reply), id(&plain)]);
        assert_eq!(get("?tagged=TAG").await, [id(&plain)]);
        assert_eq!(get("?only_media=true").await, [""; 0]);
    }

    async fn a_feed_can_be_made_anew(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        follow(&bob, &alice).await;
        let (one, two) = (post(&alice, "one").await, post(&bob, "two").await);
        let before = ids(&bob.get("/api/v1/timelines/home", ()).await.ok());
        assert_eq!(before, [id(&two), id(&one)]);
        let viewer = bob.account;
        domain::timelines::rebuild(server.db(), viewer).await.unwrap();
        assert_eq!(ids(&bob.get("/api/v1/timelines/home", ()).await.ok()), before);
    }
}

testkit::on_both_engines! {
    async fn boosts_by_others_stay_after_an_unfollow(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&bob, &alice).await;
        follow(&bob, &carol).await;
        let posted = post(&carol, "boosted by a friend").await;
        let boost = alice.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        bob.post(&format!("/api/v1/accounts/{}/unfollow", carol.account), ()).await.ok();
        assert_eq!(ids(&bob.get("/api/v1/timelines/home", ()).await.ok()), [id(&boost)]);
        bob.post(&format!("/api/v1/accounts/{}/mute", carol.account), ()).await.ok();
        assert_eq!(bob.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
    }
}
