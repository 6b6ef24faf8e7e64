//! In which order things come to an inbox, and that all who should get them do.

use crate::peer::{Peer, followed, local_uri, with_a_peer};
use crate::rotation::is_signed_with;
use crate::{id, post_as};
use domain::deliveries::News;
use domain::ids::{self, StatusId};
use domain::jobs::{self, Job, JobRow};
use domain::keys::{self, Haste};
use domain::{Time, hosts};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Person, TestServer, until};

async fn follower(server: &TestServer, peer: &Peer, bob: &Person) -> crate::peer::Somebody {
    let who = peer.somebody("friend");
    peer.send(&who, server, &peer.activity(&who, ("Follow", "1"), json!(local_uri(server, bob)))).await;
    peer.received.lock().unwrap().clear();
    peer.heads.lock().unwrap().clear();
    who
}

async fn waiting(server: &TestServer) -> Vec<JobRow> {
    let jobs = jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap();
    jobs.into_iter().filter(|job| job.payload.contains("\"deliver\"")).collect()
}

/// Waits until so many deliveries are left, all of them for later, and one of them failed.
async fn put_off(server: &TestServer, count: usize) -> Vec<JobRow> {
    let soon = || Time::now().plus(Duration::from_secs(20));
    let are = |left: &[JobRow]| {
        let failed = left.iter().any(|job| job.last_error.is_some());
        left.len() == count && failed && left.iter().all(|job| job.run_at > soon())
    };
    until("it is put off", async || are(&waiting(server).await)).await;
    waiting(server).await
}

/// Waits until no delivery is left, also none that is just ending.
async fn done(server: &TestServer) {
    let left = async || {
        let jobs = jobs::list_all(&server.db().read().await.unwrap(), 10).await.unwrap();
        jobs.iter().any(|job| job.payload.contains("\"deliver\""))
    };
    until("nothing is left", async || !left().await).await;
}

/// What came, by type, in the order it came in.
fn came(peer: &Peer) -> Vec<String> {
    peer.received.lock().unwrap().iter().map(|a| a["type"].as_str().unwrap().to_owned()).collect()
}

fn answers(peer: &Peer, status: u16) {
    match status {
        202 => peer.refuses.lock().unwrap().clear(),
        _ => drop(peer.refuses.lock().unwrap().insert("/inbox".into(), (status, 0))),
    }
}

async fn edit(bob: &Person, post: &Value, text: &str) {
    bob.put(&format!("/api/v1/statuses/{}", id(post)), [("status", text)]).await.ok();
}

async fn delete(bob: &Person, post: &Value) {
    bob.delete(&format!("/api/v1/statuses/{}", id(post)), ()).await.ok();
}

/// A post that could not be delivered, and its edit, which waits for it.
async fn two_wait(server: &TestServer, peer: &Peer, bob: &Person) -> Value {
    answers(peer, 503);
    let post = post_as(bob, "one", "public").await;
    put_off(server, 1).await;
    edit(bob, &post, "one, edited").await;
    put_off(server, 2).await;
    post
}

/// The key that somebody here shows.
async fn shown(server: &TestServer, who: &Person) -> String {
    let asked = reqwest::Client::new().get(local_uri(server, who)).header("accept", "application/activity+json");
    let actor: Value = asked.send().await.unwrap().json().await.unwrap();
    actor["publicKey"]["publicKeyPem"].as_str().unwrap().to_owned()
}

async fn rotate(server: &TestServer, bob: &Person, haste: Haste) {
    keys::rotate_later(server.db(), &[bob.account], (Duration::ZERO, haste)).await.unwrap();
}

/// From now on they show other inboxes, as this says.
fn moves(peer: &Peer, friend: &crate::peer::Somebody) -> Value {
    let mut actor = peer.actor("friend", friend);
    actor["inbox"] = json!(format!("{}/new/friend", peer.base));
    actor["endpoints"] = json!({ "sharedInbox": format!("{}/new/shared", peer.base) });
    peer.put("/users/friend", actor.clone());
    actor
}

with_a_peer! {
    async fn what_goes_to_an_inbox_that_moved_comes_in_order(server, peer, bob) {
        let friend = follower(&server, &peer, &bob).await;
        let post = two_wait(&server, &peer, &bob).await;
        // They say where they are now, and nobody had to look for it. What comes to the old inbox fails from now on, too.
        let said = peer.activity(&friend, ("Update", "u1"), moves(&peer, &friend));
        assert_eq!(peer.post(&peer.sign(&friend, &server, &said), |_, _| {}).await, 202);
        let new = format!("{}/new/shared", peer.base);
        let moved = async || waiting(&server).await.iter().all(|job| job.payload.contains(&new));
        until("what waits goes elsewhere", moved).await;
        edit(&bob, &post, "one, edited again").await;
        let left = put_off(&server, 3).await;
        assert!(left[0].run_at > left[2].run_at && left[0].attempts == 0, "it waits for what was said before: {left:?}");
        delete(&bob, &post).await;
        put_off(&server, 4).await;
        post_as(&bob, "two", "public").await;
        until("another post", async || came(&peer).len() == 2).await;
        hosts::retry(server.db(), None).await.unwrap();
        until("all of it", async || came(&peer).len() == 6).await;
        done(&server).await;
        assert_eq!(came(&peer), ["Create", "Create", "Create", "Update", "Update", "Delete"]);
        let received = peer.received.lock().unwrap().clone();
        assert_eq!(received[0], received[2]);
    }

    async fn an_inbox_that_is_looked_for_gets_all_in_order(server, peer, bob) {
        let friend = follower(&server, &peer, &bob).await;
        let post = two_wait(&server, &peer, &bob).await;
        delete(&bob, &post).await;
        put_off(&server, 3).await;
        moves(&peer, &friend);
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE actors SET fetched_at = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        answers(&peer, 404);
        hosts::retry(server.db(), None).await.unwrap();
        until("all of it", async || came(&peer).len() == 5).await;
        done(&server).await;
        // The second is the one that was not found.
        assert_eq!(came(&peer), ["Create", "Create", "Create", "Update", "Delete"]);
    }

    async fn what_is_to_be_told_of_one_post_is_told_in_turn(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        let post = post_as(&bob, "one", "public").await;
        server.settle().await;
        peer.received.lock().unwrap().clear();
        // Another process is in the middle of telling of it.
        let (status, telling) = (id(&post).parse::<StatusId>().unwrap(), ids::next());
        let mut tx = server.db().begin().await.unwrap();
        let hour = tx.now.plus(Duration::from_secs(3600));
        tx.enqueue(Job::Tell { news: News::StatusRetold { status, telling } }).await.unwrap();
        tx.exec("UPDATE jobs SET state = 1, claimed_until = $1", &[&hour]).await.unwrap();
        tx.commit().await.unwrap();
        edit(&bob, &post, "one, edited").await;
        // What is about something else is told meanwhile.
        post_as(&bob, "two", "public").await;
        until("another post", async || came(&peer).len() == 1).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(came(&peer), ["Create"]);
        let tx = server.db().begin().await.unwrap();
        let ends = "UPDATE jobs SET state = 0, claimed_until = NULL WHERE payload LIKE '%status_retold%'";
        tx.exec(ends, &[]).await.unwrap();
        tx.commit().await.unwrap();
        until("both", async || came(&peer).len() == 3).await;
        server.settle().await;
        assert_eq!(came(&peer), ["Create", "Update", "Update"]);
        let name = |n: usize| peer.received.lock().unwrap()[n]["id"].as_str().unwrap().to_owned();
        assert!(name(1).contains(&telling.to_string()) && !name(2).contains(&telling.to_string()), "{} {}", name(1), name(2));
    }

    async fn what_comes_later_waits_for_what_failed(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        answers(&peer, 503);
        let post = post_as(&bob, "one", "public").await;
        put_off(&server, 1).await;
        answers(&peer, 202);
        edit(&bob, &post, "one, edited").await;
        let left = put_off(&server, 2).await;
        // The younger is first in the list: it was not tried, and its turn comes after the other's.
        assert_eq!((left[0].attempts, left[1].attempts), (0, 1));
        assert!(left[0].run_at > left[1].run_at, "{left:?}");
        delete(&bob, &post).await;
        put_off(&server, 3).await;
        // What is about something else does not wait.
        post_as(&bob, "two", "public").await;
        until("another post", async || came(&peer).len() == 2).await;
        hosts::retry(server.db(), None).await.unwrap();
        until("all of it", async || came(&peer).len() == 5).await;
        done(&server).await;
        assert_eq!(came(&peer), ["Create", "Create", "Create", "Update", "Delete"]);
        let received = peer.received.lock().unwrap().clone();
        assert_eq!(received[0], received[2]);
    }

    async fn what_was_given_up_holds_up_nothing(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        two_wait(&server, &peer, &bob).await;
        answers(&peer, 404);
        hosts::retry(server.db(), None).await.unwrap();
        until("the end of the first", async || waiting(&server).await.iter().all(|job| job.last_error.is_none())).await;
        answers(&peer, 202);
        until("the edit", async || peer.told("Update").len() == 1).await;
        done(&server).await;
        assert_eq!(came(&peer), ["Create", "Create", "Update"]);
    }

    async fn each_attempt_is_signed_anew(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        answers(&peer, 503);
        post_as(&bob, "one", "public").await;
        put_off(&server, 1).await;
        answers(&peer, 202);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        hosts::retry(server.db(), None).await.unwrap();
        until("another attempt", async || came(&peer).len() == 2).await;
        done(&server).await;
        let heads = peer.heads.lock().unwrap().clone();
        let of = |n: usize, name: &str| heads[n][name].to_str().unwrap().to_owned();
        assert_eq!(of(0, "digest"), of(1, "digest"));
        assert!(of(0, "date") != of(1, "date") && of(0, "signature") != of(1, "signature"));
        let key = shown(&server, &bob).await;
        assert!(is_signed_with(&peer, 0, &key) && is_signed_with(&peer, 1, &key));
    }

    async fn whoever_may_know_a_key_hears_of_the_next(server, peer, bob) {
        // Nobody follows him: he follows one, and wrote to another.
        let friend = peer.somebody("friend");
        followed(&server, &peer, &bob, (&friend, "friend")).await;
        let alone = json!({ "endpoints": {} });
        let pal = peer.somebody("pal");
        peer.shows(&pal, "pal", alone.clone());
        crate::find(&bob, &format!("pal@{}", peer.host())).await;
        post_as(&bob, &format!("@pal@{} psst", peer.host()), "direct").await;
        // And whom he does not know at all hears nothing.
        let stranger = peer.somebody("stranger");
        peer.shows(&stranger, "stranger", alone);
        crate::find(&bob, &format!("stranger@{}", peer.host())).await;
        server.settle().await;
        let old = shown(&server, &bob).await;
        peer.received.lock().unwrap().clear();
        rotate(&server, &bob, Haste::Patient).await;
        server.settle().await;
        assert_eq!(came(&peer), ["Update", "Update"]);
        let new = peer.last("Update")["object"]["publicKey"]["publicKeyPem"].as_str().unwrap().to_owned();
        assert!(new != old && new == shown(&server, &bob).await);
        // Once is enough, until it is known everywhere; unless somebody insists.
        rotate(&server, &bob, Haste::Patient).await;
        server.settle().await;
        assert_eq!((came(&peer).len(), shown(&server, &bob).await), (2, new.clone()));
        assert_eq!(keys::under_way(&server.db().read().await.unwrap(), &[bob.account]).await.unwrap(), [bob.account]);
        rotate(&server, &bob, Haste::Forced).await;
        server.settle().await;
        assert_eq!(came(&peer).len(), 4);
        assert_ne!(shown(&server, &bob).await, new);
    }

    async fn posts_wait_for_the_word_of_a_new_key(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        let old = shown(&server, &bob).await;
        answers(&peer, 503);
        rotate(&server, &bob, Haste::Patient).await;
        put_off(&server, 1).await;
        let new = shown(&server, &bob).await;
        answers(&peer, 202);
        post_as(&bob, "after", "public").await;
        put_off(&server, 2).await;
        hosts::retry(server.db(), None).await.unwrap();
        until("both", async || came(&peer).len() == 3).await;
        done(&server).await;
        assert_eq!(came(&peer), ["Update", "Update", "Create"]);
        assert!(is_signed_with(&peer, 1, &old) && is_signed_with(&peer, 2, &new) && old != new);
    }

    async fn posts_do_not_wait_forever(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        answers(&peer, 503);
        rotate(&server, &bob, Haste::Patient).await;
        put_off(&server, 1).await;
        answers(&peer, 202);
        let tx = server.db().begin().await.unwrap();
        let then = tx.now.minus(Duration::from_secs(7 * 3600));
        tx.exec("UPDATE own_keys SET rotated_at = $1", &[&then]).await.unwrap();
        tx.commit().await.unwrap();
        // For some seconds the process may know it as it was.
        tokio::time::sleep(Duration::from_secs(11)).await;
        post_as(&bob, "hours later", "public").await;
        until("the post", async || came(&peer).len() == 2).await;
        assert_eq!(came(&peer), ["Update", "Create"]);
        hosts::retry(server.db(), None).await.unwrap();
        until("the key", async || came(&peer).len() == 3).await;
        done(&server).await;
    }

    async fn a_profile_with_the_old_key_does_not_come_after_the_new_one(server, peer, bob) {
        follower(&server, &peer, &bob).await;
        answers(&peer, 503);
        bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Robert")]).await.ok();
        put_off(&server, 1).await;
        answers(&peer, 202);
        rotate(&server, &bob, Haste::Patient).await;
        until("the new key", async || came(&peer).len() == 2).await;
        let new = shown(&server, &bob).await;
        assert_eq!(peer.last("Update")["object"]["publicKey"]["publicKeyPem"], new);
        assert_eq!(peer.last("Update")["object"]["name"], "Robert");
        hosts::retry(server.db(), None).await.unwrap();
        done(&server).await;
        assert_eq!(came(&peer).len(), 2);
    }

    async fn whoever_quotes_a_post_hears_what_becomes_of_it(server, peer, bob) {
        let friend = peer.somebody("friend");
        let there = followed(&server, &peer, &bob, (&friend, "friend")).await;
        let post = post_as(&bob, "quote me", "public").await;
        let mut note = peer.note(&friend, ("1", "look"), &[]);
        note.as_object_mut().unwrap().insert("quoteUrl".into(), post["uri"].clone());
        peer.send(&friend, &server, &peer.activity(&friend, ("Create", "c1"), note)).await;
        bob.post(&format!("/api/v1/accounts/{there}/unfollow"), ()).await.ok();
        server.settle().await;
        peer.received.lock().unwrap().clear();
        edit(&bob, &post, "quote me, edited").await;
        server.settle().await;
        assert_eq!(peer.told("Update"), [post["uri"].as_str().unwrap()]);
        delete(&bob, &post).await;
        server.settle().await;
        assert_eq!(peer.told("Delete"), [post["uri"].as_str().unwrap()]);
    }

    async fn followers_of_whom_an_answer_is_to_get_it(server, peer, bob) {
        let carol = server.person("carol").await;
        follower(&server, &peer, &bob).await;
        let post = post_as(&bob, "a question", "public").await;
        let say = async |text: &str, visibility: &str| {
            let answer = [("status", text), ("visibility", visibility), ("in_reply_to_id", id(&post))];
            carol.post("/api/v1/statuses", answer).await.ok()
        };
        let answer = say("an answer", "unlisted").await;
        say("for few", "private").await;
        post_as(&carol, "something else", "public").await;
        server.settle().await;
        // Posts of two people come in any order.
        let mut told = peer.told("Create");
        told.sort();
        assert_eq!(told, [post["uri"].as_str().unwrap(), answer["uri"].as_str().unwrap()]);
        edit(&carol, &answer, "an answer, edited").await;
        server.settle().await;
        delete(&carol, &answer).await;
        server.settle().await;
        let uri = answer["uri"].as_str().unwrap();
        assert_eq!((peer.told("Update"), peer.told("Delete")), (vec![uri.to_owned()], vec![uri.to_owned()]));
    }
}
