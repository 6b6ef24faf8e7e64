//! The end of an account.

use crate::peer::{local_uri, with_a_peer};
use crate::{follow, home, post_as, search};
use domain::tombstones;
use domain::users::{self, NewUser};
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

testkit::on_both_engines! {
    async fn a_name_that_was_somebodys_stays_theirs(server: TestServer) {
        let alice = server.person("Alice").await;
        users::delete(server.db(), alice.user).await.unwrap();
        // Old enough to be forgotten, if it were one of those that are.
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE former_names SET gone_at = 0", &[]).await.unwrap();
        tx.exec("UPDATE tombstones SET gone_at = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        tombstones::sweep(server.db()).await.unwrap();
        for name in ["Alice", "alice", "ALICE"] {
            for path in [format!("/users/{name}"), format!("/@{name}"), format!("/users/{name}/outbox"),
                format!("/.well-known/webfinger?resource=acct:{name}@noren.test")] {
                let request = server.client().request(reqwest::Method::GET, &path);
                let reply = server.client().send(request.header("accept", "application/activity+json")).await;
                assert_eq!(reply.status, 410, "{path}");
            }
            let refused = users::create(server.db(), &server.parts().site, NewUser::named(name)).await.unwrap_err();
            assert_eq!(refused.to_string(), "Username has already been taken", "{name}");
        }
        // Who never came in was nobody: a name that was only asked for is free again.
        let waiting = NewUser { approved: false, ..NewUser::named("bob") };
        let waiting = server.person_with(waiting, "read").await;
        users::delete(server.db(), waiting.user).await.unwrap();
        server.person("bob").await;
    }

    async fn nobody_has_the_name_that_the_site_has_among_relays(server: TestServer) {
        for name in ["relay", "Relay"] {
            let owner = NewUser { role: users::Role::Owner, ..NewUser::named(name) };
            let refused = users::create(server.db(), &server.parts().site, owner).await.unwrap_err();
            assert_eq!(refused.to_string(), "Username is reserved", "{name}");
            let resource = format!("acct:{name}@noren.test");
            let found = server.client().get("/.well-known/webfinger", [("resource", resource)]).await.ok();
            assert_eq!((&found["subject"], &found["links"][0]["href"]),
                (&json!("acct:relay@noren.test"), &json!("https://noren.test/relay")));
        }
    }
}

with_a_peer! {
    async fn the_end_of_an_account_says_what_becomes_of_its_posts(server, peer, bob) {
        let (fay, here) = (peer.somebody("fay"), local_uri(&server, &bob));
        peer.send(&fay, &server, &peer.activity(&fay, ("Follow", "1"), json!(here))).await;
        for n in 0..30 {
            post_as(&bob, &format!("number {n}"), "public").await;
        }
        server.settle().await;
        assert_eq!(peer.told("Create").len(), 30);
        users::delete(server.db(), bob.user).await.unwrap();
        server.settle().await;
        assert_eq!(peer.told("Delete"), [here]);
    }
}
