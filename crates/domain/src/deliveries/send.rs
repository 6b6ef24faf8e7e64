//! Activities are kept, and become one delivery for each inbox; which of them have to wait for each other.

use super::{Activity, ENDS_KEPT, KEPT, store};
use crate::{
    Result, Time,
    db::{Conn, Db},
    hosts,
    ids::{self, AccountId, ActivityId},
    jobs::{self, Job},
};
use aws_lc_rs::digest;
use std::collections::HashMap;
use std::time::Duration;

/// Deliveries that begin in one second of what can wait.
const PACE: usize = 20;

/// An activity to send.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub uri: &'a str,
    /// Who signs, and their name among servers.
    pub account: AccountId,
    pub actor: &'a str,
    pub body: &'a str,
    pub about: About<'a>,
    pub place: Place,
    pub pace: Pace,
}

/// What is said of one thing comes in the order in which it was said.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// In any order.
    Nothing,
    /// To each inbox.
    AtInbox(&'a str),
    /// To each server, whichever inboxes it has.
    AtHost(&'a str),
}

impl About<'_> {
    fn number(self, inbox: &str) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::AtInbox(what) => Some(about(what, inbox)),
            Self::AtHost(what) => Some(about(what, &hosts::of(inbox)?)),
        }
    }
}

/// Where an activity stands among those about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    First,
    Later,
    /// It says that there is nothing any more; tried for longer than the others.
    End,
}

/// How soon it is brought to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Now,
    /// A few each second, so that what others say meanwhile does not wait for all of it.
    Gentle,
}

/// Keeps an activity and adds a delivery for each inbox; nothing when it was kept before. How many deliveries.
pub async fn send(db: &Db, new: New<'_>, inboxes: &[String]) -> Result<usize> {
    if inboxes.is_empty() {
        return Ok(0);
    }
    let mut tx = db.begin_long().await?;
    let row = Activity {
        id: ids::next(),
        uri: new.uri.to_owned(),
        account_id: new.account,
        actor: new.actor.to_owned(),
        body: new.body.to_owned(),
        created_at: tx.now,
        kept_until: tx.now.plus(if new.place == Place::End { ENDS_KEPT } else { KEPT }),
        is_first: new.place == Place::First,
    };
    if !store::insert(&tx, &row).await? {
        return Ok(0);
    }
    let delivery =
        |inbox: &String| Job::Deliver { activity: row.id, inbox: inbox.clone(), about: new.about.number(inbox) };
    let jobs: Vec<Job> = in_turn(inboxes).map(delivery).collect();
    match new.pace {
        Pace::Now => tx.enqueue_all(&jobs).await?,
        Pace::Gentle => {
            let mut at = tx.now;
            for some in jobs.chunks(PACE) {
                tx.enqueue_all_at(some, at).await?;
                at = at.plus(Duration::from_secs(1));
            }
        }
    }
    tx.commit().await?;
    Ok(inboxes.len())
}

/// The inbox that an activity was to go to is at another address now.
pub async fn readdress(db: &Db, activity: ActivityId, inbox: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.enqueue(Job::Deliver { activity, inbox: inbox.to_owned(), about: None }).await?;
    tx.commit().await
}

/// Adds a delivery of what is passed on for each inbox.
pub async fn bring(db: &Db, activity: ActivityId, inboxes: &[String]) -> Result<()> {
    let delivery = |inbox: &String| Job::Deliver { activity, inbox: inbox.clone(), about: None };
    let jobs: Vec<Job> = in_turn(inboxes).map(delivery).collect();
    let mut tx = db.begin_long().await?;
    tx.enqueue_all(&jobs).await?;
    tx.commit().await
}

/// One of each host after the other, so that nobody waits for all of a large one.
fn in_turn(inboxes: &[String]) -> impl Iterator<Item = &String> {
    let mut seen = HashMap::<Option<String>, usize>::new();
    let mut turns: Vec<(usize, &String)> = Vec::with_capacity(inboxes.len());
    for inbox in inboxes {
        let turn = seen.entry(hosts::of(inbox)).or_default();
        turns.push((*turn, inbox));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, inbox)| inbox)
}

/// A number for a thing and an inbox, or a host, together, the same in every process and release. Two that share one would
/// wait for each other without need, which harms nobody.
pub fn about(what: &str, place: &str) -> i64 {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [what, "\n", place] {
        hash.update(part.as_bytes());
    }
    let bytes = hash.finish();
    bytes.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

/// When what goes before `activity` is tried again, of those about the same at the same inbox; None when nothing does.
/// One look at an index.
pub async fn before(conn: &Conn, about: i64, activity: ActivityId) -> Result<Option<Time>> {
    jobs::before(conn, about, activity).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_and_inboxes_have_numbers_of_their_own() {
        // Rows outlive releases.
        assert_eq!(about("https://a.example/1", "https://b.example/inbox"), ABOUT);
        let others = [about("https://a.example/2", "https://b.example/inbox"), about("https://a.example/1", "x")];
        assert!(!others.contains(&ABOUT) && others[0] != others[1]);
        let number = |about: About<'_>| about.number("https://b.example/inbox");
        assert_eq!(number(About::AtInbox("https://a.example/1")), Some(ABOUT));
        assert_eq!(
            number(About::AtHost("https://a.example/1")),
            Some(super::about("https://a.example/1", "b.example"))
        );
        assert_eq!(number(About::Nothing), None);
    }
    const ABOUT: i64 = 156_348_241_576_226_716;

    async fn sent(db: &Db, (uri, place): (&str, Place), inboxes: &[&str]) -> ActivityId {
        let (account, actor, pace) = (AccountId(1), "https://a.example/users/a", Pace::Now);
        let new = New { uri, account, actor, body: "{}", about: About::AtInbox("https://a.example/1"), place, pace };
        let inboxes: Vec<String> = inboxes.iter().map(|inbox| (*inbox).to_owned()).collect();
        assert_eq!(send(db, new, &inboxes).await.unwrap(), inboxes.len());
        let conn = db.read().await.unwrap();
        conn.one::<(ActivityId,)>("SELECT MAX(id) FROM activities", &[]).await.unwrap().0
    }

    #[tokio::test]
    async fn what_was_said_before_goes_before_until_it_has_ended() {
        let world = crate::accounts::tests::world().await;
        let (b, c) = ("https://b.example/inbox", "https://c.example/inbox");
        let first = sent(&world.db, ("1", Place::First), &[b, c]).await;
        let second = sent(&world.db, ("2", Place::Later), &[b]).await;
        let before = async |activity, inbox| {
            let conn = world.db.read().await.unwrap();
            super::before(&conn, about("https://a.example/1", inbox), activity).await.unwrap()
        };
        assert!(before(second, b).await.is_some() && before(second, c).await.is_some());
        assert_eq!((before(first, b).await, before(first, c).await), (None, None), "nobody waits for the younger");
        let conn = world.db.read().await.unwrap();
        assert!(super::before(&conn, about("https://a.example/2", b), second).await.unwrap().is_none());
        drop(conn);
        // Of what was given up a trace may be left, but nobody waits for it.
        let claimed = jobs::claim(&world.db, jobs::Queue::Push, 1, &crate::db::Texts(Vec::new())).await.unwrap();
        assert!(before(second, b).await.is_some(), "also while it runs");
        jobs::finish(&world.db, &claimed[0], jobs::Outcome::GiveUp("too large".into())).await.unwrap();
        assert_eq!(before(second, b).await, None);
        assert!(before(second, c).await.is_some());
    }

    #[tokio::test]
    async fn an_end_is_told_for_longer_than_what_it_ends() {
        let world = crate::accounts::tests::world().await;
        for (uri, place) in [("1", Place::First), ("2", Place::Later), ("3", Place::End)] {
            sent(&world.db, (uri, place), &["https://b.example/inbox"]).await;
        }
        let kept = async || {
            let rows = "SELECT uri, kept_until - created_at FROM activities ORDER BY id";
            world.db.read().await.unwrap().all::<(String, i64)>(rows, &[]).await.unwrap()
        };
        let days = |n: i64| n * 24 * 3_600_000;
        assert_eq!(kept().await, [("1".into(), days(3)), ("2".into(), days(3)), ("3".into(), days(7))]);
        assert_eq!(super::super::sweep(&world.db).await.unwrap(), 0);
        world.exec("UPDATE activities SET kept_until = kept_until - $1", AccountId(days(3) + 1)).await;
        assert_eq!(super::super::sweep(&world.db).await.unwrap(), 2);
        assert_eq!(kept().await[0].0, "3");
    }

    #[tokio::test]
    async fn what_can_wait_does_not_come_all_at_once() {
        let world = crate::accounts::tests::world().await;
        let inboxes: Vec<String> = (0..45).map(|n| format!("https://{n}.example/inbox")).collect();
        let (account, about, place) = (AccountId(1), About::Nothing, Place::End);
        let new = New { uri: "1", account, actor: "a", body: "{}", about, place, pace: Pace::Gentle };
        send(&world.db, new, &inboxes).await.unwrap();
        let rows = "SELECT run_at - created_at, COUNT(*) FROM jobs GROUP BY run_at - created_at ORDER BY 1";
        let rows: Vec<(i64, i64)> = world.db.read().await.unwrap().all(rows, &[]).await.unwrap();
        assert_eq!(rows, [(0, 20), (1000, 20), (2000, 5)]);
    }
}
