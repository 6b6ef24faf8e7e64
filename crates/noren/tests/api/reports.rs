//! /api/v1/reports

use crate::{id, post, post_as, text};
use domain::{
    reports::{self, Which},
    settings::{self, Rule},
    users::{NewUser, Role},
};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn report(who: &Person, whom: &Person, more: Value) -> testkit::Reply {
    let mut form = json!({ "account_id": whom.account });
    for (name, value) in more.as_object().unwrap() {
        form[name] = value.clone();
    }
    who.post("/api/v1/reports", form).await
}

async fn staff(server: &TestServer, name: &str, role: Role) -> Person {
    server.person_with(NewUser { role, ..NewUser::named(name) }, "read write follow push").await
}

testkit::on_both_engines! {
    async fn whoever_runs_the_site_is_told(server: TestServer) {
        let (owner, admin) = (staff(&server, "owner", Role::Owner).await, staff(&server, "admin", Role::Admin).await);
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        owner.post(&format!("/api/v1/accounts/{}/mute", alice.account), ()).await.ok();
        admin.post(&format!("/api/v1/accounts/{}/block", alice.account), ()).await.ok();
        let bad = post(&bob, "something bad").await;
        let own = post(&alice, "my own").await;
        let hidden = post_as(&bob, "hidden", "private").await;
        let ids = json!([id(&bad), id(&own), id(&hidden), "1", "x"]);
        let filed = report(&alice, &bob, json!({ "status_ids": ids, "comment": " look \u{1b}[2J\nhere ", "category": "spam", "forward": true })).await.ok();
        assert_eq!(filed["status_ids"], json!([id(&bad)]), "theirs, as far as one may see them");
        assert_eq!(text(&filed, "comment"), "look \u{1b}[2J\nhere");
        assert_eq!((text(&filed, "category"), &filed["forwarded"]), ("spam", &json!(false)));
        assert_eq!((&filed["action_taken"], &filed["action_taken_at"]), (&json!(false), &json!(null)));
        assert_eq!((&filed["rule_ids"], &filed["collection_ids"]), (&json!(null), &json!(null)));
        assert_eq!(filed["target_account"]["id"], bob.account.to_string());
        for who in [&owner, &admin] {
            let told = who.get("/api/v1/notifications", ()).await.ok();
            assert_eq!(told.as_array().unwrap().len(), 1, "{told:#}");
            assert_eq!(text(&told[0], "type"), "admin.report");
            assert_eq!(told[0]["account"]["id"], alice.account.to_string());
            assert_eq!(told[0]["report"], filed);
            assert!(told[0].get("status").is_none());
        }
        for who in [&alice, &bob] {
            assert_eq!(who.get("/api/v1/notifications", ()).await.ok(), json!([]));
        }
        let listed = reports::list(&server.db().read().await.unwrap(), Which::Open, domain::page::Page::newest(9)).await.unwrap();
        assert_eq!(listed.len(), 1);
        reports::resolve(server.db(), listed[0].id).await.unwrap();
        let told = owner.get("/api/v1/notifications", ()).await.ok();
        assert_eq!(told[0]["report"]["action_taken"], true);
    }

    async fn rules_are_those_of_the_site(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let tx = server.db().begin().await.unwrap();
        let rules = vec![Rule { id: 7, text: "Be kind".into(), hint: String::new() }];
        settings::write(&tx, &settings::InstanceSettings { rules, ..Default::default() }).await.unwrap();
        tx.commit().await.unwrap();
        let filed = report(&alice, &bob, json!({ "rule_ids": ["7"], "category": "spam" })).await.ok();
        assert_eq!((text(&filed, "category"), &filed["rule_ids"]), ("violation", &json!(["7"])));
        for wrong in [json!({ "category": "violation" }), json!({ "rule_ids": ["8"] }), json!({ "rule_ids": ["7", "x"] })] {
            let refused = report(&alice, &bob, wrong).await.expect(422);
            assert_eq!(refused["error"], "Validation failed: Rule ids does not reference valid rules");
        }
        assert_eq!(report(&alice, &bob, json!({})).await.ok()["category"], "other");
    }

    async fn reports_are_bounded(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        report(&alice, &bob, json!({ "comment": "あ".repeat(1000) })).await.ok();
        let refused = report(&alice, &bob, json!({ "comment": "あ".repeat(1001) })).await.expect(422);
        assert_eq!(refused["error"], "Validation failed: Comment is too long (maximum is 1000 characters)");
        let odd = report(&alice, &bob, json!({ "category": "boring" })).await.expect(422);
        assert_eq!(odd["error"], "'boring' is not a valid category");
        for (form, status) in [(json!({}), 404), (json!({ "account_id": "1" }), 404), (json!({ "account_id": "x" }), 404)] {
            alice.post("/api/v1/reports", form).await.expect(status);
        }
        for _ in 1..50 {
            report(&alice, &bob, json!({})).await.ok();
        }
        let refused = report(&alice, &bob, json!({})).await.expect(422);
        assert_eq!(refused["error"], "Validation failed: You have exceeded the limit of 50 reports for one day");
        report(&bob, &alice, json!({})).await.ok();
        let form = json!({ "account_id": bob.account });
        let token = server.token(&alice, "read write:statuses").await;
        server.client().with_token(&token).post("/api/v1/reports", form.clone()).await.expect(403);
        server.client().post("/api/v1/reports", form).await.expect(401);
    }
}
