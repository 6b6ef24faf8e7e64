//! /api/v1/tags, /api/v1/followed_tags, /api/v1/featured_tags, and what followed tags do to the home timeline

use crate::{follow, id, ids, post, post_as, text};
use domain::db::Ids;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn home(server: &TestServer, who: &Person) -> Vec<String> {
    let seen = ids(&who.get("/api/v1/timelines/home", ()).await.ok());
    domain::timelines::rebuild(server.db(), who.account).await.unwrap();
    let anew = ids(&who.get("/api/v1/timelines/home", ()).await.ok());
    assert_eq!(anew, seen, "a rebuild says something else");
    seen
}

async fn act(who: &Person, whom: &Person, what: &str) {
    who.post(&format!("/api/v1/accounts/{}/{what}", whom.account), ()).await.ok();
}

async fn tag(who: &Person, name: &str, what: &str) -> Value {
    who.post(&format!("/api/v1/tags/{name}/{what}"), ()).await.ok()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|tag| text(tag, "name")).collect()
}

/// Uses, and accounts on one day, of late: the day may turn while a test runs.
fn lately(tag: &Value) -> (u64, u64) {
    let of = |name: &str| [0, 1].map(|day| text(&tag["history"][day], name).parse::<u64>().unwrap());
    (of("uses").iter().sum(), of("accounts").into_iter().max().unwrap())
}

testkit::on_both_engines! {
    async fn a_tag_is_shown_with_its_week(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let unknown = server.client().get("/api/v1/tags/nobody", ()).await.ok();
        assert_eq!((text(&unknown, "id"), text(&unknown, "name")), ("", "nobody"));
        assert_eq!(unknown["url"], "https://noren.test/tags/nobody");
        assert!(unknown.get("following").is_none() && unknown.get("featuring").is_none());
        post(&alice, "#Ｃａｆé").await;
        post(&alice, "#CAFE again #cafe").await;
        let last = post(&bob, "#cafe").await;
        post_as(&bob, "#cafe quietly", "unlisted").await;
        post_as(&bob, "#cafe for few", "private").await;
        bob.delete(&format!("/api/v1/statuses/{}", id(&last)), ()).await.ok();
        let seen = alice.get("/api/v1/tags/%EF%BC%83CAF%C3%89", ()).await.ok();
        let keys: Vec<&String> = seen.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "name", "url", "history", "following", "featuring"]);
        assert_eq!(seen["url"], "https://noren.test/tags/cafe");
        assert_eq!((&seen["following"], &seen["featuring"]), (&json!(false), &json!(false)));
        assert_eq!(lately(&seen), (3, 2), "public uses, deleted ones too");
        let days: Vec<i64> = seen["history"].as_array().unwrap().iter().map(|d| text(d, "day").parse().unwrap()).collect();
        assert_eq!(days.len(), 7);
        assert!(days[0] % 86_400 == 0 && days.windows(2).all(|two| two[0] - two[1] == 86_400), "{days:?}");
        assert_eq!(text(&seen["history"][2], "uses"), "0");
        let by_id = alice.get(&format!("/api/v1/tags/{}", id(&seen)), ()).await.ok();
        assert_eq!(by_id, seen);
        for none in ["123", "a%20b", "%23", "a-b", "99999999999999999999", "%00", "%ff"] {
            assert_eq!(alice.get(&format!("/api/v1/tags/{none}"), ()).await.expect(404)["error"], "Record not found", "{none}");
            alice.post(&format!("/api/v1/tags/{none}/follow"), ()).await.expect(404);
            alice.post(&format!("/api/v1/tags/{none}/feature"), ()).await.expect(404);
        }
        let found = alice.get("/api/v2/search", [("q", "#caf")]).await.ok();
        assert_eq!(found["hashtags"], json!([seen]));
    }

    async fn tags_are_followed_and_listed(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        for name in ["one", "two", "three"] {
            let followed = tag(&alice, name, "follow").await;
            assert_eq!((text(&followed, "name"), &followed["following"]), (name, &json!(true)));
        }
        let again = tag(&alice, "ONE", "follow").await;
        assert_eq!((text(&again, "name"), &again["following"]), ("one", &json!(true)));
        let listed = alice.get("/api/v1/followed_tags", ()).await.ok();
        assert_eq!(names(&listed), ["three", "two", "one"]);
        assert_eq!(listed[0], alice.get("/api/v1/tags/three", ()).await.ok());
        assert_eq!(bob.get("/api/v1/tags/one", ()).await.ok()["following"], json!(false));
        assert_eq!(bob.get("/api/v1/followed_tags", ()).await.ok(), json!([]));
        let first = alice.get("/api/v1/followed_tags?limit=2", ()).await;
        let second = alice.get(&first.link("next").unwrap(), ()).await;
        assert_eq!((names(&first.json), names(&second.json)), (vec!["three", "two"], vec!["one"]));
        assert!(second.link("next").is_none());
        let up = alice.get(&second.link("prev").unwrap(), ()).await.ok();
        assert_eq!(names(&up), ["three", "two"]);
        let ended = tag(&alice, "two", "unfollow").await;
        assert_eq!((text(&ended, "name"), &ended["following"]), ("two", &json!(false)));
        assert_eq!(tag(&alice, "never", "unfollow").await["following"], json!(false));
        assert_eq!(names(&alice.get("/api/v1/followed_tags", ()).await.ok()), ["three", "one"]);
        let narrow = alice.with_token(&server.token(&alice, "read:statuses write:statuses").await);
        narrow.get("/api/v1/followed_tags", ()).await.expect(403);
        narrow.get("/api/v1/tags/one", ()).await.ok();
        for what in ["follow", "unfollow", "feature", "unfeature"] {
            narrow.post(&format!("/api/v1/tags/one/{what}"), ()).await.expect(403);
            server.client().post(&format!("/api/v1/tags/one/{what}"), ()).await.expect(401);
        }
        server.client().get("/api/v1/followed_tags", ()).await.expect(401);
    }

    async fn a_thousand_at_most(server: TestServer) {
        let alice = server.person("alice").await;
        let tx = server.db().begin().await.unwrap();
        let thousand = Ids::raw(1..=1000);
        let tags = "INSERT INTO tags (id, name, display_name, created_at) SELECT e.value, 'n' || e.value, 'x', 0 \
            FROM unnest($1::bigint[]) AS e(value)";
        tx.exec(tags, &[&thousand]).await.unwrap();
        let followed = "INSERT INTO followed_tags (id, account_id, tag_id) SELECT e.value, $2::bigint, e.value \
            FROM unnest($1::bigint[]) AS e(value)";
        tx.exec(followed, &[&thousand, &alice.account]).await.unwrap();
        tx.commit().await.unwrap();
        let error = alice.post("/api/v1/tags/more/follow", ()).await.expect(422);
        assert_eq!(error["error"], "Validation failed: You cannot follow more than 1000 hashtags");
        assert_eq!(tag(&alice, "n7", "follow").await["following"], json!(true));
        tag(&alice, "n7", "unfollow").await;
        tag(&alice, "more", "follow").await;
        let page = alice.get("/api/v1/followed_tags?limit=500", ()).await.ok();
        assert_eq!(page.as_array().unwrap().len(), 200);
    }
}

testkit::on_both_engines! {
    async fn followed_tags_bring_public_posts_home(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let early = post(&bob, "#cats early").await;
        tag(&alice, "cats", "follow").await;
        assert_eq!(home(&server, &alice).await, [id(&early)], "the latest come along");
        let late = post(&bob, "#CATS and #dogs").await;
        let mine = post(&alice, "#cats of mine").await;
        post(&bob, "#dogs").await;
        post(&bob, "no tag").await;
        post_as(&bob, "#cats quietly", "unlisted").await;
        post_as(&bob, "#cats for few", "private").await;
        post_as(&bob, "#cats for @carol", "direct").await;
        carol.post(&format!("/api/v1/statuses/{}/reblog", id(&late)), ()).await.ok();
        let here = [id(&mine), id(&late), id(&early)];
        assert_eq!(home(&server, &alice).await, here);
        tag(&alice, "dogs", "follow").await;
        tag(&alice, "cats", "unfollow").await;
        assert_eq!(home(&server, &alice).await.len(), 3, "mine, and two with dogs");
        tag(&alice, "dogs", "unfollow").await;
        assert_eq!(home(&server, &alice).await, [id(&mine)]);
        // Those one follows stay.
        follow(&alice, &bob).await;
        tag(&alice, "cats", "follow").await;
        tag(&alice, "cats", "unfollow").await;
        assert_eq!(home(&server, &alice).await.len(), 7);
        // And what a tag brings stays when one stops following its author.
        tag(&alice, "cats", "follow").await;
        act(&alice, &bob, "unfollow").await;
        assert_eq!(home(&server, &alice).await, here);
        bob.delete(&format!("/api/v1/statuses/{}", id(&late)), ()).await.ok();
        assert_eq!(home(&server, &alice).await, [id(&mine), id(&early)]);
    }

    async fn nobody_unwanted_comes_by_a_tag(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let (carol, dave) = (server.person("carol").await, server.person("dave").await);
        tag(&alice, "cats", "follow").await;
        let before = post(&bob, "#cats before").await;
        assert_eq!(home(&server, &alice).await, [id(&before)]);
        act(&alice, &bob, "mute").await;
        assert_eq!(home(&server, &alice).await, [""; 0]);
        act(&carol, &alice, "block").await;
        act(&alice, &dave, "block").await;
        for who in [&bob, &carol, &dave] {
            post(who, "#cats").await;
        }
        assert_eq!(home(&server, &alice).await, [""; 0]);
        // Who is in an exclusive list is read there.
        let erin = server.person("erin").await;
        follow(&alice, &erin).await;
        let list = alice.post("/api/v1/lists", [("title", "x"), ("exclusive", "true")]).await.ok();
        alice.post(&format!("/api/v1/lists/{}/accounts", id(&list)), [("account_ids[]", erin.account)]).await.ok();
        let posted = post(&erin, "#cats").await;
        assert_eq!(home(&server, &alice).await, [""; 0]);
        alice.delete(&format!("/api/v1/lists/{}", id(&list)), ()).await.ok();
        assert_eq!(home(&server, &alice).await, [id(&posted)]);
        // An edit that adds the tag brings it, too.
        let frank = server.person("frank").await;
        let plain = post(&frank, "plain").await;
        frank.put(&format!("/api/v1/statuses/{}", id(&plain)), [("status", "with #cats")]).await.ok();
        assert_eq!(home(&server, &alice).await, [id(&plain), id(&posted)]);
    }
}

testkit::on_both_engines! {
    async fn tags_are_featured(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        post(&alice, "#cats").await;
        let second = post_as(&alice, "#Cats #dogs", "unlisted").await;
        post_as(&alice, "#cats for few", "private").await;
        post(&bob, "#cats").await;
        let made = alice.post("/api/v1/featured_tags", [("name", "#Cats")]).await.ok();
        let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "name", "url", "statuses_count", "last_status_at"]);
        assert_eq!((text(&made, "name"), text(&made, "statuses_count")), ("Cats", "2"));
        assert_eq!(text(&made, "last_status_at"), &text(&second, "created_at")[..10]);
        assert_eq!(alice.post("/api/v1/featured_tags", [("name", "cats")]).await.ok(), made);
        let empty = alice.post("/api/v1/featured_tags", [("name", "empty")]).await.ok();
        assert_eq!((text(&empty, "statuses_count"), &empty["last_status_at"]), ("0", &Value::Null));
        assert_eq!(alice.get("/api/v1/featured_tags", ()).await.ok(), json!([made, empty]));
        let public = format!("/api/v1/accounts/{}/featured_tags", alice.account);
        assert_eq!(server.client().get(&public, ()).await.ok(), json!([made, empty]));
        assert_eq!(bob.get("/api/v1/featured_tags", ()).await.ok(), json!([]));
        server.client().get("/api/v1/accounts/1/featured_tags", ()).await.expect(404);
        assert_eq!(alice.get("/api/v1/tags/cats", ()).await.ok()["featuring"], json!(true));
        alice.delete(&format!("/api/v1/statuses/{}", id(&second)), ()).await.ok();
        assert_eq!(alice.get("/api/v1/featured_tags", ()).await.ok()[0]["statuses_count"], "1");
        let one = format!("/api/v1/featured_tags/{}", id(&made));
        assert_eq!(bob.delete(&one, ()).await.expect(404)["error"], "Record not found");
        assert_eq!(alice.delete(&one, ()).await.ok(), json!({}));
        alice.delete(&one, ()).await.expect(404);
        alice.delete("/api/v1/featured_tags/x", ()).await.expect(404);
        assert_eq!(tag(&alice, "cats", "feature").await["featuring"], json!(true));
        let by_id = id(&alice.get("/api/v1/tags/cats", ()).await.ok()).to_owned();
        assert_eq!(tag(&alice, &by_id, "unfeature").await["featuring"], json!(false));
        assert_eq!(tag(&alice, "never", "unfeature").await["featuring"], json!(false));
        assert_eq!(names(&alice.get("/api/v1/featured_tags", ()).await.ok()), ["empty"]);
    }

    async fn what_cannot_be_featured(server: TestServer) {
        let alice = server.person("alice").await;
        for invalid in ["123", "a b", "#", "no-tag"] {
            let error = alice.post("/api/v1/featured_tags", [("name", invalid)]).await.expect(422);
            assert_eq!(error["error"], "Validation failed: Tag is invalid", "{invalid}");
        }
        for missing in [json!({}), json!({ "name": "" })] {
            let error = alice.post("/api/v1/featured_tags", missing).await.expect(400);
            assert_eq!(error["error"], "param is missing or the value is empty: name");
        }
        for n in 0..10 {
            alice.post("/api/v1/featured_tags", [("name", format!("tag{n}"))]).await.ok();
        }
        let error = alice.post("/api/v1/featured_tags", [("name", "more")]).await.expect(422);
        assert_eq!(error["error"], "Validation failed: You have already featured the maximum number of hashtags");
        alice.post("/api/v1/tags/more/feature", ()).await.expect(422);
        alice.post("/api/v1/featured_tags", [("name", "tag3")]).await.ok();
        let listed = alice.get("/api/v1/featured_tags", ()).await.ok();
        assert_eq!(listed.as_array().unwrap().len(), 10);
        let instance = server.client().get("/api/v2/instance", ()).await.ok();
        assert_eq!(instance["configuration"]["accounts"]["max_featured_tags"], 10);
        let narrow = alice.with_token(&server.token(&alice, "read:statuses write:statuses").await);
        narrow.get("/api/v1/featured_tags", ()).await.expect(403);
        narrow.get("/api/v1/featured_tags/suggestions", ()).await.expect(403);
        narrow.post("/api/v1/featured_tags", [("name", "x")]).await.expect(403);
        narrow.delete("/api/v1/featured_tags/1", ()).await.expect(403);
        server.client().get("/api/v1/featured_tags", ()).await.expect(401);
    }

    async fn what_one_uses_most_is_suggested(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        for words in ["#one #two #three", "#two #three", "#three"] {
            post(&alice, words).await;
        }
        post(&bob, "#four").await;
        post_as(&alice, "#secret #secret2", "private").await;
        let path = "/api/v1/featured_tags/suggestions";
        let suggested = alice.get(path, ()).await.ok();
        assert_eq!(names(&suggested), ["three", "two", "one"]);
        assert_eq!(lately(&suggested[0]), (3, 1));
        alice.post("/api/v1/featured_tags", [("name", "two")]).await.ok();
        assert_eq!(names(&alice.get(path, ()).await.ok()), ["three", "one"]);
    }
}
