//! Server-sent events.

use crate::world::World;
use api::streaming::{StreamingConfig, Timing};
use domain::events::Event;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn events_come_as_lines() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let mut user = world.sse("user", &alice.token).await;
    let headers = user.answer.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "private, no-store");
    assert_eq!(user.line().await.unwrap(), ":)");
    let mut tagged = world.sse("hashtag?tag=Cats", &alice.token).await;
    let posted = alice.post("line one\nline two #cats").await;
    for stream in [&mut user, &mut tagged] {
        let (event, data) = stream.event().await;
        let status: Value = serde_json::from_str(&data).unwrap();
        assert_eq!((event.as_str(), &status["id"]), ("update", &json!(posted.id.to_string())));
    }
    world.mark(&alice);
    assert_eq!(user.event().await, ("filters_changed".into(), "undefined".into()));
    domain::statuses::delete(&world.app.db, alice.id(), (posted.id, domain::statuses::Media::Delete)).await.unwrap();
    assert_eq!(user.event().await, ("delete".into(), posted.id.to_string()));
}

#[tokio::test]
async fn every_documented_path_is_there() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let wish = domain::lists::Wish { title: Some("friends".into()), ..Default::default() };
    let list = domain::lists::create(&world.app.db, alice.id(), wish).await.unwrap();
    let list = format!("list?list={}", list.id);
    let paths = [
        "user",
        "user/notification",
        "public",
        "public?only_media=true",
        "public/local",
        "public/local?only_media=1",
        "public/remote",
        "public/remote?only_media=true",
        "hashtag?tag=cats",
        "hashtag/local?tag=cats",
        &list,
        "direct",
    ];
    for path in paths {
        assert_eq!(world.sse(path, &alice.token).await.line().await.unwrap(), ":)", "{path}");
    }
    world.until("all are gone", |streams| streams.open() == 0).await;
    let health = reqwest::get(format!("http://{}/api/v1/streaming/health", world.address)).await.unwrap();
    assert!(health.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(health.text().await.unwrap(), "OK");
}

#[tokio::test]
async fn refusals() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let narrow = world.token(&alice.user, "write").await;
    let get = async |path: &str, token: &str| {
        let url = format!("http://{}/api/v1/streaming/{path}", world.address);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (status, body["error"].as_str().unwrap().to_owned())
    };
    let token = alice.token.as_str();
    assert_eq!(get("users", token).await, (400, "Unknown channel requested".into()));
    assert_eq!(get("public/locally", "wrong").await, (400, "Unknown channel requested".into()));
    assert_eq!(get("hashtag", token).await, (400, "Missing tag name parameter".into()));
    assert_eq!(get("user", "wrong").await, (401, "The access token is invalid".into()));
    assert_eq!(get("public", "").await.0, 401);
    assert_eq!(get("user", &narrow).await, (403, "This action is outside the authorized scopes".into()));
    assert_eq!(world.app.streams.open(), 0);
}

#[tokio::test]
async fn the_heart_beats_and_revoking_stops_it() {
    let short = Duration::from_millis(50);
    let timing = Timing { thump: short, ..Default::default() };
    let world = World::with(StreamingConfig::default(), timing).await;
    let alice = world.person("alice").await;
    let mut stream = world.sse("public", &alice.token).await;
    for expected in [":)", ":thump", ":thump"] {
        assert_eq!(stream.line().await.unwrap(), expected);
    }
    let conn = world.app.db.read().await.unwrap();
    let grant = domain::oauth::authenticate(&conn, &alice.token).await.unwrap().unwrap();
    world.app.db.events().send(Event::TokenRevoked { token: grant.token });
    while stream.line().await.is_some() {}
    world.until("it is gone", |streams| streams.open() == 0).await;
}
