use super::*;
use crate::accounts::tests::{World, world};
use crate::db::Texts;
use crate::{accounts, follows, jobs};

async fn run_jobs(world: &World) {
    while let Some(job) =
        jobs::claim(&world.db, jobs::Queue::Pull, 1, &Texts(Vec::new())).await.unwrap().into_iter().next()
    {
        if let Some(Job::ApplyDomainBlock { domain, was }) = &job.job {
            apply(&world.db, domain, Time(*was)).await.unwrap();
        }
        jobs::finish(&world.db, &job, jobs::Outcome::Done).await.unwrap();
    }
}

fn wanted(domain: &str, severity: Severity) -> DomainBlock {
    DomainBlock { severity, ..DomainBlock::named(domain) }
}

async fn state(world: &World, id: AccountId) -> (bool, bool) {
    let account = world.account(id).await;
    (account.silenced_at.is_some(), account.suspended_at.is_some())
}

#[tokio::test]
async fn taking_a_rule_back_restores_what_it_did_and_no_more() {
    let world = world().await;
    let (eve, sub) = (world.remote("eve", "bad.example").await, world.remote("sub", "x.bad.example").await);
    let (own, good) = (world.remote("own", "bad.example").await, world.remote("good", "notbad.example").await);
    world.exec("UPDATE accounts SET suspended_at = 1 WHERE id = $1", own).await;
    let (_, written) = block(&world.db, &wanted("BAD.example.", Severity::Silence)).await.unwrap();
    assert_eq!(written, Written::New);
    run_jobs(&world).await;
    assert_eq!((state(&world, eve).await, state(&world, sub).await), ((true, false), (true, false)));
    let (_, written) = block(&world.db, &wanted("bad.example", Severity::Suspend)).await.unwrap();
    assert_eq!(written, Written::Changed);
    run_jobs(&world).await;
    assert_eq!((state(&world, eve).await, state(&world, sub).await), ((false, true), (false, true)));
    let (_, written) = block(&world.db, &wanted("bad.example", Severity::Suspend)).await.unwrap();
    assert_eq!(written, Written::Same);
    // A rule for a part of it stands in the place of the whole's.
    block(&world.db, &wanted("x.bad.example", Severity::Silence)).await.unwrap();
    run_jobs(&world).await;
    assert_eq!((state(&world, eve).await, state(&world, sub).await), ((false, true), (true, false)));
    unblock(&world.db, "x.bad.example").await.unwrap();
    run_jobs(&world).await;
    assert_eq!(state(&world, sub).await, (false, true));
    unblock(&world.db, "bad.example").await.unwrap();
    run_jobs(&world).await;
    assert_eq!((state(&world, eve).await, state(&world, sub).await), ((false, false), (false, false)));
    assert_eq!((state(&world, own).await, state(&world, good).await), ((false, true), (false, false)));
    assert!(matches!(unblock(&world.db, "bad.example").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn follows_end_both_ways_and_are_counted() {
    let world = world().await;
    let (alice, eve) = (world.person("alice").await, world.remote("eve", "bad.example").await);
    for (who, whom) in [(alice, eve), (eve, alice)] {
        follows::follow(&world.db, who, whom, &follows::Wish::default()).await.unwrap();
    }
    let conn = world.db.read().await.unwrap();
    assert_eq!(extent(&conn, &["bad.example".to_owned()]).await.unwrap(), Extent { accounts: 1, follows: 2 });
    drop(conn);
    block(&world.db, &wanted("bad.example", Severity::Suspend)).await.unwrap();
    run_jobs(&world).await;
    assert_eq!((world.counts(alice).await, world.counts(eve).await), ((0, 0), (0, 0)));
    let conn = world.db.read().await.unwrap();
    assert_eq!(extent(&conn, &["bad.example".to_owned()]).await.unwrap(), Extent { accounts: 1, follows: 0 });
}

#[tokio::test]
async fn a_purge_removes_a_domain_and_nothing_else() {
    let world = world().await;
    let (eve, good) = (world.remote("eve", "bad.example").await, world.remote("good", "notbad.example").await);
    world.remote("sub", "x.bad.example").await;
    let conn = world.db.read().await.unwrap();
    assert_eq!(contents(&conn, "bad.example").await.unwrap().accounts, 2);
    drop(conn);
    let mut seen = Vec::new();
    assert_eq!(purge(&world.db, "bad.example", |n| seen.push(n)).await.unwrap(), 2);
    assert_eq!(seen, [1, 2]);
    let conn = world.db.read().await.unwrap();
    assert!(accounts::store::by_id(&conn, eve).await.unwrap().is_none());
    assert!(accounts::store::by_id(&conn, good).await.unwrap().is_some());
    assert!(!crate::tombstones::is_gone(&conn, "https://bad.example/users/eve").await.unwrap());
}

#[tokio::test]
async fn rules_at_hand_follow_what_is_written() {
    let world = world().await;
    let known = Known::new(world.db.clone());
    assert!(!known.rules().await.unwrap().suspends("bad.example"));
    block(&world.db, &wanted("bad.example", Severity::Suspend)).await.unwrap();
    allows::allow(&world.db, "Good.example").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    let rules = known.rules().await.unwrap();
    assert!(rules.suspends("bad.example") && rules.allows("good.example"));
    allows::disallow(&world.db, "good.example").await.unwrap();
    assert!(matches!(allows::disallow(&world.db, "good.example").await, Err(Error::NotFound)));
}

#[test]
fn a_name_is_shown_in_part() {
    let mut block = wanted("malicious.example", Severity::Suspend);
    assert_eq!(block.shown(), "malicious.example");
    block.obfuscate = true;
    assert_eq!(block.shown(), "malic****.***mple");
    assert_eq!(block.digest().len(), 64);
}
