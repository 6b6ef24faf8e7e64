//! Servers that are not there for long, and what is sent to them then.

use crate::peer::{Came, Peer, Somebody, local_uri, with_a_peer};
use crate::{find, id, post_as};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use domain::deliveries::News;
use domain::ids::ActivityId;
use domain::{Time, hosts, jobs, users};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::{Person, TestServer, until};

/// Somebody on `peer` follows `bob`, and his server knows it.
async fn follower(server: &TestServer, peer: &Peer, bob: &Person, name: &str) -> Somebody {
    let who = peer.somebody(name);
    let follow = peer.activity(&who, ("Follow", name), json!(local_uri(server, bob)));
    peer.send(&who, server, &follow).await;
    who
}

/// How many posts came.
fn posts(peer: &Peer) -> usize {
    peer.received.lock().unwrap().iter().filter(|a| a["type"] == "Create").count()
}

async fn known(server: &TestServer, peer: &Peer) -> hosts::Host {
    hosts::by_name(&server.db().read().await.unwrap(), peer.host()).await.unwrap().unwrap()
}

async fn waiting(server: &TestServer) -> Vec<jobs::JobRow> {
    jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap()
}

/// Waits until something was tried in vain.
async fn attempt_fails(server: &TestServer) {
    until("an attempt", async || waiting(server).await.iter().any(|job| job.last_error.is_some())).await;
}

/// Nothing is to be done any more.
async fn jobs_end(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("DELETE FROM jobs", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// It failed on seven days.
async fn fails_for_a_week(server: &TestServer, peer: &Peer) {
    for _ in 0..7 {
        hosts::failed(server.db(), peer.host(), "no connection").await.unwrap();
        let tx = server.db().begin().await.unwrap();
        let earlier = tx.now.minus(Duration::from_secs(24 * 3600));
        tx.exec("UPDATE hosts SET last_failure_at = $1", &[&earlier]).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert!(known(server, peer).await.is_given_up());
}

with_a_peer! {
    async fn who_is_gone_for_a_week_gets_nothing_until_heard_of(server, peer, bob) {
        let friend = follower(&server, &peer, &bob, "friend").await;
        post_as(&bob, "one", "public").await;
        server.settle().await;
        assert_eq!(posts(&peer), 1);
        fails_for_a_week(&server, &peer).await;
        post_as(&bob, "two", "public").await;
        server.settle().await;
        // Not even queued.
        assert_eq!((posts(&peer), waiting(&server).await.len()), (1, 0));
        // Something came from there.
        let note = peer.note(&friend, ("1", "we are back"), &[&local_uri(&server, &bob)]);
        peer.send(&friend, &server, &peer.activity(&friend, ("Create", "1"), note)).await;
        assert_eq!((known(&server, &peer).await.failed_days, known(&server, &peer).await.resting_until), (0, None));
        post_as(&bob, "three", "public").await;
        server.settle().await;
        assert_eq!(posts(&peer), 2);
    }

    async fn who_is_gone_is_asked_once_a_week(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        fails_for_a_week(&server, &peer).await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE hosts SET resting_until = $1", &[&tx.now.minus(Duration::from_secs(1))]).await.unwrap();
        tx.commit().await.unwrap();
        post_as(&bob, "are you there?", "public").await;
        server.settle().await;
        assert_eq!(posts(&peer), 1);
        let host = known(&server, &peer).await;
        assert_eq!((host.failures, host.failed_days, host.resting_until), (0, 0, None));
    }

    async fn the_end_of_an_account_is_told_also_there(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        fails_for_a_week(&server, &peer).await;
        users::delete(server.db(), bob.user).await.unwrap();
        server.settle().await;
        assert_eq!(peer.last("Delete")["object"], local_uri(&server, &bob));
        assert_eq!(known(&server, &peer).await.failed_days, 0);
    }

    async fn a_server_that_says_it_is_gone_is_believed(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        follower(&server, &peer, &bob, "other").await;
        peer.refuses.lock().unwrap().insert("/inbox".into(), (410, 0));
        post_as(&bob, "one", "public").await;
        server.settle().await;
        assert!(known(&server, &peer).await.is_given_up());
        post_as(&bob, "two", "public").await;
        server.settle().await;
        assert_eq!((posts(&peer), waiting(&server).await.len()), (1, 0));
    }

    async fn who_says_it_for_all_without_them_is_not_believed(server, peer, bob) {
        // On some servers people have a say in what is at which path.
        let eve = peer.somebody("eve");
        let shared = json!({ "endpoints": { "sharedInbox": format!("{}/~eve/all", peer.base) } });
        peer.shows(&eve, "eve", shared.clone());
        peer.send(&eve, &server, &peer.activity(&eve, ("Follow", "1"), json!(local_uri(&server, &bob)))).await;
        peer.refuses.lock().unwrap().insert("/~eve/all".into(), (410, 0));
        let asked = peer.hits("/users/eve");
        post_as(&bob, "one", "public").await;
        server.settle().await;
        let is_given_up = async || {
            let host = hosts::by_name(&server.db().read().await.unwrap(), peer.host()).await.unwrap();
            host.is_some_and(|host| host.is_given_up())
        };
        assert!(!is_given_up().await, "one is not everybody");
        assert_eq!(peer.hits("/users/eve"), asked + 1, "but is asked for");
        // Nor are two, where others have another.
        let mallory = peer.somebody("mallory");
        peer.shows(&mallory, "mallory", shared);
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Follow", "2"), json!(local_uri(&server, &bob)))).await;
        follower(&server, &peer, &bob, "friend").await;
        follower(&server, &peer, &bob, "other").await;
        post_as(&bob, "two", "public").await;
        server.settle().await;
        assert!(!is_given_up().await);
        peer.received.lock().unwrap().clear();
        post_as(&bob, "three", "public").await;
        server.settle().await;
        assert_eq!(posts(&peer), 2, "both inboxes are told");
    }

    async fn patience_is_for_all_that_goes_there(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        // A day for what was refused; for others an hour is enough.
        peer.refuses.lock().unwrap().insert("/inbox".into(), (429, 86_400));
        post_as(&bob, "one", "public").await;
        attempt_fails(&server).await;
        post_as(&bob, "two", "public").await;
        post_as(&bob, "three", "public").await;
        let later = |hours: u64| Time::now().plus(Duration::from_secs(hours * 3600));
        until("all are put off", async || {
            let left = waiting(&server).await;
            left.len() == 3 && left.iter().all(|job| job.run_at > later(0))
        })
        .await;
        let left = waiting(&server).await;
        let (tried, untried): (Vec<_>, Vec<_>) = left.iter().partition(|job| job.last_error.is_some());
        assert!(tried.len() == 1 && tried[0].run_at > later(23), "{left:?}");
        assert!(untried.len() == 2 && untried.iter().all(|job| job.attempts == 0), "{left:?}");
        let within = Duration::from_secs(3000);
        assert!(untried.iter().all(|job| job.run_at > Time::now().plus(within) && job.run_at < later(2)), "{left:?}");
        assert_eq!(posts(&peer), 1, "nobody else asked");
        let host = known(&server, &peer).await;
        // It answers: that is no failure.
        assert_eq!((host.failures, host.failed_days), (0, 0));
        assert!(host.resting_until.is_some() && host.last_error.unwrap().contains("429"));
        peer.refuses.lock().unwrap().clear();
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE jobs SET last_error = NULL", &[]).await.unwrap();
        tx.commit().await.unwrap();
        hosts::retry(server.db(), Some(peer.host())).await.unwrap();
        server.settle().await;
        assert_eq!(posts(&peer), 4);
    }

    async fn who_takes_no_signature_of_ours_is_seen_with_the_reason(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        let closed = Arc::new(AtomicBool::new(true));
        let is_closed = Arc::clone(&closed);
        let judge = move |came: &Came| {
            let refused = came.method == reqwest::Method::POST && is_closed.load(Ordering::Relaxed);
            refused.then(|| {
                let head = [("date", "Tue, 20 Apr 2021 02:07:55 GMT"), ("content-type", "application/json")];
                (StatusCode::UNAUTHORIZED, head, r#"{"error":"too\n old"}"#).into_response()
            })
        };
        assert!(peer.judge.set(Box::new(judge)).is_ok());
        post_as(&bob, "one", "public").await;
        attempt_fails(&server).await;
        let host = known(&server, &peer).await;
        let why = host.last_error.clone().unwrap();
        assert!(why.starts_with("answered with 401: too old (its clock is ") && why.ends_with(" days behind ours)"), "{why}");
        assert_eq!(waiting(&server).await[0].last_error.as_deref(), Some(why.as_str()));
        // It answers: nothing rests.
        assert_eq!((host.failures, host.failed_days, host.resting_until), (0, 0, None));
        let troubled = async || hosts::list_troubled(&server.db().read().await.unwrap(), 10).await.unwrap().len();
        assert_eq!(troubled().await, 1);
        closed.store(false, Ordering::Relaxed);
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE jobs SET last_error = NULL", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(hosts::retry(server.db(), None).await.unwrap(), 1);
        server.settle().await;
        assert_eq!((posts(&peer), troubled().await, known(&server, &peer).await.last_error), (1, 0, None));
    }

    async fn what_is_to_be_said_later_is_not_hastened(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        let post = post_as(&bob, "one", "public").await;
        server.settle().await;
        let mut tx = server.db().begin().await.unwrap();
        let (soon, later) = (tx.now.plus(Duration::from_secs(60)), tx.now.plus(Duration::from_secs(86_400)));
        let status = id(&post).parse().unwrap();
        let again = jobs::Job::Tell { news: News::QuoteRequested { status, again: 1 } };
        tx.enqueue_at(again, later).await.unwrap();
        let inbox = format!("{}/inbox", peer.base);
        let delivery = jobs::Job::Deliver { activity: ActivityId(7), inbox, about: None };
        tx.enqueue_at(delivery, soon).await.unwrap();
        tx.commit().await.unwrap();
        let count = async |host: Option<&str>| {
            jobs::waiting_deliveries(&server.db().read().await.unwrap(), host).await.unwrap()
        };
        assert_eq!((count(None).await, count(Some(peer.host())).await, count(Some("b.example")).await), (1, 1, 0));
        assert_eq!(hosts::retry(server.db(), None).await.unwrap(), 1);
        until("the delivery", async || count(None).await == 0).await;
        let left = waiting(&server).await;
        assert_eq!((left.len(), left[0].run_at), (1, later), "{left:?}");
        jobs_end(&server).await;
    }

    async fn what_is_too_large_elsewhere_is_seen_here(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        peer.refuses.lock().unwrap().insert("/inbox".into(), (413, 0));
        post_as(&bob, "one", "public").await;
        let dead = async || jobs::list(&server.db().read().await.unwrap(), jobs::State::Dead, 10).await.unwrap();
        until("it is given up", async || !dead().await.is_empty()).await;
        let given_up = dead().await;
        let why = given_up[0].last_error.clone().unwrap();
        assert!(why.contains("413") && why.contains("/statuses/") && why.contains(peer.host()), "{why}");
        let host = known(&server, &peer).await;
        assert_eq!((host.failures, host.resting_until, host.last_error), (0, None, Some(why)));
        // What is smaller still goes there.
        peer.refuses.lock().unwrap().clear();
        post_as(&bob, "two", "public").await;
        assert_eq!(jobs::discard_dead(server.db(), given_up[0].id).await.unwrap(), 1);
        server.settle().await;
        assert_eq!(posts(&peer), 2);
    }

    async fn somebody_who_is_gone_goes_here_too(server, peer, bob) {
        let friend = peer.somebody("friend");
        peer.shows(&friend, "friend", json!({ "endpoints": {} }));
        peer.send(&friend, &server, &peer.activity(&friend, ("Follow", "1"), json!(local_uri(&server, &bob)))).await;
        let there = find(&bob, &format!("friend@{}", peer.host())).await;
        peer.refuses.lock().unwrap().insert("/users/friend/inbox".into(), (410, 0));
        // The inbox alone proves nothing.
        post_as(&bob, "one", "public").await;
        server.settle().await;
        let path = format!("/api/v1/accounts/{}", id(&there));
        assert_eq!(bob.get(&path, ()).await.status, 200);
        peer.put("/users/friend", json!(410));
        post_as(&bob, "two", "public").await;
        server.settle().await;
        assert_eq!(bob.get(&path, ()).await.status, 404);
        let followers = bob.get(&format!("/api/v1/accounts/{}/followers", bob.account), ()).await.ok();
        assert_eq!(followers, json!([]));
        // Others there get what they got.
        assert!(hosts::by_name(&server.db().read().await.unwrap(), peer.host()).await.unwrap().is_none());
    }

    async fn who_asks_for_patience_gets_it(server, peer, bob) {
        follower(&server, &peer, &bob, "friend").await;
        for (status, wait) in [(429, 7200), (503, 10_800)] {
            peer.refuses.lock().unwrap().insert("/inbox".into(), (status, wait));
            post_as(&bob, "one", "public").await;
            attempt_fails(&server).await;
            let left = waiting(&server).await;
            assert_eq!(left.len(), 1, "{status}");
            let until = Time::now().plus(Duration::from_secs(u64::from(wait) - 10));
            assert!(left[0].run_at > until, "{status}: {left:?}");
            peer.refuses.lock().unwrap().clear();
            let tx = server.db().begin().await.unwrap();
            tx.exec("UPDATE jobs SET last_error = NULL", &[]).await.unwrap();
            tx.commit().await.unwrap();
            hosts::retry(server.db(), None).await.unwrap();
            server.settle().await;
        }
        assert_eq!(posts(&peer), 4);
    }
}
