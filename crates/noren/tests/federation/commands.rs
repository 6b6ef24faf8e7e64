//! Commands about other servers, on data that came from one.

use crate::peer::{Peer, Somebody};
use crate::process::Site;
use serde_json::{Value, json};
use testkit::{postgres, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    accounts_are_refreshed_and_servers_forgotten(Site::new("alice", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(database) = postgres::database() else { return };
    accounts_are_refreshed_and_servers_forgotten(Site::new("alice", Some(database))).await;
}

/// Tells alice something.
async fn tells(peer: &Peer, (who, name): (&Somebody, &str), site: &Site) {
    let url = format!("http://localhost:{}", site.port);
    let alice = format!("{url}/users/alice");
    let mut note = peer.note(who, (name, "hello"), &[&alice]);
    note["tag"] = json!([{ "type": "Mention", "href": alice, "name": "@alice" }]);
    let body = peer.activity(who, ("Create", name), note);
    let url = format!("{url}/inbox").parse().unwrap();
    assert_eq!(peer.post(&peer.sign_to(who, url, (&body, &[])), |_, _| {}).await, 202);
}

async fn accounts_are_refreshed_and_servers_forgotten(site: Site) {
    let _server = site.serve();
    let (peer, other) = (Peer::start().await, Peer::start().await);
    let (eve, zoe, far) = (peer.somebody("eve"), peer.somebody("zoe"), other.somebody("far"));
    tells(&peer, (&eve, "1"), &site).await;
    tells(&peer, (&zoe, "2"), &site).await;
    tells(&other, (&far, "3"), &site).await;
    let heard = async || site.get("/api/v1/notifications").await.as_array().map_or(0, Vec::len);
    until("the mentions", async || heard().await == 3).await;
    let account = async |name: &str| site.get(&format!("/api/v1/accounts/lookup?acct={name}")).await;
    let (at_eve, at_zoe) = (format!("eve@{}", peer.host()), format!("zoe@{}", peer.host()));
    let refresh = |more: &[&str]| site.line(&[&["account", "refresh"], more].concat());

    // Saying what would be done asks nobody.
    let before = peer.asked.lock().unwrap().len();
    assert_eq!(refresh(&["--all", "--dry-run"]), "3 accounts would be asked for; nothing was changed");
    let told = refresh(&["--domain", peer.host(), "--dry-run"]);
    assert_eq!(told, "2 accounts would be asked for; nothing was changed");
    assert_eq!(refresh(&[&at_eve, "--dry-run"]), format!("@{at_eve} would be asked for; nothing was changed"));
    assert_eq!(peer.asked.lock().unwrap().len(), before);
    peer.shows(&eve, "eve", json!({ "name": "Eve the Second" }));
    assert_eq!(refresh(&[&at_eve]), format!("@{at_eve} is as its server says"));
    assert_eq!(account(&at_eve).await["display_name"], "Eve the Second");
    // One is gone, one cannot be asked.
    peer.put("/users/zoe", json!(410));
    other.put("/users/far", json!(500));
    assert_eq!(refresh(&["--all"]), "2 accounts are as their servers say, 1 could not be asked for");
    assert!(account(&at_zoe).await["error"].is_string());
    assert_eq!(account(&format!("far@{}", other.host())).await["username"], "far");

    one_server_is_looked_at(&site, &other).await;
    let purge = |more: &[&str]| site.line(&[&["domains", "purge", peer.host()], more].concat());
    let all = format!("{}: 1 account, 1 status, 0 attachments, 0 emoji", peer.host());
    assert_eq!(purge(&["--dry-run"]), format!("{all} would be removed; nothing was changed"));
    assert_eq!(account(&at_eve).await["username"], "eve");
    assert_eq!(purge(&["--yes"]), format!("{all} removed"));
    assert!(account(&at_eve).await["error"].is_string());
    until("the end of the mentions", async || heard().await == 1).await;
    assert_eq!(account(&format!("far@{}", other.host())).await["username"], "far");
    // It is not blocked: what it says from here on is heard.
    tells(&peer, (&eve, "4"), &site).await;
    until("another mention", async || heard().await == 2).await;
    assert_ne!(account(&at_eve).await, Value::Null);
}

/// All lines that a command prints.
fn told(site: &Site, args: &[&str]) -> Vec<String> {
    let output = site.command(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn one_server_is_looked_at(site: &Site, other: &Peer) {
    let name = other.host();
    let of = |args: &[&str]| told(site, &[&["federation", "host", name], args].concat());
    let wanted = [
        format!("Server       {name}"),
        "Rule         none".to_owned(),
        "Known        1 account, 1 status".to_owned(),
        "Waiting      0 deliveries".to_owned(),
        "Deliveries   none ever failed".to_owned(),
    ];
    assert_eq!(of(&[]), wanted);
    let json: Value = serde_json::from_str(&of(&["--json"]).join("\n")).unwrap();
    assert_eq!((&json["host"], &json["failures"], &json["accounts"]), (&json!(name), &json!(0), &json!(1)));
    assert_eq!(told(site, &["federation", "status"]), ["0 deliveries wait, 0 were given up"]);
    domain::hosts::failed(&site.db().await, name, "no connection").await.unwrap();
    let status = told(site, &["federation", "status"]);
    assert!(status.len() == 3 && status[2].starts_with(name) && status[2].ends_with("no connection"), "{status:?}");
    let lines = of(&[]);
    assert!(
        lines[4].starts_with("Deliveries   1 failure since 20") && lines[4].ends_with("tried again soon"),
        "{lines:?}"
    );
    assert_eq!(lines[5], "Last error   no connection");
    domain::hosts::answered(&site.db().await, name).await.unwrap();
    assert_eq!(told(site, &["federation", "status"]), ["0 deliveries wait, 0 were given up"]);
    assert!(of(&[])[4].starts_with("Deliveries   taken again since 20"));
}
