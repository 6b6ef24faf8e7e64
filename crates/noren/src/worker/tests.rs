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
    assert!(matches!(work((&parts, &Remote::new(&parts)), &unknown).await, Outcome::GiveUp(_)));

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
        tx.enqueue(Job::Deliver { activity: domain::ids::ActivityId(1), inbox, about: None }).await.unwrap();
    }
    tx.enqueue(Job::Deliver {
        activity: domain::ids::ActivityId(1),
        inbox: "https://b.example/inbox".into(),
        about: None,
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let line = Line::new(Queue::Push, 20, Lanes::new((8, 16)));
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
    let of_slow = |(claimed, _): &(Claimed, Place)| claimed.lane.as_deref() == Some("slow.example");
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

/// More than one page of a server's accounts, one of which has more than one page of attachments; the process that had
/// begun was killed.
#[tokio::test]
async fn copies_of_a_blocked_server_go_page_after_page_also_after_a_crash() {
    use domain::accounts::remote::{Arrived, receive};
    use domain::domain_blocks::{self, DomainBlock};
    use media::keys::{CACHE, Kind, Style, shown};
    let (parts, _folder) = parts().await;
    let put = async |what, address: &str| {
        let key = media::Key::parse(&shown(what, address)).unwrap();
        parts.store.put(&key, media::Content::Bytes(b"x".to_vec().into())).await.unwrap();
        key
    };
    let mut last = None;
    for (at, host) in (0..120).map(|n| (n, "bad.example")).chain([(0, "good.example")]) {
        let uri = format!("https://{host}/{at}");
        let avatar = Some(format!("{uri}.png"));
        let arrived =
            Arrived { uri: uri.clone(), domain: host.into(), username: format!("u{at}"), avatar, ..Arrived::default() };
        let account = receive(&parts.db, &arrived).await.unwrap();
        last = Some(put((Kind::Avatar, account.id.0, Style::Static), &format!("{uri}.png")).await);
        if at == 119 {
            let tx = parts.db.begin().await.unwrap();
            let status = "INSERT INTO statuses (id, account_id, uri, local, text, content, visibility, conversation_id, \
                created_at) VALUES (1, $1, 'x', FALSE, '', '', 0, 1, 1)";
            tx.exec(status, &[&account.id]).await.unwrap();
            for media in 1..=450_i64 {
                let address = format!("{uri}/{media}.png");
                let row = "INSERT INTO media_attachments (id, account_id, status_id, position, kind, state, original, \
                    file_size, loose_since) VALUES ($1, $2, 1, 0, 1, 1, $3, 0, 1)";
                tx.exec(row, &[&media, &account.id, &address.as_str()]).await.unwrap();
                put((Kind::Attachment, media, Style::Original), &address).await;
            }
            tx.commit().await.unwrap();
        }
    }
    let left = async || {
        let listing = media::Listing { prefix: CACHE.into(), after: None, limit: 1000 };
        parts.store.list(listing).await.unwrap().into_iter().map(|entry| entry.key).collect::<Vec<_>>()
    };
    assert_eq!(left().await.len(), 571);
    let rule = DomainBlock { reject_media: true, ..DomainBlock::named("bad.example") };
    domain_blocks::block(&parts.db, &rule).await.unwrap();
    assert_eq!(jobs::claim(&parts.db, Queue::Default, 5, &NO_LANES).await.unwrap().len(), 1);
    for _ in 0..2 {
        let stop = CancellationToken::new();
        let worker = tokio::spawn(Worker::new(parts.clone(), Rounds::Never).run(stop.clone()));
        until("the work", async || empty(&parts).await).await;
        stop.cancel();
        worker.await.unwrap();
        assert_eq!(left().await, last.iter().cloned().collect::<Vec<_>>());
        // Once more changes nothing.
        let again = Job::ForgetServer { domain: "good.example".into(), after: domain::ids::AccountId(0) };
        domain::media::go_on(&parts.db, &[again]).await.unwrap();
    }
}
