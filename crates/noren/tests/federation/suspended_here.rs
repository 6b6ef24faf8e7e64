//! Accounts here that are suspended, which may end: other servers hide them and do not forget them.

use crate::peer::{local_uri, with_a_peer};
use crate::{home, id, post_as};
use domain::users::{self, Change};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn suspend(server: &TestServer, who: &Person, suspended: bool) {
    let change = Change { suspended: Some(suspended), ..Change::default() };
    users::modify(server.db(), who.user, change).await.unwrap();
    server.settle().await;
}

with_a_peer! {
    async fn a_suspended_account_is_hollow_until_it_is_not(server, peer, bob) {
        let ann = peer.somebody("ann");
        let uri = local_uri(&server, &bob);
        let profile = [
            ("display_name", "Bob"),
            ("note", "I like #tea"),
            ("discoverable", "true"),
            ("indexable", "true"),
            ("attribution_domains[]", "bob.example"),
            ("fields_attributes[0][name]", "Site"),
            ("fields_attributes[0][value]", "bob.example"),
        ];
        bob.patch("/api/v1/accounts/update_credentials", profile).await.ok();
        bob.post("/api/v1/featured_tags", [("name", "tea")]).await.ok();
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "f"), json!(uri))).await;
        let posted = post_as(&bob, "hello", "public").await;
        server.settle().await;
        let finger = format!("/.well-known/webfinger?resource=acct:{}", server.handle("bob"));
        let post = posted["uri"].as_str().unwrap().to_owned();
        let lists = ["outbox", "outbox/9223372036854775807", "outbox/last", "followers", "followers/1", "following",
            "following/1", "collections/featured", "collections/tags", "followers_synchronization"];
        let mut hidden: Vec<String> = lists.iter().map(|list| format!("{uri}/{list}")).collect();
        hidden.extend(["", "/activity", "/replies", "/replies/own/0", "/likes", "/shares"].map(|part| format!("{post}{part}")));
        let statuses = async || {
            let mut found = Vec::new();
            for url in &hidden {
                found.push(peer.get(&ann, url).await.0);
            }
            found
        };
        let before = peer.get(&ann, &uri).await.2;
        assert_eq!(statuses().await, vec![200; hidden.len()]);

        suspend(&server, &bob, true).await;
        let shown = peer.get(&ann, &uri).await.2;
        let told = peer.last("Update")["object"].clone();
        for actor in [&shown, &told] {
            assert_eq!(actor["suspended"], true);
            assert_eq!((&actor["name"], &actor["summary"]), (&json!(""), &json!("")));
            assert_eq!((&actor["attachment"], &actor["tag"]), (&json!([]), &json!([])));
            assert_eq!((&actor["discoverable"], &actor["indexable"]), (&json!(false), &json!(false)));
            assert_eq!(actor.get("attributionDomains"), None);
            // It is the same one still, and can be believed.
            for same in ["id", "type", "preferredUsername", "inbox", "outbox", "followers", "url", "publicKey", "webfinger"] {
                assert_eq!(actor[same], before[same], "{same}");
            }
        }
        assert_eq!(statuses().await, vec![403; hidden.len()]);
        assert_eq!(server.client().get(&finger, ()).await.status, 200);

        // Said again it is no news.
        let updates = peer.told("Update").len();
        suspend(&server, &bob, true).await;
        assert_eq!(peer.told("Update").len(), updates);

        suspend(&server, &bob, false).await;
        assert_eq!(peer.told("Update").len(), updates + 1);
        let told = peer.last("Update")["object"].clone();
        assert_eq!((told.get("suspended"), &told["name"]), (None, &json!("Bob")));
        assert_eq!(peer.get(&ann, &uri).await.2, before);
        assert_eq!(statuses().await, vec![200; hidden.len()]);
        assert_eq!(server.client().get(&finger, ()).await.status, 200);
        let listed: Vec<Value> = home(&bob).await;
        assert_eq!(id(&listed[0]), id(&posted));
    }
}
