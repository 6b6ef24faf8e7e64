//! Strangers' HTML.

use std::time::{Duration, Instant};

use crate::text::{plain, sanitise};

#[test]
fn what_stays_and_what_goes() {
    let table = [
        ("", ""),
        ("plain", "plain"),
        ("a < b > c & d", "a &lt; b &gt; c &amp; d"),
        ("<p>a<br/>b</p>", "<p>a<br>b</p>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<P CLASS='h-card x'>A</P>", "<p class=\"h-card\">A</p>"),
        ("<h1>T</h1><h6>U</h6>x", "<p><strong>T</strong></p><p><strong>U</strong></p>x"),
        ("<div>a</div><div>b</div>", "a<br>b"),
        ("<div><p>a</p></div><div>b</div>", "<p>a</p>b"),
        ("x<script>alert(1)</script>y<style>p{}</style>z", "xyz"),
        ("x<SCRIPT>alert(1)</sCript >y", "xy"),
        ("x<script>alert(1)", "x"),
        ("a<!-- <b> -->b<!doctype html><?php ?>c</3>d", "abcd"),
        ("<img src=x onerror=alert(1)>text", "text"),
        ("<svg><a xlink:href='javascript:alert(1)'>x</a></svg>y", "y"),
        ("<b onclick=alert(1) style='x'>b</b>", "<b>b</b>"),
        ("<iframe src='https://evil.example'>x</iframe>", ""),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<ol start=3 reversed><li value=7>x</ol>", "<ol start=\"3\" reversed=\"\"><li value=\"7\">x</li></ol>"),
        ("<ol start='x'><li>x</ol>", "<ol><li>x</li></ol>"),
        ("<ruby>明日<rp>(</rp><rt>あした<rp>)</ruby>", "<ruby>明日<rp>(</rp><rt>あした</rt><rp>)</rp></ruby>"),
        (
            "<span class='mention hashtag ellipsis invisible quote-inline evil' lang=ja translate=no>x</span>",
            "<span class=\"mention hashtag ellipsis invisible quote-inline\" lang=\"ja\" translate=\"no\">x</span>",
        ),
        ("<span translate=yes lang='\"'>x</span>", "<span>x</span>"),
        (
            "<span class='mfm-spin mfm-evil _mfm_spin_' data-mfm-x DATA-MFM-SPEED=0.5s data-mfm-evil=1 style='--mfm-speed:0.5s'>x</span>",
            "<span class=\"mfm-spin\" data-mfm-x=\"\" data-mfm-speed=\"0.5s\">x</span>",
        ),
        (
            "<span class=mfm-fg data-mfm-color='red;x' data-mfm-deg=1e99>x</span>",
            "<span class=\"mfm-fg\" data-mfm-deg=\"1e99\">x</span>",
        ),
        ("<b data-mfm-x=1 data-x=2>x</b>", "<b>x</b>"),
        (
            "<blockquote cite='https://a.example/1?a&amp;b' class=x>x</blockquote>",
            "<blockquote cite=\"https://a.example/1?a&amp;b\">x</blockquote>",
        ),
        ("<blockquote cite='javascript:alert(1)'>x</blockquote>", "<blockquote>x</blockquote>"),
        ("<blockquote cite='magnet:?xt=1'>x</blockquote>", "<blockquote>x</blockquote>"),
        ("<blockquote cite='//a.example/'>x</blockquote>", "<blockquote>x</blockquote>"),
        ("<p cite='https://a.example'>x</p>", "<p>x</p>"),
        ("<b><p>x</b>y</p>z", "<b><p>x</p></b>yz"),
        ("<pre>\n\n a\n  b</pre>", "<pre> a\n  b</pre>"),
        (
            "<math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></semantics></math>",
            "$x^2$",
        ),
        ("<abbr title='a \"b\" <c>'>x</abbr>", "<abbr title=\"a &quot;b&quot; &lt;c&gt;\">x</abbr>"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\0<\0script>\u{1}&#1;&#13;x", "&lt;script&gt;x"),
        ("<p", ""),
        ("x <a href='", "x "),
        ("\u{202e}مرحبا <b>こんにちは</b> 👨‍👩‍👧", "\u{202e}مرحبا <b>こんにちは</b> 👨‍👩‍👧"),
    ];
    for (input, want) in table {
        assert_eq!(sanitise(input), want, "{input}");
        assert_eq!(sanitise(want), want, "again {input}");
    }
}

#[test]
fn links() {
    let link = |href: &str| format!("<a href=\"{href}\" target=\"_blank\" rel=\"nofollow noopener\">x</a>");
    let table = [
        ("https://example.com/?a=1&amp;b=2", link("https://example.com/?a=1&amp;b=2")),
        ("HTTP://EXAMPLE.com", link("HTTP://EXAMPLE.com")),
        ("https://例え.jp/日本", link("https://例え.jp/日本")),
        ("magnet:?xt=1", link("magnet:?xt=1")),
        ("gemini://e.org/", link("gemini://e.org/")),
        ("javascript:alert(1)", "x".into()),
        (" &#106;avascript:alert(1)", "x".into()),
        ("java\nscript:alert(1)", "x".into()),
        ("&#x6A;&#x61;vascript&colon;alert(1)", "x".into()),
        ("data:text/html,x", "x".into()),
        ("vbscript:x", "x".into()),
        ("mailto:a@b.c", "x".into()),
        ("/relative", "x".into()),
        ("//example.com/", "x".into()),
        ("#top", "x".into()),
        ("", "x".into()),
    ];
    for (href, want) in table {
        assert_eq!(sanitise(&format!("<a href=\"{href}\" onclick=x rel=me target=_top>x</a>")), want, "{href}");
    }
    assert_eq!(sanitise("<a>x <b>y</b></a>z"), "x <b>y</b>z");
    assert_eq!(
        sanitise("<a href=https://a.example class='u-url mention'>@<span>a</span></a>"),
        "<a href=\"https://a.example\" class=\"u-url mention\" target=\"_blank\" rel=\"nofollow noopener\">@<span>a</span></a>"
    );
}

#[test]
fn to_text() {
    let table = [
        ("<b>Lorem</b> <em>ipsum</em>", "Lorem ipsum"),
        ("<p>Lorem</p><p>ipsum</p>", "Lorem\n\nipsum"),
        ("Lorem<br>ipsum", "Lorem\nipsum"),
        ("Lorem &amp; ipsum &#x2764; &lt;b&gt; &amp;lt;", "Lorem & ipsum ❤ <b> &lt;"),
        ("Lorem <script> alert(\"Booh!\") </script>ipsum", "Lorem ipsum"),
        ("<p>Lorem <ruby>明日 <rp>(</rp><rt>Ashita</rt><rp>)</rp></ruby> ipsum</p>", "Lorem 明日 (Ashita) ipsum"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc"),
        ("a\nb<pre>c\n  d</pre>", "a b\n\nc\n  d"),
        ("a&nbsp;b", "a\u{a0}b"),
        ("", ""),
    ];
    for (html, want) in table {
        assert_eq!(plain(html), want, "{html}");
    }
}

/// Each of these has broken some parser, by time, by stack or by memory.
#[test]
fn hostile_input_is_bounded() {
    let inputs = [
        "<div>".repeat(1_000_000),
        "<b>".repeat(300_000),
        "<p><b>".repeat(100_000),
        "<a href=x>".repeat(100_000),
        "<ul><li>".repeat(100_000),
        "<blockquote>".repeat(100_000),
        "<ruby><rt>".repeat(100_000),
        format!("<a {}>", (0..80_000).map(|n| format!("a{n} ")).collect::<String>()),
        format!("<span {}>", "class=h-x ".repeat(80_000)),
        "<svg><math>".repeat(100_000),
        "<!--".repeat(200_000),
        "<script>".repeat(100_000),
        "</p>".repeat(200_000),
        "&".repeat(500_000),
        "<".repeat(500_000),
        "<a href=\"".repeat(100_000),
        format!("{}{}", "<i>".repeat(60_000), "</b>".repeat(60_000)),
    ];
    for input in inputs {
        let start = Instant::now();
        let out = sanitise(&input);
        let spent = start.elapsed();
        let name: String = input.chars().take(12).collect();
        // Not a measurement: what grows with the square of the input takes minutes, on any machine.
        assert!(spent < Duration::from_secs(30), "{name}: {spent:?}");
        assert!(out.len() < 4 * 1024 * 1024, "{name}: {} bytes", out.len());
        println!("{name}: {spent:?}, {} bytes", out.len());
    }
}
