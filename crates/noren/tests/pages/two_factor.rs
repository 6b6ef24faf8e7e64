//! Two-factor sign-in: turned on, asked for at the door, used once, lost, turned off.

use crate::{
    browser::{Browser, PASSWORD, expect, hidden, location},
    person,
};
use domain::{
    Time,
    ids::UserId,
    two_factor::{self, Secret, State},
    users::{self, Change, Endings, Role},
};
use std::time::Duration;
use testkit::{TestServer, on_both_engines};

const SETTINGS: &str = "/settings/two_factor";
const DOOR: &str = "/auth/two_factor";

/// A code that is good now, and half a minute from now too.
fn next(secret: &Secret) -> String {
    secret.code(Time::now().plus(Duration::from_secs(30)))
}

async fn secret(server: &TestServer, user: UserId) -> Secret {
    match two_factor::state(&server.db().read().await.unwrap(), user).await.unwrap() {
        State::Prepared(secret) => secret,
        other => panic!("{other:?}"),
    }
}

/// As if time had passed since the last code was used.
async fn wait(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE two_factor SET last_step = -1", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Turns it on for whoever is signed in; the secret and the recovery codes.
async fn turn_on(server: &TestServer, browser: &mut Browser, user: UserId) -> (Secret, Vec<String>) {
    let done = browser.fill((SETTINGS, "/settings/two_factor/prepare"), &[]).await;
    assert_eq!(location(&done), SETTINGS);
    let secret = secret(server, user).await;
    let code = secret.code(Time::now());
    let fields = [("code", code.as_str()), ("password", PASSWORD)];
    let page = browser.fill((SETTINGS, "/settings/two_factor/enable"), &fields).await;
    expect(&page, 200, "Recovery codes");
    let codes = page.text().split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0.to_owned());
    (secret, codes.collect())
}

/// A browser whose password was right.
async fn half_in(server: &TestServer, login: &str) -> Browser {
    let mut browser = Browser::new(server);
    let asked = browser.sign_in(login).await;
    assert_eq!(location(&asked), DOOR);
    assert!(!browser.is_in());
    browser
}

on_both_engines! {
    async fn a_code_is_asked_for_and_used_once(server: TestServer) {
        let (alice, _) = person(&server, "alice", Role::User).await;
        let mut browser = Browser::new(&server);
        assert_eq!(location(&browser.sign_in("alice").await), "/");
        expect(&browser.get("/settings").await, 200, "is not enough to get in");
        let (early, late) = (Time::now(), Time::now().plus(Duration::from_secs(5)));
        let (secret, codes) = turn_on(&server, &mut browser, alice.id).await;
        assert_eq!(codes.len(), 10);
        let page = browser.get(SETTINGS).await;
        expect(&page, 200, "10 recovery codes are left");
        assert!(!page.text().contains(&secret.base32()) && !page.text().contains(&codes[0]), "never shown again");

        // The code that turned it on is used up.
        let mut door = half_in(&server, "alice").await;
        if secret.code(early) == secret.code(late) {
            expect(&door.fill((DOOR, DOOR), &[("code", &secret.code(early))]).await, 422, "wrong, too old, or");
        }
        let code = next(&secret);
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        let fields = [("code", spaced.as_str()), ("return_to", "/settings")];
        assert_eq!(location(&door.fill((DOOR, DOOR), &fields).await), "/settings");
        assert!(door.is_in() && !door.jar.contains_key("__Host-noren_challenge"));
        expect(&door.get("/settings").await, 200, "On since");

        // Somebody who looked over the shoulder comes too late.
        let mut thief = half_in(&server, "alice").await;
        expect(&thief.fill((DOOR, DOOR), &[("code", &code)]).await, 422, "wrong, too old, or");
        for wrong in ["", "000000", "abcdef", "1", "\u{0}", &"9".repeat(5000), "' OR 1=1 --"] {
            let page = thief.fill((DOOR, DOOR), &[("code", wrong)]).await;
            assert!(page.status == 422 && !thief.is_in(), "{wrong}: {}", page.status);
        }
    }

    async fn of_two_with_the_same_code_one_gets_in(server: TestServer) {
        let (alice, _) = person(&server, "alice", Role::User).await;
        let mut browser = Browser::new(&server);
        browser.sign_in("alice").await;
        let (secret, codes) = turn_on(&server, &mut browser, alice.id).await;
        for code in [next(&secret), codes[3].clone()] {
            let (mut one, mut two) = (half_in(&server, "alice").await, half_in(&server, "alice").await);
            let fields = [("code", code.as_str())];
            tokio::join!(one.fill((DOOR, DOOR), &fields), two.fill((DOOR, DOOR), &fields));
            assert_ne!(one.is_in(), two.is_in(), "{code}");
        }
    }

    async fn a_recovery_code_opens_once_in_place_of_the_phone(server: TestServer) {
        let (alice, _) = person(&server, "alice", Role::User).await;
        let mut browser = Browser::new(&server);
        browser.sign_in("alice").await;
        let (_, codes) = turn_on(&server, &mut browser, alice.id).await;
        let stored: Vec<(String,)> =
            server.db().read().await.unwrap().all("SELECT code_hash FROM recovery_codes", &[]).await.unwrap();
        assert!(stored.iter().all(|(hash,)| !codes.contains(hash) && hash.len() == 43), "only hashes are kept");

        let mut door = half_in(&server, "alice").await;
        expect(&door.get(&format!("{DOOR}?recovery=1")).await, 200, "One of the ten");
        // However it is typed.
        let typed = codes[0].to_uppercase().replace('-', " ");
        assert_eq!(location(&door.fill((DOOR, DOOR), &[("code", &typed)]).await), "/");
        let mut again = half_in(&server, "alice").await;
        expect(&again.fill((DOOR, DOOR), &[("code", &codes[0]), ("recovery", "1")]).await, 422, "One of the ten");
        expect(&door.get(SETTINGS).await, 200, "9 recovery codes are left");

        // New ones void the old ones, and want the password.
        let renew = (SETTINGS, "/settings/two_factor/codes");
        expect(&door.fill(renew, &[("password", "wrong")]).await, 422, "not your password");
        expect(&door.fill(renew, &[("password", PASSWORD)]).await, 200, "Recovery codes");
        expect(&again.fill((DOOR, DOOR), &[("code", &codes[1])]).await, 422, "wrong, too old, or");
    }

    async fn turning_it_on_and_off_wants_proof(server: TestServer) {
        let (alice, _) = person(&server, "alice", Role::User).await;
        let mut browser = Browser::new(&server);
        browser.sign_in("alice").await;
        let enable = (SETTINGS, "/settings/two_factor/enable");
        // Nothing is prepared: back to the start.
        assert_eq!(location(&browser.fill(enable, &[("code", "123456"), ("password", PASSWORD)]).await), SETTINGS);
        browser.fill((SETTINGS, "/settings/two_factor/prepare"), &[]).await;
        let secret_one = secret(&server, alice.id).await;
        let page = browser.get(SETTINGS).await;
        expect(&page, 200, "<svg class=\"qr\"");
        assert!(page.text().contains("otpauth://totp/noren.test:alice?secret=") && page.header("cache-control") == "no-store");
        let good = secret_one.code(Time::now());
        expect(&browser.fill(enable, &[("code", &good), ("password", "wrong")]).await, 422, "not your password");
        expect(&browser.fill(enable, &[("code", "000000"), ("password", PASSWORD)]).await, 422, "wrong, too old, or");
        // Prepared is not on.
        assert_eq!(location(&Browser::new(&server).sign_in("alice").await), "/");
        // Prepared anew, the old secret is void.
        browser.fill((SETTINGS, "/settings/two_factor/prepare"), &[]).await;
        assert_ne!(secret(&server, alice.id).await.base32(), secret_one.base32());
        turn_on(&server, &mut browser, alice.id).await;
        // On is on: no other secret in its place.
        assert_eq!(location(&browser.fill((SETTINGS, "/settings/two_factor/prepare"), &[]).await), SETTINGS);
        half_in(&server, "alice").await;

        let disable = (SETTINGS, "/settings/two_factor/disable");
        expect(&browser.fill(disable, &[("password_off", "wrong")]).await, 422, "not your password");
        half_in(&server, "alice").await;
        let mut waiting = half_in(&server, "alice").await;
        let page = waiting.get(DOOR).await;
        let done = browser.fill(disable, &[("password_off", PASSWORD)]).await;
        assert_eq!(location(&done), "/settings/two_factor?done=off");
        assert_eq!(location(&Browser::new(&server).sign_in("alice").await), "/");
        // Who was in the middle of it starts over.
        let token = hidden(&page, "form_token");
        let sent = waiting.post(DOOR, &[("form_token", &token), ("code", "123456")]).await;
        assert_eq!(location(&sent), "/auth/sign_in?return_to=&over=1");
        expect(&waiting.get("/auth/sign_in?over=1").await, 200, "took too long");
        // Of all this nothing is for strangers.
        for path in ["prepare", "enable", "codes", "disable"] {
            let path = format!("/settings/two_factor/{path}");
            let sent = browser.post(&path, &[("form_token", "x"), ("password", PASSWORD), ("password_off", PASSWORD)]).await;
            assert_eq!(sent.status, 403, "{path}: a form of ours only");
            assert!(location(&Browser::new(&server).post(&path, &[]).await).starts_with("/auth/sign_in"), "{path}");
        }
    }

    async fn half_a_sign_in_gives_no_access(server: TestServer) {
        let (alice, _) = person(&server, "alice", Role::User).await;
        person(&server, "mallory", Role::User).await;
        let mut browser = Browser::new(&server);
        browser.sign_in("alice").await;
        let (secret, codes) = turn_on(&server, &mut browser, alice.id).await;
        let mut half = half_in(&server, "alice").await;
        let challenge = half.jar["__Host-noren_challenge"].clone();
        assert_eq!(location(&half.get("/settings").await), "/auth/sign_in?return_to=%2Fsettings");
        // The secret of the one thing is not that of the other.
        let mut forged = Browser::new(&server);
        forged.jar.insert("__Host-noren_session".into(), challenge.clone());
        assert_eq!(forged.get("/settings").await.status, 303);
        let other_end = if challenge.ends_with('A') { "E" } else { "A" };
        for made_up in ["A".repeat(43), String::new(), challenge[..42].to_owned() + other_end] {
            let mut forged = Browser::new(&server);
            forged.get("/auth/sign_in").await;
            forged.jar.insert("__Host-noren_challenge".into(), made_up.clone());
            let page = forged.get(DOOR).await;
            assert!(location(&page).starts_with("/auth/sign_in"), "{made_up}");
            let token = hidden(&forged.get("/auth/sign_in").await, "form_token");
            forged.jar.insert("__Host-noren_challenge".into(), made_up.clone());
            let page = forged.post(DOOR, &[("form_token", &token), ("code", &codes[0])]).await;
            assert!(location(&page).starts_with("/auth/sign_in") && !forged.is_in(), "{made_up}");
        }
        // A form of another site, or of another browser.
        let code = next(&secret);
        let token = hidden(&half.get(DOOR).await, "form_token");
        assert_eq!(half.clone().post(DOOR, &[("form_token", "x"), ("code", &code)]).await.status, 422);
        let mut foreign = half.clone();
        foreign.origin = "https://evil.example".into();
        assert_eq!(foreign.post(DOOR, &[("form_token", &token), ("code", &code)]).await.status, 403);
        assert!(!foreign.is_in());

        // Another password, and half of the way was for nothing.
        users::set_password(server.db(), alice.id, PASSWORD, Endings::Sessions).await.unwrap();
        let page = half.post(DOOR, &[("form_token", &token), ("code", &code)]).await;
        assert!(location(&page).starts_with("/auth/sign_in"));
        // Expired.
        let mut half = half_in(&server, "alice").await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE sign_in_challenges SET expires_at = 1", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(location(&half.get(DOOR).await).starts_with("/auth/sign_in"));
        assert_eq!(domain::sessions::sweep(server.db()).await.unwrap(), 1);
        // Who may not do anything is not let in by a code.
        let mut half = half_in(&server, "alice").await;
        wait(&server).await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE users SET approved = FALSE WHERE id = $1", &[&alice.id]).await.unwrap();
        tx.commit().await.unwrap();
        expect(&half.fill((DOOR, DOOR), &[("code", &code)]).await, 403, "not approved");
        users::modify(server.db(), alice.id, Change { approved: Some(true), ..Change::default() }).await.unwrap();
        assert_eq!(location(&half.fill((DOOR, DOOR), &[("code", &code)]).await), "/", "the code was not used up");
    }

    async fn codes_cannot_be_tried_out(server: TestServer) {
        let (alice, _) = person(&server, "alice", Role::User).await;
        let mut browser = Browser::new(&server);
        browser.sign_in("alice").await;
        let (secret, codes) = turn_on(&server, &mut browser, alice.id).await;
        let mut door = half_in(&server, "alice").await;
        let token = hidden(&door.get(DOOR).await, "form_token");
        let mut stopped = None;
        for n in 0..30 {
            let page = door.post(DOOR, &[("form_token", &token), ("code", "000000")]).await;
            if page.status == 429 {
                stopped = Some(n);
                assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
                break;
            }
            assert_eq!(page.status, 422);
        }
        // Those for the password and for turning it on count too.
        assert!(stopped.is_some_and(|n| n < 25), "{stopped:?}");
        for code in [next(&secret), codes[0].clone()] {
            assert_eq!(door.post(DOOR, &[("form_token", &token), ("code", &code)]).await.status, 429);
        }
        // Neither a new start nor the settings give more tries.
        let page = Browser::new(&server).sign_in("alice").await;
        assert_eq!(page.status, 429);
        let page = browser.fill((SETTINGS, "/settings/two_factor/disable"), &[("password_off", PASSWORD)]).await;
        assert_eq!(page.status, 429);
        assert!(!door.is_in());
    }
}
