//! What people write: finding links, mentions and tags in it, counting it, turning it into the
//! HTML clients expect, making strangers' HTML safe, and cutting text into search tokens.
//! Pure functions over strings; nothing here knows the database or any other part of the crate.

mod chars;
pub mod count;
pub mod entities;
mod host;
pub mod html;
pub mod markdown;
mod markup;
pub mod mfm;
pub mod plain;
mod query;
pub mod sanitise;
pub mod search;
pub mod tag;
mod tame;
mod url;

#[cfg(test)]
mod tests;

pub use count::{count, count_with};
pub use entities::{Entity, Handle, Kind, Tag, mentioned, scan, shortcodes, tags};
pub use html::{MentionLink, Mentions, Options, field_html, html, note_html, shortened_link};
pub use markdown::{markdown_html, markdown_words};
pub use plain::plain;
pub use sanitise::sanitise;
pub use tag::{tag_key, tag_name};
