//! /api/v1/trends

use crate::{id, post, post_as, text};
use serde_json::{Value, json};
use testkit::TestServer;

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|tag| text(tag, "name")).collect()
}

testkit::on_both_engines! {
    async fn tags_of_several_people_trend(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        for who in [&alice, &bob, &carol] {
            post(who, "#cats everywhere").await;
        }
        post(&alice, "#dogs #mine").await;
        post(&bob, "#dogs").await;
        post(&alice, "#mine again, #mine").await;
        post_as(&alice, "#hidden", "unlisted").await;
        post_as(&bob, "#hidden", "private").await;
        let found = server.client().get("/api/v1/trends/tags", ()).await.ok();
        assert_eq!(names(&found), ["cats", "dogs"]);
        let history = found[0]["history"].as_array().unwrap();
        assert_eq!(history.len(), 7);
        let sum = |name: &str| history.iter().map(|day| text(day, name).parse::<i64>().unwrap()).sum::<i64>();
        assert_eq!((sum("uses"), sum("accounts")), (3, 3));
        let first = server.client().get("/api/v1/trends/tags?limit=1", ()).await;
        let next = first.link("next").unwrap();
        assert_eq!(names(&first.ok()), ["cats"]);
        assert_eq!(names(&server.client().get(&next, ()).await.ok()), ["dogs"]);
    }

    async fn liked_posts_trend_where_their_authors_want_to_be_found(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let first = post(&alice, "liked by two").await;
        let second = post(&alice, "boosted by two").await;
        let shy = post(&bob, "liked by two as well").await;
        let sensitive = alice.post("/api/v1/statuses", [("status", "careful"), ("sensitive", "true")]).await.ok();
        for (status, verb) in [(&first, "favourite"), (&second, "reblog"), (&shy, "favourite"), (&sensitive, "favourite")] {
            for who in [&bob, &carol] {
                who.post(&format!("/api/v1/statuses/{}/{verb}", id(status)), ()).await.ok();
            }
        }
        assert_eq!(server.client().get("/api/v1/trends/statuses", ()).await.ok(), json!([]));
        alice.patch("/api/v1/accounts/update_credentials", [("discoverable", "true")]).await.ok();
        let found = server.client().get("/api/v1/trends/statuses", ()).await.ok();
        assert_eq!(crate::ids(&found), [id(&second), id(&first)]);
        alice.post(&format!("/api/v1/accounts/{}/block", carol.account), ()).await.ok();
        assert_eq!(carol.get("/api/v1/trends/statuses", ()).await.ok(), json!([]));
    }
}
