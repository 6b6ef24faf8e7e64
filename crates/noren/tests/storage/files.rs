//! Copying, listing, adding up, removing.

use crate::{server, storage};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_goes_into_the_bucket_and_comes_back() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&server.config, folder.path(), arguments).await;
    let media = folder.path().join("media");
    for (name, length) in [("accounts/a.png", 10), ("accounts/b.png", 1500), ("cache/x/c.mp4", 300_000), ("top.txt", 1)]
    {
        fs::create_dir_all(media.join(name).parent().unwrap()).unwrap();
        fs::write(media.join(name), vec![7u8; length]).unwrap();
    }
    fs::create_dir_all(media.join(".incoming")).unwrap();
    fs::write(media.join(".incoming/half"), "x").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", media.join("link")).unwrap();

    let out = run(&["cp", "-r", "media", "bucket:", "--dry-run"]).await.fine();
    assert!(out.contains("would copy media/accounts/a.png to bucket:accounts/a.png"), "{out}");
    assert!(out.ends_with("4 objects, 301.5 kB would be copied\n"), "{out}");
    assert_eq!(run(&["ls", "-r"]).await.fine(), "");
    assert_eq!(run(&["cp", "-r", "media", "bucket:"]).await.fine(), "4 objects, 301.5 kB copied\n");
    assert_eq!(run(&["cp", "-r", "--missing", "media", "bucket:"]).await.fine(), "0 objects, 0 B copied\n");

    let out = run(&["ls"]).await.fine();
    let names: Vec<&str> = out.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert_eq!(names, ["accounts/", "cache/", "top.txt"]);
    let out = run(&["ls", "--recursive", "accounts/", "--json"]).await.fine();
    let first: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!((&first["key"], &first["size"]), (&"accounts/a.png".into(), &10.into()));
    assert_eq!(out.lines().count(), 2);

    let usage: serde_json::Value = serde_json::from_str(&run(&["usage", "--json"]).await.fine()).unwrap();
    assert_eq!((&usage["objects"], &usage["bytes"]), (&4.into(), &301_511.into()));
    let out = run(&["usage"]).await.fine();
    assert!(out.contains("1.5 kB    2        accounts/") && out.contains("301.5 kB  4        total"), "{out}");

    fs::create_dir(folder.path().join("back")).unwrap();
    assert_eq!(run(&["cp", "-r", "bucket:", "back"]).await.fine(), "4 objects, 301.5 kB copied\n");
    assert_eq!(fs::read(folder.path().join("back/cache/x/c.mp4")).unwrap(), vec![7u8; 300_000]);
    assert_eq!(run(&["cp", "bucket:top.txt", "back/other.txt"]).await.fine(), "1 object, 1 B copied\n");
    // As any new file, which is what the umask leaves.
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    fs::write(folder.path().join("new"), "").unwrap();
    for name in ["back/other.txt", "back/cache/x/c.mp4"] {
        assert_eq!(mode(name), mode("new") & 0o644, "{name}");
    }
    assert_eq!(run(&["cp", "bucket:top.txt", "bucket:copies/top.txt"]).await.fine(), "1 object, 1 B copied\n");
    assert_eq!(run(&["cp", "back/other.txt", "bucket:copies/"]).await.fine(), "1 object, 1 B copied\n");
    let out = run(&["ls", "copies/"]).await.fine();
    assert!(out.contains("copies/other.txt") && out.contains("copies/top.txt"), "{out}");
    assert!(run(&["cp", "bucket:missing", "x"]).await.failed(1).contains("there is no object \"missing\""));
    assert!(run(&["cp", "missing.png", "bucket:x"]).await.failed(1).contains("missing.png"));
    assert!(run(&["cp", "a", "b"]).await.failed(2).contains("bucket:NAME"));
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_asks_first() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&server.config, folder.path(), arguments).await;
    fs::write(folder.path().join("f"), "12345").unwrap();
    for name in ["bucket:cache/a", "bucket:cache/b", "bucket:cached", "bucket:keep"] {
        run(&["cp", "f", name]).await.fine();
    }
    let out = run(&["rm", "-r", "cache/", "--dry-run"]).await.fine();
    assert_eq!(out, "would remove cache/a\nwould remove cache/b\n2 objects, 10 B would be removed\n");
    assert!(run(&["rm", "-r", "cache/"]).await.failed(2).contains("--yes"));
    assert!(run(&["rm", "cach"]).await.failed(1).contains("--recursive"));
    assert_eq!(run(&["ls", "-r"]).await.fine().lines().count(), 4);
    assert_eq!(run(&["rm", "-r", "cache/", "--yes"]).await.fine(), "2 objects, 10 B removed\n");
    assert_eq!(run(&["rm", "cached", "--dry-run"]).await.fine(), "would remove cached\n");
    assert_eq!(run(&["rm", "cached"]).await.fine(), "removed cached\n");
    let out = run(&["ls", "-r"]).await.fine();
    assert!(out.lines().count() == 1 && out.contains("keep"), "{out}");
}
