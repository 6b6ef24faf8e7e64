//! /api/v1/instance/…, /health, and what a site without it answers

use crate::{post, text};
use domain::domain_blocks::{self, DomainBlock, Severity};
use domain::users::Change;
use serde_json::json;
use testkit::TestServer;

testkit::on_both_engines! {
    async fn a_site_says_what_it_does_not_have(server: TestServer) {
        let alice = server.person("alice").await;
        let anybody = server.client();
        assert_eq!(anybody.get("/health", ()).await.ok(), json!({ "status": "OK" }));
        for (path, answer) in [
            ("/api/v1/instance/domain_blocks", json!([])),
            ("/api/v1/instance/peers", json!([])),
            ("/api/v1/instance/translation_languages", json!({})),
            ("/api/v1/trends", json!([])),
            ("/api/v1/trends/tags", json!([])),
            ("/api/v1/trends/statuses", json!([])),
            ("/api/v1/trends/links", json!([])),
        ] {
            assert_eq!(anybody.get(path, ()).await.ok(), answer, "{path}");
            assert_eq!(alice.get(path, ()).await.ok(), answer, "{path}");
        }
        let privacy = anybody.get("/api/v1/instance/privacy_policy", ()).await.ok();
        assert_eq!((text(&privacy, "content"), text(&privacy, "updated_at").len()), ("", 24));
        for path in ["/api/v1/instance/terms_of_service", "/api/v1/instance/terms_of_service/2026-01-01"] {
            assert_eq!(anybody.get(path, ()).await.expect(404), json!({ "error": "Record not found" }));
        }
        assert_eq!(alice.get("/api/v1/announcements", ()).await.ok(), json!([]));
        anybody.get("/api/v1/announcements", ()).await.expect(401);
    }

    async fn blocked_servers_are_listed_for_everybody(server: TestServer) {
        let rule = |domain: &str, severity| DomainBlock { severity, ..DomainBlock::named(domain) };
        let spam = DomainBlock {
            public_comment: "spam".into(), private_comment: "see the forum".into(), ..rule("bad.example", Severity::Suspend)
        };
        for block in [
            rule("loud.example", Severity::Silence),
            rule("pictures.example", Severity::Noop),
            DomainBlock { obfuscate: true, ..rule("malicious.example", Severity::Suspend) },
            spam,
        ] {
            domain_blocks::block(server.db(), &block).await.unwrap();
        }
        let listed = server.client().get("/api/v1/instance/domain_blocks", ()).await.ok();
        assert_eq!(listed, json!([
            {
                "domain": "bad.example", "severity": "suspend", "comment": "spam",
                "digest": "86bbe8ffb912a153c9a8b396246aeeae079cd324af4dd947a2bf59a698eabc62",
            },
            {
                "domain": "malic****.***mple", "severity": "suspend",
                "digest": "6c8a17d3683cc852090b33d195ea08282851cfd4215114abc377354a23531a08",
            },
            {
                "domain": "loud.example", "severity": "silence",
                "digest": "354b62204d7066cbec71a6a692bdad3f8ef6369bbac0401f8a2f7e75ee91ae9d",
            },
        ]));
        assert_eq!(server.client().get("/api/v2/instance", ()).await.ok()["configuration"]["limited_federation"], false);
    }

    async fn activity_is_counted_by_week(server: TestServer) {
        let (alice, _bob) = (server.person("alice").await, server.person("bob").await);
        for n in 0..3 {
            post(&alice, &format!("post {n}")).await;
        }
        let weeks = server.client().get("/api/v1/instance/activity", ()).await.ok();
        let weeks = weeks.as_array().unwrap();
        assert_eq!(weeks.len(), 12);
        let monday: i64 = text(&weeks[0], "week").parse().unwrap();
        assert_eq!((monday + 3 * 86_400) % (7 * 86_400), 0, "a Monday at midnight");
        assert_eq!(text(&weeks[1], "week"), (monday - 7 * 86_400).to_string());
        let sum = |name: &str| weeks.iter().map(|w| text(w, name).parse::<i64>().unwrap()).sum::<i64>();
        // The week may turn while the test runs.
        assert_eq!((sum("statuses"), sum("registrations"), sum("logins")), (3, 2, 1));
        assert!(text(&weeks[0], "statuses").parse::<i64>().unwrap() + text(&weeks[1], "statuses").parse::<i64>().unwrap() == 3);
    }

    async fn mail_is_not_promised(server: TestServer) {
        let alice = server.person("alice").await;
        let path = "/api/v1/emails/confirmations";
        let refused = alice.post(path, [("email", "a@example.com")]).await.expect(403);
        assert_eq!(refused["error"], "This method is only available while the e-mail is awaiting confirmation");
        let waits = Change { confirmed: Some(false), ..Default::default() };
        domain::users::modify(server.db(), alice.user, waits).await.unwrap();
        alice.post(path, ()).await.expect(503);
        server.client().post(path, ()).await.expect(401);
    }
}
