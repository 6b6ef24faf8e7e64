//! MFM, the markup of Misskey and its relatives, to HTML: for posts whose own HTML shows less than what was typed, such as
//! functions (`$[ruby …]`), which Misskey sends as italics. Functions become what FEP-c16b says, so that whoever knows them
//! can show them and everybody else shows their text. What comes out passes the sanitiser as it is.

mod inline;
mod write;

use std::collections::HashMap;

use write::Writer;

/// Longer texts are not read, in bytes.
const LONGEST: usize = 64 * 1024;
/// Quotes inside of each other.
const QUOTES: usize = 6;

const FENCE: &str = "```";
const CENTER: (&str, &str) = ("<center>", "</center>");

/// What a text means by its names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The pages of people, by `user@host` in lower case.
    pub people: HashMap<String, String>,
    /// The pages of hashtags, by [`super::tag_key`].
    pub tags: HashMap<String, String>,
    /// The host of people who are named without one.
    pub host: String,
}

/// Whether a text has functions in it: what else there is stands in the HTML that comes along as well.
pub fn has_functions(text: &str) -> bool {
    text.contains("$[")
}

/// The HTML of a text; None when it is blank, or one of the two is too long.
pub fn mfm_html(text: &str, names: &Names) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = |c: char| matches!(c, '\n' | '\t') || (c >= ' ' && !matches!(c, '\u{7f}' | '\u{feff}'));
    let text: String = text.chars().filter(|c| kept(*c)).collect();
    let mut writer = Writer::new(names);
    blocks(&text, 0, &mut writer);
    let fits = !writer.out.is_empty() && !writer.is_full();
    fits.then_some(writer.out)
}

/// Writes quotes, code and what stands between.
fn blocks(text: &str, depth: usize, writer: &mut Writer<'_>) {
    let (mut from, mut at) = (0, 0);
    // Where no end was found there is none further down, either.
    let (mut fences, last_center) = (true, text.rfind(CENTER.1).unwrap_or(0));
    while at < text.len() {
        let rest = &text[at..];
        let block = match rest.as_bytes()[0] {
            b'>' if depth < QUOTES => Some(quoted(rest)),
            b'`' if fences && is_fence(rest) => {
                let found = fenced(rest);
                fences = found.is_some();
                found.map(|(code, len)| (Block::Code(code), len))
            }
            b'<' if at < last_center => centered(rest).map(|(text, len)| (Block::Centre(text), len)),
            _ => None,
        };
        let line = || rest.find('\n').map_or(rest.len(), |end| end + 1);
        let (block, len) = block.unwrap_or_else(|| (Block::Text, line()));
        if let Block::Text = block {
            at += len;
            continue;
        }
        writer.paragraph(&text[from..at]);
        match block {
            Block::Quote(inner) => {
                writer.out.push_str("<blockquote>");
                blocks(&inner, depth + 1, writer);
                writer.out.push_str("</blockquote>");
            }
            Block::Code(code) => writer.code_block(code),
            Block::Centre(inner) => writer.paragraph(inner),
            Block::Text => {}
        }
        at += len;
        from = at;
    }
    writer.paragraph(&text[from..]);
}

enum Block<'a> {
    Text,
    Quote(String),
    Code(&'a str),
    /// Where it stands nobody says in HTML that may be shown: on lines of its own at least.
    Centre(&'a str),
}

/// The text of the lines that begin with `>`, and how long they are. Without words it is no quote.
fn quoted(text: &str) -> (Block<'_>, usize) {
    let mut inner = String::new();
    let mut len = 0;
    for line in text.split_inclusive('\n') {
        let Some(words) = line.strip_prefix('>') else { break };
        inner.push_str(words.strip_prefix(' ').unwrap_or(words));
        len += line.len();
    }
    (if inner.trim().is_empty() { Block::Text } else { Block::Quote(inner) }, len)
}

/// Whether this line begins code: what stands behind the fence is a language.
fn is_fence(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default();
    line.strip_prefix(FENCE).is_some_and(|rest| !rest.contains('`'))
}

/// The code between two fences, and how long it is with them.
fn fenced(text: &str) -> Option<(&str, usize)> {
    let start = text.find('\n')? + 1;
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == FENCE {
            return Some((text[start..at].trim_matches('\n'), at + line.len()));
        }
        at += line.len();
    }
    None
}

fn centered(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix(CENTER.0)?;
    let end = inner.find(CENTER.1)?;
    let len = CENTER.0.len() + end + CENTER.1.len();
    (!inner[..end].trim().is_empty()).then_some((&inner[..end], len))
}
