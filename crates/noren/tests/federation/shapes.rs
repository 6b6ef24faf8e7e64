//! Documents shaped like those of other servers, taken in and shown to clients.

use crate::peer::Peer;
use crate::peer::with_a_peer;
use crate::{search, text};
use serde_json::Value;
use testkit::{Engine, TestServer};

/// A document of the corpus as this peer would serve it, and its path.
fn served(peer: &Peer, name: &str, host: &str) -> (String, Value) {
    let path = format!("{}/../federation/tests/corpus/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap().replace(&format!("https://{host}"), &peer.base);
    let mut document: Value = serde_json::from_str(&text).unwrap();
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
}
