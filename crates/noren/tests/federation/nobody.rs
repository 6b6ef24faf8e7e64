//! What is sent to people who are not here, or not any more.

use crate::peer::{Peer, Somebody, with_a_peer};
use domain::users::{self, Change, NewUser};
use serde_json::json;
use testkit::TestServer;
use url::Url;

/// What the inbox of this name answers to a Like of nothing in particular.
async fn sent(server: &TestServer, (peer, who): (&Peer, &Somebody), name: &str) -> u16 {
    let url = Url::parse(&format!("{}/users/{name}/inbox", server.parts().site.base_url)).unwrap();
    let number = domain::ids::next::<domain::ids::StatusId>();
    let like = peer.activity(who, ("Like", &format!("{name}-{number}")), json!("https://a.example/1"));
    peer.post(&peer.sign_to(who, url, (&like, &[])), |_, _| {}).await
}

with_a_peer! {
    async fn only_who_is_here_has_an_inbox(server, peer, bob) {
        let eve = peer.somebody("eve");
        let (carol, dan) = (server.person("carol").await, server.person("dan").await);
        users::create(server.db(), &server.parts().site, NewUser { approved: false, ..NewUser::named("waits") }).await.unwrap();
        users::delete(server.db(), carol.user).await.unwrap();
        let suspended = Change { suspended: Some(true), ..Change::default() };
        users::modify(server.db(), dan.user, suspended).await.unwrap();
        for (name, status) in [
            ("bob", 202),
            ("BOB", 202),
            // Who may come back hears what was said meanwhile.
            ("dan", 202),
            ("carol", 410),
            ("Carol", 410),
            ("nobody", 404),
            ("waits", 404),
            ("bob%00", 404),
            ("%ff", 404),
            ("bob@noren.test", 404),
            ("eve", 404),
        ] {
            assert_eq!(sent(&server, (&peer, &eve), name).await, status, "{name}");
        }
        // Nobody has to be known for that, nor their key.
        let before = peer.asked.lock().unwrap().len();
        let zoe = peer.somebody("zoe");
        assert_eq!(sent(&server, (&peer, &zoe), "nobody").await, 404);
        assert_eq!(peer.asked.lock().unwrap().len(), before);
        let _ = bob;
    }

    async fn nothing_of_nobody_is_here(server, peer, bob) {
        let (eve, carol) = (peer.somebody("eve"), server.person("carol").await);
        users::delete(server.db(), carol.user).await.unwrap();
        let base = &server.parts().site.base_url;
        for part in [
            "", "/outbox", "/outbox/last", "/outbox/5", "/followers", "/followers/1", "/following", "/following/1",
            "/collections/featured", "/collections/tags", "/followers_synchronization", "/statuses/1",
            "/statuses/1/activity", "/statuses/1/replies", "/statuses/1/likes", "/statuses/1/shares",
            "/quote_authorizations/1",
        ] {
            let status = async |name: &str| peer.get(&eve, &format!("{base}/users/{name}{part}")).await.0;
            assert_eq!(status("nobody").await, 404, "{part}");
            let gone = status("carol").await;
            // Of one thing of somebody it does not matter why it is not there.
            assert!(gone == 410 || (gone == 404 && part.starts_with("/quote")), "{part}: {gone}");
            assert_ne!(status("bob").await, 410, "{part}");
        }
        let _ = bob;
    }
}
