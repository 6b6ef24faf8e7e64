//! Fedify: begins with RFC 9421 and takes nothing else here; says so to who comes with the old form; remembers what worked.

use super::checks;
use super::signed::{self, Signs};
use super::{Looked, Software};
use crate::post_as;
use serde_json::{Value, json};

static FEDIFY: Software = Software {
    name: "Fedify",
    actor: "/users/eve",
    key: "#main-key",
    signs: Signs::Rfc9421(&["@method", "@target-uri", "@authority", "host", "date", "content-digest"]),
    knock: wants_the_new_form,
    inbox: &[
        (401, signed_anew),
        (400, checks::is_json),
        (401, checks::actor_signed),
        (400, checks::context),
        (400, checks::id_at_home),
        (400, checks::addressees),
        (400, checks::undo_is_whole),
        (400, checks::note_is_theirs),
        (400, checks::mentions_are_whole),
    ],
    gate: &[(401, signed_anew)],
    fetched: &[(0, checks::is_json), (0, checks::exact_type), (0, checks::id_is_address), (0, checks::actor_is_whole)],
    visibility: checks::by_to_and_cc,
    actor_has,
    note_has: checks::nothing,
    like_has: checks::nothing,
};

fn wants_the_new_form(l: &Looked<'_>) -> Option<u16> {
    (!l.headers.contains_key("signature-input")).then_some(401)
}

pub(super) fn signed_anew(l: &Looked<'_>) -> Result<(), String> {
    if signed::header(l.headers, "signature")?.contains("keyId") {
        return Err("both forms at once".into());
    }
    let key_of = |id: &str| l.known.key(id);
    signed::rfc9421(&l.line(""), (&l.known.base, l.body), key_of).map(drop)
}

fn actor_has(uri: &str) -> Value {
    json!({ "assertionMethod": [{ "id": format!("{uri}#multikey-2"), "type": "Multikey", "controller": uri, "publicKeyMultibase": signed::multikey(&[9; 32]) }] })
}

super::strict! {
    FEDIFY,
    async fn is_remembered(strict, bob) {
        // The first request of all was turned away; nobody came with the old form after that.
        assert_eq!(*strict.turned_away.lock().unwrap(), 1);
        post_as(bob, "and one more", "public").await;
        strict.server.settle().await;
        strict.got("Create", "and one more");
        assert_eq!(*strict.turned_away.lock().unwrap(), 1);
    }
}
