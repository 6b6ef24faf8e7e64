//! The runner on a real queue.

use super::*;
use crate::config::Config;
use domain::Time;
use domain::db::Texts;
use domain::ids::PollId;
use domain::jobs::State;

const NO_LANES: Texts = Texts(Vec::new());

async fn parts() -> (Parts, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data = folder.path().join("data");
    (Parts::open(config).await.unwrap(), folder)
}

async fn empty(parts: &Parts) -> bool {
    jobs::counts(&parts.db.read().await.unwrap()).await.unwrap().is_empty()
}

/// Waits until `condition` holds, at most five seconds.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen");
}

#[tokio::test]
async fn jobs_run_when_they_are_added_and_left_ones_at_the_start() {
    let (parts, _folder) = parts().await;
    let key = media::Key::parse("a/b.png").unwrap();
    parts.store.put(&key, media::Content::Bytes(b"x".to_vec().into())).await.unwrap();

    // One that another process had claimed before it died.
    let mut tx = parts.db.begin().await.unwrap();
    tx.enqueue(Job::DeleteFiles { keys: vec![key.to_string()] }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(jobs::claim(&parts.db, Queue::Media, 5, &NO_LANES).await.unwrap().len(), 1);

    let stop = CancellationToken::new();
    let worker = tokio::spawn(Worker::new(parts.clone(), Rounds::Never).run(stop.clone()));
    until("the left job", async || empty(&parts).await).await;
    assert!(!parts.store.exists(&key).await.unwrap());

    let mut tx = parts.db.begin().await.unwrap();
    for _ in 0..30 {
        tx.enqueue(Job::ClosePoll { poll: PollId(1) }).await.unwrap();
    }
    tx.commit().await.unwrap();
    until("the added jobs", async || empty(&parts).await).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), worker).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_cannot_be_done_is_kept_for_people_to_see() {
    let (parts, _folder) = parts().await;
    let unknown = Claimed { id: JobId(1), job: None, attempts: 1, lane: None };
    assert!(matches!(work(&parts, &unknown).await, Outcome::GiveUp(_)));

    assert!(matches!(outcome_of(domain::Error::NotFound), Outcome::Done));
    assert!(matches!(outcome_of(domain::Error::Busy(HOUR)), Outcome::Retry(_)));
    assert!(matches!(outcome_of(domain::Error::forbidden("no")), Outcome::GiveUp(_)));

    let mut tx = parts.db.begin().await.unwrap();
    tx.enqueue_at(Job::Housekeeping, Time::now().minus(HOUR)).await.unwrap();
    tx.commit().await.unwrap();
    let claimed = jobs::claim(&parts.db, Queue::Scheduler, 1, &NO_LANES).await.unwrap();
    write_down(&parts, &claimed[0], Outcome::GiveUp("never".into())).await;
    let dead = jobs::list(&parts.db.read().await.unwrap(), State::Dead, 10).await.unwrap();
    assert_eq!(dead[0].last_error.as_deref(), Some("never"));
}

#[tokio::test]
async fn of_a_lane_in_which_much_waits_only_so_much_is_taken() {
    let (parts, _folder) = parts().await;
    let mut tx = parts.db.begin().await.unwrap();
    for _ in 0..50 {
        let inbox = "https://slow.example/inbox".to_owned();
        tx.enqueue(Job::Deliver { activity: domain::ids::ActivityId(1), inbox }).await.unwrap();
    }
    tx.enqueue(Job::Deliver { activity: domain::ids::ActivityId(1), inbox: "https://b.example/inbox".into() })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let line = Line::new(Queue::Push, 20, Lanes::new(8));
    let begun = Mutex::new(Vec::new());
    let take = async || line.take(&parts.db, |claimed, place| begun.lock().unwrap().push((claimed, place))).await;
    let begun_now = || begun.lock().unwrap().len();
    let running = async || {
        let rows = jobs::list(&parts.db.read().await.unwrap(), State::Running, 100).await.unwrap();
        (rows.len(), rows.iter().map(|row| row.attempts).max())
    };
    let more = line::Taken::AllPlaces;
    assert_eq!((take().await, begun_now(), running().await), (more, 5, (5, Some(1))));
    // Nothing ended: nothing is taken, to be given back.
    assert_eq!((take().await, begun_now(), running().await), (more, 5, (5, Some(1))));
    // One ended: one is taken.
    let of_slow = |(claimed, _): &(Claimed, line::Place)| claimed.lane.as_deref() == Some("slow.example");
    let at = begun.lock().unwrap().iter().position(of_slow).unwrap();
    drop(begun.lock().unwrap().remove(at));
    assert_eq!((take().await, begun_now(), running().await), (more, 5, (6, Some(1))));
    // As they end all are taken, and then no lane is crowded any more.
    begun.lock().unwrap().clear();
    for _ in 0..20 {
        take().await;
        begun.lock().unwrap().clear();
    }
    assert_eq!(take().await, line::Taken::AllJobs);
    assert_eq!(running().await, (51, Some(1)));
}

/// Somebody writes for longer than anybody is patient.
#[tokio::test(start_paused = true)]
async fn an_end_is_written_down_when_that_can_be_done_again() {
    let (parts, _folder) = parts().await;
    let mut tx = parts.db.begin().await.unwrap();
    tx.enqueue(Job::Housekeeping).await.unwrap();
    tx.commit().await.unwrap();
    let claimed = jobs::claim(&parts.db, Queue::Scheduler, 1, &NO_LANES).await.unwrap();
    let long = parts.db.begin_long().await.unwrap();
    let end = write_down(&parts, &claimed[0], Outcome::Done);
    let release = async {
        tokio::time::sleep(Duration::from_secs(25)).await;
        drop(long);
    };
    tokio::join!(end, release);
    assert!(empty(&parts).await);
}
