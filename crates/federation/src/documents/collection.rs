//! Collections and their pages.

use super::reader::{Reader, id_of};
use super::{Malformed, Object, activity};
use serde_json::Value;

/// Entries of one page that are read.
const ITEMS: usize = 500;
/// Where only their names are.
const NAMES: usize = 30_000;

/// A collection or one page of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collection {
    pub id: Option<String>,
    pub ordered: bool,
    pub is_page: bool,
    pub total: Option<u64>,
    pub first: Option<Page>,
    pub last: Option<String>,
    pub next: Option<String>,
    pub prev: Option<String>,
    pub part_of: Option<String>,
    /// Whose it is, where it says so.
    pub owner: Option<String>,
    pub items: Vec<Object>,
}

/// The first page.
#[derive(Clone, Debug, PartialEq)]
pub enum Page {
    Id(String),
    Embedded(Box<Collection>),
}

/// The names of what is in a collection or page, of more entries than are read otherwise.
pub fn ids_in(value: &Value) -> impl Iterator<Item = String> {
    let named = |name: &str| value.get(name).filter(|list| !list.is_null());
    // One thing is a list of one.
    let list = match named("orderedItems").or_else(|| named("items")) {
        None => &[],
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    list.iter().take(NAMES).filter_map(id_of)
}

/// What is in a collection or page, as it came.
pub fn items_in(value: &Value) -> &[Value] {
    value.as_object().map(Reader).map(items).unwrap_or_default()
}

fn items(reader: Reader<'_>) -> &[Value] {
    match reader.raw("orderedItems") {
        Some(_) => reader.list("orderedItems"),
        None => reader.list("items"),
    }
}

impl Collection {
    /// Nothing is required: hidden collections have a count at most, embedded pages no id.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        Self::at(value, activity::NESTED)
    }

    pub(super) fn at(value: &Value, depth: usize) -> Result<Self, Malformed> {
        let reader = Reader::of(value)?;
        let ordered = reader.kinds().any(|kind| kind.starts_with("Ordered"));
        let items = items(reader).iter().take(ITEMS).filter_map(|item| Object::at(item, depth)).collect();
        let first = reader.first("first").and_then(|value| match (value.as_object(), depth.checked_sub(1)) {
            (Some(page), Some(depth)) if page.len() > 1 || !page.contains_key("id") => {
                Self::at(value, depth).ok().map(|page| Page::Embedded(Box::new(page)))
            }
            _ => id_of(value).map(Page::Id),
        });
        Ok(Self {
            id: reader.id(),
            ordered,
            is_page: reader.kinds().any(|kind| kind.ends_with("Page")),
            total: reader.count("totalItems"),
            first,
            last: reader.link("last"),
            next: reader.link("next"),
            prev: reader.link("prev"),
            part_of: reader.link("partOf"),
            owner: reader.link("attributedTo").or_else(|| reader.link("actor")),
            items,
        })
    }

    /// The ids of its items.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(Object::id)
    }
}
