//! Tokens, queries, and that the engine agrees.

use crate::text::search::{Term, fts5, index_html, index_tokens, index_tsvector, query, tsquery};

#[test]
fn tokens() {
    let table = [
        ("", ""),
        ("Hello, World!", "hello world"),
        ("東京", "東京 京"),
        ("東京都へ。", "東京 京都 都へ へ"),
        ("東", "東"),
        ("iPhone買った2020年", "iphone 買っ った た 2020 年"),
        ("カタカナ ｶﾀｶﾅ ひらがな", "かた たか かな な かた たか かな な ひら らが がな な"),
        ("ﾊﾞｰ サーバー", "ばー ー さー ーば ばー ー"),
        ("ＡＢＣ１２３", "abc123"),
        ("Café Łódź Straße", "cafe lodz straße"),
        ("Москва́ Ёлка", "москва ёлка"),
        ("foo_bar-baz.qux", "foo bar baz qux"),
        ("葛\u{e0100}飾", "葛飾 飾"),
        ("日本語🎉だ", "日本 本語 語 x1f389 だ"),
        ("👍🏽❤️", "x1f44d x2764"),
        ("نرم‌افزار كِتاب", "نرمافزار كتاب"),
        ("ที่นี่", "ทx0e35x0e48นx0e35x0e48 นx0e35x0e48"),
        ("한국어", "한국 국어 어"),
        ("\"AND\" OR NOT (x) NEAR/2 *", "and or not x near 2"),
    ];
    for (text, want) in table {
        assert_eq!(index_tokens(text), want, "{text}");
    }
    assert_eq!(index_html("<p class=\"p-x\">東京<br>foo</p>"), "東京 京 foo");
    assert_eq!(index_tsvector("東京 x"), "'東京':1 '京':2 'x':3");
    assert!(index_tokens(&"漢".repeat(200_000)).split(' ').count() <= 16_000);
    assert!(index_tokens(&"a".repeat(200_000)).len() <= 64);
}

fn both(typed: &str) -> (String, String) {
    let terms = query(typed);
    (fts5(&terms).unwrap_or_default(), tsquery(&terms).unwrap_or_default())
}

#[test]
fn queries() {
    let table = [
        ("東京", "(\"東京\")", "('東京')"),
        ("東京都", "(\"東京 京都\")", "('東京' <-> '京都')"),
        ("東", "(\"東\" *)", "('東':*)"),
        ("hello world", "(\"hello\" AND \"world\")", "('hello') & ('world')"),
        ("hello　東京", "(\"hello\" AND \"東京\")", "('hello') & ('東京')"),
        ("\"hello world\" -foo", "(\"hello world\") NOT \"foo\"", "('hello' <-> 'world') & !('foo')"),
        ("wor*", "(\"wor\" *)", "('wor':*)"),
        ("x東京y", "(\"x 東京 京 y\")", "('x' <-> '東京' <-> '京' <-> 'y')"),
        ("iPhone買", "(\"iphone 買\" *)", "('iphone' <-> '買':*)"),
        ("#タグ", "(\"たぐ\")", "('たぐ')"),
        ("\" OR 1=1; --", "(\"or 1 1\")", "('or' <-> '1' <-> '1')"),
        ("a' | !b & (c):*", "(\"a\" AND \"b\" AND \"c\" *)", "('a') & ('b') & ('c':*)"),
        ("NEAR(a b)", "(\"near a\" AND \"b\")", "('near' <-> 'a') & ('b')"),
        ("-foo", "", ""),
        ("!!! - + \"", "", ""),
        ("", "", ""),
        ("from:alice 東京", "(\"東京\")", "('東京')"),
        ("🎉", "(\"x1f389\")", "('x1f389')"),
    ];
    for (typed, sqlite, postgres) in table {
        let (fts5, tsquery) = both(typed);
        assert_eq!(fts5, sqlite, "{typed}");
        assert_eq!(tsquery, postgres, "{typed}");
    }
}

#[test]
fn filters() {
    let terms = query("from:@alice@remote.example -has:media Before:\"2024-01-01\" from: http://x");
    let filters: Vec<_> = terms
        .iter()
        .filter_map(|term| match term {
            Term::Filter { name, value, negated } => Some((*name, value.as_str(), *negated)),
            Term::Text { .. } => None,
        })
        .collect();
    let want = [("from", "@alice@remote.example", false), ("has", "media", true), ("before", "2024-01-01", false)];
    assert_eq!(filters, want);
    assert_eq!(terms.len(), 5);
    assert!(query(&"a ".repeat(1000)).len() <= 24);
}

/// The promise itself, asked of the engine: every post that holds the words is found.
#[test]
fn sqlite_finds_what_it_should() -> rusqlite::Result<()> {
    let posts = [
        "東京は夜の七時",
        "昨日、東京都に行った",
        "京都の東",
        "ﾄｳｷｮｳ tower at Night",
        "新東京",
        "東。京",
        "hello wide world",
        "Café 2020年 x1 コーヒー",
        "ภาษาไทยที่นี่",
        "हिन्दी में",
    ];
    let db = rusqlite::Connection::open_in_memory()?;
    db.execute_batch("CREATE VIRTUAL TABLE t USING fts5(body, tokenize = 'unicode61 remove_diacritics 0')")?;
    for (at, post) in posts.iter().enumerate() {
        db.execute("INSERT INTO t(rowid, body) VALUES (?1, ?2)", (at as i64, index_tokens(post)))?;
    }
    let table: &[(&str, &[i64])] = &[
        ("東京", &[0, 1, 4]),
        ("東京都", &[1]),
        ("東", &[0, 1, 2, 4, 5]),
        ("京", &[0, 1, 2, 4, 5]),
        ("都", &[1, 2]),
        ("夜の七", &[0]),
        ("トウキョウ", &[3]),
        ("とうきょう Night", &[3]),
        ("tower night", &[3]),
        ("\"hello world\"", &[]),
        ("hello world", &[6]),
        ("wor*", &[6]),
        ("wor", &[]),
        ("東京 -都", &[0, 4]),
        ("cafe", &[7]),
        ("2020年", &[7]),
        ("ｺｰﾋｰ", &[7]),
        ("ไทย", &[8]),
        ("ที่นี่", &[8]),
        ("हिन्दी", &[9]),
        ("हिन", &[]),
    ];
    for (typed, want) in table {
        let Some(ask) = fts5(&query(typed)) else {
            panic!("{typed} asks nothing");
        };
        let mut statement = db.prepare("SELECT rowid FROM t WHERE t MATCH ?1 ORDER BY rowid")?;
        let found: Vec<i64> = statement.query_map([&ask], |row| row.get(0))?.collect::<Result<_, _>>()?;
        assert_eq!(found, *want, "{typed}: {ask}");
    }
    Ok(())
}
