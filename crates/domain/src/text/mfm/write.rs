//! Writes the pieces of MFM as HTML, spelt as the sanitiser spells it.

use super::Names;
use super::inline::{Mark, Piece, pieces};
use crate::Time;
use crate::text::entities::Kind;
use crate::text::sanitise::{MAX_INPUT, attribute, mfm_attribute, mfm_class};
use crate::text::tag_key;

/// Bytes of an address.
const ADDRESS: usize = 2048;

pub(super) struct Writer<'n> {
    pub(super) out: String,
    names: &'n Names,
    /// Links that are open: one inside of another is its text.
    links: usize,
    rubies: usize,
}

impl<'n> Writer<'n> {
    pub(super) fn new(names: &'n Names) -> Self {
        Self { out: String::new(), names, links: 0, rubies: 0 }
    }

    /// More than that would be cut off where it is made safe.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > MAX_INPUT
    }

    /// Text with all that may be in it but blocks.
    pub(super) fn paragraph(&mut self, text: &str) {
        let text = text.trim_matches('\n');
        if text.trim().is_empty() {
            return;
        }
        self.out.push_str("<p>");
        for piece in &pieces(text) {
            // Names are short, and the addresses that they stand for need not be.
            if self.is_full() {
                return;
            }
            self.piece(piece);
        }
        self.out.push_str("</p>");
    }

    pub(super) fn code_block(&mut self, code: &str) {
        self.out.push_str("<pre><code>");
        self.text(code);
        self.out.push_str("</code></pre>");
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Text(text) | Piece::Open { written: text, mark: None } => self.text(text),
            Piece::Code(code) => {
                self.out.push_str("<code>");
                self.text(code);
                self.out.push_str("</code>");
            }
            Piece::Break => self.out.push_str("<br>"),
            Piece::Moment(at) => self.text(&moment(*at)),
            Piece::Reading(reading) if self.rubies > 1 => self.text(&format!("({reading})")),
            Piece::Reading(reading) => {
                self.out.push_str("<rp>(</rp><rt>");
                self.text(reading);
                self.out.push_str("</rt><rp>)</rp>");
            }
            Piece::Url(url) => self.anchor(url, url),
            Piece::Name { written, kind } => self.name(written, kind),
            Piece::Open { mark: Some(mark), .. } => self.open(mark),
            Piece::Close(mark) => self.close(mark),
        }
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\u{a0}' => self.out.push_str("&nbsp;"),
                c => self.out.push(c),
            }
        }
    }

    fn anchor(&mut self, href: &str, shown: &str) {
        if self.links > 0 || !is_address(href) {
            return self.text(shown);
        }
        self.begin_link(href, "");
        self.text(shown);
        self.out.push_str("</a>");
    }

    fn begin_link(&mut self, href: &str, class: &str) {
        self.out.push_str("<a href=\"");
        self.text(href);
        self.out.push('"');
        if !class.is_empty() {
            self.out.push_str(&format!(" class=\"{class}\""));
        }
        self.out.push_str(" target=\"_blank\" rel=\"nofollow noopener\">");
    }

    fn name(&mut self, written: &str, kind: &Kind) {
        let (page, class) = match kind {
            Kind::Mention { username, domain } => {
                let host = domain.as_deref().unwrap_or(&self.names.host);
                let key = format!("{username}@{host}").to_lowercase();
                (self.names.people.get(&key), "u-url mention")
            }
            Kind::Hashtag { name } => (self.names.tags.get(&tag_key(name)), "mention hashtag"),
            _ => (None, ""),
        };
        let page = page.filter(|page| self.links == 0 && is_address(page)).cloned();
        let (Some(page), Some(sign)) = (page, written.chars().next()) else { return self.text(written) };
        let person = class.starts_with('u');
        if person {
            self.out.push_str("<span class=\"h-card\" translate=\"no\">");
        }
        self.begin_link(&page, class);
        self.out.push(sign);
        self.out.push_str("<span>");
        self.text(&written[sign.len_utf8()..]);
        self.out.push_str(if person { "</span></a></span>" } else { "</span></a>" });
    }

    fn open(&mut self, mark: &Mark<'_>) {
        match mark {
            Mark::Bold => self.out.push_str("<b>"),
            Mark::Italic => self.out.push_str("<i>"),
            Mark::Strike => self.out.push_str("<del>"),
            // No element for it is let through.
            Mark::Small => {}
            Mark::Link(href) => {
                if is_address(href) {
                    if self.links == 0 {
                        self.begin_link(href, "");
                    }
                    self.links += 1;
                }
            }
            Mark::Ruby => {
                if self.rubies == 0 {
                    self.out.push_str("<ruby>");
                }
                self.rubies += 1;
            }
            Mark::Function { name, arguments } => self.function(name, arguments),
        }
    }

    /// As FEP-c16b writes functions.
    fn function(&mut self, name: &str, arguments: &str) {
        let Some(class) = mfm_class(name) else { return };
        self.out.push_str(&format!("<span class=\"{class}\""));
        let mut seen: Vec<&str> = Vec::new();
        for argument in arguments.split(',') {
            let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
            if let Some(key) = mfm_attribute(key).filter(|key| !seen.contains(key))
                && attribute(key, value).is_some()
            {
                seen.push(key);
                self.out.push_str(&format!(" {key}=\"{value}\""));
            }
        }
        self.out.push('>');
    }

    fn close(&mut self, mark: &Mark<'_>) {
        match mark {
            Mark::Bold => self.out.push_str("</b>"),
            Mark::Italic => self.out.push_str("</i>"),
            Mark::Strike => self.out.push_str("</del>"),
            Mark::Small => {}
            Mark::Link(href) => {
                if is_address(href) {
                    self.links -= 1;
                    if self.links == 0 {
                        self.out.push_str("</a>");
                    }
                }
            }
            Mark::Ruby => {
                self.rubies -= 1;
                if self.rubies == 0 {
                    self.out.push_str("</ruby>");
                }
            }
            Mark::Function { name, .. } => {
                if mfm_class(name).is_some() {
                    self.out.push_str("</span>");
                }
            }
        }
    }
}

/// `2026-11-20 10:00 UTC`
fn moment(at: Time) -> String {
    let iso = at.iso();
    match (iso.get(..10), iso.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => iso,
    }
}

/// What the sanitiser lets through in `href`, spelt so that it stays as it is.
fn is_address(href: &str) -> bool {
    let web = href.starts_with("https://") || href.starts_with("http://");
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"');
    web && href.len() <= ADDRESS && href.chars().all(plain) && ::url::Url::parse(href).is_ok()
}
