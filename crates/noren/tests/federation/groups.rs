//! Groups that pass on what their members do: Lemmy's way, and PeerTube's.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, home, id, notifications, post_as, relationship, search, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// A group that bob follows.
async fn group(server: &TestServer, peer: &Peer, bob: &Person) -> Somebody {
    let tea = peer.somebody_at("tea", "/c/tea");
    peer.shows(&tea, "tea", json!({ "type": "Group" }));
    followed(server, peer, bob, (&tea, "tea")).await;
    tea
}

/// The group tells what somebody did.
async fn tell(server: &TestServer, peer: &Peer, (group, name): (&Somebody, &str), inner: Value) {
    peer.send(group, server, &peer.activity(group, ("Announce", name), inner)).await;
}

fn page(peer: &Peer, who: &Somebody, name: &str, title: &str) -> Value {
    let mut page = peer.note(who, (name, "<p>look</p>"), &[]);
    (page["type"], page["name"], page["audience"]) =
        (json!("Page"), json!(title), json!(format!("{}/c/tea", peer.base)));
    page
}

async fn shown(bob: &Person) -> Vec<(String, String, String)> {
    let line = |s: &Value| {
        let name = |s: &Value| s["account"]["username"].as_str().unwrap().to_owned();
        (name(s), name(&s["reblog"]), text(&s["reblog"]))
    };
    home(bob).await.iter().filter(|s| s["reblog"].is_object()).map(line).collect()
}

with_a_peer! {
    async fn what_members_post_is_shown_as_boosted_by_the_group(server, peer, bob) {
        let other = Peer::start().await;
        let (tea, nora, vic) = (group(&server, &peer, &bob).await, peer.somebody("nora"), other.somebody("vic"));
        let post = page(&peer, &nora, "1", "The best kettle");
        peer.put("/notes/1", post.clone());
        let create = peer.activity(&nora, ("Create", "1"), post.clone());
        tell(&server, &peer, (&tea, "a1"), create).await;
        // Once more, by name only, for those who know no other way.
        tell(&server, &peer, (&tea, "a2"), post["id"].clone()).await;
        let seen = shown(&bob).await;
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].0.as_str(), seen[0].1.as_str()), ("tea", "nora"));
        assert!(seen[0].2.starts_with("The best kettle"), "{seen:?}");
        // An answer by somebody of another server: fetched there, found below, not shown by itself.
        let mut answer = other.note(&vic, ("2", "mine is better"), &[]);
        answer["inReplyTo"] = post["id"].clone();
        other.put("/notes/2", answer.clone());
        let mut told = answer.clone();
        told["content"] = json!("yours is better");
        tell(&server, &peer, (&tea, "a3"), other.activity(&vic, ("Create", "2"), told)).await;
        assert_eq!(shown(&bob).await.len(), 1);
        let known = search(&bob, post["id"].as_str().unwrap()).await["statuses"][0].clone();
        let context = bob.get(&format!("/api/v1/statuses/{}/context", id(&known)), ()).await.ok();
        assert_eq!(text(&context["descendants"][0]), "mine is better");
        // What never was there is not believed, whoever is said to have written it.
        for (name, who) in [("3", local_uri(&server, &bob)), ("4", vic.uri.clone())] {
            let mut forged = other.note(&vic, (name, "I never said this"), &[]);
            forged["attributedTo"] = json!(who);
            tell(&server, &peer, (&tea, &format!("b{name}")), other.activity(&vic, ("Create", name), forged.clone())).await;
            assert_eq!(search(&bob, forged["id"].as_str().unwrap()).await["statuses"], json!([]));
        }
    }

    async fn what_is_done_to_the_group_is_looked_at(server, peer, bob) {
        let (tea, moderator) = (group(&server, &peer, &bob).await, peer.somebody("moderator"));
        let known = async || bob.get("/api/v1/accounts/lookup", [("acct", format!("tea@{}", peer.host()))]).await;
        let show = |name: &str| peer.shows(&tea, "tea", json!({ "type": "Group", "name": name }));
        show("Good tea");
        let mut told = peer.actor("tea", &tea);
        (told["type"], told["name"]) = (json!("Group"), json!("Bad tea"));
        tell(&server, &peer, (&tea, "a1"), peer.activity(&moderator, ("Update", "1"), told)).await;
        assert_eq!(known().await.ok()["display_name"], "Good tea");
        // Closed, as somebody says, and opened again.
        let deletion = peer.activity(&moderator, ("Delete", "2"), json!(tea.uri));
        tell(&server, &peer, (&tea, "a2"), deletion.clone()).await;
        show("Better tea");
        tell(&server, &peer, (&tea, "a3"), peer.activity(&moderator, ("Undo", "3"), deletion)).await;
        assert_eq!(known().await.ok()["display_name"], "Better tea");
        peer.put("/c/tea", json!(410));
        tell(&server, &peer, (&tea, "a4"), peer.activity(&moderator, ("Delete", "4"), json!(tea.uri))).await;
        known().await.expect(404);
    }

    async fn edits_and_deletions_come_through_the_group(server, peer, bob) {
        let (tea, nora) = (group(&server, &peer, &bob).await, peer.somebody("nora"));
        let posts: Vec<Value> = ["1", "2"].iter().map(|name| page(&peer, &nora, name, &format!("Post {name}"))).collect();
        for (name, post) in ["1", "2"].iter().zip(&posts) {
            peer.put(&format!("/notes/{name}"), post.clone());
            tell(&server, &peer, (&tea, &format!("a{name}")), peer.activity(&nora, ("Create", name), post.clone())).await;
        }
        let mut edited = posts[0].clone();
        (edited["name"], edited["updated"]) = (json!("Post one"), json!(jiff::Timestamp::now().to_string()));
        tell(&server, &peer, (&tea, "b1"), peer.activity(&nora, ("Update", "3"), edited)).await;
        let titles = async || shown(&bob).await.into_iter().map(|s| s.2[..8].to_owned()).collect::<Vec<_>>();
        assert_eq!(titles().await, ["Post 2lo", "Post one"]);
        // A moderator takes it out of the group: where it is from it is still there.
        let moderator = peer.somebody("moderator");
        tell(&server, &peer, (&tea, "c1"), peer.activity(&moderator, ("Delete", "4"), posts[0]["id"].clone())).await;
        assert_eq!(titles().await.len(), 1);
        assert_eq!(search(&bob, posts[0]["id"].as_str().unwrap()).await["statuses"].as_array().unwrap().len(), 1);
        // She puts it back, and something else happens that nobody shows.
        let deletion = peer.activity(&moderator, ("Delete", "4"), posts[0]["id"].clone());
        for (name, verb) in [("6", "Lock"), ("7", "Add"), ("8", "Remove"), ("9", "Block")] {
            let mut act = peer.activity(&moderator, (verb, name), posts[1]["id"].clone());
            act["target"] = json!(format!("{}/featured", tea.uri));
            tell(&server, &peer, (&tea, &format!("m{name}")), act).await;
        }
        assert_eq!(titles().await, ["Post 2lo"]);
        tell(&server, &peer, (&tea, "c3"), peer.activity(&moderator, ("Undo", "10"), deletion.clone())).await;
        assert_eq!(titles().await.len(), 2);
        // Where it is from nobody answers: it leaves the group nevertheless.
        peer.put("/notes/1", json!(403));
        tell(&server, &peer, (&tea, "c4"), peer.activity(&moderator, ("Delete", "11"), posts[0]["id"].clone())).await;
        assert_eq!(titles().await, ["Post 2lo"]);
        // Not by a word of somebody who is no group.
        tell(&server, &peer, (&moderator, "c5"), peer.activity(&moderator, ("Delete", "12"), posts[1]["id"].clone())).await;
        assert_eq!(titles().await, ["Post 2lo"]);
        // Its author deletes it: it is gone everywhere.
        peer.remove("/notes/2");
        tell(&server, &peer, (&tea, "c2"), peer.activity(&nora, ("Delete", "5"), posts[1]["id"].clone())).await;
        assert_eq!(titles().await, [] as [&str; 0]);
        assert_eq!(search(&bob, posts[1]["id"].as_str().unwrap()).await["statuses"], json!([]));
        // She thinks better of it; that it is not there is known before.
        let deletion = peer.activity(&nora, ("Delete", "5"), posts[1]["id"].clone());
        tell(&server, &peer, (&tea, "c6"), peer.activity(&nora, ("Undo", "13"), deletion.clone())).await;
        assert_eq!(titles().await, [] as [&str; 0]);
        peer.put("/notes/2", posts[1].clone());
        tell(&server, &peer, (&tea, "c7"), peer.activity(&nora, ("Undo", "14"), deletion)).await;
        assert_eq!(titles().await, ["Post 2lo"]);
    }

    async fn votes_stay_with_the_group_and_others_are_no_groups(server, peer, bob) {
        let (tea, nora) = (group(&server, &peer, &bob).await, peer.somebody("nora"));
        let mine = post_as(&bob, "in the group", "public").await;
        for (name, verb) in [("1", "Like"), ("2", "Dislike")] {
            let vote = peer.activity(&nora, (verb, name), mine["uri"].clone());
            tell(&server, &peer, (&tea, &format!("a{name}")), vote.clone()).await;
            tell(&server, &peer, (&tea, &format!("b{name}")), peer.activity(&nora, ("Undo", &format!("u{name}")), vote)).await;
        }
        let delete = peer.activity(&nora, ("Delete", "3"), mine["uri"].clone());
        tell(&server, &peer, (&tea, "a3"), delete).await;
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok();
        assert_eq!(seen["favourites_count"], 0);
        assert_eq!(notifications(&bob).await, []);
        // A person, and a group that nobody follows.
        let (person, coffee) = (peer.somebody("person"), peer.somebody_at("coffee", "/c/coffee"));
        peer.shows(&coffee, "coffee", json!({ "type": "Group" }));
        followed(&server, &peer, &bob, (&person, "person")).await;
        for (name, who) in [("4", &person), ("5", &coffee)] {
            let post = page(&peer, &nora, name, "Not for here");
            peer.put(&format!("/notes/{name}"), post.clone());
            tell(&server, &peer, (who, &format!("c{name}")), peer.activity(&nora, ("Create", name), post)).await;
        }
        assert_eq!(shown(&bob).await, []);
    }

    async fn members_post_in_the_name_of_their_group(server, peer, bob) {
        // As Mobilizon does: who sends it is not whose it is.
        let (club, mia) = (peer.somebody_at("club", "/@club"), peer.somebody_at("mia", "/@mia"));
        peer.shows(&club, "club", json!({ "type": "Group" }));
        followed(&server, &peer, &bob, (&club, "club")).await;
        let mut event = peer.note(&club, ("1", "<p>bring cake</p>"), &[]);
        (event["type"], event["name"], event["actor"]) = (json!("Event"), json!("Tea party"), json!(mia.uri));
        let mut told = event.clone();
        told["name"] = json!("No tea party");
        // Not there: not believed.
        peer.send(&mia, &server, &peer.activity(&mia, ("Create", "1"), told.clone())).await;
        assert_eq!(home(&bob).await.len(), 0);
        peer.put("/notes/1", event.clone());
        peer.send(&mia, &server, &peer.activity(&mia, ("Create", "2"), told.clone())).await;
        let seen = home(&bob).await;
        assert_eq!((seen.len(), &seen[0]["account"]["username"]), (1, &json!("club")));
        assert!(text(&seen[0]).starts_with("Tea party"), "{seen:?}");
        event["name"] = json!("Coffee party");
        event["updated"] = json!(jiff::Timestamp::now().to_string());
        peer.put("/notes/1", event);
        peer.send(&mia, &server, &peer.activity(&mia, ("Update", "3"), told)).await;
        assert!(text(&home(&bob).await[0]).starts_with("Coffee party"));
    }

    async fn channels_show_their_videos(server, peer, bob) {
        let pia = peer.somebody_at("pia", "/accounts/pia");
        let brew = peer.somebody_at("brew", "/video-channels/brew");
        peer.shows(&brew, "brew", json!({ "type": "Group", "attributedTo": [{ "type": "Person", "id": pia.uri }] }));
        let there = followed(&server, &peer, &bob, (&brew, "brew")).await;
        let video = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "type": "Video", "id": format!("{}/videos/watch/1", peer.base),
            "name": "How to brew", "mediaType": "text/markdown", "content": "for all", "published": jiff::Timestamp::now().to_string(),
            "url": [{ "type": "Link", "mediaType": "text/html", "href": format!("{}/w/1", peer.base) }],
            "attributedTo": [{ "type": "Person", "id": pia.uri }, { "type": "Group", "id": brew.uri }],
            "to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [format!("{}/followers", pia.uri)],
        });
        peer.put("/videos/watch/1", video.clone());
        peer.send(&brew, &server, &peer.activity(&brew, ("Announce", "1"), video["id"].clone())).await;
        let seen = shown(&bob).await;
        assert_eq!((seen.len(), seen[0].0.as_str(), seen[0].1.as_str()), (1, "brew", "pia"));
        assert!(seen[0].2.contains("How to brew") && seen[0].2.contains("/w/1"), "{seen:?}");
        assert_eq!(relationship(&bob, &there).await["showing_reblogs"], true);
    }

    async fn what_its_author_lets_nobody_boost_no_group_boosts(server, peer, bob) {
        let other = Peer::start().await;
        let (tea, vic) = (group(&server, &peer, &bob).await, other.somebody("vic"));
        let posted = async |name: &str, policy: Value| {
            let mut post = other.note(&vic, (name, name), &[]);
            post["interactionPolicy"] = json!({ "canAnnounce": policy });
            other.put(&format!("/notes/{name}"), post.clone());
            tell(&server, &peer, (&tea, &format!("a-{name}")), other.activity(&vic, ("Create", name), post.clone())).await;
            post
        };
        posted("open", json!({ "automaticApproval": [federation::documents::PUBLIC] })).await;
        let closed = posted("closed", json!({ "automaticApproval": [], "manualApproval": [vic.uri] })).await;
        assert_eq!(shown(&bob).await.iter().map(|s| s.2.as_str()).collect::<Vec<_>>(), ["open"]);
        // Unless the author says so for this one.
        let name = format!("{}/activities/a-agreed", peer.base);
        let agreed = format!("{}/approvals/1", other.base);
        other.put("/approvals/1", json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": agreed, "type": "AnnounceApproval",
            "attributedTo": vic.uri, "object": name, "target": closed["id"],
        }));
        let mut announce = peer.activity(&tea, ("Announce", "a-agreed"), other.activity(&vic, ("Create", "closed"), closed));
        announce["approvedBy"] = json!(agreed);
        peer.send(&tea, &server, &announce).await;
        assert_eq!(shown(&bob).await.len(), 2);
    }

    async fn posts_to_a_group_say_so(server, peer, bob) {
        let (tea, ann) = (group(&server, &peer, &bob).await, peer.somebody("ann"));
        find(&bob, &format!("ann@{}", peer.host())).await;
        let words = format!("@ann@{host} @tea@{host} a kettle", host = peer.host());
        post_as(&bob, &words, "public").await;
        server.settle().await;
        let sent = peer.last("Create");
        assert_eq!((&sent["audience"], &sent["object"]["audience"]), (&json!(tea.uri), &json!(tea.uri)));
        post_as(&bob, &format!("@ann@{} not for a group", peer.host()), "public").await;
        server.settle().await;
        let sent = peer.last("Create");
        assert!(sent["object"]["cc"].as_array().unwrap().contains(&json!(ann.uri)));
        assert_eq!((&sent["audience"], &sent["object"]["audience"]), (&Value::Null, &Value::Null));
    }
}
