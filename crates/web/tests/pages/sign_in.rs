//! Signing in and out.

use crate::browser::{PASSWORD, World};
use domain::users::{self, Change};

#[tokio::test]
async fn a_person_signs_in_by_name_or_address_and_out() {
    let world = World::new().await;
    world.person("alice").await;
    for login in ["alice", "ALICE", "@alice", "alice@example.com", "alice@localhost:3000"] {
        let mut browser = world.browser();
        let done = browser.sign_in(login, PASSWORD, "/settings").await;
        assert_eq!((done.status, done.location()), (303, "/settings"), "{login}");
        assert!(browser.get("/settings").await.text.contains("@alice"));
        assert_eq!(browser.get("/auth/sign_in?return_to=/about").await.location(), "/about", "already");
        let token = browser.get("/settings").await.hidden("form_token");
        assert_eq!(browser.post("/auth/sign_out", &[("form_token", "x")]).await.status, 403);
        let before = browser.jar.clone();
        assert_eq!(browser.post("/auth/sign_out", &[("form_token", &token)]).await.status, 303);
        assert!(!browser.jar.contains_key("noren_session"));
        browser.jar = before;
        let page = browser.get("/settings").await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/auth/sign_in?return_to=%2Fsettings"),
            "the session has ended"
        );
    }
}

#[tokio::test]
async fn wrong_passwords_say_nothing_about_who_is_here() {
    let world = World::new().await;
    let (user, _) = world.person("alice").await;
    let mut browser = world.browser();
    let mut pages = Vec::new();
    for login in ["alice", "nobody"] {
        let page = browser.sign_in(login, "wrong password", "").await;
        assert_eq!(page.status, 422);
        assert!(!browser.jar.contains_key("noren_session") && !page.text.contains("wrong password"));
        pages.push(page.text.replace(login, "X"));
    }
    assert_eq!(pages[0], pages[1]);
    let off = Change { approved: Some(false), ..Change::default() };
    users::modify(&world.db, user.id, off).await.unwrap();
    let page = browser.sign_in("alice", PASSWORD, "").await;
    assert!(page.status == 403 && page.text.contains("not approved"));
    let echoed = browser.sign_in("\"><script>alert(1)</script>", "x", "\"><script>").await;
    assert!(!echoed.text.contains("<script"), "{}", echoed.text);
}

#[tokio::test]
async fn the_way_back_leads_nowhere_else() {
    let world = World::new().await;
    world.person("alice").await;
    for away in
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
    {
        let done = world.browser().sign_in("alice", PASSWORD, away).await;
        assert_eq!((done.status, done.location()), (303, "/"), "{away}");
    }
}

#[tokio::test]
async fn forms_of_strangers_do_nothing() {
    let world = World::new().await;
    world.person("alice").await;
    let fields = |token: &'static str| [("form_token", token), ("login", "alice"), ("password", PASSWORD)];
    let mut browser = world.browser();
    let page = browser.post("/auth/sign_in", &fields("")).await;
    assert!(page.status == 422 && !browser.jar.contains_key("noren_session"), "no cookie, no token");
    // The page that was answered can be sent.
    let token: &'static str = page.hidden("form_token").leak();
    let mut other = world.browser();
    other.get("/auth/sign_in").await;
    assert_eq!(other.post("/auth/sign_in", &fields(token)).await.status, 422, "the token of another browser");
    for origin in ["https://evil.example", "null", "http://localhost:4000"] {
        browser.origin = origin.into();
        assert_eq!(browser.post("/auth/sign_in", &fields(token)).await.status, 403, "{origin}");
    }
    browser.origin = String::new();
    assert_eq!(browser.post("/auth/sign_in", &fields(token)).await.status, 303);
}

#[tokio::test]
async fn a_flood_of_tries_is_stopped() {
    let world = World::new().await;
    world.person("alice").await;
    let mut browser = world.browser();
    for n in 0..25 {
        let page = browser.sign_in(&format!("somebody{n}"), "x", "").await;
        assert_eq!(page.status, 422);
    }
    let page = browser.sign_in("alice", PASSWORD, "").await;
    assert_eq!(page.status, 429);
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait));
    assert!(page.text.contains("Too many tries") && !browser.jar.contains_key("noren_session"));
}

#[tokio::test]
async fn over_tls_cookies_are_for_this_host_alone() {
    let world = World::at("https://noren.example").await;
    world.person("alice").await;
    let mut browser = world.browser();
    let page = browser.get("/auth/sign_in").await;
    assert!(page.cookies()[0].starts_with("__Host-noren_browser="));
    let done = browser.sign_in("alice", PASSWORD, "").await;
    let cookie = done.cookies()[0].to_owned();
    assert!(
        cookie.starts_with("__Host-noren_session=") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    assert!(!cookie.contains("Domain"));
    // By its own name only: the header that names the host is the browser's to fill in.
    browser.origin = "http://localhost:3000".into();
    let token = browser.get("/settings").await.hidden("form_token");
    assert_eq!(browser.post("/auth/sign_out", &[("form_token", &token)]).await.status, 403);
}

#[tokio::test]
async fn every_page_is_kept_in_bounds() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice").await;
    for path in
        ["/", "/about", "/settings", "/auth/sign_in?again=1", "/@alice", "/tags/x", "/nothing", "/oauth/authorize"]
    {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.text.matches("<h1").count(), 1, "{path}");
        assert!(!page.text.contains("<script") && !page.text.contains(" style="), "{path}");
    }
    let page = browser.get("/").await;
    assert!(page.header("content-security-policy").contains("img-src 'self' https://media.example;"));
    let (_, rest) = page.text.split_once("stylesheet\" href=\"").unwrap();
    let style = browser.get(rest.split_once('"').unwrap().0).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.header("cache-control").contains("immutable"));
    assert_eq!(browser.post("/about", &[]).await.status, 405);
}
