//! What an edit elsewhere changes, and what it leaves as it was.

use crate::peer::{followed, with_a_peer};
use crate::{home, id};
use serde_json::{Value, json};

/// Addresses here and descriptions of what hangs on a status, or on a version of it.
fn files(of: &Value) -> Vec<(String, String)> {
    let one = |file: &Value| {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        (text("url"), text("description"))
    };
    of["media_attachments"].as_array().unwrap().iter().map(one).collect()
}

with_a_peer! {
    async fn pictures_that_stay_keep_their_addresses_and_their_place_in_history(server, peer, bob) {
        let ann = peer.somebody("ann");
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let picture = |name: &str, text: &str| {
            json!({ "type": "Document", "mediaType": "image/png", "url": format!("{}/{name}.png", peer.base), "name": text })
        };
        let mut note = peer.note(&ann, ("1", "pictures"), &[]);
        note["attachment"] = json!([picture("one", "a cat"), picture("two", "a dog")]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let first = home(&bob).await[0].clone();
        let [one, two] = <[_; 2]>::try_from(files(&first)).unwrap();
        assert_eq!((one.1.as_str(), two.1.as_str()), ("a cat", "a dog"));

        // Another order, another description, one more, one less.
        note["attachment"] = json!([picture("three", "a hen"), picture("one", "a tom cat")]);
        note["updated"] = json!(jiff::Timestamp::now().to_string());
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "2"), note.clone())).await;
        let path = format!("/api/v1/statuses/{}", id(&first));
        let second = files(&bob.get(&path, ()).await.ok());
        assert_eq!(second.len(), 2);
        assert_eq!(second[0].1, "a hen");
        assert_eq!(second[1], (one.0.clone(), "a tom cat".to_owned()));

        let history = bob.get(&format!("{path}/history"), ()).await.ok();
        let versions: Vec<_> = history.as_array().unwrap().iter().map(files).collect();
        // What its author took away is shown nowhere any more.
        assert_eq!(versions, [vec![one], second]);
    }
}
