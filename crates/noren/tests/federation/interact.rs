//! The page to which other servers send people who want to follow somebody with their account here.

use crate::browser::{Browser, PASSWORD, expect, hidden, location};
use crate::peer::with_a_peer;
use crate::trust::{block, uri_of};
use crate::{post_as, search};
use domain::domain_blocks::Severity;
use domain::users::{self, NewUser};
use serde_json::json;
use testkit::TestServer;

fn page(uri: &str) -> String {
    let uri: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
    format!("/authorize_interaction?uri={uri}")
}

/// Mia, at home on this server, in front of her browser.
async fn mia(server: &TestServer) -> Browser {
    let new =
        NewUser { email: Some("mia@example.com".into()), password: Some(PASSWORD.into()), ..NewUser::named("mia") };
    users::create(server.db(), &server.parts().site, new).await.unwrap();
    let mut browser = Browser::new(server);
    assert_eq!(location(&browser.sign_in("mia").await), "/");
    browser
}

with_a_peer! {
    async fn somebody_elsewhere_is_shown_and_followed(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut actor = peer.actor("eve", &eve);
        actor["summary"] = json!("<p>I <b>weave</b><script>x()</script></p>");
        peer.put("/users/eve", actor);
        let path = page(&format!("acct:eve@{}", peer.host()));
        let mut stranger = Browser::new(&server);
        let to = location(&stranger.get(&path).await).to_owned();
        assert!(to.starts_with("/auth/sign_in?return_to=%2Fauthorize_interaction%3Furi%3D"), "{to}");
        assert_eq!(*peer.asked.lock().unwrap(), Vec::<String>::new(), "nothing is fetched for strangers");

        let mut mia = mia(&server).await;
        let shown = mia.get(&path).await;
        expect(&shown, 200, "I weave");
        assert!(!shown.text().contains("<script") && shown.text().contains(&format!("@eve@{}", peer.host())), "{}", shown.text());
        let account = hidden(&shown, "account");
        assert_eq!(mia.post("/authorize_interaction", &[("account", &account), ("form_token", "x")]).await.status, 403);
        assert_eq!(stranger.post("/authorize_interaction", &[("account", &account)]).await.status, 403);
        let token = hidden(&shown, "form_token");
        let followed = mia.post("/authorize_interaction", &[("account", &account), ("form_token", &token)]).await;
        assert_eq!(location(&followed), page(&eve.uri));
        server.settle().await;
        let follow = peer.received.lock().unwrap().iter().find(|a| a["type"] == "Follow").cloned().unwrap();
        assert_eq!(follow["object"], json!(eve.uri));
        expect(&mia.get(&page(&eve.uri)).await, 200, "You asked to follow.");
        peer.send(&eve, &server, &peer.activity(&eve, ("Accept", "1"), follow)).await;
        mia.lang = "ja";
        expect(&mia.get(&path).await, 200, "このアカウントをフォローしています。");
        let _ = bob;
    }

    async fn who_moved_follows_nobody(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut mia = mia(&server).await;
        let shown = mia.get(&page(&eve.uri)).await;
        let (account, token) = (hidden(&shown, "account"), hidden(&shown, "form_token"));
        let tx = server.db().begin().await.unwrap();
        let moved = "UPDATE accounts SET moved_to_id = (SELECT id FROM accounts WHERE username = 'bob') WHERE username = 'mia'";
        tx.exec(moved, &[]).await.unwrap();
        tx.commit().await.unwrap();
        let refused = mia.post("/authorize_interaction", &[("account", &account), ("form_token", &token)]).await;
        expect(&refused, 403, "follow from the new one");
        server.settle().await;
        assert!(peer.received.lock().unwrap().iter().all(|a| a["type"] != "Follow"));
        let _ = bob;
    }

    async fn posts_are_shown_and_what_is_here_is_gone_to(server, peer, bob) {
        let eve = peer.somebody("eve");
        let note = peer.note(&eve, ("1", "<p>look <img src=x onerror=y></p>"), &[]);
        peer.put("/notes/1", note.clone());
        let mut mia = mia(&server).await;
        let shown = mia.get(&page(note["id"].as_str().unwrap())).await;
        expect(&shown, 200, "look");
        assert!(!shown.text().contains("onerror") && shown.text().contains(note["id"].as_str().unwrap()));
        let (open, closed) = (post_as(&bob, "for all", "public").await, post_as(&bob, "for few", "private").await);
        for (uri, to) in [
            (format!("acct:{}", server.handle("bob")), format!("{}/@bob", server.parts().site.base_url)),
            (uri_of(&server, &bob), format!("{}/@bob", server.parts().site.base_url)),
            (open["uri"].as_str().unwrap().to_owned(), open["url"].as_str().unwrap().to_owned()),
        ] {
            assert_eq!(location(&mia.get(&page(&uri)).await), to, "{uri}");
        }
        expect(&mia.get(&page(closed["uri"].as_str().unwrap())).await, 404, "Nothing was found");
    }

    async fn nonsense_and_blocked_servers_are_nothing(server, peer, bob) {
        let eve = peer.somebody("eve");
        search(&bob, &eve.uri).await;
        block(&server, &peer, Severity::Suspend, |_| {}).await;
        peer.asked.lock().unwrap().clear();
        let mut mia = mia(&server).await;
        let long = "x".repeat(3000);
        for uri in ["", "javascript:alert(1)", "<script>alert(1)</script>", "acct:", "@", "http://[::1]:1/", "a\0b", &long, &eve.uri, &format!("acct:eve@{}", peer.host())] {
            let shown = mia.get(&page(uri)).await;
            expect(&shown, 404, "Nothing was found");
            assert!(!shown.text().contains("<script"), "{uri}");
        }
        assert_eq!(mia.get("/authorize_interaction").await.status, 404);
        assert_eq!(*peer.asked.lock().unwrap(), Vec::<String>::new());
    }
}
