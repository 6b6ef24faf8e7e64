//! Counts a status as Mastodon does: what a reader sees as one character is one, a link is 23,
//! and the domain of a mention is free.

use unicode_segmentation::UnicodeSegmentation;

use super::entities::{Kind, scan};

/// What every link counts, however long (`characters_reserved_per_url`).
pub const URL_CHARS: usize = 23;

/// Length of a status without a content warning, in grapheme clusters.
pub fn count(text: &str) -> usize {
    count_with("", text)
}

/// Length of a status with its content warning, in which links have no special price.
pub fn count_with(spoiler_text: &str, text: &str) -> usize {
    let mut countable = String::with_capacity(spoiler_text.len() + text.len());
    countable.push_str(spoiler_text);
    if !text.trim().is_empty() {
        let mut last = 0;
        for entity in scan(text) {
            let short = match &entity.kind {
                Kind::Url => "x".repeat(URL_CHARS),
                Kind::Mention { username, .. } => format!("@{username}"),
                Kind::Hashtag { .. } | Kind::Emoji { .. } => continue,
            };
            countable.push_str(&text[last..entity.range.start]);
            countable.push_str(&short);
            last = entity.range.end;
        }
        countable.push_str(&text[last..]);
    }
    countable.graphemes(true).count()
}
