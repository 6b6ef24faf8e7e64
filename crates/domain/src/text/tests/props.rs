//! What holds for any text, and that time grows with the length only.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::text::search::{fts5, index_tokens, index_tsvector, query, tsquery};
use crate::text::{MentionLink, Mentions, Options, count, html, plain, sanitise, scan, tag_key};

/// Text made of the pieces that parsers trip over.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "Z9",
        " ",
        "\n",
        "\r\n",
        "\t",
        "日本",
        "ア",
        "ー",
        "。",
        "「",
        "」",
        "・",
        "\u{200c}",
        "\u{200d}",
        "🎉",
        "🏳️‍🌈",
        "é",
        "e\u{301}",
        "مر",
        "\u{202e}",
        "\u{feff}",
        "\0",
        "\u{1}",
        "@",
        "＠",
        "@a",
        "@a@b.c",
        "#",
        "＃",
        "#tag",
        "#タグ",
        ":",
        ":ab:",
        ".",
        "-",
        "_",
        "/",
        "(",
        ")",
        "?",
        "&",
        "=",
        "'",
        "\"",
        "<",
        ">",
        "http://",
        "https://",
        "https://e.com",
        "https://例え.みんな/",
        "&amp;",
        "&#10;",
        "&#1;",
        "&lt",
        "<p>",
        "</p>",
        "<br>",
        "<a href=\"https://e.com/?a&b\">",
        "<a href='javascript:x'>",
        "<a>",
        "</a>",
        "<b>",
        "</b>",
        "<div>",
        "</div>",
        "<pre>",
        "</pre>",
        "<ul>",
        "<li>",
        "</ul>",
        "<h1>",
        "</h1>",
        "<ruby>",
        "<rt>",
        "</ruby>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<span class=\"h-card x\" lang=ja>",
        "</span>",
        "<blockquote>",
        "<blockquote cite=\"https://e.com/?a&b\">",
        "<blockquote cite=&#106;avascript:x>",
        "<span class='mfm-x2 mfm-x5' data-mfm-x data-mfm-speed=1s data-mfm-deg='&quot;'>",
        "</blockquote>",
        "<table><tr><td>",
        "<math>",
        "<svg>",
        "<p class=",
        "<i x='",
        "&nbsp;",
        "\u{a0}",
        "\u{c}",
        "<code>",
        "<s title=\"&quot;\">",
        "*",
        "-x",
        "from:",
        "\\",
        "|",
        "!",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => nasty(), 1 => any::<String>()]
}

fn show(text: &str) -> String {
    let link =
        MentionLink { url: "https://b.c/@a?x=1&y='\"".into(), username: "a".into(), pretty_acct: "a@b.c".into() };
    let mentions = Mentions::from([("a@b.c".to_owned(), link)]);
    let options = Options {
        base_url: "https://noren.example",
        local_domains: &["noren.example", "old.noren.example"],
        mentions: &mentions,
    };
    html(text, &options)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entities_lie_apart_and_on_boundaries(text in text()) {
        let mut last = 0;
        for entity in scan(&text) {
            prop_assert!(entity.range.start >= last && entity.range.start < entity.range.end);
            prop_assert!(text.get(entity.range.clone()).is_some());
            last = entity.range.end;
        }
        count(&text);
    }

    #[test]
    fn tag_keys_are_fixed_points(text in text()) {
        let key = tag_key(&text);
        prop_assert_eq!(tag_key(&key), key);
    }

    #[test]
    fn sanitising_twice_changes_nothing(text in text()) {
        let once = sanitise(&text);
        let twice = sanitise(&once);
        prop_assert_eq!(&twice, &once);
        let lower = once.to_lowercase();
        prop_assert!(!lower.contains("<script") && !lower.contains("href=\"javascript"));
    }

    /// Our own HTML is inside the allow-list: only spelling, `rel` and `target` change.
    #[test]
    fn own_html_passes_the_sanitiser(text in text()) {
        let own = show(&text);
        let spelt = own
            .replace("<br />", "<br>")
            .replace("&#39;", "'")
            .replace(" class=\"\"", "")
            .replace(" class=\"mention hashtag\" rel=\"tag\">", " class=\"mention hashtag\" target=\"_blank\" rel=\"nofollow noopener\">")
            .replace(" class=\"u-url mention\">", " class=\"u-url mention\" target=\"_blank\" rel=\"nofollow noopener\">")
            .replace(" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">", " translate=\"no\" target=\"_blank\" rel=\"nofollow noopener\">");
        let bare = |html: &str| html.replace("&quot;", "\"").replace("&nbsp;", "\u{a0}").replace(|c: char| c < ' ' || "\u{7f}\u{feff}".contains(c), "");
        prop_assert_eq!(bare(&sanitise(&own)), bare(&spelt));
    }

    #[test]
    fn plain_gives_the_text_back(text in "[a-zA-Z0-9 ぁ-ん漢字<>&\"'#@:./\n]{0,60}") {
        let lines: Vec<&str> = text.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty()).collect();
        let want = if text.trim().is_empty() { String::new() } else { lines.join("\n\n") };
        prop_assert_eq!(plain(&show(&text)), want);
    }

    #[test]
    fn tokens_hold_letters_and_digits_only(text in text()) {
        let tokens = index_tokens(&text);
        prop_assert!(tokens.chars().all(|c| c == ' ' || c.is_alphanumeric()), "{}", tokens);
        index_tsvector(&text);
    }

    /// Any part of a text that starts and ends at a run's character finds the text.
    #[test]
    fn a_part_is_found_in_the_whole(head in "[あ-ん漢字カキク]{0,6}", part in "[あ-ん漢字カキク]{1,6}", tail in "[あ-ん漢字カキク。]{0,6}") {
        let tokens = format!(" {} ", index_tokens(&format!("{head}{part}{tail}")));
        let ask = fts5(&query(&part)).unwrap_or_default();
        let inner = ask.trim_matches(['(', ')']).replace(" *", "").replace('"', "");
        let found = if ask.contains('*') { format!(" {inner}") } else { format!(" {inner} ") };
        prop_assert!(tokens.contains(&found), "{} in {}", ask, tokens);
    }

    #[test]
    fn queries_hold_no_operators_of_the_user(typed in text()) {
        let terms = query(&typed);
        if let Some(ask) = fts5(&terms) {
            let rest: String = ask.split('"').step_by(2).collect();
            let rest = rest.replace("AND", "").replace("NOT", "");
            prop_assert!(rest.chars().all(|c| "() *".contains(c)), "{}", ask);
        }
        if let Some(ask) = tsquery(&terms) {
            let rest: String = ask.split('\'').step_by(2).collect();
            prop_assert!(rest.chars().all(|c| "()<->&!:* ".contains(c)), "{}", ask);
        }
    }
}

/// Twice the text may not take four times as long; measured in one jump of sixteen, coarsely.
#[test]
fn time_grows_with_length_only() {
    let pieces = [
        "@",
        "#",
        "(",
        ")",
        ":",
        "http://",
        "https://a.",
        "https://a.みんな",
        "http://a.b/",
        "http://a.co ",
        "https://a.co/(",
        "http://a.co/",
        "@a@",
        "@a@b.",
        "@a.",
        "@a-",
        "#a",
        "#1",
        "#・",
        "#a・",
        ":a",
        ":aa",
        "h",
        "漢",
        "#漢",
        "https://a.co漢",
        "https://漢",
        "\n",
        " \n",
        "&",
        "<",
        "<a ",
        "&#",
        "a\u{301}",
        "\u{301}",
        "🏳️‍🌈",
        "\"",
        "-",
        "#http://",
        "https://a.co?",
        "http://a.co/((",
    ];
    let run = |text: &str| {
        scan(text);
        count(text);
        show(text);
        tag_key(text);
        index_tokens(text);
        query(text);
        sanitise(text);
        plain(text);
    };
    for piece in pieces {
        let long = piece.repeat(100_000 / piece.len());
        let start = Instant::now();
        run(&long);
        let spent = start.elapsed();
        println!("{piece:?}: {spent:?}");
        assert!(spent < Duration::from_secs(30), "{piece:?}: {spent:?}");
    }
}
