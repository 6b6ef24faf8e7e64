//! The first start.

use crate::browser::{PASSWORD, World};
use domain::{
    settings,
    users::{self, Role},
};

async fn link(world: &World) -> String {
    let link = web::setup_link(&world.db, &world.site).await.unwrap().unwrap();
    link.strip_prefix(&world.site.base_url).unwrap().to_owned()
}

async fn nobody(world: &World) -> bool {
    users::list(&world.db.read().await.unwrap(), None, 1).await.unwrap().is_empty()
}

#[tokio::test]
async fn the_link_makes_one_owner_who_is_signed_in() {
    let world = World::new().await;
    let path = link(&world).await;
    let mut browser = world.browser();
    let page = browser.get(&path).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    let (form, token) = (page.hidden("form_token"), page.hidden("token"));
    let fill = |username: &'static str, password: &'static str, email: &'static str| {
        let (form, token) = (form.clone(), token.clone());
        move || {
            let title = "<script>alert(1)</script> 暖簾";
            vec![
                ("form_token".to_owned(), form.clone()),
                ("token".to_owned(), token.clone()),
                ("username".to_owned(), username.to_owned()),
                ("password".to_owned(), password.to_owned()),
                ("email".to_owned(), email.to_owned()),
                ("title".to_owned(), title.to_owned()),
            ]
        }
    };
    let send = |fields: Vec<(String, String)>| {
        let mut browser = browser.clone();
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            (browser.post("/setup", &fields).await, browser)
        }
    };
    for (username, password, email, told) in [
        ("not a name!", PASSWORD, "", "Only letters"),
        ("", PASSWORD, "", "Please fill this in"),
        ("hanako", "short", "", "at least 8"),
        ("hanako", PASSWORD, "nowhere", "not an e-mail address"),
    ] {
        let (page, _) = send(fill(username, password, email)()).await;
        assert!(page.status == 422 && page.text.contains(told), "{told}: {}", page.text);
        assert!(!page.text.contains(PASSWORD) && !page.text.contains("<script>"), "{}", page.text);
        assert!(nobody(&world).await);
    }
    let (done, mut browser) = send(fill("hanako", PASSWORD, "")()).await;
    assert_eq!((done.status, done.location()), (303, "/"));
    let cookie = done.cookies()[0].to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("Path=/;"), "{cookie}");
    let home = browser.get("/").await;
    assert!(home.text.contains("@hanako") && home.text.contains("&lt;script&gt;"), "{}", home.text);
    assert!(!home.text.contains("<script"), "the site's name is text");

    let conn = world.db.read().await.unwrap();
    let (owner, _) = users::list(&conn, None, 1).await.unwrap().remove(0);
    assert_eq!((owner.role, owner.email.as_str()), (Role::Owner, ""));
    assert!(settings::read(&conn).await.unwrap().title.ends_with("暖簾"));
    drop(conn);
    assert_eq!(world.browser().get(&path).await.status, 404, "once is enough");
    let (again, _) = send(fill("mallory", PASSWORD, "")()).await;
    assert_eq!(again.status, 404);
    assert!(web::setup_link(&world.db, &world.site).await.unwrap().is_none());
}

#[tokio::test]
async fn without_the_link_nobody_gets_in() {
    let world = World::new().await;
    let path = link(&world).await;
    let mut browser = world.browser();
    for wrong in ["/setup", "/setup?token=", "/setup?token=x", &path[..path.len() - 1]] {
        assert_eq!(browser.get(wrong).await.status, 403, "{wrong}");
    }
    let page = browser.get(&path).await;
    let (form, token) = (page.hidden("form_token"), page.hidden("token"));
    let fields = |form: &'static str, token: &'static str| {
        [("form_token", form), ("token", token), ("username", "mallory"), ("password", PASSWORD)]
    };
    let leaked: &'static str = token.leak();
    assert_eq!(browser.post("/setup", &fields("x", "x")).await.status, 403);
    assert_eq!(browser.post("/setup", &fields("x", leaked)).await.status, 422, "another browser's form");
    browser.origin = "https://evil.example".into();
    assert_eq!(browser.post("/setup", &fields(form.leak(), leaked)).await.status, 403);
    assert!(nobody(&world).await);
    let home = world.browser().get("/").await;
    assert!(home.text.contains("not set up yet"));
}

#[tokio::test]
async fn japanese_is_spoken_to_those_who_prefer_it() {
    let world = World::new().await;
    let path = link(&world).await;
    let mut browser = world.browser();
    browser.lang = "ja,en;q=0.5";
    let page = browser.get(&path).await;
    assert!(page.text.contains("<html lang=\"ja\">") && page.text.contains("Norenへようこそ"));
    let page = browser.get(&format!("{path}&lang=en")).await;
    assert!(page.text.contains("Welcome to Noren") && page.text.contains("action=\"/setup?lang=en\""));
    assert!(page.text.contains("lang=ja\""), "there is a link to the other language");
    let missing = browser.get("/there/is/nothing").await;
    assert!(missing.status == 404 && missing.text.contains("ページが見つかりません"));
    let refused = browser.get("/setup?token=x").await;
    assert!(refused.text.contains("許可されていません"), "{}", refused.text);
}
