use crate::{activity, corpus};
use federation::documents::{
    Activity, Collection, Document, Malformed, Object, PUBLIC, Page, QuoteAuthorization, Reaction, Verb, ids_in,
};
use serde_json::json;

const KAI: &str = "https://noren.example/users/kai";
const POST: &str = "https://noren.example/users/kai/statuses/1";

#[test]
fn what_each_does_to_what() {
    for (name, verb, object) in [
        ("mastodon_create", Verb::Create, "https://mastodon.example/users/mia/statuses/111"),
        ("mastodon_poll_update", Verb::Update, "https://mastodon.example/users/mia/statuses/5"),
        ("mastodon_delete", Verb::Delete, "https://mastodon.example/users/mia/statuses/111"),
        ("mastodon_delete_actor", Verb::Delete, "https://mastodon.example/users/mia"),
        ("mastodon_flag", Verb::Flag, KAI),
        ("mastodon_add", Verb::Add, "https://mastodon.example/users/mia/statuses/111"),
        ("mastodon_undo", Verb::Undo, "https://mastodon.example/users/mia/statuses/3/activity"),
        ("mastodon_move", Verb::Move, "https://mastodon.example/users/mia"),
        ("mastodon_accept", Verb::Accept, "https://noren.example/follows/4"),
        ("mastodon_quote_request", Verb::QuoteRequest, POST),
        ("misskey_create", Verb::Create, "https://misskey.example/notes/9n"),
        ("misskey_reaction", Verb::Like, POST),
        ("misskey_flag", Verb::Flag, KAI),
        ("akkoma_react", Verb::EmojiReact, POST),
        ("akkoma_relay_follow", Verb::Follow, "https://noren.example/relay"),
        ("gotosocial_delete", Verb::Delete, "https://gts.example/users/zoe/statuses/01A"),
        ("lemmy_announce_create", Verb::Announce, "https://lemmy.example/activities/create/1"),
        ("lemmy_announce_delete", Verb::Announce, "https://lemmy.example/activities/delete/1"),
        ("lemmy_announce_like", Verb::Announce, "https://lemmy.example/activities/undo/1"),
        ("peertube_announce", Verb::Announce, "https://peertube.example/videos/watch/1"),
        ("threads_create", Verb::Create, "https://threads.example/ap/users/1/post/2/"),
    ] {
        let read = activity(name);
        assert_eq!((read.verb.clone(), read.object_id()), (verb, Some(object)), "{name}");
        assert!(read.actor.starts_with("https://"), "{name}");
        assert!(matches!(Document::read(&corpus(name)), Ok(Document::Activity(_))), "{name}");
    }
}

#[test]
fn deletes_say_what_it_was() {
    assert!(matches!(&activity("mastodon_delete").objects[0], Object::Tombstone { former: None, .. }));
    assert!(matches!(&activity("gotosocial_delete").objects[0], Object::Id(_)));
    let Ok(Document::Tombstone { id, former }) = Document::read(&corpus("nodebb_tombstone")) else { panic!() };
    assert_eq!((id.as_str(), former.as_deref()), ("https://nodebb.example/post/1", Some("Note")));
    assert!(activity("mastodon_delete").carries_proof);
    assert!(!activity("gotosocial_delete").carries_proof);
}

#[test]
fn activities_inside_activities() {
    let undo = activity("mastodon_undo");
    let Object::Activity(announce) = &undo.objects[0] else { panic!("{undo:?}") };
    assert_eq!((&announce.verb, announce.object_id(), &announce.actor), (&Verb::Announce, Some(POST), &undo.actor));
    let accept = activity("mastodon_accept");
    let Object::Activity(follow) = &accept.objects[0] else { panic!("{accept:?}") };
    assert_eq!((follow.actor.as_str(), follow.object_id()), (KAI, Some("https://mastodon.example/users/mia")));
    let announce = activity("lemmy_announce_like");
    let Object::Activity(undo) = &announce.objects[0] else { panic!("{announce:?}") };
    let Object::Activity(dislike) = &undo.objects[0] else { panic!("{undo:?}") };
    assert_eq!((&dislike.verb, dislike.audience.as_deref()), (&Verb::Dislike, Some("https://lemmy.example/c/tea")));
    assert_eq!(dislike.reaction(), None);
}

#[test]
fn reactions() {
    let like = activity("misskey_reaction");
    let Some(Reaction::Custom { shortcode: "neko", host: None, emoji: Some(emoji) }) = like.reaction() else {
        panic!()
    };
    assert_eq!(emoji.image.url, "https://misskey.example/files/neko.webp");
    // No colons and no id.
    let react = activity("akkoma_react");
    let Some(Reaction::Custom { shortcode: "blob", emoji: Some(emoji), .. }) = react.reaction() else { panic!() };
    assert_eq!(emoji.id, None);
    let remote = activity("iceshrimp_reaction");
    let found = remote.reaction();
    assert!(matches!(
        found,
        Some(Reaction::Custom { shortcode: "blob", host: Some("akkoma.example"), emoji: Some(_) })
    ));
    let of = |more: &str| {
        let text = format!(r#"{{"type":"Like","actor":"https://a.example/u","object":"{POST}"{more}}}"#);
        Activity::read(&serde_json::from_str(&text).unwrap()).unwrap()
    };
    assert_eq!(of("").reaction(), Some(Reaction::Favourite));
    assert_eq!(of(r#","content":"  ""#).reaction(), Some(Reaction::Favourite));
    assert_eq!(of(r#","content":"🍵""#).reaction(), Some(Reaction::Unicode("🍵")));
    assert_eq!(of(r#","name":"🍵""#).reaction(), Some(Reaction::Unicode("🍵")));
    assert_eq!(of(r#","content":"a","_misskey_reaction":"b""#).reaction(), Some(Reaction::Unicode("b")));
    assert!(matches!(
        of(r#","content":":x@.:""#).reaction(),
        Some(Reaction::Custom { shortcode: "x", host: None, emoji: None })
    ));
}

#[test]
fn reports_and_their_hidden_addressees() {
    let flag = activity("gotosocial_flag");
    assert_eq!((flag.hidden.as_slice(), flag.content.as_deref()), ([KAI.to_owned()].as_slice(), Some("rude")));
    assert!(!flag.to_json().to_string().contains("bto"));
    assert_eq!(activity("mastodon_flag").objects.len(), 2);
    assert!(activity("misskey_flag").content.unwrap().contains(POST));
}

#[test]
fn several_votes_at_once() {
    let create = activity("gotosocial_votes");
    let votes: Vec<&str> = create
        .objects
        .iter()
        .filter_map(|object| if let Object::Note(note) = object { note.vote() } else { None })
        .map(|vote| vote.choice)
        .collect();
    assert_eq!(votes, ["yes", "no"]);
}

#[test]
fn pins_and_tags() {
    let add = activity("mastodon_add");
    assert_eq!(
        (add.id.as_deref(), add.target.unwrap().id()),
        (None, Some("https://mastodon.example/users/mia/collections/featured"))
    );
    let add = activity("mastodon_add_tag");
    let Object::Other { kind, name, .. } = &add.objects[0] else { panic!("{add:?}") };
    assert_eq!((kind.as_str(), name.as_deref()), ("Hashtag", Some("#tea")));
    assert_eq!(activity("mastodon_move").target.unwrap().id(), Some("https://new.example/users/mia"));
}

#[test]
fn quotes_that_ask() {
    let request = activity("mastodon_quote_request");
    let Some(Object::Note(quoting)) = &request.instrument else { panic!("{request:?}") };
    assert_eq!(quoting.quote.as_ref().unwrap().id, POST);
    let Document::QuoteAuthorization(stamp) = Document::read(&corpus("quote_authorization")).unwrap() else { panic!() };
    assert_eq!(stamp.author, "https://mastodon.example/users/mia");
    assert_eq!(
        (stamp.quoting.as_str(), stamp.quoted.as_str()),
        ("https://noren.example/users/kai/statuses/2", "https://mastodon.example/users/mia/statuses/111")
    );
    let mut forged = corpus("quote_authorization");
    forged["attributedTo"] = json!("https://victim.example/users/1");
    assert_eq!(QuoteAuthorization::read(&forged), Err(Malformed::Property("attributedTo")));
}

#[test]
fn collections_of_all_kinds() {
    let open = Collection::read(&corpus("mastodon_followers")).unwrap();
    assert_eq!((open.total, open.ordered, open.is_page), (Some(2), true, false));
    assert!(matches!(&open.first, Some(Page::Id(id)) if id.ends_with("page=1")));
    let hidden = Collection::read(&corpus("mastodon_hidden_followers")).unwrap();
    assert_eq!((hidden.total, hidden.first, hidden.items.len()), (Some(2), None, 0));
    let featured = Collection::read(&corpus("mastodon_featured")).unwrap();
    assert!(matches!(&featured.items[0], Object::Note(_)));
    assert_eq!(featured.ids().count(), 2);
    // One item that is no list.
    let page = Collection::read(&corpus("gotosocial_outbox_page")).unwrap();
    assert!(page.is_page && page.next.is_some());
    let Object::Activity(create) = &page.items[0] else { panic!("{page:?}") };
    assert_eq!(create.object_id(), Some("https://gts.example/users/zoe/statuses/01A"));
}

#[test]
fn names_of_items_whether_they_are_a_list_or_one() {
    let (one, other) = ("https://a.example/1", "https://a.example/2");
    for (list, names) in [
        (json!({ "orderedItems": [one, { "id": other }, 7] }), vec![one, other]),
        (json!({ "orderedItems": one }), vec![one]),
        (json!({ "items": { "id": other, "type": "Person" } }), vec![other]),
        (json!({ "orderedItems": null, "items": [one] }), vec![one]),
        (json!({ "items": null }), vec![]),
        (json!({ "items": "no address" }), vec![]),
        (json!([one]), vec![]),
    ] {
        assert_eq!(ids_in(&list).collect::<Vec<_>>(), names, "{list}");
    }
}

#[test]
fn unknown_activities_are_known_as_such() {
    let bite = json!({ "id": "https://a.example/1", "type": "Bite", "actor": "https://a.example/u", "target": KAI });
    assert_eq!(Activity::read(&bite).unwrap().verb, Verb::Other("Bite".into()));
    let new = json!({ "id": "https://a.example/1", "type": "Wave", "actor": "https://a.example/u" });
    assert_eq!(Activity::read(&new).unwrap().verb, Verb::Other("Wave".into()));
    for (broken, missing) in [
        (json!({ "type": "Follow", "object": KAI }), "actor"),
        (json!({ "type": "Follow", "actor": "urn:x", "object": KAI }), "actor"),
        (json!({ "type": "Follow", "actor": KAI }), "object"),
        (json!({ "type": "Follow", "actor": KAI, "object": [] }), "object"),
        (json!({ "type": "Follow", "actor": KAI, "object": 7 }), "object"),
        (json!({ "actor": KAI, "object": KAI }), "type"),
    ] {
        assert_eq!(Activity::read(&broken), Err(Malformed::Property(missing)), "{broken}");
    }
    let relay = json!({ "type": "Follow", "actor": KAI, "object": "as:Public" });
    assert_eq!(Activity::read(&relay).unwrap().object_id(), Some(PUBLIC));
}

#[test]
fn approvals_of_both_spellings() {
    let at = |kind: &str, by: &str, (object, target): (&str, &str)| {
        json!({ "id": "https://a.example/approvals/1", "type": kind, "attributedTo": by,
            object: "https://b.example/notes/2", target: "https://a.example/notes/1" })
    };
    let by = "https://a.example/u";
    for (kind, of, names) in [
        ("LikeApproval", "Like", ("object", "target")),
        ("ReplyApproval", "Reply", ("object", "target")),
        ("AnnounceAuthorization", "Announce", ("interactingObject", "interactionTarget")),
    ] {
        let Document::Approval(read) = Document::read(&at(kind, by, names)).unwrap() else { panic!("{kind}") };
        assert_eq!((read.of.as_str(), read.author.as_str()), (of, by));
        assert_eq!(
            (read.interacting.as_str(), read.target.as_str()),
            ("https://b.example/notes/2", "https://a.example/notes/1")
        );
    }
    // By somebody elsewhere, and about nothing.
    assert!(Document::read(&at("ReplyApproval", "https://b.example/u", ("object", "target"))).is_err());
    assert!(Document::read(&at("ReplyApproval", by, ("object", "about"))).is_err());
    for other in ["FollowApproval", "Approval", "Authorization", "QuoteApproval"] {
        assert!(matches!(Document::read(&at(other, by, ("object", "target"))), Ok(Document::Other { .. })), "{other}");
    }
}
