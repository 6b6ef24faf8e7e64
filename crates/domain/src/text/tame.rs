//! The first stage of the sanitiser: reads HTML in one pass and writes well-formed HTML of
//! bounded depth, holding only known elements and attributes. It makes the parser behind it
//! cheap (a million open elements or attributes never reach it) and is not what safety rests on.

use super::markup::{Tag, after, is_space, skip_comment, skip_element, tag_at, tex};
use super::sanitise::attribute;

/// Elements nested deeper than this lose their tags.
const MAX_DEPTH: usize = 64;

/// How an element of the input is treated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Kept, flows with the text.
    Inline,
    /// Kept, stands on lines of its own and ends an open paragraph.
    Block,
    /// `br`: kept, has no content.
    Break,
    /// A heading, written as a bold paragraph.
    Heading,
    /// Not kept, but what is around it must not run together.
    Gap,
    /// Dropped with everything inside.
    Hidden,
    /// A formula: its TeX is kept as text (FEP-dc88).
    Formula,
    /// Only the tag is dropped.
    Unknown,
}

const ROLES: &[(Role, &[&str])] = &[
    (
        Role::Inline,
        &["span", "a", "abbr", "del", "s", "code", "b", "strong", "u", "sub", "sup", "i", "em", "ruby", "rt", "rp"],
    ),
    (Role::Block, &["p", "pre", "blockquote", "ul", "ol", "li"]),
    (Role::Break, &["br"]),
    (Role::Heading, &["h1", "h2", "h3", "h4", "h5", "h6"]),
    (
        Role::Gap,
        &[
            "div",
            "section",
            "article",
            "aside",
            "header",
            "footer",
            "nav",
            "main",
            "address",
            "figure",
            "figcaption",
            "table",
            "thead",
            "tbody",
            "tr",
            "td",
            "th",
            "dl",
            "dt",
            "dd",
            "hr",
            "form",
            "fieldset",
            "details",
            "summary",
            "center",
        ],
    ),
    (
        Role::Hidden,
        &[
            "script",
            "style",
            "title",
            "textarea",
            "iframe",
            "noembed",
            "noframes",
            "noscript",
            "xmp",
            "plaintext",
            "svg",
            "template",
        ],
    ),
    (Role::Formula, &["math"]),
];

/// The name as we write it, and what we do with it.
fn role(name: &str) -> (&'static str, Role) {
    ROLES
        .iter()
        .find_map(|(role, names)| {
            let found = names.iter().find(|known| known.eq_ignore_ascii_case(name))?;
            Some((*found, *role))
        })
        .unwrap_or(("", Role::Unknown))
}

struct Open {
    name: &'static str,
    role: Role,
}

#[derive(Default)]
struct Writer {
    out: String,
    open: Vec<Open>,
    /// Elements open in the output; a heading is two.
    depth: usize,
    /// An element that we do not keep ended or began a line here.
    gap: bool,
    /// Text has been written since the last block or break.
    inked: bool,
}

/// Rewrites any HTML as described above.
pub(super) fn tame(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        writer.text(&rest[..end]);
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
        rest = match rest.as_bytes().get(1) {
            Some(b'!' | b'?') => skip_comment(rest),
            Some(b'/') if !rest[2..].starts_with(|c: char| c.is_ascii_alphabetic()) => after(rest, ">"),
            Some(b) if *b == b'/' || b.is_ascii_alphabetic() => match tag_at(rest) {
                Some(tag) => writer.tag(&tag, rest),
                None => "",
            },
            _ => {
                writer.text("<");
                &rest[1..]
            }
        };
    }
    writer.close_to(0);
    writer.out
}

impl Writer {
    /// Writes text whose character references stay as they are.
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let ink = !text.bytes().all(is_space);
        if ink {
            if self.gap && self.inked {
                self.out.push_str("<br>");
            }
            self.gap = false;
            self.inked = true;
        }
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '<' => self.out.push_str("&lt;"),
                '\0' => {}
                '\r' if chars.peek() == Some(&'\n') => {}
                '\r' => self.out.push('\n'),
                c => self.out.push(c),
            }
        }
    }

    /// Acts on the tag at the start of `html`, returns what is left to read.
    fn tag<'a>(&mut self, tag: &Tag<'_>, html: &'a str) -> &'a str {
        let rest = &html[tag.len..];
        let (name, role) = role(tag.name);
        match role {
            Role::Unknown => {}
            Role::Gap => self.gap = true,
            Role::Break => {
                if !tag.closing {
                    self.out.push_str("<br>");
                    self.block_edge();
                }
            }
            Role::Hidden | Role::Formula if tag.closing => {}
            Role::Hidden => return skip_element(rest, name),
            Role::Formula => {
                let rest_after = skip_element(rest, name);
                let formula = &rest[..rest.len() - rest_after.len()];
                self.text(&tex(formula));
                return rest_after;
            }
            Role::Inline | Role::Block | Role::Heading if tag.closing => self.end(name),
            Role::Inline | Role::Block | Role::Heading => {
                self.start(name, role, &tag.attributes);
                if name == "pre" {
                    return rest.trim_start_matches(['\r', '\n']);
                }
            }
        }
        rest
    }

    fn start(&mut self, name: &'static str, role: Role, attributes: &[(&'static str, &str)]) {
        match name {
            "a" => self.end("a"),
            "rt" | "rp" => {
                self.end("rt");
                self.end("rp");
            }
            _ => {}
        }
        if role != Role::Inline {
            self.close_paragraph();
            if name == "li" {
                self.close_item();
            }
            self.block_edge();
        }
        let weight = if role == Role::Heading { 2 } else { 1 };
        if self.depth + weight > MAX_DEPTH {
            return;
        }
        self.depth += weight;
        self.open.push(Open { name, role });
        if role == Role::Heading {
            self.out.push_str("<p><strong>");
            return;
        }
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            if let Some(value) = attribute(key, value) {
                self.out.push(' ');
                self.out.push_str(key);
                self.out.push_str("=\"");
                self.out.push_str(&value.replace('"', "&quot;").replace('\0', ""));
                self.out.push('"');
            }
        }
        self.out.push('>');
    }

    fn end(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.close_to(at);
        }
    }

    /// A block never stands inside a paragraph or heading.
    fn close_paragraph(&mut self) {
        let paragraph = |open: &Open| open.role == Role::Heading || open.name == "p";
        if let Some(at) = self.open.iter().rposition(paragraph) {
            self.close_to(at);
        }
    }

    /// A list item ends the one before it in the same list.
    fn close_item(&mut self) {
        let border = |open: &Open| open.role == Role::Block;
        if let Some(at) = self.open.iter().rposition(border)
            && self.open[at].name == "li"
        {
            self.close_to(at);
        }
    }

    fn close_to(&mut self, len: usize) {
        while self.open.len() > len {
            let Some(open) = self.open.pop() else {
                return;
            };
            if open.role == Role::Heading {
                self.out.push_str("</strong></p>");
                self.depth -= 2;
            } else {
                self.out.push_str("</");
                self.out.push_str(open.name);
                self.out.push('>');
                self.depth -= 1;
            }
            if open.role != Role::Inline {
                self.block_edge();
            }
        }
    }

    fn block_edge(&mut self) {
        self.gap = false;
        self.inked = false;
    }
}
