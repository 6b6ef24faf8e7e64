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
        assert_eq!(ask("acct:alice@noren.test").await.header("cache-control"), "max-age=259200, public");
        assert_eq!(ask("acct:bob@noren.test").await.header("cache-control"), "");
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

    async fn webfinger_shows_a_picture(server: TestServer) {
        let alice = server.person("alice").await;
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(40, 40).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let part = reqwest::multipart::Part::bytes(png.into_inner()).file_name("me.png");
        let form = reqwest::multipart::Form::new().part("avatar", part);
        let request = alice.request(reqwest::Method::PATCH, "/api/v1/accounts/update_credentials");
        let avatar = alice.send(request.multipart(form)).await.ok()["avatar"].clone();
        let resource = ("resource", "acct:alice@noren.test");
        let document = server.client().get("/.well-known/webfinger", [resource]).await.ok();
        let links = document["links"].as_array().unwrap();
        let link = links.iter().find(|link| link["rel"] == "http://webfinger.net/rel/avatar").unwrap();
        assert_eq!((&link["href"], &link["type"]), (&avatar, &serde_json::json!("image/jpeg")));
    }

    async fn nodeinfo_tells_what_runs_here(server: TestServer) {
        let alice = server.person("alice").await;
        let said = alice.post("/api/v1/statuses", [("status", "hello")]).await.ok();
        let answer = [("status", "and again"), ("in_reply_to_id", said["id"].as_str().unwrap())];
        alice.post("/api/v1/statuses", answer).await.ok();
        let links = server.client().get("/.well-known/nodeinfo", ()).await.ok();
        let site = serde_json::json!({
            "rel": "https://www.w3.org/ns/activitystreams#Application", "href": "https://noren.test/actor",
        });
        assert_eq!(links["links"][2], site);
        for (place, version) in ["2.0", "2.1"].into_iter().enumerate() {
            let link = &links["links"][place];
            assert_eq!(link["rel"], format!("http://nodeinfo.diaspora.software/ns/schema/{version}"));
            let reply = server.client().get(link["href"].as_str().unwrap(), ()).await;
            assert!(reply.header("content-type").contains(&format!("schema/{version}#")));
            let document = reply.ok();
            assert_eq!(document["version"], version);
            assert_eq!(document["software"]["name"], "noren");
            assert_eq!(document["software"]["version"], env!("CARGO_PKG_VERSION"));
            // The older schema knows these two alone.
            let most = if version == "2.0" { 2 } else { 4 };
            assert!(document["software"].as_object().unwrap().len() <= most);
            assert_eq!(document["protocols"], serde_json::json!(["activitypub"]));
            assert_eq!(document["services"], serde_json::json!({ "inbound": [], "outbound": [] }));
            let usage = serde_json::json!({
                "users": { "total": 1, "activeMonth": 1, "activeHalfyear": 1 }, "localPosts": 2, "localComments": 1,
            });
            assert_eq!(document["usage"], usage);
            assert!(document["metadata"]["nodeName"].is_string() && document["metadata"]["nodeDescription"].is_string());
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
