//! What is kept of other servers.

use crate::{Server, lines, refused};
use std::time::Duration;

#[test]
fn what_is_kept_of_other_servers_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data);
    let copies = data.join("data/media/cache/media_attachments/files/000/000/007/original");
    std::fs::create_dir_all(&copies).unwrap();
    for (name, days) in [("old.png", 30), ("new.png", 0)] {
        std::fs::write(copies.join(name), "12345").unwrap();
        let file = std::fs::File::options().write(true).open(copies.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
    }
    let usage: serde_json::Value =
        serde_json::from_str(&lines(data, &["media", "usage", "--json"]).join("\n")).unwrap();
    assert_eq!(usage[1], serde_json::json!({ "what": "attachments", "files": 2, "bytes": 10 }));
    assert!(lines(data, &["media", "usage"])[0].starts_with("SIZE"));
    assert_eq!(lines(data, &["media", "remove", "--dry-run"]), ["1 copies, 5 B would be removed"]);
    assert!(copies.join("old.png").exists());
    assert_eq!(lines(data, &["media", "remove", "--cache"]), ["1 copies, 5 B removed", "the cache is forgotten"]);
    assert!(!copies.join("old.png").exists() && copies.join("new.png").exists());
    assert!(refused(data, &["media", "refresh", "nobody@example.com"], 1).contains("no account"));
    assert!(refused(data, &["media", "refresh"], 2).contains("HANDLE"));
    assert_eq!(lines(data, &["preview-cards", "remove", "--dry-run"]), ["0 previews would be removed"]);
    assert_eq!(lines(data, &["preview-cards", "remove", "--days", "0"]), ["0 previews removed"]);
    server.stop();
    assert!(refused(data, &["media", "remove", "--days", "0", "--cache"], 1).contains("no edge is running"));
}
