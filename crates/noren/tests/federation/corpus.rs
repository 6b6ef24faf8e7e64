//! The corpus of other programs' posts, sent here by whom it says and shown to who follows them.

use crate::peer::{Peer, followed, local_uri, with_a_peer};
use crate::{home, id, notifications, search, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// What a client must see of one.
pub(crate) struct Shown {
    pub(crate) file: &'static str,
    pub(crate) host: &'static str,
    pub(crate) author: &'static str,
    pub(crate) visibility: &'static str,
    /// What stands in the text, what in its HTML, and the warning.
    pub(crate) text: &'static str,
    pub(crate) html: &'static [&'static str],
    pub(crate) spoiler: &'static str,
    pub(crate) language: &'static str,
    pub(crate) tags: &'static [&'static str],
    /// Media by kind, emoji by name, and the options of a poll.
    pub(crate) media: &'static [&'static str],
    pub(crate) emojis: &'static [&'static str],
    pub(crate) options: &'static [&'static str],
    /// It names Bob.
    pub(crate) names_bob: bool,
}

pub(crate) const PLAIN: Shown = Shown {
    file: "",
    host: "",
    author: "",
    visibility: "public",
    text: "",
    html: &[],
    spoiler: "",
    language: "",
    tags: &[],
    media: &[],
    emojis: &[],
    options: &[],
    names_bob: false,
};

const ALL: &[Shown] = &[
    Shown {
        file: "mastodon_create",
        host: "mastodon.example",
        author: "/users/mia",
        text: "@kai yes",
        spoiler: "tea",
        language: "en",
        media: &["image"],
        names_bob: true,
        ..PLAIN
    },
    Shown {
        file: "gotosocial_create",
        host: "gts.example",
        author: "/users/zoe",
        text: "hej",
        language: "sv",
        media: &["audio"],
        names_bob: true,
        ..PLAIN
    },
    Shown {
        file: "gotosocial_question",
        host: "gts.example",
        author: "/users/zoe",
        text: "vad?",
        language: "sv",
        options: &["fika", "te"],
        ..PLAIN
    },
    Shown {
        file: "misskey_create",
        host: "misskey.example",
        author: "/users/9abc",
        visibility: "unlisted",
        text: "こんにちは",
        html: &[
            "<p><span class=\"mfm-tada\">こんにちは</span> :neko: <span class=\"h-card\" translate=\"no\"><a href=",
        ],
        tags: &["猫"],
        media: &["video"],
        emojis: &["neko"],
        names_bob: true,
        ..PLAIN
    },
    Shown {
        file: "misskey_question",
        host: "misskey.example",
        author: "/users/9abc",
        text: "?",
        options: &["はい", "いいえ"],
        ..PLAIN
    },
    Shown {
        file: "mei23_create",
        host: "mei23.example",
        author: "/users/5mei",
        visibility: "private",
        text: "フォロワーだけ",
        ..PLAIN
    },
    Shown {
        file: "sharkey_create",
        host: "sharkey.example",
        author: "/users/9shark",
        text: "soup hot",
        html: &["soup <span class=\"mfm-x2\"><i>hot</i></span>"],
        spoiler: "food",
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "iceshrimp_create",
        host: "iceshrimp.example",
        author: "/users/9ice",
        visibility: "unlisted",
        text: "cold &amp; quiet",
        emojis: &["ice"],
        ..PLAIN
    },
    Shown {
        file: "akkoma_create",
        host: "akkoma.example",
        author: "/users/ren",
        text: "hello you",
        language: "en",
        tags: &["x"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "mitra_create",
        host: "mitra.example",
        author: "/users/io",
        visibility: "direct",
        text: "for those who subscribe",
        names_bob: true,
        ..PLAIN
    },
    Shown {
        file: "hollo_create",
        host: "hollo.example",
        author: "/@lin",
        text: "안녕",
        language: "ko",
        tags: &["tea"],
        ..PLAIN
    },
    Shown {
        file: "threads_create",
        host: "threads.example",
        author: "/ap/users/1/",
        text: "hi",
        language: "en",
        ..PLAIN
    },
    Shown {
        file: "bridgy_create",
        host: "bsky.brid.example",
        author: "/ap/did:plc:abc",
        text: "from over there",
        language: "en",
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "pixelfed_create",
        host: "pixelfed.example",
        author: "/users/lou",
        text: "album",
        tags: &["album"],
        media: &["image", "image", "image", "image", "image", "image"],
        ..PLAIN
    },
    Shown {
        file: "streams_create",
        host: "streams.example",
        author: "/channel/ada",
        text: "a plain word",
        language: "en",
        ..PLAIN
    },
    Shown {
        file: "friendica_note",
        host: "friendica.example",
        author: "/profile/ole",
        text: "look",
        language: "da",
        ..PLAIN
    },
    Shown {
        file: "bookwyrm_note",
        host: "bookwyrm.example",
        author: "/user/ann",
        text: "Three of five",
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "wafrn_create",
        host: "wafrn.example",
        author: "/fediverse/blog/woof",
        text: "Bigand movingone",
        tags: &["dog"],
        ..PLAIN
    },
    Shown { file: "lemmy_comment", host: "lemmy.example", author: "/u/nora", text: "no", names_bob: true, ..PLAIN },
    Shown {
        file: "lemmy_page",
        host: "lemmy.example",
        author: "/u/nora",
        text: "The best kettle",
        language: "fr",
        tags: &["tea"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "nodebb_note",
        host: "nodebb.example",
        author: "/uid/3",
        text: "Which kettle?I need one.",
        tags: &["kettle"],
        ..PLAIN
    },
    Shown {
        file: "wordpress_article",
        host: "blog.example",
        author: "/?author=1",
        text: "A long readFirst.",
        language: "de",
        tags: &["read"],
        media: &["image"],
        ..PLAIN
    },
    Shown {
        file: "ghost_article",
        host: "ghost.example",
        author: "/.ghost/activitypub/users/index",
        text: "A newsletterIn one line",
        ..PLAIN
    },
    Shown {
        file: "writefreely_article",
        host: "writefreely.example",
        author: "/api/collections/pen",
        text: "On pensInk.",
        language: "en",
        ..PLAIN
    },
    Shown {
        file: "peertube_video",
        host: "peertube.example",
        author: "/accounts/pia",
        text: "How to brewBrewing for all",
        html: &["<strong>Brewing</strong> for all"],
        tags: &["tea"],
        media: &["video"],
        ..PLAIN
    },
    Shown {
        file: "mobilizon_event",
        host: "mobilizon.example",
        author: "/@club",
        text: "Tea party2026-12-01 18:00 UTCHallcome",
        media: &["image"],
        ..PLAIN
    },
];

/// As this peer would send it to Bob's server, with him in the place of who is named in it.
fn document(server: &TestServer, peer: &Peer, bob: &Person, shown: &Shown) -> Value {
    let path = format!("{}/../federation/tests/corpus/{}.json", env!("CARGO_MANIFEST_DIR"), shown.file);
    let text = std::fs::read_to_string(path).unwrap();
    let here = &server.parts().site.base_url;
    let text = text.replace(&format!("https://{}", shown.host), &peer.base);
    let text = text.replace("https://noren.example/users/kai\"", &format!("{}\"", local_uri(server, bob)));
    serde_json::from_str(&text.replace("https://noren.example/@kai\"", &format!("{here}/@bob\""))).unwrap()
}

fn list(value: &Value, name: &str) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|one| one[name].as_str().unwrap_or_default().to_owned()).collect()
}

fn compare(status: &Value, shown: &Shown) {
    let file = shown.file;
    assert!(text(status).contains(shown.text), "{file}: {}", status["content"]);
    let (visibility, spoiler, language) = (&status["visibility"], &status["spoiler_text"], &status["language"]);
    assert_eq!((visibility, spoiler), (&json!(shown.visibility), &json!(shown.spoiler)), "{file}");
    assert_eq!(language.as_str().unwrap_or_default(), shown.language, "{file}");
    assert_eq!(list(&status["tags"], "name"), shown.tags, "{file}");
    assert_eq!(list(&status["media_attachments"], "type"), shown.media, "{file}");
    assert_eq!(list(&status["emojis"], "shortcode"), shown.emojis, "{file}");
    assert_eq!(list(&status["poll"]["options"], "title"), shown.options, "{file}");
    let names = list(&status["mentions"], "username");
    assert_eq!(names.contains(&"bob".to_owned()), shown.names_bob, "{file}: {names:?}");
    assert!(status["url"].as_str().is_some_and(|url| url.starts_with("http")), "{file}");
    let html = status["content"].as_str().unwrap();
    for part in shown.html {
        assert!(html.contains(part), "{file}: {html}");
    }
    assert!(!["<script", "style=", "<marquee", "<img", "<h1"].iter().any(|bad| html.contains(bad)), "{file}: {html}");
}

/// Each is sent by a server of its own: two may have the same names. What Bob sees of it is as it must be.
pub(crate) async fn all_arrive(server: &TestServer, bob: &Person, all: &[Shown]) -> Vec<Value> {
    let mut seen = Vec::new();
    for (n, shown) in all.iter().enumerate() {
        let (peer, username) = (Peer::start().await, format!("p{n}"));
        let who = peer.somebody_at(&username, shown.author);
        let sent = document(server, &peer, bob, shown);
        let note = if sent["object"].is_object() { sent["object"].clone() } else { sent.clone() };
        let followers = note["cc"].as_array().and_then(|cc| cc.first()).or(Some(&note["cc"])).and_then(Value::as_str);
        if let Some(list) = followers.filter(|list| list.contains("followers")) {
            peer.shows(&who, &username, json!({ "followers": list }));
        }
        let there = followed(server, &peer, bob, (&who, &username)).await;
        let before = notifications(bob).await.len();
        peer.put(note["id"].as_str().unwrap().strip_prefix(&peer.base).unwrap(), note.clone());
        let create = match sent["object"].is_object() {
            true => sent,
            false => peer.activity(&who, ("Create", &format!("create-{n}")), note.clone()),
        };
        peer.send(&who, server, &create).await;
        let path = format!("/api/v1/accounts/{there}/statuses");
        let mut found = bob.get(&path, ()).await.ok().as_array().unwrap().clone();
        found.extend(home(bob).await);
        if shown.visibility == "direct" {
            let talks = bob.get("/api/v1/conversations", ()).await.ok();
            found.push(talks[0]["last_status"].clone());
        }
        let status =
            found.into_iter().find(|s| s["uri"] == note["id"]).unwrap_or_else(|| panic!("{}: {create}", shown.file));
        compare(&status, shown);
        let heard = notifications(bob).await.len() - before;
        assert_eq!(heard, usize::from(shown.names_bob), "{}", shown.file);
        bob.post(&format!("/api/v1/accounts/{}/unfollow", id(&status["account"])), ()).await.ok();
        server.settle().await;
        seen.push(status);
    }
    seen
}

with_a_peer! {
    async fn posts_of_every_program_are_taken_as_they_are_sent(server, peer, bob) {
        drop(peer);
        all_arrive(&server, &bob, ALL).await;
    }

    async fn what_is_for_nobody_is_not_taken(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let everybody = "https://www.w3.org/ns/activitystreams#Public";
        for (n, (to, cc, wanted)) in [
            (json!([]), json!([]), None),
            // Not even said: for whom it was sent to.
            (json!(null), json!(null), Some("public")),
            (json!([format!("{}/#Public", peer.base)]), json!([]), None),
            (json!("as:Public"), json!([]), Some("public")),
            (json!([]), json!(["Public"]), Some("unlisted")),
            (json!([{ "id": everybody }]), json!(null), Some("public")),
            (json!(format!("{}/followers", eve.uri)), json!(null), Some("private")),
            (json!(null), json!([format!("{}/followers", eve.uri)]), Some("private")),
            (json!([local_uri(&server, &bob)]), json!([]), Some("direct")),
        ].into_iter().enumerate() {
            let mut note = peer.note(&eve, (&n.to_string(), "<p>for whom?</p>"), &[]);
            (note["to"], note["cc"]) = (to, cc);
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", &n.to_string()), note.clone())).await;
            // There it cannot be asked for.
            let found = search(&bob, note["id"].as_str().unwrap()).await;
            let visibility = found["statuses"].as_array().unwrap().first().map(|s| s["visibility"].clone());
            assert_eq!(visibility, wanted.map(|v| json!(v)), "{note}");
        }
    }

    async fn summaries_warn_where_there_is_something_to_warn_of(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let long = format!("<p>{}</p>", "word ".repeat(1000));
        for (n, (kind, sensitive, content, (spoiler, said))) in [
            ("Note", json!(false), "<p>x</p>", ("about", "Titlex")),
            ("Article", json!(false), "<p>x</p>", ("", "Titlex")),
            ("Article", json!(true), "<p>x</p>", ("about", "Titlex")),
            ("Page", json!(null), long.as_str(), ("", "Titleabout")),
            ("Video", json!(true), "", ("about", "Titlehttp")),
        ].into_iter().enumerate() {
            let mut note = peer.note(&eve, (&n.to_string(), content), &[]);
            (note["type"], note["sensitive"], note["summary"], note["name"]) = (json!(["x:Other", kind]), sensitive, json!("about"), json!("Title"));
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", &n.to_string()), note.clone())).await;
            let status = home(&bob).await[0].clone();
            assert_eq!((&status["uri"], &status["spoiler_text"]), (&note["id"], &json!(spoiler)), "{note}");
            assert!(text(&status).starts_with(said), "{note}: {}", status["content"]);
        }
    }
}
