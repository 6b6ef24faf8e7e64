//! How much one thread may have this server ask for.

use crate::peer::{Peer, Somebody, with_a_peer};
use crate::threads::{asked, below, found, list, reply};
use crate::{id, search};
use serde_json::json;

with_a_peer! {
    async fn strangers_in_a_thread_count_too(server, peer, bob) {
        let eve = peer.somebody("eve");
        let mut root = peer.note(&eve, ("root", "the beginning"), &[]);
        let mut names = Vec::new();
        for n in 0..300 {
            // All with one key: to make three hundred takes long.
            let (name, uri) = (format!("s{n}"), format!("{}/users/s{n}", peer.base));
            let one = Somebody { uri: uri.clone(), key: eve.key.clone() };
            peer.put(&format!("/users/{name}"), peer.actor(&name, &one));
            let port = peer.host().trim_start_matches("localhost:");
            peer.put(&format!("/.well-known/webfinger?resource=acct%3A{name}%40localhost%3A{port}"), json!({
                "subject": format!("acct:{name}@{}", peer.host()),
                "links": [{ "rel": "self", "type": "application/activity+json", "href": uri }] }));
            names.push(reply(&peer, &one, (&name, "me too"), &root["id"])["id"].clone());
        }
        root["replies"] = list(root["id"].as_str().unwrap(), json!(names));
        let here = found(&bob, &peer, &root).await;
        peer.asked.lock().unwrap().clear();
        below(&bob, &here).await;
        server.settle().await;
        let all = peer.asked.lock().unwrap().len();
        let kept = below(&bob, &here).await.len();
        assert_eq!(all, 500, "kept {kept}");
        assert!((150..=167).contains(&kept), "three for each: {kept}");
    }

    async fn what_is_above_answers_has_an_end_too(server, peer, bob) {
        let (deep, eve, ann) = (Peer::start().await, peer.somebody("eve"), Peer::start().await);
        let (far, near) = (deep.somebody("far"), ann.somebody("near"));
        let mut root = peer.note(&eve, ("root", "one"), &[]);
        let mut items = Vec::new();
        for n in 0..12 {
            // Known before what it answers, and that answers something in turn, and so on.
            let above = json!(format!("{}/notes/{n}-0", deep.base));
            let lost = reply(&ann, &near, (&format!("lost{n}"), "lost"), &above);
            found(&bob, &ann, &lost).await;
            items.push(lost["id"].clone());
        }
        let lost = id(&search(&bob, items[0].as_str().unwrap()).await["statuses"][0]).to_owned();
        for n in 0..12 {
            for m in 0..70 {
                reply(&deep, &far, (&format!("{n}-{m}"), "above"), &json!(format!("{}/notes/{n}-{}", deep.base, m + 1)));
            }
        }
        root["replies"] = list(root["id"].as_str().unwrap(), json!(items));
        search(&bob, &far.uri).await;
        deep.asked.lock().unwrap().clear();
        let here = found(&bob, &peer, &root).await;
        below(&bob, &here).await;
        server.settle().await;
        let all = asked(&deep, "/notes/");
        assert!((60..=500).contains(&all), "{all}");
        let first = asked(&deep, "/notes/0-");
        assert!((10..=60).contains(&first), "{first}");
        let seen = bob.get(&format!("/api/v1/statuses/{lost}"), ()).await.ok();
        assert!(seen["in_reply_to_id"].is_string(), "{seen:#}");
        let context = bob.get(&format!("/api/v1/statuses/{lost}/context"), ()).await.ok();
        assert!(context["ancestors"].as_array().unwrap().len() >= 10);
    }
}
