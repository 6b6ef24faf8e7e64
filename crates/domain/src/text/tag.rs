//! Hashtag names: what may be one, and the form by which two spellings count as the same tag.

use unicode_normalization::UnicodeNormalization;

use super::chars::{fold_latin, is_variation_selector, is_word};

/// The key under which a tag is stored and looked up: NFKC, lower case, Latin letters without
/// accents, everything that cannot be in a tag dropped. May be empty when nothing is left.
///
/// Follows Mastodon's normaliser, except that marks of Indic scripts, which it drops, are kept.
pub fn tag_key(name: &str) -> String {
    name.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}') && is_tag_char(*c))
        .map(|c| if c <= '\u{17f}' { fold_latin(c) } else { c })
        .nfc()
        .collect()
}

/// The valid name that the text starts with, without the `#`, as in `日本・東京` of `日本・東京・。`.
pub fn tag_name(text: &str) -> Option<&str> {
    if !text.chars().next().is_some_and(is_name_char) {
        return None;
    }
    let run = text.char_indices().find(|(_, c)| !is_tag_char(*c)).map_or(text, |(at, _)| &text[..at]);
    let name = run.trim_end_matches(is_dot);
    let letters = || name.chars().any(char::is_alphabetic);
    // `1・2` and `12_3` are names although they hold no letter: a separator inside will do.
    let inner = || {
        let mut chars = name.chars();
        chars.next();
        chars.next_back();
        chars.any(|c| c == '_' || is_dot(c))
    };
    (letters() || inner()).then_some(name)
}

fn is_tag_char(c: char) -> bool {
    is_name_char(c) || is_dot(c)
}

fn is_name_char(c: char) -> bool {
    is_word(c) && !is_variation_selector(c)
}

/// Middle dots and the zero width non-joiner: inside a name, never at its ends.
fn is_dot(c: char) -> bool {
    matches!(c, '\u{b7}' | '\u{30fb}' | '\u{200c}')
}
