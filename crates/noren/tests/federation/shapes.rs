//! Documents shaped like those of other servers, taken in and shown to clients.

use crate::peer::{Peer, followed, with_a_peer};
use crate::{home, search, text};
use serde_json::Value;

/// A document of the corpus as if it were this peer's.
fn corpus(peer: &Peer, name: &str, host: &str) -> Value {
    let path = format!("{}/../federation/tests/corpus/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap().replace(&format!("https://{host}"), &peer.base);
    serde_json::from_str(&text).unwrap()
}

/// A post of the corpus as this peer would serve it, and its path.
fn served(peer: &Peer, name: &str, host: &str) -> (String, Value) {
    let mut document = corpus(peer, name, host);
    if let Some(object) = document.get("object").filter(|object| object.is_object()).cloned() {
        document = object;
    }
    // Answers stand by themselves here.
    document.as_object_mut().unwrap().remove("inReplyTo");
    (document["id"].as_str().unwrap().strip_prefix(&peer.base).unwrap().to_owned(), document)
}

with_a_peer! {
    async fn posts_of_all_kinds_are_shown(server, peer, bob) {
        for (name, host, author, shown) in [
            ("lemmy_page", "lemmy.example", "/u/nora", "The best kettle"),
            ("lemmy_comment", "lemmy.example", "/u/nora", "no"),
            ("peertube_video", "peertube.example", "/accounts/pia", "How to brew"),
            ("wordpress_article", "blog.example", "", ""),
            ("friendica_note", "friendica.example", "", ""),
            ("mobilizon_event", "mobilizon.example", "/@club", ""),
            ("pixelfed_create", "pixelfed.example", "", ""),
        ] {
            let (path, document) = served(&peer, name, host);
            let by = match &document["attributedTo"] {
                Value::Array(list) => {
                    let person = list.iter().find(|one| one["type"] == "Person").unwrap_or(&list[0]);
                    person.get("id").unwrap_or(person).clone()
                }
                Value::Object(map) => map["id"].clone(),
                one => one.clone(),
            };
            let by = by.as_str().unwrap().strip_prefix(&peer.base).unwrap_or_else(|| panic!("{name}: {by}")).to_owned();
            assert!(author.is_empty() || author == by, "{name}: {by}");
            let username = format!("{}{}", name.split('_').next().unwrap(), by.len());
            peer.somebody_at(&username, &by);
            peer.put(&path, document.clone());
            let found = search(&bob, document["id"].as_str().unwrap()).await;
            let status = &found["statuses"][0];
            assert_eq!(status["account"]["username"], username, "{name}: {found}");
            let said = text(status);
            assert!(said.contains(shown) && !(said.is_empty() && status["media_attachments"] == serde_json::json!([])), "{name}: {said}");
            assert!(status["uri"] == document["id"] && status["visibility"] != "direct", "{name}");
        }
    }

    async fn groups_of_all_kinds_are_followed(server, peer, bob) {
        for (name, host, path, username) in [
            ("lemmy_group", "lemmy.example", "/c/tea", "tea"),
            ("peertube_channel", "peertube.example", "/video-channels/brew", "brew"),
            ("mobilizon_group", "mobilizon.example", "/@club", "club"),
            ("friendica_forum", "friendica.example", "/profile/forum", "forum"),
            ("wordpress_actor", "blog.example", "/?author=0", "blog.example"),
        ] {
            let who = peer.somebody_at(username, path);
            let mut document = corpus(&peer, name, host);
            assert_eq!(document["id"], who.uri, "{name}");
            document["publicKey"]["publicKeyPem"] = who.key.public_pem().into();
            // A test has one server for all of them.
            document.as_object_mut().unwrap().remove("webfinger");
            peer.put(path, document.clone());
            let there = followed(&server, &peer, &bob, (&who, username)).await;
            let shown = bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
            assert_eq!((&shown["group"], &shown["display_name"]), (&true.into(), &document["name"]), "{name}");
            assert_eq!(shown["acct"], format!("{username}@{}", peer.host()));
        }
    }

    async fn what_lemmy_announces_is_applied(server, peer, bob) {
        let (tea, _) = (peer.somebody_at("tea", "/c/tea"), peer.somebody_at("nora", "/u/nora"));
        peer.shows(&tea, "tea", serde_json::json!({ "type": "Group" }));
        followed(&server, &peer, &bob, (&tea, "tea")).await;
        let (path, page) = served(&peer, "lemmy_page", "lemmy.example");
        peer.put(&path, page.clone());
        let uri = page["id"].as_str().unwrap();
        peer.send(&tea, &server, &corpus(&peer, "lemmy_announce_create", "lemmy.example")).await;
        let seen = home(&bob).await;
        assert_eq!((seen.len(), &seen[0]["account"]["username"], &seen[0]["reblog"]["uri"]), (1, &"tea".into(), &uri.into()));
        assert_eq!(seen[0]["reblog"]["account"]["username"], "nora");
        peer.send(&tea, &server, &corpus(&peer, "lemmy_announce_like", "lemmy.example")).await;
        // A moderator takes it out; then it is gone altogether.
        peer.send(&tea, &server, &corpus(&peer, "lemmy_announce_delete", "lemmy.example")).await;
        assert_eq!(home(&bob).await.len(), 0);
        assert_eq!(search(&bob, uri).await["statuses"][0]["uri"], uri);
        peer.put(&path, serde_json::json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "Tombstone" }));
        let mut again = corpus(&peer, "lemmy_announce_delete", "lemmy.example");
        again["id"] = format!("{}/activities/announce/delete/2", peer.base).into();
        peer.send(&tea, &server, &again).await;
        assert_eq!(search(&bob, uri).await["statuses"], serde_json::json!([]));
    }
}
