use super::*;
use crate::accounts::tests::world;

#[tokio::test]
async fn mutes_end_by_themselves() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let r = mute(&world.db, alice, bob, Mute::default()).await.unwrap();
    assert!(r.muting && r.muting_notifications && r.muting_expires_at.is_none());
    let hour = Some(Duration::from_secs(3600));
    let r = mute(&world.db, alice, bob, Mute { notifications: false, duration: hour }).await.unwrap();
    assert!(r.muting && !r.muting_notifications && r.muting_expires_at > Some(Time::now()));
    let conn = world.db.read().await.unwrap();
    let listed = list(&conn, alice, Page::newest(40)).await.unwrap();
    assert_eq!((listed.len(), listed[0].account.id, listed[0].expires_at), (1, bob, r.muting_expires_at));
    drop(conn);
    world.exec("UPDATE mutes SET expires_at = 1 WHERE account_id = $1", alice).await;
    let conn = world.db.read().await.unwrap();
    assert!(!relationships::with(&conn, alice, bob).await.unwrap().muting);
    assert!(!relationships::with_authors(&conn, Some(alice), [bob]).await.unwrap().muting(bob));
    assert!(list(&conn, alice, Page::newest(40)).await.unwrap().is_empty());
    drop(conn);
    assert_eq!(remove_expired(&world.db).await.unwrap(), 1);
    assert!(!mute(&world.db, alice, alice, Mute::default()).await.unwrap().muting);
    mute(&world.db, alice, bob, Mute::default()).await.unwrap();
    assert!(!unmute(&world.db, alice, bob).await.unwrap().muting);
    assert!(!unmute(&world.db, alice, bob).await.unwrap().muting);
}
