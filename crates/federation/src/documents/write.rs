//! What all our documents are put together with.

use super::context::{self, Terms};
use serde_json::{Map, Value};

/// Properties in the order in which they are put; what is absent is left out.
#[derive(Default)]
pub(super) struct Writer(Map<String, Value>);

impl Writer {
    /// Begins with id and type.
    pub(super) fn new(id: Option<&str>, kind: &str) -> Self {
        let mut writer = Self::default();
        writer.opt("id", id);
        writer.put("type", kind);
        writer
    }

    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(super) fn opt(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(name, text);
        }
    }

    /// Only when it is so.
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        if flag {
            self.put(name, true);
        }
    }

    pub(super) fn list<T>(&mut self, name: &str, items: &[T], of: impl Fn(&T) -> Value) {
        self.put(name, items.iter().map(of).collect::<Vec<Value>>());
    }

    /// Only when there is something in it.
    pub(super) fn some<T>(&mut self, name: &str, items: &[T], of: impl Fn(&T) -> Value) {
        if !items.is_empty() {
            self.list(name, items, of);
        }
    }

    pub(super) fn texts(&mut self, name: &str, texts: &[String]) {
        self.list(name, texts, |text| text.as_str().into());
    }

    /// Only when there is one.
    pub(super) fn some_texts(&mut self, name: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.texts(name, texts);
        }
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// The whole document: `@context` first.
pub(super) fn document(terms: Terms, body: Value) -> Value {
    let mut out = Map::new();
    out.insert("@context".to_owned(), context::of(terms));
    if let Value::Object(body) = body {
        out.extend(body);
    }
    Value::Object(out)
}
