//! Who reads too slowly, or wants too much.

use crate::world::World;
use api::streaming::{StreamingConfig, Timing};
use domain::events::Event;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Error;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_dropped_and_others_are_not() {
    let config = StreamingConfig { queue_messages: 20, queue_bytes: 4 << 20, ..Default::default() };
    let world = World::with(config, Timing::default()).await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    bob.follow(&alice).await;
    let mut quick = world.socket("?stream=user", &bob.token).await;
    let posted = alice.post(&"x".repeat(300_000)).await;
    // What is told of the post itself is on no way any more when the counting begins.
    quick.expect("user", "update", posted.id).await;
    let slow = world.socket("?stream=user", &bob.token).await;
    // More than the kernel buffers for a connection.
    for n in 0..200 {
        world.app.db.events().send(Event::StatusEdited { status: posted.id });
        quick.expect("user", "status.update", posted.id).await;
        if world.app.streams.open() == 1 {
            assert!(n >= 20, "after {n} messages");
            break;
        }
    }
    world.until("the slow one is gone", |streams| streams.open() == 1).await;
    world.mark(&bob);
    quick.expect_mark().await;
    drop(slow);
}

#[tokio::test]
async fn what_a_message_takes_to_write_is_bounded() {
    let timing = Timing { ping: Duration::from_millis(300), ..Default::default() };
    let config = StreamingConfig { queue_messages: 100_000, queue_bytes: 1 << 30, ..Default::default() };
    let world = World::with(config, timing).await;
    let alice = world.person("alice").await;
    let posted = alice.post(&"x".repeat(300_000)).await;
    let slow = world.socket("?stream=user", &alice.token).await;
    for _ in 0..60 {
        world.app.db.events().send(Event::StatusEdited { status: posted.id });
    }
    world.until("the slow one is gone", |streams| streams.open() == 0).await;
    drop(slow);
}

#[tokio::test]
async fn connections_and_subscriptions_are_counted() {
    let config = StreamingConfig {
        max_connections: 3,
        max_connections_per_account: 2,
        max_subscriptions: 2,
        ..Default::default()
    };
    let world = World::with(config, Timing::default()).await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let mut one = world.socket("?stream=user", &alice.token).await;
    let two = world.sse("user", &alice.token).await;
    let refused = async |token: &str| match world.try_socket(&format!("?access_token={token}"), &[]).await {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{:?}", other.map(|(_, response)| response)),
    };
    assert_eq!(refused(&alice.token).await, 429);
    let three = world.socket("?stream=user", &bob.token).await;
    assert_eq!(refused(&bob.token).await, 503);
    drop((two, three));
    world.until("seats are given back", |streams| streams.open() == 1).await;
    world.socket("?stream=user", &bob.token).await;
    one.subscribe("public").await;
    one.say(json!({ "type": "subscribe", "stream": "direct" })).await;
    assert_eq!(one.frame().await["status"], 422);
}
