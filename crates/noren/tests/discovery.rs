//! `/.well-known` and `/nodeinfo`: how others find this site and the people on it.

#![allow(clippy::unwrap_used)]

use testkit::TestServer;

testkit::on_both_engines! {
    async fn webfinger_knows_local_people(server: TestServer) {
        server.person("Alice").await;
        let ask = async |resource: &str| server.client().get("/.well-known/webfinger", [("resource", resource)]).await;

        let reply = ask("acct:alice@noren.test").await;
        assert_eq!(reply.header("content-type"), "application/jrd+json; charset=utf-8");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        let document = reply.ok();
        insta::allow_duplicates! { insta::assert_json_snapshot!(document, @r##"
        {
          "subject": "acct:Alice@noren.test",
          "aliases": [
            "https://noren.test/@Alice",
            "https://noren.test/users/Alice"
          ],
          "links": [
            {
              "rel": "self",
              "type": "application/activity+json",
              "href": "https://noren.test/users/Alice"
            },
            {
              "rel": "http://webfinger.net/rel/profile-page",
              "type": "text/html",
              "href": "https://noren.test/@Alice"
            },
            {
              "rel": "http://ostatus.org/schema/1.0/subscribe",
              "template": "https://noren.test/authorize_interaction?uri={uri}"
            },
            {
              "rel": "https://w3id.org/fep/3b86/Object",
              "template": "https://noren.test/authorize_interaction?uri={object}"
            },
            {
              "rel": "https://w3id.org/fep/3b86/Follow",
              "template": "https://noren.test/authorize_interaction?uri={object}"
            }
          ]
        }
    "##) };
        for resource in ["alice@NOREN.test", "https://noren.test/@alice", "https://noren.test/users/ALICE"] {
            assert_eq!(ask(resource).await.ok(), document, "{resource}");
        }
        for resource in ["acct:bob@noren.test", "acct:alice@elsewhere.example", "https://elsewhere.example/@alice"] {
            assert_eq!(ask(resource).await.status, 404, "{resource}");
        }
        assert_eq!(ask("alice").await.status, 400);
        assert_eq!(server.client().get("/.well-known/webfinger", ()).await.status, 400);
        let twice = "/.well-known/webfinger?resource=a&resource=b";
        assert_eq!(server.client().get(twice, ()).await.status, 400);
    }

    async fn nodeinfo_tells_what_runs_here(server: TestServer) {
        server.person("alice").await;
        let links = server.client().get("/.well-known/nodeinfo", ()).await.ok();
        for (place, version) in ["2.0", "2.1"].into_iter().enumerate() {
            let link = &links["links"][place];
            assert_eq!(link["rel"], format!("http://nodeinfo.diaspora.software/ns/schema/{version}"));
            let reply = server.client().get(link["href"].as_str().unwrap(), ()).await;
            assert!(reply.header("content-type").contains(&format!("schema/{version}#")));
            let document = reply.ok();
            assert_eq!(document["version"], version);
            assert_eq!(document["software"]["name"], "noren");
            assert_eq!(document["usage"]["users"]["total"], 1);
            assert_eq!(document["openRegistrations"], false);
        }
        assert_eq!(server.client().get("/nodeinfo/1.0", ()).await.status, 404);
    }

    async fn host_meta_leads_to_webfinger(server: TestServer) {
        let template = "https://noren.test/.well-known/webfinger?resource={uri}";
        let reply = server.client().get("/.well-known/host-meta", ()).await;
        assert_eq!(reply.header("content-type"), "application/xrd+xml; charset=utf-8");
        assert!(reply.text().contains(&format!("<Link rel=\"lrdd\" template=\"{template}\"/>")), "{}", reply.text());

        let request = server.client().request(reqwest::Method::GET, "/.well-known/host-meta");
        let reply = server.client().send(request.header("accept", "application/json")).await;
        assert_eq!(reply.header("vary"), "Accept");
        assert_eq!(reply.ok()["links"][0]["template"], template);
        let json = server.client().get("/.well-known/host-meta.json", ()).await.ok();
        assert_eq!(json["links"][0]["template"], template);
    }
}
