//! Cuts a run of MFM into pieces, in one pass. What opens is remembered and becomes markup when its end comes; what never
//! ends stays as it was typed. Nothing is read twice, so that the time grows with the length only.

use crate::Time;
use crate::text::entities::{Entity, Kind, scan};

/// What is open at once.
const DEPTH: usize = 20;
/// Bytes of a function's name with its arguments.
const HEAD: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    Bold,
    Italic,
    Strike,
    Small,
    /// `$[name.argument,argument=value …]`
    Function {
        name: &'a str,
        arguments: &'a str,
    },
    /// A function that says how something is read.
    Ruby,
    /// `[…](address)`; the address is known at its end.
    Link(&'a str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Code(&'a str),
    Break,
    Moment(Time),
    /// How the ruby is read that we are in.
    Reading(&'a str),
    Url(&'a str),
    /// `kind` is a mention or a hashtag.
    Name {
        written: &'a str,
        kind: Kind,
    },
    /// Nothing more than what was typed, unless it has a mark.
    Open {
        written: &'a str,
        mark: Option<Mark<'a>>,
    },
    Close(Mark<'a>),
}

/// Something that may find its end.
struct Open<'a> {
    /// Where it is among the pieces.
    piece: usize,
    /// What ends it.
    end: &'static str,
    mark: Mark<'a>,
}

/// What opens and closes: its signs, what it means. The longer ones first.
const SIGNS: &[(&str, &str, Mark<'static>)] = &[
    ("***", "***", Mark::Function { name: "tada", arguments: "" }),
    ("**", "**", Mark::Bold),
    ("~~", "~~", Mark::Strike),
    ("<b>", "</b>", Mark::Bold),
    ("<i>", "</i>", Mark::Italic),
    ("<s>", "</s>", Mark::Strike),
    ("<small>", "</small>", Mark::Small),
];

const PLAIN: (&str, &str) = ("<plain>", "</plain>");

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut scanner = Scanner {
        text,
        at: 0,
        from: 0,
        pieces: Vec::new(),
        open: Vec::new(),
        entities: scan(text).into_iter().peekable(),
        last_plain: text.rfind(PLAIN.1).unwrap_or(0),
    };
    while scanner.at < text.len() {
        scanner.step();
    }
    scanner.flush();
    scanner.pieces
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Where the text begins that is not among the pieces yet.
    from: usize,
    pieces: Vec<Piece<'a>>,
    open: Vec<Open<'a>>,
    entities: std::iter::Peekable<std::vec::IntoIter<Entity>>,
    last_plain: usize,
}

impl<'a> Scanner<'a> {
    fn step(&mut self) {
        if self.entity() {
            return;
        }
        let rest = &self.text[self.at..];
        let taken = match rest.as_bytes()[0] {
            b'\n' => self.line_end(),
            b'`' => self.code(rest),
            b'$' => self.function(rest),
            b'[' => self.begin("[", ("]", Mark::Link(""))),
            b']' => self.bracket(rest),
            b'_' => self.word(rest, "__", Mark::Bold) || self.word(rest, "_", Mark::Italic),
            b'*' => self.sign(rest) || self.word(rest, "*", Mark::Italic),
            b'~' => self.sign(rest),
            b'<' => self.plain(rest) || self.sign(rest),
            _ => false,
        };
        if !taken {
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }

    /// Puts what was passed over among the pieces.
    fn flush(&mut self) {
        if self.from < self.at {
            self.pieces.push(Piece::Text(&self.text[self.from..self.at]));
        }
    }

    /// Puts a piece of so many bytes there.
    fn put(&mut self, piece: Piece<'a>, len: usize) -> bool {
        self.flush();
        self.pieces.push(piece);
        self.at += len;
        self.from = self.at;
        true
    }

    fn entity(&mut self) -> bool {
        while self.entities.next_if(|it| it.range.start < self.at).is_some() {}
        let (text, at) = (self.text, self.at);
        // An address in angle brackets ends at the second one.
        let bracket = usize::from(text[at..].starts_with('<'));
        let Some(entity) = self.entities.next_if(|it| it.range.start == at + bracket) else { return false };
        let mut written = &text[entity.range];
        match entity.kind {
            // Misskey's codes have more signs: they are text that whoever shows it knows.
            Kind::Emoji { .. } => bracket == 0 && self.pass(written.len()),
            Kind::Url => {
                let inside = |open: &Open<'_>| open.end == "]";
                if self.open.iter().any(inside) {
                    written = &written[..written.find(']').unwrap_or(written.len())];
                }
                let closed = bracket > 0 && text[at + bracket + written.len()..].starts_with('>');
                match bracket > 0 && !closed {
                    // The bracket is one, and what is behind it is looked at again by itself.
                    true => self.pass(bracket) && self.put(Piece::Url(written), written.len()),
                    false => self.put(Piece::Url(written), written.len() + 2 * bracket),
                }
            }
            _ if bracket > 0 => {
                self.pass(bracket) && self.put(Piece::Name { written, kind: entity.kind }, written.len())
            }
            kind => self.put(Piece::Name { written, kind }, written.len()),
        }
    }

    /// So many bytes are text.
    fn pass(&mut self, len: usize) -> bool {
        self.at += len;
        true
    }

    fn line_end(&mut self) -> bool {
        // Many write `~~` to draw out a sound, and never end it.
        self.open.retain(|open| open.end != "~~");
        self.put(Piece::Break, 1)
    }

    fn code(&mut self, rest: &'a str) -> bool {
        let inner = &rest[1..];
        match inner.find(['`', '\n']) {
            Some(len) if len > 0 && inner[len..].starts_with('`') => self.put(Piece::Code(&inner[..len]), len + 2),
            _ => false,
        }
    }

    fn plain(&mut self, rest: &'a str) -> bool {
        let Some(inner) = rest.strip_prefix(PLAIN.0).filter(|_| self.at < self.last_plain) else { return false };
        let Some(len) = inner.find(PLAIN.1) else { return false };
        for (n, line) in inner[..len].split('\n').enumerate() {
            if n > 0 {
                self.put(Piece::Break, 0);
            }
            self.put(Piece::Text(line), 0);
        }
        self.put(Piece::Text(""), PLAIN.0.len() + len + PLAIN.1.len())
    }

    /// `*word*`: letters and spaces of ASCII alone, with nothing of the kind in front.
    fn word(&mut self, rest: &'a str, sign: &str, mark: Mark<'a>) -> bool {
        let before = self.text[..self.at].chars().next_back();
        let Some(inner) = rest.strip_prefix(sign).filter(|_| !before.is_some_and(|c| c.is_ascii_alphanumeric())) else {
            return false;
        };
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'\t');
        let len = inner.bytes().take_while(is_plain).count();
        if len == 0 || !inner[len..].starts_with(sign) {
            return false;
        }
        self.put(Piece::Open { written: &rest[..sign.len()], mark: Some(mark) }, sign.len());
        self.put(Piece::Text(&inner[..len]), len);
        self.put(Piece::Close(mark), sign.len())
    }

    fn function(&mut self, rest: &'a str) -> bool {
        let Some(inner) = rest.strip_prefix("$[") else { return false };
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b',' | b'=' | b'-');
        let len = inner.bytes().take_while(part).count();
        let space = inner[len..].chars().next().filter(|c| matches!(c, ' ' | '\u{3000}' | '\t'));
        let (Some(space), true) = (space, len > 0 && len <= HEAD) else { return false };
        let (name, arguments) = inner[..len].split_once('.').unwrap_or((&inner[..len], ""));
        self.begin(&rest[..2 + len + space.len_utf8()], ("]", Mark::Function { name, arguments }))
    }

    /// Something opens here that has these signs.
    fn begin(&mut self, written: &'a str, (end, mark): (&'static str, Mark<'a>)) -> bool {
        if self.open.len() >= DEPTH {
            return false;
        }
        self.put(Piece::Open { written, mark: None }, written.len());
        self.open.push(Open { piece: self.pieces.len() - 1, end, mark });
        true
    }

    /// What opens or closes with signs of its own.
    fn sign(&mut self, rest: &'a str) -> bool {
        for (start, end, mark) in SIGNS {
            if rest.starts_with(end) && self.end(end) {
                return true;
            }
            // `***` may end what `**` began.
            if rest.starts_with(start) && !(*start == "***" && self.innermost("**").is_some()) {
                return self.begin(&rest[..start.len()], (end, *mark));
            }
        }
        false
    }

    /// The last that ends so, as far as the function goes that we are in.
    fn innermost(&self, end: &str) -> Option<usize> {
        let is_border = |open: &Open<'_>| matches!(open.mark, Mark::Function { .. }) && open.end == "]";
        let found = self.open.iter().rposition(|open| open.end == end || is_border(open))?;
        (self.open[found].end == end && !is_border(&self.open[found])).then_some(found)
    }

    /// Ends the last that ends so, if there is something in it.
    fn end(&mut self, end: &'static str) -> bool {
        let Some(found) = self.innermost(end) else { return false };
        self.close(found, self.open[found].mark, end.len())
    }

    fn close(&mut self, found: usize, with: Mark<'a>, len: usize) -> bool {
        self.flush();
        self.from = self.at;
        let opened = self.open[found].piece;
        if opened + 1 == self.pieces.len() {
            return false;
        }
        self.open.truncate(found);
        let with = self.contents(opened, with);
        if let Some(Piece::Open { mark, .. }) = self.pieces.get_mut(opened) {
            *mark = Some(with);
        }
        self.put(Piece::Close(with), len)
    }

    /// What a function of so many pieces is: of two the words in it are more than what they say.
    fn contents(&mut self, opened: usize, mark: Mark<'a>) -> Mark<'a> {
        let Mark::Function { name, .. } = mark else { return mark };
        let whole = self.pieces.len() == opened + 2;
        let Some(Piece::Text(last)) = self.pieces.last().cloned() else { return mark };
        match name {
            "ruby" => {
                let spaces = [' ', '\u{3000}', '\t'];
                let Some((base, reading)) = last.split_once(spaces) else { return mark };
                let reading = reading.trim();
                if reading.is_empty() || (whole && base.is_empty()) {
                    return mark;
                }
                self.pieces.pop();
                self.pieces.extend([Piece::Text(base), Piece::Reading(reading)]);
                Mark::Ruby
            }
            "unixtime" if whole => {
                // Of the years that have four figures.
                let seconds = last.trim().parse::<i64>().ok().filter(|n| (0..253_402_300_800).contains(n));
                if let Some(seconds) = seconds {
                    self.pieces.pop();
                    self.pieces.push(Piece::Moment(Time(seconds * 1000)));
                }
                mark
            }
            _ => mark,
        }
    }

    /// Ends a function, or a link if its address follows.
    fn bracket(&mut self, rest: &'a str) -> bool {
        while let Some(found) = self.open.iter().rposition(|open| open.end == "]") {
            let mark = self.open[found].mark;
            if let Mark::Function { .. } = mark {
                return self.close(found, mark, 1);
            }
            if let Some((href, len)) = target(rest)
                && self.close(found, Mark::Link(href), len)
            {
                return true;
            }
            self.open.remove(found);
        }
        false
    }
}

/// The address behind `](`, and how long all of it is.
fn target(rest: &str) -> Option<(&str, usize)> {
    let inner = rest.strip_prefix("](")?;
    let angled = inner.strip_prefix('<');
    let address = angled.unwrap_or(inner);
    let scheme = ["https://", "http://"].into_iter().find(|scheme| address.starts_with(scheme))?;
    let (mut depth, mut len) = (0_usize, scheme.len());
    for c in address[scheme.len()..].chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            '[' | ']' | '<' | '>' | '"' | '`' | '\\' => break,
            c if c.is_whitespace() || c.is_control() => break,
            _ => {}
        }
        len += c.len_utf8();
    }
    let end = if angled.is_some() { ">)" } else { ")" };
    let whole = 2 + usize::from(angled.is_some()) + len + end.len();
    address[len..].starts_with(end).then_some((&address[..len], whole))
}
