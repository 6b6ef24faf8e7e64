use super::*;
use crate::users::{
    NewUser, create,
    tests::{database, site},
};

async fn somebody(db: &Db, new: NewUser) -> User {
    let new = NewUser { password: Some("correct horse".into()), ..new };
    create(db, &site(), new).await.unwrap().0
}

fn trying<'a>(login: &'a str, password: &'a str) -> SignIn<'a> {
    SignIn { login, password, ip: None, user_agent: "Mozilla/5.0" }
}

#[tokio::test]
async fn the_right_password_opens_and_the_secret_is_not_stored() {
    let (_dir, db) = database().await;
    somebody(&db, NewUser { email: Some("a@example.com".into()), ..NewUser::named("alice") }).await;
    let attempts = Attempts::default();
    for login in ["alice", "A@example.com"] {
        let done = sign_in(&db, &site(), &attempts, trying(login, "correct horse")).await.unwrap();
        let SignedIn::Yes { token } = done else { panic!("{done:?}") };
        let conn = db.read().await.unwrap();
        let visitor = visitor(&conn, &token).await.unwrap().unwrap();
        assert_eq!(visitor.account.username, "alice");
        assert_eq!(visitor.session.user_agent, "Mozilla/5.0");
        let stored: Vec<(String,)> = conn.all("SELECT token_hash FROM sessions", &[]).await.unwrap();
        assert!(stored.iter().all(|(hash,)| *hash != token));
    }
    for (login, password) in [("alice", "wrong"), ("alice", ""), ("nobody", "correct horse"), ("", "")] {
        let done = sign_in(&db, &site(), &attempts, trying(login, password)).await.unwrap();
        assert!(matches!(done, SignedIn::Wrong), "{login}: {done:?}");
    }
    assert!(visitor(&db.read().await.unwrap(), "made up").await.unwrap().is_none());
}

#[tokio::test]
async fn those_who_may_not_yet_are_told_why() {
    let (_dir, db) = database().await;
    somebody(&db, NewUser { approved: false, ..NewUser::named("pending") }).await;
    somebody(&db, NewUser { confirmed: false, ..NewUser::named("unconfirmed") }).await;
    let attempts = Attempts::default();
    for (name, login) in [("pending", Login::Pending), ("unconfirmed", Login::Unconfirmed)] {
        let done = sign_in(&db, &site(), &attempts, trying(name, "correct horse")).await.unwrap();
        assert!(matches!(done, SignedIn::Refused(l) if l == login), "{done:?}");
        // Who does not know the password is not told that there is such an account.
        let done = sign_in(&db, &site(), &attempts, trying(name, "wrong horse")).await.unwrap();
        assert!(matches!(done, SignedIn::Wrong));
    }
}

#[tokio::test]
async fn a_flood_is_stopped_before_it_costs_anything() {
    let (_dir, db) = database().await;
    let alice = somebody(&db, NewUser::named("alice")).await;
    let attempts = Attempts::default();
    for _ in 0..25 {
        attempts.count(None, &alice.id.to_string(), Time::now()).unwrap();
    }
    let done = sign_in(&db, &site(), &attempts, trying("@ALICE", "correct horse")).await.unwrap();
    assert!(matches!(done, SignedIn::TooMany(wait) if wait <= Duration::from_secs(3600)), "{done:?}");
}

#[tokio::test]
async fn sessions_are_few_and_end() {
    let (_dir, db) = database().await;
    let (alice, bob) = (somebody(&db, NewUser::named("alice")).await, somebody(&db, NewUser::named("bob")).await);
    let mut tokens = Vec::new();
    for n in 0..22 {
        tokens.push(start(&db, alice.id, &format!("Browser {n}\n{}", "x".repeat(500))).await.unwrap());
    }
    let conn = db.read().await.unwrap();
    let listed = list(&conn, alice.id).await.unwrap();
    assert_eq!(listed.len(), 20);
    assert!(listed[0].user_agent.starts_with("Browser 21x") && listed[0].user_agent.len() == 250);
    assert!(visitor(&conn, &tokens[0]).await.unwrap().is_none(), "the oldest went");
    drop(conn);
    assert!(matches!(end(&db, bob.id, listed[0].id).await, Err(Error::NotFound)), "not theirs");
    end(&db, alice.id, listed[0].id).await.unwrap();
    assert!(visitor(&db.read().await.unwrap(), &tokens[21]).await.unwrap().is_none());

    let tx = db.begin().await.unwrap();
    tx.exec("UPDATE sessions SET expires_at = 1 WHERE user_id = $1", &[&alice.id]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(visitor(&db.read().await.unwrap(), &tokens[20]).await.unwrap().is_none(), "expired");
    assert_eq!(sweep(&db).await.unwrap(), 19);
}
