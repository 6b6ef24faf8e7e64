//! What we write: read again it is the same, and peers find what they look for.

use domain::Time;
use federation::documents::{
    Activity, Actor, ActorKind, Attachment, AttachmentKind, Choice, Collection, Emoji, Grant, Hashtag, Image, Key,
    KeyMaterial, Mention, Note, NoteKind, Object, PUBLIC, Policy, Poll, Property, Quote, QuoteAuthorization, Source,
    Verb,
};
use serde_json::json;

pub const ACTOR: &str = "https://noren.example/users/kai";
pub const AS: &str = "https://www.w3.org/ns/activitystreams";

pub fn s(text: &str) -> String {
    text.to_owned()
}

fn time() -> Option<Time> {
    Time::parse("2024-11-20T10:00:00.123Z")
}

fn emoji() -> Emoji {
    let image = Image { url: s("https://noren.example/nice.png"), media_type: Some(s("image/png")), description: None };
    Emoji { id: Some(s("https://noren.example/emojis/nice")), shortcode: s("nice"), image, updated: time() }
}

pub fn actor() -> Actor {
    let at = |path: &str| Some(format!("{ACTOR}/{path}"));
    let multikey = KeyMaterial::Multibase(s("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"));
    Actor {
        id: s(ACTOR),
        kind: ActorKind::Service,
        username: s("kai"),
        webfinger: Some(s("kai@noren.example")),
        name: s("Kai"),
        summary: s("<p>hi</p>"),
        url: Some(s("https://noren.example/@kai")),
        inbox: format!("{ACTOR}/inbox"),
        outbox: at("outbox"),
        shared_inbox: Some(s("https://noren.example/inbox")),
        followers: at("followers"),
        following: at("following"),
        featured: at("collections/featured"),
        featured_tags: at("collections/tags"),
        icon: Some(Image {
            url: s("https://noren.example/a.png"),
            media_type: Some(s("image/png")),
            description: Some(s("me")),
        }),
        image: Some(Image { url: s("https://noren.example/h.png"), ..Image::default() }),
        locked: true,
        discoverable: Some(false),
        indexable: Some(true),
        published: time(),
        updated: time(),
        fields: vec![Property { name: s("Site"), value: s("<a>x</a>") }],
        emojis: vec![emoji()],
        hashtags: vec![Hashtag { name: s("tea"), href: Some(s("https://noren.example/tags/tea")) }],
        also_known_as: vec![s("https://old.example/users/kai")],
        moved_to: Some(s("https://new.example/users/kai")),
        suspended: true,
        memorial: true,
        attribution_domains: vec![s("blog.example")],
        keys: vec![
            Key { id: format!("{ACTOR}#main-key"), owner: s(ACTOR), material: KeyMaterial::Pem(s("PEM")) },
            Key { id: format!("{ACTOR}#ed25519"), owner: s(ACTOR), material: multikey },
        ],
        key_links: Vec::new(),
        hides_public: false,
        hides_unlisted: false,
        knows_rfc9421: true,
    }
}

pub fn note() -> Note {
    let picture = Attachment {
        kind: AttachmentKind::Document,
        url: s("https://noren.example/1.png"),
        media_type: Some(s("image/png")),
        description: Some(s("A cup")),
        width: Some(10),
        height: Some(20),
        blurhash: Some(s("UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH")),
        focus: Some((0.5, -0.25)),
        duration: Some(12.5),
        thumbnail: Some(Image { url: s("https://noren.example/t.png"), ..Image::default() }),
        sensitive: true,
    };
    Note {
        id: format!("{ACTOR}/statuses/1"),
        kind: NoteKind::Article,
        author: s(ACTOR),
        url: Some(s("https://noren.example/@kai/1")),
        name: Some(s("Title")),
        content: s("<p>text</p>"),
        language: Some(s("en")),
        summary: s("careful"),
        sensitive: true,
        source: Some(Source { content: s("text"), media_type: s("text/markdown") }),
        html_mfm: true,
        preview: None,
        when: None,
        place: None,
        in_reply_to: Some(s("https://b.example/1")),
        published: time(),
        updated: time(),
        to: vec![s(PUBLIC)],
        cc: vec![format!("{ACTOR}/followers")],
        mentions: vec![Mention { href: s("https://b.example/u"), name: s("@u@b.example") }],
        hashtags: vec![Hashtag { name: s("tea"), href: Some(s("https://noren.example/tags/tea")) }],
        emojis: vec![emoji()],
        attachments: vec![picture],
        links: vec![s("https://news.example/1")],
        replies: Some(Collection { id: Some(format!("{ACTOR}/statuses/1/replies")), ..Collection::default() }),
        likes: Some(3),
        shares: Some(0),
        context: Some(s("https://noren.example/contexts/1")),
        conversation: Some(s("tag:noren.example,2026:1")),
        quote: Some(Quote {
            id: s("https://b.example/2"),
            legacy: false,
            authorization: Some(s("https://b.example/stamp")),
        }),
        policy: Policy {
            quote: Some(Grant { automatic: vec![s(PUBLIC)], manual: vec![format!("{ACTOR}/followers")] }),
            reply: Some(Grant { automatic: vec![s(ACTOR)], manual: Vec::new() }),
            like: None,
            announce: None,
        },
        approved_by: Some(s("https://b.example/approval")),
        poll: None,
        audience: Some(s("https://c.example/group")),
        direct: Some(false),
    }
}

#[test]
fn actors_are_read_as_they_were_written() {
    let written = actor().to_json();
    assert_eq!(Actor::read(&written).unwrap(), actor());
    assert_eq!(written["@context"][0], AS);
    assert_eq!(
        written["publicKey"],
        json!({ "id": format!("{ACTOR}#main-key"), "owner": ACTOR, "publicKeyPem": "PEM" })
    );
    assert_eq!(written["endpoints"]["sharedInbox"], written["sharedInbox"]);
    assert_eq!(written["manuallyApprovesFollowers"], true);
    // With nothing but what it must have.
    let plain =
        Actor { id: s(ACTOR), username: s("kai"), name: s("kai"), inbox: format!("{ACTOR}/inbox"), ..Actor::default() };
    assert_eq!(Actor::read(&plain.to_json()).unwrap(), plain);
}

#[test]
fn posts_are_read_as_they_were_written() {
    let written = note().to_json();
    assert_eq!(Note::read(&written).unwrap(), note());
    for name in ["quote", "quoteUri", "quoteUrl", "_misskey_quote"] {
        assert_eq!(written[name], "https://b.example/2", "{name}");
    }
    assert_eq!(written["contentMap"], json!({ "en": "<p>text</p>" }));
    assert_eq!(written["attachment"][0]["name"], "A cup");
    assert_eq!(written["published"], "2024-11-20T10:00:00.123Z");
    assert_eq!(
        written["likes"],
        json!({ "id": format!("{ACTOR}/statuses/1/likes"), "type": "Collection", "totalItems": 3 })
    );
    let plain = Note { id: s("https://noren.example/1"), author: s(ACTOR), content: s("x"), ..Note::default() };
    let written = plain.to_json();
    assert_eq!(Note::read(&written).unwrap(), plain);
    // These are lists, also when they are empty.
    for name in ["to", "cc", "tag", "attachment"] {
        assert_eq!(written[name], json!([]), "{name}");
    }
    for name in ["summary", "updated", "inReplyTo", "quote", "source", "name"] {
        assert_eq!(written.get(name), None, "{name}");
    }
}

#[test]
fn polls_and_votes() {
    let choice = |name: &str, votes| Choice { name: s(name), votes };
    for (multiple, closed, ends_at, votes) in
        [(false, false, time(), Some(3)), (true, true, time(), None), (true, true, None, Some(0))]
    {
        let poll =
            Poll { multiple, choices: vec![choice("yes", votes), choice("no", votes)], ends_at, closed, voters: votes };
        let question = Note { kind: NoteKind::Question, poll: Some(poll), ..note() };
        let written = question.to_json();
        assert_eq!(written["type"], "Question");
        assert_eq!(Note::read(&written).unwrap(), question);
    }
    let vote = Note {
        id: format!("{ACTOR}#votes/1"),
        author: s(ACTOR),
        name: Some(s("yes")),
        in_reply_to: Some(s("https://b.example/1")),
        to: vec![s("https://b.example/u")],
        ..Note::default()
    };
    let written = vote.to_json();
    assert_eq!(Note::read(&written).unwrap().vote().unwrap().choice, "yes");
    let names: Vec<&String> = written.as_object().unwrap().keys().collect();
    assert_eq!(names, ["@context", "id", "type", "attributedTo", "name", "inReplyTo", "to", "cc"]);
}

/// Each verb with what it is used on.
pub fn activities() -> Vec<Activity> {
    let id = |path: &str| Some(format!("https://noren.example/{path}"));
    let of = |verb: Verb, object: Object| Activity {
        id: id("1"),
        verb,
        actor: s(ACTOR),
        objects: vec![object],
        ..Activity::default()
    };
    let other = || Object::Id(s("https://b.example/u"));
    let follow = of(Verb::Follow, other());
    let pin =
        |verb| Activity { target: Some(Object::Id(format!("{ACTOR}/collections/featured"))), ..of(verb, other()) };
    let hashtag = Object::Other { id: id("tags/tea"), kind: s("Hashtag"), name: Some(s("#tea")) };
    let stamp = QuoteAuthorization {
        id: s("https://noren.example/stamp"),
        author: s(ACTOR),
        quoting: s("https://b.example/2"),
        quoted: s("https://noren.example/1"),
    };
    vec![
        Activity {
            to: vec![s(PUBLIC)],
            cc: vec![s("https://b.example/u")],
            published: time(),
            ..of(Verb::Create, Object::Note(Box::new(note())))
        },
        of(Verb::Update, Object::Actor(Box::new(actor()))),
        of(Verb::Delete, Object::Tombstone { id: s("https://noren.example/1"), former: Some(s("Note")) }),
        Activity { approved_by: id("approval"), ..of(Verb::Announce, other()) },
        of(Verb::Undo, Object::Activity(Box::new(follow.clone()))),
        Activity { result: id("stamp"), ..of(Verb::Accept, Object::Activity(Box::new(follow.clone()))) },
        of(Verb::Reject, Object::Activity(Box::new(follow))),
        Activity { content: Some(s(":nice:")), emojis: vec![emoji()], ..of(Verb::Like, other()) },
        Activity { content: Some(s("🍵")), ..of(Verb::EmojiReact, other()) },
        of(Verb::Block, other()),
        Activity {
            content: Some(s("spam")),
            objects: vec![other(), Object::Id(s("https://b.example/1"))],
            ..of(Verb::Flag, other())
        },
        pin(Verb::Add),
        Activity { objects: vec![hashtag], ..pin(Verb::Remove) },
        Activity { target: Some(Object::Id(s("https://new.example/u"))), ..of(Verb::Move, other()) },
        Activity { instrument: Some(Object::Note(Box::new(note()))), ..of(Verb::QuoteRequest, other()) },
        of(Verb::Delete, Object::QuoteAuthorization(Box::new(stamp))),
    ]
}

#[test]
fn activities_are_read_as_they_were_written() {
    for activity in activities() {
        let written = activity.to_json();
        assert_eq!(Activity::read(&written).unwrap(), activity, "{written}");
        // The literal that peers look for, and nothing inside that has one of its own.
        let context = &written["@context"];
        assert!(*context == AS || context[0] == AS, "{context}");
        assert_eq!(written.to_string().matches("@context").count(), 1);
        assert!(written["actor"].is_string() && written["id"].is_string());
        assert!(!written.to_string().contains("as:Public"));
    }
    let secret = Activity { hidden: vec![s("https://b.example/secret")], ..activities().remove(0) };
    assert!(!secret.to_json().to_string().contains("secret"));
    let like = &activities()[7].to_json();
    assert_eq!((&like["content"], &like["_misskey_reaction"]), (&json!(":nice:"), &json!(":nice:")));
}
