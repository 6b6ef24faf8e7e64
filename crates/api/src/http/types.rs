//! Parameter types for what plain Rust types cannot say. `bool`, integers, `f64`, enums, structs, `Vec<T>` and
//! `Option` of them are already read with Rails' tolerance: see [`super::params`].

use super::error::{ApiError, ApiResult};
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// A reference to something by its id: a text or a number. Garbage is an id of nothing, not a bad request.
/// Use with `#[serde(default)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Id<T> {
    /// Not given, null or empty.
    #[default]
    Absent,
    /// Given, but nothing can have this id.
    Unknown,
    Known(T),
}

impl<T> Id<T> {
    /// For a reference that may be left out: 404 when given and garbage.
    pub fn optional(self) -> ApiResult<Option<T>> {
        match self {
            Self::Absent => Ok(None),
            Self::Unknown => Err(ApiError::not_found()),
            Self::Known(id) => Ok(Some(id)),
        }
    }
    /// For a reference that must be there: 400 naming `name` when not given, 404 when garbage.
    pub fn required(self, name: &str) -> ApiResult<T> {
        self.optional()?.ok_or_else(|| ApiError::missing_param(name))
    }
    /// For lists and filters, where an id of nothing simply finds nothing.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(id) => Some(id),
            Self::Absent | Self::Unknown => None,
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor(PhantomData))
    }
}

struct IdVisitor<T>(PhantomData<T>);

impl<'de, T: FromStr> Visitor<'de> for IdVisitor<T> {
    type Value = Id<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }
    fn visit_str<E>(self, text: &str) -> Result<Id<T>, E> {
        match text.trim() {
            "" => Ok(Id::Absent),
            word => Ok(word.parse().map_or(Id::Unknown, Id::Known)),
        }
    }
    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Id<T>, E> {
        self.visit_str(&n.to_string())
    }
    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Id<T>, E> {
        self.visit_str(&n.to_string())
    }
    fn visit_unit<E>(self) -> Result<Id<T>, E> {
        Ok(Id::Absent)
    }
    fn visit_none<E>(self) -> Result<Id<T>, E> {
        Ok(Id::Absent)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Id<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Tells "left out" from an explicit JSON null. Use with `#[serde(default)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    /// `None`: leave as it is. `Some(None)`: clear. `Some(Some(_))`: set.
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

/// A duration in whole seconds, as polls, mutes and filters send it: `#[serde(default)]` gives none.
/// Negative values and those over a hundred years are refused with 400.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const CENTURY: i64 = 100 * 365 * 86_400;
        let n = i64::deserialize(deserializer)?;
        match u64::try_from(n) {
            Ok(seconds) if n <= CENTURY => Ok(Self(seconds)),
            _ => Err(D::Error::custom("out of range")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::de::from_tree;
    use super::*;
    use serde_json::{Value, json};

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct Form {
        id: Id<i64>,
        ids: Vec<Id<i64>>,
        note: Given<String>,
        wait: Option<Seconds>,
    }

    fn read(tree: Value) -> Form {
        from_tree(tree).unwrap()
    }

    #[test]
    fn garbage_ids_are_ids_of_nothing() {
        for absent in [json!({}), json!({"id": ""}), json!({"id": null})] {
            assert_eq!(read(absent.clone()).id, Id::Absent, "{absent}");
        }
        for unknown in ["x", "1.5", "99999999999999999999", "1 2", "１"] {
            let id = read(json!({"id": unknown})).id;
            assert_eq!(id, Id::Unknown, "{unknown}");
            assert_eq!(id.optional().unwrap_err().status(), 404);
            assert_eq!(id.known(), None);
        }
        assert_eq!(read(json!({"id": "5"})).id.required("id").unwrap(), 5);
        assert_eq!(read(json!({})).id.required("id").unwrap_err().status(), 400);
        let ids = read(json!({"ids": ["1", "x", "", "3"]})).ids;
        assert_eq!(ids.into_iter().filter_map(Id::known).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(serde_json::from_str::<Id<i64>>("7").unwrap(), Id::Known(7));
    }

    #[test]
    fn absent_null_and_empty_differ() {
        assert_eq!(read(json!({})).note.change(), None);
        assert_eq!(read(json!({"note": null})).note.change(), Some(None));
        assert_eq!(read(json!({"note": ""})).note.change(), Some(Some(String::new())));
    }

    #[test]
    fn seconds_are_bounded() {
        assert_eq!(read(json!({"wait": "300"})).wait, Some(Seconds(300)));
        assert_eq!(read(json!({"wait": ""})).wait, None);
        assert!(from_tree::<Form>(json!({"wait": "-1"})).is_err());
        assert!(from_tree::<Form>(json!({"wait": "9223372036854775807"})).is_err());
    }
}
