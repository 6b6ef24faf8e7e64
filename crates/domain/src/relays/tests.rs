use super::*;
use crate::accounts::tests::world;

#[tokio::test]
async fn a_relay_brings_only_so_much() {
    let world = world().await;
    let new = |n: i64| New {
        style: Style::Mastodon,
        url: format!("https://relay{n}.example/inbox"),
        inbox: format!("https://relay{n}.example/inbox"),
        account: None,
        follow_prefix: "https://noren.example/actor#follows/relays/".into(),
    };
    let relay = subscribe(&world.db, new(0)).await.unwrap();
    assert!(count(&world.db, relay.id).await.unwrap());
    world.exec("UPDATE relays SET counted = 2999 WHERE id = $1", AccountId(relay.id.0)).await;
    assert!(count(&world.db, relay.id).await.unwrap());
    assert!(!count(&world.db, relay.id).await.unwrap());
    // An hour later it may again.
    world.exec("UPDATE relays SET counted_since = 1 WHERE id = $1", AccountId(relay.id.0)).await;
    assert!(count(&world.db, relay.id).await.unwrap());
    leave(&world.db, &relay.url).await.unwrap();
    assert!(!count(&world.db, relay.id).await.unwrap(), "it is gone");
    for n in 0..MOST {
        subscribe(&world.db, new(n)).await.unwrap();
    }
    assert!(matches!(subscribe(&world.db, new(MOST)).await, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn one_relay_is_left_at_a_time() {
    let world = world().await;
    let new = |style, url: &str| New {
        style,
        url: url.into(),
        inbox: "https://relay.example/inbox".into(),
        account: None,
        follow_prefix: "https://noren.example/actor#follows/relays/".into(),
    };
    subscribe(&world.db, new(Style::Litepub, "https://relay.example/actor")).await.unwrap();
    subscribe(&world.db, new(Style::Mastodon, "https://relay.example/inbox")).await.unwrap();
    let urls = async || {
        let relays = list(&world.db.read().await.unwrap()).await.unwrap();
        relays.into_iter().map(|relay| relay.url).collect::<Vec<_>>()
    };
    leave(&world.db, "https://relay.example/inbox").await.unwrap();
    assert_eq!(urls().await, ["https://relay.example/actor"], "the one whose address was given");
    // By its inbox, when nothing has that address.
    leave(&world.db, "https://relay.example/inbox").await.unwrap();
    assert!(urls().await.is_empty());
}
