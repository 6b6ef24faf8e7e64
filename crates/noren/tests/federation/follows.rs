//! Following across servers.

use crate::{find, follow, id, notifications, relationship};
use serde_json::json;
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn following_and_unfollowing(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        assert_eq!(notifications(&alice).await, [("follow".to_owned(), b.handle("bob"))]);
        let shown = a.client().get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!(shown["followers_count"], 1);
        let list = alice.get(&format!("/api/v1/accounts/{}/followers", alice.account), ()).await.ok();
        assert_eq!(list[0]["acct"], b.handle("bob"));
        assert_eq!(list[0]["url"], format!("{}/@bob", b.parts().site.base_url));

        bob.post(&format!("/api/v1/accounts/{there}/unfollow"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let shown = a.client().get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!(shown["followers_count"], 0);
        assert_eq!(alice.get(&format!("/api/v1/accounts/{}/followers", alice.account), ()).await.ok(), json!([]));

        // Once more: what was turned off can be turned on again.
        follow((&bob, &b), (&alice, &a)).await;
        let shown = a.client().get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!(shown["followers_count"], 1);
    }

    async fn who_approves_followers_is_asked(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        alice.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        let there = find(&bob, &a.handle("alice")).await;
        assert_eq!(there["locked"], true);
        for who in [&bob, &carol] {
            who.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        }
        settle_all(&[&a, &b]).await;
        let asked = relationship(&bob, id(&there)).await;
        assert_eq!((&asked["following"], &asked["requested"]), (&json!(false), &json!(true)));
        let waiting = alice.get("/api/v1/follow_requests", ()).await.ok();
        let id_of = |name: &str| {
            let acct = b.handle(name);
            let found = waiting.as_array().unwrap().iter().find(|w| w["acct"] == acct.as_str());
            id(found.unwrap()).to_owned()
        };
        alice.post(&format!("/api/v1/follow_requests/{}/authorize", id_of("bob")), ()).await.ok();
        alice.post(&format!("/api/v1/follow_requests/{}/reject", id_of("carol")), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], true);
        let refused = relationship(&carol, id(&there)).await;
        assert_eq!((&refused["following"], &refused["requested"]), (&json!(false), &json!(false)));

        // A follower can be removed at any time.
        alice.post(&format!("/api/v1/accounts/{}/remove_from_followers", id_of("bob")), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], false);
    }

    async fn a_wish_can_be_taken_back(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        alice.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        let there = find(&bob, &a.handle("alice")).await;
        bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        bob.post(&format!("/api/v1/accounts/{}/unfollow", id(&there)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(alice.get("/api/v1/follow_requests", ()).await.ok(), json!([]));
    }
}
