use super::*;
use crate::{
    Db, Error,
    db::{DatabaseConfig, Texts},
    jobs,
    site::Limits,
    statuses, users,
};

const NO_LANES: Texts = Texts(Vec::new());

/// A site with nobody on it, on SQLite.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) site: Site,
    _dir: tempfile::TempDir,
}

pub(crate) async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&DatabaseConfig::default(), &dir.path().join("t.sqlite3")).await.unwrap();
    let base = "https://noren.example";
    let site = Site {
        alternate_domains: Vec::new(),
        domain: "noren.example".into(),
        base_url: base.into(),
        media_url: format!("{base}/media"),
        limits: Limits::default(),
    };
    World { db, site, _dir: dir }
}

impl World {
    /// A local person, confirmed and approved.
    pub(crate) async fn person(&self, name: &str) -> AccountId {
        let tx = self.db.begin().await.unwrap();
        let account = create(&tx, &self.site, name).await.unwrap();
        let email = format!("{name}@mail.example");
        let sql = "INSERT INTO users (id, account_id, email, password_hash, confirmed_at, created_at) VALUES ($1, $2, $3, '', 1, 1)";
        tx.exec(sql, &[&account.id.0, &account.id, &email]).await.unwrap();
        tx.commit().await.unwrap();
        account.id
    }
    pub(crate) async fn remote(&self, name: &str, domain: &str) -> AccountId {
        let tx = self.db.begin().await.unwrap();
        let uri = format!("https://{domain}/users/{name}");
        let row = Account { domain: Some(domain.into()), uri: uri.clone(), url: uri, ..blank(name) };
        insert(&tx, &row).await.unwrap();
        tx.commit().await.unwrap();
        row.id
    }
    pub(crate) async fn account(&self, id: AccountId) -> Account {
        store::by_id(&self.db.read().await.unwrap(), id).await.unwrap().unwrap()
    }
    pub(crate) async fn change(&self, id: AccountId, change: ProfileChange) -> Result<Account> {
        update_profile(&self.db, &self.site, id, change).await
    }
    pub(crate) async fn exec(&self, sql: &'static str, id: AccountId) {
        let tx = self.db.begin().await.unwrap();
        tx.exec(sql, &[&id]).await.unwrap();
        tx.commit().await.unwrap();
    }
    pub(crate) async fn counts(&self, id: AccountId) -> (i64, i64) {
        let a = self.account(id).await;
        (a.followers_count, a.following_count)
    }
}

fn blank(name: &str) -> Account {
    Account { username: name.into(), ..Account::blank(Time(0)) }
}

#[tokio::test]
async fn names_are_taken_once_whatever_their_case() {
    let world = world().await;
    world.person("alice").await;
    let tx = world.db.begin().await.unwrap();
    assert!(matches!(create(&tx, &world.site, "Alice").await, Err(Error::Invalid { field: "Username", .. })));
}

#[tokio::test]
async fn lookup_knows_our_own_domain() {
    let world = world().await;
    let alice = world.person("alice").await;
    let remote = world.remote("alice", "far.example").await;
    let conn = world.db.read().await.unwrap();
    for (acct, id) in [
        ("alice", alice),
        ("@ALICE", alice),
        ("alice@noren.example", alice),
        ("@alice@NOREN.example", alice),
        (" alice@far.example ", remote),
    ] {
        assert_eq!(lookup(&conn, &world.site, acct).await.unwrap().id, id, "{acct}");
    }
    for acct in ["", "@", "bob", "alice@", "@@alice", "alice@nowhere.example", "a b", "a/b"] {
        assert!(matches!(lookup(&conn, &world.site, acct).await, Err(Error::NotFound)), "{acct}");
    }
}

#[tokio::test]
async fn who_is_not_approved_yet_is_not_there() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    world.exec("UPDATE users SET approved = FALSE WHERE account_id = $1", bob).await;
    let conn = world.db.read().await.unwrap();
    assert!(matches!(visible(&conn, bob).await, Err(Error::NotFound)));
    assert!(matches!(lookup(&conn, &world.site, "bob").await, Err(Error::NotFound)));
    let found = visible_among(&conn, [bob, alice, AccountId(1)]).await.unwrap();
    assert_eq!(found.iter().map(|a| a.id).collect::<Vec<_>>(), [alice]);
}

async fn found(world: &World, search: Search<'_>) -> Vec<String> {
    let conn = world.db.read().await.unwrap();
    let rows = super::search(&conn, &world.site, &search).await.unwrap();
    rows.iter().map(Account::acct).collect()
}

fn words(words: &str) -> Search<'_> {
    Search { words, viewer: None, following: false, limit: 10, offset: 0 }
}

#[tokio::test]
async fn search_finds_starts_and_parts_of_names() {
    let world = world().await;
    let alice = world.person("alice_w").await;
    let taro = world.person("taro").await;
    world.remote("alice", "far.example").await;
    let name = |text: &str| ProfileChange { display_name: Some(text.into()), ..Default::default() };
    world.change(alice, name("Wonderland Explorer")).await.unwrap();
    world.change(taro, name("東京の太郎 ｱﾘｽ")).await.unwrap();
    for (typed, expected) in [
        ("ali", vec!["alice_w", "alice@far.example"]),
        ("LIC", vec!["alice_w", "alice@far.example"]),
        ("@alice_w", vec!["alice_w"]),
        ("onder", vec!["alice_w"]),
        ("wonder expl", vec!["alice_w"]),
        ("far.ex", vec!["alice@far.example"]),
        ("alice@far.example", vec!["alice@far.example"]),
        ("@taro@noren.example", vec!["taro"]),
        ("東京", vec!["taro"]),
        ("京の", vec!["taro"]),
        ("太", vec!["taro"]),
        ("アリス", vec!["taro"]),
        ("nobody", vec![]),
        ("\"' OR 1", vec![]),
        ("@", vec![]),
        ("%", vec![]),
    ] {
        assert_eq!(found(&world, words(typed)).await, expected, "{typed}");
    }
    world.change(alice, name("Somebody else")).await.unwrap();
    assert!(found(&world, words("onder")).await.is_empty());
    assert_eq!(found(&world, Search { limit: 1, offset: 1, ..words("ali") }).await, ["alice@far.example"]);
}

#[tokio::test]
async fn search_puts_friends_first_and_can_keep_to_them() {
    let world = world().await;
    let me = world.person("me").await;
    for name in ["anna1", "anna2", "anna3"] {
        world.person(name).await;
    }
    world.exec("UPDATE accounts SET followers_count = 9 WHERE username = 'anna2' OR id = $1", me).await;
    let friend = lookup(&world.db.read().await.unwrap(), &world.site, "anna3").await.unwrap().id;
    crate::follows::follow(&world.db, me, friend, &Default::default()).await.unwrap();
    let mine = Search { viewer: Some(me), ..words("anna") };
    assert_eq!(found(&world, mine).await, ["anna3", "anna2", "anna1"]);
    assert_eq!(found(&world, Search { following: true, ..mine }).await, ["anna3"]);
    let exact = Search { words: "anna1@noren.example", following: true, ..mine };
    assert!(found(&world, exact).await.is_empty());
    world.exec("UPDATE accounts SET suspended_at = 1 WHERE id = $1", friend).await;
    assert_eq!(found(&world, mine).await, ["anna2", "anna1"]);
}

#[tokio::test]
async fn profiles_are_rendered() {
    let world = world().await;
    let alice = world.person("alice").await;
    world.person("bob").await;
    let change = ProfileChange {
        display_name: Some("  Alice :blob:\n ".into()),
        note: Some("Hi @bob #cats <b>".into()),
        fields: Some(vec![
            ("Site".into(), "https://alice.example/".into()),
            (String::new(), " ".into()),
            ("x".repeat(300), "y".into()),
        ]),
        locked: Some(true),
        bot: Some(true),
        discoverable: Some(true),
        attribution_domains: Some(vec!["https://News.example/a".into(), String::new(), "*.news.example".into()]),
        defaults: Defaults {
            visibility: Some(statuses::Visibility::Private),
            sensitive: Some(true),
            language: Some("ja".into()),
            quote_policy: None,
            content_type: Some(statuses::ContentType::Markdown),
        },
        ..Default::default()
    };
    let a = world.change(alice, change).await.unwrap();
    assert_eq!(a.display_name, "Alice :blob:");
    assert_eq!(a.emojis_json, r#"["blob"]"#);
    assert!(a.note_html.contains(r#"<a href="https://noren.example/@bob" class="u-url mention">"#), "{}", a.note_html);
    assert!(a.note_html.contains("&lt;b&gt;") && a.note_html.contains("/tags/cats"));
    let fields = a.fields();
    assert_eq!(fields.len(), 2);
    assert!(
        fields[0].value_html.contains(r#"href="https://alice.example/""#) && fields[0].value_html.contains(" me\"")
    );
    assert_eq!(fields[1].name.len(), 255);
    assert!(a.locked && a.kind == Kind::Bot && a.discoverable == Some(true) && a.hide_collections.is_none());
    assert_eq!(a.attribution_domains(), ["news.example"]);
    let conn = world.db.read().await.unwrap();
    let user = users::store::by_account(&conn, alice).await.unwrap().unwrap();
    assert_eq!(user.default_visibility, statuses::Visibility::Private);
    assert_eq!(user.default_content_type, statuses::ContentType::Markdown);
    assert_eq!((user.default_sensitive, user.default_language.as_deref()), (true, Some("ja")));
    drop(conn);
    let clear = ProfileChange {
        fields: Some(vec![]),
        defaults: Defaults { language: Some(String::new()), ..Default::default() },
        ..Default::default()
    };
    let a = world.change(alice, clear).await.unwrap();
    assert!(a.fields().is_empty() && a.display_name == "Alice :blob:" && a.locked);
    let user = users::store::by_account(&world.db.read().await.unwrap(), alice).await.unwrap().unwrap();
    assert_eq!((user.default_sensitive, user.default_language), (true, None));
}

#[tokio::test]
async fn what_is_too_long_is_refused_in_mastodons_words() {
    let world = world().await;
    let alice = world.person("alice").await;
    let base = ProfileChange::default;
    let line = || ("a".to_owned(), "b".to_owned());
    for (change, expected) in [
        (
            ProfileChange { display_name: Some("あ".repeat(31)), ..base() },
            "Display name is too long (maximum is 30 characters)",
        ),
        (ProfileChange { note: Some("a".repeat(501)), ..base() }, "Note is too long (maximum is 500 characters)"),
        (ProfileChange { note: Some("a".repeat(1 << 20)), ..base() }, "Note is too long (maximum is 500 characters)"),
        (ProfileChange { fields: Some(vec![line(); 5]), ..base() }, "Fields is too long (maximum is 4 characters)"),
        (
            ProfileChange { fields: Some(vec![(" ".into(), "b".into())]), ..base() },
            "Fields contains values with missing labels",
        ),
        (
            ProfileChange { attribution_domains: Some(vec!["no domain".into()]), ..base() },
            "Attribution domains contains one or more invalid domain names",
        ),
    ] {
        assert_eq!(world.change(alice, change).await.unwrap_err().to_string(), expected);
    }
    let long_link = format!("https://x.example/{}", "a".repeat(600));
    world.change(alice, ProfileChange { note: Some(long_link), ..base() }).await.unwrap();
}

#[tokio::test]
async fn replaced_pictures_go() {
    let world = world().await;
    let alice = world.person("alice").await;
    let set = |key: &str, still: Option<&str>| ProfileChange {
        avatar: Some(Picture::Set { original: key.into(), still: still.map(Into::into) }),
        ..Default::default()
    };
    let a = world.change(alice, set("a.gif", Some("a.png"))).await.unwrap();
    assert_eq!((a.avatar.as_deref(), a.avatar_static.as_deref()), (Some("a.gif"), Some("a.png")));
    assert!(jobs::claim(&world.db, jobs::Queue::Media, 9, &NO_LANES).await.unwrap().is_empty());
    let a = world.change(alice, set("b.png", None)).await.unwrap();
    assert_eq!((a.avatar.as_deref(), a.avatar_static), (Some("b.png"), None));
    let a = world.change(alice, ProfileChange { avatar: Some(Picture::Remove), ..Default::default() }).await.unwrap();
    assert_eq!(a.avatar, None);
    let claimed = jobs::claim(&world.db, jobs::Queue::Media, 9, &NO_LANES).await.unwrap();
    let mut gone: Vec<String> = claimed
        .into_iter()
        .filter_map(|c| match c.job {
            Some(jobs::Job::DeleteFiles { keys }) => Some(keys),
            _ => None,
        })
        .flatten()
        .collect();
    gone.sort();
    assert_eq!(gone, ["a.gif", "a.png", "b.png"]);
}

#[tokio::test]
async fn only_local_accounts_have_a_profile_to_change() {
    let world = world().await;
    let far = world.remote("far", "far.example").await;
    let change = ProfileChange { locked: Some(true), ..Default::default() };
    assert!(matches!(world.change(far, change).await, Err(Error::NotFound)));
}
