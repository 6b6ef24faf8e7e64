//! Mastodon 4.2 to 4.6: who has this name there is who it is, everything has the literal context, followers stand in `to`, both
//! sides agree who follows, answers are read by their pages.

use super::checks;
use super::signed::{self, Secret, Signs};
use super::{Software, Strict};
use crate::peer::local_uri;
use crate::{id, post_as};
use aws_lc_rs::digest::{SHA256, digest};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use url::Url;

static MASTODON: Software = Software {
    name: "Mastodon 4.6",
    actor: "/users/eve",
    key: "#main-key",
    signs: SIGNS,
    knock: checks::takes_any,
    inbox: INBOX,
    gate: &[(401, checks::signed_get)],
    fetched: FETCHED,
    visibility: checks::by_to,
    actor_has,
    note_has,
    like_has: checks::nothing,
};

pub(super) const SIGNS: Signs = Signs::Cavage {
    algorithm: "rsa-sha256",
    post: &["host", "date", "digest", "content-type", "(request-target)"],
    get: &["host", "date", "(request-target)"],
    query: true,
};

pub(super) const INBOX: &[super::Check] = &[
    (413, |l| if l.body.len() <= 1 << 20 { Ok(()) } else { Err("more than a megabyte".into()) }),
    (400, checks::is_json),
    (401, checks::signed_post),
    (401, checks::one_digest),
    (202, checks::context),
    (202, checks::actor_signed),
    (202, checks::id_at_home),
    (202, checks::addressees),
    (500, checks::undo_is_whole),
    (202, checks::note_is_theirs),
    (202, checks::mentions_are_whole),
];

pub(super) const FETCHED: &[super::Check] = &[
    (0, checks::is_json),
    (0, checks::exact_type),
    (0, document_context),
    (0, checks::id_is_address),
    (0, checks::actor_is_whole),
];

fn document_context(l: &super::Looked<'_>) -> Result<(), String> {
    if l.value["subject"].is_string() { Ok(()) } else { checks::context(l) }
}

pub(super) fn actor_has(uri: &str) -> Value {
    json!({ "featured": format!("{uri}/collections/featured"), "url": format!("{uri}/page"), "published": "2026-11-20T00:00:00Z", "attachment": [], "tag": [] })
}

pub(super) fn note_has(uri: &str) -> Value {
    json!({ "sensitive": false, "atomUri": uri, "inReplyTo": null, "conversation": "tag:eve.example,2026-11-20:objectId=1:objectType=Conversation", "attachment": [], "tag": [] })
}

super::strict! {
    MASTODON,
    async fn followers_agree_and_answers_are_read(strict, bob) {
        followers(strict, bob).await;
        answers(strict, bob).await;
    }
}

/// What is for followers says who they are; the list behind it is for their server alone.
async fn followers(strict: &Strict, bob: &testkit::Person) {
    strict.peer.claims.lock().unwrap().clear();
    post_as(bob, "for those who follow", "private").await;
    strict.server.settle().await;
    let claims = strict.peer.claims.lock().unwrap().clone();
    let claim = claims.iter().find(|claim| !claim.is_empty()).unwrap();
    let of = |name: &str| {
        let part =
            claim.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'));
        part.unwrap_or_else(|| panic!("{name} in {claim}")).to_owned()
    };
    let here = local_uri(&strict.server, bob);
    let hex: String = digest(&SHA256, strict.eve.uri.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!((of("collectionId"), of("digest")), (format!("{here}/followers"), hex));
    let (status, list) = strict.ask(&of("url")).await;
    assert_eq!((status, &list["orderedItems"]), (200, &json!([strict.eve.uri])));
    let accept = HeaderMap::from_iter([(reqwest::header::ACCEPT, signed::ACCEPT.parse().unwrap())]);
    assert_eq!(strict.get(Url::parse(&of("url")).unwrap(), accept).await.0, 401);
}

/// The pages of the answers lead from one to the next and end.
async fn answers(strict: &Strict, bob: &testkit::Person) {
    let root = post_as(bob, "where it begins", "public").await;
    let mut wanted = Vec::new();
    for n in 0..7 {
        let answer = [("status", format!("answer {n}")), ("in_reply_to_id", id(&root).to_owned())];
        wanted.push(bob.post("/api/v1/statuses", answer).await.ok()["uri"].clone());
    }
    strict.server.settle().await;
    let (_, note) = strict.ask(root["uri"].as_str().unwrap()).await;
    let (mut page, mut found) = (note["replies"]["first"].clone(), Vec::new());
    loop {
        found.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str().map(str::to_owned) else { break };
        let (status, after) = strict.ask(&next).await;
        assert_eq!((status, &after["partOf"]), (200, &note["replies"]["id"]));
        page = after;
    }
    assert_eq!(found, wanted);
    // A signature that does not fit: said so, and how to do it.
    let pem = strict.eve.key.private_pem().unwrap();
    let other = strict.peer.activity(&strict.eve, ("Like", "no"), root["uri"].clone());
    let (status, headers) =
        strict.post_as(SIGNS, (&format!("{}#other-key", strict.eve.uri), &Secret::Rsa(&pem)), &other).await;
    assert_eq!((status, headers.contains_key("accept-signature")), (401, true));
}
