//! /api/v1/accounts: looking at people

mod profile;
mod relations;

use crate::{follow, id, ids, post, text};
use serde_json::{Value, json};
use testkit::TestServer;

/// In the order of the documentation; those that may be left out are not here.
const ATTRIBUTES: &[&str] = &[
    "id",
    "username",
    "acct",
    "url",
    "uri",
    "display_name",
    "note",
    "avatar",
    "avatar_static",
    "avatar_description",
    "header",
    "header_static",
    "header_description",
    "locked",
    "fields",
    "emojis",
    "bot",
    "group",
    "discoverable",
    "indexable",
    "noindex",
    "created_at",
    "last_status_at",
    "statuses_count",
    "followers_count",
    "following_count",
    "hide_collections",
    "show_media",
    "show_media_replies",
    "show_featured",
    "roles",
    "feature_approval",
];

fn keys(entity: &Value) -> Vec<&str> {
    entity.as_object().expect("an object").keys().map(String::as_str).collect()
}

testkit::on_both_engines! {
    async fn an_account_has_every_documented_attribute(server: TestServer) {
        let alice = server.person("alice").await;
        let shown = server.client().get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!(keys(&shown), ATTRIBUTES);
        assert_eq!(shown["acct"], "alice");
        assert_eq!(shown["url"], format!("{}/@alice", server.parts().site.base_url));
        assert_eq!(shown["display_name"], "");
        assert_eq!(shown["last_status_at"], Value::Null);
        assert_eq!(shown["discoverable"], Value::Null);
        assert_eq!(shown["feature_approval"], json!({"automatic": [], "manual": [], "current_user": "missing"}));
        assert!(text(&shown, "created_at").ends_with("T00:00:00.000Z"));
        post(&alice, "hello").await;
        let shown = alice.get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!(shown["statuses_count"], 1);
        assert_eq!(text(&shown, "last_status_at").len(), 10);
    }

    async fn who_has_no_picture_shows_ours(server: TestServer) {
        let alice = server.person("alice").await;
        let shown = alice.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        for (name, ending) in [("avatar", "/avatars/original/missing.png"), ("header_static", "/headers/original/missing.png")] {
            let url = text(&shown, name);
            assert!(url.ends_with(ending), "{url}");
            let picture = server.client().get(url, ()).await;
            assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
            assert!(picture.header("cache-control").contains("immutable"));
            assert_eq!(&picture.body[1..4], b"PNG");
        }
    }

    async fn garbage_and_strangers_are_not_found(server: TestServer) {
        let alice = server.person("alice").await;
        for path in ["x", "1", "99999999999999999999", "%00", "-1"] {
            let error = alice.get(&format!("/api/v1/accounts/{path}"), ()).await.expect(404);
            assert_eq!(error["error"], "Record not found", "{path}");
        }
        alice.get("/api/v1/accounts/1/followers", ()).await.expect(404);
        alice.with_token("wrong").get(&format!("/api/v1/accounts/{}", alice.account), ()).await.expect(401);
        let narrow = alice.with_token(&server.token(&alice, "read:statuses").await);
        let error = narrow.get(&format!("/api/v1/accounts/{}", alice.account), ()).await.expect(403);
        assert_eq!(error["error"], "This action is outside the authorized scopes");
    }

    async fn sign_ups_that_wait_are_nobody(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE users SET approved = FALSE WHERE account_id = $1", &[&bob.account]).await.unwrap();
        tx.commit().await.unwrap();
        alice.get(&format!("/api/v1/accounts/{}", bob.account), ()).await.expect(404);
        alice.get("/api/v1/accounts/lookup", [("acct", "bob")]).await.expect(404);
        alice.post(&format!("/api/v1/accounts/{}/follow", bob.account), ()).await.expect(404);
    }

    async fn suspended_accounts_are_hollow(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Bob"), ("note", "hi")]).await.ok();
        follow(&bob, &alice).await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE accounts SET suspended_at = 1, silenced_at = 1 WHERE id = $1", &[&bob.account]).await.unwrap();
        tx.commit().await.unwrap();
        let shown = alice.get(&format!("/api/v1/accounts/{}", bob.account), ()).await.ok();
        assert_eq!((&shown["suspended"], &shown["limited"]), (&json!(true), &json!(true)));
        assert_eq!((&shown["display_name"], &shown["note"]), (&json!(""), &json!("")));
        let followers = format!("/api/v1/accounts/{}/followers", alice.account);
        assert_eq!(alice.get(&followers, ()).await.ok(), json!([]));
    }

    async fn moved_accounts_point_at_their_new_one(server: TestServer) {
        let (old, new, other) = (server.person("old").await, server.person("new").await, server.person("other").await);
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE accounts SET moved_to_id = $2 WHERE id = $1", &[&old.account, &new.account]).await.unwrap();
        tx.exec("UPDATE accounts SET moved_to_id = $2 WHERE id = $1", &[&new.account, &old.account]).await.unwrap();
        tx.commit().await.unwrap();
        let shown = other.get(&format!("/api/v1/accounts/{}", old.account), ()).await.ok();
        assert_eq!(shown["moved"]["acct"], "new");
        assert!(shown["moved"].get("moved").is_none());
        let error = other.post(&format!("/api/v1/accounts/{}/follow", old.account), ()).await.expect(403);
        assert_eq!(error["error"], "This action is not allowed");
        // Who moved does nothing here any more, but can look at what everybody may see.
        for path in ["/api/v1/accounts/verify_credentials", "/api/v1/timelines/home"] {
            let error = old.get(path, ()).await.expect(403);
            assert_eq!(error["error"], "Your login is currently disabled");
        }
        old.get(&format!("/api/v1/accounts/{}", new.account), ()).await.ok();
    }

    async fn several_and_lookup(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let query: Vec<_> = [bob.account.to_string(), "x".into(), alice.account.to_string(), "1".into()]
            .into_iter()
            .map(|id| ("id[]".to_owned(), id))
            .collect();
        let list = server.client().get("/api/v1/accounts", query).await.ok();
        assert_eq!(ids(&list), [bob.account.to_string(), alice.account.to_string()]);
        let many: Vec<_> = (0..41).map(|n| ("id[]".to_owned(), n.to_string())).collect();
        server.client().get("/api/v1/accounts", many).await.expect(422);
        for acct in ["bob", "@Bob", "bob@noren.test", "@bob@NOREN.test"] {
            let found = server.client().get("/api/v1/accounts/lookup", [("acct", acct)]).await.ok();
            assert_eq!(id(&found), bob.account.to_string(), "{acct}");
        }
        for acct in ["", "carol", "bob@elsewhere.example", "@"] {
            server.client().get("/api/v1/accounts/lookup", [("acct", acct)]).await.expect(404);
        }
    }

    async fn search(server: TestServer) {
        let alice = server.person("alice").await;
        let (taro, hana) = (server.person("taro").await, server.person("hana_t").await);
        taro.patch("/api/v1/accounts/update_credentials", [("display_name", "東京の太郎")]).await.ok();
        follow(&alice, &hana).await;
        let find = async |fields: Vec<(String, String)>| {
            let list = alice.get("/api/v1/accounts/search", fields).await.ok();
            list.as_array().unwrap().iter().map(|a| text(a, "acct").to_owned()).collect::<Vec<_>>()
        };
        let q = |text: &str| vec![("q".to_owned(), text.to_owned())];
        let with = |text: &str, name: &str, value: &str| [q(text), vec![(name.to_owned(), value.to_owned())]].concat();
        assert_eq!(find(q("東京")).await, ["taro"]);
        assert_eq!(find(q("aro")).await, ["taro"]);
        assert_eq!(find(q("t")).await, ["hana_t", "taro"]);
        assert_eq!(find(with("t", "following", "true")).await, ["hana_t"]);
        assert_eq!(find(with("t", "limit", "1")).await, ["hana_t"]);
        assert_eq!(find(with("t", "offset", "1")).await, ["taro"]);
        assert_eq!(find(q("@taro@noren.test")).await, ["taro"]);
        assert_eq!(find(q("nobody@elsewhere.example")).await, [""; 0]);
        assert_eq!(find(vec![]).await, [""; 0]);
        for odd in ["\"", "'", "*", "a:*", "\\", "%", "(", "NOT taro", "🍎", "-", "a\u{7f}"] {
            assert!(find(q(odd)).await.len() <= 3, "{odd}");
        }
        server.client().get("/api/v1/accounts/search", [("q", "t")]).await.expect(401);
    }

    async fn followers_are_paged_by_links(server: TestServer) {
        let bob = server.person("bob").await;
        let mut fans = Vec::new();
        for n in 0..5 {
            let fan = server.person(&format!("fan{n}")).await;
            follow(&fan, &bob).await;
            fans.push(fan);
        }
        let newest_first: Vec<String> = fans.iter().rev().map(|fan| fan.account.to_string()).collect();
        let path = format!("/api/v1/accounts/{}/followers", bob.account);
        let mut seen = Vec::new();
        let mut next = Some(format!("{path}?limit=2"));
        let mut prev = None;
        while let Some(url) = next {
            let page = server.client().get(&url, ()).await;
            next = page.link("next");
            prev = prev.or_else(|| page.link("prev"));
            seen.extend(ids(&page.ok()));
        }
        assert_eq!(seen, newest_first);
        let prev = prev.expect("a link to what is newer");
        assert!(prev.contains("limit=2") && prev.contains("since_id="), "{prev}");
        assert_eq!(server.client().get(&prev, ()).await.ok(), json!([]));
        let following = format!("/api/v1/accounts/{}/following", fans[0].account);
        assert_eq!(ids(&server.client().get(&following, ()).await.ok()), [bob.account.to_string()]);

        bob.patch("/api/v1/accounts/update_credentials", [("hide_collections", "true")]).await.ok();
        assert_eq!(fans[0].get(&path, ()).await.ok(), json!([]));
        assert_eq!(bob.get(&path, ()).await.ok().as_array().unwrap().len(), 5);
        bob.patch("/api/v1/accounts/update_credentials", [("hide_collections", "false")]).await.ok();
        bob.post(&format!("/api/v1/accounts/{}/block", fans[0].account), ()).await.ok();
        assert_eq!(fans[0].get(&path, ()).await.ok(), json!([]));
        assert_eq!(fans[1].get(&path, ()).await.ok().as_array().unwrap().len(), 4);
    }

    async fn familiar_followers(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&alice, &bob).await;
        follow(&bob, &carol).await;
        let list = alice.get("/api/v1/accounts/familiar_followers", [("id[]", carol.account)]).await.ok();
        assert_eq!(id(&list[0]), carol.account.to_string());
        assert_eq!(ids(&list[0]["accounts"]), [bob.account.to_string()]);
    }
}
