//! The client API through its front door, on both engines. Files mirror the nouns of the paths.
#![allow(clippy::unwrap_used)]

mod accounts;
mod bad_input;
mod hangups;
mod instance;
mod kept;
mod lists;
mod media;
mod notifications;
mod oauth;
mod polls;
mod reports;
mod search;
mod states;
mod statuses;
mod streaming;
mod suggestions;
mod tags;
mod timelines;
mod trends;
mod visibility;

use serde_json::Value;
use testkit::Person;

/// The text of an attribute, which must be one.
#[track_caller]
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {value:#}"))
}

/// The id of an entity.
#[track_caller]
fn id(value: &Value) -> &str {
    text(value, "id")
}

/// The ids of a list, in order.
fn ids(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|v| id(v).to_owned()).collect()
}

/// Posts a text and answers the status.
async fn post(person: &Person, text: &str) -> Value {
    person.post("/api/v1/statuses", [("status", text)]).await.ok()
}

/// Posts with a visibility.
async fn post_as(person: &Person, text: &str, visibility: &str) -> Value {
    person.post("/api/v1/statuses", [("status", text), ("visibility", visibility)]).await.ok()
}

async fn follow(who: &Person, whom: &Person) {
    who.post(&format!("/api/v1/accounts/{}/follow", whom.account), ()).await.ok();
}
