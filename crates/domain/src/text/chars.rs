//! Character classes that the scanner, the tag rules and the search tokeniser share.

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Letters, marks, decimal digits and connectors: the regular expression class `\w` in Unicode.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_alphabetic() || is_digit(c) || is_combining_mark(c) || is_connector(c)
}

fn is_connector(c: char) -> bool {
    matches!(c, '\u{203f}' | '\u{2040}' | '\u{2054}' | '\u{fe33}' | '\u{fe34}' | '\u{fe4d}'..='\u{fe4f}' | '\u{ff3f}')
}

/// Digits that write numbers; circled numbers, fractions and superscripts are none.
pub(super) fn is_digit(c: char) -> bool {
    c.is_numeric()
        && !matches!(
            u32::from(c),
            0xb2..=0xb3 | 0xb9 | 0xbc..=0xbe | 0x2070..=0x2089 | 0x2150..=0x215f | 0x2189
                | 0x2460..=0x24ff | 0x2776..=0x2793 | 0x3192..=0x3195 | 0x3220..=0x3229
                | 0x3248..=0x325f | 0x3280..=0x3289 | 0x32b1..=0x32bf
        )
}

/// Selects how the character before looks (emoji or text); carries no meaning of its own.
pub(super) fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{20e3}')
}

/// Scripts written without spaces, and Hangul, whose words carry endings: these are indexed as
/// pairs of characters.
pub(super) fn is_unspaced(c: char) -> bool {
    c >= '\u{e00}'
        && matches!(
            u32::from(c),
            0x0e01..=0x0fff | 0x1000..=0x109f | 0x1100..=0x11ff | 0x1780..=0x17ff
                | 0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035
                | 0x3038..=0x303c | 0x3041..=0x3096 | 0x309d..=0x309f | 0x30a1..=0x30fa
                | 0x30fc..=0x318f | 0x31a0..=0x31bf | 0x31f0..=0x31ff | 0x3400..=0x4dbf
                | 0x4e00..=0x9fff | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff
                | 0xff66..=0xffdc | 0x1aff0..=0x1b16f | 0x20000..=0x3ffff
        )
        && (c.is_alphanumeric() || is_combining_mark(c))
}

/// Latin letters with an accent, in the range that ends a mention's chance to be one.
pub(super) fn is_latin_accent(c: char) -> bool {
    matches!(
        u32::from(c),
        0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0x024f | 0x0253..=0x0254 | 0x0256..=0x0257 | 0x0259
            | 0x025b | 0x0263 | 0x0268 | 0x026f | 0x0272 | 0x0289 | 0x028b | 0x02bb
            | 0x0300..=0x036f | 0x1e00..=0x1eff
    )
}

/// Marks that turn the writing direction, and the byte order mark: never part of a link.
pub(super) fn is_directional(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'
            ..='\u{202e}' | '\u{2066}'
            ..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// East Asian punctuation that ends a link: nobody types it inside one.
pub(super) fn is_cjk_stop(c: char) -> bool {
    matches!(
        c,
        '\u{3001}' | '\u{3002}' | '\u{3008}'
            ..='\u{3011}' | '\u{3014}'
            ..='\u{301b}' | '\u{301d}'
            ..='\u{301f}' | '！' | '（' | '）' | '，' | '．' | '：' | '；' | '？' | '［' | '］'
            | '｛' | '｝' | '｟'
            ..='､'
    )
}

/// The plain ASCII letter under a Latin letter with a diacritic, in lower case input; other
/// characters stay.
pub(super) fn fold_latin(c: char) -> char {
    match c {
        'ð' | 'đ' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ĸ' => 'k',
        'ł' => 'l',
        'ŋ' => 'n',
        'ø' => 'o',
        'ŧ' => 't',
        '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
            let mut first = None;
            decompose_canonical(c, |part| {
                first.get_or_insert(part);
            });
            first.filter(char::is_ascii_alphabetic).unwrap_or(c)
        }
        _ => c,
    }
}
