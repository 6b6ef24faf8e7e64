//! What is kept of other servers.

use crate::{Server, lines, refused};

#[test]
fn what_is_kept_of_other_servers_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data);
    let copies = data.join("data/media/cache/media_attachments/files/000/000/007/original");
    std::fs::create_dir_all(&copies).unwrap();
    for name in ["old.png", "new.png"] {
        std::fs::write(copies.join(name), "12345").unwrap();
    }
    let usage: serde_json::Value =
        serde_json::from_str(&lines(data, &["media", "usage", "--json"]).join("\n")).unwrap();
    assert_eq!(usage[6], serde_json::json!({ "whose": "copies", "what": "attachments", "files": 2, "bytes": 10 }));
    assert!(lines(data, &["media", "usage"])[0].starts_with("SIZE"));
    // No row says that they can be fetched again.
    assert_eq!(
        lines(data, &["media", "remove", "--days", "0", "--dry-run"]),
        ["0 copies, 0 B would be removed; nothing was changed"]
    );
    let said = lines(data, &["media", "remove", "--days", "0", "--cache"]);
    assert_eq!(said, ["0 copies, 0 B removed", "the cache has forgotten them"]);
    assert!(copies.join("old.png").exists() && copies.join("new.png").exists());
    assert!(refused(data, &["media", "refresh", "--account", "nobody@example.com"], 1).contains("no account"));
    assert!(refused(data, &["media", "refresh"], 2).contains("--account"));
    assert_eq!(
        lines(data, &["preview-cards", "remove", "--dry-run"]),
        ["0 previews would be removed; nothing was changed"]
    );
    assert_eq!(lines(data, &["preview-cards", "remove", "--days", "0"]), ["0 previews removed"]);
    assert!(refused(data, &["media", "refresh", "--domain", "nobody.example"], 1).contains("no account and no emoji"));
    assert!(refused(data, &["media", "remove-orphans", "--prefix", "backups/"], 2).contains("begins with backups/"));
    assert!(refused(data, &["media", "lookup", ""], 2).contains("URL|PATH"));
    assert!(refused(data, &["jobs", "list", "--limit", "0"], 2).contains("not in 1..="));
    for command in ["host", "retry"] {
        assert!(refused(data, &["federation", command, "!!"], 2).contains("!! is not the name of a server"));
    }
    for command in ["block", "allow"] {
        assert!(refused(data, &["domains", command, "!!"], 2).contains("!! is not the name of a server"));
    }
    // Without any file of settings the server's own cache is meant.
    let url = format!("http://localhost:{}/media/cache/x.png", server.port);
    assert_eq!(lines(data, &["edge", "purge", &url]), ["forgotten"]);
    server.stop();
    assert!(refused(data, &["media", "remove", "--days", "0", "--cache"], 1).contains("no edge is running"));
    assert!(refused(data, &["media", "refresh", "--account", "x@y.z"], 1).contains("no edge is running"));
}
