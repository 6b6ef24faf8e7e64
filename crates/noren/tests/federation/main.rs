//! Two servers tell each other what happens, and a hostile one tries to.

#![allow(clippy::unwrap_used)]

mod audience;
mod availability;
mod blocks;
#[allow(dead_code)]
#[path = "../pages/browser.rs"]
mod browser;
mod commands;
mod consent;
mod content;
mod corpus;
mod corpus_shapes;
mod crowds;
mod deletion;
mod delivery;
mod discovery;
mod edits;
mod elsewhere;
mod emoji;
mod entitled;
mod everybody;
mod farewell;
mod figures;
mod floods;
mod followers;
mod follows;
mod forgotten;
mod forgotten_killed;
mod forgotten_shared;
mod groups;
mod h2;
mod hostile;
mod impostors;
mod inbox;
mod interact;
mod keys;
mod kill;
mod likes_kept;
mod media;
mod media_commands;
mod media_hostile;
mod mirror;
mod moves;
mod named_before;
mod nobody;
mod odd;
mod order;
mod peer;
mod polls;
mod previews;
mod process;
mod profiles;
mod proofs;
mod queue_commands;
mod quote_policies;
mod quotes;
mod quotes_asked;
mod reach;
mod reactions;
mod relays;
mod reports;
mod resolve;
mod rotation;
mod sequence;
mod shapes;
mod shared_moved;
mod silent;
mod split;
mod stamps;
mod statuses;
mod strict;
mod suspended;
mod suspended_here;
mod taken_back;
mod thread_bounds;
mod threads;
mod three;
mod tls;
mod trust;
mod trust_modes;
mod unauthed;
mod waits;

use serde_json::Value;
use testkit::{Person, TestServer, settle_all};

/// The id of an entity.
fn id(entity: &Value) -> &str {
    entity["id"].as_str().unwrap()
}

/// Finds somebody or something of another server, fetching it.
async fn search(who: &Person, words: &str) -> Value {
    who.get("/api/v2/search", [("q", words), ("resolve", "true")]).await.ok()
}

/// The account of another server as `who` sees it.
async fn find(who: &Person, handle: &str) -> Value {
    let found = search(who, &format!("@{handle}")).await;
    assert_eq!(found["accounts"].as_array().map(Vec::len), Some(1), "{handle}: {found}");
    found["accounts"][0].clone()
}

/// What `who` is to an account.
async fn relationship(who: &Person, account: &str) -> Value {
    who.get("/api/v1/accounts/relationships", [("id[]", account)]).await.ok()[0].clone()
}

async fn post_as(who: &Person, text: &str, visibility: &str) -> Value {
    who.post("/api/v1/statuses", [("status", text), ("visibility", visibility)]).await.ok()
}

async fn home(who: &Person) -> Vec<Value> {
    who.get("/api/v1/timelines/home", ()).await.ok().as_array().unwrap().clone()
}

async fn notifications(who: &Person) -> Vec<(String, String)> {
    let list = who.get("/api/v1/notifications", ()).await.ok();
    let line = |n: &Value| (n["type"].as_str().unwrap().to_owned(), n["account"]["acct"].as_str().unwrap().to_owned());
    list.as_array().unwrap().iter().map(line).collect()
}

/// The text without its markup.
fn text(status: &Value) -> String {
    let html = status["content"].as_str().unwrap();
    let mut plain = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// `bob` of `b` follows `alice` of `a`. Alice's id as Bob's server knows her.
async fn follow((bob, b): (&Person, &TestServer), (alice, a): (&Person, &TestServer)) -> String {
    let found = find(bob, &a.handle(&alice.username)).await;
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&found)), ()).await.ok();
    settle_all(&[a, b]).await;
    assert_eq!(relationship(bob, id(&found)).await["following"], true);
    id(&found).to_owned()
}
