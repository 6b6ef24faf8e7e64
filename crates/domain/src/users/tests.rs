use super::*;
use crate::{
    Db, Error,
    db::DatabaseConfig,
    events::Event,
    oauth::{self, Scope, Scopes},
    sessions,
    site::{Limits, Site},
    statuses::{self, NewStatus},
};

pub(crate) async fn database() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&DatabaseConfig::default(), &dir.path().join("t.sqlite3")).await.unwrap();
    (dir, db)
}

pub(crate) fn site() -> Site {
    Site {
        alternate_domains: Vec::new(),
        domain: "noren.example".into(),
        base_url: "https://noren.example".into(),
        media_url: "https://noren.example/media".into(),
        limits: Limits::default(),
    }
}

fn with_email(name: &str, email: &str) -> NewUser {
    NewUser { email: Some(email.into()), ..NewUser::named(name) }
}

#[tokio::test]
async fn names_and_addresses_are_taken_once_whatever_their_case() {
    let (_dir, db) = database().await;
    let (user, account) = create(&db, &site(), with_email("Alice", "Alice@Example.com")).await.unwrap();
    assert_eq!((account.username.as_str(), account.uri.as_str()), ("Alice", "https://noren.example/users/Alice"));
    assert_eq!(user.login(&account), Login::Usable);
    for (new, field) in
        [(NewUser::named("aLICE"), "Username"), (with_email("bob", "alice@example.COM"), "E-mail address")]
    {
        let error = create(&db, &site(), new).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid { field: f, why } if *f == field && why.contains("taken")), "{error}");
    }
    // Without an address, as often as you like.
    for name in ["bob", "carol"] {
        create(&db, &site(), NewUser::named(name)).await.unwrap();
    }
    let conn = db.read().await.unwrap();
    for who in ["alice", "@ALICE", "alice@noren.example", "@alice@Noren.Example", "alice@EXAMPLE.com "] {
        let found = find(&conn, &site(), who).await.unwrap();
        assert_eq!(found.map(|(u, _)| u.id), Some(user.id), "{who}");
    }
    for nobody in ["", "@", "dora", "alice@elsewhere.example", "example.com"] {
        assert!(find(&conn, &site(), nobody).await.unwrap().is_none(), "{nobody}");
    }
    assert_eq!(list(&conn, None, 2).await.unwrap().len(), 2);
    assert_eq!(list(&conn, Some(user.id), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let (_dir, db) = database().await;
    let new =
        NewUser { password: Some("short".into()), reason: "x".repeat(421), ..with_email("not a name!", "nowhere") };
    let problems = check(&db.read().await.unwrap(), &new).await.unwrap();
    let fields: Vec<_> = problems.iter().map(|p| p.field).collect();
    assert_eq!(fields, ["username", "email", "password", "reason"]);
    let named = NewUser { password: Some("short".into()), ..NewUser::named("dora") };
    assert!(create(&db, &site(), named).await.is_err());
    assert!(list(&db.read().await.unwrap(), None, 10).await.unwrap().is_empty(), "nothing was written");
}

#[tokio::test]
async fn of_many_who_rush_in_one_becomes_the_owner() {
    let (_dir, db) = database().await;
    let token = setup::token(&db).await.unwrap().unwrap();
    assert_eq!(setup::token(&db).await.unwrap(), Some(token.clone()), "the link stays the same");
    let conn = db.read().await.unwrap();
    assert!(setup::is_open(&conn, &token).await.unwrap());
    for wrong in ["", "x", &token[1..]] {
        assert!(!setup::is_open(&conn, wrong).await.unwrap());
    }
    drop(conn);
    let site = site();
    let rush = (0..8).map(|n| create_owner(&db, &site, NewUser::named(["a", "b", "c", "d", "e", "f", "g", "h"][n])));
    let ended = futures_util::future::join_all(rush).await;
    assert_eq!(ended.iter().filter(|r| r.is_ok()).count(), 1);
    let lost = ended.iter().filter(|r| matches!(r, Err(Error::Conflict(_)))).count();
    assert_eq!(lost, 7);
    let conn = db.read().await.unwrap();
    assert!(!setup::is_open(&conn, &token).await.unwrap(), "the link is used up");
    assert_eq!(list(&conn, None, 10).await.unwrap()[0].0.role, Role::Owner);
    drop(conn);
    assert_eq!(setup::token(&db).await.unwrap(), None);
}

#[tokio::test]
async fn the_only_owner_stays() {
    let (_dir, db) = database().await;
    let (owner, _) = create_owner(&db, &site(), NewUser::named("admin")).await.unwrap();
    let demoted = Change { role: Some(Role::User), ..Change::default() };
    assert!(matches!(modify(&db, owner.id, demoted.clone()).await, Err(Error::Invalid { field: "Role", .. })));
    let off = Change { disabled: Some(true), ..Change::default() };
    assert!(modify(&db, owner.id, off).await.is_err());
    let second = NewUser { role: Role::Owner, ..NewUser::named("second") };
    create(&db, &site(), second).await.unwrap();
    assert_eq!(modify(&db, owner.id, demoted).await.unwrap().role, Role::User);
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_can_come_back() {
    let (_dir, db) = database().await;
    let (user, _) = create(&db, &site(), with_email("alice", "a@example.com")).await.unwrap();
    let session = sessions::start(&db, user.id, "Browser").await.unwrap();
    let issued = oauth::tokens::create(&db, user.id, Scopes::of(&[Scope::Read])).await.unwrap();
    let mut heard = db.events().listen();
    let taken = with_email("bob", "b@example.com");
    create(&db, &site(), taken).await.unwrap();
    let clash = Change { email: Some("B@example.com".into()), ..Change::default() };
    assert!(matches!(modify(&db, user.id, clash).await, Err(Error::Invalid { .. })));

    let off = Change { disabled: Some(true), ..Change::default() };
    modify(&db, user.id, off).await.unwrap();
    assert!(matches!(*heard.try_recv().unwrap(), Event::TokenRevoked { token } if token == issued.id));
    let conn = db.read().await.unwrap();
    assert!(sessions::visitor(&conn, &session).await.unwrap().is_none());
    let grant = oauth::authenticate(&conn, &issued.token).await.unwrap().unwrap();
    assert_eq!(grant.person.unwrap().login, Login::Disabled);
    drop(conn);

    let on = Change { disabled: Some(false), email: Some(String::new()), ..Change::default() };
    assert_eq!(modify(&db, user.id, on).await.unwrap().email, "");
    let grant = oauth::authenticate(&db.read().await.unwrap(), &issued.token).await.unwrap().unwrap();
    assert_eq!(grant.person.unwrap().login, Login::Usable);
}

#[tokio::test]
async fn a_new_password_ends_what_it_should() {
    let (_dir, db) = database().await;
    let new = NewUser { password: Some("first password".into()), ..NewUser::named("alice") };
    let (user, _) = create(&db, &site(), new).await.unwrap();
    assert!(verify_password(&user, "first password").await.unwrap());
    let (one, two) =
        (sessions::start(&db, user.id, "").await.unwrap(), sessions::start(&db, user.id, "").await.unwrap());
    let issued = oauth::tokens::create(&db, user.id, Scopes::of(&[Scope::Read])).await.unwrap();
    let mine = sessions::visitor(&db.read().await.unwrap(), &one).await.unwrap().unwrap().session.id;
    assert!(set_password(&db, user.id, "short", Endings::Sessions).await.is_err());

    set_password(&db, user.id, "second password", Endings::OtherSessions(mine)).await.unwrap();
    let conn = db.read().await.unwrap();
    assert!(sessions::visitor(&conn, &one).await.unwrap().is_some());
    assert!(sessions::visitor(&conn, &two).await.unwrap().is_none());
    assert!(oauth::authenticate(&conn, &issued.token).await.unwrap().is_some());
    let (user, _) = by_id(&conn, user.id).await.unwrap();
    drop(conn);
    assert!(verify_password(&user, "second password").await.unwrap());
    assert!(!verify_password(&user, "first password").await.unwrap());

    set_password(&db, user.id, "third password", Endings::Everything).await.unwrap();
    let conn = db.read().await.unwrap();
    assert!(sessions::visitor(&conn, &one).await.unwrap().is_none());
    assert!(oauth::authenticate(&conn, &issued.token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_deleted_account_leaves_no_trace() {
    let (_dir, db) = database().await;
    let (alice, account) = create(&db, &site(), NewUser::named("alice")).await.unwrap();
    let (bob, other) = create(&db, &site(), NewUser::named("bob")).await.unwrap();
    let site = site();
    for (author, text) in [(&alice, "one"), (&alice, "two"), (&alice, "three"), (&bob, "stays")] {
        let new = NewStatus { text: text.into(), ..NewStatus::default() };
        statuses::publish(&db, &site, author, new).await.unwrap();
    }
    oauth::tokens::create(&db, alice.id, Scopes::of(&[Scope::Read])).await.unwrap();
    delete(&db, alice.id).await.unwrap();

    let conn = db.read().await.unwrap();
    assert!(matches!(by_id(&conn, alice.id).await, Err(Error::NotFound)));
    assert!(crate::accounts::store::by_id(&conn, account.id).await.unwrap().is_none());
    assert!(store::statuses(&conn, account.id, 10).await.unwrap().is_empty());
    assert_eq!(store::statuses(&conn, other.id, 10).await.unwrap().len(), 1);
    assert!(by_id(&conn, bob.id).await.is_ok());
    drop(conn);
    assert!(matches!(delete(&db, alice.id).await, Err(Error::NotFound)));
    // But for the name, which other servers know.
    for name in ["alice", "ALICE"] {
        let refused = create(&db, &site, NewUser::named(name)).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Invalid { field: "Username", why } if why == "has already been taken"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_deletion_that_was_begun_can_be_taken_back() {
    let (_dir, db) = database().await;
    let (user, _) = create(&db, &site(), NewUser::named("Alice")).await.unwrap();
    // As far as it goes before the first post is deleted.
    let tx = db.begin().await.unwrap();
    store::suspend(&tx, user.account_id).await.unwrap();
    crate::tombstones::put_name(&tx, "Alice").await.unwrap();
    tx.commit().await.unwrap();
    let gone = async || crate::tombstones::is_former_name(&db.read().await.unwrap(), "alice").await.unwrap();
    assert!(gone().await);
    modify(&db, user.id, Change { suspended: Some(false), ..Change::default() }).await.unwrap();
    assert!(!gone().await);
}
