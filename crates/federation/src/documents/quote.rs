//! Quotes: the properties that name what is quoted, and the stamps that allow it (FEP-044f).

use super::reader::{Reader, id_of, same_origin};
use super::{Malformed, PUBLIC};
use serde_json::Value;

/// What a post quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    pub id: String,
    /// Only said in one of the older ways (`_misskey_quote`, `quoteUrl`, `quoteUri`, a Link tag), which ask nobody.
    pub legacy: bool,
    /// Address of the stamp.
    pub authorization: Option<String>,
}

/// A stamp: `author` allows `quoting` to show `quoted`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuoteAuthorization {
    pub id: String,
    /// `attributedTo`
    pub author: String,
    /// `interactingObject`
    pub quoting: String,
    /// `interactionTarget`
    pub quoted: String,
}

impl Quote {
    /// The first of the properties that people quote with counts.
    pub(super) fn read(reader: Reader<'_>) -> Option<Self> {
        let authorization = reader.link("quoteAuthorization");
        if let Some(id) = reader.link("quote").filter(|id| id != PUBLIC) {
            return Some(Self { id, legacy: false, authorization });
        }
        let named =
            ["_misskey_quote", "quoteUrl", "quoteUri", "quoteURL"].into_iter().find_map(|name| reader.link(name));
        let id = named.or_else(|| super::tag::object_links(reader).find_map(|tag| tag.link("href")))?;
        Some(Self { id, legacy: true, authorization })
    }
}

impl QuoteAuthorization {
    /// The stamp must lie where its author is; whose posts it speaks of is for the caller to compare.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let reader = Reader::of(value)?;
        if !reader.is("QuoteAuthorization") {
            return Err(Malformed::Property("type"));
        }
        let link = |name: &'static str| reader.first(name).and_then(id_of).ok_or(Malformed::Property(name));
        let id = reader.id().ok_or(Malformed::Property("id"))?;
        let author = link("attributedTo")?;
        if !same_origin(&id, &author) {
            return Err(Malformed::Property("attributedTo"));
        }
        Ok(Self { id, author, quoting: link("interactingObject")?, quoted: link("interactionTarget")? })
    }
}
