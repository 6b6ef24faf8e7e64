//! Where links start and end.

use crate::text::{Kind, scan};

fn links(text: &str) -> Vec<&str> {
    scan(text).into_iter().filter(|entity| entity.kind == Kind::Url).map(|entity| &text[entity.range]).collect()
}

#[test]
fn ends_of_links() {
    let table: &[(&str, &[&str])] = &[
        ("http://google.com", &["http://google.com"]),
        ("HTTPS://Example.COM/A", &["HTTPS://Example.COM/A"]),
        ("http://example.gay", &["http://example.gay"]),
        ("https://nic.みんな/", &["https://nic.みんな/"]),
        ("https://nic.みんなです", &["https://nic.みんな"]),
        ("https://日本語.jp/パス", &["https://日本語.jp/パス"]),
        ("https://президент.рф/", &["https://президент.рф/"]),
        ("https://i❤.ws/", &["https://i❤.ws/"]),
        ("https://xn--p1ai.xn--p1ai/x", &["https://xn--p1ai.xn--p1ai/x"]),
        ("see http://a.example/b/c-d. Next", &["http://a.example/b/c-d"]),
        ("(http://google.com/)", &["http://google.com/"]),
        (
            "http://www.google.com! http://www.google.com' http://g.co>",
            &["http://www.google.com", "http://www.google.com", "http://g.co"],
        ),
        ("https://r.com/search?utf8=%E2%9C%93&q=✓", &["https://r.com/search?utf8=%E2%9C%93&q=✓"]),
        ("https://en.wikipedia.org/wiki/Diaspora_(software)", &["https://en.wikipedia.org/wiki/Diaspora_(software)"]),
        ("(https://e.org/a_(b_(c)))", &["https://e.org/a_(b_(c))"]),
        ("https://e.org/a_(b and c)", &["https://e.org/a_"]),
        ("(https://e.org/?a=(b))", &["https://e.org/?a=(b"]),
        ("\"https://example.com/\"", &["https://example.com/"]),
        ("<https://example.com/>", &["https://example.com/"]),
        ("https://ja.wikipedia.org/wiki/日本", &["https://ja.wikipedia.org/wiki/日本"]),
        ("https://ko.wikipedia.org/wiki/대한민국", &["https://ko.wikipedia.org/wiki/대한민국"]),
        ("https://example.com/　abc123", &["https://example.com/"]),
        ("「[https://example.org/」", &["https://example.org/"]),
        ("https://example.com/foo。次の文", &["https://example.com/foo"]),
        ("https://example.com/foo、https://example.org/bar", &["https://example.com/foo", "https://example.org/bar"]),
        ("（https://example.com/foo）", &["https://example.com/foo"]),
        ("https://example.comです。", &["https://example.com"]),
        ("https://example.com。", &["https://example.com"]),
        ("https://example.com.です", &["https://example.com"]),
        ("見てhttps://example.com/x", &["https://example.com/x"]),
        ("https://example.com:8080/x?y#z", &["https://example.com:8080/x?y#z"]),
        ("https://example.com: そう", &["https://example.com"]),
        ("https://example.com/#anchor, and", &["https://example.com/#anchor"]),
        ("http://example.com/b<del>b</del>", &["http://example.com/b"]),
        ("https://example.com/@alice/1?x=1.", &["https://example.com/@alice/1?x=1"]),
        ("https://e.com/a…", &["https://e.com/a"]),
        ("\u{200f}https://e.com/\u{202e}gpj", &["https://e.com/"]),
        ("https://sub_domain.example.com/", &["https://sub_domain.example.com/"]),
    ];
    for (text, want) in table {
        assert_eq!(links(text), *want, "{text}");
    }
}

#[test]
fn not_links() {
    let table = [
        "http://www\\.google\\.com",
        "http://localhost:3000/",
        "http://192.168.0.1/",
        "http://example",
        "http://",
        "https:///x",
        "http://.com",
        "http://-a.com-",
        "http://user@example.com",
        "http://example.com.5",
        "ahttp://example.com",
        "#http://example.com",
        "@http://example.com",
        "ftp://example.com",
        "javascript://example.com/%0aalert(1)",
        "example.com",
        "https://example.com:99999999/",
        "https://example.c",
        "https://exa mple.com",
    ];
    for text in table {
        assert_eq!(links(text), Vec::<&str>::new(), "{text}");
    }
    let long = format!("https://example.com/{}", "a".repeat(4096));
    assert_eq!(links(&long), Vec::<&str>::new());
}
