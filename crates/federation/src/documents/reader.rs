//! Reading JSON that others wrote: what may be a text, an object or a list of either, within bounds.

use super::{
    Activity, Actor, Approval, Collection, Document, Key, Malformed, Note, PUBLIC, QuoteAuthorization, activity, actor,
    note,
};
use domain::Time;
use serde_json::{Map, Value};
use std::collections::HashSet;
use url::Url;

/// Objects and lists inside each other. Usual documents have less than ten.
const DEPTH: usize = 24;
/// Values in one document: a page of a collection with sixty posts inside has some five thousand.
const NODES: usize = 50_000;
/// Bytes of an address.
const ADDRESS: usize = 2048;
/// What the names of ActivityStreams begin with in full.
const STREAMS: &str = "https://www.w3.org/ns/activitystreams#";
/// Entries of a list that nothing else bounds.
pub(super) const LIST: usize = 2000;

/// JSON of a document, if it is not too deep or too large to be looked at. Its texts are without NUL, which no database
/// of ours keeps alike.
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    // Before anything is built of it: a byte of text can become thirty of memory.
    if !fits(bytes) {
        return Err(Malformed::NotJson);
    }
    let mut value = serde_json::from_slice(bytes).map_err(|_| Malformed::NotJson)?;
    // The one way to write it in JSON; hardly ever there.
    if bytes.windows(NUL.len()).any(|six| six == NUL) {
        drop_nul(&mut value);
    }
    Ok(value)
}

const NUL: &[u8] = b"\\u0000";

/// Recursive: it goes as deep as [`fits`] lets anything be.
fn drop_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(list) => list.iter_mut().for_each(drop_nul),
        Value::Object(map) => map.values_mut().for_each(drop_nul),
        _ => {}
    }
}

/// Counts brackets and commas outside of texts.
fn fits(bytes: &[u8]) -> bool {
    let (mut depth, mut nodes, mut quoted, mut escaped) = (0_usize, 1_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => (depth, nodes) = (depth + 1, nodes + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => nodes += 1,
            _ => {}
        }
        if depth > DEPTH || nodes > NODES {
            return false;
        }
    }
    true
}

/// Scheme, host and port of an address, in lower case; None for what is no http(s) address.
pub fn origin(address: &str) -> Option<String> {
    let url = url(address)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
}

/// The host of an address as it stands in handles: with the port, if it is not the usual one.
pub fn host(address: &str) -> Option<String> {
    let url = url(address)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", url.host_str()?))
}

/// Whether both come from the same server.
pub fn same_origin(a: &str, b: &str) -> bool {
    matches!((origin(a), origin(b)), (Some(a), Some(b)) if a == b)
}

fn url(address: &str) -> Option<Url> {
    // Stricter than browsers: nothing that is an address only after repairs.
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    if address.len() > ADDRESS || rest.starts_with(['/', '\\']) {
        return None;
    }
    let url = Url::parse(address).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && url.host_str().is_some_and(|host| !host.is_empty())).then_some(url)
}

/// An http(s) address, as it came.
pub(super) fn address(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    (plain && url(text).is_some()).then(|| text.to_owned())
}

/// An object's properties.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Reader<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Malformed> {
        value.as_object().map(Self).ok_or(Malformed::NotAnObject)
    }

    /// The property, if it is there and not null: under its name, or as linked data names it in full.
    pub(super) fn raw(self, name: &str) -> Option<&'a Value> {
        let plain = self.0.get(name).filter(|value| !value.is_null());
        // What a thing is and is called has one spelling: others look for it, too.
        if plain.is_some() || name.starts_with('@') || matches!(name, "id" | "type") {
            return plain;
        }
        let full = |key: &str| key.strip_prefix("as:").or_else(|| key.strip_prefix(STREAMS)) == Some(name);
        self.0.iter().find(|(key, value)| !value.is_null() && full(key)).map(|(_, value)| value)
    }

    /// What stands there, as a list: one thing is a list of one.
    pub(super) fn list(self, name: &str) -> &'a [Value] {
        let members = |value: &'a Value| value.get("@list").or_else(|| value.get("@set")).unwrap_or(value);
        match self.raw(name).map(members) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(list)) => list.get(..list.len().min(LIST)).unwrap_or_default(),
            Some(one) => std::slice::from_ref(one),
        }
    }

    /// The first that is not null: of a value with its type or language, the value.
    pub(super) fn first(self, name: &str) -> Option<&'a Value> {
        self.list(name).iter().map(|value| value.get("@value").unwrap_or(value)).find(|value| !value.is_null())
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.first(name)?.as_str()
    }

    /// A text, or the first of those that stand in several languages under `map`.
    pub(super) fn worded(self, name: &str, map: &str) -> Option<&'a str> {
        let of_map = || self.raw(map)?.as_object()?.values().find_map(|text| one_of(text)?.as_str());
        self.text(name).or_else(of_map)
    }

    /// At most so many characters of it; empty when it is missing.
    pub(super) fn cut(self, name: &str, characters: usize) -> String {
        cut(self.text(name).unwrap_or_default(), characters)
    }

    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.first(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn count(self, name: &str) -> Option<u64> {
        self.first(name)?.as_u64().filter(|n| i64::try_from(*n).is_ok())
    }

    pub(super) fn number(self, name: &str) -> Option<f64> {
        self.first(name)?.as_f64().filter(|n| n.is_finite())
    }

    /// A moment of the years 1 to 9999.
    pub(super) fn time(self, name: &str) -> Option<Time> {
        Time::parse(self.text(name)?).filter(|time| (-62_135_596_800_000..253_402_300_800_000).contains(&time.millis()))
    }

    /// The address that stands there, or that of the object that stands there.
    pub(super) fn link(self, name: &str) -> Option<String> {
        id_of(self.first(name)?)
    }

    /// All addresses that stand there, [`PUBLIC`] in its one spelling, nothing twice.
    pub(super) fn links(self, name: &str, most: usize) -> Vec<String> {
        let mut seen = HashSet::new();
        let found = self.list(name).iter().filter_map(id_of);
        found.filter(|link| seen.insert(link.clone())).take(most).collect()
    }

    pub(super) fn id(self) -> Option<String> {
        self.raw("id").or_else(|| self.raw("@id")).and_then(address)
    }

    /// The names of its types, without the prefixes that some write.
    pub(super) fn kinds(self) -> impl Iterator<Item = &'a str> {
        let list = if self.raw("type").is_some() { self.list("type") } else { self.list("@type") };
        list.iter().filter_map(Value::as_str).take(8).map(bare)
    }

    /// The first of its types that `known` recognises.
    pub(super) fn kind<T>(self, known: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.kinds().find_map(known)
    }

    pub(super) fn is(self, kind: &str) -> bool {
        self.kinds().any(|known| known == kind)
    }
}

/// The thing itself, or the first of a list.
pub(super) fn one_of(value: &Value) -> Option<&Value> {
    value.as_array().map_or(Some(value), |list| list.first())
}

/// `as:Note` and `https://www.w3.org/ns/activitystreams#Note` are `Note`.
fn bare(kind: &str) -> &str {
    let name = kind.strip_prefix("as:").or_else(|| kind.strip_prefix(STREAMS));
    let name = name.or_else(|| kind.strip_prefix("toot:")).or_else(|| kind.strip_prefix("litepub:"));
    name.unwrap_or(kind)
}

/// An address, or the id (of a Link the target) of an object.
pub(super) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if matches!(text.as_str(), PUBLIC | "as:Public" | "Public") => Some(PUBLIC.to_owned()),
        Value::String(_) => address(value),
        Value::Object(map) => {
            let reader = Reader(map);
            reader.id().or_else(|| reader.raw("href").and_then(address))
        }
        _ => None,
    }
}

/// At most so many characters.
pub(super) fn cut(text: &str, characters: usize) -> String {
    // Bytes first: most texts are short.
    if text.len() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters).collect()
}

pub(super) fn document(value: &Value) -> Result<Document, Malformed> {
    let reader = Reader::of(value)?;
    if reader.kind(actor::kind).is_some() {
        return Actor::read(value).map(|it| Document::Actor(Box::new(it)));
    }
    if reader.kind(note::kind).is_some() {
        return Note::read(value).map(|it| Document::Note(Box::new(it)));
    }
    if reader.kind(activity::verb).is_some() {
        return Activity::read(value).map(|it| Document::Activity(Box::new(it)));
    }
    if reader.kinds().any(|kind| kind.contains("Collection")) {
        return Collection::read(value).map(|it| Document::Collection(Box::new(it)));
    }
    if reader.is("Tombstone") {
        let former = reader.text("formerType").map(|kind| cut(kind, 64));
        return Ok(Document::Tombstone { id: reader.id().ok_or(Malformed::Property("id"))?, former });
    }
    if reader.is("QuoteAuthorization") {
        return QuoteAuthorization::read(value).map(Document::QuoteAuthorization);
    }
    if reader.kind(Approval::kind).is_some() {
        return Approval::read(value).map(Document::Approval);
    }
    // Key documents often do not say what they are.
    if let Some(key) = Key::of(reader) {
        return Ok(Document::Key(key));
    }
    Ok(Document::Other { id: reader.id(), kind: cut(reader.kinds().next().unwrap_or_default(), 64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_within_bounds() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let wide = |nodes: usize| format!("[{}1]", "1,".repeat(nodes));
        for (text, fits) in [
            ("{}".to_owned(), true),
            (nested(DEPTH), true),
            (nested(DEPTH + 1), false),
            (wide(NODES - 10), true),
            (wide(NODES), false),
            (format!("{:?}", "[".repeat(1000)), true),
            (format!("\"\\\"{}\"", "[".repeat(1000)), true),
            ("[".repeat(1_000_000), false),
            (String::new(), false),
            ("{} {}".to_owned(), false),
        ] {
            assert_eq!(parse(text.as_bytes()).is_ok(), fits, "{}", text.get(..20).unwrap_or(&text));
        }
        assert_eq!(parse(b"\xff"), Err(Malformed::NotJson));
    }

    #[test]
    fn no_text_holds_nul() {
        let read = parse(br#"{"a":"x\u0000y","b":[{"c":"\u0000"},"\\u0000"],"d":1}"#).unwrap();
        assert_eq!(read, serde_json::json!({ "a": "xy", "b": [{ "c": "" }, "\\u0000"], "d": 1 }));
    }

    #[test]
    fn origins_and_hosts() {
        for (address, expected, named) in [
            ("https://A.example/x?y#z", "https://a.example", "a.example"),
            ("https://a.example:443", "https://a.example", "a.example"),
            ("http://a.example:8080/", "http://a.example:8080", "a.example:8080"),
            ("https://b\u{fc}cher.example/", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(origin(address).as_deref(), Some(expected));
            assert_eq!(host(address).as_deref(), Some(named));
        }
        for address in
            ["", "a.example", "ftp://a.example/", "javascript:x", "https://", "https://u@a.example/", "acct:a@b"]
        {
            assert_eq!((origin(address), host(address)), (None, None), "{address}");
            assert!(!same_origin(address, address));
        }
        assert!(same_origin("https://a.example/1", "https://A.example:443/2"));
        assert!(!same_origin("https://a.example/1", "http://a.example/1"));
        assert!(!same_origin("https://a.example/1", "https://a.example.evil.example/1"));
    }
}
