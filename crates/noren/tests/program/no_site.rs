//! A mistyped folder is no new site.

use crate::{Server, lines, refused, run};
use std::process::Command;

#[test]
fn nothing_is_made_where_no_site_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let is_empty = || std::fs::read_dir(data).unwrap().next().is_none();
    for arguments in [
        &["account", "list"][..],
        &["account", "create", "kei"],
        &["account", "modify", "kei", "--suspend"],
        &["token", "create", "mia"],
        &["invite", "list"],
        &["site", "show"],
        &["site", "set", "--title", "x"],
        &["report", "list"],
        &["jobs"],
        &["jobs", "list"],
        &["federation", "status"],
        &["domains", "block", "bad.example"],
        &["relay", "list"],
        &["feeds", "build", "--all"],
        &["emoji", "list"],
        &["media", "usage"],
        &["media", "remove-orphans", "--dry-run"],
        &["preview-cards", "remove", "--dry-run"],
    ] {
        let said = refused(data, arguments, 2);
        assert!(said.contains(&format!("there is no folder {}", data.join("data").display())), "{arguments:?}: {said}");
        assert!(said.contains("--data or --config") && said.contains("noren serve"), "{said}");
        assert!(is_empty(), "{arguments:?}");
    }
    // Without --data, and in a folder that has something else in it.
    let mut command = Command::new(env!("CARGO_BIN_EXE_noren"));
    command.current_dir(data).env_clear().args(["account", "list"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("there is no site in "), "{said}");
    assert!(is_empty());
    std::fs::create_dir(data.join("data")).unwrap();
    std::fs::write(data.join("data/noren.sqlite3"), "").unwrap();
    assert!(refused(data, &["account", "list"], 2).contains("there is no site in "));
    assert_eq!(std::fs::metadata(data.join("data/noren.sqlite3")).unwrap().len(), 0);
}

/// Whoever makes the owner first, or starts the server, makes the site.
#[test]
fn an_owner_or_a_start_makes_a_site() {
    for owner in [&["account", "create", "mia", "--owner"][..], &["account", "create", "mia", "--role", "owner"]] {
        let folder = tempfile::tempdir().unwrap();
        let made = run(folder.path(), owner);
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success() && said.contains("making a new one"), "{said}");
        assert!(!String::from_utf8_lossy(&run(folder.path(), &["account", "list"]).stderr).contains("making"));
        lines(folder.path(), &["account", "create", "kei"]);
    }
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path()).stop();
    assert_eq!(lines(folder.path(), &["jobs", "list"]), ["no jobs"]);
}

/// The same in PostgreSQL, whose tables are ours or are not.
#[test]
fn an_empty_database_is_no_site_either() {
    let Some(database) = testkit::postgres::database() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noren"));
        command.current_dir(folder.path()).env("NOREN_DATABASE__URL", &database.url).args(arguments);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for _ in 0..2 {
        let (code, said) = run(&["account", "list"]);
        assert!(code == Some(2) && said.contains("no site in the database of database.url"), "{said}");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    let (code, said) = run(&["account", "create", "mia", "--owner"]);
    assert!(code == Some(0) && said.contains("making a new one"), "{said}");
    assert_eq!(run(&["account", "list"]).0, Some(0));
    let (code, said) = run(&["account", "list", "--data", "elsewhere"]);
    assert!(code == Some(2) && said.contains("there is no folder"), "{said}");
}
