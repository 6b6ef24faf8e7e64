//! Stored forms, lanes, and ends.

use super::*;
use crate::{
    db::Texts,
    deliveries::{News, Thing},
    ids::{AccountId, ActivityId, CardId, MediaId, PollId, ScheduledId, StatusId},
    media::{Former, Of},
    moves::{Carry, What},
};

/// Rows outlive releases: a changed spelling here would strand them.
#[test]
fn stored_form_is_fixed() {
    for (job, json) in [
        (Job::ProcessMedia { media: MediaId(7) }, r#"{"job":"process_media","media":"7"}"#),
        (Job::DeleteFiles { keys: vec!["a/b".into()] }, r#"{"job":"delete_files","keys":["a/b"]}"#),
        (Job::PublishScheduled { scheduled: ScheduledId(8) }, r#"{"job":"publish_scheduled","scheduled":"8"}"#),
        (Job::ClosePoll { poll: PollId(9) }, r#"{"job":"close_poll","poll":"9"}"#),
        (Job::Receive { arrival: ArrivalId(3), from: None }, r#"{"job":"receive","arrival":"3"}"#),
        (
            Job::Receive { arrival: ArrivalId(3), from: Some("a.example".into()) },
            r#"{"job":"receive","arrival":"3","from":"a.example"}"#,
        ),
        (
            Job::Deliver { activity: ActivityId(4), inbox: "https://a.example/inbox".into(), about: None },
            r#"{"job":"deliver","activity":"4","inbox":"https://a.example/inbox"}"#,
        ),
        (
            Job::Deliver {
                activity: ActivityId(4),
                inbox: "https://a.example/inbox".into(),
                about: Some(Thing::Placed(-5)),
            },
            r#"{"job":"deliver","activity":"4","inbox":"https://a.example/inbox","about":-5}"#,
        ),
        (
            Job::Deliver {
                activity: ActivityId(4),
                inbox: "https://a.example/inbox".into(),
                about: Some(Thing::AtInbox(-5)),
            },
            r#"{"job":"deliver","activity":"4","inbox":"https://a.example/inbox","about":{"at_inbox":-5}}"#,
        ),
        (
            Job::Deliver {
                activity: ActivityId(4),
                inbox: "https://a.example/inbox".into(),
                about: Some(Thing::AtHost(5)),
            },
            r#"{"job":"deliver","activity":"4","inbox":"https://a.example/inbox","about":{"at_host":5}}"#,
        ),
        (
            Job::Tell { news: News::StatusCreated { status: StatusId(5) } },
            r#"{"job":"tell","news":{"news":"status_created","status":"5"}}"#,
        ),
        (Job::RefreshAccount { account: AccountId(6), host: None }, r#"{"job":"refresh_account","account":"6"}"#),
        (
            Job::RefreshAccount { account: AccountId(6), host: Some("a.example".into()) },
            r#"{"job":"refresh_account","account":"6","host":"a.example"}"#,
        ),
        (Job::FetchPins { account: AccountId(6), host: None }, r#"{"job":"fetch_pins","account":"6"}"#),
        (
            Job::FetchPins { account: AccountId(6), host: Some("a.example".into()) },
            r#"{"job":"fetch_pins","account":"6","host":"a.example"}"#,
        ),
        (Job::FetchThread { status: StatusId(5) }, r#"{"job":"fetch_thread","status":"5"}"#),
        (Job::FetchQuote { status: StatusId(5), left: 2 }, r#"{"job":"fetch_quote","status":"5","left":2}"#),
        (Job::CheckStamp { status: StatusId(5) }, r#"{"job":"check_stamp","status":"5"}"#),
        (
            Job::Tell { news: News::QuoteRequested { status: StatusId(5), again: 0 } },
            r#"{"job":"tell","news":{"news":"quote_requested","status":"5"}}"#,
        ),
        (
            Job::Tell { news: News::QuoteRequested { status: StatusId(5), again: 2 } },
            r#"{"job":"tell","news":{"news":"quote_requested","status":"5","again":2}}"#,
        ),
        (Job::FetchCard { card: CardId(7) }, r#"{"job":"fetch_card","card":"7"}"#),
        (Job::MirrorMedia { status: StatusId(8) }, r#"{"job":"mirror_media","status":"8"}"#),
        (Job::MirrorAccount { account: AccountId(9) }, r#"{"job":"mirror_account","account":"9"}"#),
        (
            Job::ApplyDomainBlock { domain: "a.example".into(), was: 5 },
            r#"{"job":"apply_domain_block","domain":"a.example","was":5}"#,
        ),
        (
            Job::ApplyDomainBlocks { domains: vec!["a.example".into()], was: vec![5] },
            r#"{"job":"apply_domain_blocks","domains":["a.example"],"was":[5]}"#,
        ),
        (Job::CheckMove { account: AccountId(6) }, r#"{"job":"check_move","account":"6"}"#),
        (
            Job::Carry { carry: Carry { from: AccountId(1), to: AccountId(2), what: What::Follows, after: 3 } },
            r#"{"job":"carry","carry":{"from":"1","to":"2","what":"follows","after":3}}"#,
        ),
        (
            Job::MendFollows { account: AccountId(6), url: "https://a.example/1".into(), digest: "00".into() },
            r#"{"job":"mend_follows","account":"6","url":"https://a.example/1","digest":"00"}"#,
        ),
        (
            Job::ForgetCopies {
                files: vec![Former { of: Of::Attachment, id: 7, address: "https://a.example/1.png".into() }],
            },
            r#"{"job":"forget_copies","files":[{"of":"attachment","id":7,"address":"https://a.example/1.png"}]}"#,
        ),
        (
            Job::ForgetAccount { account: AccountId(6), after: MediaId(0) },
            r#"{"job":"forget_account","account":"6","after":"0"}"#,
        ),
        (
            Job::ForgetServer { domain: "a.example".into(), after: AccountId(6) },
            r#"{"job":"forget_server","domain":"a.example","after":"6"}"#,
        ),
        (Job::ForgetCards { after: CardId(0) }, r#"{"job":"forget_cards","after":"0"}"#),
        (
            Job::RotateKeys { account: AccountId(6), rotation: ActivityId(4), forced: false },
            r#"{"job":"rotate_keys","account":"6","rotation":"4"}"#,
        ),
        (
            Job::RotateKeys { account: AccountId(6), rotation: ActivityId(4), forced: true },
            r#"{"job":"rotate_keys","account":"6","rotation":"4","forced":true}"#,
        ),
        (Job::Housekeeping, r#"{"job":"housekeeping"}"#),
    ] {
        assert_eq!(serde_json::to_string(&job).unwrap(), json);
        assert_eq!(serde_json::from_str::<Job>(json).unwrap(), job);
    }
}

#[test]
fn pauses_grow_to_two_days_in_all() {
    let total: Duration = (1..MAX_ATTEMPTS).map(pause).sum();
    assert!(total > Duration::from_secs(36 * 3600) && total < Duration::from_secs(72 * 3600), "{total:?}");
}

async fn delivered_to(world: &crate::accounts::tests::World, inboxes: &[&str]) {
    let mut tx = world.db.begin().await.unwrap();
    for inbox in inboxes {
        tx.enqueue(Job::Deliver { activity: ActivityId(1), inbox: (*inbox).to_owned(), about: None }).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn lanes(world: &crate::accounts::tests::World, full: &[&str]) -> Vec<Claimed> {
    let full = Texts(full.iter().map(|lane| (*lane).to_owned()).collect());
    claim(&world.db, Queue::Push, 2, &full).await.unwrap()
}

#[tokio::test]
async fn full_lanes_are_passed_over() {
    let world = crate::accounts::tests::world().await;
    let slow = "https://Slow.example/inbox";
    delivered_to(&world, &[slow, slow, slow, "https://b.example:8443/inbox"]).await;
    let first = lanes(&world, &[]).await;
    assert_eq!(first.iter().map(|c| c.lane.as_deref()).collect::<Vec<_>>(), [Some("slow.example"); 2]);
    let second = lanes(&world, &["slow.example"]).await;
    assert_eq!(second.iter().map(|c| c.lane.as_deref()).collect::<Vec<_>>(), [Some("b.example:8443")]);
    assert!(lanes(&world, &["slow.example", "b.example:8443"]).await.is_empty());
    // What is given back was not tried.
    give_back(&world.db, &first).await.unwrap();
    let again = lanes(&world, &[]).await;
    assert_eq!((again.len(), again[0].attempts), (2, 1));
}

#[tokio::test]
async fn all_that_waits_for_a_host_rests_with_it() {
    let world = crate::accounts::tests::world().await;
    delivered_to(&world, &["https://dead.example/1", "https://dead.example/2", "https://alive.example/1"]).await;
    let until = Time::now().plus(Duration::from_secs(60));
    assert_eq!(rest(&world.db, "dead.example", until).await.unwrap(), 2);
    let due = lanes(&world, &[]).await;
    assert_eq!(due.iter().map(|c| c.lane.as_deref()).collect::<Vec<_>>(), [Some("alive.example")]);
    assert_eq!(hosts::retry(&world.db, Some("dead.example")).await.unwrap(), 2);
    assert_eq!(lanes(&world, &[]).await.len(), 2);
}

#[tokio::test]
async fn many_ends_are_written_together_and_each_is_its_own() {
    let world = crate::accounts::tests::world().await;
    delivered_to(&world, &["https://a.example/1"; 60]).await;
    let claimed = claim(&world.db, Queue::Push, 100, &Texts(Vec::new())).await.unwrap();
    let ends = claimed.iter().enumerate().map(|(n, job)| {
        let why = || format!("{n}");
        let outcome = match n % 3 {
            0 => Outcome::Done,
            1 => Outcome::Retry(why()),
            _ => Outcome::GiveUp(why()),
        };
        finish(&world.db, job, outcome)
    });
    futures_util::future::try_join_all(ends).await.unwrap();
    let conn = world.db.read().await.unwrap();
    let of = |state| list(&conn, state, 100);
    let (waiting, dead) = (of(State::Waiting).await.unwrap(), of(State::Dead).await.unwrap());
    assert_eq!((waiting.len(), dead.len(), of(State::Running).await.unwrap().len()), (20, 20, 0));
    let numbers = |rows: &[JobRow]| -> Vec<usize> {
        rows.iter().map(|row| row.last_error.as_deref().unwrap().parse().unwrap()).collect()
    };
    assert!(numbers(&waiting).iter().all(|n| n % 3 == 1) && numbers(&dead).iter().all(|n| n % 3 == 2));
}

#[tokio::test]
async fn dead_letters_go_with_what_they_were_to_apply() {
    let world = crate::accounts::tests::world().await;
    let from = world.account(world.remote("ann", "a.example").await).await;
    arrivals::take(&world.db, &from, ("https://a.example/1", "{}")).await.unwrap();
    arrivals::take(&world.db, &from, ("https://a.example/2", "{}")).await.unwrap();
    let claimed = claim(&world.db, Queue::Default, 10, &Texts(Vec::new())).await.unwrap();
    assert_eq!(claimed.iter().map(|c| c.lane.as_deref()).collect::<Vec<_>>(), [Some("<a.example"); 2]);
    for job in &claimed {
        finish(&world.db, job, Outcome::GiveUp("odd".into())).await.unwrap();
    }
    assert_eq!(sweep(&world.db).await.unwrap(), 0, "not so soon");
    let arrival = |claimed: &Claimed| match claimed.job {
        Some(Job::Receive { arrival, .. }) => arrival,
        _ => panic!("{claimed:?}"),
    };
    let body = async |claimed: &Claimed| {
        let conn = world.db.read().await.unwrap();
        arrivals::by_id(&conn, arrival(claimed)).await.unwrap().unwrap().body
    };
    assert_eq!(discard_dead(&world.db, claimed[0].id).await.unwrap(), 1);
    assert_eq!((body(&claimed[0]).await, body(&claimed[1]).await), (None, Some("{}".into())));
    world.exec("UPDATE jobs SET run_at = run_at - 2678400000 WHERE id = $1", AccountId(claimed[1].id.0)).await;
    assert_eq!(sweep(&world.db).await.unwrap(), 1);
    assert_eq!(body(&claimed[1]).await, None);
    assert!(list(&world.db.read().await.unwrap(), State::Dead, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_job_is_found_by_an_index() {
    let world = crate::accounts::tests::world().await;
    let job = || Job::CheckMove { account: AccountId(6) };
    for _ in 0..2 {
        ensure(&world.db, job()).await.unwrap();
    }
    let conn = world.db.read().await.unwrap();
    assert_eq!(list(&conn, State::Waiting, 10).await.unwrap().len(), 1);
    let other = Job::CheckStamp { status: StatusId(6) };
    assert!(is_queued(&conn, &job()).await.unwrap() && !is_queued(&conn, &other).await.unwrap());
    let plans = store::plans(&conn).await.unwrap();
    assert!(plans[0].starts_with("SEARCH jobs USING INDEX jobs_by_payload"), "{plans:?}");
    // One search, in order: nothing is sorted.
    for plan in &plans[1..3] {
        assert!(plan.starts_with("SEARCH jobs USING INDEX jobs_by_about (about=? AND id<?)"), "{plan}");
        assert!(plan.ends_with("SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"), "{plan}");
    }
    for part in ["jobs_of_lane (lane=?", "jobs_claimed (claimed_until>?)"] {
        assert!(plans[3].contains(part), "{plans:?}");
    }
    assert!(!plans[3].contains("SCAN jobs"), "{plans:?}");
}

#[tokio::test]
async fn what_was_taken_back_is_refused_with_its_arrival() {
    let world = crate::accounts::tests::world().await;
    let from = world.account(world.remote("ann", "a.example").await).await;
    let name = "https://a.example/likes/1";
    arrivals::take(&world.db, &from, (name, "{}")).await.unwrap();
    let claimed = claim(&world.db, Queue::Default, 10, &Texts(Vec::new())).await.unwrap();
    let Some(Job::Receive { arrival, .. }) = claimed[0].job else { panic!("{claimed:?}") };
    assert!(!arrivals::is_taken_back(&world.db, arrival, name).await.unwrap());
    crate::tombstones::remember(&world.db, name).await.unwrap();
    assert!(arrivals::is_taken_back(&world.db, arrival, name).await.unwrap());
    // The process may end here, and the job run again: there is nothing left to apply.
    let conn = world.db.read().await.unwrap();
    assert_eq!(arrivals::by_id(&conn, arrival).await.unwrap().unwrap().body, None);
}

#[tokio::test]
async fn a_lane_is_asked_for_what_may_run_of_it() {
    let world = crate::accounts::tests::world().await;
    delivered_to(&world, &["https://a.example/1"; 9]).await;
    delivered_to(&world, &["https://b.example/1"]).await;
    let wanted = [("a.example".to_owned(), 3), ("b.example".to_owned(), 3), ("c.example".to_owned(), 3)];
    let taken = claim_of_lanes(&world.db, Queue::Push, &wanted).await.unwrap();
    let of = |lane: &str| taken.iter().filter(|c| c.lane.as_deref() == Some(lane)).count();
    assert_eq!((of("a.example"), of("b.example"), taken.len()), (3, 1, 4));
    assert!(taken.iter().all(|c| c.attempts == 1 && c.job.is_some()));
    assert!(claim_of_lanes(&world.db, Queue::Pull, &wanted).await.unwrap().is_empty(), "of another queue");
    rest(&world.db, "a.example", Time::now().plus(Duration::from_secs(60))).await.unwrap();
    assert!(claim_of_lanes(&world.db, Queue::Push, &wanted).await.unwrap().is_empty(), "not due");
}

#[tokio::test]
async fn what_is_asked_for_while_the_same_runs_is_done_again() {
    let world = crate::accounts::tests::world().await;
    let job = || Job::CheckMove { account: AccountId(1) };
    for _ in 0..2 {
        ensure(&world.db, job()).await.unwrap();
    }
    let claimed = claim(&world.db, Queue::Pull, 10, &Texts(Vec::new())).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert!(!is_queued(&world.db.read().await.unwrap(), &job()).await.unwrap());
    for _ in 0..2 {
        ensure(&world.db, job()).await.unwrap();
    }
    finish(&world.db, &claimed[0], Outcome::Done).await.unwrap();
    let again = claim(&world.db, Queue::Pull, 10, &Texts(Vec::new())).await.unwrap();
    assert_eq!(again.len(), 1, "what changed while it ran");
}

#[test]
fn what_takes_long_has_lanes_of_its_own() {
    let slow = [Job::FetchThread { status: StatusId(1) }, Job::FetchCard { card: CardId(1) }];
    for job in slow {
        assert!(job.lane().is_some_and(|lane| lane.starts_with(SHARED)), "{job:?}");
    }
    let block = Job::ApplyDomainBlock { domain: "a.example".into(), was: 0 };
    assert_eq!((block.queue(), block.lane()), (Queue::Default, None));
}

#[test]
fn what_asks_a_server_is_in_its_lane() {
    let (account, host) = (AccountId(1), Some("a.example".to_owned()));
    for job in [
        Job::RefreshAccount { account, host: host.clone() },
        Job::FetchPins { account, host: host.clone() },
        Job::Deliver { activity: ActivityId(1), inbox: "https://A.example/inbox".into(), about: None },
    ] {
        assert_eq!(job.lane(), host, "{job:?}");
    }
}

#[tokio::test]
async fn what_goes_to_an_inbox_that_moved_goes_elsewhere_in_its_turn() {
    let world = crate::accounts::tests::world().await;
    let (old, new) = ("https://a.example/old\"%_", "https://a.example:8443/new");
    delivered_to(&world, &[old, "https://a.example/old", "https://b.example/1", old, old]).await;
    let claimed = claim(&world.db, Queue::Push, 1, &Texts(Vec::new())).await.unwrap();
    let tx = world.db.begin().await.unwrap();
    assert_eq!(readdress(&tx, (old, new), 2).await.unwrap(), 2);
    assert_eq!(readdress(&tx, (old, new), 2).await.unwrap(), 1, "so many at once");
    assert_eq!(readdress(&tx, (old, new), 2).await.unwrap(), 0);
    tx.commit().await.unwrap();
    // The one that runs is among them.
    finish(&world.db, &claimed[0], Outcome::Postponed(Time(0))).await.unwrap();
    let again = claim(&world.db, Queue::Push, 10, &Texts(Vec::new())).await.unwrap();
    let inbox = |claimed: &Claimed| match &claimed.job {
        Some(Job::Deliver { inbox, .. }) => inbox.clone(),
        _ => panic!("{claimed:?}"),
    };
    let mut inboxes: Vec<(JobId, String)> = again.iter().map(|claimed| (claimed.id, inbox(claimed))).collect();
    inboxes.sort();
    assert_eq!(inboxes[0].0, claimed[0].id);
    let inboxes: Vec<&str> = inboxes.iter().map(|(_, inbox)| inbox.as_str()).collect();
    assert_eq!(inboxes, [new, "https://a.example/old", "https://b.example/1", new, new]);
    let lanes = again.iter().filter(|claimed| claimed.lane.as_deref() == Some("a.example:8443")).count();
    assert_eq!(lanes, 3);
}

#[tokio::test]
async fn what_is_to_be_told_later_holds_up_nothing_until_then() {
    let world = crate::accounts::tests::world().await;
    let status = StatusId(1);
    let mut tx = world.db.begin().await.unwrap();
    let hour = tx.now.plus(Duration::from_secs(3600));
    tx.enqueue_at(Job::Tell { news: News::PollCounted { status } }, hour).await.unwrap();
    tx.enqueue(Job::Tell { news: News::StatusEdited { status } }).await.unwrap();
    tx.enqueue(Job::Tell { news: News::StatusEdited { status: StatusId(2) } }).await.unwrap();
    tx.commit().await.unwrap();
    let conn = world.db.read().await.unwrap();
    let ids: Vec<(JobId,)> = conn.all("SELECT id FROM jobs ORDER BY id", &[]).await.unwrap();
    drop(conn);
    let before = async || {
        let conn = world.db.read().await.unwrap();
        let soon = Time::now().plus(Duration::from_secs(2));
        assert_eq!(told_before(&conn, ids[0].0, soon).await.unwrap(), None, "nobody waits for the younger");
        assert_eq!(told_before(&conn, ids[2].0, soon).await.unwrap(), None, "it is about something else");
        told_before(&conn, ids[1].0, soon).await.unwrap()
    };
    assert_eq!(before().await, None);
    let first = AccountId(ids[0].0.0);
    world.exec("UPDATE jobs SET attempts = 1 WHERE id = $1", first).await;
    assert_eq!(before().await, Some(hour), "it failed and is tried again");
    world.exec("UPDATE jobs SET attempts = 0, run_at = 5 WHERE id = $1", first).await;
    assert_eq!(before().await, Some(Time(5)));
    let claimed = claim(&world.db, Queue::Push, 1, &Texts(Vec::new())).await.unwrap();
    assert_eq!(before().await, Some(Time(5)), "it runs");
    finish(&world.db, &claimed[0], Outcome::GiveUp("never".into())).await.unwrap();
    assert_eq!(before().await, None);
}
