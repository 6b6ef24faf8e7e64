//! One's own settings.

use crate::browser::{PASSWORD, World};
use domain::{
    oauth::{self, NewApp, OUT_OF_BAND, Scope, Scopes, tokens},
    users,
};

#[tokio::test]
async fn apps_and_browsers_are_listed_and_sent_away() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice").await;
    let mut other = world.browser();
    other.sign_in("alice", PASSWORD, "").await;
    let (user, _) = users::find(&world.db.read().await.unwrap(), &world.site, "alice").await.unwrap().unwrap();
    let new = NewApp { name: "Client".into(), redirect_uris: vec![OUT_OF_BAND.into()], ..NewApp::default() };
    let (app, _) = oauth::apps::create(&world.db, new).await.unwrap();
    let issued = tokens::create_for_app(&world.db, (app.id, user.id), Scopes::of(&[Scope::Read])).await.unwrap();

    let page = browser.get("/settings").await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(
        page.text.contains("Client") && page.text.contains("Firefox, Linux") && page.text.contains("alice@example.com")
    );
    let token = page.hidden("form_token");
    let (_, rest) = page.text.rsplit_once("name=\"id\" value=\"").unwrap();
    let session = rest.split_once('"').unwrap().0.to_owned();
    for path in ["/settings/browsers", "/settings/apps", "/settings/password"] {
        let page = browser.post(path, &[("form_token", "x"), ("id", &session)]).await;
        assert_eq!(page.status, 403, "{path}");
        assert_eq!(world.browser().post(path, &[("id", &session)]).await.status, 303, "strangers sign in first");
    }
    // Other people's are out of reach.
    let mut mallory = world.signed_in("mallory").await;
    let theirs = mallory.get("/settings").await.hidden("form_token");
    mallory.post("/settings/browsers", &[("form_token", &theirs), ("id", &session)]).await;
    mallory.post("/settings/apps", &[("form_token", &theirs), ("id", &issued.id.to_string())]).await;
    assert_eq!(other.get("/settings").await.status, 200);

    for _ in 0..2 {
        let done = browser.post("/settings/browsers", &[("form_token", &token), ("id", &session)]).await;
        assert_eq!(done.location(), "/settings?done=browser");
        assert_eq!(other.get("/settings").await.status, 303);
    }
    assert!(oauth::authenticate(&world.db.read().await.unwrap(), &issued.token).await.unwrap().is_some());
    let done = browser.post("/settings/apps", &[("form_token", &token), ("id", &issued.id.to_string())]).await;
    assert_eq!(done.location(), "/settings?done=app");
    assert!(oauth::authenticate(&world.db.read().await.unwrap(), &issued.token).await.unwrap().is_none());
    let page = browser.get("/settings?done=app").await;
    assert!(page.text.contains("No app has access") && page.text.contains("has no access any more"));
    assert_eq!(browser.post("/settings/apps", &[("form_token", &token), ("id", "x")]).await.status, 400);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice").await;
    let mut other = world.browser();
    other.sign_in("alice", PASSWORD, "").await;
    let token = browser.get("/settings").await.hidden("form_token");
    for (current, new, told) in [
        ("wrong", "another password", "not your password"),
        (PASSWORD, "short", "at least 8"),
        ("", "", "not your password"),
    ] {
        let fields = [("form_token", token.as_str()), ("current", current), ("password", new)];
        let page = browser.post("/settings/password", &fields).await;
        assert!(page.status == 422 && page.text.contains(told), "{told}: {}", page.text);
    }
    let fields = [("form_token", token.as_str()), ("current", PASSWORD), ("password", "another password")];
    assert_eq!(browser.post("/settings/password", &fields).await.location(), "/settings?done=password");
    assert_eq!(browser.get("/settings").await.status, 200, "this browser stays");
    assert_eq!(other.get("/settings").await.status, 303, "others do not");
    assert_eq!(world.browser().sign_in("alice", PASSWORD, "").await.status, 422);
    assert_eq!(world.browser().sign_in("alice", "another password", "").await.status, 303);
}

#[tokio::test]
async fn accounts_move_and_come_back() {
    let world = World::new().await;
    let (mut old, mut new) = (world.signed_in("alice").await, world.signed_in("ally").await);
    let (token, theirs) =
        (old.get("/settings").await.hidden("form_token"), new.get("/settings").await.hidden("form_token"));
    for path in ["/settings/aliases", "/settings/aliases/remove", "/settings/move", "/settings/move/cancel"] {
        assert_eq!(old.post(path, &[("form_token", "x"), ("other", "ally")]).await.status, 403, "{path}");
        assert_eq!(world.browser().post(path, &[("other", "ally")]).await.status, 303, "strangers sign in first");
    }
    let leave = |password| [("form_token", token.as_str()), ("other", "@ally"), ("password", password)];
    let page = old.post("/settings/move", &leave(PASSWORD)).await;
    assert!(page.status == 422 && page.text.contains("does not name this one"));
    for (other, words) in [("nobody", "no such account"), ("", "no such account"), ("@ally", "cannot be added")] {
        let page = new.post("/settings/aliases", &[("form_token", theirs.as_str()), ("other", other)]).await;
        assert!(page.status == 422 && page.text.contains(words), "{other}");
    }
    let added = new.post("/settings/aliases", &[("form_token", theirs.as_str()), ("other", " @alice ")]).await;
    assert_eq!(added.location(), "/settings?done=alias");
    let page = new.get("/settings?done=alias").await;
    assert!(page.text.contains("@alice") && page.text.contains("have been changed"));
    let page = old.post("/settings/move", &leave("wrong")).await;
    assert!(page.status == 422 && page.text.contains("not your password"));
    assert_eq!(old.post("/settings/move", &leave(PASSWORD)).await.location(), "/settings?done=moved");
    for path in ["/settings", "/@alice"] {
        let page = old.get(path).await;
        assert!(page.text.contains("has moved to") && page.text.contains("@ally"), "{path}");
    }
    let cancel = [("form_token", token.as_str())];
    assert_eq!(old.post("/settings/move/cancel", &cancel).await.location(), "/settings?done=back");
    assert_eq!(old.post("/settings/move/cancel", &cancel).await.location(), "/settings?done=back");
    assert!(!old.get("/@alice").await.text.contains("has moved to"));
    let uri = world.site.actor_uri("alice");
    for _ in 0..2 {
        let gone = new.post("/settings/aliases/remove", &[("form_token", theirs.as_str()), ("id", uri.as_str())]).await;
        assert_eq!(gone.location(), "/settings?done=alias");
    }
    assert!(!new.get("/settings").await.text.contains("<strong>@alice"));
}
