//! Pictures, videos and emoji of other servers: fetched when somebody looks.

use crate::peer::with_a_peer;
use crate::peer::{File, Peer, Somebody};
use crate::{find, id, search};
use edge::control::{self, Answer, Order};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 7 % 256) as u8, (y * 11 % 256) as u8, ((x * y) % 256) as u8])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What `noren edge purge` does.
pub(crate) async fn order(server: &TestServer, order: Order) {
    let socket = control::socket(&server.parts().config.edge().cache.path);
    let answer = tokio::task::spawn_blocking(move || control::ask(&socket, &order)).await.unwrap();
    assert_eq!(answer.unwrap(), Answer::Done);
}

/// A post of `eve` with these attachments, as `bob` sees it.
pub(crate) async fn post_with(bob: &Person, (peer, eve): (&Peer, &Somebody), name: &str, media: Value) -> Value {
    let mut note = peer.note(eve, (name, "look"), &[]);
    note["attachment"] = media;
    peer.put(&format!("/notes/{name}"), note.clone());
    search(bob, note["id"].as_str().unwrap()).await["statuses"][0].clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text: {value}"))
}

fn size(bytes: &[u8]) -> (u32, u32) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let size = ::media::probe(file.path(), &::media::Limits::default()).unwrap().size;
    (size.width, size.height)
}

with_a_peer! {
    async fn pictures_are_fetched_when_somebody_looks(server, peer, bob) {
        let eve = peer.somebody("eve");
        let bytes = png(900, 700);
        let url = peer.file("/files/cat.png", File::Plain("image/png", bytes.clone()));
        let found = post_with(&bob, (&peer, &eve), "1", json!([
            { "type": "Document", "mediaType": "image/png", "url": url, "name": "a cat", "focalPoint": [0.5, -0.5] },
            { "type": "Document", "mediaType": "image/png", "url": "javascript:alert(1)" },
            { "type": "Document" },
        ])).await;
        let media = found["media_attachments"].as_array().unwrap();
        assert_eq!(media.len(), 1, "{media:?}");
        let media = &media[0];
        assert_eq!((&media["type"], &media["description"]), (&json!("image"), &json!("a cat")));
        assert_eq!((&media["remote_url"], &media["preview_remote_url"]), (&json!(url), &Value::Null));
        assert_eq!((&media["blurhash"], &media["meta"]["focus"]["x"]), (&Value::Null, &json!(0.5)));
        let ours = format!("{}/cache/media_attachments/files/", server.parts().site.media_url);
        let (shown, preview) = (text(media, "url"), text(media, "preview_url"));
        assert!(shown.starts_with(&ours) && shown.contains("/original/") && shown.ends_with(".png"), "{shown}");
        assert!(preview.starts_with(&ours) && preview.contains("/small/"), "{preview}");
        assert_eq!(peer.hits("/files/cat.png"), 0, "nobody has looked");

        let first = server.client().get(shown, ()).await;
        assert_eq!((first.status, first.header("content-type"), first.header("x-cache")), (200, "image/png", "MISS"));
        assert!(first.body == bytes);
        let again = server.client().get(shown, ()).await;
        assert_eq!((again.status, again.header("x-cache")), (200, "HIT"));
        let request = server.client().request(reqwest::Method::GET, shown).header("range", "bytes=10-19");
        let part = server.client().send(request).await;
        assert_eq!((part.status, part.body.as_slice()), (206, &bytes[10..20]));
        assert_eq!(peer.hits("/files/cat.png"), 1);

        let small = server.client().get(preview, ()).await;
        assert_eq!(small.status, 200);
        let (width, height) = size(&small.body);
        assert!(width * height <= 231_000 && width > height, "{width}x{height}");
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&found)), ()).await.ok();
        let seen = &seen["media_attachments"][0];
        assert!(text(seen, "blurhash").len() > 20, "{seen}");
        assert_eq!((&seen["meta"]["original"]["width"], &seen["meta"]["small"]["width"]), (&json!(900), &json!(width)));
        assert_eq!(seen["url"], media["url"], "addresses do not change");
        assert_eq!(peer.hits("/files/cat.png"), 1, "the small one is made of what is here");

        // Another name is no name of it, and nothing else can be asked for in this way.
        for wrong in [shown.replace(".png", ".jpg"), shown.replace("/original/", "/static/"), format!("{shown}x")] {
            assert_eq!(server.client().get(&wrong, ()).await.status, 404, "{wrong}");
        }
        // Nothing of it is ours to delete.
        peer.send(&eve, &server, &peer.activity(&eve, ("Delete", "2"), json!(format!("{}/notes/1", peer.base)))).await;
        assert_eq!(bob.get(&format!("/api/v1/statuses/{}", id(&found)), ()).await.status, 404);
    }

    async fn what_has_left_the_cache_is_fetched_again(server, peer, bob) {
        let eve = peer.somebody("eve");
        // Longer than what the cache keeps in one piece.
        let mut bytes = png(640, 480);
        bytes.resize(2_500_000, 7);
        let url = peer.file("/files/long.png", File::Plain("image/png", bytes.clone()));
        let found = post_with(&bob, (&peer, &eve), "1", json!([{ "type": "Image", "url": url }])).await;
        let shown = text(&found["media_attachments"][0], "url").to_owned();
        let look = async || {
            let answer = server.client().get(&shown, ()).await;
            assert!(answer.status == 200 && answer.body == bytes);
            answer.header("x-cache").to_owned()
        };
        assert_eq!((look().await.as_str(), look().await.as_str(), peer.hits("/files/long.png")), ("MISS", "HIT", 1));
        order(&server, Order::Purge { url: shown.clone() }).await;
        assert_eq!((look().await.as_str(), peer.hits("/files/long.png")), ("MISS", 2));
        order(&server, Order::PurgePrefix { prefix: format!("{}/cache/media_", server.parts().site.media_url) }).await;
        assert_eq!((look().await.as_str(), peer.hits("/files/long.png")), ("MISS", 3));
        // The preview is made of all of its pieces, even while its server is down.
        peer.file("/files/long.png", File::Status(500));
        let small = server.client().get(text(&found["media_attachments"][0], "preview_url"), ()).await;
        assert_eq!((small.status, size(&small.body).0, peer.hits("/files/long.png")), (200, 554, 3));
        // Gone with it, and it is not to be had any more.
        order(&server, Order::Purge { url: shown.clone() }).await;
        assert_eq!(server.client().get(&shown, ()).await.status, 502);
    }

    async fn it_is_fetched_once_for_all_who_look(server, peer, bob) {
        let eve = peer.somebody("eve");
        let url = peer.file("/files/cat.png", File::Plain("image/png", png(640, 480)));
        let broken = peer.file("/files/broken.png", File::Status(500));
        let media = json!([{ "type": "Image", "url": url }, { "type": "Image", "url": broken }]);
        let post = post_with(&bob, (&peer, &eve), "1", media).await;
        for (at, path, status) in [(0, "/files/cat.png", 200), (1, "/files/broken.png", 502)] {
            let preview = text(&post["media_attachments"][at], "preview_url");
            let looks = (0..300).map(|_| async { server.client().get(preview, ()).await.status });
            let all = futures_util::future::join_all(looks).await;
            assert!(all.iter().all(|answer| *answer == status), "{all:?}");
            assert_eq!(peer.hits(path), 1, "{path}");
            assert_eq!((server.client().get(preview, ()).await.status, peer.hits(path)), (status, 1), "{path}");
        }
    }

    async fn an_edit_that_says_something_else_of_the_same_file_counts(server, peer, bob) {
        let eve = peer.somebody("eve");
        let file = |path: &str| peer.file(path, File::Plain("image/png", png(640, 480)));
        let url = file("/files/cat.png");
        let mut media = json!([{ "type": "Image", "url": url, "focalPoint": [0.5, 0.5] }]);
        let post = post_with(&bob, (&peer, &eve), "1", media.clone()).await;
        let seen = async || bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
        let old = text(&post["media_attachments"][0], "preview_url").to_owned();
        assert_eq!(server.client().get(&old, ()).await.status, 200);
        (media[0]["focalPoint"], media[0]["icon"]) = (json!([-0.5, 0.25]), json!({ "type": "Image", "url": file("/files/small.png") }));
        let mut note = peer.note(&eve, ("1", "look"), &[]);
        (note["attachment"], note["updated"]) = (media, json!(jiff::Timestamp::now().to_string()));
        peer.send(&eve, &server, &peer.activity(&eve, ("Update", "2"), note)).await;
        let now = seen().await;
        let now = &now["media_attachments"][0];
        assert_eq!(now["meta"]["focus"], json!({ "x": -0.5, "y": 0.25 }));
        assert_eq!(server.client().get(text(now, "preview_url"), ()).await.status, 200);
        assert_eq!(server.client().get(&old, ()).await.status, 404);
    }

    async fn what_its_server_says_of_a_picture_counts(server, peer, bob) {
        let eve = peer.somebody("eve");
        let url = peer.file("/files/1", File::Unmeasured("application/octet-stream", png(640, 480)));
        let blurhash = "LEHV6nWB2yk8pyo0adR*.7kCMdnj";
        let found = post_with(&bob, (&peer, &eve), "1", json!([
            { "type": "Image", "url": url, "blurhash": blurhash, "width": 1280, "height": 960 },
        ])).await;
        let media = &found["media_attachments"][0];
        assert_eq!((text(media, "type"), text(media, "blurhash")), ("image", blurhash));
        assert_eq!(media["meta"]["original"]["size"], "1280x960");
        assert_eq!(server.client().get(text(media, "preview_url"), ()).await.status, 200);
        let original = server.client().get(text(media, "url"), ()).await;
        assert_eq!((original.status, original.header("content-type")), (200, "image/png"));
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&found)), ()).await.ok();
        let seen = &seen["media_attachments"][0];
        assert_eq!((text(seen, "blurhash"), &seen["meta"]["original"]["size"]), (blurhash, &json!("1280x960")));
        assert_eq!(seen["meta"]["small"]["width"], 554);
    }

    async fn videos_come_in_parts(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut film = b"\0\0\0\x20ftypisom\0\0\x02\0".to_vec();
        film.extend((0..3_000_000_u32).map(|n| (n % 251) as u8));
        let url = peer.file("/files/film", File::Plain("video/mp4", film.clone()));
        let poster = peer.file("/files/poster.png", File::Plain("image/png", png(320, 200)));
        let found = post_with(&bob, (&peer, &eve), "1", json!([
            { "type": "Video", "mediaType": "video/mp4", "url": url, "icon": { "type": "Image", "url": poster } },
            { "type": "Video", "mediaType": "video/mp4", "url": url },
        ])).await;
        let (with, without) = (&found["media_attachments"][0], &found["media_attachments"][1]);
        assert_eq!((&without["preview_url"], &with["preview_remote_url"]), (&Value::Null, &json!(poster)));
        let request = server.client().request(reqwest::Method::GET, text(with, "url"));
        let part = server.client().send(request.header("range", "bytes=2500000-2500099")).await;
        assert_eq!((part.status, part.body.as_slice()), (206, &film[2_500_000..2_500_100]));
        let whole = server.client().get(text(with, "url"), ()).await;
        assert_eq!((whole.status, whole.header("content-type")), (200, "video/mp4"));
        assert!(whole.body == film);
        let preview = server.client().get(text(with, "preview_url"), ()).await;
        assert_eq!((preview.status, size(&preview.body)), (200, (320, 200)));
    }

    async fn people_and_their_emoji_have_pictures(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut actor = peer.actor("eve", &eve);
        let avatar = peer.file("/a/eve.png", File::Plain("image/png", png(1000, 800)));
        let header = peer.file("/a/top.png", File::Plain("image/png", png(1600, 900)));
        let blob = peer.file("/e/blob.png", File::Plain("image/png", png(64, 64)));
        actor["icon"] = json!({ "type": "Image", "mediaType": "image/png", "url": avatar });
        actor["image"] = json!({ "type": "Image", "url": header });
        actor["name"] = json!("Eve :blob: :other:");
        actor["tag"] = json!([
            { "type": "Emoji", "name": ":blob:", "icon": { "type": "Image", "url": blob } },
            { "type": "Emoji", "name": ":unused:", "icon": { "type": "Image", "url": blob } },
        ]);
        peer.put("/users/eve", actor.clone());
        let account = find(&bob, &format!("eve@{}", peer.host())).await;
        let ours = format!("{}/cache/", server.parts().site.media_url);
        for (key, wanted) in [("avatar", (400, 400)), ("avatar_static", (400, 400)), ("header", (1500, 500))] {
            let url = text(&account, key);
            assert!(url.starts_with(&ours), "{url}");
            let answer = server.client().get(url, ()).await;
            assert_eq!((answer.status, size(&answer.body)), (200, wanted), "{key}");
        }
        let emojis = account["emojis"].as_array().unwrap();
        assert_eq!(emojis.len(), 1, "{emojis:?}");
        assert_eq!((text(&emojis[0], "shortcode"), &emojis[0]["visible_in_picker"]), ("blob", &json!(false)));
        for key in ["url", "static_url"] {
            let answer = server.client().get(text(&emojis[0], key), ()).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"), "{key}");
            assert_eq!(size(&answer.body), (64, 64));
        }
        // Another picture has another address; the old one means nothing any more.
        actor["icon"]["url"] = json!(peer.file("/a/new.png", File::Plain("image/png", png(400, 400))));
        peer.put("/users/eve", actor.clone());
        peer.send(&eve, &server, &peer.activity(&eve, ("Update", "1"), actor)).await;
        let changed = bob.get(&format!("/api/v1/accounts/{}", id(&account)), ()).await.ok();
        assert_ne!(changed["avatar"], account["avatar"]);
        assert_eq!(server.client().get(text(&changed, "avatar"), ()).await.status, 200);
    }

    async fn emoji_belong_to_their_server(server, peer, bob) {
        let db = server.db();
        let own = domain::emojis::New {
            id: domain::emojis::new_id(), shortcode: "blob".into(), image: "custom_emojis/own.png".into(),
            image_static: "custom_emojis/own.png".into(), category: None, visible_in_picker: true,
        };
        domain::emojis::put(db, own).await.unwrap();
        let eve = peer.somebody("eve");
        let tag = |code: &str| json!({
            "type": "Emoji", "name": format!(":{code}:"), "updated": "2024-01-01T00:00:00Z",
            "icon": { "type": "Image", "url": format!("{}/e/{code}.png", peer.base) },
        });
        let mut note = peer.note(&eve, ("1", "<p>hi :blob: and :none:</p>"), &[]);
        note["type"] = json!("Question");
        note["summary"] = json!("about :cw:");
        note["oneOf"] = json!([{ "type": "Note", "name": "yes :opt:" }, { "type": "Note", "name": "no :blob:" }]);
        note["tag"] = json!([tag("blob"), tag("cw"), tag("opt"), tag("unused"), { "type": "Emoji" }]);
        peer.put("/notes/1", note.clone());
        let found = search(&bob, text(&note, "id")).await["statuses"][0].clone();
        let codes = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|e| text(e, "shortcode").to_owned()).collect()
        };
        assert_eq!(codes(&found["emojis"]), ["blob", "cw", "opt"]);
        assert_eq!(codes(&found["poll"]["emojis"]), ["opt", "blob"]);
        let ours = format!("{}/cache/custom_emojis/images/", server.parts().site.media_url);
        for emoji in found["emojis"].as_array().unwrap().iter().chain(found["poll"]["emojis"].as_array().unwrap()) {
            assert!(text(emoji, "url").starts_with(&ours), "{emoji}");
        }
        // What is written here means ours.
        let posted = crate::post_as(&bob, "hi :blob:", "public").await;
        assert!(text(&posted["emojis"][0], "url").ends_with("custom_emojis/own.png"));
        let picker = bob.get("/api/v1/custom_emojis", ()).await.ok();
        assert_eq!(picker.as_array().map(Vec::len), Some(1));
    }

    async fn nothing_of_the_suspended_is_fetched(server, peer, bob) {
        let eve = peer.somebody("eve");
        let url = peer.file("/files/1.png", File::Plain("image/png", png(10, 10)));
        let found = post_with(&bob, (&peer, &eve), "1", json!([{ "type": "Image", "url": url }])).await;
        let media = found["media_attachments"][0].clone();
        let tx = server.db().begin().await.unwrap();
        let author: domain::ids::AccountId = found["account"]["id"].as_str().unwrap().parse().unwrap();
        tx.exec("UPDATE accounts SET suspended_at = 1 WHERE id = $1", &[&author]).await.unwrap();
        tx.commit().await.unwrap();
        for key in ["url", "preview_url"] {
            assert_eq!(server.client().get(text(&media, key), ()).await.status, 404);
        }
        assert_eq!(peer.hits("/files/1.png"), 0);
    }
}
