//! Mentions, hashtags, shortcodes and counting.

use crate::text::{Handle, Kind, count, count_with, mentioned, scan, shortcodes, tag_key, tags};

fn found(text: &str) -> Vec<&str> {
    scan(text).into_iter().map(|entity| &text[entity.range]).collect()
}

#[test]
fn hashtags() {
    let table: &[(&str, &[&str])] = &[
        ("hello #world", &["#world"]),
        ("hello ＃world", &["＃world"]),
        ("#a #b\n#c", &["#a", "#b", "#c"]),
        ("#日本 #東京タワー", &["#日本", "#東京タワー"]),
        ("#ぼっち・ざ・ろっく", &["#ぼっち・ざ・ろっく"]),
        ("＃ラーメン食べたい。", &["＃ラーメン食べたい"]),
        ("#スーパーマン！", &["#スーパーマン"]),
        ("「#今日の一枚」", &["#今日の一枚"]),
        ("（#写真）", &["#写真"]),
        ("おはよう。#朝活", &["#朝活"]),
        ("🎉#誕生日🎂", &["#誕生日"]),
        ("#々 #〆切 #ﾃｽﾄ", &["#々", "#〆切", "#ﾃｽﾄ"]),
        ("今日は#雨", &[]),
        ("this is #ａｅｓｔｈｅｔｉｃ", &["#ａｅｓｔｈｅｔｉｃ"]),
        ("#one·two·three·", &["#one·two·three"]),
        ("#·one", &[]),
        ("just add #نرم‌افزار and", &["#نرم‌افزار"]),
        ("#हिन्दी #ภาษาไทย #한국어", &["#हिन्दी", "#ภาษาไทย", "#한국어"]),
        ("#3d #l33t #world2016 #_test #test_", &["#3d", "#l33t", "#world2016", "#_test", "#test_"]),
        ("#123 #2020年", &["#2020年"]),
        ("#12・34 #1_2", &["#12・34", "#1_2"]),
        ("# # ## #! #️⃣ #⃣", &[]),
        ("##a a#b /#c =#d &#e; x_#f", &[]),
        ("#foo-bar #c++ #it's", &["#foo", "#c", "#it"]),
        ("#hashtaghttp://", &["#hashtag"]),
        ("#タグhttps://example.com/", &["#タグ", "https://example.com/"]),
        ("test\u{a0}#foo\u{3000}#bar", &["#foo", "#bar"]),
        ("#a#b", &["#a"]),
        ("\u{202b}#عربي\u{202c}", &["#عربي"]),
    ];
    for (text, want) in table {
        assert_eq!(found(text), *want, "{text}");
    }
}

#[test]
fn tag_keys() {
    let table = [
        ("Rust", "rust"),
        ("ＡＢＣ", "abc"),
        ("ﾃｽﾄ", "テスト"),
        ("ｶﾞﾝﾀﾞﾑ", "ガンダム"),
        ("Café", "cafe"),
        ("ŁÓDŹ", "lodz"),
        ("İstanbul", "istanbul"),
        ("ぼっち・ざ・ろっく", "ぼっち・ざ・ろっく"),
        ("①番", "1番"),
        ("hello❤️world", "helloworld"),
        ("#x y", "xy"),
        ("Straße", "straße"),
        ("हिन्दी", "हिन्दी"),
        ("", ""),
    ];
    for (name, key) in table {
        assert_eq!(tag_key(name), key, "{name}");
    }
    let tags = tags("#Rust #rust ＃ＲＵＳＴ #ﾃｽﾄ");
    let names: Vec<_> = tags.iter().map(|tag| (tag.name.as_str(), tag.key.as_str())).collect();
    assert_eq!(names, [("Rust", "rust"), ("ﾃｽﾄ", "テスト")]);
}

#[test]
fn mentions() {
    let table: &[(&str, &[&str])] = &[
        ("@alice", &["@alice"]),
        ("@alice@remote.example hi", &["@alice@remote.example"]),
        ("(@a_b.c-d)", &["@a_b.c-d"]),
        ("@alice. @bob- @carol...", &["@alice", "@bob", "@carol"]),
        ("@alice@example.com.", &["@alice@example.com"]),
        ("@alice,@bob", &["@alice", "@bob"]),
        ("@aliceさん、@bob@例え.みんな！", &["@alice", "@bob@例え.みんな"]),
        ("@alice@example.comさん", &["@alice@example.com"]),
        ("やあ@alice", &[]),
        ("やあ、@alice", &["@alice"]),
        ("me@example.com /@alice =@alice _@alice", &[]),
        ("@screen_name@ @a@b@c @aliceé @x://", &[]),
        ("https://example.com/@alice", &["https://example.com/@alice"]),
        ("@ @- @.a @ alice ＠alice", &[]),
        ("@bob@127.0.0.1:4001 @bob@localhost:3000", &["@bob@127.0.0.1:4001", "@bob@localhost:3000"]),
        ("@bob@example.com:12時", &["@bob@example.com"]),
        ("\u{200f}@alice مرحبا", &["@alice"]),
    ];
    for (text, want) in table {
        assert_eq!(found(text), *want, "{text}");
    }
    let long = format!("@alice@{}.com", "b".repeat(260));
    assert_eq!(found(&long), Vec::<&str>::new());
}

#[test]
fn handles() {
    let handles = mentioned("@Alice @alice@NOREN.example @bob@例え.jp @BOB@xn--r8jz45g.jp", &["noren.example"]);
    let keys: Vec<String> = handles.iter().map(Handle::key).collect();
    assert_eq!(keys, ["alice", "bob@xn--r8jz45g.jp"]);
    assert_eq!(handles[0].username, "Alice");
    let local = Handle::new("a", Some("localhost:3000"), &["noren.example", "localhost:3000"]);
    assert_eq!(local.domain, None);
    let other = Handle::new("a", Some("localhost:3001"), &["localhost:3000"]);
    assert_eq!(other.key(), "a@localhost:3001");
}

#[test]
fn emoji() {
    let table: &[(&str, &[&str])] = &[
        ("hi :blobcat: there", &["blobcat"]),
        (":a_1:\n:B2:", &["a_1", "B2"]),
        (":x: :: ::: :a b:", &[]),
        (":one::two:", &[]),
        (":one:\u{200b}:two:", &["one", "two"]),
        ("a:foo: :foo:b 猫:foo: :foo:猫", &[]),
        ("（:foo:）🎉:bar:", &["foo", "bar"]),
        ("_:foo:_", &["foo"]),
        ("12:30:45 https://e.com/:ab:", &[]),
    ];
    for (text, want) in table {
        assert_eq!(shortcodes(text), *want, "{text}");
    }
}

#[test]
fn kinds_carry_their_parts() {
    let kinds: Vec<Kind> = scan("@a@b.c #d :ee:").into_iter().map(|entity| entity.kind).collect();
    let want = [
        Kind::Mention { username: "a".into(), domain: Some("b.c".into()) },
        Kind::Hashtag { name: "d".into() },
        Kind::Emoji { shortcode: "ee".into() },
    ];
    assert_eq!(kinds, want);
}

#[test]
fn counting() {
    let table = [
        ("", 0),
        ("  ", 0),
        ("hello", 5),
        ("こんにちは", 5),
        ("👨‍👩‍👧‍👦🏳️‍⚧️✨", 3),
        ("🇯🇵が", 2),
        ("か\u{3099}", 1),
        ("https://example.com/a/very/long/path/that/goes/on", 23),
        ("http://a.jp", 23),
        ("見てhttps://example.comです", 27),
        ("@alice@remote.example", 6),
        ("@alice", 6),
        ("#tag :emoji:", 12),
        ("a\r\nb", 3),
    ];
    for (text, want) in table {
        assert_eq!(count(text), want, "{text}");
    }
    assert_eq!(count_with("cw https://example.com/", "x"), 24);
    let long = format!("http://example.com/valid?{}", "#foo?".repeat(1000));
    assert_eq!(count(&long), long.len());
    let glued = format!("{}http://{}.com/example", "a".repeat(76), "b".repeat(30));
    assert_eq!(count(&glued), glued.len());
}
