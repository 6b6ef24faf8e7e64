//! Invites: made and revoked by the staff, good for so many and so long.

use crate::{
    browser::{Browser, PASSWORD, expect, hidden, location},
    person, set,
};
use domain::{
    invites::{self, NewInvite},
    settings::Registrations,
    users::{self, Role},
};
use std::time::Duration;
use testkit::{Reply, TestServer, on_both_engines};

const PAGE: &str = "/settings/invites";

async fn come(server: &TestServer, name: &str, code: &str) -> (Reply, Browser) {
    let mut browser = Browser::new(server);
    let email = format!("{name}@example.com");
    let page = browser.get(&format!("/auth/sign_up?invite={code}")).await;
    // The token of any page will do for who has no page.
    let token = match page.status {
        200 => hidden(&page, "form_token"),
        _ => hidden(&browser.get("/auth/sign_in").await, "form_token"),
    };
    let fields = [
        ("form_token", token.as_str()),
        ("username", name),
        ("email", &email),
        ("password", PASSWORD),
        ("invite", code),
    ];
    (browser.post("/auth/sign_up", &fields).await, browser)
}

on_both_engines! {
    async fn a_link_lets_so_many_in_while_the_door_is_closed(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        let mut owner = Browser::new(&server);
        owner.sign_in("owner").await;
        expect(&owner.get(PAGE).await, 200, "There are none");
        let done = owner.fill((PAGE, PAGE), &[("uses", "1"), ("days", "7")]).await;
        assert_eq!(location(&done), "/settings/invites?done=made");
        let page = owner.get("/settings/invites?done=made").await;
        expect(&page, 200, "used 0 of 1");
        let (_, rest) = page.text().split_once("https://noren.test/invite/").unwrap();
        let code = rest.split_once('<').unwrap().0;
        assert_eq!(code.len(), 16);

        let mut guest = Browser::new(&server);
        let followed = guest.get(&format!("/invite/{code}")).await;
        assert_eq!(location(&followed), format!("/auth/sign_up?invite={code}"));
        expect(&guest.get(location(&followed)).await, 200, "You were invited");
        // A form with a mistake uses nothing up.
        expect(&come(&server, "not-a-name", code).await.0, 422, "Only letters");
        let (done, mut hanako) = come(&server, "hanako", code).await;
        assert_eq!(location(&done), "/");
        expect(&hanako.get("/settings").await, 200, "@hanako");
        let (page, late) = come(&server, "taro", code).await;
        expect(&page, 403, "used up");
        assert!(!late.is_in());
        expect(&guest.get(&format!("/auth/sign_up?invite={code}")).await, 403, "used up");
        expect(&owner.get(PAGE).await, 200, "used 1 of 1");
        for wrong in ["", "x", "AAAAAAAAAAAAAAAA", "%00", "' OR 1=1", &"a".repeat(500)] {
            assert_eq!(come(&server, "mallory", wrong).await.0.status, 403, "{wrong}");
        }
    }

    async fn of_two_who_take_the_last_place_one_gets_it(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        let invite = invites::create(server.db(), NewInvite { max_uses: Some(1), ..NewInvite::default() }).await.unwrap();
        let ((one, _), (two, _)) = tokio::join!(come(&server, "one", &invite.code), come(&server, "two", &invite.code));
        let mut ended = [one.status, two.status];
        ended.sort_unstable();
        assert_eq!(ended, [303, 403]);
        assert_eq!(users::list(&server.db().read().await.unwrap(), None, 10).await.unwrap().len(), 2);
    }

    async fn an_invite_needs_no_approval_and_ends(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        set(&server, |settings| settings.registrations = Registrations::Approval).await;
        let day = Duration::from_secs(86_400);
        let invite = invites::create(server.db(), NewInvite { life: Some(day), ..NewInvite::default() }).await.unwrap();
        let (done, hanako) = come(&server, "hanako", &invite.code).await;
        assert!(location(&done) == "/" && hanako.is_in());
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE invites SET expires_at = 1", &[]).await.unwrap();
        tx.commit().await.unwrap();
        // With an invite that is over it is as without.
        expect(&come(&server, "taro", &invite.code).await.0, 422, "Please fill this in");
        assert_eq!(invites::sweep(server.db()).await.unwrap(), 1);
        // A site of one person takes nobody, whoever is invited.
        let invite = invites::create(server.db(), NewInvite::default()).await.unwrap();
        set(&server, |settings| settings.single_user = true).await;
        assert_eq!(come(&server, "taro", &invite.code).await.0.status, 403);
        for wrong in [Some(0), Some(-1), Some(i64::MAX)] {
            let new = NewInvite { max_uses: wrong, ..NewInvite::default() };
            assert!(invites::create(server.db(), new).await.is_err(), "{wrong:?}");
        }
        let new = NewInvite { life: Some(Duration::MAX), ..NewInvite::default() };
        assert!(invites::create(server.db(), new).await.is_err());
    }

    async fn only_admins_make_and_revoke_them(server: TestServer) {
        person(&server, "owner", Role::Owner).await;
        person(&server, "guard", Role::Moderator).await;
        let invite = invites::create(server.db(), NewInvite::default()).await.unwrap();
        let id = invite.id.to_string();
        let mut guard = Browser::new(&server);
        guard.sign_in("guard").await;
        assert_eq!(guard.get(PAGE).await.status, 404);
        let token = hidden(&guard.get("/settings").await, "form_token");
        for (path, name, value) in [(PAGE, "uses", "1"), ("/settings/invites/revoke", "id", id.as_str())] {
            let fields = [("form_token", token.as_str()), (name, value), ("days", "1")];
            assert_eq!(guard.post(path, &fields).await.status, 404, "{path}");
        }
        let mut owner = Browser::new(&server);
        owner.sign_in("owner").await;
        for (path, name, value) in [(PAGE, "uses", "1"), ("/settings/invites/revoke", "id", id.as_str())] {
            let fields = [("form_token", token.as_str()), (name, value), ("days", "1")];
            assert_eq!(owner.post(path, &fields).await.status, 403, "{path}: somebody else's form");
        }
        for (uses, days) in [("", "7"), ("-1", "7"), ("1", "99999999999999"), ("1e3", "1"), ("20000", "0")] {
            assert_eq!(owner.fill((PAGE, PAGE), &[("uses", uses), ("days", days)]).await.status, 400, "{uses} {days}");
        }
        assert_eq!(invites::list(&server.db().read().await.unwrap()).await.unwrap().len(), 1);
        for _ in 0..2 {
            let done = owner.fill((PAGE, "/settings/invites/revoke"), &[("id", &id)]).await;
            assert_eq!(location(&done), "/settings/invites?done=revoked");
        }
        assert_eq!(come(&server, "hanako", &invite.code).await.0.status, 403);
    }
}
