//! Favourites, boosts and pins across servers, and taking them back.

use crate::{follow, home, id, notifications, post_as, search, text};
use serde_json::json;
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn favourites_and_boosts_come_and_go(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "a fine post", "public").await;
        let found = search(&bob, posted["uri"].as_str().unwrap()).await;
        let there = id(&found["statuses"][0]).to_owned();
        bob.post(&format!("/api/v1/statuses/{there}/favourite"), ()).await.ok();
        bob.post(&format!("/api/v1/statuses/{there}/reblog"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let here = format!("/api/v1/statuses/{}", id(&posted));
        let shown = alice.get(&here, ()).await.ok();
        assert_eq!((&shown["favourites_count"], &shown["reblogs_count"]), (&json!(1), &json!(1)));
        let mut told = notifications(&alice).await;
        told.sort();
        assert_eq!(told, [("favourite".to_owned(), b.handle("bob")), ("reblog".to_owned(), b.handle("bob"))]);

        bob.post(&format!("/api/v1/statuses/{there}/unfavourite"), ()).await.ok();
        bob.post(&format!("/api/v1/statuses/{there}/unreblog"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let shown = alice.get(&here, ()).await.ok();
        assert_eq!((&shown["favourites_count"], &shown["reblogs_count"]), (&json!(0), &json!(0)));
        assert_eq!(notifications(&alice).await, []);

        // And once more: it was not for ever.
        bob.post(&format!("/api/v1/statuses/{there}/favourite"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(alice.get(&here, ()).await.ok()["favourites_count"], 1);
    }

    async fn followers_see_what_is_boosted(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let carol = a.person("carol").await;
        follow((&bob, &b), (&alice, &a)).await;
        let posted = post_as(&carol, "worth a boost", "public").await;
        let path = format!("/api/v1/statuses/{}", id(&posted));
        alice.post(&format!("{path}/reblog"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = home(&bob).await;
        assert_eq!(seen[0]["account"]["acct"], a.handle("alice"));
        assert_eq!(seen[0]["reblog"]["account"]["acct"], a.handle("carol"));
        assert_eq!(text(&seen[0]["reblog"]), "worth a boost");
        alice.post(&format!("{path}/unreblog"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(home(&bob).await.len(), 0);
    }

    async fn what_is_for_followers_comes_along_when_its_author_boosts_it(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "among us", "private").await;
        follow((&bob, &b), (&alice, &a)).await;
        assert_eq!(home(&bob).await.len(), 0);
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = home(&bob).await;
        assert_eq!((text(&seen[0]["reblog"]).as_str(), &seen[0]["reblog"]["visibility"]), ("among us", &json!("private")));
        assert_eq!(seen[0]["visibility"], "private");
    }

    async fn pins_come_and_go(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let first = post_as(&alice, "first pin", "public").await;
        alice.post(&format!("/api/v1/statuses/{}/pin", id(&first)), ()).await.ok();
        let there = follow((&bob, &b), (&alice, &a)).await;
        let pinned = async || {
            let list = bob.get(&format!("/api/v1/accounts/{there}/statuses"), [("pinned", "true")]).await.ok();
            list.as_array().unwrap().iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(pinned().await, ["first pin"]);
        let second = post_as(&alice, "second pin", "public").await;
        alice.post(&format!("/api/v1/statuses/{}/pin", id(&second)), ()).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/unpin", id(&first)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(pinned().await, ["second pin"]);
    }
}
