//! What comes to whom.

use crate::world::World;
use domain::notifications::requests::{self, Answer};
use domain::statuses::{self, Media, NewStatus, Visibility, actions, edit};
use domain::{blocks, mutes, page::Page, polls::NewPoll};
use serde_json::json;

#[tokio::test]
async fn a_post_comes_to_its_author_and_followers_only() {
    let world = World::start().await;
    let (alice, bob, carol) = (world.person("alice").await, world.person("bob").await, world.person("carol").await);
    bob.follow(&alice).await;
    let mut alices = world.socket("?stream=user", &alice.token).await;
    let mut bobs = world.socket("?stream=user", &bob.token).await;
    let mut carols = world.socket("?stream=user", &carol.token).await;
    let posted = alice.post("hello #東京").await;
    let seen = bobs.expect("user", "update", posted.id).await;
    assert_eq!(seen["account"]["acct"], "alice");
    assert_eq!((&seen["favourited"], &seen["pinned"]), (&json!(false), &json!(null)));
    let own = alices.expect("user", "update", posted.id).await;
    assert_eq!(own["pinned"], json!(false));
    let private = alice.post_as("for followers", Visibility::Private).await;
    bobs.expect("user", "update", private.id).await;
    alices.expect("user", "update", private.id).await;
    world.mark(&carol);
    carols.expect_mark().await;
}

#[tokio::test]
async fn public_streams_carry_public_posts_without_marks() {
    let world = World::start().await;
    let (alice, bob, carol, dave) = (
        world.person("alice").await,
        world.person("bob").await,
        world.person("carol").await,
        world.person("dave").await,
    );
    blocks::block(&world.app.db, alice.id(), carol.id()).await.unwrap();
    mutes::mute(&world.app.db, dave.id(), alice.id(), mutes::Mute::default()).await.unwrap();
    let mut bobs = world.socket("?stream=public", &bob.token).await;
    bobs.subscribe("public:local").await;
    bobs.subscribe("public:remote").await;
    bobs.subscribe("public:media").await;
    let mut carols = world.socket("?stream=public", &carol.token).await;
    let mut daves = world.socket("?stream=public", &dave.token).await;
    for visibility in [Visibility::Unlisted, Visibility::Private, Visibility::Direct] {
        alice.post_as("@bob not for all", visibility).await;
    }
    let posted = alice.post("for all").await;
    alice.boost(posted.id).await;
    let reply = NewStatus { text: "a reply".into(), in_reply_to: Some(posted.id), ..Default::default() };
    bob.publish(reply).await;
    let last = bob.post("mark").await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let (stream, event, payload) = bobs.event().await;
        assert_eq!((event.as_str(), &payload["id"]), ("update", &json!(posted.id.to_string())));
        assert!(payload.get("favourited").is_none() && payload.get("account").is_some(), "{payload}");
        streams.push(stream);
    }
    streams.sort_by_key(ToString::to_string);
    assert_eq!(streams, [json!(["public"]), json!(["public:local"])]);
    for socket in [&mut carols, &mut daves] {
        socket.expect("public", "update", last.id).await;
    }
    let deleted = statuses::delete(&world.app.db, alice.id(), (posted.id, Media::Delete)).await.unwrap();
    carols.expect("public", "delete", deleted.id).await;
}

#[tokio::test]
async fn hashtags_are_found_however_they_are_written() {
    let world = World::start().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let mut bobs = world.socket("?stream=hashtag&tag=CAF%C3%89", &bob.token).await;
    bobs.say(json!({ "type": "subscribe", "stream": "hashtag:local", "tag": "東京" })).await;
    bobs.settle().await;
    alice.post("nothing").await;
    alice.post_as("#cafe", Visibility::Unlisted).await;
    let one = alice.post("#Ｃａｆｅ").await;
    let two = alice.post("#東京 の空").await;
    let (stream, _, payload) = bobs.event().await;
    assert_eq!((stream, &payload["id"]), (json!(["hashtag", "CAFÉ"]), &json!(one.id.to_string())));
    let (stream, _, payload) = bobs.event().await;
    assert_eq!((stream, &payload["id"]), (json!(["hashtag:local", "東京"]), &json!(two.id.to_string())));
    statuses::delete(&world.app.db, alice.id(), (one.id, Media::Delete)).await.unwrap();
    let (stream, event, _) = bobs.event().await;
    assert_eq!((stream, event.as_str()), (json!(["hashtag", "CAFÉ"]), "delete"));
}

#[tokio::test]
async fn who_is_blocked_hears_nothing() {
    let world = World::start().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    bob.follow(&alice).await;
    let mut bobs = world.socket("?stream=user", &bob.token).await;
    bobs.subscribe("public").await;
    bobs.subscribe("direct").await;
    blocks::block(&world.app.db, alice.id(), bob.id()).await.unwrap();
    alice.post("without bob").await;
    alice.post("@bob about you").await;
    world.mark(&bob);
    bobs.expect_mark().await;
}

#[tokio::test]
async fn edits_deletes_and_boosts() {
    let world = World::start().await;
    let (alice, bob, carol) = (world.person("alice").await, world.person("bob").await, world.person("carol").await);
    bob.follow(&alice).await;
    let mut bobs = world.socket("?stream=user", &bob.token).await;
    let posted = alice.post("frist").await;
    bobs.expect("user", "update", posted.id).await;
    actions::favourite(&world.app.db, bob.id(), posted.id).await.unwrap();
    let change = edit::Edit { text: "first".into(), ..Default::default() };
    edit::edit(&world.app.db, &world.app.site, &alice.user, (posted.id, change)).await.unwrap();
    let seen = bobs.expect("user", "status.update", posted.id).await;
    assert_eq!((&seen["content"], &seen["favourited"]), (&json!("<p>first</p>"), &json!(true)));
    let strange = carol.post("boost me").await;
    let boost = alice.boost(strange.id).await;
    let seen = bobs.expect("user", "update", boost.id).await;
    assert_eq!(seen["reblog"]["id"], strange.id.to_string());
    statuses::delete(&world.app.db, carol.id(), (strange.id, Media::Delete)).await.unwrap();
    bobs.expect("user", "delete", boost.id).await;
    statuses::delete(&world.app.db, alice.id(), (posted.id, Media::Delete)).await.unwrap();
    bobs.expect("user", "delete", posted.id).await;
}

#[tokio::test]
async fn a_poll_is_seen_by_each_with_their_own_vote() {
    let world = World::start().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    bob.follow(&alice).await;
    let mut bobs = world.socket("?stream=user", &bob.token).await;
    let mut alices = world.socket("?stream=user", &alice.token).await;
    let poll = NewPoll { options: vec!["a".into(), "b".into()], expires_in: 3600, multiple: false, hide_totals: false };
    let new = NewStatus { text: "which?".into(), poll: Some(poll.clone()), ..Default::default() };
    let posted = alice.publish(new).await;
    let seen = bobs.expect("user", "update", posted.id).await;
    assert_eq!(seen["poll"]["voted"], json!(false));
    alices.expect("user", "update", posted.id).await;
    domain::polls::vote(&world.app.db, bob.id(), posted.poll_id.unwrap(), &[1]).await.unwrap();
    // A vote is no news by itself; whoever gets the status again sees it with their own.
    let change = edit::Edit { text: "which one?".into(), poll: Some(poll), ..Default::default() };
    edit::edit(&world.app.db, &world.app.site, &alice.user, (posted.id, change)).await.unwrap();
    let seen = bobs.expect("user", "status.update", posted.id).await;
    assert_eq!(seen["poll"]["own_votes"], json!([1]));
    let own = alices.expect("user", "status.update", posted.id).await;
    assert_eq!((&own["poll"]["own_votes"], &own["poll"]["votes_count"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn notifications_come_with_their_scope_only() {
    let world = World::start().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let statuses_only = world.token(&alice.user, "read:statuses").await;
    let mut both = world.socket("?stream=user", &alice.token).await;
    let mut withheld = world.socket("?stream=user", &statuses_only).await;
    let narrow = world.token(&alice.user, "read:notifications").await;
    let mut notifications = world.socket("?stream=user:notification", &narrow).await;
    let posted = alice.post("like me").await;
    both.expect("user", "update", posted.id).await;
    withheld.expect("user", "update", posted.id).await;
    actions::favourite(&world.app.db, bob.id(), posted.id).await.unwrap();
    let (_, event, payload) = both.event().await;
    assert_eq!((event.as_str(), &payload["type"]), ("notification", &json!("favourite")));
    assert_eq!(payload["status"]["id"], posted.id.to_string());
    let (stream, event, payload) = notifications.event().await;
    assert_eq!((stream, event.as_str()), (json!(["user:notification"]), "notification"));
    assert_eq!(payload["account"]["acct"], "bob");
    world.mark(&alice);
    withheld.expect_mark().await;
}

#[tokio::test]
async fn what_was_held_back_is_told_when_it_is_merged() {
    let world = World::start().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let statuses_only = world.token(&alice.user, "read:statuses").await;
    let mut user = world.socket("?stream=user", &alice.token).await;
    let mut withheld = world.socket("?stream=user", &statuses_only).await;
    let mut notifications = world.socket("?stream=user:notification", &alice.token).await;
    bob.post_as("@alice psst", Visibility::Direct).await;
    world.mark(&alice);
    user.expect_mark().await;
    withheld.expect_mark().await;
    let conn = world.app.db.read().await.unwrap();
    let waiting = requests::list(&conn, alice.id(), Page::newest(9)).await.unwrap();
    drop(conn);
    requests::answer(&world.app.db, alice.id(), waiting[0].id, Answer::Accept).await.unwrap();
    let told = |stream: &str| (json!([stream]), "notifications_merged".to_owned(), json!(1));
    assert_eq!(user.event().await, told("user"));
    assert_eq!(notifications.event().await, told("user:notification"));
    world.mark(&alice);
    withheld.expect_mark().await;
    user.expect_mark().await;
    bob.post_as("@alice hello", Visibility::Direct).await;
    assert_eq!(user.event().await.1, "notification");
}

#[tokio::test]
async fn direct_conversations() {
    let world = World::start().await;
    let (alice, bob, carol) = (world.person("alice").await, world.person("bob").await, world.person("carol").await);
    let mut bobs = world.socket("?stream=direct", &bob.token).await;
    let mut carols = world.socket("?stream=direct", &carol.token).await;
    carols.subscribe("user").await;
    let sent = alice.post_as("@bob psst", Visibility::Direct).await;
    let (stream, event, payload) = bobs.event().await;
    assert_eq!((stream, event.as_str()), (json!(["direct"]), "conversation"));
    assert_eq!((&payload["last_status"]["id"], &payload["unread"]), (&json!(sent.id.to_string()), &json!(true)));
    assert_eq!(payload["accounts"][0]["acct"], "alice");
    world.mark(&carol);
    carols.expect_mark().await;
}
