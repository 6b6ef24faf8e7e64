use super::*;
use crate::{accounts::tests::world, blocks, follows, follows::Wish, mutes};

#[tokio::test]
async fn every_flag_comes_from_one_query() {
    let world = world().await;
    let me = world.person("me").await;
    let mut others = Vec::new();
    for name in ["a1", "a2", "a3", "a4", "a5"] {
        others.push(world.person(name).await);
    }
    let far = world.remote("far", "far.example").await;
    let db = &world.db;
    follows::follow(db, me, others[0], &Wish::default()).await.unwrap();
    follows::follow(db, others[0], me, &Wish::default()).await.unwrap();
    endorse(db, me, others[0]).await.unwrap();
    blocks::block(db, me, others[1]).await.unwrap();
    blocks::block(db, others[2], me).await.unwrap();
    mutes::mute(db, me, others[3], mutes::Mute::default()).await.unwrap();
    world.exec("UPDATE accounts SET locked = TRUE WHERE id = $1", others[4]).await;
    world.exec("UPDATE accounts SET locked = TRUE WHERE id = $1", me).await;
    follows::follow(db, me, others[4], &Wish { reblogs: Some(false), ..Default::default() }).await.unwrap();
    follows::follow(db, others[4], me, &Wish::default()).await.unwrap();
    set_note(db, me, others[4], "met in 東京").await.unwrap();
    blocks::block_domain(db, me, "far.example").await.unwrap();

    let conn = db.read().await.unwrap();
    let asked = [far, others[4], others[3], others[2], others[1], others[0], me, AccountId(3)];
    let found = between(&conn, me, &asked).await.unwrap();
    assert_eq!(found.iter().map(|r| r.id).collect::<Vec<_>>(), asked);
    let none = Relationship::none;
    let expected = [
        Relationship { domain_blocking: true, ..none(far) },
        Relationship { requested: true, requested_by: true, note: "met in 東京".into(), ..none(others[4]) },
        Relationship { muting: true, muting_notifications: true, ..none(others[3]) },
        Relationship { blocked_by: true, ..none(others[2]) },
        Relationship { blocking: true, ..none(others[1]) },
        Relationship { following: true, showing_reblogs: true, followed_by: true, endorsed: true, ..none(others[0]) },
        none(me),
        none(AccountId(3)),
    ];
    assert_eq!(found, expected);
    let relations = with_authors(&conn, Some(me), asked).await.unwrap();
    assert!(relations.following(others[0]) && relations.blocking(others[1]) && relations.blocked_by(others[2]));
    assert!(relations.muting(others[3]) && relations.domain_blocking(far) && !relations.suspended(far));
    assert!(between(&conn, me, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn notes_and_endorsements() {
    let world = world().await;
    let (me, bob) = (world.person("me").await, world.person("bob").await);
    let db = &world.db;
    let long = set_note(db, me, bob, &"あ".repeat(2001)).await.unwrap_err();
    assert_eq!(long.to_string(), "Comment is too long (maximum is 2000 characters)");
    assert_eq!(set_note(db, me, bob, "one").await.unwrap().note, "one");
    assert_eq!(set_note(db, me, bob, "two").await.unwrap().note, "two");
    assert_eq!(set_note(db, me, bob, " ").await.unwrap().note, "");
    assert!(matches!(endorse(db, me, bob).await, Err(Error::Invalid { .. })));
    follows::follow(db, me, bob, &Wish::default()).await.unwrap();
    endorse(db, me, bob).await.unwrap();
    assert!(endorse(db, me, bob).await.unwrap().endorsed);
    let list = endorsed(&db.read().await.unwrap(), me, Page::newest(40)).await.unwrap();
    assert_eq!(list.len(), 1);
    assert!(!unendorse(db, me, bob).await.unwrap().endorsed);
    endorse(db, me, bob).await.unwrap();
    assert!(!follows::unfollow(db, me, bob).await.unwrap().endorsed);
}

#[tokio::test]
async fn familiar_followers_are_whom_i_follow() {
    let world = world().await;
    let me = world.person("me").await;
    let (ann, ben, target) = (world.person("ann").await, world.person("ben").await, world.person("target").await);
    let db = &world.db;
    for (a, b) in [(me, ann), (me, ben), (ann, target), (ben, target), (target, ann)] {
        follows::follow(db, a, b, &Wish::default()).await.unwrap();
    }
    world.exec("UPDATE accounts SET hide_collections = TRUE WHERE id = $1", ben).await;
    let conn = db.read().await.unwrap();
    let found = familiar_followers(&conn, me, &[ann, target, AccountId(1)]).await.unwrap();
    let ids: Vec<_> = found.iter().map(|(id, who)| (*id, who.iter().map(|a| a.id).collect::<Vec<_>>())).collect();
    assert_eq!(ids, [(ann, vec![]), (target, vec![ann])]);
}
