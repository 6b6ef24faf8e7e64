//! Opening an account on the page: open, with approval, closed; and the moderators' list of who waits.

use crate::{
    browser::{Browser, PASSWORD, expect, hidden, location},
    person, set,
};
use domain::{
    settings::{Registrations, Rule},
    users::{self, Role, sign_up},
};
use testkit::{TestServer, on_both_engines};

const PAGE: &str = "/auth/sign_up";
const WAITING: &str = "/settings/sign_ups";

type Fields<'a> = [(&'a str, &'a str); 5];

fn fields<'a>(username: &'a str, email: &'a str) -> Fields<'a> {
    [("username", username), ("email", email), ("password", PASSWORD), ("agreement", "1"), ("reason", "I weave <b>.")]
}

fn with<'a>(mut fields: Fields<'a>, name: &str, value: &'a str) -> Fields<'a> {
    fields.iter_mut().filter(|(field, _)| *field == name).for_each(|field| field.1 = value);
    fields
}

async fn found(server: &TestServer, name: &str) -> Option<users::User> {
    let conn = server.db().read().await.unwrap();
    users::find(&conn, &server.parts().site, name).await.unwrap().map(|(user, _)| user)
}

async fn open_to(server: &TestServer, who: Registrations) {
    set(server, |settings| {
        settings.registrations = who;
        settings.rules = vec![Rule { id: 1, text: "Be <kind>.".into(), hint: "To all.".into() }];
    })
    .await;
}

on_both_engines! {
    async fn an_open_door_lets_people_in_who_agree_to_the_rules(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        person(&server, "weaver", Role::User).await;
        open_to(&server, Registrations::Open).await;
        let mut browser = Browser::new(&server);
        for page in ["/", "/auth/sign_in"] {
            expect(&browser.get(page).await, 200, "href=\"/auth/sign_up\"");
        }
        let page = browser.get(PAGE).await;
        expect(&page, 200, "Be &lt;kind&gt;.");
        assert!(!page.text().contains("name=\"reason\"") && page.header("cache-control") == "no-store");
        let good = fields("hanako", "hanako@example.com");
        for (name, value, told) in [
            ("username", "not a name!", "Only letters"),
            ("username", "", "Please fill this in"),
            ("username", "Admin", "reserved"),
            ("username", "WEAVER", "has this already"),
            ("username", "\u{0}", "Only letters"),
            ("email", "nowhere", "not an e-mail address"),
            ("email", "", "Please fill this in"),
            ("email", "Weaver@Example.com", "has this already"),
            ("password", "short", "at least 8"),
            ("agreement", "", "Without this there is no account"),
        ] {
            let page = browser.fill((PAGE, PAGE), &with(good, name, value)).await;
            expect(&page, 422, told);
            assert!(!page.text().contains(PASSWORD), "{told}");
        }
        assert!(found(&server, "hanako").await.is_none());
        let fields = [&good[..], &[("return_to", "/about")]].concat();
        assert_eq!(location(&browser.fill((PAGE, PAGE), &fields).await), "/about");
        expect(&browser.get("/settings").await, 200, "hanako@example.com");
        let made = found(&server, "hanako").await.unwrap();
        assert_eq!((made.role, made.approved, made.locale.as_str()), (Role::User, true, "en"));
        // Who is in needs no account.
        assert_eq!(location(&browser.get(PAGE).await), "/");
        assert_eq!(browser.post(PAGE, &good).await.status, 403);
    }

    async fn forms_of_strangers_and_floods_open_no_accounts(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        open_to(&server, Registrations::Open).await;
        let mut browser = Browser::new(&server);
        let good = fields("mallory", "mallory@example.com");
        assert_eq!(browser.post(PAGE, &good).await.status, 422, "no token");
        let token = hidden(&browser.get(PAGE).await, "form_token");
        let all = [&good[..], &[("form_token", token.as_str())]].concat();
        assert_eq!(Browser::new(&server).post(PAGE, &all).await.status, 422, "another browser's");
        browser.origin = "https://evil.example".into();
        assert_eq!(browser.post(PAGE, &all).await.status, 403);
        browser.origin = String::new();
        assert!(found(&server, "mallory").await.is_none());
        let bad = [&with(good, "password", "x")[..], &[("form_token", token.as_str())]].concat();
        let mut last = 0;
        for _ in 0..26 {
            last = browser.post(PAGE, &bad).await.status;
        }
        assert_eq!(last, 429);
        assert_eq!(browser.post(PAGE, &all).await.status, 429);
        assert!(found(&server, "mallory").await.is_none());
        // What roles and approvals a form names is nobody's business.
        let (mut other, cheat) = (Browser::new(&server), [("role", "3"), ("approved", "1"), ("confirmed", "1")]);
        open_to(&server, Registrations::Closed).await;
        let page = other.post(PAGE, &[&all[..], &cheat[..]].concat()).await;
        expect(&page, 403, "takes no new people");
        assert!(!other.get("/").await.text().contains("sign_up") && other.get(PAGE).await.status == 403);
        assert!(found(&server, "mallory").await.is_none());
    }

    async fn nobody_comes_before_the_owner(server: TestServer) {
        open_to(&server, Registrations::Open).await;
        let mut browser = Browser::new(&server);
        assert_eq!(browser.get(PAGE).await.status, 403);
        assert_eq!(browser.post(PAGE, &fields("mallory", "m@example.com")).await.status, 403);
    }

    async fn moderators_decide_about_those_who_ask(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        person(&server, "guard", Role::Moderator).await;
        person(&server, "alice", Role::User).await;
        open_to(&server, Registrations::Approval).await;
        expect(&Browser::new(&server).get("/").await, 200, "Ask for an account");
        let mut ids = Vec::new();
        for name in ["hanako", "taro"] {
            let email = format!("{name}@example.com");
            let asked = fields(name, &email);
            let mut browser = Browser::new(&server);
            expect(&browser.fill((PAGE, PAGE), &with(asked, "reason", "  ")).await, 422, "Please fill this in");
            expect(&browser.fill((PAGE, PAGE), &asked).await, 200, "A moderator will read");
            assert!(!browser.is_in());
            expect(&browser.sign_in(name).await, 403, "not approved");
            ids.push(found(&server, name).await.unwrap().id.to_string());
        }
        // To those who may not decide there is no such page.
        let (mut alice, mut guard) = (Browser::new(&server), Browser::new(&server));
        alice.sign_in("alice").await;
        let token = hidden(&alice.get("/settings").await, "form_token");
        assert_eq!(alice.get(WAITING).await.status, 404);
        assert!(!alice.get("/settings").await.text().contains(WAITING));
        for path in ["/settings/sign_ups/approve", "/settings/sign_ups/reject"] {
            assert_eq!(alice.post(path, &[("form_token", &token), ("id", &ids[0])]).await.status, 404, "{path}");
            assert_eq!(Browser::new(&server).post(path, &[("id", &ids[0])]).await.status, 303, "{path}");
        }
        guard.sign_in("guard").await;
        expect(&guard.get("/settings").await, 200, "Sign-ups that wait (2)");
        assert_eq!(guard.post("/settings/sign_ups/approve", &[("form_token", "x"), ("id", &ids[0])]).await.status, 403);
        let page = guard.get(WAITING).await;
        expect(&page, 200, "I weave &lt;b&gt;.");
        assert!(page.text().contains("@hanako") && page.text().contains("taro@example.com"));
        let approve = (WAITING, "/settings/sign_ups/approve");
        let reject = (WAITING, "/settings/sign_ups/reject");
        assert_eq!(location(&guard.fill(approve, &[("id", &ids[0])]).await), "/settings/sign_ups?done=approved");
        assert_eq!(location(&guard.fill(reject, &[("id", &ids[1])]).await), "/settings/sign_ups?done=rejected");
        // Decided is decided: an approved person cannot be rejected from a page that was open for long.
        let token = hidden(&guard.get("/settings").await, "form_token");
        for id in &ids {
            for path in [approve.1, reject.1] {
                let done = guard.post(path, &[("form_token", &token), ("id", id)]).await;
                assert_eq!(location(&done), "/settings/sign_ups?done=gone");
            }
        }
        assert_eq!(guard.post(reject.1, &[("form_token", &token), ("id", "x")]).await.status, 400);
        expect(&guard.get(WAITING).await, 200, "Nobody waits");
        assert_eq!(location(&Browser::new(&server).sign_in("hanako").await), "/");
        assert!(found(&server, "taro").await.is_none(), "the name is free");
        assert_eq!(Browser::new(&server).sign_in("taro").await.status, 422);
        assert_eq!(sign_up::count_waiting(&server.db().read().await.unwrap()).await.unwrap(), 0);
    }
}
