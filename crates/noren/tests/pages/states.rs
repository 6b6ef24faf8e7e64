//! What the pages show of those who are suspended, limited or disabled, and a site of one person.

use crate::{
    browser::{Browser, expect, location},
    person, set,
};
use domain::{
    statuses::{self, NewStatus},
    users::{self, Change, Role},
};
use testkit::{TestServer, on_both_engines};

on_both_engines! {
    async fn a_site_of_one_person_is_their_profile(server: TestServer) {
        let (owner, _) = person(&server, "hanako", Role::Owner).await;
        person(&server, "bot", Role::User).await;
        set(&server, |settings| {
            settings.single_user = true;
            settings.registrations = domain::settings::Registrations::Open;
        })
        .await;
        let mut browser = Browser::new(&server);
        assert_eq!(location(&browser.get("/").await), "/@hanako");
        assert_eq!(location(&browser.get("/?lang=ja").await), "/@hanako?lang=ja");
        expect(&browser.get("/@hanako").await, 200, "/auth/sign_in");
        assert!(!browser.get("/auth/sign_in").await.text().contains("sign_up"));
        assert_eq!(browser.get("/auth/sign_up").await.status, 403);
        let instance = server.client().get("/api/v2/instance", ()).await.ok();
        assert_eq!(instance["registrations"]["enabled"], false);
        // The owner has a front page of their own.
        browser.sign_in("hanako").await;
        expect(&browser.get("/").await, 200, "My profile");
        assert_eq!(owner.role, Role::Owner);
    }

    async fn other_browsers_can_be_sent_away_together(server: TestServer) {
        person(&server, "alice", Role::User).await;
        let mut browsers = [Browser::new(&server), Browser::new(&server), Browser::new(&server)];
        for browser in &mut browsers {
            browser.sign_in("alice").await;
        }
        let [mut mine, mut one, mut two] = browsers;
        let page = mine.get("/settings").await;
        expect(&page, 200, "Sign out everywhere else");
        assert!(page.text().contains(" UTC") && page.text().contains("Firefox, Linux"), "when, and with what");
        assert_eq!(mine.post("/settings/browsers/others", &[("form_token", "x")]).await.status, 403);
        assert_eq!(one.get("/settings").await.status, 200);
        let done = mine.fill(("/settings", "/settings/browsers/others"), &[]).await;
        assert_eq!(location(&done), "/settings?done=browsers");
        let page = mine.get("/settings?done=browsers").await;
        expect(&page, 200, "All other browsers");
        assert!(!page.text().contains("Sign out everywhere else"), "there is no other");
        for browser in [&mut one, &mut two] {
            assert_eq!(browser.get("/settings").await.status, 303);
        }
    }

    async fn the_suspended_are_hidden_and_come_back(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        let (alice, _) = person(&server, "alice", Role::User).await;
        let new = NewStatus { text: "hello from alice".into(), ..NewStatus::default() };
        let status = statuses::publish(server.db(), &server.parts().site, &alice, new).await.unwrap();
        let mut inside = Browser::new(&server);
        inside.sign_in("alice").await;
        let paths = ["/@alice".to_owned(), format!("/@alice/{}", status.id), "/users/alice".to_owned()];
        let change = |suspended| Change { suspended: Some(suspended), ..Change::default() };
        users::modify(server.db(), alice.id, change(true)).await.unwrap();
        let mut browser = Browser::new(&server);
        for path in &paths {
            expect(&browser.get(path).await, 403, "This account is suspended");
        }
        assert!(!browser.get("/").await.text().contains("hello from alice"));
        assert_eq!(inside.get("/settings").await.status, 303, "out at once");
        expect(&Browser::new(&server).sign_in("alice").await, 403, "disabled");
        users::modify(server.db(), alice.id, change(false)).await.unwrap();
        expect(&browser.get("/").await, 200, "hello from alice");
        assert_eq!(inside.get("/settings").await.status, 303, "sessions do not come back");
        assert_eq!(location(&Browser::new(&server).sign_in("alice").await), "/");
    }

    /// As other servers are told, so that links and search engines forget them; in whatever letter case.
    async fn the_deleted_are_gone_for_good(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        let (alice, _) = person(&server, "alice", Role::User).await;
        let new = NewStatus { text: "hello from alice".into(), ..NewStatus::default() };
        let status = statuses::publish(server.db(), &server.parts().site, &alice, new).await.unwrap();
        let paths = ["/@alice".to_owned(), "/@Alice".to_owned(), format!("/@alice/{}", status.id), "/users/alice".to_owned(),
            format!("/users/alice/statuses/{}", status.id)];
        users::delete(server.db(), alice.id).await.unwrap();
        let mut browser = Browser::new(&server);
        // Before the work is done, and after it.
        for _ in 0..2 {
            for path in &paths {
                expect(&browser.get(path).await, 410, "has been deleted");
            }
            server.settle().await;
        }
        assert_eq!(browser.get("/@nobody").await.status, 404);
        assert_eq!(browser.get("/@a%00b").await.status, 404);
    }

    async fn the_limited_are_not_on_the_front_page(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        let (alice, _) = person(&server, "alice", Role::User).await;
        let new = NewStatus { text: "hello from alice #weaving".into(), ..NewStatus::default() };
        statuses::publish(server.db(), &server.parts().site, &alice, new).await.unwrap();
        let mut browser = Browser::new(&server);
        expect(&browser.get("/tags/weaving").await, 200, "hello from alice");
        let change = Change { silenced: Some(true), ..Change::default() };
        users::modify(server.db(), alice.id, change).await.unwrap();
        for path in ["/", "/tags/weaving"] {
            assert!(!browser.get(path).await.text().contains("hello from alice"), "{path}");
        }
        let page = browser.get("/@alice").await;
        expect(&page, 200, "hello from alice");
        assert!(page.text().contains("noindex"));
        assert_eq!(location(&Browser::new(&server).sign_in("alice").await), "/");
    }
}
