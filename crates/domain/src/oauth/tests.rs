use super::{codes::Asked, *};
use crate::{
    Time,
    db::Db,
    events::Event,
    ids::UserId,
    secrets,
    users::{
        Login, NewUser, create,
        tests::{database, site},
    },
};

const REDIRECT: &str = "https://client.example/cb?here=1";

async fn an_app(db: &Db, scopes: &str) -> (App, String) {
    let redirect_uris = vec![REDIRECT.into(), OUT_OF_BAND.into()];
    apps::create(db, NewApp { name: "Test".into(), redirect_uris, scopes: scopes.into(), website: None }).await.unwrap()
}

async fn a_user(db: &Db) -> UserId {
    create(db, &site(), NewUser::named("alice")).await.unwrap().0.id
}

fn asked(app: &App) -> Asked {
    Asked {
        client_id: app.client_id.clone(),
        redirect_uri: REDIRECT.into(),
        response_type: "code".into(),
        scope: "read write:media".into(),
        state: "s&1".into(),
        ..Asked::default()
    }
}

async fn a_code(db: &Db, user: UserId, asked: Asked) -> String {
    let request = request(&db.read().await.unwrap(), asked).await.unwrap();
    match authorize(db, user, &request).await.unwrap() {
        Consent::Redirect(url) => {
            let url = url::Url::parse(&url).unwrap();
            let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
            assert_eq!((query["here"].as_str(), query["state"].as_str()), ("1", "s&1"));
            query["code"].clone()
        }
        Consent::Show(code) => code,
        Consent::Nothing => panic!("no answer"),
    }
}

fn redeem(code: &str) -> Redeem<'_> {
    Redeem { code, redirect_uri: REDIRECT, verifier: "" }
}

#[tokio::test]
async fn apps_have_secrets_and_bounds() {
    let (_dir, db) = database().await;
    let (app, secret) = an_app(&db, "read write").await;
    let conn = db.read().await.unwrap();
    assert_eq!(apps::authenticate(&conn, &app.client_id, &secret).await.unwrap().unwrap().id, app.id);
    for (id, secret) in [(app.client_id.as_str(), "wrong"), (app.client_id.as_str(), ""), ("", secret.as_str())] {
        assert!(apps::authenticate(&conn, id, secret).await.unwrap().is_none());
    }
    assert_eq!(names(&conn, &[app.id]).await.unwrap(), [(app.id, "Test".to_owned(), None)]);
    let good = NewApp { name: "a".into(), redirect_uris: vec![OUT_OF_BAND.into()], ..NewApp::default() };
    let bad = [
        NewApp { name: " ".into(), ..good.clone() },
        NewApp { name: "x".repeat(61), ..good.clone() },
        NewApp { redirect_uris: vec![], ..good.clone() },
        NewApp { redirect_uris: vec!["javascript:x".into()], ..good.clone() },
        NewApp { scopes: "read everything".into(), ..good.clone() },
        NewApp { website: Some("javascript:x".into()), ..good.clone() },
    ];
    drop(conn);
    for new in bad {
        assert!(matches!(apps::create(&db, new.clone()).await, Err(crate::Error::Invalid { .. })), "{new:?}");
    }
    let (app, _) = apps::create(&db, good).await.unwrap();
    assert_eq!(app.scopes().to_string(), "read");
}

#[tokio::test]
async fn a_request_is_checked_before_anybody_is_sent_anywhere() {
    let (_dir, db) = database().await;
    let (app, _) = an_app(&db, "read write").await;
    let conn = db.read().await.unwrap();
    let good = asked(&app);
    let unknown = Asked { client_id: "x".into(), ..good.clone() };
    assert!(matches!(request(&conn, unknown).await, Err(Wrong::Client)));
    for uri in ["", "https://client.example/cb", "https://client.example/cb?here=1&x", "https://evil.example/"] {
        let elsewhere = Asked { redirect_uri: uri.into(), ..good.clone() };
        assert!(matches!(request(&conn, elsewhere).await, Err(Wrong::Redirect)), "{uri}");
    }
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (wrong, error) in [
        (Asked { response_type: "token".into(), ..good.clone() }, "unsupported_response_type"),
        (Asked { scope: "read admin:write".into(), ..good.clone() }, "invalid_scope"),
        (Asked { scope: "nonsense".into(), ..good.clone() }, "invalid_scope"),
        (Asked { code_challenge: challenge.into(), ..good.clone() }, "invalid_request"),
        (
            Asked { code_challenge: challenge.into(), code_challenge_method: "plain".into(), ..good.clone() },
            "invalid_request",
        ),
        (
            Asked { code_challenge: "short".into(), code_challenge_method: "S256".into(), ..good.clone() },
            "invalid_request",
        ),
    ] {
        let Err(Wrong::Request { error: told, back }) = request(&conn, wrong).await else { panic!("{error}") };
        assert_eq!(told, error);
        assert_eq!(back.unwrap(), format!("{REDIRECT}&error={error}&state=s%261"));
    }
    let request = request(&conn, good).await.unwrap();
    assert_eq!(request.scopes.to_string(), "read write:media");
    assert_eq!(request.deny(), Consent::Redirect(format!("{REDIRECT}&error=access_denied&state=s%261")));
}

#[tokio::test]
async fn a_code_buys_one_token() {
    let (_dir, db) = database().await;
    let ((app, _), user) = (an_app(&db, "read write").await, a_user(&db).await);
    let code = a_code(&db, user, asked(&app)).await;
    let issued = exchange(&db, &app, redeem(&code)).await.unwrap();
    assert_eq!(issued.scopes.to_string(), "read write:media");
    assert!(matches!(exchange(&db, &app, redeem(&code)).await, Err(Refusal::Grant)), "used");
    let grant = authenticate(&db.read().await.unwrap(), &issued.token).await.unwrap().unwrap();
    let person = grant.person.unwrap();
    assert_eq!((grant.app, person.user, person.login), (Some(app.id), user, Login::Usable));
    assert!(authenticate(&db.read().await.unwrap(), "made up").await.unwrap().is_none());
}

#[tokio::test]
async fn of_many_who_redeem_at_once_one_gets_a_token() {
    let (_dir, db) = database().await;
    let ((app, _), user) = (an_app(&db, "read write").await, a_user(&db).await);
    let code = a_code(&db, user, asked(&app)).await;
    let tries = futures_util::future::join_all((0..8).map(|_| exchange(&db, &app, redeem(&code)))).await;
    assert_eq!(tries.iter().filter(|t| t.is_ok()).count(), 1);
}

#[tokio::test]
async fn what_does_not_fit_voids_the_code() {
    let (_dir, db) = database().await;
    let ((app, _), (other, _), user) =
        (an_app(&db, "read write").await, an_app(&db, "read write").await, a_user(&db).await);
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let proof = Asked { code_challenge: secrets::hash(verifier), code_challenge_method: "S256".into(), ..asked(&app) };
    for (with_proof, by, redirect_uri, verifier, fits) in [
        (false, &app, REDIRECT, "", true),
        (false, &other, REDIRECT, "", false),
        (false, &app, OUT_OF_BAND, "", false),
        (false, &app, "", "", false),
        (false, &app, REDIRECT, verifier, false),
        (true, &app, REDIRECT, verifier, true),
        (true, &app, REDIRECT, "", false),
        (true, &app, REDIRECT, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX", false),
        (true, &app, REDIRECT, "short", false),
    ] {
        let code = a_code(&db, user, if with_proof { proof.clone() } else { asked(&app) }).await;
        let done = exchange(&db, by, Redeem { code: &code, redirect_uri, verifier }).await;
        assert_eq!(done.is_ok(), fits, "{with_proof} {redirect_uri} {verifier}: {done:?}");
        let again = exchange(&db, &app, Redeem { code: &code, redirect_uri: REDIRECT, verifier }).await;
        assert!(matches!(again, Err(Refusal::Grant)));
    }
}

#[tokio::test]
async fn an_old_code_is_worth_nothing() {
    let (_dir, db) = database().await;
    let ((app, _), user) = (an_app(&db, "read write").await, a_user(&db).await);
    let code = a_code(&db, user, asked(&app)).await;
    let tx = db.begin().await.unwrap();
    let n = tx.exec("UPDATE oauth_codes SET expires_at = expires_at - $1", &[&600_000_i64]).await.unwrap();
    assert_eq!(n, 1);
    tx.commit().await.unwrap();
    assert!(matches!(exchange(&db, &app, redeem(&code)).await, Err(Refusal::Grant)));
}

#[tokio::test]
async fn an_app_by_itself_gets_no_more_than_it_registered() {
    let (_dir, db) = database().await;
    let (app, _) = an_app(&db, "read write:media").await;
    assert!(matches!(tokens::client_credentials(&db, &app, "write").await, Err(Refusal::Scope)));
    let issued = tokens::client_credentials(&db, &app, "read:search").await.unwrap();
    let grant = authenticate(&db.read().await.unwrap(), &issued.token).await.unwrap().unwrap();
    assert_eq!((grant.person, grant.scopes.to_string()), (None, "read:search".to_owned()));
}

#[tokio::test]
async fn only_its_own_app_revokes_a_token_and_streams_hear_of_it() {
    let (_dir, db) = database().await;
    let ((app, _), (other, _), user) = (an_app(&db, "read write").await, an_app(&db, "read").await, a_user(&db).await);
    let code = a_code(&db, user, asked(&app)).await;
    let issued = exchange(&db, &app, redeem(&code)).await.unwrap();
    assert!(matches!(tokens::revoke(&db, &other, &issued.token).await, Err(Refusal::Foreign)));
    let mut heard = db.events().listen();
    tokens::revoke(&db, &app, &issued.token).await.unwrap();
    assert!(matches!(*heard.try_recv().unwrap(), Event::TokenRevoked { token } if token == issued.id));
    tokens::revoke(&db, &app, &issued.token).await.unwrap();
    assert!(authenticate(&db.read().await.unwrap(), &issued.token).await.unwrap().is_none());
}

#[tokio::test]
async fn people_see_and_take_back_what_they_gave_out() {
    let (_dir, db) = database().await;
    let ((app, _), user) = (an_app(&db, "read write").await, a_user(&db).await);
    let mut made = Vec::new();
    for _ in 0..2 {
        let code = a_code(&db, user, asked(&app)).await;
        made.push(exchange(&db, &app, redeem(&code)).await.unwrap());
    }
    let alone = tokens::create(&db, user, Scopes::of(&[Scope::Write])).await.unwrap();
    let second = tokens::create(&db, user, Scopes::of(&[Scope::Write])).await.unwrap();
    let listed = tokens::list(&db.read().await.unwrap(), user).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert_eq!((listed[3].name.as_deref(), listed[0].name.as_deref()), (Some("Test"), None));
    tokens::take_back(&db, user, made[0].id).await.unwrap();
    let left: Vec<_> = tokens::list(&db.read().await.unwrap(), user).await.unwrap().iter().map(|t| t.token).collect();
    assert_eq!(left, [second.id, alone.id], "an application goes whole, those without one each by itself");
    tokens::take_back(&db, user, alone.id).await.unwrap();
    assert!(tokens::take_back(&db, user, alone.id).await.is_err());
    assert!(tokens::take_back(&db, UserId(1), second.id).await.is_err(), "not theirs");
}

#[tokio::test]
async fn sweeping_takes_what_was_never_used() {
    let (_dir, db) = database().await;
    let ((used, _), (unused, _), user) =
        (an_app(&db, "read write").await, an_app(&db, "read").await, a_user(&db).await);
    a_code(&db, user, asked(&used)).await;
    assert_eq!(sweep(&db).await.unwrap(), 0);
    let tx = db.begin().await.unwrap();
    tx.exec("UPDATE oauth_apps SET created_at = $1", &[&Time(1)]).await.unwrap();
    tx.exec("UPDATE oauth_codes SET expires_at = $1", &[&Time(1)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(sweep(&db).await.unwrap(), 2);
    let conn = db.read().await.unwrap();
    assert!(apps::by_id(&conn, used.id).await.is_ok());
    assert!(apps::by_id(&conn, unused.id).await.is_err());
}
