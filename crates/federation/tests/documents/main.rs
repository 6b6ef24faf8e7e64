//! Documents shaped like those of other servers, read; and ours, written and read again.

#![allow(clippy::unwrap_used)]

mod activities;
mod actors;
mod hostile;
mod linked_data;
mod notes;
mod parts;
mod whole;
mod written;

use federation::documents::{Activity, Note, Object, parse};
use serde_json::Value;

/// A document of the corpus.
fn corpus(name: &str) -> Value {
    let path = format!("{}/tests/corpus/{name}.json", env!("CARGO_MANIFEST_DIR"));
    parse(&std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))).unwrap()
}

fn activity(name: &str) -> Activity {
    Activity::read(&corpus(name)).unwrap()
}

/// The Note inside an activity of the corpus.
fn note(name: &str) -> Note {
    match activity(name).objects.remove(0) {
        Object::Note(note) => *note,
        other => panic!("{name}: {other:?}"),
    }
}
