//! Misskey v11: bodies below 64 KiB, four headers signed, five minutes of clock, keys that are never asked for again, the list
//! of followers at one address, answers of which it reads what they answer. It signs the path without its query.

use super::checks;
use super::signed::Signs;
use super::{Looked, Software, Strict};
use crate::{id, post_as};
use serde_json::{Value, json};

static MISSKEY: Software = Software {
    name: "Misskey v11",
    actor: "/users/9eve",
    key: "#main-key",
    signs: Signs::Cavage {
        algorithm: "rsa-sha256",
        post: &["(request-target)", "date", "host", "digest"],
        get: &["(request-target)", "date", "host", "accept"],
        query: false,
    },
    knock: checks::takes_any,
    inbox: &[
        (413, checks::under_64_kib),
        (401, |l| checks::signature(l, &["(request-target)", "digest", "host", "date"], 300)),
        (401, checks::one_digest),
        (401, checks::actor_signed),
        (400, checks::id_at_home),
        (400, checks::undo_is_whole),
        (400, checks::note_is_theirs),
        (400, plain_mentions),
    ],
    gate: &[(401, |l| checks::signature(l, &["(request-target)", "host", "date"], 300))],
    fetched: &[
        (0, checks::is_json),
        (0, checks::under_64_kib),
        (0, checks::id_is_address),
        (0, checks::actor_is_whole),
        (0, name_fits),
    ],
    visibility,
    actor_has,
    note_has,
    like_has,
};

/// The one address of followers that it knows.
fn visibility(note: &Value, actor: &Value) -> &'static str {
    let followers = json!(format!("{}/followers", actor["id"].as_str().unwrap()));
    checks::visibility(note, (&followers, &["to"]))
}

/// It takes everything in `to` and `cc` that is no list for somebody who is named.
fn plain_mentions(l: &Looked<'_>) -> Result<(), String> {
    checks::mentions_are_whole(l)
}

/// Letters, digits, `_`, and `-` and `.` inside; names of no more than 128 characters.
pub(super) fn name_fits(l: &Looked<'_>) -> Result<(), String> {
    let name = l.text("preferredUsername");
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-:".contains(c));
    match plain && l.text("name").chars().count() <= 128 {
        true => Ok(()),
        false => Err(format!("it is called {name:?}, {:?}", l.text("name"))),
    }
}

fn actor_has(uri: &str) -> Value {
    json!({ "sharedInbox": format!("{}/inbox", uri.split("/users/").next().unwrap()), "isCat": true, "vcard:bday": null, "tag": [], "summary": null })
}

fn note_has(_: &str) -> Value {
    json!({ "_misskey_content": "**x**", "summary": "\u{200b}", "tag": [], "attachment": [], "inReplyTo": null, "sensitive": false, "_misskey_quote": null })
}

fn like_has(_: &str) -> Value {
    json!({ "_misskey_reaction": "👍", "content": "👍", "to": null })
}

super::strict! {
    MISSKEY,
    async fn reads_what_answers_answer(strict, bob) {
        let parent = post_as(bob, "the beginning", "private").await;
        let mut last = parent.clone();
        for words in ["one", "two"] {
            let answer = [("status", format!("{words} answers")), ("in_reply_to_id", id(&last).to_owned()), ("visibility", "private".into()), ("language", "en".into())];
            last = bob.post("/api/v1/statuses", answer).await.ok();
            strict.server.settle().await;
        }
        // From the last to the first, each where it says that it is.
        let mut note = strict.got("Create", "two answers")["object"].clone();
        let mut read = 0;
        while let Some(above) = note["inReplyTo"].as_str().map(str::to_owned) {
            let (status, parent) = strict.ask(&above).await;
            assert_eq!(status, 200, "{above}");
            (note, read) = (parent, read + 1);
        }
        assert_eq!((read, &note["id"]), (2, &parent["uri"]));
        // Pages that it asks for with a query, which it does not sign.
        let (status, _) = strict.ask(&format!("{}?page=true", note["id"].as_str().unwrap())).await;
        assert_eq!(status, 200);
        strict.wrong.lock().unwrap().retain(|line| !line.contains("?page=true: id"));

        long_posts(strict, bob).await;
    }
}

/// Five hundred characters can be many more when there are addresses among them, of which each counts as 23.
async fn long_posts(strict: &Strict, bob: &testkit::Person) {
    let address = |n: usize| format!("https://long.example/{n}{}", "x".repeat(1500));
    let words: String = (0..12).map(|n| format!("{} ", address(n))).collect();
    let posted = bob.post("/api/v1/statuses", [("status", words.as_str()), ("language", "ja")]).await.ok();
    strict.server.settle().await;
    let create = strict.got("Create", posted["uri"].as_str().unwrap());
    let content = create["object"]["content"].as_str().unwrap();
    assert!(content.len() > 32 * 1024 && (0..12).all(|n| content.contains(&address(n))), "{}", content.len());
    // Two of these would be too much; a short one says its language.
    assert_eq!(create["object"]["contentMap"], Value::Null);
    assert!(strict.got("Create", "two answers")["object"]["contentMap"].is_object());
    assert_eq!(strict.ask(posted["uri"].as_str().unwrap()).await.0, 200);
}
