//! Mastodon's files of blocked domains: what its admins export, import and pass around.

use super::{DomainBlock, Severity};

/// The first line, with the names of the columns.
const COLUMNS: [&str; 6] =
    ["#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate"];
/// Lines of one file.
const LINES: usize = 100_000;

/// A line that says nothing useful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Counted from 1.
    pub line: usize,
    pub why: &'static str,
}

/// The rules in a file, and the lines that hold none. Columns go by their names; a file without names is a list of
/// domains. What is not said is what Mastodon takes it for: suspended, nothing rejected beside.
pub fn read(text: &str) -> (Vec<DomainBlock>, Vec<Unread>) {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let mut columns: Vec<String> = vec!["domain".into()];
    for (line, cells) in records(text.trim_start_matches('\u{feff}')).into_iter().take(LINES) {
        let first = cells.first().map(String::as_str).unwrap_or_default().trim();
        if first.is_empty() {
            continue;
        }
        let names = || cells.iter().map(|cell| cell.trim().trim_start_matches('#').to_ascii_lowercase());
        if names().any(|name| name == "domain") {
            columns = names().collect();
            continue;
        }
        if first.starts_with('#') {
            continue;
        }
        match rule(&columns, &cells) {
            Ok(rule) => found.push(rule),
            Err(why) => unread.push(Unread { line, why }),
        }
    }
    (found, unread)
}

fn rule(columns: &[String], cells: &[String]) -> Result<DomainBlock, &'static str> {
    let cell = |name: &str| {
        let at = columns.iter().position(|column| column == name)?;
        cells.get(at).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    };
    let is =
        |name: &str| cell(name).is_some_and(|c| matches!(c.to_ascii_lowercase().as_str(), "true" | "1" | "t" | "yes"));
    let domain = super::name::normal(cell("domain").unwrap_or_default()).ok_or("this is not the name of a server")?;
    let severity = match cell("severity") {
        None => Severity::Suspend,
        Some(word) => {
            Severity::parse(&word.to_ascii_lowercase()).ok_or("the severity is none of noop, silence, suspend")?
        }
    };
    Ok(DomainBlock {
        severity,
        reject_media: is("reject_media"),
        reject_reports: is("reject_reports"),
        public_comment: cell("public_comment").unwrap_or_default().to_owned(),
        obfuscate: is("obfuscate"),
        ..DomainBlock::named(&domain)
    })
}

/// Lines taken apart: cells may be quoted, quotes are doubled, quoted cells may hold line ends.
fn records(text: &str) -> Vec<(usize, Vec<String>)> {
    let (mut out, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line, mut start) = (false, 1, 1);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' if quoted || cell.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                out.push((start, std::mem::take(&mut cells)));
                (line, start) = (line + 1, line + 1);
            }
            '\r' if !quoted => {}
            c => {
                line += usize::from(c == '\n');
                cell.push(c);
            }
        }
    }
    cells.push(cell);
    out.push((start, cells));
    out
}

/// A file that Mastodon can import.
pub fn write(blocks: &[DomainBlock]) -> String {
    let mut out = COLUMNS.join(",");
    out.push('\n');
    for block in blocks {
        let cells = [
            quoted(&block.domain),
            block.severity.as_str().to_owned(),
            block.reject_media.to_string(),
            block.reject_reports.to_string(),
            quoted(&block.public_comment),
            block.obfuscate.to_string(),
        ];
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// The cell as it stands in a line. A comment that a spreadsheet would take for a formula stays a comment.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r', '\'']) || text.starts_with(['=', '+', '-', '@']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_mastodon_exports() {
        let text = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n\
            Bad.example,suspend,false,false,\"spam, \"\"lots\"\" of it\nand more\",false\r\n\
            loud.example,silence,true,true,,true\r\n\
            mal***s.example,suspend,false,false,,true\r\n\
            odd.example,explode,false,false,,true\r\n\r\n";
        let (found, unread) = read(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].domain.as_str(), found[0].severity), ("bad.example", Severity::Suspend));
        assert_eq!(found[0].public_comment, "spam, \"lots\" of it\nand more");
        assert_eq!(
            (found[1].severity, found[1].reject_media, found[1].reject_reports, found[1].obfuscate),
            (Severity::Silence, true, true, true)
        );
        assert_eq!(unread.iter().map(|u| u.line).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn other_peoples_lists() {
        let (found, unread) = read("\u{feff}# made by somebody\nbad.example\nhttps://worse.example/\n\n# more\nx y\n");
        let domains: Vec<_> = found.iter().map(|b| (b.domain.as_str(), b.severity)).collect();
        assert_eq!(domains, [("bad.example", Severity::Suspend), ("worse.example", Severity::Suspend)]);
        assert_eq!(unread.len(), 1);
        let (found, _) = read("severity,domain\nsilence,a.example\nSuspend,b.example");
        assert_eq!(found.iter().map(|b| b.severity).collect::<Vec<_>>(), [Severity::Silence, Severity::Suspend]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(comment in "[^\u{0}\r]{0,40}", media: bool, obfuscate: bool) {
            let block = DomainBlock {
                reject_media: media, obfuscate, public_comment: comment.trim().to_owned(), ..DomainBlock::named("a.example")
            };
            let (found, unread) = read(&write(std::slice::from_ref(&block)));
            prop_assert_eq!(unread, []);
            prop_assert_eq!(found, [block]);
        }

        #[test]
        fn anything_can_be_read(text in ".{0,200}") {
            let _ = read(&text);
        }
    }
}
