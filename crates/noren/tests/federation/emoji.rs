//! Emoji on posts across servers: `/api/v1/pleroma/statuses/:id/reactions`

use crate::peer::{Peer, Somebody, with_a_peer};
use crate::{id, notifications, post_as, search};
use domain::domain_blocks::{self, DomainBlock, Severity};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Person, TestServer, settle_all};

async fn seen(who: &Person, status: &str) -> Value {
    who.get(&format!("/api/v1/statuses/{status}"), ()).await.ok()
}

/// (name, how often) of each emoji in some order, and how many favour it.
async fn counted(who: &Person, status: &str) -> (Vec<(String, i64)>, i64) {
    let shown = seen(who, status).await;
    let list = shown["pleroma"]["emoji_reactions"].as_array().cloned().unwrap_or_default();
    let one = |r: &Value| (r["name"].as_str().unwrap().to_owned(), r["count"].as_i64().unwrap());
    let mut found: Vec<_> = list.iter().map(one).collect();
    found.sort();
    (found, shown["favourites_count"].as_i64().unwrap())
}

pub(crate) fn reaction(status: &str, emoji: &str) -> String {
    let emoji: String = url::form_urlencoded::byte_serialize(emoji.as_bytes()).collect();
    format!("/api/v1/pleroma/statuses/{status}/reactions/{emoji}")
}

fn named(names: &[(&str, i64)]) -> Vec<(String, i64)> {
    let mut names: Vec<_> = names.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    names.sort();
    names
}

testkit::between_two_servers! {
    async fn emoji_come_and_go(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        let posted = post_as(&alice, "a fine post", "public").await;
        let there = id(&search(&bob, posted["uri"].as_str().unwrap()).await["statuses"][0]).to_owned();
        let shown = bob.put(&reaction(&there, "👍"), ()).await.ok();
        assert_eq!(shown["favourited"], true);
        let mine = json!([{ "name": "👍", "count": 1, "me": true, "url": null }]);
        assert_eq!(shown["pleroma"]["emoji_reactions"], mine);
        bob.put(&reaction(&there, "❤️"), ()).await.ok();
        carol.put(&reaction(&there, "👍"), ()).await.ok();
        carol.put(&reaction(&there, "👍"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(counted(&alice, id(&posted)).await, (named(&[("👍", 2), ("❤️", 1)]), 2));
        let shown = seen(&alice, id(&posted)).await["pleroma"]["emoji_reactions"].clone();
        assert!(shown.as_array().unwrap().iter().all(|r| r["me"] == false));
        assert_eq!(notifications(&alice).await.iter().filter(|(kind, _)| kind == "favourite").count(), 2);

        bob.delete(&reaction(&there, "👍"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(counted(&alice, id(&posted)).await, (named(&[("❤️", 1), ("👍", 1)]), 2));
        bob.delete(&reaction(&there, "❤️"), ()).await.ok();
        carol.post(&format!("/api/v1/statuses/{there}/unfavourite"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(counted(&alice, id(&posted)).await, (named(&[]), 0));
        assert_eq!(counted(&carol, &there).await, (named(&[]), 0));
        assert_eq!(notifications(&alice).await, []);
    }
}

fn react(peer: &Peer, who: &Somebody, (verb, name): (&str, &str), (status, content): (&Value, Value)) -> Value {
    let mut it = peer.activity(who, (verb, name), status.clone());
    it["content"] = content;
    it
}

fn picture(peer: &Peer, name: &str) -> Value {
    json!([{ "type": "Emoji", "id": null, "name": name, "icon": { "type": "Image", "url": format!("{}/x.png", peer.base) } }])
}

/// `:blob:` is an emoji of this site.
pub(crate) async fn put_blob(server: &TestServer) {
    let new = domain::emojis::New {
        id: domain::emojis::new_id(),
        shortcode: "blob".into(),
        image: "custom_emojis/blob.png".into(),
        image_static: "custom_emojis/blob_static.png".into(),
        category: None,
        visible_in_picker: true,
    };
    domain::emojis::put(server.db(), new).await.unwrap();
}

with_a_peer! {
    async fn emoji_of_every_software_are_understood(server, peer, bob) {
        let (mia, ren) = (peer.somebody("mia"), peer.somebody("ren"));
        let posted = post_as(&bob, "a fine post", "public").await;
        let (status, uri) = (id(&posted).to_owned(), &posted["uri"]);
        let neko = format!("neko@{}", peer.host());
        // Misskey's, and the same taken back.
        let mut misskey = react(&peer, &mia, ("Like", "l1"), (uri, json!(":neko:")));
        (misskey["_misskey_reaction"], misskey["tag"]) = (json!(":neko:"), picture(&peer, ":neko:"));
        peer.send(&mia, &server, &misskey).await;
        assert_eq!(counted(&bob, &status).await, (named(&[(&neko, 1)]), 1));
        let url = seen(&bob, &status).await["pleroma"]["emoji_reactions"][0]["url"].clone();
        // Shown at an address here, whatever they sent.
        let url = url.as_str().unwrap().to_owned();
        assert!(url.contains("custom_emojis/") && !url.starts_with(&peer.base), "{url}");
        let listed = bob.get(&format!("/api/v1/pleroma/statuses/{status}/reactions"), ()).await.ok();
        assert_eq!(listed[0]["url"], url);
        let known = bob.put(&reaction(&status, &neko), ()).await.ok();
        assert_eq!(known["pleroma"]["emoji_reactions"][0]["count"], 2, "what is there may be joined");
        bob.delete(&reaction(&status, &neko), ()).await.ok();
        peer.send(&ren, &server, &peer.activity(&ren, ("Undo", "u0"), misskey.clone())).await;
        assert_eq!(counted(&bob, &status).await.1, 1, "by somebody else");
        peer.send(&mia, &server, &peer.activity(&mia, ("Undo", "u1"), misskey)).await;
        assert_eq!(counted(&bob, &status).await, (named(&[]), 0));

        // Akkoma's, several of one person, each once.
        let mut akkoma = react(&peer, &ren, ("EmojiReact", "e1"), (uri, json!(":neko:")));
        akkoma["tag"] = picture(&peer, "neko");
        peer.send(&ren, &server, &akkoma).await;
        let second = react(&peer, &ren, ("EmojiReaction", "e2"), (uri, json!("🎉")));
        peer.send(&ren, &server, &second).await;
        akkoma["id"] = json!(format!("{}/activities/e3", peer.base));
        peer.send(&ren, &server, &akkoma).await;
        assert_eq!(counted(&bob, &status).await, (named(&[(&neko, 1), ("🎉", 1)]), 1));
        peer.send(&ren, &server, &peer.activity(&ren, ("Undo", "u2"), akkoma)).await;
        assert_eq!(counted(&bob, &status).await, (named(&[("🎉", 1)]), 1));

        // No emoji, no picture, markup: favourites all the same.
        for (n, content) in ["like", ":neko:", "<b>x</b>", "👍👍👍"].into_iter().enumerate() {
            let who = peer.somebody(&format!("odd{n}"));
            peer.send(&who, &server, &react(&peer, &who, ("Like", &format!("o{n}")), (uri, json!(content)))).await;
        }
        assert_eq!(counted(&bob, &status).await, (named(&[("🎉", 1)]), 5));
        // More than anybody may.
        for (n, emoji) in ["😀", "😁", "😂", "😃", "😄", "😅", "😆", "😇"].into_iter().enumerate() {
            peer.send(&mia, &server, &react(&peer, &mia, ("EmojiReact", &format!("m{n}")), (uri, json!(emoji)))).await;
        }
        let (names, favourites) = counted(&bob, &status).await;
        assert_eq!((names.len(), favourites), (6, 6));
        // On what they may not see.
        let private = post_as(&bob, "for friends", "private").await;
        peer.send(&mia, &server, &react(&peer, &mia, ("EmojiReact", "p1"), (&private["uri"], json!("👍")))).await;
        assert_eq!(counted(&bob, id(&private)).await, (named(&[]), 0));
    }

    async fn what_was_told_as_an_emoji_is_taken_back_as_that(server, peer, bob) {
        let mia = peer.somebody("mia");
        let note = peer.note(&mia, ("1", "a fine post"), &[]);
        peer.put("/notes/1", note.clone());
        let status = id(&search(&bob, note["id"].as_str().unwrap()).await["statuses"][0]).to_owned();
        let sent = |kind: &str| -> Vec<Value> {
            peer.received.lock().unwrap().drain(..).filter(|it| it["type"] == kind).collect()
        };
        let act = async |verb: &str| {
            bob.post(&format!("/api/v1/statuses/{status}/{verb}"), ()).await.ok();
            server.settle().await;
        };
        bob.put(&reaction(&status, "👍"), ()).await.ok();
        server.settle().await;
        let like = sent("Like").remove(0);
        act("unfavourite").await;
        let undone: Vec<Value> = sent("Undo").iter().map(|undo| undo["object"]["id"].clone()).collect();
        assert_eq!(undone, [like["id"].clone()], "the favourite that came with it was never told");
        // A favourite that was there before is its own.
        act("favourite").await;
        bob.put(&reaction(&status, "👍"), ()).await.ok();
        server.settle().await;
        let mut told: Vec<String> = sent("Like").iter().map(|it| it["id"].to_string()).collect();
        act("unfavourite").await;
        let mut undone: Vec<String> = sent("Undo").iter().map(|it| it["object"]["id"].to_string()).collect();
        told.sort();
        undone.sort();
        assert_eq!((told.len(), told), (2, undone));
    }

    async fn pictures_of_emoji_are_kept_from_sight_as_others_are(server, peer, bob) {
        let mia = peer.somebody("mia");
        let posted = post_as(&bob, "a fine post", "public").await;
        let mut sent = react(&peer, &mia, ("Like", "l1"), (&posted["uri"], json!(":neko:")));
        sent["tag"] = picture(&peer, ":neko:");
        peer.send(&mia, &server, &sent).await;
        let url = async || seen(&bob, id(&posted)).await["pleroma"]["emoji_reactions"][0]["url"].clone();
        assert!(url().await.is_string());
        let rule = DomainBlock { severity: Severity::Noop, reject_media: true, ..DomainBlock::named(peer.host()) };
        domain_blocks::block(server.db(), &rule).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(counted(&bob, id(&posted)).await.1, 1);
        assert!(url().await.is_null());
    }

    async fn emoji_are_sent_as_all_understand_them(server, peer, bob) {
        let mia = peer.somebody("mia");
        let note = peer.note(&mia, ("1", "a fine post"), &[]);
        peer.put("/notes/1", note.clone());
        let status = id(&search(&bob, note["id"].as_str().unwrap()).await["statuses"][0]).to_owned();
        put_blob(&server).await;
        for text in ["👍", ":blob:"] {
            bob.put(&reaction(&status, text), ()).await.ok();
        }
        server.settle().await;
        let sent: Vec<Value> = peer.received.lock().unwrap().iter().filter(|it| it["type"] == "Like").cloned().collect();
        let like = |content: &str| sent.iter().find(|it| it["content"] == content).cloned().unwrap();
        for content in ["👍", ":blob:"] {
            assert_eq!((&like(content)["_misskey_reaction"], &like(content)["object"]), (&json!(content), &note["id"]));
        }
        let tag = &like(":blob:")["tag"][0];
        assert_eq!((&tag["name"], &tag["icon"]["mediaType"]), (&json!(":blob:"), &json!("image/png")));
        bob.delete(&reaction(&status, "blob"), ()).await.ok();
        server.settle().await;
        let undo = peer.received.lock().unwrap().iter().find(|it| it["type"] == "Undo").cloned().unwrap();
        assert_eq!((&undo["object"]["id"], &undo["object"]["content"]), (&like(":blob:")["id"], &json!(":blob:")));
        assert_eq!(seen(&bob, &status).await["favourited"], true, "the other one is still there");
    }
}
