//! Making a bucket and its rules; naming a bucket at all.

use crate::moto_server::Moto;
use crate::{noren, ran, storage};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_made_and_opened_and_closed() {
    let Some(moto) = Moto::start() else { return };
    let (config, folder) = (moto.config("mine"), tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&config, folder.path(), arguments).await;
    assert!(run(&["policy"]).await.failed(1).contains("noren storage create"));
    assert!(run(&["create"]).await.fine().contains("mine is made"));
    assert!(run(&["create"]).await.fine().contains("mine was there already"));
    assert!(run(&["policy"]).await.fine().contains("no policy"));
    assert!(run(&["policy", "public-read", "--folder", "/cache"]).await.fine().contains("by the bucket's policy"));
    let shown: serde_json::Value = serde_json::from_str(&run(&["policy"]).await.fine()).unwrap();
    assert_eq!(shown["Statement"][0]["Resource"][0], "arn:aws:s3:::mine/cache/*");
    for wrong in [
        &["policy", "public-read"][..],
        &["policy", "public-read", "--folder", "a*"],
        &["policy", "public-read", "--folder", "/"],
        &["policy", "public-read", "--folder", "a", "--everything"],
        &["policy", "public-read", "--folder", "a", "--acl"],
        &["policy", "private", "--folder", "a"],
    ] {
        assert!(run(wrong).await.failed(2).contains("--folder"), "{wrong:?}");
    }
    let all = run(&["policy"]).await.fine();
    assert!(all.contains("mine/cache/*") && !all.contains("mine/*"), "{all}");
    run(&["policy", "public-read", "--folder", "a", "--folder", "b/c"]).await.fine();
    let two: serde_json::Value = serde_json::from_str(&run(&["policy"]).await.fine()).unwrap();
    assert_eq!(
        two["Statement"][0]["Resource"],
        serde_json::json!(["arn:aws:s3:::mine/a/*", "arn:aws:s3:::mine/b/c/*"])
    );
    run(&["policy", "public-read", "--everything"]).await.fine();
    assert!(run(&["policy"]).await.fine().contains("arn:aws:s3:::mine/*"));
    assert!(run(&["policy", "private"]).await.fine().contains("only keys"));

    for (action, who) in [("s3:PutObject", "*"), ("s3:GetObject", "arn:aws:iam::123456789012:root")] {
        let foreign = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": who}, "Action": action, "Resource": "arn:aws:s3:::mine/*"}]});
        let put = reqwest::Client::new().put(format!("{}/mine?policy", moto.endpoint)).body(foreign.to_string());
        assert!(put.send().await.unwrap().status().is_success());
        for wanted in [&["policy", "public-read", "--folder", "cache"][..], &["policy", "private"]] {
            assert!(run(wanted).await.failed(1).contains("--replace"), "{who}");
        }
        assert!(run(&["policy"]).await.fine().contains(action));
        run(&["policy", "private", "--replace"]).await.fine();
    }
    assert!(run(&["policy"]).await.fine().contains("no policy"));
    assert!(run(&["policy", "private", "--acl"]).await.fine().contains("ACL"));

    assert!(run(&["cors"]).await.fine().contains("no rules"));
    run(&["cors", "--origin", "https://a.example", "--origin", "*"]).await.fine();
    assert_eq!(run(&["cors"]).await.fine(), "https://a.example\n*\n");
    assert!(run(&["cors", "--origin", "a.example"]).await.failed(2).contains("--origin"));
    run(&["cors", "--remove"]).await.fine();
    assert!(run(&["cors"]).await.fine().contains("no rules"));
}

/// What is public of other software is known, and what is beside it stays closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_other_software_is_opened_as_far_as_it_is_public() {
    let Some(moto) = Moto::start() else { return };
    let (config, folder) = (moto.config("theirs"), tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&config, folder.path(), arguments).await;
    run(&["create"]).await.fine();
    std::fs::write(folder.path().join("f"), "x").unwrap();
    for name in ["accounts/a.png", "backups/b.zip", "imports/c.csv", "files/d", "files-e"] {
        run(&["cp", "f", &format!("bucket:{name}")]).await.fine();
    }
    let open = async || {
        let mut open = Vec::new();
        for name in ["accounts/a.png", "backups/b.zip", "imports/c.csv", "files/d", "files-e"] {
            let answer = reqwest::get(format!("{}/theirs/{name}", moto.endpoint)).await.unwrap();
            open.extend(answer.status().is_success().then_some(name));
        }
        open
    };
    assert!(run(&["policy", "public-read"]).await.failed(2).contains("--software"));
    run(&["policy", "public-read", "--software", "mastodon"]).await.fine();
    assert_eq!(open().await, ["accounts/a.png"]);
    for software in ["misskey-v10", "misskey-v11", "misskey"] {
        run(&["policy", "public-read", "--software", software]).await.fine();
        assert_eq!(open().await, ["files/d"], "{software}");
        let out = run(&["ls", "--software", software]).await.fine();
        assert!(out.contains(" d") && !out.contains("accounts"), "{out}");
    }
    run(&["policy", "public-read", "--software", "misskey", "--prefix", "accounts"]).await.fine();
    assert_eq!(open().await, ["accounts/a.png"]);
    assert!(run(&["policy", "public-read", "--software", "mastdon"]).await.failed(2).contains("misskey-v11"));

    run(&["policy", "public-read", "--software", "mastodon"]).await.fine();
    let url = format!("{}/theirs", moto.endpoint);
    let check = ["check", "--software", "mastodon", "--url", &url];
    let out = run(&check).await.failed(1);
    for folder in ["backups/ (archives", "imports/ (lists"] {
        assert!(out.contains(&format!("ok    strangers cannot read {folder}")), "{out}");
    }
    run(&["policy", "public-read", "--everything"]).await.fine();
    let out = run(&check).await.failed(1);
    assert!(out.contains("FAIL  strangers cannot read backups/") && out.contains("noren edge"), "{out}");
    assert_eq!(run(&["ls", "-r"]).await.fine().lines().count(), 5, "nothing is left behind");
}

/// What providers lack is said before anything is sent: nobody is there.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_lacks_is_said() {
    let Some(folder) = tempfile::tempdir().ok() else { return };
    for (provider, arguments, word) in [
        ("garage", &["policy", "public-read", "--everything"][..], "garage bucket website"),
        ("r2", &["policy", "public-read", "--folder", "cache"], "let Noren serve it"),
        ("b2", &["policy", "public-read", "--folder", "cache"], "or say --acl"),
        ("b2", &["policy", "public-read", "--everything"], "or say --acl"),
        ("minio", &["cors", "--origin", "*"], "MINIO_API_CORS_ALLOW_ORIGIN"),
        ("minio", &["policy", "private", "--acl"], "bucket policies only"),
    ] {
        let mut command = noren(folder.path());
        command.args(["storage", "--provider", provider, "--endpoint", "http://127.0.0.1:1", "--bucket", "files"]);
        command.args(["--region", "eu-1"]);
        let text = ran({
            command.args(arguments);
            command
        })
        .await
        .failed(1);
        assert!(text.contains(word), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_has_to_be_named_well() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (&["rm", "a"][..], "this site keeps its files on the local disk"),
        (&["ls", "--bucket", "files"], "--endpoint: missing"),
        (&["ls", "--provider", "aws", "--bucket", "files"], "--region: missing"),
        (&["ls", "--endpoint", "http://127.0.0.1:1"], "--bucket: missing"),
        (&["ls", "--endpoint", "127.0.0.1:1", "--bucket", "files"], "begins with https://"),
        (&["ls", "--endpoint", "s3.example.com", "--bucket", "files"], "begins with https://"),
        (&["ls", "--provider", "azure"], "expected one of aws, vultr"),
        (
            &["ls", "--endpoint", "http://127.0.0.1:1", "--bucket", "files", "--access-key", "a"],
            "AWS_SECRET_ACCESS_KEY",
        ),
    ] {
        let mut command = noren(folder.path());
        command.arg("storage").args(arguments);
        let text = ran(command).await.failed(2);
        assert!(text.contains(word), "{text}");
    }
    let mut command = noren(folder.path());
    std::fs::write(folder.path().join("noren.toml"), "[media.storage]\nbucket = \"files\"\n").unwrap();
    command.args(["config", "check"]);
    let text = ran(command).await.failed(2);
    assert!(text.contains("noren.toml: media.storage.endpoint: missing: expected an address"), "{text}");
}

/// Nobody is there: what would open uploads is refused before anything is sent.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_this_site_stay_closed() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[media.storage]\nendpoint = \"http://127.0.0.1:1\"\nbucket = \"files\"\nprefix = \"site\"\n\
                access_key = \"a\"\nsecret_key = \"b\"\n";
    std::fs::write(folder.path().join("noren.toml"), file).unwrap();
    let named = ["--endpoint", "http://127.0.0.1:1", "--bucket", "files"];
    for (bucket, what) in [
        (&named[..], &["--everything"][..]),
        (&[], &["--everything"]),
        (&[], &["--acl"]),
        (&[], &["--folder", "cache", "--folder", "/uploads/"]),
        (&[], &["--folder", "uploads/1-a"]),
        (&["--prefix", "other"], &["--acl"]),
        (&["--prefix", "site/uploads"], &["--folder", "a"]),
        (&named, &["--folder", "site"]),
        (&named, &["--folder", "site/uploads"]),
        (&named, &["--acl"]),
    ] {
        let mut command = noren(folder.path());
        command.args(["storage", "policy", "public-read"]).args(bucket).args(what);
        let text = ran(command).await.failed(2);
        assert!(text.contains("site/uploads/ of this site stays closed"), "{bucket:?} {what:?}: {text}");
    }
}
