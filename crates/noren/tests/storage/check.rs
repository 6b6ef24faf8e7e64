//! `noren storage check` finds what is right and names what is wrong.

use crate::moto_server::Moto;
use crate::{server, storage};
use media::Store;
use media::s3::{Bucket, S3Config, Secret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Serves the bucket as a site does; answers what stands before objects' names.
async fn served(config: &S3Config, spool: &std::path::Path) -> String {
    let store = Store::bucket(Bucket::open(config).unwrap(), spool).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/media", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, edge::local(store, "/media")).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_bucket_behind_noren_is_as_it_should_be() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let url = served(&server.config, &folder.path().join("spool")).await;
    let out = storage(&server.config, folder.path(), &["check", "--url", &url]).await.fine();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 13, "{out}");
    // This server does not tell of uploads that were never ended.
    let (last, others) = lines.split_last().unwrap();
    assert!(others.iter().all(|line| line.starts_with("ok ")) && last.starts_with("- "), "{out}");
    for step in ["in parts", "Range", "cannot list", "cannot store", "removed"] {
        assert!(out.contains(step), "{step}: {out}");
    }
    let left = std::fs::read_dir(server.folder.path().join("files")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).filter(|name| name != "cache").collect();
    assert!(left.is_empty(), "{left:?}");

    let out = storage(&server.config, folder.path(), &["check", "--json"]).await.fine();
    let steps: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let skipped = steps.iter().filter(|step| step["outcome"] == "skipped").count();
    assert_eq!((steps.len(), skipped), (11, 2), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_bucket_is_found_out() {
    let Some(moto) = Moto::start() else { return };
    let (config, folder) = (moto.config("open"), tempfile::tempdir().unwrap());
    storage(&config, folder.path(), &["create"]).await.fine();
    // This server lets everybody list and write, and nobody read what has no policy.
    let url = format!("{}/open", moto.endpoint);
    let out = storage(&config, folder.path(), &["check", "--url", &url]).await.failed(1);
    for line in [
        "FAIL  strangers can read it at",
        "FAIL  strangers get no list there: anybody can see the names of all objects",
        "FAIL  strangers cannot list the bucket: anybody on the Internet can list this bucket",
        "FAIL  strangers cannot store anything: anybody on the Internet can write to this bucket",
        "what to do: `noren storage policy public-read`",
        "what to do: `noren storage policy private`",
        "ok    a long file can be stored in parts",
        "checks failed",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    storage(&config, folder.path(), &["policy", "public-read", "--everything"]).await.fine();
    let out = storage(&config, folder.path(), &["check", "--url", &url]).await.failed(1);
    assert!(out.contains("ok    strangers can read it at") && out.contains("ok    strangers can read a part"), "{out}");
    let left = storage(&config, folder.path(), &["ls", "--recursive"]).await.fine();
    assert_eq!(left, "", "nothing is left behind");
}

/// Where a server is that has one answer to everything.
async fn says(status: &str, headers: &str, body: &str) -> String {
    let answer =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    answers(move |_| answer.clone()).await
}

/// Where a server is that answers so, by the head of the request.
async fn answers(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = [0; 8192];
            let length = socket.read(&mut head).await.unwrap_or(0);
            let answer = answer(&String::from_utf8_lossy(&head[..length]));
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    url
}

/// A bucket that is empty, and a key that may look into it and nothing else.
async fn readable() -> String {
    answers(|head| {
        let denied = "<Error><Code>AccessDenied</Code><Message>m</Message></Error>";
        let (status, body) = match head.split(['?', ' ']).next() {
            Some("HEAD") => ("404 Not Found", ""),
            Some("GET") if head.contains("list-type=2") => ("200 OK", "<ListBucketResult></ListBucketResult>"),
            _ => ("403 Forbidden", denied),
        };
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    })
    .await
}

/// What a key may not do is told for what it was to do.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_may_too_little_are_told_what_they_need() {
    let (base, folder) = (server::config(&readable().await), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("f"), "x").unwrap();
    for (arguments, words) in [
        (&["check"][..], "An edge needs none of them"),
        (&["cp", "f", "bucket:f"], "1 object could not be copied\n       what to do: allow the key"),
        (&["create"], "s3:CreateBucket"),
        (&["policy"], "s3:GetBucketPolicy"),
        (&["policy", "public-read", "--everything", "--replace"], "s3:PutBucketPolicy"),
        (&["cors", "--origin", "*"], "s3:PutBucketCORS"),
    ] {
        let out = storage(&base, folder.path(), arguments).await.failed(1);
        assert!(out.contains(words) && out.contains("(AccessDenied): m"), "{arguments:?}: {out}");
    }
    let stranger = S3Config { access_key: None, secret_key: None, ..base.clone() };
    let out = storage(&stranger, folder.path(), &["policy"]).await.failed(1);
    assert!(out.contains("asked without a key") && out.contains("AWS_ACCESS_KEY_ID"), "{out}");
    let with_bucket = format!("{}files", base.endpoint.as_ref().unwrap());
    let with_bucket = S3Config { endpoint: Some(with_bucket.parse().unwrap()), ..base.clone() };
    let out = storage(&with_bucket, folder.path(), &["ls"]).await.failed(2);
    assert!(out.contains("--endpoint: leave \"files\" out of it"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let base = &server.config;
    let wrong_secret = S3Config { secret_key: Some(Secret::new("wrong-secret")), ..base.clone() };
    let wrong_key = S3Config { access_key: Some("who".into()), ..base.clone() };
    let no_bucket = S3Config { bucket: Some("missing".into()), ..base.clone() };
    let at = |url: String| S3Config { endpoint: Some(url.parse().unwrap()), ..base.clone() };
    let nobody_there = at("http://127.0.0.1:1".into());
    let no_https = at(base.endpoint.as_ref().unwrap().as_str().replace("http:", "https:"));
    let page = at(says("404 Not Found", "", "<html><title>Not here</title></html>").await);
    let https_port = at(says("400 Bad Request", "", "The plain HTTP request was sent to HTTPS port").await);
    let region = "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential \
                  parameter; the region 'us-east-1' is wrong; expecting 'eu-west-3'</Message></Error>";
    let region = at(says("400 Bad Request", "", region).await);
    let moved = at(says("301 Moved", "x-amz-bucket-region: ap-northeast-1\r\n", "").await);
    let skew = "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>";
    let skew = at(says("403 Forbidden", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", skew).await);
    let garage = "<Error><Code>AccessDenied</Code><Message>Forbidden: No such key: GK1</Message></Error>";
    let garage = at(says("403 Forbidden", "", garage).await);
    for (config, word) in [
        (&wrong_secret, "check secret_key"),
        (&wrong_key, "knows no such key"),
        (&garage, "knows no such key"),
        (&no_bucket, "noren storage create"),
        (&nobody_there, "check the endpoint"),
        (&no_https, "write http:// in the endpoint"),
        (&page, "something that speaks no S3 answers there"),
        (&https_port, "HTTPS port\n      what to do: something that speaks no S3"),
        (&region, "the region \"eu-west-3\""),
        (&moved, "the region \"ap-northeast-1\""),
        (&skew, "timedatectl"),
    ] {
        let out = storage(config, folder.path(), &["check"]).await.failed(1);
        assert!(out.contains("FAIL  the bucket is there") && out.contains(word), "{out}");
        assert!(!out.contains("wrong-secret") && !out.contains("Signature="), "{out}");
        assert_eq!(out.matches("FAIL").count(), 1, "the rest is not tried: {out}");
    }
}

/// What a command cannot do is said with what to do, also where nothing is checked.
#[tokio::test(flavor = "multi_thread")]
async fn other_commands_say_what_to_do_too() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let wrong = S3Config { secret_key: Some(Secret::new("wrong-secret")), ..server.config.clone() };
    std::fs::write(folder.path().join("f"), "x").unwrap();
    for arguments in [&["ls"][..], &["usage"], &["cp", "f", "bucket:f"], &["cp", "-r", "bucket:", "x"], &["rm", "f"]] {
        let out = storage(&wrong, folder.path(), arguments).await.failed(1);
        assert!(out.contains("refused") && out.contains("what to do: "), "{arguments:?}: {out}");
    }
    let stranger = S3Config { access_key: None, secret_key: None, ..server.config.clone() };
    assert!(storage(&stranger, folder.path(), &["check"]).await.failed(2).contains("AWS_ACCESS_KEY_ID"));
    for (arguments, words) in [
        (&["cors", "--origin", "*"][..], "no CORS rules of buckets here"),
        (&["policy", "public-read", "--everything"], "no bucket policies here"),
    ] {
        assert!(storage(&server.config, folder.path(), arguments).await.failed(1).contains(words));
    }
    assert!(storage(&server.config, folder.path(), &["create"]).await.fine().contains("was there already"));
}
