//! /oauth, /api/v1/apps, signing up through an app, and preferences

use crate::text;
use domain::{
    oauth::{self, Asked, Consent},
    settings::{self, Registrations},
    users::{self, Change, NewUser},
};
use reqwest::{Method, header};
use serde_json::{Value, json};
use testkit::{Person, Reply, TestServer};

const REDIRECT: &str = "https://client.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn app(server: &TestServer, scopes: &str) -> Value {
    let form = [("client_name", "Client"), ("redirect_uris", REDIRECT), ("scopes", scopes)];
    server.client().post("/api/v1/apps", form).await.ok()
}

/// What the app gets at its address when somebody says yes.
async fn code(server: &TestServer, app: &Value, who: &Person) -> String {
    let asked = Asked {
        client_id: text(app, "client_id").into(),
        redirect_uri: REDIRECT.into(),
        response_type: "code".into(),
        scope: "read write:statuses".into(),
        code_challenge: CHALLENGE.into(),
        code_challenge_method: "S256".into(),
        ..Asked::default()
    };
    let request = oauth::request(&server.db().read().await.unwrap(), asked).await.unwrap();
    let Consent::Redirect(url) = oauth::authorize(server.db(), who.user, &request).await.unwrap() else {
        panic!("nowhere to go")
    };
    url.split_once("code=").unwrap().1.to_owned()
}

fn exchange(app: &Value, code: &str) -> Value {
    json!({
        "grant_type": "authorization_code",
        "code": code,
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    })
}

async fn token(server: &TestServer, body: Value) -> Reply {
    server.client().post("/oauth/token", body).await
}

#[track_caller]
fn refused(reply: Reply, status: u16, error: &str) {
    let body = reply.expect(status);
    assert_eq!(body["error"], error, "{body:#}");
    assert!(body["error_description"].is_string());
}

testkit::on_both_engines! {
    async fn apps_are_registered_in_every_spelling(server: TestServer) {
        let client = server.client();
        let made = app(&server, "read write:statuses").await;
        let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
        let wanted = ["id", "name", "website", "scopes", "redirect_uris", "redirect_uri", "vapid_key", "client_id", "client_secret",
            "client_secret_expires_at"];
        assert_eq!(keys, wanted);
        assert_eq!(made["scopes"], json!(["read", "write:statuses"]));
        assert_eq!((&made["website"], &made["client_secret_expires_at"], &made["vapid_key"]), (&Value::Null, &json!(0), &json!("")));

        let two = format!("{REDIRECT}\nurn:ietf:wg:oauth:2.0:oob");
        let lines = client.post("/api/v1/apps", [("client_name", "Lines"), ("redirect_uris", &two)]).await.ok();
        let list = json!({"client_name": "List", "redirect_uris": two.lines().collect::<Vec<_>>(), "website": "https://client.example"});
        let list = client.post("/api/v1/apps", list).await.ok();
        for made in [lines, list] {
            assert_eq!(made["redirect_uris"], json!([REDIRECT, "urn:ietf:wg:oauth:2.0:oob"]));
            assert_eq!((&made["redirect_uri"], &made["scopes"]), (&json!(two), &json!(["read"])));
        }
        let wrong = client.post("/api/v1/apps", [("client_name", "x"), ("redirect_uris", "/cb")]).await.expect(422);
        assert_eq!(wrong["error"], "Validation failed: Redirect URI must be an absolute URI.");
        let wrong = client.post("/api/v1/apps", [("redirect_uris", REDIRECT)]).await.expect(400);
        assert!(text(&wrong, "error").contains("client_name"));
    }

    async fn a_code_becomes_a_token_once(server: TestServer) {
        let alice = server.person("alice").await;
        let app = app(&server, "read write").await;
        let code_one = code(&server, &app, &alice).await;
        let reply = token(&server, exchange(&app, &code_one)).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        let granted = reply.ok();
        assert_eq!((&granted["token_type"], &granted["scope"]), (&json!("Bearer"), &json!("read write:statuses")));
        assert!(granted["created_at"].is_i64());
        refused(token(&server, exchange(&app, &code_one)).await, 400, "invalid_grant");

        let mine = server.client().with_token(text(&granted, "access_token"));
        assert_eq!(mine.get("/api/v1/accounts/verify_credentials", ()).await.ok()["username"], "alice");
        mine.post("/api/v1/statuses", [("status", "hi")]).await.ok();
        let outside = mine.post("/api/v1/media", [("description", "x")]).await.expect(403);
        assert_eq!(outside["error"], "This action is outside the authorized scopes");
        let shown = mine.get("/api/v1/apps/verify_credentials", ()).await.ok();
        assert_eq!((&shown["name"], &shown["client_secret"]), (&json!("Client"), &Value::Null));

        let code_two = code(&server, &app, &alice).await;
        let tries = futures_util::future::join_all((0..6).map(|_| token(&server, exchange(&app, &code_two)))).await;
        let mut statuses: Vec<u16> = tries.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400]);
    }

    async fn what_does_not_fit_gets_no_token(server: TestServer) {
        let alice = server.person("alice").await;
        let (mine, other) = (app(&server, "read write").await, app(&server, "read write").await);
        for (name, value, status, error) in [
            ("code", json!("x"), 400, "invalid_grant"),
            ("redirect_uri", json!("https://client.example/"), 400, "invalid_grant"),
            ("code_verifier", json!("wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong"), 400, "invalid_grant"),
            ("code_verifier", Value::Null, 400, "invalid_grant"),
            ("client_secret", json!("x"), 401, "invalid_client"),
            ("client_secret", Value::Null, 401, "invalid_client"),
            ("client_id", json!("x\u{1}"), 401, "invalid_client"),
            ("grant_type", json!("password"), 400, "unsupported_grant_type"),
            ("grant_type", Value::Null, 400, "invalid_request"),
        ] {
            let mut body = exchange(&mine, &code(&server, &mine, &alice).await);
            body[name] = value;
            refused(token(&server, body).await, status, error);
        }
        let body = exchange(&other, &code(&server, &mine, &alice).await);
        refused(token(&server, body).await, 400, "invalid_grant");
        let (form, junk) = (exchange(&mine, "x"), "\u{0}");
        refused(token(&server, json!({"code": junk, "client_id": form["client_id"]})).await, 400, "invalid_request");
    }

    async fn an_app_acts_for_itself(server: TestServer) {
        let made = app(&server, "read write:media").await;
        let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
        let form = |scope: &str| [("grant_type", "client_credentials"), ("scope", scope)].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let request = server.client().request(Method::POST, "/oauth/token").basic_auth(id, Some(secret));
        let granted = server.client().send(request.form(&form("read"))).await.ok();
        let request = server.client().request(Method::POST, "/oauth/token").basic_auth(id, Some("wrong"));
        refused(server.client().send(request.form(&form("read"))).await, 401, "invalid_client");
        for scope in ["write", "read admin:read", "nonsense"] {
            let query = [("client_id", id), ("client_secret", secret)];
            let request = server.client().request(Method::POST, "/oauth/token").query(&query).form(&form(scope));
            refused(server.client().send(request).await, 400, "invalid_scope");
        }
        let own = server.client().with_token(text(&granted, "access_token"));
        assert_eq!(own.get("/api/v1/apps/verify_credentials", ()).await.ok()["id"], made["id"]);
        let alone = own.get("/api/v1/accounts/verify_credentials", ()).await.expect(422);
        assert_eq!(alone["error"], "This method requires an authenticated user");
        own.get("/api/v1/timelines/public", ()).await.ok();
    }

    async fn a_revoked_token_is_worth_nothing(server: TestServer) {
        let alice = server.person("alice").await;
        let (mine, other) = (app(&server, "read write").await, app(&server, "read").await);
        let granted = token(&server, exchange(&mine, &code(&server, &mine, &alice).await)).await.ok();
        let held = server.client().with_token(text(&granted, "access_token"));
        let revoke = |app: &Value| {
            let body = json!({"token": granted["access_token"], "client_id": app["client_id"], "client_secret": app["client_secret"]});
            let client = server.client().clone();
            async move { client.post("/oauth/revoke", body).await }
        };
        refused(revoke(&other).await, 403, "unauthorized_client");
        held.get("/api/v1/preferences", ()).await.ok();
        assert_eq!(revoke(&mine).await.ok(), json!({}));
        assert_eq!(held.get("/api/v1/preferences", ()).await.expect(401)["error"], "The access token is invalid");
        assert_eq!(revoke(&mine).await.ok(), json!({}), "again is fine");
    }

    async fn who_may_do_nothing_is_told_why(server: TestServer) {
        let alice = server.person("alice").await;
        for (change, why) in [
            (Change { approved: Some(false), ..Change::default() }, "Your login is currently pending approval"),
            (Change { confirmed: Some(false), ..Change::default() }, "Your login is missing a confirmed e-mail address"),
            (Change { disabled: Some(true), ..Change::default() }, "Your login is currently disabled"),
        ] {
            users::modify(server.db(), alice.user, change).await.unwrap();
            let reply = alice.get("/api/v1/timelines/home", ()).await.expect(403);
            assert_eq!(reply, json!({"error": why}));
        }
    }

    async fn programs_find_their_way(server: TestServer) {
        let alice = server.person("alice").await;
        let base = server.parts().site.base_url.clone();
        let about = server.client().get("/.well-known/oauth-authorization-server", ()).await.ok();
        assert_eq!(about["issuer"], format!("{base}/"));
        assert_eq!(about["token_endpoint"], format!("{base}/oauth/token"));
        assert_eq!(about["authorization_endpoint"], format!("{base}/oauth/authorize"));
        assert_eq!(about["app_registration_endpoint"], format!("{base}/api/v1/apps"));
        assert_eq!(about["code_challenge_methods_supported"], json!(["S256"]));
        assert!(about["scopes_supported"].as_array().unwrap().contains(&json!("read:statuses")));
        let profile = server.token(&alice, "profile").await;
        for client in [(*alice).clone(), server.client().with_token(&profile)] {
            for info in [client.get("/oauth/userinfo", ()).await.ok(), client.post("/oauth/userinfo", ()).await.ok()] {
                assert_eq!((&info["preferred_username"], &info["sub"]), (&json!("alice"), &json!(format!("{base}/users/alice"))));
                assert_eq!((&info["iss"], &info["profile"]), (&about["issuer"], &json!(format!("{base}/@alice"))));
                assert!(text(&info, "picture").starts_with("http"));
            }
        }
        let writes = server.token(&alice, "write").await;
        server.client().with_token(&writes).get("/oauth/userinfo", ()).await.expect(403);
        let preflight = server.client().request(Method::OPTIONS, "/oauth/token");
        let preflight = preflight.header(header::ORIGIN, "https://client.example").header("access-control-request-method", "POST");
        assert_eq!(server.client().send(preflight).await.header("access-control-allow-origin"), "*");
    }

    async fn preferences_follow_the_settings(server: TestServer) {
        let alice = server.person("alice").await;
        let before = alice.get("/api/v1/preferences", ()).await.ok();
        assert_eq!(before, json!({
            "posting:default:visibility": "public",
            "posting:default:sensitive": false,
            "posting:default:language": null,
            "posting:default:quote_policy": "public",
            "reading:expand:media": "default",
            "reading:expand:spoilers": false,
            "reading:autoplay:gifs": false,
        }));
        let change = json!({"source": {"privacy": "unlisted", "sensitive": true, "language": "ja"}});
        alice.patch("/api/v1/accounts/update_credentials", change).await.ok();
        let after = alice.get("/api/v1/preferences", ()).await.ok();
        assert_eq!(after["posting:default:visibility"], "unlisted");
        assert_eq!((&after["posting:default:sensitive"], &after["posting:default:language"]), (&json!(true), &json!("ja")));
    }

    async fn signing_up_goes_as_the_site_wants_it(server: TestServer) {
        let made = app(&server, "read write").await;
        let body = json!({"grant_type": "client_credentials", "scope": "read write", "client_id": made["client_id"],
            "client_secret": made["client_secret"]});
        let own = server.client().with_token(text(&token(&server, body).await.ok(), "access_token"));
        let form = |name: &str| json!({"username": name, "email": format!("{name}@example.com"), "password": "correct horse",
            "agreement": true, "locale": "ja"});
        registrations(&server, Registrations::Open).await;
        own.post("/api/v1/accounts", form("early")).await.expect(403);
        server.person("keeper").await;

        let granted = own.post("/api/v1/accounts", form("alice")).await.ok();
        assert_eq!(granted["scope"], "read write");
        let alice = server.client().with_token(text(&granted, "access_token"));
        assert_eq!(alice.get("/api/v1/accounts/verify_credentials", ()).await.ok()["username"], "alice");
        server.client().post("/api/v1/accounts", form("carol")).await.expect(401);
        let wrong = json!({"username": "Alice", "email": "x", "password": "short", "locale": "en"});
        let told = own.post("/api/v1/accounts", wrong).await.expect(422);
        let code = |field: &str| told["details"][field][0]["error"].clone();
        let codes = ["username", "email", "password", "agreement"].map(code);
        assert_eq!(codes, ["ERR_TAKEN", "ERR_INVALID", "ERR_TOO_SHORT", "ERR_ACCEPTED"]);
        assert!(text(&told, "error").starts_with("Validation failed: Username has already been taken, "));
    }

    async fn signing_up_may_need_approval_or_be_closed(server: TestServer) {
        server.person("keeper").await;
        let made = app(&server, "read write").await;
        let body = json!({"grant_type": "client_credentials", "scope": "write", "client_id": made["client_id"],
            "client_secret": made["client_secret"]});
        let own = server.client().with_token(text(&token(&server, body).await.ok(), "access_token"));
        let mut form = json!({"username": "bob", "email": "bob@example.com", "password": "correct horse", "agreement": true, "locale": "en"});
        own.post("/api/v1/accounts", form.clone()).await.expect(403);

        registrations(&server, Registrations::Approval).await;
        let told = own.post("/api/v1/accounts", form.clone()).await.expect(422);
        assert_eq!(told["details"]["reason"][0]["error"], "ERR_BLANK");
        form["reason"] = json!("I weave too");
        let granted = own.post("/api/v1/accounts", form).await.ok();
        let bob = server.client().with_token(text(&granted, "access_token"));
        let waits = bob.post("/api/v1/statuses", [("status", "hi")]).await.expect(403);
        assert_eq!(waits["error"], "Your login is currently pending approval");
        server.client().get("/api/v1/accounts/lookup", [("acct", "bob")]).await.expect(404);
        let (user, _) = users::find(&server.db().read().await.unwrap(), &server.parts().site, "bob").await.unwrap().unwrap();
        users::modify(server.db(), user.id, Change { approved: Some(true), ..Change::default() }).await.unwrap();
        bob.post("/api/v1/statuses", [("status", "hi")]).await.ok();
    }

    async fn a_deleted_person_is_gone_everywhere(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let status = crate::post(&alice, "hello").await;
        let reply = crate::post(&bob, "stays").await;
        let path = format!("/api/v1/statuses/{}", crate::id(&reply));
        alice.post(&format!("{path}/favourite"), ()).await.ok();
        alice.post(&format!("{path}/reblog"), ()).await.ok();
        crate::follow(&alice, &bob).await;
        crate::follow(&bob, &alice).await;
        users::delete(server.db(), alice.user).await.unwrap();
        alice.get("/api/v1/preferences", ()).await.expect(401);
        bob.get(&format!("/api/v1/statuses/{}", crate::id(&status)), ()).await.expect(404);
        bob.get(&format!("/api/v1/accounts/{}", alice.account), ()).await.expect(404);
        let left = bob.get(&path, ()).await.ok();
        assert_eq!((&left["favourites_count"], &left["reblogs_count"]), (&json!(0), &json!(0)));
        let me = bob.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        assert_eq!((&me["followers_count"], &me["following_count"]), (&json!(0), &json!(0)));
        let found = bob.get("/api/v2/search", [("q", "alice")]).await.ok();
        assert_eq!(found["accounts"], json!([]));
        // Other servers would take whoever is called so next for her.
        let again = users::create(server.db(), &server.parts().site, NewUser::named("Alice")).await;
        assert!(again.unwrap_err().to_string().contains("has already been taken"));
    }
}

async fn registrations(server: &TestServer, wanted: Registrations) {
    let tx = server.db().begin().await.unwrap();
    let mut all = settings::read(&tx).await.unwrap();
    all.registrations = wanted;
    settings::write(&tx, &all).await.unwrap();
    tx.commit().await.unwrap();
}
