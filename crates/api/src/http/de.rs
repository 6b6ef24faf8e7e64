//! From the tree of parameters to an endpoint's own struct, with Rails' tolerance: numbers and booleans are read
//! from text, lists come as lists, as maps with integer keys or as a single value, and errors name the parameter.

use super::error::ApiError;
use super::param_error::{Kind, ParamError};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Blanks that are taken away before giving up (see [`from_tree`]).
const MAX_BLANKS: usize = 64;

/// Reads `T` from a tree of parameters.
///
/// An empty text (or JSON null) where a number, a boolean, an enum or a struct is wanted counts as not given,
/// so that `Option` and `#[serde(default)]` do what their names say; `Option<String>` keeps `Some("")`.
///
/// Errors: 400 for a missing or unreadable parameter, 422 for an unknown enum value.
pub(super) fn from_tree<T: DeserializeOwned>(mut tree: Value) -> Result<T, ApiError> {
    for _ in 0..MAX_BLANKS {
        match T::deserialize(Node(&tree)) {
            Ok(value) => return Ok(value),
            Err(e) if matches!(e.kind, Kind::Blank) && remove(&mut tree, &e.path) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(ApiError::bad_request("Too many blank parameters"))
}

/// Takes the value at `path` (innermost first) out of its map. False when there is none.
fn remove(tree: &mut Value, path: &[String]) -> bool {
    let Some((last, outer)) = path.split_first() else { return false };
    let mut node = tree;
    for key in outer.iter().rev() {
        let inner = match node {
            Value::Object(map) => map.get_mut(key),
            Value::Array(list) => key.parse::<usize>().ok().and_then(|i| list.get_mut(i)),
            _ => None,
        };
        let Some(inner) = inner else { return false };
        node = inner;
    }
    // shift_remove keeps the order of the rest.
    node.as_object_mut().is_some_and(|map| map.shift_remove(last).is_some())
}

/// Mastodon's list of what is false; everything else is true.
fn is_false(text: &str) -> bool {
    matches!(text, "0" | "f" | "F" | "false" | "FALSE" | "off" | "OFF")
}

#[derive(Clone, Copy)]
struct Node<'a>(&'a Value);

impl<'a> Node<'a> {
    /// The text of a leaf that is not blank.
    fn word(self) -> Result<&'a str, ParamError> {
        match self.text()?.trim() {
            "" => Err(ParamError::new(Kind::Blank)),
            word => Ok(word),
        }
    }
    fn text(self) -> Result<&'a str, ParamError> {
        match self.0 {
            Value::String(text) => Ok(text),
            Value::Null => Err(ParamError::new(Kind::Blank)),
            _ => Err(ParamError::wrong("a single value is needed")),
        }
    }
    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        let word = self.word()?;
        if let Ok(n) = word.parse::<i64>() {
            return visitor.visit_i64(n);
        }
        match word.parse::<u64>() {
            Ok(n) => visitor.visit_u64(n),
            Err(_) => Err(ParamError::wrong("a whole number is needed")),
        }
    }
    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.word()?.parse::<f64>() {
            Ok(n) if n.is_finite() => visitor.visit_f64(n),
            _ => Err(ParamError::wrong("a number is needed")),
        }
    }
    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        let items: Vec<(String, &Value)> = match self.0 {
            Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
            Value::Object(map) if map.keys().all(|k| is_index(k)) => map.iter().map(|(k, v)| (k.clone(), v)).collect(),
            Value::Object(_) => return Err(ParamError::wrong("a list is needed")),
            Value::Null => return Err(ParamError::new(Kind::Blank)),
            single => vec![("0".into(), single)],
        };
        let given = items.into_iter().filter(|(_, v)| !(v.is_null() || v.as_str() == Some("")));
        visitor.visit_seq(Items(given.collect::<Vec<_>>().into_iter()))
    }
    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(Entries { rest: map.iter(), value: None }),
            Value::Null => Err(ParamError::new(Kind::Blank)),
            Value::String(text) if text.is_empty() => Err(ParamError::new(Kind::Blank)),
            _ => Err(ParamError::wrong("named values are needed")),
        }
    }
}

fn is_index(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit())
}

macro_rules! forward {
    ($($method:ident => $to:ident),* $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> { self.$to(visitor) }
    )* };
}

impl<'de> de::Deserializer<'de> for Node<'_> {
    type Error = ParamError;

    forward! {
        deserialize_i8 => integer, deserialize_i16 => integer, deserialize_i32 => integer, deserialize_i64 => integer,
        deserialize_u8 => integer, deserialize_u16 => integer, deserialize_u32 => integer, deserialize_u64 => integer,
        deserialize_f32 => float, deserialize_f64 => float, deserialize_seq => list, deserialize_map => map,
        deserialize_string => deserialize_str, deserialize_identifier => deserialize_str,
        deserialize_char => deserialize_str,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Array(_) => self.list(visitor),
            Value::Object(_) => self.map(visitor),
            Value::String(text) => visitor.visit_str(text),
            other => visitor.visit_string(other.to_string()),
        }
    }
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_bool(!is_false(self.word()?))
    }
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_str(self.text()?)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ParamError> {
        self.list(visitor)
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        self.map(visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_enum(self.word()?.into_deserializer())
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_unit()
    }
    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct tuple_struct }
}

struct Items<'a>(std::vec::IntoIter<(String, &'a Value)>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ParamError;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ParamError> {
        let Some((key, value)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Node(value)).map(Some).map_err(|e| e.within(&key))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'a> {
    rest: serde_json::map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ParamError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ParamError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key, value));
        seed.deserialize(key.as_str().into_deserializer()).map(Some)
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ParamError> {
        let Some((key, value)) = self.value.take() else { return Err(ParamError::wrong("no value")) };
        seed.deserialize(Node(value)).map_err(|e| e.within(key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;
    use std::collections::HashMap;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Visibility {
        #[default]
        Public,
        Direct,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Form {
        text: Option<String>,
        flag: Option<bool>,
        plain: bool,
        number: Option<i64>,
        small: Option<u8>,
        float: Option<f64>,
        list: Option<Vec<String>>,
        numbers: Vec<i64>,
        visibility: Option<Visibility>,
        poll: Option<Poll>,
        fields: Option<Vec<HashMap<String, String>>>,
        alerts: HashMap<String, bool>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Poll {
        options: Vec<String>,
        expires_in: i64,
    }

    fn read(tree: Value) -> Result<Form, String> {
        from_tree(tree).map_err(|e| format!("{} {}", e.status().as_u16(), e.message()))
    }

    #[test]
    fn values_are_read_tolerantly() {
        let form = |f: Form| f;
        let table = [
            (json!({}), Form::default()),
            (json!({"unknown": {"x": ["y"]}}), Form::default()),
            (json!({"text": ""}), form(Form { text: Some(String::new()), ..Form::default() })),
            (json!({"text": null}), Form::default()),
            (json!({"flag": "off", "plain": "1"}), form(Form { flag: Some(false), plain: true, ..Form::default() })),
            (json!({"flag": "yes"}), form(Form { flag: Some(true), ..Form::default() })),
            (
                json!({"flag": "", "plain": null, "number": " ", "visibility": "", "poll": "", "float": ""}),
                Form::default(),
            ),
            (
                json!({"number": "-12", "small": "7"}),
                form(Form { number: Some(-12), small: Some(7), ..Form::default() }),
            ),
            (json!({"float": "-0.25"}), form(Form { float: Some(-0.25), ..Form::default() })),
            (json!({"list": [""]}), form(Form { list: Some(vec![]), ..Form::default() })),
            (json!({"list": ""}), form(Form { list: Some(vec![]), ..Form::default() })),
            (json!({"list": "a"}), form(Form { list: Some(vec!["a".into()]), ..Form::default() })),
            (
                json!({"list": {"4": "a", "2": "b"}}),
                form(Form { list: Some(vec!["a".into(), "b".into()]), ..Form::default() }),
            ),
            (json!({"numbers": ["1", "", "2"]}), form(Form { numbers: vec![1, 2], ..Form::default() })),
            (json!({"numbers": null}), Form::default()),
            (json!({"visibility": "direct"}), form(Form { visibility: Some(Visibility::Direct), ..Form::default() })),
            (
                json!({"alerts": {"admin.report": "true", "mention": "0"}}),
                form(Form {
                    alerts: [("admin.report".to_owned(), true), ("mention".to_owned(), false)].into(),
                    ..Form::default()
                }),
            ),
            (
                json!({"poll": {"options": {"0": "a"}, "expires_in": "300"}}),
                form(Form { poll: Some(Poll { options: vec!["a".into()], expires_in: 300 }), ..Form::default() }),
            ),
            (
                json!({"fields": {"9": {"name": "n"}}}),
                form(Form { fields: Some(vec![[("name".to_owned(), "n".to_owned())].into()]), ..Form::default() }),
            ),
        ];
        for (tree, expected) in table {
            assert_eq!(read(tree.clone()).unwrap(), expected, "{tree}");
        }
    }

    #[test]
    fn errors_name_the_parameter() {
        let table = [
            (json!({"number": "12x"}), "400 Invalid parameter number: a whole number is needed"),
            (json!({"number": ["1"]}), "400 Invalid parameter number: a single value is needed"),
            (json!({"small": "256"}), "400 Invalid parameter small: invalid value: integer `256`, expected u8"),
            (json!({"float": "NaN"}), "400 Invalid parameter float: a number is needed"),
            (json!({"text": {"a": "b"}}), "400 Invalid parameter text: a single value is needed"),
            (json!({"list": {"a": "b"}}), "400 Invalid parameter list: a list is needed"),
            (json!({"numbers": ["1", "x"]}), "400 Invalid parameter numbers[1]: a whole number is needed"),
            (json!({"poll": "x"}), "400 Invalid parameter poll: named values are needed"),
            (json!({"poll": {"options": []}}), "400 param is missing or the value is empty: poll[expires_in]"),
            (
                json!({"poll": {"options": [], "expires_in": ""}}),
                "400 param is missing or the value is empty: poll[expires_in]",
            ),
            (json!({"visibility": "secret"}), "422 'secret' is not a valid visibility"),
        ];
        for (tree, expected) in table {
            assert_eq!(read(tree.clone()).unwrap_err(), expected, "{tree}");
        }
        let blanks: HashMap<String, String> = (0..500).map(|i| (i.to_string(), String::new())).collect();
        assert_eq!(read(json!({"alerts": blanks})).unwrap_err(), "400 Too many blank parameters");
    }

    proptest! {
        #[test]
        fn no_tree_makes_it_panic(
            raw in r"((text|flag|number|list|numbers|poll|options|fields|alerts|visibility|[0a.])|\[|\]|\[\]|=|=|&|&|-1|true){0,40}",
        ) {
            let mut tree = Tree::default();
            if tree.add_urlencoded(raw.as_bytes()).is_ok() {
                let _ = read(tree.into_value());
            }
        }
    }
}
