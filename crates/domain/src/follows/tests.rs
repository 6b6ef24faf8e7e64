use super::*;
use crate::{
    accounts::{
        ProfileChange,
        tests::{World, world},
    },
    notifications,
    statuses::{NewStatus, publish},
};

async fn told_of(world: &World, who: AccountId) -> Vec<(AccountId, Kind)> {
    let conn = world.db.read().await.unwrap();
    let list = notifications::list(&conn, who, &Default::default(), Page::newest(40)).await.unwrap();
    list.into_iter().map(|n| (n.from_account_id, n.kind)).collect()
}

async fn home(world: &World, who: AccountId) -> usize {
    let conn = world.db.read().await.unwrap();
    timelines::home(&conn, who, Page::newest(40)).await.unwrap().statuses.len()
}

async fn locked(world: &World, name: &str) -> AccountId {
    let id = world.person(name).await;
    world.change(id, ProfileChange { locked: Some(true), ..Default::default() }).await.unwrap();
    id
}

#[tokio::test]
async fn following_fills_the_feed_counts_and_tells() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    for text in ["one", "two"] {
        let new = NewStatus { text: text.into(), ..Default::default() };
        publish(&world.db, &world.site, &bob_user(&world, bob).await, new).await.unwrap();
    }
    let r = follow(&world.db, alice, bob, &Wish::default()).await.unwrap();
    assert!(r.following && r.showing_reblogs && !r.notifying && r.languages.is_none() && !r.requested);
    assert_eq!(home(&world, alice).await, 2);
    assert_eq!(told_of(&world, bob).await, [(alice, Kind::Follow)]);
    let wish = Wish { reblogs: Some(false), notify: Some(true), languages: Some(vec!["ja".into()]) };
    let r = follow(&world.db, alice, bob, &wish).await.unwrap();
    assert!(r.following && !r.showing_reblogs && r.notifying && r.languages == Some(vec!["ja".into()]));
    // What is not said stays.
    let r = follow(&world.db, alice, bob, &Wish { languages: Some(vec![]), ..Default::default() }).await.unwrap();
    assert!(!r.showing_reblogs && r.notifying && r.languages.is_none());
    assert_eq!((world.counts(alice).await, world.counts(bob).await), ((0, 1), (1, 0)));
    assert_eq!(told_of(&world, bob).await.len(), 1);
    let r = unfollow(&world.db, alice, bob).await.unwrap();
    assert!(!r.following && !r.showing_reblogs);
    unfollow(&world.db, alice, bob).await.unwrap();
    assert_eq!((world.counts(alice).await, world.counts(bob).await), ((0, 0), (0, 0)));
    assert_eq!(home(&world, alice).await, 0);
    assert!(told_of(&world, bob).await.is_empty());
}

async fn bob_user(world: &World, id: AccountId) -> crate::users::User {
    let conn = world.db.read().await.unwrap();
    crate::users::store::by_account(&conn, id).await.unwrap().unwrap()
}

#[tokio::test]
async fn locked_accounts_are_asked() {
    let world = world().await;
    let (alice, bob, carol) = (world.person("alice").await, locked(&world, "bob").await, world.person("carol").await);
    let wish = Wish { notify: Some(true), ..Default::default() };
    let r = follow(&world.db, alice, bob, &wish).await.unwrap();
    assert!(!r.following && r.requested && r.notifying && r.showing_reblogs);
    assert_eq!(told_of(&world, bob).await, [(alice, Kind::FollowRequest)]);
    follow(&world.db, carol, bob, &Wish::default()).await.unwrap();
    let conn = world.db.read().await.unwrap();
    let waiting = requests(&conn, bob, Page::newest(40)).await.unwrap();
    assert_eq!(waiting.iter().map(|l| l.account.id).collect::<Vec<_>>(), [carol, alice]);
    assert_eq!(requests_count(&conn, bob).await.unwrap(), 2);
    drop(conn);
    assert_eq!(world.counts(bob).await, (0, 0));
    let r = authorize(&world.db, bob, alice).await.unwrap();
    assert!(r.followed_by && !r.requested_by);
    assert!(relation(&world, alice, bob).await.notifying);
    assert_eq!(world.counts(bob).await, (1, 0));
    assert_eq!(told_of(&world, bob).await, [(alice, Kind::Follow), (carol, Kind::FollowRequest)]);
    let r = reject(&world.db, bob, carol).await.unwrap();
    assert!(!r.followed_by && !r.requested_by);
    for gone in [alice, carol] {
        assert!(matches!(authorize(&world.db, bob, gone).await, Err(Error::NotFound)));
        assert!(matches!(reject(&world.db, bob, gone).await, Err(Error::NotFound)));
    }
    let r = remove_follower(&world.db, bob, alice).await.unwrap();
    assert!(!r.followed_by);
    assert_eq!((world.counts(alice).await, world.counts(bob).await), ((0, 0), (0, 0)));
}

async fn relation(world: &World, me: AccountId, other: AccountId) -> Relationship {
    relationships::with(&world.db.read().await.unwrap(), me, other).await.unwrap()
}

#[tokio::test]
async fn unlocking_lets_everybody_in_and_a_request_can_be_taken_back() {
    let world = world().await;
    let (alice, bob, carol) = (world.person("alice").await, locked(&world, "bob").await, world.person("carol").await);
    for who in [alice, carol] {
        follow(&world.db, who, bob, &Wish::default()).await.unwrap();
    }
    unfollow(&world.db, carol, bob).await.unwrap();
    assert_eq!(told_of(&world, bob).await.len(), 1);
    let shown = world.change(bob, ProfileChange { locked: Some(false), ..Default::default() }).await.unwrap();
    assert_eq!(shown.followers_count, 1);
    assert!(relation(&world, alice, bob).await.following);
    assert!(!relation(&world, carol, bob).await.following);
}

#[tokio::test]
async fn whom_one_may_not_follow() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let why = |r: Result<Relationship>| r.unwrap_err().to_string();
    let none = Wish::default();
    assert_eq!(why(follow(&world.db, alice, alice, &none).await), "Following your own account is not allowed");
    assert!(matches!(follow(&world.db, alice, AccountId(7), &none).await, Err(Error::NotFound)));
    crate::blocks::block(&world.db, bob, alice).await.unwrap();
    for (a, b) in [(alice, bob), (bob, alice)] {
        assert_eq!(why(follow(&world.db, a, b, &none).await), "This action is not allowed");
    }
    crate::blocks::unblock(&world.db, bob, alice).await.unwrap();
    world.exec("UPDATE accounts SET following_count = 7500 WHERE id = $1", alice).await;
    assert_eq!(why(follow(&world.db, alice, bob, &none).await), "base You cannot follow more than 7500 people");
    world.exec("UPDATE accounts SET followers_count = 7000, following_count = 7500 WHERE id = $1", alice).await;
    follow(&world.db, alice, bob, &none).await.unwrap();
    unfollow(&world.db, alice, bob).await.unwrap();
    world.exec("UPDATE accounts SET suspended_at = 1 WHERE id = $1", bob).await;
    assert!(matches!(follow(&world.db, alice, bob, &none).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn limited_accounts_and_remote_targets_ask_too() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let far = world.remote("far", "far.example").await;
    assert!(follow(&world.db, alice, far, &Wish::default()).await.unwrap().requested);
    world.exec("UPDATE accounts SET silenced_at = 1 WHERE id = $1", alice).await;
    assert!(follow(&world.db, alice, bob, &Wish::default()).await.unwrap().requested);
}

fn ids(list: &[Listed]) -> Vec<AccountId> {
    list.iter().map(|l| l.account.id).collect()
}

#[tokio::test]
async fn lists_are_paged_and_hide_what_they_must() {
    let world = world().await;
    let bob = world.person("bob").await;
    let mut fans = Vec::new();
    for name in ["a1", "a2", "a3", "a4"] {
        let fan = world.person(name).await;
        follow(&world.db, fan, bob, &Wish::default()).await.unwrap();
        fans.push(fan);
    }
    fans.reverse();
    let account = world.account(bob).await;
    let conn = world.db.read().await.unwrap();
    let all = followers(&conn, &account, None, Page::newest(40)).await.unwrap();
    assert_eq!(ids(&all), fans);
    let older = Page { before: all[1].cursor, ..Page::newest(40) };
    assert_eq!(ids(&followers(&conn, &account, None, older).await.unwrap()), fans[2..]);
    let above = Page { after: all[3].cursor, from: crate::page::From::Oldest, ..Page::newest(1) };
    assert_eq!(ids(&followers(&conn, &account, None, above).await.unwrap()), fans[2..3]);
    let of = world.account(fans[0]).await;
    assert_eq!(ids(&following(&conn, &of, None, Page::newest(40)).await.unwrap()), [bob]);
    drop(conn);
    // Who is blocked or muted is left out for the viewer alone.
    crate::blocks::block(&world.db, fans[0], fans[1]).await.unwrap();
    crate::mutes::mute(&world.db, fans[0], fans[2], crate::mutes::Mute::default()).await.unwrap();
    let conn = world.db.read().await.unwrap();
    let seen = |viewer| followers(&conn, &account, viewer, Page::newest(40));
    assert_eq!(ids(&seen(Some(fans[0])).await.unwrap()), [fans[0], fans[3]]);
    assert_eq!(ids(&seen(Some(fans[1])).await.unwrap()), fans[1..]);
    assert_eq!(ids(&seen(Some(bob)).await.unwrap()), fans);
    drop(conn);
    world.change(bob, ProfileChange { hide_collections: Some(true), ..Default::default() }).await.unwrap();
    let account = world.account(bob).await;
    let conn = world.db.read().await.unwrap();
    assert!(followers(&conn, &account, Some(fans[0]), Page::newest(40)).await.unwrap().is_empty());
    assert_eq!(followers(&conn, &account, Some(bob), Page::newest(40)).await.unwrap().len(), 4);
}
