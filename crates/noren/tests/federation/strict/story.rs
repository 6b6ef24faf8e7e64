//! What happens to every one of them: Bob is found and followed, writes, changes and deletes, favours and boosts; Eve does
//! the same. What comes to Eve's server is looked at as it comes; here is what Bob and she see of it in the end.

use super::Strict;
use crate::{find, home, id, post_as, relationship, text};
use serde_json::{Value, json};
use testkit::Person;

/// Public, followers only, direct: as Eve's server must understand them.
const POSTS: [(&str, &str); 3] = [("to everybody", "public"), ("to followers", "private"), ("to you", "direct")];

pub(crate) async fn all(strict: &Strict, bob: &Person) {
    discovery(strict, bob).await;
    follows(strict, bob).await;
    let posts = posts(strict, bob).await;
    own(strict, bob, &posts[0]).await;
    interactions(strict, bob).await;
    ends(strict, bob, &posts).await;
}

/// From the handle to the actor and back, and what the actor names.
async fn discovery(strict: &Strict, bob: &Person) {
    let theirs = strict.known.theirs.clone();
    let handle = strict.server.handle(&bob.username);
    let webfinger = async |handle: &str| {
        let (status, found) = strict.ask(&format!("{theirs}/.well-known/webfinger?resource=acct:{handle}")).await;
        assert_eq!((status, &found["subject"]), (200, &json!(format!("acct:{handle}"))));
        let links = found["links"].as_array().unwrap();
        let own: Vec<&Value> = links.iter().filter(|link| link["rel"] == "self").collect();
        assert_eq!((own.len(), &own[0]["type"]), (1, &json!("application/activity+json")), "{found}");
        own[0]["href"].as_str().unwrap().to_owned()
    };
    let uri = webfinger(&handle).await;
    // The site's own actor has to be there before anything else can be asked for.
    for uri in [format!("{theirs}/actor"), uri.clone()] {
        let actor = strict.learn(&uri).await;
        // And back: whoever has this name there is this one.
        let host = theirs.trim_start_matches("http://");
        let again = webfinger(&format!("{}@{host}", actor["preferredUsername"].as_str().unwrap())).await;
        assert_eq!(again, uri);
    }
    let actor = strict.known.actor(&uri);
    for name in ["outbox", "followers", "following", "featured", "featuredTags"] {
        let (status, list) = strict.ask(actor[name].as_str().unwrap()).await;
        assert_eq!((status, list["id"] == actor[name]), (200, true), "{name}: {list}");
        assert!(list["type"].as_str().unwrap().ends_with("Collection"), "{name}: {list}");
    }
}

/// Both ways.
async fn follows(strict: &Strict, bob: &Person) {
    let (here, theirs) = (crate::peer::local_uri(&strict.server, bob), &strict.peer);
    let follow = theirs.activity(&strict.eve, ("Follow", "follow"), json!(here));
    strict.send(&follow).await;
    let accept = strict.got("Accept", "follow");
    assert_eq!((&accept["actor"], &accept["object"]["id"]), (&json!(here), &follow["id"]), "{accept}");
    assert_eq!((&accept["object"]["actor"], &accept["object"]["object"]), (&follow["actor"], &json!(here)));

    let there = find(bob, &format!("eve@{}", theirs.host())).await;
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
    strict.server.settle().await;
    let asked = strict.got("Follow", &strict.eve.uri);
    strict.send(&theirs.activity(&strict.eve, ("Accept", "accept"), asked)).await;
    let shown = relationship(bob, id(&there)).await;
    assert_eq!((&shown["following"], &shown["followed_by"]), (&json!(true), &json!(true)));
}

/// What Bob writes and changes. The statuses.
async fn posts(strict: &Strict, bob: &Person) -> Vec<Value> {
    let mut made = Vec::new();
    for (words, visibility) in POSTS {
        let words = match visibility {
            "direct" => format!("{words}, @eve@{}", strict.peer.host()),
            _ => format!("{words} #tea"),
        };
        made.push(post_as(bob, &words, visibility).await);
    }
    strict.server.settle().await;
    let actor = strict.known.actor(&crate::peer::local_uri(&strict.server, bob));
    for ((words, visibility), post) in POSTS.iter().zip(&made) {
        let create = strict.got("Create", words);
        assert_eq!(create["object"]["id"], post["uri"]);
        assert_eq!((strict.software.visibility)(&create["object"], &actor), *visibility, "{create}");
        // And is there for who may see it, at its address.
        let (status, note) = strict.ask(post["uri"].as_str().unwrap()).await;
        assert_eq!((status, &note["content"]), (200, &create["object"]["content"]), "{visibility}");
    }
    let first = format!("/api/v1/statuses/{}", id(&made[0]));
    for words in ["once more, to everybody", "and again, to everybody"] {
        bob.put(&first, [("status", words)]).await.ok();
        strict.server.settle().await;
    }
    let (one, two) = (strict.got("Update", "once more"), strict.got("Update", "and again"));
    assert_ne!(one["id"], two["id"], "two edits of one name are one edit");
    assert!(two["object"]["updated"].as_str() > one["object"]["updated"].as_str());
    made
}

/// What Eve does is seen and counted.
async fn own(strict: &Strict, bob: &Person, post: &Value) {
    let peer = &strict.peer;
    for name in ["1", "2"] {
        let mut note = peer.note(&strict.eve, (name, &format!("<p>number {name}</p>")), &[]);
        note.as_object_mut().unwrap().extend((strict.software.note_has)(&strict.eve.uri).as_object().unwrap().clone());
        peer.put(&format!("/notes/{name}"), note.clone());
        strict.send(&peer.activity(&strict.eve, ("Create", &format!("create-{name}")), note)).await;
    }
    let seen: Vec<String> = home(bob).await.iter().filter(|s| s["account"]["username"] == "eve").map(text).collect();
    assert_eq!(seen, ["number 2", "number 1"]);

    let counts = async || {
        let shown = bob.get(&format!("/api/v1/statuses/{}", id(post)), ()).await.ok();
        (shown["favourites_count"].as_i64().unwrap(), shown["reblogs_count"].as_i64().unwrap())
    };
    let mut like = peer.activity(&strict.eve, ("Like", "like"), post["uri"].clone());
    like.as_object_mut().unwrap().extend((strict.software.like_has)(&peer.base).as_object().unwrap().clone());
    let boost = peer.activity(&strict.eve, ("Announce", "boost"), post["uri"].clone());
    strict.send(&like).await;
    strict.send(&boost).await;
    assert_eq!(counts().await, (1, 1));
    for (name, what) in [("u1", like), ("u2", boost)] {
        strict.send(&peer.activity(&strict.eve, ("Undo", name), what)).await;
    }
    assert_eq!(counts().await, (0, 0));
    let gone = json!({ "id": format!("{}/notes/1", peer.base), "type": "Tombstone" });
    peer.put("/notes/1", json!(410));
    strict.send(&peer.activity(&strict.eve, ("Delete", "delete"), gone)).await;
    assert_eq!(home(bob).await.iter().filter(|s| s["account"]["username"] == "eve").count(), 1);
}

/// What Bob does with what Eve wrote, and takes back.
async fn interactions(strict: &Strict, bob: &Person) {
    let uri = format!("{}/notes/2", strict.peer.base);
    let note = home(bob).await.into_iter().find(|s| s["uri"] == json!(uri)).unwrap();
    let path = format!("/api/v1/statuses/{}", id(&note));
    for step in ["favourite", "reblog", "unfavourite", "unreblog"] {
        bob.post(&format!("{path}/{step}"), ()).await.ok();
        strict.server.settle().await;
    }
    assert_eq!(strict.got("Like", &uri)["object"], json!(uri));
    let boost = strict.got("Announce", &uri);
    assert_eq!((&boost["object"], boost["published"].is_string()), (&json!(uri), true));
    for (kind, what) in [("Like", strict.got("Like", &uri)), ("Announce", boost)] {
        let undo = strict.got("Undo", &format!("\"{kind}\""));
        assert_eq!((&undo["object"]["id"], &undo["object"]["object"]), (&what["id"], &json!(uri)), "{undo}");
    }
    let words =
        [("status", format!("@eve@{} an answer", strict.peer.host())), ("in_reply_to_id", id(&note).to_owned())];
    bob.post("/api/v1/statuses", words).await.ok();
    strict.server.settle().await;
    assert_eq!(strict.got("Create", "an answer")["object"]["inReplyTo"], json!(uri));
}

/// What is gone is said and is gone.
async fn ends(strict: &Strict, bob: &Person, posts: &[Value]) {
    for post in posts {
        bob.delete(&format!("/api/v1/statuses/{}", id(post)), ()).await.ok();
        strict.server.settle().await;
        let uri = post["uri"].as_str().unwrap();
        let delete = strict.got("Delete", uri);
        let object = &delete["object"];
        assert!(*object == json!(uri) || (object["id"] == json!(uri) && object["type"] == "Tombstone"), "{delete}");
        assert!(matches!(strict.ask(uri).await.0, 404 | 410), "{uri}");
    }
}
