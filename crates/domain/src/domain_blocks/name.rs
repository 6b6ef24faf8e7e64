//! Names of servers as rules know them: one spelling for all the ways to write the same name.

use url::{Host, Url};

/// Characters of a name with its port.
const LONGEST: usize = 260;
/// Labels of a name that are looked at.
const LABELS: usize = 130;

/// The name in lower case and ASCII letters (punycode), without a dot at its end, with the port only where that is not
/// the usual one. Takes what people paste: addresses, `@name`, `*.name`. None for what is no name of a server.
pub fn normal(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let text = text.split(['/', '?', '#']).next().unwrap_or_default();
    let text = text.strip_prefix('@').unwrap_or(text);
    let text = text.strip_prefix("*.").unwrap_or(text);
    if text.is_empty() || text.len() > LONGEST || text.contains(['@', '*', '\\', '%']) {
        return None;
    }
    let url = Url::parse(&format!("https://{text}/")).ok()?;
    let name = match url.host()? {
        // URLs may have names that no server has.
        Host::Domain(domain) if domain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) => {
            domain.trim_end_matches('.').to_owned()
        }
        Host::Domain(_) => return None,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    };
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return None;
    }
    Some(match url.port().filter(|port| *port != 80) {
        Some(port) => format!("{name}:{port}"),
        None => name,
    })
}

/// The names whose rules hold for the server of this name, in [`normal`]'s spelling: its own first, then its parents'.
/// What holds for a name holds at every port.
pub fn covering(name: &str) -> Vec<&str> {
    let mut out = vec![name];
    let host = match name.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => name,
    };
    if host.len() < name.len() {
        out.push(host);
    }
    if !host.starts_with('[') {
        let dots = host.match_indices('.').take(LABELS);
        out.extend(dots.filter_map(|(at, _)| host.get(at + 1..)));
    }
    out
}

/// Whether a rule for `parent`, in [`normal`]'s spelling, holds for `name`.
pub fn is_within(name: &str, parent: &str) -> bool {
    normal(name).is_some_and(|name| covering(&name).contains(&parent))
}

/// The server's name in an address, in [`normal`]'s spelling; empty when it has none.
pub fn of_address(uri: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    normal(host.rsplit_once('@').map_or(host, |(_, host)| host)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_each_name() {
        for text in [
            "bad.example",
            "BAD.example",
            "Bad.Example.",
            "bad.example:443",
            "bad.example:80",
            " bad.example ",
            "https://bad.example/@x",
            "@bad.example",
            "*.bad.example",
            "ｂａｄ.example",
            "bad。example",
        ] {
            assert_eq!(normal(text).as_deref(), Some("bad.example"), "{text}");
        }
        assert_eq!(normal("münchen.example").as_deref(), Some("xn--mnchen-3ya.example"));
        assert_eq!(normal("MÜNCHEN.example").as_deref(), Some("xn--mnchen-3ya.example"));
        assert_eq!(normal("XN--MNCHEN-3YA.example").as_deref(), Some("xn--mnchen-3ya.example"));
        assert_eq!(normal("日本.example.").as_deref(), normal("xn--wgv71a.example").as_deref());
        assert_eq!(normal("bad.example.:8080").as_deref(), Some("bad.example:8080"));
        assert_eq!(normal("0x7f.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(normal("[::1]:80").as_deref(), Some("[::1]"));
    }

    #[test]
    fn what_is_no_name() {
        for text in [
            "",
            ".",
            "a..b",
            "mal***s.example",
            "a b",
            "user@",
            "x@y.example",
            "a%2eb",
            "[::1",
            "a:99999",
            &"a".repeat(300),
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }

    #[test]
    fn parents_cover_their_children_at_every_port() {
        assert_eq!(covering("a.b.example:8080"), ["a.b.example:8080", "a.b.example", "b.example", "example"]);
        assert_eq!(covering("[::1]"), ["[::1]"]);
        for (name, parent, covered) in [
            ("bad.example", "bad.example", true),
            ("x.y.bad.example", "bad.example", true),
            ("x.bad.example:8080", "bad.example", true),
            ("notbad.example", "bad.example", false),
            ("bad.example.org", "bad.example", false),
            ("bad.example", "x.bad.example", false),
            ("bad.example", "bad.example:8080", false),
        ] {
            assert_eq!(is_within(name, parent), covered, "{name} {parent}");
        }
    }

    #[test]
    fn names_in_addresses() {
        assert_eq!(of_address("https://Bad.Example.:443/users/x"), "bad.example");
        assert_eq!(of_address("http://localhost:3000/x"), "localhost:3000");
        assert_eq!(of_address("https://u@bad.example?x"), "bad.example");
        assert_eq!(of_address("nonsense"), "nonsense");
        assert_eq!(of_address("https:///x"), "");
    }
}
