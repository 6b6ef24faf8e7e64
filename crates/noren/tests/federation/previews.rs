//! Previews of pages that posts link to.

use crate::media::png;
use crate::peer::with_a_peer;
use crate::peer::{File, Peer, Somebody};
use crate::{find, home, id, search};
use domain::Time;
use domain::jobs::{self, JobRow, State};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Person, TestServer, until};

/// Fetching is put off for a while, and not for a test.
pub(crate) async fn hurry(server: &TestServer) {
    server.settle().await;
    fetch_now(server).await;
    server.settle().await;
}

/// As [`hurry`], when it may be that it fails for now: until it was tried.
async fn try_once(server: &TestServer) {
    fetch_now(server).await;
    let is_begun = |row: &JobRow| {
        let due = row.state == State::Running || (row.state == State::Waiting && row.run_at <= Time::now());
        due && row.payload.contains("fetch_card")
    };
    let is_tried = async || {
        let rows = jobs::list_all(&server.db().read().await.unwrap(), 100).await.unwrap();
        !rows.iter().any(is_begun)
    };
    until("a page is fetched", is_tried).await;
}

async fn fetch_now(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%fetch_card%'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    server.db().wake().ring();
}

/// `bob` follows `eve`, who agrees.
async fn follow_peer(server: &TestServer, bob: &Person, (peer, eve): (&Peer, &Somebody)) {
    let there = find(bob, &format!("eve@{}", peer.host())).await;
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
    server.settle().await;
    let asked = peer.received.lock().unwrap().iter().find(|a| a["type"] == "Follow").cloned().unwrap();
    peer.send(eve, server, &peer.activity(eve, ("Accept", "follow"), asked)).await;
}

/// A post with a link: in Markdown, because a bare address of this machine is not taken for one.
pub(crate) async fn post_link(who: &Person, words: &str, url: &str) -> Value {
    let text = format!("{words} [there]({url})");
    who.post("/api/v1/statuses", [("status", text.as_str()), ("content_type", "text/markdown")]).await.ok()
}

async fn at_home(who: &Person, note: &Value) -> Value {
    home(who).await.into_iter().find(|status| status["uri"] == note["id"]).unwrap()
}

pub(crate) async fn card(who: &Person, status: &Value) -> Value {
    who.get(&format!("/api/v1/statuses/{}", id(status)), ()).await.ok()["card"].clone()
}

pub(crate) fn html(page: &str) -> File {
    File::Plain("text/html; charset=utf-8", page.as_bytes().to_vec())
}

with_a_peer! {
    async fn a_link_gets_its_preview(server, peer, bob) {
        let image = peer.file("/i.png", File::Plain("image/png", png(800, 600)));
        let url = peer.file("/page", html(&format!(
            "<html lang=en-GB><title>plain</title><meta property=og:title content='Tea &amp; Cake'>\
            <meta property=og:description content='All about it'><meta property=og:image content='{image}'>\
            <meta property=og:image:alt content='a cup'><meta property=og:site_name content='The Tea Site'>\
            <meta name=author content='Mia'><meta property=article:published_time content='2026-01-02T03:04:05Z'>"
        )));
        let mut events = server.db().events().listen();
        let posted = post_link(&bob, "read this", &url).await;
        assert_eq!(posted["card"], Value::Null, "it comes later");
        assert_eq!(peer.hits("/page"), 0);
        hurry(&server).await;
        let card = card(&bob, &posted).await;
        let mut shown = card.clone();
        for key in ["url", "image"] {
            shown[key] = json!("");
        }
        assert_eq!(shown, json!({
            "url": "", "title": "Tea & Cake", "description": "All about it", "language": "en", "type": "link",
            "author_name": "Mia", "author_url": "", "provider_name": "The Tea Site", "provider_url": "", "html": "",
            "width": 0, "height": 0, "image": "", "image_description": "a cup", "embed_url": "", "blurhash": null,
            "published_at": "2026-01-02T03:04:05.000Z", "missing_attribution": null,
            "authors": [{ "name": "Mia", "url": "", "account": null }],
        }));
        assert_eq!(card["url"], url);
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.push(format!("{event:?}"));
        }
        assert!(told.iter().any(|event| event.starts_with("StatusEdited")), "{told:?}");

        // The picture is fetched when somebody looks.
        let picture = card["image"].as_str().unwrap();
        assert!(picture.contains("/cache/preview_cards/images/"), "{picture}");
        assert_eq!(peer.hits("/i.png"), 0);
        assert_eq!(server.client().get(picture, ()).await.status, 200);
        let seen = crate::previews::card(&bob, &posted).await;
        assert!(seen["blurhash"].as_str().is_some_and(|hash| hash.len() > 20), "{seen}");
        assert_eq!((&seen["width"], &seen["image"]), (&json!(554), &card["image"]));

        // The next post has it at once, from the same look; an edit loses it.
        let second = post_link(&bob, "again", &format!("{url}#part")).await;
        assert_eq!(second["card"]["title"], "Tea & Cake");
        assert_eq!(peer.hits("/page"), 1);
        bob.put(&format!("/api/v1/statuses/{}", id(&second)), [("status", "no link")]).await.ok();
        assert_eq!(crate::previews::card(&bob, &second).await, Value::Null);
    }

    async fn posts_of_others_get_theirs(server, peer, bob) {
        let eve = peer.somebody("eve");
        follow_peer(&server, &bob, (&peer, &eve)).await;
        let (first, second) = (peer.file("/1", html("<title>one</title>")), peer.file("/2", html("<title>two</title>")));
        let mut note = peer.note(&eve, ("n", &format!("<p>see <a href=\"{first}\">this</a></p>")), &[]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        hurry(&server).await;
        assert_eq!(at_home(&bob, &note).await["card"]["title"], "one");
        // What its server says is to be shown goes before what is found.
        note["id"] = json!(format!("{}/notes/m", peer.base));
        note["attachment"] = json!([{ "type": "Link", "href": second }]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "2"), note.clone())).await;
        hurry(&server).await;
        assert_eq!(at_home(&bob, &note).await["card"]["title"], "two");
        // Whichever part of the page; and the post's own link is used when that is no address to keep.
        for (name, href, title) in [("p", format!("{second}#part"), "two"), ("q", format!("{second}?{}", "x".repeat(2000)), "one")] {
            note["id"] = json!(format!("{}/notes/{name}", peer.base));
            note["attachment"] = json!([{ "type": "Link", "href": href }]);
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", name), note.clone())).await;
            hurry(&server).await;
            assert_eq!(at_home(&bob, &note).await["card"]["title"], title);
        }
        assert_eq!(peer.hits("/2"), 1, "it is one page");
        // Pictures are shown in its place; mentions and tags have none.
        note["id"] = json!(format!("{}/notes/o", peer.base));
        note["attachment"] = json!([{ "type": "Image", "url": format!("{}/x.png", peer.base) }]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "3"), note.clone())).await;
        hurry(&server).await;
        let newest = at_home(&bob, &note).await;
        assert_eq!((&newest["card"], newest["media_attachments"].as_array().map(Vec::len)), (&Value::Null, Some(1)));
    }

    async fn pages_that_cannot_be_had_now_are_asked_again(server, peer, bob) {
        let busy = peer.file("/busy", File::Status(503));
        let posted = post_link(&bob, "later", &busy).await;
        try_once(&server).await;
        assert_eq!((peer.hits("/busy"), card(&bob, &posted).await), (1, Value::Null));
        peer.file("/busy", html("<title>there</title>"));
        try_once(&server).await;
        assert_eq!(card(&bob, &posted).await["title"], "there");
        // Not for ever: then there is nothing to show.
        let dead = peer.file("/dead", File::Status(503));
        post_link(&bob, "never", &dead).await;
        for _ in 0..5 {
            try_once(&server).await;
        }
        assert_eq!(peer.hits("/dead"), 3);
        // One that breaks off says what it has said, or is asked again: which, is chance.
        let short = peer.file("/short", File::Short("text/html", b"<title>kept</title>".to_vec()));
        post_link(&bob, "short", &short).await;
        for _ in 0..3 {
            try_once(&server).await;
        }
        assert!((1..=3).contains(&peer.hits("/short")));
    }

    async fn authors_are_named_who_agree(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut actor = peer.actor("eve", &eve);
        actor["attributionDomains"] = json!(["elsewhere.example"]);
        peer.put("/users/eve", actor.clone());
        let handle = format!("eve@{}", peer.host());
        let page = |n: u8| format!("<title>{n}</title><meta name='fediverse:creator' content='@{handle}'>");
        let url = peer.file("/1", html(&page(1)));
        let posted = post_link(&bob, "", &url).await;
        hurry(&server).await;
        let shown = card(&bob, &posted).await;
        assert_eq!((&shown["title"], &shown["authors"]), (&json!("1"), &json!([])));
        actor["attributionDomains"] = json!(["elsewhere.example", "localhost"]);
        peer.put("/users/eve", actor.clone());
        peer.send(&eve, &server, &peer.activity(&eve, ("Update", "1"), actor)).await;
        let url = peer.file("/2", html(&page(2)));
        let posted = post_link(&bob, "", &url).await;
        hurry(&server).await;
        let shown = card(&bob, &posted).await;
        assert_eq!(shown["authors"][0]["account"]["acct"], json!(handle), "{shown}");
        assert_eq!(find(&bob, &handle).await["acct"], json!(handle));
    }

    async fn players_of_pages_are_framed(server, peer, bob) {
        let url = peer.file("/film", html(
            "<title>film</title><meta name=twitter:player content='https://tube.example/embed/1?a&quot;onload=x'>\
            <meta name=twitter:player:width content=640><meta name=twitter:player:height content=360>",
        ));
        let plain = peer.file("/plain", html("<title>p</title><meta name=twitter:player content='http://tube.example/'>"));
        let (posted, other) = (post_link(&bob, "", &url).await, post_link(&bob, "", &plain).await);
        hurry(&server).await;
        let shown = card(&bob, &posted).await;
        assert_eq!((&shown["type"], &shown["width"], &shown["height"]), (&json!("video"), &json!(640), &json!(360)));
        let html = shown["html"].as_str().unwrap();
        assert!(html.starts_with("<iframe src=\"https://tube.example/embed/1?a%22onload=x\" ") && html.contains("sandbox="), "{html}");
        let shown = card(&bob, &other).await;
        assert_eq!((&shown["type"], &shown["html"], &shown["title"]), (&json!("link"), &json!(""), &json!("p")));
    }

    async fn own_pages_have_none(server, peer, bob) {
        let page = peer.file("/page", html("<title>elsewhere</title>"));
        let own = post_link(&bob, "", &format!("{}/about", server.parts().site.base_url)).await;
        let words = format!("[here]({}) and", bob.get("/api/v1/accounts/verify_credentials", ()).await.ok()["url"].as_str().unwrap());
        let both = post_link(&bob, &words, &page).await;
        hurry(&server).await;
        assert_eq!(card(&bob, &own).await, Value::Null);
        assert_eq!(card(&bob, &both).await["title"], "elsewhere");
        let tx = server.db().begin().await.unwrap();
        let rows: Vec<(String,)> = tx.all("SELECT url FROM preview_cards", &[]).await.unwrap();
        assert_eq!(rows, [(page,)], "nobody asks ourselves");
    }

    async fn rejected_pictures_are_not_in_previews(server, peer, bob) {
        let image = peer.file("/i.png", File::Plain("image/png", png(80, 60)));
        let url = peer.file("/page", html(&format!("<title>page</title><meta property=og:image content='{image}'>")));
        let posted = post_link(&bob, "", &url).await;
        hurry(&server).await;
        let before = card(&bob, &posted).await;
        let picture = before["image"].as_str().unwrap().to_owned();
        crate::trust::block(&server, &peer, domain::domain_blocks::Severity::Noop, |block| block.reject_media = true).await;
        let barred = card(&bob, &posted).await;
        assert_eq!((&barred["title"], &barred["image"], &barred["blurhash"]), (&json!("page"), &Value::Null, &Value::Null));
        assert_eq!(server.client().get(&picture, ()).await.status, 404);
        assert_eq!(peer.hits("/i.png"), 0);
        domain::domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
        crate::trust::in_force(&server).await;
        assert_eq!(card(&bob, &posted).await["image"], before["image"]);
        crate::media::order(&server, edge::control::Order::Purge { url: picture.clone() }).await;
        assert_eq!(server.client().get(&picture, ()).await.status, 200);
    }

    async fn what_relays_bring_has_none_until_somebody_looks(server, peer, bob) {
        let other = Peer::start().await;
        let (relay, author) = (crate::relays::accepted(&server, &peer).await, other.somebody("author"));
        let mut posts = Vec::new();
        for (n, name) in ["opened", "boosted", "passed", "left"].into_iter().enumerate() {
            let page = other.file(&format!("/{name}"), html(&format!("<title>{name}</title>")));
            let note = other.note(&author, (name, &format!("<p><a href=\"{page}\">{name}</a></p>")), &[]);
            other.put(&format!("/notes/{name}"), note.clone());
            peer.send(&relay, &server, &peer.activity(&relay, ("Announce", &n.to_string()), note["id"].clone())).await;
            let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            posts.push((name, found, note));
        }
        bob.get("/api/v1/timelines/public", ()).await.ok();
        hurry(&server).await;
        for (name, found, _) in &posts {
            assert_eq!((other.hits(&format!("/{name}")), card(&bob, found).await), (0, Value::Null), "{name}");
        }
        // Strangers do not count.
        server.client().get(&format!("/api/v1/statuses/{}/context", id(&posts[3].1)), ()).await.ok();
        bob.get(&format!("/api/v1/statuses/{}/context", id(&posts[0].1)), ()).await.ok();
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&posts[1].1)), ()).await.ok();
        let eve = peer.somebody("eve");
        crate::peer::followed(&server, &peer, &bob, (&eve, "eve")).await;
        peer.send(&eve, &server, &peer.activity(&eve, ("Announce", "b"), posts[2].2["id"].clone())).await;
        hurry(&server).await;
        for (name, found, _) in &posts[..3] {
            assert_eq!(card(&bob, found).await["title"], *name);
        }
        // An edit of what nobody looks at does not change that.
        let mut note = posts[3].2.clone();
        (note["content"], note["updated"]) = (json!(format!("{}!", note["content"].as_str().unwrap())), json!(jiff::Timestamp::now().to_string()));
        other.put("/notes/left", note.clone());
        other.send(&author, &server, &other.activity(&author, ("Update", "u"), note)).await;
        hurry(&server).await;
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&posts[3].1)), ()).await.ok();
        assert!(!seen["edited_at"].is_null());
        assert_eq!((other.hits("/left"), card(&bob, &posts[3].1).await), (0, Value::Null));
    }

    async fn what_a_server_says_of_its_post_is_remembered_until_somebody_looks(server, peer, bob) {
        let other = Peer::start().await;
        let (relay, author) = (crate::relays::accepted(&server, &peer).await, other.somebody("author"));
        let mut posts = Vec::new();
        for (n, name) in ["opened", "bare", "edited"].into_iter().enumerate() {
            other.file(&format!("/first-{name}"), html("<title>not this one</title>"));
            let page = other.file(&format!("/{name}"), html(&format!("<title>{name}</title>")));
            let text = if name == "bare" { "words".to_owned() } else { format!("<a href=\"{}/first-{name}\">x</a>", other.base) };
            let mut note = other.note(&author, (name, &text), &[]);
            note["attachment"] = json!([{ "type": "Link", "href": if name == "edited" { "javascript:x".to_owned() } else { page } }]);
            other.put(&format!("/notes/{name}"), note.clone());
            peer.send(&relay, &server, &peer.activity(&relay, ("Announce", &n.to_string()), note["id"].clone())).await;
            let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            posts.push((name, found, note));
        }
        let mut note = posts[2].2.clone();
        note["attachment"][0]["href"] = json!(format!("{}/edited", other.base));
        (note["content"], note["updated"]) = (json!("other words"), json!(jiff::Timestamp::now().to_string()));
        other.send(&author, &server, &other.activity(&author, ("Update", "u"), note)).await;
        hurry(&server).await;
        for (name, found, _) in &posts {
            assert_eq!(card(&bob, found).await, Value::Null, "{name}");
            bob.get(&format!("/api/v1/statuses/{}/context", id(found)), ()).await.ok();
        }
        hurry(&server).await;
        for (name, found, _) in &posts {
            assert_eq!((&card(&bob, found).await["title"], other.hits(&format!("/first-{name}"))), (&json!(name), 0), "{name}");
        }
    }

    async fn videos_can_be_played(server, peer, bob) {
        let told = peer.file("/oembed", File::Plain("application/json", json!({
            "type": "video", "title": "t", "width": 640, "height": 360, "provider_name": "Tube",
            "html": "<iframe src='https://tube.example/embed/1' onload='alert(1)'></iframe><script>alert(1)</script>",
        }).to_string().into_bytes()));
        let link = format!("<link rel=alternate type='application/json+oembed' href='{told}'><title>film</title>");
        let url = peer.file("/film", html(&link));
        let posted = post_link(&bob, "", &url).await;
        hurry(&server).await;
        let shown = card(&bob, &posted).await;
        assert_eq!((&shown["type"], &shown["title"], &shown["width"]), (&json!("video"), &json!("film"), &json!(640)));
        let html = shown["html"].as_str().unwrap();
        assert!(html.starts_with("<iframe src=\"https://tube.example/embed/1\"") && !html.contains("alert"), "{html}");
    }

    async fn pages_of_all_kinds_do_no_harm(server, peer, bob) {
        let title = b"<title>kept</title>".to_vec();
        let mut long = title.clone();
        long.resize(100 << 20, b' ');
        let (sjis, ..) = encoding_rs::SHIFT_JIS.encode("<title>日本語</title>");
        let actor = serde_json::to_vec(&peer.actor("x", &peer.somebody("x"))).unwrap();
        let table: [(&str, File, Option<&str>); 11] = [
            ("endless", File::Endless("text/html", title.clone()), Some("kept")),
            ("unmeasured", File::Unmeasured("text/html", title.clone()), Some("kept")),
            ("long", File::Plain("text/html", long), None),
            ("sjis", File::Plain("text/html", sjis.into_owned()), Some("日本語")),
            ("noise", File::Plain("text/html", (0..=255).cycle().take(9000).collect()), None),
            ("loop", File::Redirect(format!("{}/loop", peer.base)), None),
            ("private", File::Redirect("ftp://127.0.0.1/".into()), None),
            ("ours", File::Redirect(format!("{}/about", server.parts().site.base_url)), None),
            ("actor", File::Plain("application/activity+json", actor), None),
            ("gone", File::Status(410), None),
            ("empty", html(""), None),
        ];
        let mut posts = Vec::new();
        for (name, file, title) in table {
            let url = peer.file(&format!("/{name}"), file);
            posts.push((name, title, post_link(&bob, "", &url).await));
        }
        hurry(&server).await;
        for (name, title, post) in posts {
            let shown = card(&bob, &post).await;
            assert_eq!(shown["title"].as_str(), title, "{name}: {shown}");
        }
        // A page without a preview is not asked again for the next post.
        let hits = peer.hits("/gone");
        post_link(&bob, "again", &format!("{}/gone", peer.base)).await;
        hurry(&server).await;
        assert_eq!(peer.hits("/gone"), hits);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(search(&bob, "nothing").await["statuses"], json!([]));
    }
}
