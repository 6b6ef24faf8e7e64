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
