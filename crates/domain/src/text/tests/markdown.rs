//! Markdown: tables of what it gives, and what holds whatever goes in.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::text::{
    MentionLink, Mentions, Options, html, markdown_html, markdown_words, mentioned, sanitise, shortcodes, tags,
};

fn show(text: &str) -> String {
    with_options(|options| markdown_html(text, options))
}

fn with_options<T>(body: impl FnOnce(&Options<'_>) -> T) -> T {
    let link = |url: &str, username: &str| MentionLink {
        url: url.into(),
        username: username.into(),
        pretty_acct: username.into(),
    };
    let mentions = Mentions::from([
        ("alice".to_owned(), link("https://noren.example/@alice", "alice")),
        ("_al_ice".to_owned(), link("https://noren.example/@_al_ice", "_al_ice")),
    ]);
    let options = Options {
        base_url: "https://noren.example",
        local_domains: &["noren.example", "old.noren.example"],
        mentions: &mentions,
    };
    body(&options)
}

const ALICE: &str = "<span class=\"h-card\" translate=\"no\"><a href=\"https://noren.example/@alice\" \
     class=\"u-url mention\" rel=\"nofollow noopener\" target=\"_blank\">@<span>alice</span></a></span>";

/// Attributes in one order, whatever order the serialiser has.
fn bare(html: &str) -> String {
    html.replace(" rel=\"nofollow noopener\"", "").replace(" target=\"_blank\"", "")
}

#[test]
fn markup_becomes_html() {
    let table = [
        ("", ""),
        (" \n\t\n", ""),
        ("plain", "<p>plain</p>"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>"),
        ("line\nbreak\n\nnext", "<p>line<br>break</p><p>next</p>"),
        ("# Title", "<p><strong>Title</strong></p>"),
        ("> quoted", "<blockquote><p>quoted</p></blockquote>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. c\n4. d", "<ol start=\"3\"><li>c</li><li>d</li></ol>"),
        ("```rust\nlet a = 1;\n\n#b\n```", "<pre><code>let a = 1;\n\n#b\n</code></pre>"),
        ("[text](https://example.com/a_b_c)", "<p><a href=\"https://example.com/a_b_c\">text</a></p>"),
        ("![a cat](https://example.com/c.png)", "<p><a href=\"https://example.com/c.png\">a cat</a></p>"),
        ("![](https://example.com/c)", "<p><a href=\"https://example.com/c\">https://example.com/c</a></p>"),
        (
            "[![cat](https://example.com/c.png)](https://example.com/)",
            "<p><a href=\"https://example.com/\">cat</a></p>",
        ),
        ("<https://example.com/_a_>", "<p><a href=\"https://example.com/_a_\">https://example.com/_a_</a></p>"),
        ("a <b>bold</b> & <i>tag", "<p>a <b>bold</b> &amp; <i>tag</i></p>"),
        ("<div>\nfoo\n<b>bar</b>\n</div>", "foo <b>bar</b>"),
        ("1 < 2 > 0", "<p>1 &lt; 2 &gt; 0</p>"),
        ("日本語の**太字**です", "<p>日本語の<strong>太字</strong>です</p>"),
    ];
    for (text, want) in table {
        assert_eq!(bare(&show(text)), want, "{text:?}");
    }
}

#[test]
fn hostile_html_does_not_come_through() {
    for text in [
        "<script>alert(1)</script>",
        "a <script>alert(1)</script> b",
        "<img src=x onerror=alert(1)>",
        "<b onclick=\"alert(1)\">b</b>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a](<javascript:alert(1)>)",
        "<javascript:alert(1)>",
        "[a]\n\n[a]: javascript:alert(1)",
        "![a](javascript:alert(1))",
        "<style>p{}</style>",
        "<iframe src=\"https://example.com\"></iframe>",
        "<a href=\"java&#10;script:alert(1)\">a</a>",
        "<svg/onload=alert(1)>",
        "</p><form action=x><input autofocus onfocus=alert(1)>",
        "> <script\n> >alert(1)</script>",
        "`<script>`\n\n    <script>alert(1)</script>",
    ] {
        let made = show(text);
        assert_harmless(&made);
        assert!(!made.contains("<img") && !made.contains("<form"), "{made}");
    }
}

/// No element or attribute that could act; text that only speaks of them is fine.
#[track_caller]
fn assert_harmless(html: &str) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let len = rest[at..].find('>').unwrap_or(rest.len() - at - 1);
        let tag = rest[at..=at + len].to_ascii_lowercase();
        // What stands between quotes is a value, whatever it looks like.
        let names: String = tag.split('"').step_by(2).collect();
        for bad in ["<script", "<style", "<iframe", "<svg", " on", " style="] {
            assert!(!names.contains(bad), "{tag} in {html}");
        }
        for bad in ["href=\"javascript", "href=\"data:"] {
            assert!(!tag.contains(bad), "{tag} in {html}");
        }
        rest = &rest[at + len..];
    }
}

#[test]
fn what_is_more_than_text_is_found_but_not_in_code() {
    let html = show("hello @alice, see #Noren at https://example.com/_a_/*b* :blob_cat:");
    assert!(bare(&html).contains(&bare(ALICE)), "{html}");
    assert!(html.contains("<a href=\"https://noren.example/tags/Noren\" class=\"mention hashtag\""), "{html}");
    assert!(html.contains("href=\"https://example.com/_a_/*b\""), "{html}");
    assert!(html.contains(":blob_cat:") && !html.contains("<em>"), "{html}");
    assert!(bare(&show("**@alice**")).contains(&format!("<strong>{}</strong>", bare(ALICE))));
    assert!(show("@_al_ice").contains("href=\"https://noren.example/@_al_ice\""), "{}", show("@_al_ice"));
    assert!(show("_#tag_").contains("/tags/tag\""), "{}", show("_#tag_"));
    for code in [
        "`@alice #tag https://e.com/_a_`",
        "```\n@alice #tag https://e.com/_a_\n```",
        "    @alice #tag https://e.com/_a_",
    ] {
        let html = show(code);
        assert!(!html.contains("<a ") && html.contains("@alice #tag https://e.com/_a_"), "{html}");
        let words = markdown_words(code).free;
        assert!(mentioned(&words, &["x"]).is_empty() && tags(&words).is_empty(), "{words:?}");
    }
    let linked = "[@alice #tag :blobcat:](https://example.com/)";
    assert_eq!(show(linked).matches("<a ").count(), 1);
    let words = markdown_words(linked);
    assert!(mentioned(&words.free, &["x"]).is_empty() && tags(&words.free).is_empty());
    assert_eq!(shortcodes(&words.linked), ["blobcat"]);
    let words = markdown_words("# @alice\n\n- #one\n- *#two* and `#three`\n\nhttps://e.com/#four_and_five").free;
    assert_eq!(mentioned(&words, &["x"]).len(), 1);
    assert_eq!(tags(&words).into_iter().map(|t| t.name).collect::<Vec<_>>(), ["one", "two"]);
}

fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "日本",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "    ",
        "*",
        "**",
        "_",
        "__",
        "~",
        "~~",
        "`",
        "```",
        "```rust\n",
        ">",
        "> ",
        "- ",
        "+ ",
        "1. ",
        "#",
        "# ",
        "## ",
        "---",
        "===",
        "[",
        "]",
        "(",
        ")",
        "[a](",
        "![",
        "![a](https://e.com/)",
        "[a]: ",
        "<",
        ">",
        "<https://e.com/_a_>",
        "https://e.com/_a_*b*",
        "http://",
        "javascript:alert(1)",
        "data:text/html,x",
        "@alice",
        "@_a_",
        "#tag_x_",
        ":ab_c:",
        "\\",
        "&",
        "&amp;",
        "&#0;",
        "&#106;",
        "&colon;",
        "\0",
        "\u{feff}",
        "\u{202e}",
        "\"",
        "'",
        "<script>",
        "</script>",
        "<style>",
        "<b>",
        "</b>",
        "<a href=\"",
        "<a href='javascript:x' onclick=x>",
        "</a>",
        "<img src=x onerror=x>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "<div>",
        "</div>",
        "<pre>",
        "</pre>",
        "<p title=\">\"",
        "<svg onload=x>",
        "<iframe src=",
        "<textarea>",
        "<math>",
        "|",
        "||",
        ":-",
        "[^1]",
        "[x]",
        "!",
        "<li>",
        "<ul>",
        "</ul>",
    ]);
    prop::collection::vec(pieces, 0..32).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => nasty(), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn the_gate_lets_all_of_it_through(text in text()) {
        let made = show(&text);
        prop_assert_eq!(sanitise(&made), made);
    }

    #[test]
    fn nothing_in_it_acts(text in text()) {
        assert_harmless(&show(&text));
    }

    /// Who is linked was found, so that nobody is linked without being told.
    #[test]
    fn what_is_linked_was_found(text in text()) {
        let made = show(&text);
        let words = markdown_words(&text).free;
        if made.contains("href=\"https://noren.example/@alice\"") {
            prop_assert!(mentioned(&words, &["noren.example"]).iter().any(|h| h.key() == "alice"), "{} {}", words, made);
        }
        if made.contains("class=\"mention hashtag\"") {
            prop_assert!(!tags(&words).is_empty(), "{} {}", words, made);
        }
    }
}

/// Whatever is repeated, also at the largest size that is read as Markdown: neither time nor size run away.
#[test]
fn time_and_size_are_bounded() {
    let pieces = [
        ">",
        "> ",
        "- ",
        "* ",
        "1. ",
        "[",
        "![",
        "![](",
        "[a](",
        "*",
        "**",
        "_",
        "a_",
        "*a ",
        "**a*",
        "~~",
        "`",
        "``a` ",
        "```\n",
        "<",
        "<b>",
        "<div>\n",
        "<!--",
        "<?",
        "<a href=",
        "&",
        "&#1;",
        "\\",
        "#\n",
        "# ",
        "|",
        "a\n",
        "\n",
        "> a\n",
        "- a\n",
        "[a]: b\n",
        "[a][a]",
        "@alice ",
        "#tag_a ",
        "https://e.com/_a_ ",
        "*@alice* ",
        ":a_b: ",
        "\t",
        "- - - ",
        ">> - 1. ",
    ];
    for piece in pieces {
        let long = piece.repeat(64 * 1024 / piece.len());
        let lines = format!("{}\n", piece.repeat(100)).repeat(64 * 1024 / (piece.len() * 100 + 1));
        for text in [long, lines] {
            let start = Instant::now();
            let (made, words) = (show(&text), markdown_words(&text));
            let spent = start.elapsed();
            assert!(spent < Duration::from_secs(20), "{piece:?}: {spent:?}");
            let size = made.len() + words.free.len() + words.linked.len();
            assert!(size < 4 << 20, "{piece:?}: {size} bytes of {}", text.len());
            let plain = with_options(|options| html(&text, options));
            assert!(made == plain || sanitise(&made) == made, "{piece:?} is neither text nor safe");
        }
    }
    // One definition, used again and again.
    let long = format!("[a]: https://example.com/{}\n\n{}", "x".repeat(30_000), "[a] ".repeat(8_000));
    assert!(show(&long).len() < 4 << 20);
    // Beyond the bound it is text.
    let beyond = "*a* ".repeat(32 * 1024);
    assert!(show(&beyond).starts_with("<p>*a* *a*"));
}
