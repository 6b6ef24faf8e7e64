//! As much of RFC 8941 (structured fields) as message signatures need. Nothing is copied until it is asked for.

use super::pem;
use axum::http::HeaderMap;

/// Members of one header that are looked at.
const MEMBERS: usize = 16;
/// Bytes of all lines of one header together.
const LONGEST: usize = 16 * 1024;

/// `key=value;parameter=…`; `value` still has its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// All lines of a header as one; None when it is absent, not text, or too long.
pub(super) fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut out = String::new();
    let mut lines = 0;
    for value in headers.get_all(name) {
        let text = value.to_str().ok()?;
        if out.len() + text.len() > LONGEST {
            return None;
        }
        if lines > 0 {
            out.push_str(", ");
        }
        out.push_str(text.trim());
        lines += 1;
    }
    (lines > 0).then_some(out)
}

/// Takes a dictionary apart at the commas that stand outside of strings, byte sequences and lists.
pub(super) fn dictionary(text: &str) -> Option<Vec<Member<'_>>> {
    let mut members = Vec::new();
    for part in split(text, b',')? {
        let part = part.trim();
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.' | b'*');
        if key.is_empty() || !key.bytes().all(plain) || members.len() == MEMBERS {
            return None;
        }
        members.push(Member { key, value });
    }
    Some(members)
}

/// The parts of `text` between separators that stand outside of strings and round brackets.
pub(super) fn split(text: &str, separator: u8) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            _ if byte == separator && depth == 0 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (depth == 0 && !quoted).then_some(parts)
}

/// `"text"` without escapes other than those of quotes and backslashes.
pub(super) fn string(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            '"' => return None,
            c if c.is_ascii() && !c.is_ascii_control() => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

/// `:base64:`, its parameters left out.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let inner = text.trim().strip_prefix(':')?;
    let (inner, _) = inner.split_once(':')?;
    pem::base64(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_things_separate_nothing() {
        let text = r#"sig1=("a,b" "c\"),");created=1;keyid="x,y", sig2=:YQ==:"#;
        let members = dictionary(text).unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(members[0], Member { key: "sig1", value: r#"("a,b" "c\"),");created=1;keyid="x,y""# });
        assert_eq!(bytes(members[1].value).unwrap(), b"a");
        for broken in ["", "a=(", "a=)", "a=\"", "A=1", "a=1,,b=2", "=1"] {
            assert_eq!(dictionary(broken), None, "{broken}");
        }
        assert_eq!(dictionary(&["a=1"; 17].join(",")), None);
    }

    #[test]
    fn strings() {
        assert_eq!(string(r#""a\"b\\c""#).unwrap(), r#"a"b\c"#);
        for broken in ["a", "\"a", "\"", "\"a\"b\"", r#""\a""#, "\"é\""] {
            assert_eq!(string(broken), None, "{broken}");
        }
    }
}
