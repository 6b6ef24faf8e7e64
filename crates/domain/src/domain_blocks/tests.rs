use super::*;
use crate::accounts::tests::{World, world};
use crate::{accounts, accounts::remote, db::Texts, deliveries::News, follows, jobs};

async fn run_jobs(world: &World) {
    while let Some(job) =
        jobs::claim(&world.db, jobs::Queue::Default, 1, &Texts(Vec::new())).await.unwrap().into_iter().next()
    {
        if let Some(Job::ApplyDomainBlock { domain, was }) = &job.job {
            apply(&world.db, std::slice::from_ref(domain), &[Time(*was)]).await.unwrap();
        }
        if let Some(Job::ApplyDomainBlocks { domains, was }) = &job.job {
            let was: Vec<Time> = was.iter().copied().map(Time).collect();
            apply(&world.db, domains, &was).await.unwrap();
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
async fn many_rules_are_written_and_applied_together() {
    let world = world().await;
    let (eve, mallory) = (world.remote("eve", "x.bad.example").await, world.remote("mallory", "worse.example").await);
    let good = world.remote("good", "good.example").await;
    block(&world.db, &wanted("same.example", Severity::Silence)).await.unwrap();
    run_jobs(&world).await;
    let rules: Vec<DomainBlock> = [("bad.example", Severity::Suspend), ("worse.example", Severity::Silence)]
        .map(|(domain, severity)| wanted(domain, severity))
        .into_iter()
        .chain([wanted("same.example", Severity::Silence)])
        .collect();
    let mut seen = 0;
    block_all(&world.db, &rules, |n| seen += n).await.unwrap();
    assert_eq!((seen, jobs::counts(&world.db.read().await.unwrap()).await.unwrap().len()), (3, 1));
    let jobs = jobs::list_all(&world.db.read().await.unwrap(), 10).await.unwrap();
    assert!(jobs.len() == 1 && !jobs[0].payload.contains("same.example"), "{:?}", jobs[0].payload);
    run_jobs(&world).await;
    assert_eq!((state(&world, eve).await, state(&world, mallory).await), ((false, true), (true, false)));
    assert_eq!(state(&world, good).await, (false, false));
    let nonsense = block_all(&world.db, &[wanted("a b", Severity::Suspend)], |_| {}).await;
    assert!(matches!(nonsense, Err(Error::Invalid { .. })));
}

/// Between looking at an account and marking it somebody hides it for themselves.
#[tokio::test]
async fn what_was_marked_meanwhile_stays() {
    let world = world().await;
    let eve = world.remote("eve", "bad.example").await;
    let tx = world.db.begin().await.unwrap();
    let seen = store::marked(&tx, eve).await.unwrap().unwrap();
    assert!(store::suspend(&tx, eve, Time(5)).await.unwrap() && !store::suspend(&tx, eve, Time(6)).await.unwrap());
    assert!(!store::update_marks(&tx, &seen, (Some(Time(7)), None)).await.unwrap());
    let seen = store::marked(&tx, eve).await.unwrap().unwrap();
    assert!(store::update_marks(&tx, &seen, (Some(Time(7)), Some(Time(5)))).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(state(&world, eve).await, (true, true));
}

#[tokio::test]
async fn who_was_overlooked_is_hidden_when_more_arrives() {
    let world = world().await;
    let eve = world.remote("eve", "bad.example").await;
    block(&world.db, &wanted("bad.example", Severity::Suspend)).await.unwrap();
    let account = world.account(eve).await;
    let arrived = accounts::remote::Arrived {
        uri: account.uri.clone(),
        username: account.username.clone(),
        domain: "bad.example".into(),
        ..Default::default()
    };
    assert!(matches!(accounts::remote::receive(&world.db, &arrived).await, Err(Error::Forbidden(_))));
    assert_eq!(state(&world, eve).await, (false, true));
    // The rule takes its mark back with it.
    unblock(&world.db, "bad.example").await.unwrap();
    run_jobs(&world).await;
    assert_eq!(state(&world, eve).await, (false, false));
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
async fn very_many_are_told_a_few_at_a_time_that_follows_have_ended() {
    let world = world().await;
    let alice = world.person("alice").await;
    let followee = world.account(alice).await;
    for n in 0..45 {
        let uri = format!("https://bad.example/users/{n}");
        let reach = remote::Reach { kind: "Person".into(), inbox: format!("{uri}/inbox"), ..Default::default() };
        let (username, domain) = (format!("p{n}"), "bad.example".to_owned());
        let arrived = remote::Arrived { uri: uri.clone(), username, domain, reach, ..Default::default() };
        let follower = remote::receive(&world.db, &arrived).await.unwrap();
        follows::remote::asked(&world.db, &follower, &followee, &format!("{uri}#follow")).await.unwrap();
    }
    world.exec("DELETE FROM jobs WHERE id <> $1", AccountId(0)).await;
    block(&world.db, &wanted("bad.example", Severity::Suspend)).await.unwrap();
    run_jobs(&world).await;
    let jobs = jobs::list_all(&world.db.read().await.unwrap(), 100).await.unwrap();
    let parted = |job: &&jobs::JobRow| {
        let told = serde_json::from_str(&job.payload).unwrap();
        matches!(told, Job::Tell { news: News::Parted { parting } } if parting.inbox == format!("{}/inbox", parting.other))
    };
    let mut waits: Vec<i64> =
        jobs.iter().filter(parted).map(|job| job.run_at.millis() - job.created_at.millis()).collect();
    waits.sort_unstable();
    assert_eq!(waits, (0..45).map(|n| n * 50).collect::<Vec<_>>());
    assert_eq!(world.counts(alice).await, (0, 0));
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
