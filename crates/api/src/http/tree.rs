//! Parameters of one request as a bounded tree, whatever encoding they came in.
//! A leaf is a text or null, a branch is a list or a map: form and JSON bodies look the same from here on.

use super::error::{ApiError, ApiResult};
use percent_encoding::percent_decode;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Levels of nesting: `a[b][c]` has three.
pub(super) const MAX_DEPTH: usize = 8;
/// Names in a query string or form, or nodes in a JSON body.
pub(super) const MAX_PAIRS: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Tree {
    root: Map<String, Value>,
    pairs: usize,
}

impl Tree {
    /// Reads `a=1&b[]=2`. Names that do not parse as nested ones are taken literally.
    pub(super) fn add_urlencoded(&mut self, raw: &[u8]) -> ApiResult<()> {
        for (name, value) in pairs(raw) {
            self.count()?;
            self.insert(&decode(name)?, decode(value)?)?;
        }
        Ok(())
    }

    /// Adds one named value; a scalar given twice keeps the last.
    /// Fails with 400 when the name contradicts an earlier one (`a=1&a[b]=2`) or nests too deep.
    pub(super) fn add(&mut self, name: &str, value: String) -> ApiResult<()> {
        self.count()?;
        if name.contains('\0') || value.contains('\0') {
            return Err(nul());
        }
        self.insert(name, value)
    }

    /// Reads a JSON body: an object, `null` or nothing.
    pub(super) fn add_json(&mut self, raw: &[u8]) -> ApiResult<()> {
        if raw.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let mut reader = serde_json::Deserializer::from_slice(raw);
        let seed = JsonNode { pairs: &mut self.pairs, depth: 0 };
        let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        match value.map_err(|e| ApiError::bad_request(format!("Malformed JSON: {e}")))? {
            Value::Object(map) => self.root.extend(map),
            Value::Null => {}
            _ => return Err(ApiError::bad_request("Malformed JSON: an object is needed")),
        }
        Ok(())
    }

    /// Lays `self` over `under`: of a top-level name that both have, the one in `self` counts.
    pub(super) fn over(self, mut under: Tree) -> Tree {
        under.root.extend(self.root);
        under
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.root)
    }

    fn count(&mut self) -> ApiResult<()> {
        self.pairs += 1;
        if self.pairs > MAX_PAIRS {
            return Err(ApiError::bad_request("Too many parameters"));
        }
        Ok(())
    }

    fn insert(&mut self, name: &str, value: String) -> ApiResult<()> {
        let (first, rest) = segments(name)?;
        if first.is_empty() {
            return Ok(());
        }
        let slot = self.root.entry(first).or_insert(Value::Null);
        place(slot, &rest, value).map_err(|Conflict| {
            ApiError::bad_request(format!("Invalid parameter {}: contradicts an earlier one", shorten(name)))
        })
    }
}

/// The parts of a query string or form, still encoded. Empty parts are skipped.
pub(super) fn pairs(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(|b| *b == b'&').filter(|part| !part.is_empty()).map(|part| match part.iter().position(|b| *b == b'=') {
        Some(at) => (&part[..at], &part[at + 1..]),
        None => (part, &[][..]),
    })
}

/// Undoes `+` and `%xx`. Fails with 400 on what is not UTF-8 and on NUL, which PostgreSQL cannot hold.
pub(super) fn decode(raw: &[u8]) -> ApiResult<String> {
    let spaced: Cow<'_, [u8]> = if raw.contains(&b'+') {
        raw.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect::<Vec<_>>().into()
    } else {
        raw.into()
    };
    let bytes: Cow<'_, [u8]> = percent_decode(&spaced).into();
    let text =
        String::from_utf8(bytes.into_owned()).map_err(|_| ApiError::bad_request("Invalid parameters: not UTF-8"))?;
    if text.contains('\0') { Err(nul()) } else { Ok(text) }
}

fn nul() -> ApiError {
    ApiError::bad_request("Invalid parameters: a NUL character")
}

/// At most 60 characters of something a stranger sent, for an error text.
pub(super) fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

/// `a[b][]` → (`a`, [`b`, ``]). A name whose brackets do not match up is one literal segment.
fn segments(name: &str) -> ApiResult<(&str, Vec<&str>)> {
    let literal = Ok((name, Vec::new()));
    let Some(open) = name.find('[').filter(|at| *at > 0) else { return literal };
    let (first, mut rest) = name.split_at(open);
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('[') else { return literal };
        let Some((key, after)) = inner.split_once(']') else { return literal };
        if key.contains('[') {
            return literal;
        }
        if keys.len() + 1 >= MAX_DEPTH {
            let name = shorten(name);
            return Err(ApiError::bad_request(format!("Invalid parameter {name}: nested too deep")));
        }
        keys.push(key);
        rest = after;
    }
    Ok((first, keys))
}

struct Conflict;

/// Puts `value` where `keys` say. Null is a place nothing has been put yet. Recursion is bounded by [`segments`].
fn place(slot: &mut Value, keys: &[&str], value: String) -> Result<(), Conflict> {
    let Some((key, rest)) = keys.split_first() else {
        return match slot {
            Value::Null | Value::String(_) => {
                *slot = Value::String(value);
                Ok(())
            }
            _ => Err(Conflict),
        };
    };
    if slot.is_null() {
        *slot = if key.is_empty() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match slot {
        Value::Array(list) if key.is_empty() => push(list, rest, value),
        Value::Object(map) if !key.is_empty() => place(map.entry(*key).or_insert(Value::Null), rest, value),
        _ => Err(Conflict),
    }
}

/// `a[][x]=1&a[][y]=2&a[][x]=3` makes two maps: a name goes into the last one unless that has it already.
fn push(list: &mut Vec<Value>, rest: &[&str], value: String) -> Result<(), Conflict> {
    let into_last = rest.first().is_some_and(|key| !key.is_empty())
        && list.last().is_some_and(|last| last.is_object() && !holds(last, rest));
    if !into_last {
        list.push(Value::Null);
    }
    list.last_mut().map_or(Err(Conflict), |slot| place(slot, rest, value))
}

fn holds(node: &Value, keys: &[&str]) -> bool {
    match keys.split_first() {
        None => true,
        Some((key, rest)) => !key.is_empty() && node.get(*key).is_some_and(|inner| holds(inner, rest)),
    }
}

/// Reads one JSON node, giving up as soon as a bound is passed rather than after building everything.
struct JsonNode<'a> {
    pairs: &'a mut usize,
    depth: usize,
}

impl JsonNode<'_> {
    fn inner(&mut self) -> JsonNode<'_> {
        JsonNode { pairs: &mut *self.pairs, depth: self.depth + 1 }
    }
    fn branch<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth >= MAX_DEPTH { Err(E::custom("nested too deep")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for JsonNode<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.pairs += 1;
        if *self.pairs > MAX_PAIRS {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonNode<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::String(v.to_string()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::String(v.to_string()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::String(v.to_string()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::String(v.to_string()))
    }
    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Value, E> {
        self.visit_string(v.to_owned())
    }
    fn visit_string<E: serde::de::Error>(self, v: String) -> Result<Value, E> {
        if v.contains('\0') { Err(E::custom("a NUL character")) } else { Ok(Value::String(v)) }
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        self.branch()?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self.inner())? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.branch()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.insert(key, entries.next_value_seed(self.inner())?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn form(raw: &str) -> Result<Value, ApiError> {
        let mut tree = Tree::default();
        tree.add_urlencoded(raw.as_bytes())?;
        Ok(tree.into_value())
    }
    fn json_body(raw: &[u8]) -> Result<Value, ApiError> {
        let mut tree = Tree::default();
        tree.add_json(raw)?;
        Ok(tree.into_value())
    }

    #[test]
    fn brackets_nest() {
        let table = [
            ("", json!({})),
            ("&&", json!({})),
            ("a=1&a=2", json!({"a": "2"})),
            ("a", json!({"a": ""})),
            ("=1", json!({})),
            ("a=b=c", json!({"a": "b=c"})),
            ("a=x+y%20z%E3%81%82", json!({"a": "x y zあ"})),
            ("media_ids[]=1&media_ids[]=2", json!({"media_ids": ["1", "2"]})),
            ("media_ids%5B%5D=1", json!({"media_ids": ["1"]})),
            ("media_ids[0]=7", json!({"media_ids": {"0": "7"}})),
            (
                "poll[options][]=a&poll[options][]=b&poll[expires_in]=300",
                json!({"poll": {"options": ["a", "b"], "expires_in": "300"}}),
            ),
            ("data[alerts][admin.report]=true", json!({"data": {"alerts": {"admin.report": "true"}}})),
            (
                "f[0][name]=a&f[0][value]=b&f[17][name]=c",
                json!({"f": {"0": {"name": "a", "value": "b"}, "17": {"name": "c"}}}),
            ),
            ("m[][id]=1&m[][d]=x&m[][id]=2&m[][d]=y", json!({"m": [{"id": "1", "d": "x"}, {"id": "2", "d": "y"}]})),
            ("m[][t][]=1&m[][t][]=2", json!({"m": [{"t": ["1", "2"]}]})),
            ("a[][]=1", json!({"a": [["1"]]})),
            (
                "a[=1&b]=2&[c]=3&d[e]f=4&g[h[i]]=5",
                json!({"a[": "1", "b]": "2", "[c]": "3", "d[e]f": "4", "g[h[i]]": "5"}),
            ),
            ("a=%zz", json!({"a": "%zz"})),
        ];
        for (raw, expected) in table {
            assert_eq!(form(raw).unwrap(), expected, "{raw}");
        }
    }

    #[test]
    fn hostile_forms_are_refused() {
        let many = "a[]=1&".repeat(10_000);
        let deep = format!("a{}=1", "[b]".repeat(8));
        let deeper = format!("a{}=1", "[]".repeat(100_000));
        for raw in [
            "a=1&a[b]=2",
            "a[b]=2&a=1",
            "a[]=1&a[0]=2",
            "a[0]=1&a[]=2",
            "a=%ff",
            "%ff=a",
            "a=%00",
            &many,
            &deep,
            &deeper,
        ] {
            assert!(form(raw).is_err(), "{}", shorten(raw));
        }
        assert!(form(&format!("a{}=1", "[b]".repeat(7))).is_ok());
    }

    #[test]
    fn json_becomes_text_and_is_bounded() {
        let raw = br#"{"a":1,"b":true,"c":null,"d":[0.5,"x",-3],"e":{"admin.report":false},"a":2}"#;
        let expected =
            json!({"a": "2", "b": "true", "c": null, "d": ["0.5", "x", "-3"], "e": {"admin.report": "false"}});
        assert_eq!(json_body(raw).unwrap(), expected);
        assert_eq!(json_body(b" ").unwrap(), json!({}));
        assert_eq!(json_body(b"null").unwrap(), json!({}));
        let deep = "[".repeat(500_000);
        let many = format!("[{}1]", "1,".repeat(400_000));
        let nested = format!("{}1{}", r#"{"a":"#.repeat(9), "}".repeat(9));
        for raw in ["[]", "1", "{", "{}x", "{\"a\":}", "{\"a\":\"\\u0000\"}", &deep, &many, &nested] {
            assert!(json_body(raw.as_bytes()).is_err(), "{}", shorten(raw));
        }
        assert!(json_body(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn the_upper_tree_wins() {
        let mut upper = Tree::default();
        upper.add_urlencoded(b"a=1&c[]=1").unwrap();
        let mut under = Tree::default();
        under.add_json(br#"{"a":2,"b":3,"c":{"d":1}}"#).unwrap();
        assert_eq!(upper.over(under).into_value(), json!({"a": "1", "b": "3", "c": ["1"]}));
    }

    proptest! {
        #[test]
        fn forms_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Tree::default().add_urlencoded(&raw);
            let _ = Tree::default().add_json(&raw);
        }
        #[test]
        fn bracket_soup_never_panics(raw in r"([ab]|\[|\]|\[\]|=|&|%5B|%5D|0|\.|あ){0,60}") {
            let _ = form(&raw);
        }
        #[test]
        fn json_soup_never_panics(raw in r#"(\{|\}|\[|\]|"a"|:|,|1|null|true|-|\.|e){0,60}"#) {
            let _ = json_body(raw.as_bytes());
        }
    }
}
