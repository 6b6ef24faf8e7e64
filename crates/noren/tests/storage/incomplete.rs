//! What a program that was killed leaves half way in a bucket.

use crate::moto_server::Moto;
use crate::{noren, server, storage};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// This server says of all uploads that they were begun in 2010.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_is_found_and_given_up() {
    let Some(moto) = Moto::start() else { return };
    let (config, folder) = (moto.config("killed"), tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&config, folder.path(), arguments).await;
    run(&["create"]).await.fine();
    fs::write(folder.path().join("a.png"), "a").unwrap();
    run(&["cp", "a.png", "bucket:a.png"]).await.fine();
    assert_eq!(run(&["ls", "--incomplete"]).await.fine(), "");
    assert!(run(&["check"]).await.out.contains("ok    uploads that were never ended: none"));
    assert_eq!(run(&["rm", "--incomplete", "--yes"]).await.fine(), "0 incomplete uploads given up\n");

    fs::File::create(folder.path().join("long.mp4")).unwrap().set_len(400 << 20).unwrap();
    for name in ["bucket:cache/long.mp4", "bucket:media/other.mp4"] {
        let mut command = noren(folder.path());
        command.args(["storage", "cp", "long.mp4", name, "--bucket", "killed", "--endpoint", &moto.endpoint]);
        command.env("AWS_ACCESS_KEY_ID", "test-id").env("AWS_SECRET_ACCESS_KEY", "test-secret");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (started, key) = (Instant::now(), name.strip_prefix("bucket:").unwrap());
        loop {
            let uploads =
                reqwest::get(format!("{}/killed?uploads", moto.endpoint)).await.unwrap().text().await.unwrap();
            if uploads.contains(&format!("<Key>{key}</Key>")) {
                break;
            }
            assert!(child.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(60), "{uploads}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    let line = |out: &str, name: &str| {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        out.lines().map(words).any(|words| words.len() == 4 && words[2..] == ["2010-11-10T20:48:33Z", name])
    };
    let out = run(&["ls", "--incomplete"]).await.fine();
    assert!(out.lines().count() == 2 && line(&out, "cache/long.mp4") && line(&out, "media/other.mp4"), "{out}");
    let out = run(&["ls", "--incomplete", "media/", "--json"]).await.fine();
    let one: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&one["key"], &one["begun"]), (&"media/other.mp4".into(), &"2010-11-10T20:48:33Z".into()));
    assert!(one["upload"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(one["size"].as_u64().is_some_and(|size| size < 400 << 20), "{one}");
    assert!(run(&["ls", "--incomplete", "--limit", "1"]).await.err.contains("there are more than 1"));
    assert!(!run(&["ls", "-r"]).await.fine().contains("mp4"), "no listing of objects shows them");
    let checked = run(&["check"]).await.out;
    assert!(checked.contains("note  uploads that were never ended: 2, a day old or more"), "{checked}");

    assert!(run(&["rm", "--incomplete"]).await.failed(2).contains("--yes"));
    assert!(run(&["rm"]).await.failed(2).contains("required"));
    let young = run(&["rm", "--incomplete", "--older-than", "20000d", "--yes"]).await.fine();
    assert_eq!(young, "0 incomplete uploads given up; 2 younger left alone\n");
    let out = run(&["rm", "--incomplete", "--dry-run"]).await.fine();
    assert!(out.contains("would give up cache/long.mp4, begun 2010-11-10T20:48:33Z\n"), "{out}");
    assert!(out.ends_with("2 incomplete uploads would be given up\n"), "{out}");
    let out = run(&["rm", "--incomplete", "cache/", "--yes"]).await.fine();
    assert_eq!(out, "giving up cache/long.mp4, begun 2010-11-10T20:48:33Z\n1 incomplete upload given up\n");
    assert!(line(&run(&["ls", "--incomplete"]).await.fine(), "media/other.mp4"));
    assert!(run(&["rm", "--incomplete", "--yes", "--older-than", "soon"]).await.failed(2).contains("expected a time"));
    run(&["rm", "--incomplete", "--yes"]).await.fine();
    assert_eq!(run(&["ls", "--incomplete"]).await.fine(), "");
    assert!(run(&["ls"]).await.fine().contains("a.png"), "objects stay");
}

/// A prefix of the bucket is a wall here, too.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_beside_the_prefix_are_left_alone() {
    let Some(moto) = Moto::start() else { return };
    let (config, folder) = (moto.config("walls"), tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&config, folder.path(), arguments).await;
    run(&["create"]).await.fine();
    let client = reqwest::Client::new();
    for key in ["mine/a.mp4", "other/a.mp4", "mine"] {
        client.post(format!("{}/walls/{key}?uploads", moto.endpoint)).send().await.unwrap().error_for_status().unwrap();
    }
    let out = run(&["rm", "--incomplete", "--yes", "--prefix", "mine"]).await.fine();
    assert_eq!(out, "giving up a.mp4, begun 2010-11-10T20:48:33Z\n1 incomplete upload given up\n");
    assert_eq!(run(&["ls", "--incomplete"]).await.fine().lines().count(), 2);
}

/// This one does not tell: it is said with what to do, and no failure of a check.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_tell_of_them_is_no_failure() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&server.config, folder.path(), arguments).await;
    for arguments in [&["ls", "--incomplete"][..], &["rm", "--incomplete", "--yes"]] {
        let out = run(arguments).await.failed(1);
        assert!(out.contains("does not tell of incomplete uploads") && out.contains("what to do: "), "{out}");
    }
    let out = run(&["check"]).await;
    assert!(out.out.contains("-     uploads that were never ended: this provider does not tell"), "{out:?}");
    assert!(run(&["ls", "--incomplete", "folder:."]).await.failed(2).contains("only buckets"));
}
