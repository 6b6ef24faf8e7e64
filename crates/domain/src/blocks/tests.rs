use super::*;
use crate::{accounts::tests::world, follows::Wish, notifications};

#[tokio::test]
async fn a_block_ends_everything() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    follows::follow(&world.db, alice, bob, &Wish::default()).await.unwrap();
    follows::follow(&world.db, bob, alice, &Wish::default()).await.unwrap();
    let r = block(&world.db, alice, bob).await.unwrap();
    assert!(r.blocking && !r.following && !r.followed_by && !r.blocked_by);
    block(&world.db, alice, bob).await.unwrap();
    for who in [alice, bob] {
        assert_eq!(world.counts(who).await, (0, 0));
        let conn = world.db.read().await.unwrap();
        assert!(notifications::list(&conn, who, &Default::default(), Page::newest(9)).await.unwrap().is_empty());
    }
    let conn = world.db.read().await.unwrap();
    assert!(relationships::with(&conn, bob, alice).await.unwrap().blocked_by);
    let listed = list(&conn, alice, Page::newest(40)).await.unwrap();
    assert_eq!((listed.len(), listed[0].account.id), (1, bob));
    drop(conn);
    assert!(!unblock(&world.db, alice, bob).await.unwrap().blocking);
    assert!(!block(&world.db, alice, alice).await.unwrap().blocking);
    assert!(matches!(block(&world.db, alice, AccountId(5)).await, Err(Error::NotFound)));
    assert!(world.db.idle());
}

#[tokio::test]
async fn a_block_ends_requests() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    world.exec("UPDATE accounts SET locked = TRUE WHERE id = $1", bob).await;
    follows::follow(&world.db, alice, bob, &Wish::default()).await.unwrap();
    let r = block(&world.db, bob, alice).await.unwrap();
    assert!(r.blocking && !r.requested_by);
    assert!(matches!(follows::authorize(&world.db, bob, alice).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn domains() {
    let world = world().await;
    let alice = world.person("alice").await;
    let far = world.remote("far", "far.example").await;
    world.exec("INSERT INTO follows (id, account_id, target_id, created_at) SELECT 1, $1, id, 1 FROM accounts WHERE domain = 'far.example'", alice).await;
    world.exec("UPDATE accounts SET following_count = 1 WHERE id = $1", alice).await;
    block_domain(&world.db, alice, " FAR.example ").await.unwrap();
    block_domain(&world.db, alice, "far.example").await.unwrap();
    block_domain(&world.db, alice, "日本.example:8080").await.unwrap();
    for bad in ["", "no domain", "a/b", "x:99999", "@"] {
        assert!(matches!(block_domain(&world.db, alice, bad).await, Err(Error::Invalid { .. })), "{bad}");
    }
    let conn = world.db.read().await.unwrap();
    let listed: Vec<String> =
        super::domains(&conn, alice, Page::newest(9)).await.unwrap().into_iter().map(|d| d.1).collect();
    assert_eq!(listed, ["xn--wgv71a.example:8080", "far.example"]);
    let r = relationships::with(&conn, alice, far).await.unwrap();
    assert!(r.domain_blocking && !r.following);
    drop(conn);
    assert_eq!(world.counts(alice).await, (0, 0));
    assert!(matches!(follows::follow(&world.db, alice, far, &Wish::default()).await, Err(Error::Forbidden(_))));
    unblock_domain(&world.db, alice, "Far.Example").await.unwrap();
    unblock_domain(&world.db, alice, "???").await.unwrap();
    assert!(follows::follow(&world.db, alice, far, &Wish::default()).await.unwrap().requested);
}
