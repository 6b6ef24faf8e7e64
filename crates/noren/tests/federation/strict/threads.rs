//! Threads, as far as others have seen: whoever signs wrongly finds nothing there (404); digests in capitals, signatures of
//! five minutes, whole things in what is taken back; ids that end in a stroke.

use super::Software;
use super::checks;
use super::signed::{self, Secret, Signs};
use crate::{id, post_as};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use url::Url;

static THREADS: Software = Software {
    name: "Threads",
    actor: "/ap/users/17841/",
    key: "#main-key",
    signs: SIGNS,
    knock: checks::takes_any,
    inbox: &[
        (404, |l| checks::signature(l, &["(request-target)", "host", "date", "digest"], 300)),
        (404, checks::one_digest),
        (404, checks::actor_signed),
        (400, checks::context),
        (400, checks::id_at_home),
        (400, checks::addressees),
        (500, checks::undo_is_whole),
        (400, checks::note_is_theirs),
        (400, checks::mentions_are_whole),
    ],
    gate: &[(404, |l| checks::signature(l, &["(request-target)", "host", "date"], 300))],
    fetched: &[(0, checks::is_json), (0, checks::exact_type), (0, checks::id_is_address), (0, checks::actor_is_whole)],
    visibility: checks::by_to,
    actor_has,
    note_has,
    like_has: checks::nothing,
};

const SIGNS: Signs = Signs::Cavage {
    algorithm: "rsa-sha256",
    post: &["(request-target)", "host", "date", "digest"],
    get: &["(request-target)", "host", "date"],
    query: true,
};

/// No outbox; what a profile has stands under other names than most.
fn actor_has(uri: &str) -> Value {
    json!({ "inbox": format!("{uri}inbox/"), "followers": format!("{uri}followers/"), "following": format!("{uri}following/"), "outbox": null, "url": format!("{uri}page") })
}

fn note_has(uri: &str) -> Value {
    json!({ "cc": [format!("{uri}followers/")], "contentMap": { "en": "<p>x</p>" }, "attachment": [], "tag": [],
        "interactionPolicy": { "canReply": { "always": ["https://www.w3.org/ns/activitystreams#Public"] } } })
}

super::strict! {
    THREADS,
    async fn finds_nothing_where_nothing_is_for_it(strict, bob) {
        // What is for followers is for those alone, and for nobody without a name.
        let post = post_as(bob, "for followers alone", "private").await;
        strict.server.settle().await;
        let url = post["uri"].as_str().unwrap();
        assert_eq!(strict.ask(url).await.0, 200);
        let accept = HeaderMap::from_iter([(reqwest::header::ACCEPT, signed::ACCEPT.parse().unwrap())]);
        assert_eq!(strict.get(Url::parse(url).unwrap(), accept).await.0, 404);
        let stranger = strict.peer.somebody("stranger");
        let pem = stranger.key.private_pem().unwrap();
        let at = Url::parse(url).unwrap();
        let headers = signed::sign(SIGNS, ("get", &at, None), (&format!("{}#main-key", stranger.uri), &Secret::Rsa(&pem)));
        assert_eq!(strict.get(at, headers).await.0, 404);
        // A post of a server that is only known by its posts is found by the link in it, too.
        let answer = [("status", "and an answer"), ("in_reply_to_id", id(&post)), ("visibility", "private")];
        bob.post("/api/v1/statuses", answer).await.ok();
        strict.server.settle().await;
        assert_eq!(strict.got("Create", "and an answer")["object"]["inReplyTo"], post["uri"]);
    }
}
