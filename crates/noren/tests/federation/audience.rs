//! Who gets what: servers that are each something else to Bob, and all that he does, for everybody or for few. Each hears of
//! what concerns it, once, and of nothing else.

use crate::peer::{Peer, Somebody, local_uri, with_a_peer};
use crate::{find, id, post_as, relays, search};
use domain::domain_blocks::Severity;
use domain::{hosts, users};
use federation::documents::PUBLIC;
use federation::resolve;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{Person, TestServer};

/// The server with Bob, and who is around it, by what they are to him.
struct Around<'a> {
    server: &'a TestServer,
    bob: &'a Person,
    /// Each on a server of their own.
    others: BTreeMap<&'static str, (Peer, Somebody)>,
}

impl<'a> Around<'a> {
    async fn new(server: &'a TestServer, bob: &'a Person) -> Self {
        let mut others = BTreeMap::new();
        for name in ["answered", "blocked", "blocker", "booster", "follower", "liker", "named", "stranger"] {
            let peer = Peer::start().await;
            let who = peer.somebody(name);
            find(bob, &format!("{name}@{}", peer.host())).await;
            others.insert(name, (peer, who));
        }
        let mut all = Self { server, bob, others };
        let here = json!(local_uri(server, bob));
        for (name, verb) in [("blocked", "Follow"), ("follower", "Follow"), ("blocker", "Block")] {
            all.does(name, (verb, "first"), here.clone()).await;
        }
        let (peer, _) = &all.others["blocked"];
        crate::trust::block(server, peer, Severity::Suspend, |_| {}).await;
        all.relays().await;
        let (peer, author) = &all.others["answered"];
        let mut question = peer.note(author, ("1", "a question"), &[]);
        question["interactionPolicy"] = json!({ "canQuote": { "automaticApproval": [PUBLIC] } });
        peer.put("/notes/1", question);
        let mut poll = peer.note(author, ("2", "tea?"), &[]);
        poll["type"] = json!("Question");
        poll["oneOf"] = json!([{ "type": "Note", "name": "yes" }, { "type": "Note", "name": "no" }]);
        peer.put("/notes/2", poll);
        all.heard().await;
        all
    }

    /// One that passes on what it is sent, and one that takes boosts.
    async fn relays(&mut self) {
        let (first, second) = (Peer::start().await, Peer::start().await);
        let who = relays::accepted(self.server, &first).await;
        self.others.insert("relay", (first, who));
        let who = second.somebody("litepub");
        second.shows(&who, "litepub", json!({ "type": "Application" }));
        resolve::relay::subscribe(&self.server.parts().federation, &who.uri).await.unwrap();
        self.server.settle().await;
        let asked = second.last("Follow");
        second.send(&who, self.server, &second.activity(&who, ("Accept", "yes"), asked)).await;
        self.others.insert("litepub", (second, who));
    }

    /// Somebody else does something.
    async fn does(&self, who: &str, (verb, name): (&str, &str), object: Value) {
        let (peer, somebody) = &self.others[who];
        peer.send(somebody, self.server, &peer.activity(somebody, (verb, name), object)).await;
    }

    /// The post of `answered` with this number, as Bob knows it.
    async fn theirs(&self, number: u8) -> Value {
        let uri = format!("{}/notes/{number}", self.others["answered"].0.base);
        search(self.bob, &uri).await["statuses"][0].clone()
    }

    /// What came since the last time, and to whom: `Create: follower named; Update: …`.
    async fn heard(&self) -> String {
        self.server.settle().await;
        let mut heard = BTreeMap::<String, Vec<&str>>::new();
        for (name, (peer, _)) in &self.others {
            for activity in std::mem::take(&mut *peer.received.lock().unwrap()) {
                heard.entry(activity["type"].as_str().unwrap().to_owned()).or_default().push(name);
            }
        }
        let lines: Vec<String> = heard.iter().map(|(verb, names)| format!("{verb}: {}", names.join(" "))).collect();
        lines.join("; ")
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let form: Vec<(String, String)> = form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.bob.post(path, form).await.ok()
    }
}

/// The names in these groups that hear of a post of this visibility, in order.
fn names(visibility: &str, groups: &[(&str, &'static str)]) -> String {
    let holds = |from: &str| match from {
        "public" => visibility == "public",
        "open" => matches!(visibility, "public" | "unlisted"),
        "followers" => visibility != "direct",
        _ => true,
    };
    let mut names: Vec<&str> = groups.iter().filter(|(from, _)| holds(from)).map(|(_, name)| *name).collect();
    names.sort_unstable();
    names.join(" ")
}

/// With what goes to the relay that takes boosts.
fn created(visibility: &str, names: &str) -> String {
    match (visibility, names) {
        (_, "") => String::new(),
        ("public", _) => format!("Announce: litepub; Create: {names}"),
        _ => format!("Create: {names}"),
    }
}

/// A post that names somebody, from its beginning to its end.
async fn a_post(all: &Around<'_>, visibility: &str) {
    let handle = format!("@named@{}", all.others["named"].0.host());
    let posted = post_as(all.bob, &format!("{handle} hello"), visibility).await;
    let first = names(visibility, &[("followers", "follower"), ("all", "named"), ("public", "relay")]);
    assert_eq!(all.heard().await, created(visibility, &first), "{visibility}");
    let path = format!("/api/v1/statuses/{}", id(&posted));
    if visibility != "direct" {
        // What is for followers is on no list that others read.
        let hears = |verb: &str| if visibility == "private" { String::new() } else { format!("{verb}: follower") };
        for (step, verb) in [("pin", "Add"), ("unpin", "Remove")] {
            all.post(&format!("{path}/{step}"), &[]).await;
            assert_eq!(all.heard().await, hears(verb), "{visibility}");
        }
    }
    if matches!(visibility, "public" | "unlisted") {
        all.does("booster", ("Announce", visibility), posted["uri"].clone()).await;
        all.does("liker", ("Like", visibility), posted["uri"].clone()).await;
        assert_eq!(all.heard().await, "");
    }
    let copies = [
        ("followers", "follower"),
        ("all", "named"),
        ("public", "relay"),
        ("public", "litepub"),
        ("open", "booster"),
        ("open", "liker"),
    ];
    let holders = names(visibility, &copies);
    // Also who is named no more.
    all.bob.put(&path, [("status", "hello")]).await.ok();
    assert_eq!(all.heard().await, format!("Update: {holders}"), "{visibility}");
    all.bob.delete(&path, ()).await.ok();
    assert_eq!(all.heard().await, format!("Delete: {holders}"), "{visibility}");
}

/// A poll, which somebody votes in.
async fn a_poll(all: &Around<'_>, visibility: &str) {
    let (peer, named) = &all.others["named"];
    let words = format!("@named@{} tea?", peer.host());
    let poll = json!({ "options": ["yes", "no"], "expires_in": 3600 });
    let form = json!({ "status": words, "visibility": visibility, "poll": poll });
    let posted = all.bob.post("/api/v1/statuses", form).await.ok();
    all.heard().await;
    let vote = json!({
        "id": format!("{}/votes/{visibility}", peer.base), "type": "Note", "attributedTo": named.uri, "name": "yes",
        "inReplyTo": posted["uri"], "to": [local_uri(all.server, all.bob)],
    });
    let mut create = peer.activity(named, ("Create", &format!("vote-{visibility}")), vote);
    create["to"] = json!([local_uri(all.server, all.bob)]);
    peer.send(named, all.server, &create).await;
    let tx = all.server.db().begin().await.unwrap();
    tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%poll_counted%'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    all.server.db().wake().ring();
    let concerned = names(visibility, &[("followers", "follower"), ("all", "named")]);
    assert_eq!(all.heard().await, format!("Update: {concerned}"), "{visibility}");
    all.bob.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
    all.heard().await;
}

/// An answer to somebody that does not name them, and what quotes them.
async fn an_answer_and_a_quote(all: &Around<'_>, visibility: &str) {
    let theirs = id(&all.theirs(1).await).to_owned();
    let fields = [("status", "an answer"), ("visibility", visibility), ("in_reply_to_id", &theirs)];
    let answer = all.post("/api/v1/statuses", &fields).await;
    let told = [("followers", "follower"), ("open", "answered"), ("public", "relay")];
    assert_eq!(all.heard().await, created(visibility, &names(visibility, &told)), "{visibility}");
    all.bob.delete(&format!("/api/v1/statuses/{}", id(&answer)), ()).await.ok();
    let told = names(visibility, &[&told[..], &[("public", "litepub")]].concat());
    let expected = if told.is_empty() { told } else { format!("Delete: {told}") };
    assert_eq!(all.heard().await, expected, "{visibility}: who never had it hears nothing of its end");

    let fields = [("status", "look"), ("visibility", visibility), ("quoted_status_id", &theirs)];
    let quote = all.post("/api/v1/statuses", &fields).await;
    let told = [("followers", "follower"), ("all", "answered"), ("public", "relay")];
    let expected = created(visibility, &names(visibility, &told));
    assert_eq!(all.heard().await, format!("{expected}; QuoteRequest: answered"), "{visibility}");
    all.bob.delete(&format!("/api/v1/statuses/{}", id(&quote)), ()).await.ok();
    let told = names(visibility, &[&told[..], &[("public", "litepub")]].concat());
    assert_eq!(all.heard().await, format!("Delete: {told}"), "{visibility}");
}

/// Boosts of somebody's post and of one's own.
async fn boosts(all: &Around<'_>) {
    let theirs = format!("/api/v1/statuses/{}", id(&all.theirs(1).await));
    for visibility in ["public", "unlisted", "private"] {
        all.post(&format!("{theirs}/reblog"), &[("visibility", visibility)]).await;
        assert_eq!(all.heard().await, "Announce: answered follower", "{visibility}");
        all.post(&format!("{theirs}/unreblog"), &[]).await;
        assert_eq!(all.heard().await, "Undo: answered follower", "{visibility}");
    }
    let own = post_as(all.bob, "among us", "private").await;
    all.heard().await;
    all.post(&format!("/api/v1/statuses/{}/reblog", id(&own)), &[]).await;
    assert_eq!(all.heard().await, "Announce: follower");
    all.bob.delete(&format!("/api/v1/statuses/{}", id(&own)), ()).await.ok();
    assert_eq!(all.heard().await, "Delete: follower", "with the post goes its boost");
}

/// What is between two.
async fn between_two(all: &Around<'_>) {
    let theirs = id(&all.theirs(1).await).to_owned();
    for (step, expected) in [("favourite", "Like: answered"), ("unfavourite", "Undo: answered")] {
        all.post(&format!("/api/v1/statuses/{theirs}/{step}"), &[]).await;
        assert_eq!(all.heard().await, expected);
    }
    let poll = all.theirs(2).await["poll"].clone();
    all.post(&format!("/api/v1/polls/{}/votes", id(&poll)), &[("choices[]", "0")]).await;
    assert_eq!(all.heard().await, "Create: answered");
    let stranger = find(all.bob, &format!("stranger@{}", all.others["stranger"].0.host())).await;
    for (step, verb) in [("follow", "Follow"), ("unfollow", "Undo"), ("block", "Block"), ("unblock", "Undo")] {
        all.post(&format!("/api/v1/accounts/{}/{step}", id(&stranger)), &[]).await;
        assert_eq!(all.heard().await, format!("{verb}: stranger"), "{step}");
    }
    all.post("/api/v1/reports", &[("account_id", id(&stranger)), ("forward", "true")]).await;
    assert_eq!(all.heard().await, "Flag: stranger");
    all.does("stranger", ("Follow", "second"), json!(local_uri(all.server, all.bob))).await;
    assert_eq!(all.heard().await, "Accept: stranger");
    all.post(&format!("/api/v1/accounts/{}/remove_from_followers", id(&stranger)), &[]).await;
    assert_eq!(all.heard().await, "Reject: stranger");
}

/// Emoji are shown: followers hear of those on what everybody may see.
async fn emoji_on_posts(all: &Around<'_>) {
    let own = async |visibility: &str| {
        let post = post_as(all.bob, visibility, visibility).await;
        all.heard().await;
        id(&post).to_owned()
    };
    let of_others = id(&all.theirs(1).await).to_owned();
    let (quiet, few) = (own("unlisted").await, own("private").await);
    for (status, who) in [(&of_others, "answered follower"), (&quiet, "follower"), (&few, "")] {
        let path = crate::emoji::reaction(status, "👍");
        let told = |verb: &str| if who.is_empty() { String::new() } else { format!("{verb}: {who}") };
        all.bob.put(&path, ()).await.ok();
        assert_eq!(all.heard().await, told("Like"));
        all.bob.delete(&path, ()).await.ok();
        assert_eq!(all.heard().await, told("Undo"));
    }
    for status in [quiet, few] {
        all.bob.delete(&format!("/api/v1/statuses/{status}"), ()).await.ok();
        assert_eq!(all.heard().await, "Delete: follower");
    }
}

/// What somebody says of themselves, and their end.
async fn of_oneself(all: &Around<'_>) {
    all.bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Robert")]).await.ok();
    assert_eq!(all.heard().await, "Update: blocker follower litepub relay");
    let tag = all.post("/api/v1/featured_tags", &[("name", "tea")]).await;
    assert_eq!(all.heard().await, "Add: follower");
    all.bob.delete(&format!("/api/v1/featured_tags/{}", id(&tag)), ()).await.ok();
    assert_eq!(all.heard().await, "Remove: follower");
    users::delete(all.server.db(), all.bob.user).await.unwrap();
    let everybody = "answered blocker booster follower liker litepub named relay stranger";
    assert_eq!(all.heard().await, format!("Delete: {everybody}"));
}

with_a_peer! {
    async fn everybody_hears_what_concerns_them_and_nothing_else(server, peer, bob) {
        drop(peer);
        let all = Around::new(&server, &bob).await;
        for visibility in ["public", "unlisted", "private", "direct"] {
            a_post(&all, visibility).await;
            a_poll(&all, visibility).await;
            an_answer_and_a_quote(&all, visibility).await;
        }
        boosts(&all).await;
        between_two(&all).await;
        emoji_on_posts(&all).await;
        of_oneself(&all).await;
        assert_eq!(hosts::counts(&server.db().read().await.unwrap()).await.unwrap(), (0, 0), "none failed");
    }

    async fn who_is_answered_by_somebody_without_followers_hears_of_edits(server, peer, bob) {
        let pia = peer.somebody("pia");
        let note = peer.note(&pia, ("1", "a question"), &[]);
        peer.put("/notes/1", note.clone());
        let theirs = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        let answer = [("status", "an answer"), ("in_reply_to_id", id(&theirs))];
        let answer = bob.post("/api/v1/statuses", answer).await.ok();
        server.settle().await;
        let path = format!("/api/v1/statuses/{}", id(&answer));
        bob.put(&path, [("status", "a better one")]).await.ok();
        server.settle().await;
        bob.delete(&path, ()).await.ok();
        server.settle().await;
        for verb in ["Create", "Update", "Delete"] {
            assert_eq!(peer.told(verb), [answer["uri"].as_str().unwrap()], "{verb}");
        }
    }

    async fn who_has_no_followers_is_heard_of_nevertheless(server, peer, bob) {
        let here = local_uri(&server, &bob);
        let (ned, blocker) = (peer.somebody("ned"), Peer::start().await);
        let kim = blocker.somebody("kim");
        find(&bob, &format!("ned@{}", peer.host())).await;
        let poll = json!({ "options": ["yes", "no"], "expires_in": 3600 });
        let form = json!({ "status": format!("@ned@{} tea?", peer.host()), "poll": poll });
        let posted = bob.post("/api/v1/statuses", form).await.ok();
        server.settle().await;
        // Ned has the poll, and did not vote; somebody here does.
        let alice = server.person("alice").await;
        let votes = format!("/api/v1/polls/{}/votes", id(&posted["poll"]));
        alice.post(&votes, json!({ "choices": [1] })).await.ok();
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%poll_counted%'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        server.db().wake().ring();
        server.settle().await;
        let told = peer.last("Update");
        assert_eq!(told["object"]["oneOf"][1]["replies"]["totalItems"], 1, "{told}");
        // Who blocks somebody knows whom when they have another name; so do relays.
        blocker.send(&kim, &server, &blocker.activity(&kim, ("Block", "1"), json!(here))).await;
        bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Robert")]).await.ok();
        server.settle().await;
        assert_eq!(blocker.told("Update"), std::slice::from_ref(&here));
        blocker.send(&kim, &server, &blocker.activity(&kim, ("Undo", "2"), json!(format!("{}/activities/1", blocker.base)))).await;
        let relay = Peer::start().await;
        relays::accepted(&server, &relay).await;
        bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Bob")]).await.ok();
        server.settle().await;
        assert_eq!((blocker.told("Update").len(), relay.told("Update")), (1, vec![here]));
        drop(ned);
    }

    async fn what_somebody_limited_posts_goes_to_no_relay(server, peer, bob) {
        let who = relays::accepted(&server, &peer).await;
        let follower = Peer::start().await;
        let fay = follower.somebody("fay");
        let here = local_uri(&server, &bob);
        follower.send(&fay, &server, &follower.activity(&fay, ("Follow", "1"), json!(here))).await;
        let before = post_as(&bob, "before", "public").await;
        server.settle().await;
        let limited = users::Change { silenced: Some(true), ..users::Change::default() };
        users::modify(server.db(), bob.user, limited).await.unwrap();
        let posted = post_as(&bob, "quietly", "public").await;
        server.settle().await;
        bob.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "more quietly")]).await.ok();
        server.settle().await;
        let uris = |list: &[&Value]| list.iter().map(|s| s["uri"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((follower.told("Create"), follower.told("Update")), (uris(&[&before, &posted]), uris(&[&posted])));
        assert_eq!((peer.told("Create"), peer.told("Update")), (uris(&[&before]), uris(&[])));
        // Of the end of what it has it hears.
        bob.delete(&format!("/api/v1/statuses/{}", id(&before)), ()).await.ok();
        server.settle().await;
        assert_eq!(peer.told("Delete"), uris(&[&before]));
        drop(who);
    }
}
