//! How sockets begin, what may be said over them, and how they end.

use crate::world::{Socket, World};
use api::streaming::{StreamingConfig, Timing};
use domain::oauth;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The status and the error of a handshake that must fail.
async fn refused(world: &World, query: &str, headers: &[(&'static str, &str)]) -> u16 {
    match world.try_socket(query, headers).await {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("open"),
    }
}

#[tokio::test]
async fn the_token_may_come_in_three_ways() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let token = alice.token.as_str();
    let authorization = format!("Bearer {token}");
    let ways: [(String, Vec<(&'static str, &str)>); 3] = [
        (format!("?stream=user&access_token={token}"), vec![]),
        ("/?stream=user".into(), vec![("authorization", authorization.as_str())]),
        ("?stream=user".into(), vec![("sec-websocket-protocol", token)]),
    ];
    for (query, headers) in ways {
        let (mut socket, response) = world.try_socket(&query, &headers).await.unwrap();
        let echoed = response.headers().get("sec-websocket-protocol").map(|v| v.to_str().unwrap());
        assert_eq!(echoed, headers.iter().find(|(name, _)| name.starts_with("sec")).map(|(_, value)| *value));
        socket.settle().await;
        let posted = alice.post("hello").await;
        socket.expect("user", "update", posted.id).await;
    }
}

#[tokio::test]
async fn without_a_good_token_there_is_no_socket() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    assert_eq!(refused(&world, "?stream=public", &[]).await, 401);
    assert_eq!(refused(&world, "?stream=public&access_token=wrong", &[]).await, 401);
    assert_eq!(refused(&world, "?stream=public", &[("sec-websocket-protocol", "wrong")]).await, 401);
    let change = domain::users::Change { disabled: Some(true), ..Default::default() };
    domain::users::modify(&world.app.db, alice.user.id, change).await.unwrap();
    assert_eq!(refused(&world, &format!("?access_token={}", alice.token), &[]).await, 403);
    let plain = reqwest::get(format!("http://{}/api/v1/streaming", world.address)).await.unwrap();
    assert_eq!(plain.status(), 400);
}

#[tokio::test]
async fn an_application_alone_hears_nothing() {
    let world = World::start().await;
    let new = oauth::NewApp {
        name: "a client".into(),
        redirect_uris: vec![oauth::OUT_OF_BAND.into()],
        scopes: "read".into(),
        website: None,
    };
    let registered = oauth::apps::create(&world.app.db, new).await.unwrap();
    let token = oauth::tokens::client_credentials(&world.app.db, &registered.0, "read").await.unwrap().token;
    assert_eq!(refused(&world, &format!("?access_token={token}"), &[]).await, 422);
}

#[tokio::test]
async fn two_streams_over_one_socket() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let mut socket = world.socket("", &alice.token).await;
    // Who hears a mark knows that all before it has been told to everybody.
    let mut witness = world.socket("?stream=user", &alice.token).await;
    let before = alice.post("before anything").await;
    world.mark(&alice);
    witness.expect("user", "update", before.id).await;
    witness.expect_mark().await;
    socket.subscribe("user").await;
    socket.subscribe("public").await;
    socket.subscribe("public").await;
    let posted = alice.post("twice").await;
    let mut streams = [socket.event().await.0, socket.event().await.0];
    streams.sort_by_key(ToString::to_string);
    assert_eq!(streams, [json!(["public"]), json!(["user"])]);
    socket.say(json!({ "type": "unsubscribe", "stream": "user" })).await;
    socket.say(json!({ "type": "unsubscribe", "stream": "direct" })).await;
    socket.settle().await;
    let next = alice.post("once").await;
    socket.expect("public", "update", next.id).await;
    world.mark(&alice);
    for told in [&posted, &next] {
        witness.expect("user", "update", told.id).await;
    }
    witness.expect_mark().await;
    socket.say(json!({ "type": "unsubscribe", "stream": "public" })).await;
    socket.subscribe("user").await;
    world.mark(&alice);
    socket.expect_mark().await;
    assert_ne!(posted.id, next.id);
}

#[tokio::test]
async fn nonsense_is_answered_or_ignored_and_the_socket_stays() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let narrow = world.token(&alice.user, "read:statuses").await;
    let mut socket = world.try_socket(&format!("?stream=nonsense&access_token={narrow}"), &[]).await.unwrap().0;
    assert_eq!(socket.frame().await, json!({ "error": "Unknown stream type", "status": 400 }));
    for ignored in ["", "{", "7", "[]", r#"{"type":"dance","stream":"user"}"#, r#"{"stream":"user"}"#, "\u{0}"] {
        socket.0.send(Message::text(ignored)).await.unwrap();
    }
    socket.say(json!({ "type": "subscribe" })).await;
    assert_eq!(socket.frame().await["error"], "Unknown stream type");
    socket.say(json!({ "type": "subscribe", "stream": "hashtag" })).await;
    assert_eq!(socket.frame().await, json!({ "error": "Missing tag name parameter", "status": 400 }));
    socket.say(json!({ "type": "subscribe", "stream": "list" })).await;
    assert_eq!(socket.frame().await, json!({ "error": "Missing list name parameter", "status": 400 }));
    socket.say(json!({ "type": "subscribe", "stream": "list", "list": 12 })).await;
    assert_eq!(socket.frame().await, json!({ "error": "Not authorized to stream this list", "status": 401 }));
    socket.say(json!({ "type": "subscribe", "stream": "user:notification" })).await;
    let refused = json!({ "error": "This action is outside the authorized scopes", "status": 403 });
    assert_eq!(socket.frame().await, refused);
    socket.subscribe("user").await;
    world.mark(&alice);
    socket.expect_mark().await;
}

#[tokio::test]
async fn frames_of_the_wrong_kind_or_size_end_it() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let mut socket = world.socket("", &alice.token).await;
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.closed().await, Some(1003));
    let mut socket = world.socket("", &alice.token).await;
    socket.0.send(Message::text("x".repeat(10_000))).await.unwrap();
    socket.closed().await;
    let mut socket = world.socket("", &alice.token).await;
    socket.0.close(None).await.unwrap();
    world.until("all are gone", |streams| streams.open() == 0).await;
}

#[tokio::test]
async fn a_revoked_token_closes_what_it_opened() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let mut socket = world.socket("?stream=user", &alice.token).await;
    let second = world.token(&alice.user, "read").await;
    let mut other = world.socket("?stream=user", &second).await;
    let grant = oauth::authenticate(&world.app.db.read().await.unwrap(), &alice.token).await.unwrap().unwrap();
    oauth::tokens::take_back(&world.app.db, alice.user.id, grant.token).await.unwrap();
    assert_eq!(socket.closed().await, Some(1008));
    assert_eq!(refused(&world, &format!("?access_token={}", alice.token), &[]).await, 401);
    let good = oauth::authenticate(&world.app.db.read().await.unwrap(), &second).await.unwrap();
    match good {
        Some(_) => {
            world.mark(&alice);
            other.expect_mark().await;
        }
        // Tokens without an application may go together.
        None => assert_eq!(other.closed().await, Some(1008)),
    }
}

#[tokio::test]
async fn a_token_revoked_by_another_process_is_noticed() {
    let timing = Timing { recheck: Duration::from_millis(100), ..Default::default() };
    let world = World::with(StreamingConfig::default(), timing).await;
    let alice = world.person("alice").await;
    let mut socket = world.socket("?stream=user", &alice.token).await;
    let change = domain::users::Change { disabled: Some(true), ..Default::default() };
    domain::users::modify(&world.other_process().await, alice.user.id, change).await.unwrap();
    assert_eq!(socket.closed().await, Some(1008));
}

#[tokio::test]
async fn who_does_not_answer_pings_is_dropped() {
    // Who answers has so long for it.
    let timing = Timing { ping: Duration::from_secs(1), ..Default::default() };
    let world = World::with(StreamingConfig::default(), timing).await;
    let alice = world.person("alice").await;
    let socket = world.socket("?stream=user", &alice.token).await;
    let mut awake = world.socket("?stream=user", &alice.token).await;
    let reading = tokio::spawn(async move {
        let pings = awake.0.by_ref().filter(|m| std::future::ready(matches!(m, Ok(Message::Ping(_))))).take(3);
        pings.collect::<Vec<_>>().await.len()
    });
    assert_eq!(reading.await.unwrap(), 3, "who answers stays");
    world.until("both are gone", |streams| streams.open() == 0).await;
    drop::<Socket>(socket);
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let world = World::start().await;
    let alice = world.person("alice").await;
    let mut socket = world.socket("?stream=user", &alice.token).await;
    let mut events = world.sse("user", &alice.token).await;
    world.app.streams.close();
    assert_eq!(socket.closed().await, Some(1001));
    while events.line().await.is_some() {}
    tokio::time::timeout(Duration::from_secs(5), world.app.streams.closed()).await.unwrap();
    assert_eq!(refused(&world, &format!("?access_token={}", alice.token), &[]).await, 503);
}
