//! The end of an account.

use crate::{follow, home, post_as, search};
use domain::users;
use serde_json::json;
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn a_deleted_account_goes_everywhere(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        post_as(&alice, "last words", "public").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(home(&bob).await.len(), 1);
        let finger = async || {
            let resource = format!("acct:{}", a.handle("alice"));
            a.client().get("/.well-known/webfinger", [("resource", resource)]).await.status
        };
        assert_eq!(finger().await, 200);
        users::delete(a.db(), alice.user).await.unwrap();
        settle_all(&[&a, &b]).await;
        assert_eq!(finger().await, 410);
        assert_eq!(b.client().get(&format!("/api/v1/accounts/{there}"), ()).await.status, 404);
        // Whoever asks hears that there was somebody.
        for path in ["/users/alice".to_owned(), format!("/.well-known/webfinger?resource=acct:{}", a.handle("alice"))] {
            let request = a.client().request(reqwest::Method::GET, &path).header("accept", "application/activity+json");
            assert_eq!(a.client().send(request).await.status, 410, "{path}");
        }
        assert_eq!(home(&bob).await.len(), 0);
        assert_eq!(search(&bob, &format!("@{}", a.handle("alice"))).await["accounts"], json!([]));
    }
}
