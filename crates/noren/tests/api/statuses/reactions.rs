//! /api/v1/pleroma/statuses/:id/reactions

use crate::{id, post, post_as};
use serde_json::{Value, json};
use testkit::TestServer;

fn path(status: &Value, emoji: &str) -> String {
    let emoji: String = url::form_urlencoded::byte_serialize(emoji.as_bytes()).collect();
    format!("/api/v1/pleroma/statuses/{}/reactions/{emoji}", id(status))
}

testkit::on_both_engines! {
    async fn emoji_are_put_on_statuses(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = post(&alice, "a fine post").await;
        assert_eq!(posted.get("pleroma"), None, "only where there are any");
        bob.put(&path(&posted, "👍"), ()).await.ok();
        alice.put(&path(&posted, "👍"), ()).await.ok();
        let shown = alice.put(&path(&posted, "🎉"), ()).await.ok();
        let thumbs = json!({ "name": "👍", "count": 2, "me": true, "url": null });
        assert_eq!(shown["pleroma"]["emoji_reactions"], json!([thumbs, { "name": "🎉", "count": 1, "me": true, "url": null }]));
        let by = bob.get(&format!("/api/v1/pleroma/statuses/{}/reactions", id(&posted)), ()).await.ok();
        assert_eq!((by.as_array().unwrap().len(), &by[0]["name"], &by[0]["count"]), (2, &json!("👍"), &json!(2)));
        assert_eq!((id(&by[0]["accounts"][0]), id(&by[0]["accounts"][1])), (&*bob.account.to_string(), &*alice.account.to_string()));
        let one = server.client().get(&path(&posted, "🎉"), ()).await.ok();
        assert_eq!((one.as_array().unwrap().len(), &one[0]["me"]), (1, &json!(false)));
        assert_eq!(server.client().get(&path(&posted, "💤"), ()).await.ok(), json!([]));
        // A boost shows what is on the original.
        let boost = bob.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        assert_eq!(boost["reblog"]["pleroma"]["emoji_reactions"][0]["count"], 2);

        // A favourite of its own outlives them.
        let other = post(&alice, "another").await;
        bob.post(&format!("/api/v1/statuses/{}/favourite", id(&other)), ()).await.ok();
        bob.put(&path(&other, "👍"), ()).await.ok();
        let left = bob.delete(&path(&other, "👍"), ()).await.ok();
        assert_eq!((&left["favourited"], &left["favourites_count"], left.get("pleroma")), (&json!(true), &json!(1), None));
        let left = bob.delete(&path(&posted, "👍"), ()).await.ok();
        assert_eq!((&left["favourited"], &left["favourites_count"]), (&json!(false), &json!(1)));
        bob.delete(&path(&posted, "👍"), ()).await.ok();
    }

    async fn what_is_no_emoji_or_too_many_is_refused(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = post(&alice, "a fine post").await;
        for odd in ["like", "👍👍", ":nope:", "a@b", "<b>"] {
            assert_eq!(bob.put(&path(&posted, odd), ()).await.expect(422), json!({ "error": "Invalid emoji" }), "{odd}");
        }
        for emoji in ["😀", "😁", "😂", "😃", "😄"] {
            bob.put(&path(&posted, emoji), ()).await.ok();
        }
        bob.put(&path(&posted, "😅"), ()).await.expect(422);
        bob.put(&path(&posted, "😄"), ()).await.ok();
        let private = post_as(&alice, "mine", "private").await;
        bob.put(&path(&private, "👍"), ()).await.expect(404);
        bob.get(&path(&private, "👍"), ()).await.expect(404);
        bob.delete(&path(&private, "👍"), ()).await.expect(404);
        server.client().put(&path(&posted, "👍"), ()).await.expect(401);
        let token = server.token(&bob, "read").await;
        server.client().with_token(&token).put(&path(&posted, "👍"), ()).await.expect(403);
        let token = server.token(&bob, "write:favourites").await;
        server.client().with_token(&token).delete(&path(&posted, "😄"), ()).await.ok();
    }
}
