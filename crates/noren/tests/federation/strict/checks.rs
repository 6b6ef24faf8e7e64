//! What several programs demand.

use super::{Looked, signed};
use federation::documents::PUBLIC;
use serde_json::{Value, json};

type Outcome = Result<(), String>;

fn hold(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(why()) }
}

fn host(address: &str) -> &str {
    address.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
}

/// Lemmy compares whole texts; GoToSocial takes no others either.
pub(crate) fn exact_type(l: &Looked<'_>) -> Outcome {
    let known = [
        "application/activity+json",
        "application/activity+json; charset=utf-8",
        "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
    ];
    let kind = signed::header(l.headers, "content-type")?;
    hold(known.contains(&kind) || kind.starts_with("application/jrd+json"), || format!("Content-Type {kind:?}"))
}

pub(crate) fn is_json(l: &Looked<'_>) -> Outcome {
    hold(l.value.is_object(), || format!("no object of JSON: {}", String::from_utf8_lossy(l.body)))
}

pub(crate) fn under_64_kib(l: &Looked<'_>) -> Outcome {
    hold(l.body.len() < 64 * 1024, || format!("{} bytes", l.body.len()))
}

pub(crate) fn one_digest(l: &Looked<'_>) -> Outcome {
    signed::digest_of(l.headers, l.body)
}

/// Signed with the draft, covering what must be covered, within so many seconds, by a key that is known.
pub(crate) fn signature(l: &Looked<'_>, required: &[&str], seconds: i64) -> Outcome {
    let signature = signed::cavage(l.headers)?;
    signed::fresh(l.headers, seconds)?;
    let pem = l.known.key(&signature.key_id).ok_or_else(|| format!("the key {} is not known", signature.key_id))?;
    hold(signed::header(l.headers, "host")? == host(&l.known.base), || "it is for another host".into())?;
    hold(signature.key_id.contains("#main-key"), || format!("the name of the key: {}", signature.key_id))?;
    signature.holds(&l.line(""), (required, &pem))
}

/// The draft's signature on what is sent, as Mastodon, Misskey and others ask for it at least.
pub(crate) fn signed_post(l: &Looked<'_>) -> Outcome {
    signature(l, &["(request-target)", "host", "date", "digest"], 3600)
}

pub(crate) fn signed_get(l: &Looked<'_>) -> Outcome {
    signature(l, &["(request-target)", "host", "date"], 3600)
}

/// The signer is the actor, whose name is a text.
pub(crate) fn actor_signed(l: &Looked<'_>) -> Outcome {
    let key_id = match signed::cavage(l.headers) {
        Ok(signature) => signature.key_id,
        Err(_) => signed::header(l.headers, "signature-input")?.to_owned(),
    };
    hold(l.value["actor"].is_string(), || format!("actor is no text: {}", l.value["actor"]))?;
    hold(key_id.contains(&format!("{}#", l.text("actor"))), || format!("{key_id} is not of {}", l.text("actor")))
}

/// There is an id, where the signer is.
pub(crate) fn id_at_home(l: &Looked<'_>) -> Outcome {
    hold(!l.text("id").is_empty() && host(l.text("id")) == host(l.text("actor")), || format!("id {}", l.value["id"]))
}

/// The literal name of the context, as it is or among others.
pub(crate) fn context(l: &Looked<'_>) -> Outcome {
    let context = &l.value["@context"];
    let name = json!("https://www.w3.org/ns/activitystreams");
    let there = *context == name || context.as_array().is_some_and(|list| list.contains(&name));
    hold(there, || format!("@context {context}"))
}

/// Everything that may be a list is one, of texts; everybody has their whole name.
pub(crate) fn addressees(l: &Looked<'_>) -> Outcome {
    for part in [l.value, &l.value["object"]] {
        for name in ["to", "cc"] {
            let plain = part[name].as_array().is_none_or(|list| list.iter().all(Value::is_string));
            hold(part[name].is_null() || (part[name].is_array() && plain), || format!("{name} is {}", part[name]))?;
        }
        hold(part["bto"].is_null() && part["bcc"].is_null(), || "somebody hidden is shown".into())?;
    }
    let text = String::from_utf8_lossy(l.body);
    hold(!text.contains("\"as:Public\"") && !text.contains("\"Public\""), || "everybody in short".into())
}

/// What is taken back stands in it as a whole.
pub(crate) fn undo_is_whole(l: &Looked<'_>) -> Outcome {
    let inner = &l.value["object"];
    let whole = ["id", "type", "actor", "object"].iter().all(|name| !inner[*name].is_null());
    hold(l.text("type") != "Undo" || (whole && inner["actor"] == l.value["actor"]), || format!("it undoes {inner}"))
}

/// Somebody's own: the author is who sends it, it has HTML, a time and the type that everybody knows.
pub(crate) fn note_is_theirs(l: &Looked<'_>) -> Outcome {
    let note = &l.value["object"];
    if !["Create", "Update"].contains(&l.text("type"))
        || !["Note", "Question"].contains(&note["type"].as_str().unwrap_or_default())
    {
        return Ok(());
    }
    hold(note["attributedTo"] == l.value["actor"], || format!("by {}", note["attributedTo"]))?;
    hold(host(note["id"].as_str().unwrap_or_default()) == host(l.text("actor")), || format!("id {}", note["id"]))?;
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let same = ["to", "cc"].iter().all(|name| list(&note[*name]) == list(&l.value[*name]));
    hold(same, || "it is for others than its activity".into())?;
    let content = note["content"].as_str().unwrap_or_default();
    hold(note["name"].is_string() || content.starts_with("<p>"), || format!("content {content:?}"))?;
    for name in ["tag", "attachment"] {
        hold(note["name"].is_string() || note[name].is_array(), || format!("{name} is {}", note[name]))?;
    }
    for name in ["published", "updated"] {
        let good = note[name].as_str().is_none_or(|at| at.parse::<jiff::Timestamp>().is_ok() && at.ends_with('Z'));
        hold(good, || format!("{name} {}", note[name]))?;
    }
    let edited = l.text("type") == "Update" && note["type"] == "Note";
    hold(!edited || note["updated"].is_string(), || "an edit of no time".into())
}

/// Who is named has their whole handle.
pub(crate) fn mentions_are_whole(l: &Looked<'_>) -> Outcome {
    for tag in l.value["object"]["tag"].as_array().into_iter().flatten().filter(|tag| tag["type"] == "Mention") {
        let name = tag["name"].as_str().unwrap_or_default();
        hold(name.starts_with('@') && name.matches('@').count() == 2, || format!("a mention of {name}"))?;
        hold(tag["href"].is_string(), || format!("a mention without href: {tag}"))?;
    }
    Ok(())
}

/// A document is what was asked for.
pub(crate) fn id_is_address(l: &Looked<'_>) -> Outcome {
    let is_document = l.value["subject"].is_null();
    hold(!is_document || l.value["id"] == json!(l.target), || format!("id {}", l.value["id"]))
}

/// An actor has all that any program asks for.
pub(crate) fn actor_is_whole(l: &Looked<'_>) -> Outcome {
    let actor = l.value;
    if !["Person", "Service", "Application"].contains(&l.text("type")) {
        return Ok(());
    }
    let id = l.text("id");
    for name in ["inbox", "outbox"] {
        hold(host(l.text(name)) == host(id), || format!("{name} {}", actor[name]))?;
    }
    let key = &actor["publicKey"];
    hold(key["owner"] == json!(id), || format!("the key is of {}", key["owner"]))?;
    hold(key["id"] == json!(format!("{id}#main-key")), || format!("the key is {}", key["id"]))?;
    let pem = key["publicKeyPem"].as_str().unwrap_or_default();
    hold(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), || format!("the key reads {pem:?}"))?;
    hold(actor["preferredUsername"].is_string(), || "it has no name".into())?;
    let url = l.text("url");
    hold(url.is_empty() || host(url) == host(id), || format!("its page is at {url}"))?;
    if l.text("type") == "Application" {
        return Ok(());
    }
    hold(actor["followers"] == json!(format!("{id}/followers")), || format!("followers {}", actor["followers"]))?;
    let shared = &actor["endpoints"]["sharedInbox"];
    hold(shared.is_string() && *shared == actor["sharedInbox"], || format!("sharedInbox {shared}"))?;
    for name in ["attachment", "tag"] {
        hold(actor[name].is_array(), || format!("{name} {}", actor[name]))?;
    }
    hold(actor["manuallyApprovesFollowers"].is_boolean(), || "does it choose its followers?".into())
}

/// For whom a post is, where the list of followers is looked for in `to` alone.
pub(crate) fn by_to(note: &Value, actor: &Value) -> &'static str {
    visibility(note, (&actor["followers"], &["to"]))
}

/// The same, where it is looked for in `cc` too.
pub(crate) fn by_to_and_cc(note: &Value, actor: &Value) -> &'static str {
    visibility(note, (&actor["followers"], &["to", "cc"]))
}

pub(crate) fn visibility(note: &Value, (followers, places): (&Value, &[&str])) -> &'static str {
    let has = |name: &str, wanted: &Value| note[name].as_array().is_some_and(|list| list.contains(wanted));
    match () {
        () if has("to", &json!(PUBLIC)) => "public",
        () if has("cc", &json!(PUBLIC)) => "unlisted",
        () if places.iter().any(|name| has(name, followers)) => "private",
        () => "direct",
    }
}

pub(crate) fn nothing(_: &str) -> Value {
    json!({})
}

pub(crate) fn takes_any(_: &Looked<'_>) -> Option<u16> {
    None
}
