//! People elsewhere who do not want to be read by who is not signed in: `hidesToPublicFromUnauthedWeb` and its like.

use crate::peer::{local_uri, with_a_peer};
use crate::{find, id, search};
use serde_json::{Value, json};
use testkit::{Client, Person};

/// What is to be seen of a post and of its author's profile: in the API, on the page of who boosted it.
async fn seen(client: &Client, (status, author): (&str, &str), bob: &Person) -> (u16, bool, bool) {
    let asked = client.get(&format!("/api/v1/statuses/{status}"), ()).await.status;
    let listed = client.get(&format!("/api/v1/accounts/{author}/statuses"), ()).await.ok();
    let listed = listed.as_array().unwrap().iter().any(|s| id(s) == status);
    let boosted = client.get(&format!("/api/v1/accounts/{}/statuses", bob.account), ()).await.ok();
    let boosted = boosted.as_array().unwrap().iter().any(|s: &Value| s["reblog"]["id"] == status);
    (asked, listed, boosted)
}

with_a_peer! {
    async fn what_strangers_may_not_read_is_for_people_here(server, peer, bob) {
        let ann = peer.somebody("ann");
        let shows = |public: Value, unlisted: Value| {
            peer.shows(&ann, "ann", json!({ "hidesToPublicFromUnauthedWeb": public, "hidesCcPublicFromUnauthedWeb": unlisted }));
        };
        shows(json!(true), json!(false));
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        let bob_uri = local_uri(&server, &bob);
        let mut posts = Vec::new();
        for (name, to, cc) in [
            ("public", federation::documents::PUBLIC.to_owned(), format!("{}/followers", ann.uri)),
            ("unlisted", format!("{}/followers", ann.uri), federation::documents::PUBLIC.to_owned()),
        ] {
            let mut note = peer.note(&ann, (name, &format!("<p>{name}</p>")), &[]);
            (note["to"], note["cc"]) = (json!([to]), json!([cc, bob_uri]));
            peer.put(&format!("/notes/{name}"), note.clone());
            peer.send(&ann, &server, &peer.activity(&ann, ("Create", name), note.clone())).await;
            let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            assert_eq!(found["visibility"], name);
            bob.post(&format!("/api/v1/statuses/{}/reblog", id(&found)), ()).await.ok();
            posts.push(id(&found).to_owned());
        }
        let (public, unlisted) = ((posts[0].as_str(), there.as_str()), (posts[1].as_str(), there.as_str()));
        let page = async || server.client().get("/@bob", ()).await.text().to_owned();
        let anybody = server.client();
        assert_eq!(seen(&bob, public, &bob).await, (200, true, true));
        assert_eq!(seen(anybody, public, &bob).await, (404, false, false));
        assert_eq!(seen(anybody, unlisted, &bob).await, (200, true, true));
        let shown = page().await;
        assert!(!shown.contains("<p>public</p>") && shown.contains("<p>unlisted</p>"), "{shown}");
        let timeline = async |client: &Client| client.get("/api/v1/timelines/public", ()).await.ok().as_array().unwrap().len();
        assert_eq!((timeline(&bob).await, timeline(anybody).await), (1, 0));
        // Other servers are no strangers' browsers: the boost is there for whom it was told.
        server.settle().await;
        let boosts = peer.received.lock().unwrap().iter().filter(|a| a["type"] == "Announce").cloned().collect::<Vec<_>>();
        assert_eq!(boosts.len(), 2);
        for boost in boosts {
            assert_eq!(peer.get(&ann, &format!("{}/activity", boost["id"].as_str().unwrap().trim_end_matches("/activity"))).await.0, 200);
        }

        let changed = async |public: Value, unlisted: Value| {
            shows(public, unlisted);
            let actor = peer.get(&ann, &ann.uri).await.2;
            let name = domain::ids::next::<domain::ids::StatusId>().to_string();
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", &name), actor)).await;
        };
        changed(json!(false), json!(true)).await;
        assert_eq!(seen(anybody, public, &bob).await, (200, true, true));
        assert_eq!(seen(anybody, unlisted, &bob).await, (404, false, false));
        assert_eq!(seen(&bob, unlisted, &bob).await, (200, true, true));
        let shown = page().await;
        assert!(shown.contains("<p>public</p>") && !shown.contains("<p>unlisted</p>"), "{shown}");
        // What is not said hides nothing.
        changed(Value::Null, json!("yes")).await;
        for post in [public, unlisted] {
            assert_eq!(seen(anybody, post, &bob).await, (200, true, true));
        }
    }
}
