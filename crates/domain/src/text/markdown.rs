//! Markdown to the HTML of a status. Links, mentions, hashtags and shortcodes are found in its text as in any other,
//! but not in code. Everything goes through the one gate for HTML, raw HTML inside the Markdown too.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options as Syntax, Parser, Tag, TagEnd, TextMergeStream};

use super::entities::scan;
use super::html::{Options, html, inline_html, namesakes};
use super::sanitise::{MAX_INPUT, sanitise};

/// A longer text is shown as if it were no Markdown, in bytes: no status that people read comes near it.
const MAX_BYTES: usize = 64 * 1024;

/// CommonMark and `~~strikethrough~~`; what else there is has no place in the HTML of a status.
const SYNTAX: Syntax = Syntax::ENABLE_STRIKETHROUGH;

/// What of a Markdown text counts as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Where mentions and hashtags are looked for: not in code, not in links. A line for each run.
    pub free: String,
    /// Texts of links.
    pub linked: String,
}

/// What the text says beside its markup.
pub fn markdown_words(text: &str) -> Words {
    if text.len() > MAX_BYTES {
        return Words { free: text.to_owned(), linked: String::new() };
    }
    let text = guarded(text);
    let mut words = Words::default();
    let mut place = Place::default();
    for event in TextMergeStream::new(Parser::new_ext(&text, SYNTAX)) {
        place.step(&event);
        let Event::Text(run) = event else { continue };
        if place.code {
            continue;
        }
        let into = if place.links.is_empty() { &mut words.free } else { &mut words.linked };
        into.push_str(&run);
        into.push('\n');
    }
    words
}

/// The HTML of a status written in Markdown. A blank text gives an empty string.
///
/// A line end is a break, as in any status; headings become bold paragraphs; pictures become links to them. What is
/// too long, or would become too long for the gate, is shown as plain text.
pub fn markdown_html(text: &str, options: &Options<'_>) -> String {
    if text.len() > MAX_BYTES {
        return html(text, options);
    }
    let source = guarded(text);
    let namesakes = namesakes(options.mentions);
    let mut writer = Writer { options, namesakes: &namesakes, place: Place::default(), out: Vec::new() };
    for event in TextMergeStream::new(Parser::new_ext(&source, SYNTAX)) {
        writer.event(event);
    }
    let mut made = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut made, writer.out.into_iter());
    let safe = sanitise(&made);
    if made.len().max(safe.len()) > MAX_INPUT {
        return html(text, options);
    }
    without_line_ends(&safe)
}

/// Where in the document an event stands.
#[derive(Default)]
struct Place {
    code: bool,
    /// Links and pictures that are open: whether each became a link of the HTML, which knows none inside another.
    links: Vec<bool>,
}

impl Place {
    fn step(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => self.code = true,
            Event::End(TagEnd::CodeBlock) => self.code = false,
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => self.links.push(self.links.is_empty()),
            Event::End(TagEnd::Link | TagEnd::Image) => {
                self.links.pop();
            }
            _ => {}
        }
    }
}

struct Writer<'a, 'o> {
    options: &'o Options<'o>,
    namesakes: &'o HashSet<String>,
    place: Place,
    out: Vec<Event<'a>>,
}

impl<'a> Writer<'a, '_> {
    fn event(&mut self, event: Event<'a>) {
        let inner = self.place.links.last().copied();
        self.place.step(&event);
        match event {
            Event::Start(Tag::Link { dest_url, title, id, .. } | Tag::Image { dest_url, title, id, .. }) => {
                if self.place.links.last() == Some(&true) {
                    let link_type = LinkType::Inline;
                    self.out.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                }
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if inner == Some(true) {
                    self.close_link();
                }
            }
            Event::Text(run) if !self.place.code && self.place.links.is_empty() => {
                let made = inline_html(&run, self.options, self.namesakes);
                self.out.push(Event::InlineHtml(made.into()));
            }
            Event::SoftBreak | Event::HardBreak => self.out.push(Event::InlineHtml(CowStr::Borrowed("<br>"))),
            other => self.out.push(other),
        }
    }

    /// A link without a text shows its address.
    fn close_link(&mut self) {
        if let Some(Event::Start(Tag::Link { dest_url, .. })) = self.out.last() {
            let address = dest_url.clone();
            self.out.push(Event::Text(address));
        }
        self.out.push(Event::End(TagEnd::Link));
    }
}

/// The text with backslashes before what Markdown would take for emphasis inside a link, a mention, a hashtag or a
/// shortcode: `https://example.com/_a_`, `@_alice_`.
fn guarded(text: &str) -> Cow<'_, str> {
    let marked = |range: &Range<usize>| text[range.clone()].trim_end_matches(is_mark).contains(is_mark);
    let entities: Vec<Range<usize>> = scan(text).into_iter().map(|e| e.range).filter(marked).collect();
    if entities.is_empty() {
        return Cow::Borrowed(text);
    }
    let verbatim = verbatim(text);
    let mut out = String::with_capacity(text.len() + entities.len() * 4);
    let mut last = 0;
    let mut next = verbatim.iter().peekable();
    for entity in entities {
        while next.peek().is_some_and(|v| v.end <= entity.start) {
            next.next();
        }
        if next.peek().is_some_and(|v| v.start < entity.end) {
            continue;
        }
        out.push_str(&text[last..entity.start]);
        last = entity.end;
        let whole = &text[entity];
        let body = whole.trim_end_matches(is_mark);
        for c in body.chars() {
            if is_mark(c) {
                out.push('\\');
            }
            out.push(c);
        }
        out.push_str(&whole[body.len()..]);
    }
    out.push_str(&text[last..]);
    Cow::Owned(out)
}

fn is_mark(c: char) -> bool {
    matches!(c, '_' | '*' | '~')
}

/// Where backslashes would be shown: code, raw HTML, addresses in angle brackets. In order, apart from each other.
fn verbatim(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (event, range) in Parser::new_ext(text, SYNTAX).into_offset_iter() {
        let verbatim = match event {
            Event::Code(_) | Event::Html(_) | Event::InlineHtml(_) => true,
            Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock) => true,
            Event::Start(Tag::Link { link_type, .. }) => matches!(link_type, LinkType::Autolink | LinkType::Email),
            _ => false,
        };
        if verbatim && found.last().is_none_or(|last| last.end <= range.start) {
            found.push(range);
        }
    }
    found
}

/// Line ends around blocks mean nothing, but some clients show them; others are spaces.
fn without_line_ends(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let (mut verbatim, mut after_block) = (false, true);
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        let (text, behind) = rest.split_at(end);
        let len = behind.find('>').map_or(behind.len(), |at| at + 1);
        let (tag, more) = behind.split_at(len);
        let name = tag.trim_start_matches(['<', '/']).split([' ', '>']).next().unwrap_or_default();
        let block = matches!(name, "" | "p" | "br" | "ul" | "ol" | "li" | "blockquote" | "pre");
        if verbatim {
            out.push_str(text);
        } else {
            let text = if after_block { text.trim_start_matches('\n') } else { text };
            let text = if block { text.trim_end_matches('\n') } else { text };
            out.push_str(&text.replace('\n', " "));
        }
        out.push_str(tag);
        verbatim = tag.starts_with("<pre") || (verbatim && !tag.starts_with("</pre"));
        after_block = block || (after_block && text.trim_matches('\n').is_empty());
        rest = more;
    }
    out
}
