use crate::corpus;
use domain::Time;
use federation::documents::{Actor, ActorKind, Document, KeyMaterial, Malformed};
use serde_json::{Value, json};

fn actor(name: &str) -> Actor {
    Actor::read(&corpus(name)).unwrap()
}

#[test]
fn mastodon() {
    let mia = actor("mastodon_actor");
    assert_eq!(mia.id, "https://mastodon.example/users/mia");
    assert_eq!((mia.kind, mia.username.as_str(), mia.name.as_str()), (ActorKind::Person, "mia", "Mia :cat:"));
    assert_eq!(mia.webfinger.as_deref(), Some("mia@mastodon.example"));
    assert_eq!(mia.url.as_deref(), Some("https://mastodon.example/@mia"));
    assert_eq!(mia.inbox, "https://mastodon.example/users/mia/inbox");
    assert_eq!(mia.shared_inbox.as_deref(), Some("https://mastodon.example/inbox"));
    assert_eq!(mia.followers.as_deref(), Some("https://mastodon.example/users/mia/followers"));
    assert_eq!(mia.featured.as_deref(), Some("https://mastodon.example/users/mia/collections/featured"));
    assert_eq!((mia.locked, mia.discoverable, mia.indexable), (true, Some(true), Some(false)));
    assert_eq!((mia.memorial, mia.suspended, mia.moved_to.as_deref()), (false, false, None));
    assert_eq!(mia.published, Time::parse("2024-03-01T00:00:00Z"));
    assert_eq!(mia.also_known_as, ["https://old.example/users/mia"]);
    assert_eq!(mia.attribution_domains, ["blog.example"]);
    let icon = mia.icon.as_ref().unwrap();
    assert_eq!(icon.url, "https://files.mastodon.example/mia.jpg");
    assert_eq!((icon.media_type.as_deref(), icon.description.as_deref()), (Some("image/jpeg"), Some("A cat")));
    let fields: Vec<&str> = mia.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["Site", "Pronouns"]);
    assert_eq!((mia.emojis.len(), mia.emojis[0].shortcode.as_str()), (1, "cat"));
    assert_eq!((mia.hashtags.len(), mia.hashtags[0].name.as_str()), (1, "tea"));
    assert_eq!(mia.keys.len(), 1);
    assert!(mia.key("https://mastodon.example/users/mia#main-key").is_some());
    assert!(mia.key("https://mastodon.example/users/mia#other").is_none());
    assert!(!mia.knows_rfc9421 && !mia.hides_public && !mia.hides_unlisted);
}

#[test]
fn misskey_says_null_and_single_things() {
    let aya = actor("misskey_actor");
    assert_eq!((aya.name.as_str(), aya.summary.as_str()), ("aya", ""));
    assert_eq!(aya.also_known_as, ["https://old.example/users/aya"]);
    assert_eq!((aya.icon.unwrap().url.as_str(), aya.image), ("https://misskey.example/files/a.webp", None));
    assert_eq!((aya.keys.len(), aya.fields.len()), (1, 0));
    assert_eq!((aya.discoverable, aya.indexable), (Some(true), None));
}

#[test]
fn gotosocial_has_its_key_elsewhere() {
    let zoe = actor("gotosocial_actor");
    assert_eq!(zoe.keys[0].id, "https://gts.example/users/zoe/main-key");
    assert_eq!((zoe.fields.len(), zoe.fields[0].value.as_str()), (1, "only"));
    assert_eq!((zoe.shared_inbox, zoe.locked), (None, true));
    assert_eq!((zoe.hides_public, zoe.hides_unlisted), (false, true));
    // What stands at the key's address is no whole actor: it says whose key it is.
    assert_eq!(Actor::read(&corpus("gotosocial_key_stub")), Err(Malformed::Property("inbox")));
}

#[test]
fn groups_and_servers_of_lemmy() {
    let tea = actor("lemmy_group");
    assert_eq!((tea.kind, tea.username.as_str(), tea.name.as_str()), (ActorKind::Group, "tea", "Tea"));
    assert_eq!(tea.featured.as_deref(), Some("https://lemmy.example/c/tea/featured"));
    assert_eq!(tea.updated, Time::parse("2026-01-01T00:00:00Z"));
    let server = actor("lemmy_instance");
    assert_eq!(
        (server.kind, server.id.as_str(), server.username.as_str()),
        (ActorKind::Application, "https://lemmy.example/", "")
    );
}

#[test]
fn bridges_link_to_elsewhere() {
    let bo = actor("bridgy_actor");
    assert_eq!(bo.username, "bo.other.example");
    // The page must be on the actor's own server, and a key must say whose it is.
    assert_eq!(bo.url.as_deref(), Some("https://bridge.example/r/bo"));
    assert_eq!((bo.keys.len(), bo.keys[0].id.as_str()), (1, "https://bridge.example/ap/did:plc:abc#key"));
    assert_eq!(bo.also_known_as, ["https://other.example/profile/bo"]);
    assert_eq!(bo.icon.unwrap().url, "https://bridge.example/bo.png");
}

#[test]
fn streams_has_several_types_and_keys() {
    let uma = actor("streams_actor");
    assert_eq!((uma.kind, uma.knows_rfc9421), (ActorKind::Person, true));
    assert!(matches!(&uma.keys[0].material, KeyMaterial::Pem(_)));
    let KeyMaterial::Multibase(multikey) = &uma.keys[1].material else { panic!("{:?}", uma.keys) };
    assert!(federation::signatures::PublicKey::from_multibase(multikey).is_ok());
    assert_eq!((uma.fields[0].name.as_str(), uma.fields[0].value.as_str()), ("Place", "North"));
}

#[test]
fn keys_by_themselves() {
    let Document::Key(key) = Document::read(&corpus("separate_key")).unwrap() else { panic!("no key") };
    assert_eq!(
        (key.id.as_str(), key.owner.as_str()),
        ("https://keys.example/users/1/publickey", "https://keys.example/users/1")
    );
}

/// `mastodon_actor` with one property changed.
fn changed(name: &str, value: Value) -> Result<Actor, Malformed> {
    let mut document = corpus("mastodon_actor");
    document[name] = value;
    Actor::read(&document)
}

#[test]
fn what_an_actor_must_have() {
    for (name, value) in [
        ("id", json!(null)),
        ("id", json!("urn:x")),
        ("id", json!("https://user@mastodon.example/users/mia")),
        ("type", json!("Note")),
        ("type", json!(7)),
        ("inbox", json!(null)),
        ("inbox", json!("")),
        ("inbox", json!("https://evil.example/inbox")),
        ("inbox", json!("http://mastodon.example/users/mia/inbox")),
    ] {
        assert_eq!(changed(name, value.clone()).unwrap_err(), Malformed::Property(name.to_owned().leak()), "{value}");
    }
    assert_eq!(Actor::read(&json!([])), Err(Malformed::NotAnObject));
}

#[test]
fn what_points_elsewhere_is_left_out() {
    for (name, read) in [
        ("outbox", (|it| it.outbox) as fn(Actor) -> Option<String>),
        ("followers", |it| it.followers),
        ("following", |it| it.following),
        ("featured", |it| it.featured),
        ("featuredTags", |it| it.featured_tags),
        ("url", |it| it.url),
    ] {
        assert_eq!(changed(name, json!("https://evil.example/x")).map(read), Ok(None), "{name}");
        assert!(changed(name, json!("https://mastodon.example/x")).map(read).unwrap().is_some(), "{name}");
    }
    let shared = changed("endpoints", json!({ "sharedInbox": "https://evil.example/inbox" })).unwrap();
    assert_eq!(shared.shared_inbox, None);
    let foreign =
        json!({ "id": "https://evil.example/key", "owner": "https://mastodon.example/users/mia", "publicKeyPem": "x" });
    assert!(changed("publicKey", foreign).unwrap().keys.is_empty());
    let id = "https://mastodon.example/users/mia";
    // A key that is only named has to be looked at where it is.
    let named = |value: Value| changed("publicKey", value).unwrap();
    let link = "https://mastodon.example/key";
    assert!(named(json!(link)).keys.is_empty());
    assert_eq!(named(json!(link)).key_links, [link]);
    let links: Vec<String> = (0..9).map(|n| format!("{link}{n}")).collect();
    assert_eq!(named(json!(links)).key_links, links[..2]);
    for odd in ["https://evil.example/key", "https://mastodon.example/users/mia#main-key", "key", id] {
        assert_eq!(named(json!(odd)).key_links, [] as [&str; 0], "{odd}");
    }
}

#[test]
fn names_and_texts_are_bounded() {
    for name in ["a b", "a@b", "a/b", "", "a\u{0}b", &"a".repeat(3000)] {
        assert_eq!(changed("preferredUsername", json!(name)).unwrap().username, "", "{name}");
    }
    assert_eq!(changed("preferredUsername", json!("a.b-c_d")).unwrap().username, "a.b-c_d");
    assert_eq!(changed("name", json!("é".repeat(5000))).unwrap().name.chars().count(), 2048);
    assert_eq!(changed("name", json!("  ")).unwrap().name, "mia");
    assert_eq!(changed("summary", json!("x".repeat(100_000))).unwrap().summary.len(), 20_000);
    let fields = vec![json!({ "type": "PropertyValue", "name": "n", "value": "v".repeat(5000) }); 100];
    let read = changed("attachment", json!(fields)).unwrap().fields;
    assert_eq!((read.len(), read[0].value.len()), (50, 2047));
    let aliases: Vec<String> = (0..1000).map(|n| format!("https://a.example/{n}")).collect();
    assert_eq!(changed("alsoKnownAs", json!(aliases)).unwrap().also_known_as.len(), 256);
    for handle in ["mia", "a@b@c", "@", "mia @x", ""] {
        let read = changed("webfinger", json!(handle)).unwrap().webfinger;
        assert!(read.is_none() || handle == "@", "{handle}: {read:?}");
    }
    assert_eq!(changed("webfinger", json!("acct:mia@x.example")).unwrap().webfinger.as_deref(), Some("mia@x.example"));
    for published in ["yesterday", "99999-01-01T00:00:00Z", "-0044-01-01T00:00:00Z"] {
        assert_eq!(changed("published", json!(published)).unwrap().published, None, "{published}");
    }
}

#[test]
fn keys_for_what_is_said_are_multikeys_of_the_actor() {
    const MIA: &str = "https://mastodon.example/users/mia";
    const KEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
    let key = |name: &str| json!({ "id": format!("{MIA}#{name}"), "type": "Multikey", "controller": MIA, "publicKeyMultibase": KEY });
    let with = |name: &str, value: Value| {
        let mut key = key("ed");
        key[name] = value;
        key
    };
    for (keys, counts) in [
        (json!([key("ed")]), true),
        (key("ed"), true),
        (json!([with("type", json!(["Multikey"])), 7, null]), true),
        // A document of its own is not asked for.
        (json!(format!("{MIA}#ed")), false),
        (with("type", json!("Ed25519VerificationKey2020")), false),
        (with("type", json!(null)), false),
        (with("controller", json!("https://mastodon.example/users/other")), false),
        (with("controller", json!(null)), false),
        (with("id", json!("https://evil.example/users/mia#ed")), false),
        // Part of another's document, on the same server; a document of its own.
        (with("id", json!("https://mastodon.example/users/other#ed")), false),
        (with("id", json!("https://mastodon.example/keys/mia")), true),
        (with("publicKeyMultibase", json!(null)), false),
        (with("publicKeyMultibase", json!("z".repeat(20_000))), false),
        // What is for requests keeps its name.
        (with("id", json!(format!("{MIA}#main-key"))), false),
    ] {
        let mia = changed("assertionMethod", keys.clone()).unwrap();
        let multikeys = mia.keys.iter().filter(|key| matches!(key.material, KeyMaterial::Multibase(_))).count();
        assert_eq!((multikeys, mia.keys.len()), (usize::from(counts), 1 + usize::from(counts)), "{keys}");
    }
    // Neither stands in for the other.
    assert_eq!(changed("publicKey", key("ed")).unwrap().keys, []);
    let many: Vec<Value> = (0..20).map(|at| key(&format!("key-{at}"))).collect();
    assert_eq!(changed("assertionMethod", json!(many)).unwrap().keys.len(), 10);
}
