//! Many servers at once that take a connection and say nothing more: they hold up only themselves.

use crate::peer::{File, Peer, local_uri, with_a_peer};
use crate::{find, id};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode, Uri};
use domain::accounts::remote;
use domain::deliveries::{self, Place};
use domain::ids::AccountId;
use domain::{Time, hosts, jobs};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{Person, TestServer};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Servers at as many addresses of the loopback as one likes.
struct Crowd {
    first: Ipv4Addr,
    port: u16,
    /// They take connections, and say nothing until this is true.
    speak: watch::Sender<bool>,
    /// What was answered: which inbox, and what the activity is called.
    came: Arc<Mutex<Vec<(String, String)>>>,
    /// How many requests came, answered or not.
    asked: Arc<AtomicUsize>,
}

impl Crowd {
    async fn new(first: Ipv4Addr, speak: bool) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let (port, (speak, gate)) = (listener.local_addr().unwrap().port(), watch::channel(speak));
        let (came, asked) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicUsize>::default());
        let (kept, count) = (came.clone(), asked.clone());
        let take = async move |uri: Uri, headers: HeaderMap, body: String| {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = gate.clone().wait_for(|speaks| *speaks).await;
            let said: Value = serde_json::from_str(&body).unwrap_or_default();
            let inbox = format!("{}{uri}", headers[HOST].to_str().unwrap());
            kept.lock().unwrap().push((inbox, said["id"].as_str().unwrap_or_default().to_owned()));
            StatusCode::ACCEPTED
        };
        let router = axum::Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { first, port, speak, came, asked }
    }

    async fn silent() -> Self {
        Self::new(Ipv4Addr::new(127, 1, 0, 1), false).await
    }

    async fn living() -> Self {
        Self::new(Ipv4Addr::new(127, 2, 0, 1), true).await
    }

    fn host(&self, n: u32) -> String {
        format!("{}:{}", Ipv4Addr::from(u32::from(self.first) + n), self.port)
    }

    /// So many inboxes at each of so many of them.
    fn inboxes(&self, hosts: u32, each: u32) -> Vec<String> {
        let of = |n| (0..each).map(move |m| (n, m));
        (0..hosts).flat_map(of).map(|(n, m)| format!("http://{}/{m}/inbox", self.host(n))).collect()
    }

    /// How many came of what is called so.
    fn count(&self, name: &str) -> usize {
        self.came.lock().unwrap().iter().filter(|(_, came)| came == name).count()
    }

    async fn until(&self, (name, count): (&str, usize), limit: Duration) -> Duration {
        let began = Instant::now();
        while self.count(name) < count {
            assert!(began.elapsed() < limit, "of {name} only {} of {count} have come", self.count(name));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }
}

/// Somebody says something of this name that goes to these inboxes.
async fn say(server: &TestServer, who: &Person, (name, place): (&str, Place), inboxes: &[String]) {
    let actor = format!("{}/users/{}", server.parts().site.base_url, who.username);
    let body = json!({ "type": "Create", "id": name, "actor": actor }).to_string();
    let about = Some(deliveries::Thing::at_inbox(name.split('#').next().unwrap()));
    let (uri, account, actor, body, pace) = (name, who.account, &*actor, &*body, deliveries::Pace::Now);
    let new = deliveries::New { uri, account, actor, body, about, place, pace };
    assert_eq!(deliveries::send(server.db(), new, inboxes).await.unwrap(), inboxes.len());
}

/// What is left is not of interest.
async fn end(server: &TestServer) {
    let left = async || jobs::list_all(&server.db().read().await.unwrap(), 1).await.unwrap().len();
    while left().await > 0 {
        let tx = server.db().begin().await.unwrap();
        tx.exec("DELETE FROM jobs", &[]).await.unwrap();
        tx.commit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Somebody at `uri`, as if they had been read.
async fn known(server: &TestServer, uri: String, domain: String) -> AccountId {
    let reach = remote::Reach { inbox: format!("{uri}/inbox"), ..remote::Reach::default() };
    let username = format!("p{}", uri.len());
    let known = remote::Arrived { uri, username, domain, reach, ..remote::Arrived::default() };
    remote::receive(server.db(), &known).await.unwrap().id
}

with_a_peer! {
    /// Each of these could fill the queue until its time limits: 400 servers with four inboxes each.
    async fn many_silent_servers_hold_up_nobody_else(server, _peer, bob) {
        let (silent, living) = (Crowd::silent().await, Crowd::living().await);
        let mut inboxes = silent.inboxes(400, 4);
        inboxes.extend(living.inboxes(20, 2));
        // The author has a key.
        say(&server, &bob, ("zero", Place::First), &living.inboxes(1, 1)).await;
        living.until(("zero", 1), Duration::from_secs(15)).await;
        // Before it was so, the first alone took three times the time limit of a delivery.
        let limit = Duration::from_secs(25);
        let mut took = Vec::new();
        for (name, place) in [("one", Place::First), ("two#1", Place::First), ("two#2", Place::Later)] {
            say(&server, &bob, (name, place), &inboxes).await;
            took.push(living.until((name, 40), limit).await);
        }
        eprintln!("the living took {took:?}, {} silent ones asked", silent.asked.load(Ordering::Relaxed));
        // What is about one thing came in its order.
        let came = living.came.lock().unwrap().clone();
        for inbox in living.inboxes(20, 2) {
            let at = |name| came.iter().position(|(to, what)| inbox.ends_with(&**to) && what == name).unwrap();
            assert!(at("two#1") < at("two#2"), "{inbox}");
        }
        // The servers speak again: nothing is lost. What they answer just as it was waited for long enough comes once more.
        silent.speak.send_replace(true);
        let began = Instant::now();
        while !jobs::list_all(&server.db().read().await.unwrap(), 1).await.unwrap().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(100), "{} have come", silent.came.lock().unwrap().len());
            hosts::retry(server.db(), None).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let mut came = silent.came.lock().unwrap().clone();
        came.sort();
        came.dedup();
        assert_eq!(came.len(), 3 * 1600);
        assert_eq!(living.came.lock().unwrap().len(), 1 + 3 * 40);
    }

    /// Profiles are fetched from more servers than the queue has places.
    async fn many_silent_servers_hold_up_nobodys_profile(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there: AccountId = id(&find(&bob, &format!("ann@{}", peer.host())).await).parse().unwrap();
        server.settle().await;
        let silent = Crowd::silent().await;
        for n in 0..60 {
            for m in 0..2 {
                let uri = format!("http://{}/{}", silent.host(n), "x".repeat(m + 1));
                let account = known(&server, uri, silent.host(n)).await;
                remote::refresh_later(server.db(), account).await.unwrap();
            }
        }
        peer.shows(&ann, "ann", json!({ "name": "Ann of today" }));
        remote::refresh_later(server.db(), there).await.unwrap();
        let began = Instant::now();
        let shown = async || bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok()["display_name"].clone();
        while shown().await != "Ann of today" {
            assert!(began.elapsed() < Duration::from_secs(20), "it waits for {:?} others", silent.asked);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        eprintln!("the profile took {:?}, {:?} asked", began.elapsed(), silent.asked);
        end(&server).await;
    }

    /// What arrives has this server ask more slow ones than it has places, for senders enough to fill them: they begin to
    /// answer at once, and never come to an end within the time limit of half a minute.
    async fn many_slow_servers_hold_up_no_arrivals(server, peer, bob) {
        let (here, mut others) = (local_uri(&server, &bob), Vec::new());
        for _ in 0..20 {
            let other = Peer::start().await;
            let who = other.somebody("eve");
            for n in 0..8 {
                let slow = File::Drip("application/activity+json", vec![b' '; 60]);
                let mut note = other.note(&who, (&n.to_string(), "an answer"), &[&here]);
                note["inReplyTo"] = json!(other.file(&format!("/parents/{n}"), slow));
                let said = other.activity(&who, ("Create", &format!("c{n}")), note);
                assert_eq!(other.post(&other.sign(&who, &server, &said), |_, _| {}).await, 202);
            }
            others.push(other);
        }
        let ann = peer.somebody("ann");
        let note = peer.note(&ann, ("1", "in time"), &[&here]);
        let said = peer.activity(&ann, ("Create", "1"), note.clone());
        assert_eq!(peer.post(&peer.sign(&ann, &server, &said), |_, _| {}).await, 202);
        let (began, uri) = (Instant::now(), note["id"].as_str().unwrap());
        while domain::statuses::remote::by_uri(&server.db().read().await.unwrap(), uri).await.unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(20), "it waits for others");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let asked: usize = others.iter().map(|other| other.asked.lock().unwrap().len()).sum();
        eprintln!("the arrival took {:?}, {asked} asked", began.elapsed());
        end(&server).await;
    }

    async fn of_servers_that_failed_few_are_asked_at_once(server, _peer, bob) {
        let (silent, living) = (Crowd::silent().await, Crowd::living().await);
        say(&server, &bob, ("zero", Place::First), &living.inboxes(1, 1)).await;
        living.until(("zero", 1), Duration::from_secs(15)).await;
        for n in 0..100 {
            hosts::failed(server.db(), &silent.host(n), "silence").await.unwrap();
        }
        let inboxes = [silent.inboxes(100, 1), living.inboxes(5, 1)].concat();
        say(&server, &bob, ("one", Place::First), &inboxes).await;
        living.until(("one", 5), Duration::from_secs(8)).await;
        let put_off = async || {
            let waiting = jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 200).await.unwrap();
            waiting.iter().filter(|job| job.run_at > Time::now().plus(Duration::from_secs(5)) && job.attempts == 0).count()
        };
        let began = Instant::now();
        while (put_off().await, silent.asked.load(Ordering::Relaxed)) != (52, 48) {
            assert!(began.elapsed() < Duration::from_secs(7), "{} put off, {:?} asked", put_off().await, silent.asked);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // One that answers is like all others again.
        silent.speak.send_replace(true);
        hosts::retry(server.db(), None).await.unwrap();
        let began = Instant::now();
        while silent.came.lock().unwrap().len() < 100 {
            assert!(began.elapsed() < Duration::from_secs(10), "{:?} asked", silent.asked);
            hosts::retry(server.db(), None).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        server.settle().await;
        assert_eq!(hosts::counts(&server.db().read().await.unwrap()).await.unwrap(), (0, 0));
    }
}
