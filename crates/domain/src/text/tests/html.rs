//! The HTML that goes to clients.

use crate::text::{MentionLink, Mentions, Options, field_html, html, note_html, plain};

fn mention(url: &str, username: &str, pretty_acct: &str) -> MentionLink {
    MentionLink { url: url.into(), username: username.into(), pretty_acct: pretty_acct.into() }
}

fn people() -> Mentions {
    Mentions::from([
        ("alice".into(), mention("https://noren.example/@alice", "alice", "alice")),
        ("bob@remote.example".into(), mention("https://remote.example/@bob", "bob", "bob@remote.example")),
    ])
}

fn options(mentions: &Mentions) -> Options<'_> {
    Options { base_url: "https://noren.example/", local_domains: &["noren.example", "old.noren.example"], mentions }
}

fn show(text: &str) -> String {
    html(text, &options(&people()))
}

#[test]
fn paragraphs_and_escapes() {
    let table = [
        ("", ""),
        (" \n ", ""),
        ("text", "<p>text</p>"),
        ("line\nfeed", "<p>line<br />feed</p>"),
        ("a\r\nb\rc", "<p>a<br />b<br />c</p>"),
        ("a\n\nb\n\n\n\nc\n", "<p>a</p><p>b</p><p>c</p>"),
        ("\n\na\n\n\nb", "<p>a</p><p>b</p>"),
        ("<script>alert(\"x\")</script>", "<p>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</p>"),
        ("a & b's &amp;", "<p>a &amp; b&#39;s &amp;amp;</p>"),
        ("x\0y :blobcat: 🏳️‍🌈", "<p>xy :blobcat: 🏳️‍🌈</p>"),
        ("  two  spaces", "<p>  two  spaces</p>"),
        ("مرحبا\nعالم", "<p>مرحبا<br />عالم</p>"),
    ];
    for (text, want) in table {
        assert_eq!(show(text), want, "{text:?}");
    }
}

#[test]
fn links() {
    let link = |href: &str, head: &str, class: &str, shown: &str, tail: &str| {
        format!(
            "<p><a href=\"{href}\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">\
             <span class=\"invisible\">{head}</span><span class=\"{class}\">{shown}</span>\
             <span class=\"invisible\">{tail}</span></a></p>"
        )
    };
    assert_eq!(show("https://example.com/"), link("https://example.com/", "https://", "", "example.com/", ""));
    assert_eq!(
        show("https://www.example.com/?a=1&b='2"),
        link("https://www.example.com/?a=1&amp;b=&#39;2", "https://www.", "", "example.com/?a=1&amp;b=&#39;2", "")
    );
    let thirty_one = "https://example.com/1234567890123456789";
    assert_eq!(show(thirty_one), link(thirty_one, "https://", "", "example.com/1234567890123456789", ""));
    let more = "https://example.com/12345678901234567890";
    assert_eq!(show(more), link(more, "https://", "ellipsis", "example.com/123456789012345678", "90"));
    let japanese = format!("https://例え.jp/{}終わり", "長".repeat(24));
    let shown = format!("例え.jp/{}", "長".repeat(24));
    assert_eq!(show(&japanese), link(&japanese, "https://", "ellipsis", &shown, "終わり"));
}

#[test]
fn hashtags() {
    assert_eq!(
        show("#Hashtagタグ"),
        "<p><a href=\"https://noren.example/tags/Hashtag%E3%82%BF%E3%82%B0\" class=\"mention hashtag\" \
         rel=\"tag\">#<span>Hashtagタグ</span></a></p>"
    );
    assert_eq!(
        show("＃ab"),
        "<p><a href=\"https://noren.example/tags/ab\" class=\"mention hashtag\" rel=\"tag\">#<span>ab</span></a></p>"
    );
}

#[test]
fn mentions() {
    let alice = "<span class=\"h-card\" translate=\"no\"><a href=\"https://noren.example/@alice\" \
                 class=\"u-url mention\">@<span>alice</span></a></span>";
    assert_eq!(show("@alice"), format!("<p>{alice}</p>"));
    assert_eq!(show("@ALICE@noren.EXAMPLE"), format!("<p>{alice}</p>"));
    let bob = alice.replace("noren.example/@alice", "remote.example/@bob").replace("alice", "bob");
    assert_eq!(show("hi @bob@remote.example!"), format!("<p>hi {bob}!</p>"));
    assert_eq!(show("@bob @eve@remote.example"), "<p>@bob @eve@remote.example</p>");
}

#[test]
fn namesakes_are_told_apart() {
    let mut people = people();
    people.insert(
        "alice@remote.example".into(),
        mention("https://remote.example/@alice", "alice", "alice@remote.example"),
    );
    let out = html("@alice @alice@remote.example", &options(&people));
    assert!(out.contains("@<span>alice</span>"), "{out}");
    assert!(out.contains("@<span>alice@remote.example</span>"), "{out}");
}

#[test]
fn notes_and_fields() {
    let people = people();
    let options = options(&people);
    assert_eq!(note_html("a\n\nb", &options), "<p>a</p><p>b</p>");
    assert_eq!(field_html(" they/them ", &options), "they/them");
    assert_eq!(field_html("a\nb<", &options), "a b&lt;");
    let link = field_html("https://example.com", &options);
    assert!(link.contains("rel=\"nofollow noopener me\""), "{link}");
    let bob = field_html("@bob@remote.example", &options);
    assert!(bob.contains("@<span>bob@remote.example</span>"), "{bob}");
}

#[test]
fn plain_gives_the_text_back() {
    let text = "こんにちは <b> & \"you\"\nsecond  line\n\n#タグ @alice https://www.example.com/a/long/path/that/is/cut?x=1&y=2";
    assert_eq!(plain(&show(text)), text);
}
