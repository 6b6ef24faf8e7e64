//! Copying, listing, adding up, removing.

use crate::moto_server::Moto;
use crate::{noren, ran, server, storage};
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
    assert_eq!(run(&["cp", "-r", "media", "bucket:"]).await.fine(), "0 objects, 0 B copied; 4 there already\n");
    let out = run(&["cp", "-r", "media", "bucket:", "--dry-run"]).await.fine();
    assert_eq!(out, "0 objects, 0 B would be copied; 4 there already\n");

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

/// What is stopped in the middle goes on where it was; nothing is replaced unasked, whichever way it goes.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_left_as_it_is() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&server.config, folder.path(), arguments).await;
    let media = folder.path().join("media");
    fs::create_dir_all(media.join("cache")).unwrap();
    // Longer than what goes at once, and what is read at once.
    for (name, length) in [("cache/a.png", 1000), ("cache/b.png", 1000), ("long.mp4", 17 << 20), ("m.png", 2 << 20)] {
        fs::write(media.join(name), vec![7u8; length]).unwrap();
    }
    run(&["cp", "media/cache/a.png", "bucket:cache/a.png"]).await.fine();
    fs::write(folder.path().join("other"), vec![8u8; 1000]).unwrap();
    run(&["cp", "other", "bucket:cache/b.png"]).await.fine();
    let out = run(&["cp", "-r", "media", "bucket:", "--checksum"]).await.failed(1);
    assert!(out.contains("2 objects, 19.9 MB copied; 1 there already\n"), "{out}");
    assert!(out.contains("cache/b.png: is there with other content") && out.contains("--overwrite"), "{out}");
    run(&["cp", "-r", "media", "bucket:", "--size-only"]).await.fine();
    let object = server.folder.path().join("files/cache/b.png");
    assert_eq!(fs::read(&object).unwrap()[0], 8, "it was not replaced");
    assert!(run(&["cp", "media/cache/b.png", "bucket:cache/"]).await.failed(1).contains("other content"));
    assert_eq!(
        run(&["cp", "-r", "media", "bucket:", "--overwrite", "--checksum"]).await.fine(),
        "1 object, 1.0 kB copied; 3 there already\n"
    );
    assert_eq!(fs::read(&object).unwrap()[0], 7);

    let back = folder.path().join("back");
    fs::create_dir_all(back.join("cache")).unwrap();
    fs::write(back.join("cache/a.png"), vec![9u8; 1000]).unwrap();
    fs::write(back.join("cache/b.png"), vec![7u8; 999]).unwrap();
    let out = run(&["cp", "-r", "bucket:", "back", "--checksum"]).await.failed(1);
    assert!(out.contains("2 objects, 19.9 MB copied\n") && out.contains("cache/a.png: is there with other"), "{out}");
    assert_eq!(fs::read(back.join("cache/a.png")).unwrap()[0], 9);
    let out = run(&["cp", "-r", "bucket:", "folder:back", "--overwrite", "--checksum"]).await.fine();
    assert_eq!(out, "2 objects, 2.0 kB copied; 2 there already\n");
    assert_eq!(run(&["cp", "-r", "bucket:", "back"]).await.fine(), "0 objects, 0 B copied; 4 there already\n");
    for name in ["cache/a.png", "cache/b.png", "long.mp4", "m.png"] {
        assert!(fs::read(back.join(name)).unwrap() == fs::read(media.join(name)).unwrap(), "{name}");
        let time = |path: &std::path::Path| fs::metadata(path).unwrap().modified().unwrap();
        let stored = server.folder.path().join("files").join(name);
        let apart = time(&stored).duration_since(time(&back.join(name))).unwrap_or_default();
        assert!(apart.as_secs() < 2, "{name} is as old as the object");
    }
    fs::write(&object, vec![1u8; 1000]).unwrap();
    assert!(run(&["cp", "bucket:cache/b.png", "rotten"]).await.failed(1).contains("as its ETag says"));
    assert!(!folder.path().join("rotten").exists());
    run(&["cp", "bucket:cache/b.png", "rotten", "--size-only"]).await.fine();
    assert_eq!(run(&["cp", "-r", "bucket:cache/", "bucket:copies/"]).await.fine(), "2 objects, 2.0 kB copied\n");
    let out = run(&["cp", "-r", "bucket:cache/", "bucket:copies/"]).await.fine();
    assert_eq!(out, "0 objects, 0 B copied; 2 there already\n");
    assert!(run(&["cp", "-r", "bucket:cache/", "bucket:cache/x/"]).await.failed(2).contains("lies in the other"));
}

/// Listings of this server tell ETags, and the objects are known by them alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_pass_asks_for_pages_alone() {
    let Some(moto) = Moto::start() else { return };
    let (config, folder) = (moto.config("pages"), tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&config, folder.path(), arguments).await;
    run(&["create"]).await.fine();
    let media = folder.path().join("media");
    fs::create_dir_all(media.join("a")).unwrap();
    for number in 0..30 {
        fs::write(media.join(format!("a/{number}.png")), number.to_string()).unwrap();
    }
    fs::write(media.join("long.mp4"), vec![1u8; 17 << 20]).unwrap();
    run(&["cp", "-r", "media", "bucket:"]).await.fine();
    let out = run(&["cp", "-r", "media", "bucket:"]).await.fine();
    assert_eq!(out, "0 objects, 0 B copied; 31 there already\n");
    fs::write(media.join("a/7.png"), "8").unwrap();
    assert!(run(&["cp", "-r", "media", "bucket:"]).await.failed(1).contains("a/7.png: is there with other content"));
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_looked_into_like_buckets() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = noren(folder.path());
        command.arg("storage").args(arguments);
        ran(command).await
    };
    for (name, length) in [("accounts/a.png", 10), ("backups/b.zip", 1500), ("other/c", 1), ("top.txt", 2)] {
        let path = folder.path().join("system").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![7u8; length]).unwrap();
    }
    let out = run(&["ls", "folder:system"]).await.fine();
    let names: Vec<&str> = out.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert_eq!(names, ["accounts/", "backups/", "other/", "top.txt"]);
    let out = run(&["ls", "-r", "folder:system", "--software", "mastodon"]).await.fine();
    assert!(out.contains("backups/b.zip  (not public: archives that people made of their accounts)"), "{out}");
    assert!(
        out.contains("other/c  (not public: Mastodon has no such files)") && out.contains("accounts/a.png\n"),
        "{out}"
    );
    let out = run(&["usage", "folder:system", "--software", "mastodon"]).await.fine();
    assert!(out.contains("backups/  (not public: archives") && out.contains("1.5 kB  4        total"), "{out}");
    let usage = run(&["usage", "folder:system", "--json", "--software", "misskey"]).await.fine();
    let usage: serde_json::Value = serde_json::from_str(&usage).unwrap();
    assert_eq!((&usage["bytes"], &usage["folders"][0]["public"]), (&1513.into(), &true.into()));
    assert!(run(&["ls", "folder:none"]).await.failed(1).contains("none"));
    assert!(run(&["usage", "system"]).await.failed(2).contains("say folder:system"));
    // A site without a bucket has its files in a folder.
    fs::create_dir_all(folder.path().join("data/media/cache")).unwrap();
    fs::write(folder.path().join("data/media/cache/a.png"), "12345").unwrap();
    assert!(run(&["ls", "-r"]).await.fine().contains("cache/a.png"));
    assert!(run(&["usage"]).await.fine().contains("5 B   1        total"));
    assert!(run(&["ls", "bucket:"]).await.failed(2).contains("keeps its files on the local disk"));
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

/// Ctrl-C leaves nothing half way there: no parts that cost money, no files that nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_off_leaves_nothing_half() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let long = |path: std::path::PathBuf| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().set_len(200 << 20).unwrap();
    };
    for number in 0..4 {
        long(folder.path().join(format!("media/{number}.mp4")));
    }
    fs::write(folder.path().join("media/a.png"), "a").unwrap();
    let begun = |folder: &std::path::Path, mark: &str| {
        let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
        let uploads = names.map(|name| name.split(".part-").next().unwrap().to_owned());
        uploads.filter(|name| name.starts_with(mark)).collect::<std::collections::HashSet<_>>().len()
    };
    // What is begun is marked thus; where something of so many has arrived, the answers have, too.
    let broken_off = async |arguments: &[&str], place: &std::path::Path, (mark, sign, count): (&str, &str, usize)| {
        let mut command = noren(folder.path());
        command.args(["storage", "cp", "--recursive"]).args(arguments);
        command.args(["--endpoint", server.config.endpoint.as_ref().unwrap().as_str(), "--bucket", "files"]);
        command.env("AWS_ACCESS_KEY_ID", "test-id").env("AWS_SECRET_ACCESS_KEY", "test-secret");
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        while begun(place, sign) < count {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was told to");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{err}");
        assert!(err.contains("the same command goes on"), "{err}");
        assert_eq!(begun(place, mark), 0, "{mark}");
    };
    broken_off(&["media", "bucket:"], server.folder.path(), (".upload-", ".upload_id-", 4)).await;
    for number in 0..4 {
        fs::remove_file(folder.path().join(format!("media/{number}.mp4"))).unwrap();
    }
    storage(&server.config, folder.path(), &["cp", "-r", "media", "bucket:"]).await.fine();
    long(server.folder.path().join("files/long.mp4"));
    fs::create_dir(folder.path().join("back")).unwrap();
    broken_off(&["bucket:", "back"], &folder.path().join("back"), (".tmp", ".tmp", 1)).await;
    assert!(!folder.path().join("back/long.mp4").exists());
}
