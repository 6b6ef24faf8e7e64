//! MFM as HTML.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::text::mfm::{Names, mfm_html};
use crate::text::sanitise::MAX_INPUT;
use crate::text::{plain, sanitise};

fn names() -> Names {
    Names {
        people: HashMap::from([
            ("mei@m.example".to_owned(), "https://m.example/@mei".to_owned()),
            ("kai@noren.example".to_owned(), "https://noren.example/@kai?a&b".to_owned()),
            ("bad@m.example".to_owned(), "javascript:alert(1)".to_owned()),
        ]),
        tags: HashMap::from([("猫".to_owned(), "https://m.example/tags/%E7%8C%AB".to_owned())]),
        host: "m.example".to_owned(),
    }
}

fn show(text: &str) -> String {
    mfm_html(text, &names()).unwrap_or_default()
}

/// As the sanitiser spells a link.
fn link(href: &str, shown: &str) -> String {
    format!("<a href=\"{href}\" target=\"_blank\" rel=\"nofollow noopener\">{shown}</a>")
}

#[test]
fn what_each_sign_becomes() {
    let ruby = "<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>";
    let table = [
        ("", String::new()),
        (" \n ", String::new()),
        ("a & <b\n\nc", "<p>a &amp; &lt;b<br><br>c</p>".into()),
        ("**b** <b>b</b> __b c__", "<p><b>b</b> <b>b</b> <b>b c</b></p>".into()),
        ("*i* <i>あ</i> _i_ a_b_c 2*3*4", "<p><i>i</i> <i>あ</i> <i>i</i> a_b_c 2*3*4</p>".into()),
        ("~~s~~ <s>s</s>\nえー~~\nあ~~", "<p><del>s</del> <del>s</del><br>えー~~<br>あ~~</p>".into()),
        ("<small>s</small> <plain>**x**\n$[x2 y]</plain>", "<p>s **x**<br>$[x2 y]</p>".into()),
        ("`a**b**` ``", "<p><code>a**b**</code> ``</p>".into()),
        ("x\n```js\n **a**\n```\ny", "<p>x</p><pre><code> **a**</code></pre><p>y</p>".into()),
        ("```\nnever", "<p>```<br>never</p>".into()),
        ("> a\n> > b\n\nc", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>".into()),
        ("<center>\n**m**\n</center>n", "<p><b>m</b></p><p>n</p>".into()),
        ("<center>never", "<p>&lt;center&gt;never</p>".into()),
        ("$[ruby 漢字 かんじ]", format!("<p>{ruby}</p>")),
        ("$[ruby 漢字\u{3000}かんじ]を", format!("<p>{ruby}を</p>")),
        ("$[ruby **漢字** かんじ]", format!("<p>{}</p>", ruby.replace("漢字", "<b>漢字</b>"))),
        ("$[x2 $[ruby 漢字 かんじ]]", format!("<p><span class=\"mfm-x2\">{ruby}</span></p>")),
        ("$[ruby $[ruby a b] c]", "<p><ruby>a(b)<rp>(</rp><rt>c</rt><rp>)</rp></ruby></p>".into()),
        (
            "$[ruby 漢字] $[ruby  x]",
            "<p><span class=\"mfm-ruby\">漢字</span> <span class=\"mfm-ruby\"> x</span></p>".into(),
        ),
        (
            "$[spin.x,speed=0.5s,evil=1,x a]",
            "<p><span class=\"mfm-spin\" data-mfm-x=\"\" data-mfm-speed=\"0.5s\">a</span></p>".into(),
        ),
        ("$[nobodyknows.a=b x] $[x2]", "<p>x $[x2]</p>".into()),
        ("***x***", "<p><span class=\"mfm-tada\">x</span></p>".into()),
        ("$[unixtime 1700000000]", "<p><span class=\"mfm-unixtime\">2023-11-14 22:13 UTC</span></p>".into()),
        ("$[unixtime x]", "<p><span class=\"mfm-unixtime\">x</span></p>".into()),
        ("$[x2 a **b]c", "<p><span class=\"mfm-x2\">a **b</span>c</p>".into()),
        ("**a $[x2 b** c]", "<p>**a <span class=\"mfm-x2\">b** c</span></p>".into()),
        ("$[x2 [a] b]", "<p><span class=\"mfm-x2\">[a</span> b]</p>".into()),
        (">\n> \n>", "<p>&gt;<br>&gt; <br>&gt;</p>".into()),
        ("****", "<p>****</p>".into()),
        ("[**l**](https://a.example/?x&y)", format!("<p>{}</p>", link("https://a.example/?x&amp;y", "<b>l</b>"))),
        ("?[l](https://a.example/(b))", format!("<p>?{}</p>", link("https://a.example/(b)", "l"))),
        ("[l](<https://a.example/>)", format!("<p>{}</p>", link("https://a.example/", "l"))),
        ("[l](javascript:alert(1)) [l] [](https://a.example)", {
            let bare = link("https://a.example", "https://a.example");
            format!("<p>[l](javascript:alert(1)) [l] []({bare})</p>")
        }),
        ("[a https://b.example @mei](https://a.example)", {
            format!("<p>{}</p>", link("https://a.example", "a https://b.example @mei"))
        }),
        ("<https://a.example/x>", format!("<p>{}</p>", link("https://a.example/x", "https://a.example/x"))),
        ("$[x2 https://a.example/x]y", {
            let inner = link("https://a.example/x", "https://a.example/x");
            format!("<p><span class=\"mfm-x2\">{inner}</span>y</p>")
        }),
        ("@kai@noren.example @bad @mei", {
            let person = |href: &str, name: &str| {
                let anchor =
                    format!("<a href=\"{href}\" class=\"u-url mention\" target=\"_blank\" rel=\"nofollow noopener\">");
                format!("<span class=\"h-card\" translate=\"no\">{anchor}@<span>{name}</span></a></span>")
            };
            let (kai, mei) = (
                person("https://noren.example/@kai?a&amp;b", "kai@noren.example"),
                person("https://m.example/@mei", "mei"),
            );
            format!("<p>{kai} @bad {mei}</p>")
        }),
        ("#猫 #犬 :neko:", {
            let tag = "<a href=\"https://m.example/tags/%E7%8C%AB\" class=\"mention hashtag\" target=\"_blank\" rel=\"nofollow noopener\">#<span>猫</span></a>";
            format!("<p>{tag} #犬 :neko:</p>")
        }),
        ("<script>alert(1)</script>\0\u{1}", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>".into()),
    ];
    for (text, html) in table {
        assert_eq!(show(text), html, "{text}");
        assert_eq!(sanitise(&html), html, "{text}");
    }
}

#[test]
fn what_is_too_long_or_too_deep() {
    assert_eq!(mfm_html(&"a".repeat(64 * 1024 + 1), &names()), None);
    let deep = format!("{}x{}", "$[x2 ".repeat(100), "]".repeat(100));
    let html = show(&deep);
    assert_eq!((html.matches("<span").count(), html.matches("$[x2").count()), (20, 80));
    assert_eq!(sanitise(&html), html);
    let quotes = format!("{}x", "> ".repeat(1000));
    assert_eq!(show(&quotes).matches("<blockquote>").count(), 6);
}

/// Short names of long addresses would make much of little.
#[test]
fn what_becomes_too_long() {
    let page = format!("https://m.example/{}", "a".repeat(2000));
    let names = Names { tags: HashMap::from([("a".to_owned(), page)]), ..names() };
    let shown = |count: usize| mfm_html(&"#a ".repeat(count), &names).map(|html| html.matches("<a ").count());
    assert_eq!((shown(60), shown(70), shown(64 * 1024 / 3)), (Some(60), None, None));
}

/// Pieces that open, close and do neither.
fn signs() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "**",
        "***",
        "__",
        "_",
        "*",
        "~~",
        "`",
        "```\n",
        "\n",
        "\n> ",
        "> ",
        " ",
        "\u{3000}",
        "[",
        "]",
        "](https://a.example/)",
        "](",
        "](<https://a.example>)",
        ")",
        "$[",
        "$[x2 ",
        "$[ruby ",
        "$[spin.x,speed=1s ",
        "$[unixtime ",
        "$[a.b=,,= ",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<s>",
        "</s>",
        "<small>",
        "</small>",
        "<plain>",
        "</plain>",
        "<center>",
        "</center>",
        "\n<center>",
        "@mei",
        "@kai@noren.example",
        "#猫",
        ":neko:",
        "https://a.example/x",
        "<https://a.example/>",
        "<",
        ">",
        "&",
        "\"",
        "'",
        "\\(",
        "\\)",
        "\u{a0}",
        "\0",
        "\r",
        "\r\n",
        "a",
        "\u{202e}",
        "\u{200b}",
        "<p>",
        "</p>",
        "</a>",
        "<rt>",
        "<script>",
        "&lt;",
        "0",
        "🎉",
    ]);
    let words = (0..100_u32).prop_map(|n| format!("語{}語", char::from_u32(0x3041 + n % 80).unwrap_or('あ')));
    prop::collection::vec(prop_oneof![3 => signs.prop_map(str::to_owned), 1 => words], 0..40)
        .prop_map(|pieces| pieces.concat())
}

/// The words of [`signs`].
fn words(text: &str) -> String {
    text.chars().filter(|c| ('ぁ'..='ん').contains(c) || *c == '語').collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_out_is_safe_as_it_is(text in prop_oneof![4 => signs(), 1 => any::<String>()]) {
        let html = show(&text);
        prop_assert_eq!(sanitise(&html), html);
    }

    #[test]
    fn no_word_is_lost(text in signs()) {
        let shown = words(&plain(&show(&text)));
        prop_assert!(text.contains("](") || shown == words(&text), "{}", shown);
        // What may be the address of a link need not be shown, whatever is around it.
        let mut parts = text.split("](");
        let mut typed = words(parts.next().unwrap_or_default());
        parts.filter_map(|part| part.split_once(char::is_whitespace)).for_each(|(_, rest)| typed += &words(rest));
        let count = |text: &str, word: char| text.chars().filter(|c| *c == word).count();
        prop_assert!(typed.chars().all(|word| count(&shown, word) >= count(&typed, word)), "{} {}", shown, typed);
    }
}

#[test]
fn time_grows_with_length_only() {
    let pieces = [
        "$[x2 ",
        "$[",
        "$[x2 a]",
        "]",
        "[",
        "](",
        "](https://a.example/",
        "[a](https://a.example",
        "**",
        "***",
        "*a",
        "_a",
        "__a",
        "~~",
        "`",
        "```a\n",
        "```\n",
        "> ",
        "\n> ",
        "> > ",
        "<b>",
        "<plain>",
        "<center>\n",
        "\n<center>",
        "<",
        "<https://",
        "@mei",
        "#猫",
        "$[ruby a ",
        "$[ruby a b]",
        "**a",
        "~~\n",
        "a\n",
        "[[",
        "]]",
        "$[a.a,",
    ];
    for piece in pieces {
        let long = piece.repeat(64 * 1024 / piece.len());
        let start = Instant::now();
        let html = show(&long);
        assert!(html.len() <= MAX_INPUT, "{piece:?}: {}", html.len());
        let spent = start.elapsed();
        println!("{piece:?}: {spent:?}");
        // Not a measurement: what grows with the square of the input takes minutes, on any machine.
        assert!(spent < Duration::from_secs(20), "{piece:?}: {spent:?}");
    }
}
