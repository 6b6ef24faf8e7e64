//! Copies made as soon as something is known, where that is wanted.

use crate::media::{png, post_with};
use crate::peer::{File, Peer};
use crate::previews::{html, hurry};
use crate::{id, search};
use noren::config::{Config, Mode, Period};
use serde_json::json;
use std::time::Duration;
use testkit::{Engine, TestServer};

async fn what_hangs_on_posts_is_copied(engine: Engine) {
    let started = TestServer::start_reachable_with(engine, |config| config.media.remote.mode = Mode::Mirror).await;
    let Some(server) = started else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let bytes = png(900, 700);
    let url = peer.file("/cat.png", File::Plain("image/png", bytes.clone()));
    let gone = peer.file("/gone.png", File::Status(404));
    let media = json!([{ "type": "Image", "url": url }, { "type": "Image", "url": gone }]);
    let post = post_with(&bob, (&peer, &eve), "1", media).await;
    server.settle().await;
    let hits = peer.hits("/cat.png");
    assert_eq!(hits, 1, "nobody has looked yet, and the small one is made of the copy");
    let media = &post["media_attachments"][0];
    for key in ["url", "preview_url"] {
        let shown = media[key].as_str().unwrap();
        let stored = shown.strip_prefix(&format!("{}/", server.parts().site.media_url)).unwrap();
        assert!(server.parts().store.exists(&stored.parse().unwrap()).await.unwrap(), "{stored}");
        assert_eq!(server.client().get(shown, ()).await.status, 200);
    }
    assert_eq!(peer.hits("/cat.png"), hits, "the copies are shown");
    let seen = bob.get(&format!("/api/v1/statuses/{}", crate::id(&post)), ()).await.ok();
    assert!(seen["media_attachments"][0]["blurhash"].is_string());
    server.finish().await;
}

/// An edit that comes to light because somebody looks at the poll is one as any other.
async fn edits_found_by_looking_at_a_poll_are_copied(engine: Engine) {
    let started = TestServer::start_reachable_with(engine, |config| config.media.remote.mode = Mode::Mirror).await;
    let Some(server) = started else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let option =
        |name: &str| json!({ "type": "Note", "name": name, "replies": { "type": "Collection", "totalItems": 1 } });
    let mut note = peer.note(&eve, ("1", "tea?"), &[]);
    (note["type"], note["oneOf"]) = (json!("Question"), json!([option("yes"), option("no")]));
    peer.put("/notes/1", note.clone());
    let post = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
    server.settle().await;
    let url = peer.file("/pot.png", File::Plain("image/png", png(90, 70)));
    note["attachment"] = json!([{ "type": "Image", "url": url }]);
    note["updated"] = json!((jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1)).to_string());
    peer.put("/notes/1", note);
    bob.get(&format!("/api/v1/polls/{}", id(&post["poll"])), ()).await.ok();
    server.settle().await;
    let seen = bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
    assert_eq!(
        (seen["media_attachments"].as_array().unwrap().len(), peer.hits("/pot.png")),
        (1, 1),
        "nobody has looked yet"
    );
    server.finish().await;
}

/// Everything that is shown of `eve` and of her post, which is mirrored and then expires.
async fn pictures_of_people_emoji_and_pages_are_copied_for_a_while(engine: Engine) {
    let mirror = |config: &mut Config| {
        config.media.remote.mode = Mode::Mirror;
        config.media.remote.retention = Period(Duration::ZERO);
    };
    let Some(server) = TestServer::start_reachable_with(engine, mirror).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let picture = |path: &str| peer.file(path, File::Plain("image/png", png(200, 200)));
    let paths = ["/avatar.png", "/header.png", "/blob.png", "/card.png"];
    let [avatar, header, blob, image] = paths.map(picture);
    let emoji = json!([{ "type": "Emoji", "name": ":blob:", "icon": { "type": "Image", "url": blob } }]);
    let more = json!({ "name": "Eve :blob:", "tag": emoji, "icon": { "type": "Image", "url": avatar },
        "image": { "type": "Image", "url": header } });
    peer.shows(&eve, "eve", more);
    let page = peer.file("/page", html(&format!("<title>page</title><meta property=og:image content='{image}'>")));
    let mut note = peer.note(&eve, ("1", &format!("<p>:blob: <a href=\"{page}\">there</a></p>")), &[]);
    note["tag"] = emoji;
    peer.put("/notes/1", note.clone());
    let post = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
    hurry(&server).await;
    let seen = bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
    let shown = [
        &seen["account"]["avatar"],
        &seen["account"]["avatar_static"],
        &seen["account"]["header"],
        &seen["account"]["header_static"],
        &seen["emojis"][0]["url"],
        &seen["emojis"][0]["static_url"],
        &seen["card"]["image"],
    ];
    let copies = async || {
        let mut found = Vec::new();
        for url in shown {
            let key = url.as_str().unwrap().strip_prefix(&format!("{}/", server.parts().site.media_url)).unwrap();
            found.push(server.parts().store.exists(&key.parse().unwrap()).await.unwrap());
        }
        found
    };
    assert_eq!(copies().await, [true; 7], "{shown:?}");
    // What nobody names any more goes with the rest; the only one there is stays.
    let own = server.parts().store.clone();
    let put = async |key: &str| own.put(&key.parse().unwrap(), media::Content::Bytes(png(8, 8).into())).await.unwrap();
    put("cache/accounts/avatars/000/000/001/original/old.png").await;
    put("cache/accounts/avatars/000/000/002/original/only.png").await;
    let tx = server.db().begin().await.unwrap();
    let only = "cache/accounts/avatars/000/000/002/original/only.png";
    tx.exec("UPDATE accounts SET avatar = $1 WHERE username = 'bob'", &[&only]).await.unwrap();
    tx.commit().await.unwrap();
    domain::jobs::ensure_housekeeping(server.db()).await.unwrap();
    server.settle().await;
    assert_eq!(copies().await, [false; 7], "they were kept long enough");
    let stays = async |key: &str| own.exists(&key.parse().unwrap()).await.unwrap();
    assert!(!stays("cache/accounts/avatars/000/000/001/original/old.png").await && stays(only).await);
    let hits = paths.map(|path| peer.hits(path));
    for url in shown {
        assert_eq!(server.client().get(url.as_str().unwrap(), ()).await.status, 200, "{url}");
    }
    assert!(paths.iter().zip(hits).all(|(path, hits)| peer.hits(path) > hits), "they are fetched when somebody looks");
    assert_eq!(copies().await, [false; 7]);
    // An edit with another emoji, and another avatar, are copied, too.
    let other =
        json!([{ "type": "Emoji", "name": ":other:", "icon": { "type": "Image", "url": picture("/other.png") } }]);
    (note["tag"], note["content"], note["updated"]) =
        (other, json!(":other:"), json!(jiff::Timestamp::now().to_string()));
    peer.send(&eve, &server, &peer.activity(&eve, ("Update", "u1"), note)).await;
    let mut actor = peer.actor("eve", &eve);
    actor["icon"] = json!({ "type": "Image", "url": picture("/new.png") });
    peer.put("/users/eve", actor.clone());
    peer.send(&eve, &server, &peer.activity(&eve, ("Update", "u2"), actor)).await;
    assert!(peer.hits("/other.png") > 0 && peer.hits("/new.png") > 0, "nobody has looked yet");
    server.finish().await;
}

testkit::with_each_engine!(
    pictures_of_people_emoji_and_pages_are_copied_for_a_while,
    what_hangs_on_posts_is_copied,
    edits_found_by_looking_at_a_poll_are_copied
);
