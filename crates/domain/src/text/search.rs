//! Text to search tokens, the same for writing the index and for asking it.
//!
//! Words become themselves. Scripts written without spaces become pairs of characters, each run
//! closed by its last character alone: 東京都 gives 東京 京都 都. A word of two characters is
//! then one token, a longer one a phrase, and a single character the start of some token; and no
//! phrase reaches from one run into the next.
//!
//! Case, width (ｱ, Ａ), katakana and hiragana, and Latin accents make no difference. Tokens hold
//! letters and digits only, so that FTS5's `unicode61` keeps them whole: marks that it would
//! split at, and emoji, are written as `x` and their code point.

use unicode_normalization::UnicodeNormalization;

pub use super::query::{Term, fts5, query, tsquery};

use super::chars::{fold_latin, is_unspaced};
use super::plain::plain;
use super::sanitise::cut;

/// More text than this is not indexed, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// More tokens than this are not indexed: PostgreSQL counts positions to 16383.
const MAX_TOKENS: usize = 16_000;

/// Longer words are cut, in characters.
const MAX_WORD: usize = 64;

/// More marks than this on one character are ignored.
const MAX_MARKS: usize = 6;

/// The tokens of a plain text, separated by spaces: for an FTS5 table with
/// `tokenize = 'unicode61 remove_diacritics 0'`.
pub fn index_tokens(text: &str) -> String {
    tokens(text).join(" ")
}

/// [`index_tokens`] of HTML, whose tags and attributes are not indexed.
pub fn index_html(html: &str) -> String {
    index_tokens(&plain(html))
}

/// The tokens of a plain text in the form that PostgreSQL reads with `$1::tsvector`: no parser
/// of its own, and so no locale, changes them.
pub fn index_tsvector(text: &str) -> String {
    let mut out = String::new();
    for (at, token) in tokens(text).iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(&format!("'{token}':{}", at + 1));
    }
    out
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = pieces(text).iter().flat_map(Piece::tokens).collect();
    tokens.truncate(MAX_TOKENS);
    tokens
}

/// A stretch of text that is tokenised as one.
pub(super) enum Piece {
    /// One token.
    Word(String),
    /// Characters, each with its marks, that become pairs.
    Run(Vec<String>),
}

impl Piece {
    /// All tokens, in the order in which they stand in the index.
    pub(super) fn tokens(&self) -> Vec<String> {
        match self {
            Piece::Word(word) => vec![word.clone()],
            Piece::Run(units) => {
                let last = units.last().cloned();
                units.windows(2).map(|pair| pair.concat()).chain(last).collect()
            }
        }
    }
}

/// Cuts a text into words and runs.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut cutter = Cutter::default();
    for c in cut(text, MAX_BYTES).nfkc().flat_map(char::to_lowercase).nfc() {
        if cutter.pieces.len() >= MAX_TOKENS {
            break;
        }
        cutter.take(c);
    }
    cutter.flush();
    cutter.pieces
}

#[derive(Default)]
struct Cutter {
    pieces: Vec<Piece>,
    word: String,
    letters: usize,
    units: Vec<String>,
    marks: usize,
}

impl Cutter {
    fn take(&mut self, c: char) {
        if is_ignored(c) {
            return;
        }
        let c = fold(c);
        if is_mark(c) {
            self.mark(c);
        } else if is_unspaced(c) {
            if self.units.is_empty() {
                self.flush();
            }
            self.units.push(c.to_string());
            self.marks = 0;
        } else if c.is_alphanumeric() {
            if !self.units.is_empty() {
                self.flush();
            }
            if self.letters < MAX_WORD {
                self.word.push(c);
            }
            self.letters += 1;
            self.marks = 0;
        } else {
            self.flush();
            if is_symbol(c) {
                self.pieces.push(Piece::Word(code(c)));
            }
        }
    }

    fn mark(&mut self, c: char) {
        self.marks += 1;
        if self.marks > MAX_MARKS {
            return;
        }
        if let Some(unit) = self.units.last_mut() {
            unit.push_str(&code(c));
        } else if !self.word.is_empty() && self.letters <= MAX_WORD {
            self.word.push_str(&code(c));
        }
    }

    fn flush(&mut self) {
        if !self.word.is_empty() {
            self.pieces.push(Piece::Word(std::mem::take(&mut self.word)));
        }
        if !self.units.is_empty() {
            self.pieces.push(Piece::Run(std::mem::take(&mut self.units)));
        }
        self.letters = 0;
        self.marks = 0;
    }
}

fn code(c: char) -> String {
    format!("x{:04x}", u32::from(c))
}

/// Katakana to hiragana, accented Latin letters to plain ones.
fn fold(c: char) -> char {
    match c {
        '\u{30a1}'..='\u{30f6}' | '\u{30fd}'..='\u{30fe}' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
        _ => fold_latin(c),
    }
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

/// Accents, vowel points that most people leave out, stretching and joining: typed or not, the
/// word is the same.
fn is_ignored(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x0300..=0x036f | 0x0591..=0x05bd | 0x05bf | 0x05c1..=0x05c2 | 0x05c4..=0x05c5
            | 0x05c7 | 0x0610..=0x061a | 0x0640 | 0x064b..=0x065f | 0x0670 | 0x06d6..=0x06dc
            | 0x06df..=0x06e8 | 0x06ea..=0x06ed | 0x200c..=0x200f | 0x2060 | 0x20e3 | 0xfeff
            | 0xfe00..=0xfe0f | 0x1f3fb..=0x1f3ff | 0xe0020..=0xe007f | 0xe0100..=0xe01ef
    )
}

fn is_symbol(c: char) -> bool {
    matches!(u32::from(c), 0x2600..=0x27bf | 0x2b50 | 0x2b55 | 0x1f000..=0x1faff)
}
