//! Activities are kept, and become one delivery for each inbox; which of them have to wait for each other.

use super::{Activity, ENDS_KEPT, KEPT, store};
use crate::{
    Result, Time,
    db::{Conn, Db, Tx},
    hosts,
    ids::{self, AccountId, ActivityId},
    jobs::{self, Job},
};
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// Begun in one second of what can wait.
pub(super) const PACE: u32 = 20;
/// Deliveries that go to another inbox, in one transaction.
const MOVED: i64 = 1_000;

/// An activity to send.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub uri: &'a str,
    /// Who signs, and their name among servers.
    pub account: AccountId,
    pub actor: &'a str,
    pub body: &'a str,
    /// None: it comes in any order.
    pub about: Option<Thing>,
    pub place: Place,
    pub pace: Pace,
}

/// What a delivery is about, as it is kept with it, because it may come to go to another inbox: what is said of one thing
/// comes in the order in which it was said. Part of the stored form of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// In order at each inbox.
    AtInbox(i64),
    /// In order at each server, whichever inboxes it has.
    AtHost(i64),
    /// As it was kept at first: the number of what it is about and of the inbox together.
    #[serde(untagged)]
    Placed(i64),
}

impl Thing {
    pub fn at_inbox(name: &str) -> Self {
        Self::AtInbox(hashed(&[name]))
    }

    pub fn at_host(name: &str) -> Self {
        Self::AtHost(hashed(&[name]))
    }

    /// The number by which a delivery to `inbox` waits its turn.
    pub(crate) fn turn(self, inbox: &str) -> Option<i64> {
        match self {
            Self::AtInbox(thing) => Some(hashed(&[&thing.to_string(), inbox])),
            Self::AtHost(thing) => Some(hashed(&[&thing.to_string(), &hosts::of(inbox)?])),
            Self::Placed(number) => Some(number),
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
    /// The same, and it goes also to who is blocked.
    Farewell,
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
        kept_until: tx.now.plus(if matches!(new.place, Place::End | Place::Farewell) { ENDS_KEPT } else { KEPT }),
        is_first: new.place == Place::First,
        is_farewell: new.place == Place::Farewell,
    };
    if !store::insert(&tx, &row).await? {
        return Ok(0);
    }
    let jobs = deliveries(row.id, new.about, inboxes);
    match new.pace {
        Pace::Now => tx.enqueue_all(&jobs).await?,
        Pace::Gentle => {
            let mut at = tx.now;
            for some in jobs.chunks(PACE as usize) {
                tx.enqueue_all_at(some, at).await?;
                at = at.plus(Duration::from_secs(1));
            }
        }
    }
    tx.commit().await?;
    Ok(inboxes.len())
}

/// What is on its way to the inbox `from` goes to `to`, where that is now: in its turn there, also with what comes after.
pub async fn readdress(db: &Db, from: &str, to: &str) -> Result<u64> {
    let moved = (from.to_owned(), to.to_owned());
    db.in_batches(MOVED, move |tx| {
        let (from, to) = moved.clone();
        Box::pin(async move { jobs::readdress(tx, (&from, &to), MOVED).await })
    })
    .await
}

/// The same in the transaction that learns where the inbox is; up to so many.
pub(crate) async fn readdress_at_once(tx: &Tx, from: &str, to: &str) -> Result<()> {
    let moved = jobs::readdress(tx, (from, to), MOVED).await?;
    tracing::debug!(from, to, moved, "an inbox is somewhere else");
    Ok(())
}

/// Adds a delivery of what is passed on, and is about that, for each inbox; nothing when that was done before.
pub async fn bring(db: &Db, (activity, about): (ActivityId, Option<Thing>), inboxes: &[String]) -> Result<()> {
    let jobs = deliveries(activity, about, inboxes);
    let mut tx = db.begin_long().await?;
    if store::mark_brought(&tx, activity).await? {
        tx.enqueue_all(&jobs).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn deliveries(activity: ActivityId, about: Option<Thing>, inboxes: &[String]) -> Vec<Job> {
    in_turn(inboxes).map(|inbox| Job::Deliver { activity, inbox: inbox.clone(), about }).collect()
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

/// A number for texts together, the same in every process and release. Two things that share one would wait for each other
/// without need, which harms nobody.
pub(super) fn hashed(texts: &[&str]) -> i64 {
    let mut hash = digest::Context::new(&digest::SHA256);
    for (n, text) in texts.iter().enumerate() {
        if n > 0 {
            hash.update(b"\n");
        }
        hash.update(text.as_bytes());
    }
    let bytes = hash.finish();
    bytes.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

/// When some of what is to come to the server of `inbox` about `what` is tried again.
pub async fn left_at_host(conn: &Conn, what: &str, inbox: &str) -> Result<Option<Time>> {
    match Thing::at_host(what).turn(inbox) {
        Some(number) => jobs::left(conn, number).await,
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::JobId;

    #[test]
    fn things_and_inboxes_have_numbers_of_their_own() {
        // Rows outlive releases.
        assert_eq!(hashed(&["https://a.example/1", "https://b.example/inbox"]), NUMBER);
        assert!(!matches!(hashed(&["https://a.example/2", "https://b.example/inbox"]), NUMBER));
        let (inbox, other) = ("https://b.example/inbox", "https://b.example/2");
        let (at_inbox, at_host) = (Thing::at_inbox("https://a.example/1"), Thing::at_host("https://a.example/1"));
        assert_eq!(at_inbox.turn(inbox), Some(hashed(&[&hashed(&["https://a.example/1"]).to_string(), inbox])));
        assert_ne!(at_inbox.turn(inbox), at_inbox.turn(other));
        assert_ne!(at_inbox.turn(inbox), Thing::at_inbox("https://a.example/2").turn(inbox));
        assert_eq!(at_host.turn(inbox), at_host.turn(other));
        assert_ne!(at_host.turn(inbox), at_host.turn("https://c.example/inbox"));
        assert_eq!(Thing::Placed(5).turn(inbox), Some(5));
    }
    const NUMBER: i64 = 156_348_241_576_226_716;

    const THING: &str = "https://a.example/1";

    /// The last of the deliveries.
    async fn sent(db: &Db, (uri, place): (&str, Place), inboxes: &[&str]) -> JobId {
        let (account, actor, pace) = (AccountId(1), "https://a.example/users/a", Pace::Now);
        let new = New { uri, account, actor, body: "{}", about: Some(Thing::at_inbox(THING)), place, pace };
        let inboxes: Vec<String> = inboxes.iter().map(|inbox| (*inbox).to_owned()).collect();
        assert_eq!(send(db, new, &inboxes).await.unwrap(), inboxes.len());
        last(db).await
    }

    async fn last(db: &Db) -> JobId {
        let conn = db.read().await.unwrap();
        conn.one::<(JobId,)>("SELECT MAX(id) FROM jobs", &[]).await.unwrap().0
    }

    #[tokio::test]
    async fn what_was_said_before_goes_before_until_it_has_ended() {
        let world = crate::accounts::tests::world().await;
        let (b, c) = ("https://b.example/inbox", "https://c.example/inbox");
        sent(&world.db, ("1", Place::First), &[b]).await;
        let first = sent(&world.db, ("2", Place::Later), &[c]).await;
        let second = sent(&world.db, ("3", Place::Later), &[b]).await;
        let other = {
            let (account, actor, place, pace) = (AccountId(1), "a", Place::Later, Pace::Now);
            let new = New { uri: "o", account, actor, body: "{}", about: Some(Thing::at_inbox("other")), place, pace };
            send(&world.db, new, &[b.to_owned()]).await.unwrap();
            last(&world.db).await
        };
        let before = async |job| jobs::before(&world.db.read().await.unwrap(), job).await.unwrap();
        assert!(before(second).await.is_some() && before(other).await.is_none());
        assert_eq!(before(first).await, None, "nobody waits for the younger");
        // Where the inbox is now the order is the same, also with what goes there already.
        let d = "https://d.example/inbox";
        let third = sent(&world.db, ("4", Place::Later), &[d]).await;
        assert_eq!(before(third).await, None);
        assert_eq!(readdress(&world.db, c, d).await.unwrap(), 1);
        assert!(before(third).await.is_some() && before(second).await.is_some());
        // Of what was given up a trace may be left, but nobody waits for it.
        let claimed = jobs::claim(&world.db, jobs::Queue::Push, 1, &crate::db::Texts(Vec::new())).await.unwrap();
        assert!(before(second).await.is_some(), "also while it runs");
        jobs::finish(&world.db, &claimed[0], jobs::Outcome::GiveUp("too large".into())).await.unwrap();
        assert_eq!(before(second).await, None);
        assert!(before(third).await.is_some());
    }

    #[tokio::test]
    async fn what_is_passed_on_is_handed_over_once() {
        let world = crate::accounts::tests::world().await;
        let id = ActivityId(5);
        let tx = world.db.begin().await.unwrap();
        let row = Activity {
            id,
            uri: "https://b.example/1 2".into(),
            account_id: AccountId(1),
            actor: "https://a.example/users/a".into(),
            body: "{}".into(),
            created_at: tx.now,
            kept_until: tx.now,
            is_first: false,
            is_farewell: false,
        };
        assert!(store::insert(&tx, &row).await.unwrap());
        tx.commit().await.unwrap();
        let inboxes = ["https://b.example/inbox".to_owned(), "https://c.example/inbox".to_owned()];
        for _ in 0..2 {
            bring(&world.db, (id, None), &inboxes).await.unwrap();
            let jobs = jobs::list_all(&world.db.read().await.unwrap(), 10).await.unwrap();
            assert_eq!(jobs.len(), 2);
        }
    }

    #[tokio::test]
    async fn an_end_is_told_for_longer_than_what_it_ends() {
        let world = crate::accounts::tests::world().await;
        for (uri, place) in [("1", Place::First), ("2", Place::Later), ("3", Place::End), ("4", Place::Farewell)] {
            sent(&world.db, (uri, place), &["https://b.example/inbox"]).await;
        }
        let kept = async || {
            let rows = "SELECT uri, kept_until - created_at FROM activities ORDER BY id";
            world.db.read().await.unwrap().all::<(String, i64)>(rows, &[]).await.unwrap()
        };
        let days = |n: i64| n * 24 * 3_600_000;
        assert_eq!(
            kept().await,
            [("1".into(), days(3)), ("2".into(), days(3)), ("3".into(), days(7)), ("4".into(), days(7))]
        );
        assert_eq!(super::super::sweep(&world.db).await.unwrap(), 0);
        world.exec("UPDATE activities SET kept_until = kept_until - $1", AccountId(days(3) + 1)).await;
        assert_eq!(super::super::sweep(&world.db).await.unwrap(), 2);
        assert_eq!(kept().await[0].0, "3");
    }

    #[tokio::test]
    async fn what_can_wait_does_not_come_all_at_once() {
        let world = crate::accounts::tests::world().await;
        let inboxes: Vec<String> = (0..45).map(|n| format!("https://{n}.example/inbox")).collect();
        let (account, about, place) = (AccountId(1), None, Place::End);
        let new = New { uri: "1", account, actor: "a", body: "{}", about, place, pace: Pace::Gentle };
        send(&world.db, new, &inboxes).await.unwrap();
        let rows = "SELECT run_at - created_at, COUNT(*) FROM jobs GROUP BY run_at - created_at ORDER BY 1";
        let rows: Vec<(i64, i64)> = world.db.read().await.unwrap().all(rows, &[]).await.unwrap();
        assert_eq!(rows, [(0, 20), (1000, 20), (2000, 5)]);
    }
}
