//! The XML that buckets answer with, read with limits: no document types, no entities of one's own, little depth.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Deeper than anything S3 answers.
const DEPTH: usize = 12;
/// A thousand objects with everything that may be told about them have a third of this.
const ELEMENTS: usize = 60_000;
/// Longer than an encoded key or a continuation token.
const TEXT: usize = 16 * 1024;

/// Calls `element` at the end of every element, with the names from the root to it (without their prefixes) and its
/// own text. Answers what is wrong with a document that is not whole.
pub(super) fn read(document: &[u8], mut element: impl FnMut(&[&str], &str)) -> Result<(), String> {
    let text = std::str::from_utf8(document).map_err(|_| "it is not UTF-8")?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<(String, String)> = Vec::new();
    let (mut elements, mut roots) = (0, 0);
    loop {
        let event = reader.read_event().map_err(|error| format!("it is not XML ({error})"))?;
        match event {
            Event::Start(start) => {
                elements += 1;
                roots += usize::from(open.is_empty());
                if open.len() >= DEPTH || elements > ELEMENTS || roots > 1 {
                    return Err("it is too deep or too long".into());
                }
                open.push((start.local_name().as_ref().to_owned(), String::new()));
            }
            Event::End(_) => {
                let names: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
                let Some((_, text)) = open.last() else { return Err("it ends what it has not begun".into()) };
                element(&names, text);
                open.pop();
            }
            Event::Text(part) => append(&mut open, &part.xml10_content())?,
            Event::CData(part) => append(&mut open, &part.xml10_content())?,
            Event::GeneralRef(reference) => append(&mut open, referred(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err("it has a document type".into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => break,
        }
    }
    match roots == 1 && open.is_empty() {
        true => Ok(()),
        false => Err("it ends too early".into()),
    }
}

fn append(open: &mut [(String, String)], part: &str) -> Result<(), String> {
    let Some((_, text)) = open.last_mut() else {
        return match part.trim().is_empty() {
            true => Ok(()),
            false => Err("it has text outside of its elements".into()),
        };
    };
    if text.len() + part.len() > TEXT {
        return Err("it has a text that is too long".into());
    }
    text.push_str(part);
    Ok(())
}

fn referred(reference: &BytesRef<'_>) -> Result<char, String> {
    let named = |name: &str| match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    };
    let by_number = reference.resolve_char_ref().map_err(|_| "it refers to no character")?;
    by_number.or_else(|| named(reference)).ok_or_else(|| "it refers to an entity".into())
}

/// The text of `Error/Code` and `Error/Message`, and of `Error/Region`; empty where there is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    pub code: String,
    pub message: String,
    pub region: Option<String>,
}

/// What an answer complains about; `None` when it is no complaint.
pub(super) fn complaint(document: &[u8]) -> Option<Complaint> {
    let mut found = Complaint::default();
    let mut is_error = false;
    let whole = read(document, |path, text| match path {
        ["Error", "Code"] => found.code = printable(text, 100),
        ["Error", "Message"] => found.message = printable(text, 500),
        ["Error", "Region"] => found.region = Some(printable(text, 100)),
        ["Error"] => is_error = true,
        _ => {}
    });
    (whole.is_ok() && is_error).then_some(found)
}

/// The beginning of an answer that is no XML of S3, without the marks of a page.
pub(super) fn plain(answer: &[u8]) -> String {
    let (mut text, mut inside) = (String::new(), false);
    for c in String::from_utf8_lossy(answer).chars().take(4000) {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "), 200)
}

/// For logs and terminals: no control characters, no more than `most` characters.
fn printable(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Text between two tags.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(document: &str) -> Result<Vec<(String, String)>, String> {
        let mut found = Vec::new();
        read(document.as_bytes(), |path, text| found.push((path.join("/"), text.to_owned()))).map(|()| found)
    }

    #[test]
    fn elements_and_texts() {
        let found = all("<?xml version=\"1.0\"?>\n<x:A xmlns:x=\"y\"><B>1 &amp; &#x41;<![CDATA[<]]></B><C/></x:A>\n");
        let expected = [("A/B", "1 & A<"), ("A/C", ""), ("A", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>";
        let deep = "<a>".repeat(100_000);
        let wide = format!("<a>{}</a>", "<b/>".repeat(100_000));
        let long = format!("<a>{}</a>", "x".repeat(1 << 20));
        let many = format!("<a>{}</a>", "&#65;".repeat(1 << 20));
        let cases = [
            bomb,
            &deep,
            &wide,
            &long,
            &many,
            "",
            "garbage",
            "<a>",
            "<a><b></a></b>",
            "<a/><a/>",
            "<a>&nbsp;</a>",
            "<a>&#xFFFFFFFF;</a>",
            "<a/>x",
            "</a>",
            "<a",
            "{\"json\": true}",
            "<a>\u{0}&#0;</a>",
        ];
        for case in cases {
            assert!(all(case).is_err(), "{}", &case[..case.len().min(60)]);
        }
        assert!(read(&[b'<', 0xff, b'>'], |_, _| {}).is_err());
    }

    #[test]
    fn words_of_pages() {
        let page = b"<html>\n<title>400</title><body>\x1b[31mThe plain  HTTP request was sent\nto HTTPS port</body>";
        assert_eq!(plain(page), "400 [31mThe plain HTTP request was sent to HTTPS port");
        assert_eq!(plain(&[b'x'; 10_000]).len(), 200);
        assert_eq!(plain(b""), "");
    }

    #[test]
    fn complaints() {
        let text = "<Error><Code>NoSuchKey</Code><Message>The \u{1b}[31mkey</Message><Extra/></Error>";
        let found = complaint(text.as_bytes()).unwrap();
        assert_eq!((found.code.as_str(), found.message.as_str()), ("NoSuchKey", "The [31mkey"));
        assert_eq!(complaint(b"<html><body>Bad Gateway</body></html>"), None);
        assert_eq!(complaint(b"<Error><Code>NoSuchKey</Code>"), None);
    }

    proptest! {
        #[test]
        fn anything_is_survived(document in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&document, |_, _| {});
        }

        #[test]
        fn what_is_escaped_comes_back(text in "[ -~\u{e9}\u{3042}]{0,60}") {
            let found = all(&format!("<a>{}</a>", escaped(&text))).unwrap();
            prop_assert_eq!(&found[0].1, &text);
        }
    }
}
