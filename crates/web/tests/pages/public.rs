//! What everybody may see: profiles and posts.

use crate::browser::World;
use domain::{
    accounts::{self, ProfileChange},
    statuses::{self, NewStatus, Visibility, actions},
    users,
};

async fn post(world: &World, user: &users::User, text: &str, visibility: Visibility) -> statuses::Status {
    let new = NewStatus { text: text.into(), visibility: Some(visibility), ..NewStatus::default() };
    statuses::publish(&world.db, &world.site, user, new).await.unwrap()
}

#[tokio::test]
async fn a_profile_shows_public_posts_and_no_others() {
    let world = World::new().await;
    let (alice, account) = world.person("alice").await;
    let change = ProfileChange {
        display_name: Some("<b>Alice</b>".into()),
        note: Some("I <3 tea & https://example.com".into()),
        fields: Some(vec![("<i>".into(), "<script>x</script>".into())]),
        ..ProfileChange::default()
    };
    accounts::update_profile(&world.db, &world.site, account.id, change).await.unwrap();
    let mut ids = Vec::new();
    for (text, visibility) in [
        ("for everybody <script>alert(1)</script>", Visibility::Public),
        ("quietly", Visibility::Unlisted),
        ("for followers", Visibility::Private),
        ("for one", Visibility::Direct),
    ] {
        ids.push(post(&world, &alice, text, visibility).await.id);
    }
    let mut browser = world.browser();
    let page = browser.get("/@Alice").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("for everybody") && page.text.contains("quietly"));
    assert!(!page.text.contains("for followers") && !page.text.contains("for one"));
    assert!(
        page.text.contains("&lt;b&gt;Alice&lt;/b&gt;") && !page.text.contains("<b>") && !page.text.contains("<script")
    );
    assert!(page.text.contains("property=\"og:title\" content=\"&lt;b&gt;Alice&lt;/b&gt; (@alice@localhost:3000)\""));
    assert!(page.text.contains("<link rel=\"canonical\" href=\"http://localhost:3000/@alice\""));
    for (id, status) in ids.iter().zip([200, 200, 404, 404]) {
        let page = browser.get(&format!("/@alice/{id}")).await;
        assert_eq!(page.status, status);
        assert!(!page.text.contains("for followers") && !page.text.contains("for one"));
        let other = browser.get(&format!("/users/alice/statuses/{id}")).await;
        assert_eq!(other.status, if status == 200 { 303 } else { 404 });
    }
    let page = browser.get(&format!("/@alice/{}", ids[0])).await;
    assert!(page.text.contains("property=\"og:description\" content=\"for everybody &lt;script&gt;"), "{}", page.text);
    let home = browser.get("/").await;
    assert!(home.text.contains("for everybody") && !home.text.contains("quietly"));
    assert_eq!(browser.get("/users/alice").await.location(), "http://localhost:3000/@alice");
    // Nor does the author see more on a page that might be kept somewhere.
    let mut own = world.browser();
    own.sign_in("alice", crate::browser::PASSWORD, "").await;
    assert_eq!(own.get(&format!("/@alice/{}", ids[2])).await.status, 404);
}

#[tokio::test]
async fn what_is_not_there_is_not_there() {
    let world = World::new().await;
    let (alice, _) = world.person("alice").await;
    let (bob, _) = world.person("bob").await;
    let status = post(&world, &alice, "hello", Visibility::Public).await;
    let mut browser = world.browser();
    for path in [
        "/@nobody",
        "/@alice@remote.example",
        "/@alice%00",
        "/@%ff",
        "/@alice/x",
        "/@alice/99999999999999999999",
        &format!("/@bob/{}", status.id),
        "/users/nobody",
        "/tags/%20",
    ] {
        let page = browser.get(path).await;
        assert!(page.status == 404 && page.text.contains("Nothing here"), "{path}: {}", page.status);
    }
    let boost = actions::reblog(&world.db, &world.site, bob.account_id, (status.id, None)).await;
    let boost = boost.unwrap();
    let page = browser.get(&format!("/@bob/{}", boost.id)).await;
    assert_eq!(page.location(), format!("http://localhost:3000/@alice/{}", status.id));
    assert!(browser.get("/@bob").await.text.contains("hello"), "boosts are shown");
    let off = users::Change { disabled: Some(true), ..users::Change::default() };
    users::modify(&world.db, alice.id, off).await.unwrap();
    assert_eq!(browser.get("/@alice").await.status, 200, "a disabled login is no suspension");
}

#[tokio::test]
async fn warnings_hide_and_pages_go_on() {
    let world = World::new().await;
    let (alice, _) = world.person("alice").await;
    for n in 0..21 {
        post(&world, &alice, &format!("post number {n} #counting"), Visibility::Public).await;
    }
    let new = NewStatus { text: "the boat sinks".into(), spoiler_text: "the film".into(), ..NewStatus::default() };
    let warned = statuses::publish(&world.db, &world.site, &alice, new).await.unwrap();
    let mut browser = world.browser();
    let page = browser.get("/@alice").await;
    assert!(page.text.contains("<summary>the film</summary>"));
    let (_, rest) = page.text.rsplit_once("rel=\"next\" href=\"").unwrap();
    let next = rest.split_once('"').unwrap().0.to_owned();
    let page = browser.get(&next).await;
    assert!(
        page.text.contains("post number 0 ")
            && !page.text.contains("post number 2 ")
            && !page.text.contains("rel=\"next\"")
    );
    let page = browser.get("/tags/Counting").await;
    assert!(page.text.contains("post number 20 ") && page.text.contains("#Counting"));
    let page = browser.get(&format!("/@alice/{}", warned.id)).await;
    assert!(page.text.contains("og:description\" content=\"the film\""), "the preview keeps the secret");
}
