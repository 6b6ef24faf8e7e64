//! /api/v1/statuses

mod markdown;
mod quotes;
mod reactions;

use crate::{follow, id, ids, post, post_as, text};
use serde_json::json;
use testkit::TestServer;

testkit::on_both_engines! {
    async fn a_post_can_be_read_back(server: TestServer) {
        let alice = server.person("alice").await;
        let posted = post(&alice, "Hello #Noren, hello @alice: https://example.com/a/rather/long/path/to/something\n\n二段落目 :blobcat:").await;
        let read = server.client().get(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        let content = text(&read, "content");
        assert!(content.contains(r#"<a href="https://noren.test/tags/Noren" class="mention hashtag" rel="tag">#<span>Noren</span></a>"#), "{content}");
        assert!(content.contains(r#"class="u-url mention">@<span>alice</span></a>"#), "{content}");
        assert!(content.contains(r#"<span class="invisible">https://</span><span class="ellipsis">example.com/a/rather/long/path"#), "{content}");
        assert!(content.contains("<p>二段落目 :blobcat:</p>"), "{content}");
        assert_eq!(read["tags"], json!([{ "name": "noren", "url": "https://noren.test/tags/noren" }]));
        assert_eq!(read["mentions"][0]["acct"], "alice");
        assert_eq!(text(&read, "spoiler_text"), "");
        assert_eq!(read["poll"], json!(null));
        assert_eq!(read["card"], json!(null));
        assert!(read.get("favourited").is_none(), "flags come with a user's token only");
        assert_eq!(posted["favourited"], json!(false));
        assert_eq!(posted["pinned"], json!(false));
        assert_eq!(posted["filtered"], json!([]));
    }

    async fn the_entity_has_every_documented_attribute(server: TestServer) {
        let alice = server.person("alice").await;
        let posted = post(&alice, "whole").await;
        for name in [
            "id", "uri", "created_at", "account", "content", "visibility", "sensitive", "spoiler_text", "media_attachments",
            "application", "mentions", "tags", "emojis", "reblogs_count", "favourites_count", "quotes_count", "replies_count",
            "url", "in_reply_to_id", "in_reply_to_account_id", "reblog", "poll", "card", "language", "edited_at", "quote",
            "quote_approval", "favourited", "reblogged", "muted", "bookmarked", "pinned", "filtered", "tagged_collections",
        ] {
            // The test's token belongs to no app, so there is no application to name.
            assert!(posted.get(name).is_some() || name == "application", "{name} is missing in {posted:#}");
        }
        let account = &posted["account"];
        for name in [
            "id", "username", "acct", "url", "uri", "display_name", "note", "avatar", "avatar_static", "header", "header_static",
            "locked", "fields", "emojis", "bot", "group", "discoverable", "indexable", "created_at", "last_status_at",
            "statuses_count", "followers_count", "following_count", "hide_collections",
        ] {
            assert!(account.get(name).is_some(), "account.{name} is missing in {account:#}");
        }
        assert!(text(account, "created_at").ends_with("T00:00:00.000Z"));
        assert_eq!(text(&posted, "created_at").len(), 24);
    }

    async fn replies_make_a_conversation(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let first = post(&alice, "first").await;
        let reply = bob.post("/api/v1/statuses", [("status", "@alice second"), ("in_reply_to_id", id(&first))]).await.ok();
        let third = alice.post("/api/v1/statuses", [("status", "@bob third"), ("in_reply_to_id", id(&reply))]).await.ok();
        assert_eq!(reply["in_reply_to_account_id"], first["account"]["id"]);
        let context = server.client().get(&format!("/api/v1/statuses/{}/context", id(&reply)), ()).await.ok();
        assert_eq!(ids(&context["ancestors"]), [id(&first)]);
        assert_eq!(ids(&context["descendants"]), [id(&third)]);
        let again = alice.get(&format!("/api/v1/statuses/{}", id(&first)), ()).await.ok();
        assert_eq!(again["replies_count"], 1);
    }

    async fn marks_are_counted_once_and_taken_back(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = post(&alice, "mark me").await;
        let path = format!("/api/v1/statuses/{}", id(&posted));
        for (set, unset, flag, count) in [
            ("favourite", "unfavourite", "favourited", "favourites_count"),
            ("bookmark", "unbookmark", "bookmarked", ""),
            ("reblog", "unreblog", "reblogged", "reblogs_count"),
        ] {
            for _ in 0..2 {
                bob.post(&format!("{path}/{set}"), ()).await.ok();
            }
            let seen = bob.get(&path, ()).await.ok();
            assert_eq!(seen[flag], true, "{set}");
            assert!(count.is_empty() || seen[count] == 1, "{set}: {seen:#}");
            for _ in 0..2 {
                bob.post(&format!("{path}/{unset}"), ()).await.ok();
            }
            let seen = bob.get(&path, ()).await.ok();
            assert_eq!(seen[flag], false, "{unset}");
            assert!(count.is_empty() || seen[count] == 0, "{unset}: {seen:#}");
        }
    }

    async fn favouriters_and_boosters_are_listed_page_by_page(server: TestServer) {
        let alice = server.person("alice").await;
        let posted = post(&alice, "popular").await;
        for name in ["bob", "carol", "dave"] {
            let person = server.person(name).await;
            person.post(&format!("/api/v1/statuses/{}/favourite", id(&posted)), ()).await.ok();
            person.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        }
        for list in ["favourited_by", "reblogged_by"] {
            let mut seen = Vec::new();
            let mut next = Some(format!("/api/v1/statuses/{}/{list}?limit=2", id(&posted)));
            while let Some(path) = next {
                let page = alice.get(&path, ()).await;
                next = page.link("next");
                seen.extend(page.ok().as_array().unwrap().iter().map(|a| text(a, "acct").to_owned()));
            }
            assert_eq!(seen, ["dave", "carol", "bob"], "{list}");
        }
        let mine = alice.get("/api/v1/favourites", ()).await.ok();
        assert_eq!(mine, json!([]));
    }

    async fn an_edit_keeps_history_and_removes_what_it_leaves_out(server: TestServer) {
        let alice = server.person("alice").await;
        let posted = alice
            .post("/api/v1/statuses", json!({ "status": "before #one", "poll": { "options": ["a", "b"], "expires_in": 3600 } }))
            .await
            .ok();
        assert!(posted["poll"].is_object());
        let edited = alice.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "after #two")]).await.ok();
        assert!(text(&edited, "content").contains("after"));
        assert!(edited["poll"].is_null());
        assert!(edited["edited_at"].is_string());
        let history = server.client().get(&format!("/api/v1/statuses/{}/history", id(&posted)), ()).await.ok();
        assert_eq!(history.as_array().unwrap().len(), 2);
        assert!(text(&history[0], "content").contains("before"));
        assert_eq!(history[0]["poll"]["options"][1]["title"], "b");
        let source = alice.get(&format!("/api/v1/statuses/{}/source", id(&posted)), ()).await.ok();
        assert_eq!(source["text"], "after #two");
        let tagged = server.client().get("/api/v1/timelines/tag/one", ()).await.ok();
        assert_eq!(tagged, json!([]));
        let bob = server.person("bob").await;
        bob.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "mine now")]).await.expect(404);
    }

    async fn delete_gives_the_source_back_and_takes_boosts_along(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        follow(&bob, &alice).await;
        let posted = alice.post("/api/v1/statuses", [("status", "redraft *me*"), ("spoiler_text", "cw")]).await.ok();
        let boost = bob.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        bob.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.expect(404);
        let was = alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        assert_eq!(was["text"], "redraft *me*");
        assert_eq!(was["spoiler_text"], "cw");
        for gone in [id(&posted), id(&boost)] {
            assert_eq!(bob.get(&format!("/api/v1/statuses/{gone}"), ()).await.expect(404), json!({ "error": "Record not found" }));
        }
        assert_eq!(bob.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
        let me = alice.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        assert_eq!(me["statuses_count"], 0);
    }

    async fn a_key_makes_posting_safe_to_repeat(server: TestServer) {
        let alice = server.person("alice").await;
        let send = || {
            let request = alice.request(reqwest::Method::POST, "/api/v1/statuses");
            alice.send(request.header("Idempotency-Key", "k1").form(&[("status", "once")]))
        };
        let (one, two) = tokio::join!(send(), send());
        let (one, two) = (one.ok(), two.ok());
        assert_eq!(id(&one), id(&two));
        assert_eq!(id(&send().await.ok()), id(&one));
        assert_eq!(alice.get("/api/v1/timelines/home", ()).await.ok().as_array().unwrap().len(), 1);
    }

    async fn pins_are_few_and_ones_own(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        for n in 0..5 {
            let posted = post(&alice, &format!("pin {n}")).await;
            let pinned = alice.post(&format!("/api/v1/statuses/{}/pin", id(&posted)), ()).await.ok();
            assert_eq!(pinned["pinned"], true);
        }
        let sixth = post(&alice, "one too many").await;
        let refused = alice.post(&format!("/api/v1/statuses/{}/pin", id(&sixth)), ()).await.expect(422);
        assert_eq!(refused["error"], "Validation failed: You have already pinned the maximum number of posts");
        let refused = bob.post(&format!("/api/v1/statuses/{}/pin", id(&sixth)), ()).await.expect(422);
        assert_eq!(refused["error"], "Validation failed: Someone else's post cannot be pinned");
        let direct = post_as(&alice, "@bob hush", "direct").await;
        alice.post(&format!("/api/v1/statuses/{}/pin", id(&direct)), ()).await.expect(422);
        let listed = bob.get(&format!("/api/v1/accounts/{}/statuses", alice.account), [("pinned", "true")]).await.ok();
        assert_eq!(listed.as_array().unwrap().len(), 5);
    }

    async fn quotes_ask_the_author(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let open = post(&alice, "quote me").await;
        let quote = bob.post("/api/v1/statuses", [("status", "look"), ("quoted_status_id", id(&open))]).await.ok();
        assert_eq!(quote["quote"]["state"], "accepted");
        assert_eq!(quote["quote"]["quoted_status"]["id"], open["id"]);
        let told = alice.get("/api/v1/notifications", ()).await.ok();
        assert_eq!(told[0]["type"], "quote");
        let closed = alice.post("/api/v1/statuses", [("status", "do not"), ("quote_approval_policy", "nobody")]).await.ok();
        bob.post("/api/v1/statuses", [("status", "anyway"), ("quoted_status_id", id(&closed))]).await.expect(403);
        let again = alice.get(&format!("/api/v1/statuses/{}", id(&open)), ()).await.ok();
        assert_eq!(again["quotes_count"], 1);
    }

    async fn scheduled_posts_wait_and_can_be_cancelled(server: TestServer) {
        let alice = server.person("alice").await;
        let early = alice.post("/api/v1/statuses", [("status", "soon"), ("scheduled_at", "2020-01-01T00:00:00Z")]).await.expect(422);
        assert_eq!(early["error"], "Validation failed: Scheduled at The scheduled date must be in the future");
        let later = alice.post("/api/v1/statuses", [("status", "later"), ("scheduled_at", "2099-01-01T00:00:00Z")]).await.ok();
        assert_eq!(later["scheduled_at"], "2099-01-01T00:00:00.000Z");
        assert_eq!(later["params"]["text"], "later");
        assert_eq!(alice.get("/api/v1/scheduled_statuses", ()).await.ok().as_array().unwrap().len(), 1);
        let path = format!("/api/v1/scheduled_statuses/{}", id(&later));
        let moved = alice.put(&path, [("scheduled_at", "2098-01-01T00:00:00Z")]).await.ok();
        assert_eq!(moved["scheduled_at"], "2098-01-01T00:00:00.000Z");
        assert_eq!(alice.delete(&path, ()).await.ok(), json!({}));
        alice.get(&path, ()).await.expect(404);
        assert_eq!(alice.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
    }
}
