//! What servers serve in the place of pictures.

use crate::media::{png, post_with};
use crate::peer::with_a_peer;
use crate::peer::{File, Peer};
use crate::{id, search};
use domain::accounts::remote::{self, Arrived, Reach};
use domain::domain_blocks::{self, DomainBlock, Severity};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::{Engine, TestServer};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text: {value}"))
}

/// A picture of so many pixels in few bytes.
fn bomb() -> Vec<u8> {
    png_of(20_000, 20_000)
}

/// The head of a picture that claims this size.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(8, 8);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

with_a_peer! {
    async fn only_media_are_shown_as_such(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut jpeg = Vec::new();
        jpeg_encoder::Encoder::new(&mut jpeg, 90).encode(&[120; 48], 4, 4, jpeg_encoder::ColorType::Rgb).unwrap();
        let page = b"<!doctype html><script>alert(1)</script>".to_vec();
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
        let actor = serde_json::to_vec(&peer.actor("eve", &eve)).unwrap();
        let large = {
            let mut large = png(8, 8);
            large.resize(17 << 20, 0);
            large
        };
        let table: [(&str, File, u16, u16); 13] = [
            ("html", File::Plain("image/png", page.clone()), 404, 404),
            ("svg", File::Plain("image/svg+xml", svg), 404, 404),
            ("actor", File::Plain("application/activity+json", actor), 404, 404),
            ("film", File::Plain("image/png", b"\0\0\0\x20ftypisom".to_vec()), 404, 404),
            ("gone", File::Status(410), 404, 404),
            ("absent", File::Status(404), 404, 404),
            ("secret", File::Status(403), 404, 404),
            ("broken", File::Status(500), 502, 502),
            ("large", File::Plain("image/png", large), 404, 404),
            ("loop", File::Redirect(format!("{}/x/loop", peer.base)), 404, 404),
            // Whatever it is called, it is what it is.
            ("named", File::Plain("text/html", jpeg.clone()), 200, 200),
            // What it holds is the business of those who decode it; the previews are made by us.
            ("bomb", File::Plain("image/png", bomb()), 200, 404),
            ("cut", File::Plain("image/jpeg", jpeg[..jpeg.len() / 2].to_vec()), 200, 404),
        ];
        for (name, file, original, small) in table {
            let url = peer.file(&format!("/x/{name}"), file);
            let post = post_with(&bob, (&peer, &eve), name, json!([{ "type": "Image", "url": url }])).await;
            let media = &post["media_attachments"][0];
            for (key, wanted) in [("url", original), ("preview_url", small)] {
                let answer = server.client().get(text(media, key), ()).await;
                assert_eq!(answer.status, wanted, "{name} {key}");
                let kind = answer.header("content-type").to_owned();
                assert!(wanted != 200 || kind.starts_with("image/"), "{name} {key}: {kind}");
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                assert!(answer.header("content-security-policy").contains("sandbox"));
            }
        }
        // What failed is not asked for again at once.
        let hits = peer.hits("/x/gone");
        let post = search(&bob, &format!("{}/notes/gone", peer.base)).await["statuses"][0].clone();
        assert_eq!(server.client().get(text(&post["media_attachments"][0], "url"), ()).await.status, 404);
        assert_eq!(peer.hits("/x/gone"), hits);
    }

    async fn bodies_end(server, peer, bob) {
        let eve = peer.somebody("eve");
        let head = png(8, 8);
        let slow = Peer::start().await;
        let table = [
            ("endless", File::Endless("image/png", head.clone()), &peer),
            ("short", File::Short("image/png", head.clone()), &peer),
            ("silent", File::Silent("image/png", Duration::from_secs(60)), &slow),
        ];
        for (name, file, from) in table {
            let url = from.file(&format!("/x/{name}"), file);
            let media = json!([{ "type": "Document", "mediaType": "image/png", "url": url }]);
            let post = post_with(&bob, (&peer, &eve), name, media).await;
            let preview = server.client().get(text(&post["media_attachments"][0], "preview_url"), ());
            let preview = tokio::time::timeout(Duration::from_secs(50), preview).await.unwrap();
            assert!(matches!(preview.status, 404 | 502 | 504), "{name}: {}", preview.status);
        }
        // Nothing stays behind, and the server has time for others.
        let spool = server.parts().store.spool();
        assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
        let good = peer.file("/x/good", File::Plain("image/png", head));
        let post = post_with(&bob, (&peer, &eve), "good", json!([{ "type": "Image", "url": good }])).await;
        assert_eq!(server.client().get(text(&post["media_attachments"][0], "url"), ()).await.status, 200);
    }

    async fn pictures_of_people_and_emoji_are_bounded(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut giant = png(8, 8);
        giant.resize(100 << 20, 0);
        let mut lying = png(8, 8);
        lying.truncate(40);
        let page = b"<!doctype html><script>alert(1)</script>".to_vec();
        let table = [
            ("bomb", File::Plain("image/png", bomb())),
            ("giant", File::Plain("image/png", giant.clone())),
            ("unmeasured", File::Unmeasured("image/png", giant)),
            ("endless", File::Endless("image/png", png(8, 8))),
            ("cut", File::Plain("image/png", lying)),
            ("short", File::Short("image/png", png(8, 8)[..60].to_vec())),
            ("page", File::Plain("image/png", page)),
            ("film", File::Plain("image/gif", b"\0\0\0\x20ftypisom".to_vec())),
        ];
        for (name, file) in table {
            let url = peer.file(&format!("/x/{name}"), file);
            let emoji = json!([{ "type": "Emoji", "name": ":x:", "icon": { "type": "Image", "url": url } }]);
            let icon = json!({ "type": "Image", "url": url });
            let who = peer.somebody(name);
            peer.shows(&who, name, json!({ "name": ":x:", "tag": emoji, "icon": icon, "image": icon }));
            let account = crate::find(&bob, &format!("{name}@{}", peer.host())).await;
            // One emoji for each server: this one's picture is the newest.
            let tx = server.db().begin().await.unwrap();
            tx.exec("UPDATE custom_emojis SET image = $1, image_static = $1", &[&url]).await.unwrap();
            tx.commit().await.unwrap();
            let account = bob.get(&format!("/api/v1/accounts/{}", id(&account)), ()).await.ok();
            let shown = [&account["avatar"], &account["header_static"], &account["emojis"][0]["url"]];
            for address in shown {
                let answer = server.client().get(address.as_str().unwrap(), ()).await;
                assert!(matches!(answer.status, 404 | 502), "{name} {address}: {}", answer.status);
            }
        }
        let found = post_with(&bob, (&peer, &eve), "fine", json!([])).await;
        assert!(!id(&found).is_empty(), "the server has time for others");
        assert_eq!(std::fs::read_dir(server.parts().store.spool()).unwrap().count(), 0);
    }

    async fn what_drips_is_given_up(server, peer, bob) {
        let eve = peer.somebody("eve");
        let url = peer.file("/x/drip", File::Drip("image/png", png(64, 64)));
        let post = post_with(&bob, (&peer, &eve), "drip", json!([{ "type": "Image", "url": url }])).await;
        let preview = server.client().get(text(&post["media_attachments"][0], "preview_url"), ());
        let preview = tokio::time::timeout(Duration::from_secs(58), preview).await.unwrap();
        assert!(matches!(preview.status, 502 | 504), "{}", preview.status);
        assert_eq!(std::fs::read_dir(server.parts().store.spool()).unwrap().count(), 0);
    }

    async fn pages_show_no_files_of_servers_that_are_to_show_none(server, peer, bob) {
        let eve = peer.somebody("eve");
        let url = peer.file("/x/seen", File::Plain("image/png", png(8, 8)));
        let mut note = peer.note(&eve, ("1", "<p>look :neko:</p>"), &[]);
        note["attachment"] = json!([{ "type": "Image", "url": url }]);
        note["tag"] = json!([{ "type": "Emoji", "name": ":neko:", "icon": { "type": "Image", "url": url } }]);
        peer.put("/notes/1", note.clone());
        let found = search(&bob, text(&note, "id")).await["statuses"][0].clone();
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&found)), ()).await.ok();
        let page = async || server.client().get("/@bob", ()).await.text().to_owned();
        let shown = page().await;
        assert!(shown.contains("look") && shown.contains("media_attachments/files/") && shown.contains("custom_emojis/"));
        let rule = DomainBlock { severity: Severity::Noop, reject_media: true, ..DomainBlock::named(peer.host()) };
        domain_blocks::block(server.db(), &rule).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let shown = page().await;
        assert!(shown.contains("look :neko:"), "{shown}");
        assert!(!shown.contains("media_attachments/files/") && !shown.contains("custom_emojis/"), "{shown}");
    }

    async fn emoji_without_end_are_cut(server, peer, bob) {
        let eve = peer.somebody("eve");
        let tags: Vec<Value> = (0..10_000).map(|n| json!({
            "type": "Emoji", "name": format!(":e{n}:"),
            "icon": { "type": "Image", "url": format!("{}/e/{n}", peer.base) },
        })).collect();
        let content: String = (0..10_000).map(|n| format!(":e{n}: ")).collect();
        let mut note = peer.note(&eve, ("1", &content), &[]);
        note["tag"] = json!(tags);
        peer.put("/notes/1", note.clone());
        assert_eq!(search(&bob, text(&note, "id")).await["statuses"], json!([]), "nobody writes that");
        note["tag"] = json!(tags[..1500]);
        peer.put("/notes/1", note.clone());
        let found = search(&bob, text(&note, "id")).await["statuses"][0].clone();
        assert_eq!(found["emojis"].as_array().map(Vec::len), Some(100));
        assert!(!id(&found).is_empty());
    }

    async fn nobody_is_sent_back_to_us(server, peer, bob) {
        let eve = peer.somebody("eve");
        let own = format!("{}/avatars/original/missing.png", server.parts().site.base_url);
        let around = peer.file("/x/around", File::Redirect(own.clone()));
        for (name, url) in [("own", own), ("around", around)] {
            let post = post_with(&bob, (&peer, &eve), name, json!([{ "type": "Image", "url": url }])).await;
            assert_eq!(server.client().get(text(&post["media_attachments"][0], "url"), ()).await.status, 404, "{name}");
        }
    }
}

/// On a server of the internet, where nothing private may be asked.
async fn private_addresses_are_never_asked(engine: Engine) {
    let Some(server) = TestServer::start(engine).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    peer.file("/avatar.png", File::Plain("image/png", png(8, 8)));
    let port = peer.host().trim_start_matches("localhost:").to_owned();
    let hosts =
        ["localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"];
    for (n, host) in hosts.into_iter().enumerate() {
        for url in [format!("http://{host}:{port}/avatar.png"), format!("https://{host}/avatar.png")] {
            let arrived = Arrived {
                uri: format!("https://evil.example/users/{n}"),
                username: format!("u{n}"),
                domain: "evil.example".into(),
                avatar: Some(url.clone()),
                reach: Reach { inbox: "https://evil.example/inbox".into(), ..Reach::default() },
                ..Arrived::default()
            };
            let account = remote::receive(server.db(), &arrived).await.unwrap();
            let shown = bob.get(&format!("/api/v1/accounts/{}", account.id), ()).await.ok();
            let answer = server.client().get(text(&shown, "avatar"), ()).await;
            assert!(matches!(answer.status, 404 | 502), "{url}: {}", answer.status);
        }
    }
    assert_eq!(peer.hits("/avatar.png"), 0);
    server.finish().await;
}

/// On a server that may ask one private address, and is sent to another one.
async fn redirects_lead_nowhere_private(engine: Engine) {
    let allowed = |config: &mut noren::config::Config| {
        config.federation.allowed_addresses = vec!["127.0.0.1".parse().unwrap()];
    };
    let Some(server) = TestServer::start_with(engine, allowed).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let inner = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let secret = format!("http://127.0.0.2:{}/secret.png", inner.local_addr().unwrap().port());
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    tokio::spawn(async move {
        while let Ok(taken) = inner.accept().await {
            counting.fetch_add(1, Ordering::SeqCst);
            drop(taken);
        }
    });
    let at = |path: &str| format!("{}{path}", peer.base.replace("localhost", "127.0.0.1"));
    peer.file("/good.png", File::Plain("image/png", png(64, 64)));
    peer.file("/around.png", File::Redirect(at("/good.png")));
    peer.file("/evil.png", File::Redirect(secret));
    for (n, (path, wanted)) in [("/around.png", 200), ("/evil.png", 404)].into_iter().enumerate() {
        let url = at(path);
        let arrived = Arrived {
            uri: format!("https://evil.example/users/{n}"),
            username: format!("u{n}"),
            domain: format!("evil{n}.example"),
            display_name: ":x:".into(),
            avatar: Some(url.clone()),
            emojis: vec![domain::emojis::Elsewhere { shortcode: "x".into(), url: url.clone(), ..Default::default() }],
            reach: Reach { inbox: "https://evil.example/inbox".into(), ..Reach::default() },
            ..Arrived::default()
        };
        let account = remote::receive(server.db(), &arrived).await.unwrap();
        let shown = bob.get(&format!("/api/v1/accounts/{}", account.id), ()).await.ok();
        let page = format!("<title>{n}</title><meta property=og:image content='{url}'>");
        peer.file(&format!("/page{n}"), crate::previews::html(&page));
        let posted = crate::previews::post_link(&bob, "", &at(&format!("/page{n}"))).await;
        crate::previews::hurry(&server).await;
        let card = crate::previews::card(&bob, &posted).await;
        for address in [&shown["avatar"], &shown["emojis"][0]["url"], &card["image"]] {
            let answer = server.client().get(address.as_str().unwrap(), ()).await;
            assert!(answer.status == wanted || (wanted == 404 && answer.status == 502), "{path}: {}", answer.status);
        }
        assert!(peer.hits(path) >= 1);
    }
    // A page that leads there is no page.
    peer.file("/page9", File::Redirect("http://127.0.0.2:1/".into()));
    let posted = crate::previews::post_link(&bob, "", &at("/page9")).await;
    crate::previews::hurry(&server).await;
    assert_eq!(crate::previews::card(&bob, &posted).await, Value::Null);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    server.finish().await;
}

testkit::with_each_engine!(redirects_lead_nowhere_private, private_addresses_are_never_asked);
