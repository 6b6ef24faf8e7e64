//! What a person typed into the search box, as terms for either engine.
//!
//! Words must all be there; `"…"` holds words together, `-` in front excludes, `*` behind finds
//! words that start so. Whatever is typed, the strings for the engines hold only our own tokens
//! between our own operators, so nothing typed can act as an operator.

use super::search::{Piece, pieces};

/// The rest of a longer query is ignored, in characters.
const MAX_CHARS: usize = 512;

/// More terms than this are ignored.
const MAX_TERMS: usize = 24;

/// Names in front of a colon that narrow the search instead of being searched for
/// (<https://docs.joinmastodon.org/user/network/#search>).
const FILTERS: &[&str] = &["has", "is", "language", "from", "before", "after", "during", "in"];

/// One thing that a search asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Tokens that stand behind each other; never empty.
    Text {
        tokens: Vec<String>,
        /// The last token is the start of one.
        prefix: bool,
        negated: bool,
    },
    /// `from:alice`, `has:media`: for the caller to understand, ignored by the engines' strings.
    Filter { name: &'static str, value: String, negated: bool },
}

/// Reads a query. An empty result means that nothing can be found.
pub fn query(typed: &str) -> Vec<Term> {
    let end = typed.char_indices().nth(MAX_CHARS).map_or(typed.len(), |(at, _)| at);
    let mut rest = typed[..end].trim_start();
    let mut terms = Vec::new();
    while !rest.is_empty() && terms.len() < MAX_TERMS {
        let negated = rest.starts_with('-');
        let word = rest.trim_start_matches(['-', '+']);
        let (term, after) = term_at(word, negated);
        terms.extend(term);
        rest = after.trim_start();
    }
    terms
}

fn term_at(text: &str, negated: bool) -> (Option<Term>, &str) {
    if let Some(name) = filter_name(text) {
        let (value, after) = chunk(&text[name.len() + 1..]);
        if !value.is_empty() {
            let value = value.to_owned();
            return (Some(Term::Filter { name, value, negated }), after);
        }
    }
    let (words, after) = chunk(text);
    (text_term(words, negated), after)
}

fn filter_name(text: &str) -> Option<&'static str> {
    let (head, _) = text.split_once(':')?;
    FILTERS.iter().copied().find(|name| name.eq_ignore_ascii_case(head))
}

/// What stands between quotation marks, or up to the next space, and the rest.
fn chunk(text: &str) -> (&str, &str) {
    const QUOTES: [char; 3] = ['"', '“', '”'];
    if let Some(quoted) = text.strip_prefix(QUOTES) {
        let end = quoted.find(QUOTES).unwrap_or(quoted.len());
        return (&quoted[..end], quoted[end..].trim_start_matches(QUOTES));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

fn text_term(words: &str, negated: bool) -> Option<Term> {
    let pieces = pieces(words);
    let mut tokens: Vec<String> = pieces.iter().flat_map(Piece::tokens).collect();
    let mut prefix = words.ends_with(['*', '＊']);
    // The run may go on in the text: its last character alone stands there only where it ends.
    if let Some(Piece::Run(units)) = pieces.last() {
        prefix = units.len() == 1;
        if !prefix {
            tokens.pop();
        }
    }
    (!tokens.is_empty()).then_some(Term::Text { tokens, prefix, negated })
}

/// The argument of FTS5's MATCH (<https://sqlite.org/fts5.html#full_text_query_syntax>); None
/// when the terms hold nothing to look for, excluded words alone included.
pub fn fts5(terms: &[Term]) -> Option<String> {
    let (wanted, excluded) = engine(terms, |tokens, prefix| {
        let star = if prefix { " *" } else { "" };
        format!("\"{}\"{star}", tokens.join(" "))
    })?;
    let mut out = format!("({})", wanted.join(" AND "));
    for term in excluded {
        out.push_str(" NOT ");
        out.push_str(&term);
    }
    Some(out)
}

/// The text of a PostgreSQL `tsquery`, to be cast with `$1::tsquery`; None as for [`fts5`].
pub fn tsquery(terms: &[Term]) -> Option<String> {
    let (wanted, excluded) = engine(terms, |tokens, prefix| {
        let star = if prefix { ":*" } else { "" };
        let quoted: Vec<String> = tokens.iter().map(|token| format!("'{token}'")).collect();
        format!("({}{star})", quoted.join(" <-> "))
    })?;
    let mut out = wanted.join(" & ");
    for term in excluded {
        out.push_str(" & !");
        out.push_str(&term);
    }
    Some(out)
}

/// The wanted and the excluded terms as an engine writes them.
fn engine(terms: &[Term], write: impl Fn(&[String], bool) -> String) -> Option<(Vec<String>, Vec<String>)> {
    let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
    for term in terms {
        if let Term::Text { tokens, prefix, negated } = term {
            let written = write(tokens, *prefix);
            if *negated { excluded.push(written) } else { wanted.push(written) }
        }
    }
    (!wanted.is_empty()).then_some((wanted, excluded))
}
