//! Consent: what an app asks, and what a person answers.

use crate::browser::{Answer, Browser, PASSWORD, World};
use domain::oauth::{self, App, NewApp, OUT_OF_BAND, Redeem};

const REDIRECT: &str = "https://client.example/cb?a=1";

async fn app(world: &World, name: &str) -> App {
    let redirect_uris =
        vec![REDIRECT.into(), OUT_OF_BAND.into(), "http://127.0.0.1:4711/x".into(), "myapp://back".into()];
    let website = Some("https://client.example".into());
    let new = NewApp { name: name.into(), redirect_uris, scopes: "read write".into(), website };
    oauth::apps::create(&world.db, new).await.unwrap().0
}

fn path(app: &App, more: &[(&str, &str)]) -> String {
    let mut fields = vec![("response_type", "code"), ("client_id", app.client_id.as_str()), ("redirect_uri", REDIRECT)];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend_from_slice(more);
    format!("/oauth/authorize?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

async fn decide(browser: &mut Browser, path: &str, decision: &str) -> Answer {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token = page.hidden("form_token");
    let asked: Vec<(String, String)> =
        url::form_urlencoded::parse(path.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
    let mut fields = vec![("form_token", token.as_str()), ("decision", decision)];
    fields.extend(asked.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    for (name, value) in asked.iter().filter(|(_, value)| !value.is_empty()) {
        assert_eq!(&page.hidden(name), value, "the form carries everything on");
    }
    browser.post("/oauth/authorize", &fields).await
}

#[tokio::test]
async fn a_yes_gives_a_code_that_buys_a_token() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.browser();
    world.person("alice").await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = domain::secrets::hash(verifier);
    let more = [
        ("scope", "read write:statuses"),
        ("state", "a b&c"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let path = path(&app, &more);
    let first = browser.get(&path).await;
    assert_eq!(first.status, 303);
    let sign_in = url::Url::parse(&format!("http://x{}", first.location())).unwrap();
    let back = sign_in.query_pairs().find(|(name, _)| name == "return_to").unwrap().1.into_owned();
    assert_eq!(browser.sign_in("alice", PASSWORD, &back).await.location(), path);

    let done = decide(&mut browser, &path, "authorize").await;
    assert_eq!((done.status, done.header("cache-control")), (302, "no-store"));
    let url = url::Url::parse(done.location()).unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((query["a"].as_str(), query["state"].as_str()), ("1", "a b&c"));
    let redeem = Redeem { code: &query["code"], redirect_uri: REDIRECT, verifier };
    let issued = oauth::exchange(&world.db, &app, redeem).await.unwrap();
    assert_eq!(issued.scopes.to_string(), "read write:statuses");
}

#[tokio::test]
async fn a_no_tells_the_app_so() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.signed_in("alice").await;
    for decision in ["deny", "", "anything"] {
        let done = decide(&mut browser, &path(&app, &[("state", "s")]), decision).await;
        assert_eq!(done.location(), format!("{REDIRECT}&error=access_denied&state=s"));
    }
    let done = decide(&mut browser, &path(&app, &[("redirect_uri", OUT_OF_BAND)]), "deny").await;
    assert!(done.status == 200 && done.location().is_empty());
}

#[tokio::test]
async fn an_app_without_an_address_gets_its_code_by_hand() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.signed_in("alice").await;
    let done = decide(&mut browser, &path(&app, &[("redirect_uri", OUT_OF_BAND)]), "authorize").await;
    let page = browser.get(done.location()).await;
    let code = done.location().split_once("code=").unwrap().1.to_owned();
    assert!(page.text.contains(&format!(">{code}</code>")) && page.header("cache-control") == "no-store");
    let redeem = Redeem { code: &code, redirect_uri: OUT_OF_BAND, verifier: "" };
    oauth::exchange(&world.db, &app, redeem).await.unwrap();
    for odd in ["", "x", "<script>alert(1)</script>"] {
        let code: String = url::form_urlencoded::byte_serialize(odd.as_bytes()).collect();
        assert_eq!(browser.get(&format!("/oauth/authorize/native?code={code}")).await.status, 404);
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_here_and_nobody_is_sent_away() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.signed_in("alice").await;
    for (more, told) in [
        (vec![("client_id", "x")], "not known on this server"),
        (vec![("client_id", "\0")], "not known on this server"),
        (vec![("redirect_uri", "https://evil.example/")], "has not registered"),
        (vec![("redirect_uri", "https://client.example/cb")], "has not registered"),
        (vec![("redirect_uri", "")], "has not registered"),
        (vec![("scope", "read admin:write")], "invalid_scope"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("code_challenge", "x"), ("code_challenge_method", "plain")], "invalid_request"),
    ] {
        let page = browser.get(&path(&app, &more)).await;
        assert!(
            page.status == 400 && page.location().is_empty() && page.text.contains(told),
            "{more:?}: {}",
            page.text
        );
        // The same when the form is made by hand.
        let token = browser.get("/settings").await.hidden("form_token");
        let mut fields =
            vec![("response_type", "code"), ("client_id", app.client_id.as_str()), ("redirect_uri", REDIRECT)];
        fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        fields.extend([("form_token", token.as_str()), ("decision", "authorize")]);
        fields.extend(more.iter());
        let page = browser.post("/oauth/authorize", &fields).await;
        assert!(page.status == 400 && page.location().is_empty(), "{more:?}: {}", page.status);
    }
}

#[tokio::test]
async fn only_our_own_form_says_yes() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.signed_in("alice").await;
    let other = world.signed_in("mallory").await.get("/settings").await.hidden("form_token");
    let fields = |token: &str| {
        let fields = [("response_type", "code"), ("client_id", app.client_id.as_str()), ("redirect_uri", REDIRECT)];
        let fields = fields.into_iter().chain([("decision", "authorize"), ("form_token", token)]);
        fields.map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>()
    };
    for token in ["", "x", &other] {
        let fields = fields(token);
        let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let page = browser.post("/oauth/authorize", &fields).await;
        assert!(page.status == 403 && page.location().is_empty(), "{token}");
    }
    let own = browser.get("/settings").await.hidden("form_token");
    let own = fields(&own);
    let own: Vec<_> = own.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    browser.origin = "https://client.example".into();
    assert_eq!(browser.post("/oauth/authorize", &own).await.status, 403);
    browser.jar.clear();
    browser.origin = world.site.base_url.clone();
    assert_eq!(browser.post("/oauth/authorize", &own).await.status, 403, "signed out meanwhile");
}

#[tokio::test]
async fn names_of_apps_are_text() {
    let world = World::new().await;
    let app = app(&world, "<img src=x onerror=alert(1)>\"'").await;
    let mut browser = world.signed_in("alice").await;
    let page = browser.get(&path(&app, &[("state", "\"><script>alert(1)</script>")])).await;
    assert!(page.text.contains("&lt;img src=x onerror=alert(1)&gt;"), "{}", page.text);
    assert!(!page.text.contains("<img src=x") && !page.text.contains("<script"));
    oauth::tokens::create_for_app(&world.db, (app.id, user(&world).await), app.scopes()).await.unwrap();
    let page = browser.get("/settings").await;
    assert!(page.text.contains("&lt;img src=x") && !page.text.contains("<img src=x"));
}

async fn user(world: &World) -> domain::ids::UserId {
    let found = domain::users::find(&world.db.read().await.unwrap(), &world.site, "alice").await.unwrap();
    found.unwrap().0.id
}

#[tokio::test]
async fn the_form_may_lead_to_the_app_and_the_page_says_where() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.signed_in("alice").await;
    for (uri, allowed, shown) in [
        (REDIRECT, "form-action 'self' https:;", "client.example"),
        ("http://127.0.0.1:4711/x", "form-action 'self' https: http://127.0.0.1:4711;", "http://127.0.0.1:4711"),
        ("myapp://back", "form-action 'self' https: myapp:;", "myapp:"),
    ] {
        let page = browser.get(&path(&app, &[("redirect_uri", uri)])).await;
        assert!(page.header("content-security-policy").contains(allowed), "{}", page.header("content-security-policy"));
        assert!(page.text.contains(&format!("<strong>{shown}</strong>")), "{}", page.text);
    }
}

#[tokio::test]
async fn an_app_can_ask_to_sign_in_anew() {
    let world = World::new().await;
    let app = app(&world, "Client").await;
    let mut browser = world.signed_in("alice").await;
    world.person("bob").await;
    let forced = browser.get(&path(&app, &[("force_login", "true"), ("lang", "ja")])).await;
    assert!(forced.status == 303 && forced.location().contains("again=1") && forced.location().contains("lang=ja"));
    assert!(!forced.location().contains("force_login"), "or it would never end: {}", forced.location());
    let page = browser.get(forced.location()).await;
    assert!(page.status == 200 && page.text.contains("@alice") && page.text.contains("name=\"password\""));
    let before = browser.jar["noren_session"].clone();
    let done = browser.sign_in("bob", PASSWORD, &page.hidden("return_to")).await;
    assert!(done.location().starts_with("/oauth/authorize?"), "{}", done.location());
    assert!(browser.get(done.location()).await.text.contains("@bob@"));
    let conn = world.db.read().await.unwrap();
    assert!(domain::sessions::visitor(&conn, &before).await.unwrap().is_none(), "the session before has ended");
}
