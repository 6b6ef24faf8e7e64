use crate::{corpus, note};
use domain::Time;
use domain::statuses::Visibility;
use federation::documents::{AttachmentKind, Note, NoteKind, PUBLIC, Page};
use serde_json::{Value, json};

const KAI: &str = "https://noren.example/users/kai/statuses/1";

fn read(name: &str) -> Note {
    Note::read(&corpus(name)).unwrap()
}

#[test]
fn mastodon() {
    let note = note("mastodon_create");
    assert_eq!(note.id, "https://mastodon.example/users/mia/statuses/111");
    assert_eq!((note.kind, note.author.as_str()), (NoteKind::Note, "https://mastodon.example/users/mia"));
    assert_eq!(note.url.as_deref(), Some("https://mastodon.example/@mia/111"));
    assert_eq!((note.summary.as_str(), note.sensitive), ("tea", true));
    assert_eq!((note.language.as_deref(), note.in_reply_to.as_deref()), (Some("en"), Some(KAI)));
    assert_eq!(note.visibility(Some("https://mastodon.example/users/mia/followers")), Some(Visibility::Public));
    assert_eq!(note.published, Time::parse("2026-11-20T10:00:00Z"));
    assert_eq!((note.mentions.len(), note.mentions[0].name.as_str()), (1, "@kai@noren.example"));
    let picture = &note.attachments[0];
    assert_eq!(
        (picture.kind, picture.url.as_str()),
        (AttachmentKind::Document, "https://files.mastodon.example/1.jpg")
    );
    assert_eq!((picture.description.as_deref(), picture.focus), (Some("A cup"), Some((-0.5, 0.25))));
    assert_eq!((picture.width, picture.height), (Some(1200), Some(800)));
    let replies = note.replies.as_ref().unwrap();
    let Some(Page::Embedded(first)) = &replies.first else { panic!("{replies:?}") };
    assert_eq!(first.ids().collect::<Vec<_>>(), ["https://mastodon.example/users/mia/statuses/112"]);
    assert!(first.next.as_deref().unwrap().ends_with("page=true"));
    assert_eq!((note.likes, note.shares), (Some(3), Some(1)));
    assert_eq!(note.context.as_deref(), Some("https://noren.example/contexts/1-1"));
    assert!(note.conversation.as_deref().unwrap().starts_with("tag:noren.example"));
    assert_eq!(note.policy.quote.as_ref().unwrap().automatic, [PUBLIC]);
    assert_eq!((&note.policy.reply, note.quote.as_ref(), note.vote()), (&None, None, None));
}

#[test]
fn quotes_in_every_way() {
    let native = read("mastodon_quote").quote.unwrap();
    assert_eq!((native.id.as_str(), native.legacy), (KAI, false));
    assert_eq!(native.authorization.as_deref(), Some("https://noren.example/users/kai/quote_authorizations/1"));
    for quote in [
        note("misskey_create").quote,
        note("akkoma_create").quote,
        read("friendica_note").quote,
        note("threads_create").quote,
    ] {
        let quote = quote.unwrap();
        assert_eq!((quote.id.as_str(), quote.legacy, quote.authorization), (KAI, true, None));
    }
    let base = json!({ "id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/u" });
    for (name, value, found) in [
        ("quoteUrl", json!("https://b.example/1"), true),
        ("quoteURL", json!("https://b.example/1"), true),
        ("quoteUri", json!({ "id": "https://b.example/1", "type": "Note" }), true),
        ("quote", json!({ "id": "https://b.example/1", "type": "Tombstone" }), true),
        ("quote", json!(null), false),
        ("quote", json!("javascript:alert(1)"), false),
        ("tag", json!({ "type": "Link", "mediaType": "text/html", "href": "https://b.example/1" }), false),
    ] {
        let mut document = base.clone();
        document[name] = value;
        let quote = Note::read(&document).unwrap().quote;
        assert_eq!(quote.is_some_and(|quote| quote.id == "https://b.example/1"), found, "{document}");
    }
}

#[test]
fn misskey() {
    let note = note("misskey_create");
    // A warning of nothing but a space of no width.
    assert_eq!((note.summary.as_str(), note.sensitive), ("", true));
    assert_eq!(note.visibility(Some("https://misskey.example/users/9abc/followers")), Some(Visibility::Unlisted));
    assert_eq!(note.cc, [PUBLIC, "https://noren.example/users/kai"]);
    let source = note.source.unwrap();
    assert_eq!(source.media_type, "text/x.misskeymarkdown");
    assert!(source.content.starts_with("$[tada"));
    assert_eq!((note.hashtags[0].name.as_str(), note.emojis[0].shortcode.as_str()), ("猫", "neko"));
    assert_eq!((note.attachments[0].description.as_deref(), note.attachments[0].sensitive), (None, true));
    assert_eq!(note.in_reply_to, None);
}

#[test]
fn akkoma() {
    let note = note("akkoma_create");
    assert_eq!(note.author, "https://akkoma.example/users/ren");
    assert_eq!((note.html_mfm, note.sensitive), (true, false));
    assert_eq!(note.source.as_ref().unwrap().media_type, "text/bbcode");
    let picture = &note.attachments[0];
    assert_eq!(
        (picture.url.as_str(), picture.media_type.as_deref()),
        ("https://akkoma.example/media/1.png", Some("image/png"))
    );
    assert_eq!(picture.description, None);
    assert_eq!(note.context, note.conversation);
    assert_eq!(note.likes, None);
    assert!(note.updated > note.published);
    let local = read("akkoma_local_only");
    assert_eq!(local.visibility(Some("https://akkoma.example/users/ren/followers")), None);
}

#[test]
fn gotosocial() {
    let note = note("gotosocial_create");
    assert_eq!((note.language.as_deref(), note.content.as_str()), (Some("sv"), "<p>hej</p>"));
    assert_eq!(note.published, Time::parse("2026-11-20T08:00:00Z"));
    assert_eq!((note.mentions.len(), note.to.as_slice()), (1, [PUBLIC.to_owned()].as_slice()));
    let song = &note.attachments[0];
    assert_eq!((song.kind, song.description.as_deref()), (AttachmentKind::Audio, Some("a song")));
    assert_eq!((song.width, song.height, song.focus), (None, Some(50), Some((0.0, 0.0))));
    assert_eq!(note.policy.announce.as_ref().unwrap().automatic, [PUBLIC]);
    let reply = note.policy.reply.as_ref().unwrap();
    assert_eq!(reply.automatic, ["https://gts.example/users/zoe/followers"]);
    assert_eq!(reply.manual, [PUBLIC]);
    assert_eq!(note.approved_by.as_deref(), Some("https://noren.example/users/kai/approvals/1"));
    assert!(note.replies.unwrap().first.is_some());
}

#[test]
fn lemmy() {
    let page = read("lemmy_page");
    assert_eq!((page.kind, page.name.as_deref()), (NoteKind::Page, Some("The best kettle")));
    assert_eq!(page.audience.as_deref(), Some("https://lemmy.example/c/tea"));
    assert_eq!(page.links, ["https://shop.example/kettle"]);
    assert_eq!((page.attachments.len(), page.attachments[0].kind), (1, AttachmentKind::Image));
    assert_eq!(page.language.as_deref(), Some("fr"));
    assert_eq!(page.visibility(None), Some(Visibility::Public));
    let comment = note("lemmy_comment");
    assert_eq!((comment.language.as_deref(), comment.vote()), (None, None));
}

#[test]
fn peertube() {
    let video = read("peertube_video");
    assert_eq!((video.kind, video.author.as_str()), (NoteKind::Video, "https://peertube.example/accounts/pia"));
    assert_eq!(
        (video.name.as_deref(), video.url.as_deref()),
        (Some("How to brew"), Some("https://peertube.example/w/1"))
    );
    let source = video.source.as_ref().unwrap();
    assert_eq!((video.content.as_str(), source.media_type.as_str()), ("", "text/markdown"));
    assert_eq!(source.content, "**Brewing** for all");
    let file = &video.attachments[0];
    assert_eq!(
        (file.kind, file.url.as_str(), file.height),
        (AttachmentKind::Video, "https://peertube.example/720.mp4", Some(720))
    );
    assert_eq!(file.thumbnail.as_ref().unwrap().url, "https://peertube.example/large.jpg");
    assert_eq!((video.likes, video.hashtags.len()), (None, 1));
}

#[test]
fn the_rest() {
    let album = note("pixelfed_create");
    assert_eq!((album.attachments.len(), album.attachments[5].kind), (6, AttachmentKind::Image));
    let article = read("wordpress_article");
    assert_eq!((article.kind, article.name.as_deref()), (NoteKind::Article, Some("A long read")));
    assert_eq!((article.language.as_deref(), article.likes, article.shares), (Some("de"), Some(2), None));
    assert_eq!(
        article.replies.unwrap().id.as_deref(),
        Some("https://blog.example/wp-json/activitypub/1.0/posts/12/replies")
    );
    assert_eq!(article.policy.quote.unwrap().automatic, [PUBLIC]);
    let friendica = read("friendica_note");
    assert_eq!((friendica.attachments.len(), friendica.source.unwrap().media_type.as_str()), (0, "text/bbcode"));
    let threads = note("threads_create");
    assert_eq!(threads.id, "https://threads.example/ap/users/1/post/2/");
    assert_eq!(threads.policy.reply.unwrap().automatic, [PUBLIC]);
    let event = read("mobilizon_event");
    assert_eq!((event.kind, event.author.as_str()), (NoteKind::Event, "https://mobilizon.example/@club"));
    assert_eq!((event.attachments.len(), event.links.len(), event.poll), (1, 1, None));
    let odd = read("expanded_names");
    assert_eq!(
        (odd.kind, odd.id.as_str(), odd.author.as_str()),
        (NoteKind::Note, "https://odd.example/1", "https://odd.example/u")
    );
    assert_eq!(
        (odd.to.as_slice(), odd.cc.as_slice()),
        ([PUBLIC.to_owned()].as_slice(), ["https://odd.example/u/followers".to_owned()].as_slice())
    );
    assert_eq!((odd.in_reply_to.as_deref(), odd.published), (Some(KAI), None));
    assert!(odd.mentions.is_empty() && odd.attachments.is_empty());
}

#[test]
fn polls() {
    let poll = note("mastodon_poll_update").poll.unwrap();
    let choices: Vec<_> = poll.choices.iter().map(|choice| (choice.name.as_str(), choice.votes)).collect();
    // A choice that stands there twice could not be voted for.
    assert_eq!(choices, [("yes", Some(2)), ("no", Some(1))]);
    assert_eq!((poll.multiple, poll.closed, poll.voters), (true, true, Some(3)));
    assert_eq!(poll.ends_at, Time::parse("2024-11-21T10:00:00Z"));
    let endless = read("misskey_question");
    let poll = endless.poll.unwrap();
    assert_eq!((endless.kind, poll.multiple, poll.closed, poll.ends_at), (NoteKind::Question, false, false, None));
    let vote = note("misskey_vote");
    let vote = vote.vote().unwrap();
    assert_eq!((vote.voter, vote.choice), ("https://misskey.example/users/9abc", "yes"));
    assert_eq!(vote.question, "https://noren.example/users/kai/statuses/5");
    assert_eq!(note("akkoma_answer").vote().unwrap().choice, "no");
}

fn with(name: &str, value: Value) -> Note {
    let mut document = json!({ "id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/u" });
    document[name] = value;
    Note::read(&document).unwrap()
}

#[test]
fn who_may_see_it() {
    let followers = "https://a.example/u/followers";
    let someone = "https://b.example/u";
    for (to, cc, visibility) in [
        (vec![PUBLIC], vec![followers], Some(Visibility::Public)),
        (vec!["as:Public"], vec![], Some(Visibility::Public)),
        (vec!["Public"], vec![], Some(Visibility::Public)),
        (vec![followers], vec![PUBLIC], Some(Visibility::Unlisted)),
        (vec![followers], vec![someone], Some(Visibility::Private)),
        (vec![someone], vec![followers], Some(Visibility::Private)),
        (vec![someone], vec![], Some(Visibility::Direct)),
        // Somebody else's followers are nobody that we could name.
        (vec!["https://b.example/u/followers"], vec![], Some(Visibility::Direct)),
        (vec!["https://a.example/#Public"], vec![], None),
        (vec![], vec![], None),
    ] {
        let mut note = with("to", json!(to));
        note.cc = with("cc", json!(cc)).cc;
        assert_eq!(note.visibility(Some(followers)), visibility, "{to:?} {cc:?}");
    }
    let private = with("to", json!([followers]));
    assert_eq!(private.visibility(None), Some(Visibility::Direct));
}

#[test]
fn times_focus_and_durations() {
    for (value, year) in [
        ("2026-11-20T10:00:00Z", true),
        ("0000-01-01T00:00:00Z", false),
        ("+275760-01-01T00:00:00Z", false),
        ("x", false),
    ] {
        assert_eq!(with("published", json!(value)).published.is_some(), year, "{value}");
    }
    let attachment = |name: &str, value: Value| {
        let mut one = json!({ "type": "Document", "url": "https://a.example/1.mp4" });
        one[name] = value;
        with("attachment", one).attachments.remove(0)
    };
    for (value, focus) in [
        (json!([0.5, -1]), Some((0.5, -1.0))),
        (json!([2, 0]), None),
        (json!([0]), None),
        (json!([0, 0, 0]), None),
        (json!("0,0"), None),
        (json!(["a", "b"]), None),
    ] {
        assert_eq!(attachment("focalPoint", value.clone()).focus, focus, "{value}");
    }
    for (value, seconds) in [
        (json!(12.5), Some(12.5)),
        (json!("PT4M13S"), Some(253.0)),
        (json!("PT0.5S"), Some(0.5)),
        (json!(-1), None),
        (json!("P1Y"), None),
        (json!("soon"), None),
    ] {
        assert_eq!(attachment("duration", value.clone()).duration, seconds, "{value}");
    }
    assert_eq!(attachment("width", json!(5_000_000_000_u64)).width, None);
    assert_eq!(attachment("height", json!(-3)).height, None);
}
