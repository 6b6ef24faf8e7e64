//! More of the corpus: what other programs make of markup, albums, articles, events and sounds.

use crate::corpus::{PLAIN, Shown, all_arrive};
use crate::peer::with_a_peer;
use serde_json::{Value, json};

const MORE: &[Shown] = &[
    Shown {
        file: "misskey_mfm",
        host: "misskey.example",
        author: "/users/9abc",
        text: "漢字(かんじ)と大きな 字 #猫@kai@noren.example 小 🎉RE: ",
        html: &[
            "<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>と<span class=\"mfm-x2\">大きな</span> <b>字</b>",
            "class=\"mention hashtag\" target=\"_blank\" rel=\"nofollow noopener\">#<span>猫</span></a><br>",
            "/@bob\" class=\"u-url mention\" target=\"_blank\" rel=\"nofollow noopener\">@<span>kai@noren.example</span></a></span> 小",
            "<span class=\"mfm-sparkle\">🎉</span></p><p class=\"quote-inline\">RE: <a href=\"http://localhost:",
        ],
        tags: &["猫"],
        names_bob: true,
        ..PLAIN
    },
    Shown {
        file: "akkoma_mfm",
        host: "akkoma.example",
        author: "/users/ren",
        text: "round and round",
        html: &["<span class=\"mfm-spin\" data-mfm-x=\"\" data-mfm-speed=\"0.5s\">round</span> and <span>round</span>"],
        ..PLAIN
    },
    Shown {
        file: "pleroma_create",
        host: "pleroma.example",
        author: "/users/lain",
        text: "so it is  :lain:",
        spoiler: "wired",
        language: "en",
        media: &["image"],
        emojis: &["lain"],
        ..PLAIN
    },
    Shown {
        file: "pixelfed_place",
        host: "pixelfed.example",
        author: "/users/lou",
        text: "by the sea #sea",
        tags: &["sea"],
        media: &["image", "video"],
        ..PLAIN
    },
    Shown {
        file: "bookwyrm_review",
        host: "bookwyrm.example",
        author: "/user/ann",
        text: "Review of \"A Book\" (4 stars): GoodRead it.http",
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "bookwyrm_quotation",
        host: "bookwyrm.example",
        author: "/user/ann",
        text: "\"It was a tea.\" -- \"A Book\"Yes!",
        spoiler: "end of it",
        ..PLAIN
    },
    Shown {
        file: "funkwhale_audio",
        host: "funkwhale.example",
        author: "/federation/actors/tom",
        text: "Band - Record - Songhttp",
        media: &["audio"],
        ..PLAIN
    },
    Shown {
        file: "owncast_live",
        host: "owncast.example",
        author: "/federation/user/live",
        text: "I am live!#tea",
        tags: &["tea"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "flipboard_create",
        host: "flipboard.example",
        author: "/@mag",
        text: "The best kettleshttps://news.example/kettles",
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "discourse_note",
        host: "discourse.example",
        author: "/ap/actor/2",
        text: "Which kettle?I need one.\nDiscuss this on our forum.",
        html: &["<p><strong>Which kettle?</strong></p><p>I need one.</p>"],
        ..PLAIN
    },
    Shown {
        file: "loops_create",
        host: "loops.example",
        author: "/ap/users/3",
        text: "tea in ten seconds",
        language: "en",
        tags: &["tea"],
        media: &["video"],
        ..PLAIN
    },
    Shown {
        file: "snac_create",
        host: "snac.example",
        author: "/sven",
        text: "very small @kai",
        media: &["image"],
        names_bob: true,
        ..PLAIN
    },
    Shown {
        file: "hubzilla_create",
        host: "hubzilla.example",
        author: "/channel/hub",
        text: "A titlewords @kaimorehidden words",
        html: &["<p><strong>A title</strong></p><p>words "],
        tags: &["word"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "mbin_page",
        host: "mbin.example",
        author: "/u/max",
        text: "A pothttp",
        spoiler: "A pot #tea",
        tags: &["tea"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "gancio_event",
        host: "gancio.example",
        author: "/federation/u/gancio",
        text: "Tea &amp; talk2026-12-01 18:30 +01:00The Hallbring a cuphttp",
        html: &[
            "<p><strong>Tea &amp; talk</strong></p><p>2026-12-01 18:30 +01:00<br>The Hall</p><p>bring a cup</p><p><a href=",
        ],
        tags: &["tea"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "wordpress_note",
        host: "blog.example",
        author: "/?author=1",
        text: "Short wordssaidDesk",
        html: &["<blockquote cite=\"https://other.example/1\"><p>said</p></blockquote>"],
        language: "en-US",
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "wordpress_preview",
        host: "blog.example",
        author: "/?author=1",
        text: "A longer readWhat it says, in two lineshttp",
        html: &["<p>What it says, in <em>two</em> lines</p>"],
        ..PLAIN
    },
    Shown {
        file: "iceshrimp_net_create",
        host: "net.iceshrimp.example",
        author: "/users/nn",
        text: "as said RE: ",
        html: &["<span class=\"quote-inline\"><br><br>RE: "],
        ..PLAIN
    },
];

with_a_peer! {
    async fn what_other_programs_write_is_shown_well(server, peer, bob) {
        drop(peer);
        let seen = all_arrive(&server, &bob, MORE).await;
        let of = |file: &str| {
            let at = MORE.iter().position(|shown| shown.file == file).unwrap();
            seen[at].clone()
        };
        // A picture that is not to be seen without asking makes the post so; what nobody can draw is not shown.
        let place = of("pixelfed_place");
        let picture = &place["media_attachments"][0];
        assert_eq!((&place["sensitive"], &place["spoiler_text"]), (&json!(true), &json!("")), "{place}");
        assert_eq!((&picture["blurhash"], &picture["meta"]["focus"], &picture["description"]), (&Value::Null, &Value::Null, &json!("waves")));
        assert_eq!(picture["meta"]["original"]["width"], 1080, "{picture}");
        let mbin = of("mbin_page");
        assert_eq!(mbin["media_attachments"][0]["blurhash"], "LEHV6nWB2yk8pyo0adR*.7kCMdnj");
        let pleroma = of("pleroma_create");
        assert_eq!(pleroma["media_attachments"][0]["meta"]["original"]["height"], 480, "{pleroma}");
        assert_eq!(of("hubzilla_create")["media_attachments"][0]["description"], "a photo");
        assert_eq!(of("bookwyrm_quotation")["quote"], Value::Null);
        assert!(of("funkwhale_audio")["url"].as_str().unwrap().ends_with("/library/tracks/1"));
        assert!(of("loops_create")["media_attachments"][0]["preview_url"].as_str().is_some_and(|url| !url.is_empty()));
    }
}
