//! A bucket behind https, with an authority of its own: what the commands do, and what they say where it is not named.

use crate::tls_server::Encrypted;
use crate::{noren, ran, server, storage};
use media::s3::S3Config;

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_ones_own_authority_is_checked_and_copied_to() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let encrypted = Encrypted::before(&server.config, "127.0.0.1").await;
    let out = storage(&encrypted.config, folder.path(), &["check"]).await.fine();
    assert!(out.contains("ok    a long file can be stored in parts") && !out.contains("FAIL"), "{out}");
    std::fs::create_dir(folder.path().join("up")).unwrap();
    std::fs::write(folder.path().join("up/one.txt"), "one").unwrap();
    storage(&encrypted.config, folder.path(), &["cp", "--recursive", "up", "bucket:x"]).await.fine();
    assert_eq!(std::fs::read(server.folder.path().join("files/x/one.txt")).unwrap(), b"one");
    storage(&encrypted.config, folder.path(), &["cp", "--recursive", "bucket:x", "down"]).await.fine();
    assert_eq!(std::fs::read(folder.path().join("down/one.txt")).unwrap(), b"one");
    // The site's own bucket names it in its settings.
    let url = encrypted.config.endpoint.as_ref().unwrap();
    let settings = format!(
        "[media.storage]\nendpoint = \"{url}\"\nbucket = \"files\"\naccess_key = \"test-id\"\n\
         secret_key = \"test-secret\"\nauthorities = [{:?}]\n",
        encrypted.config.authorities[0]
    );
    std::fs::write(folder.path().join("noren.toml"), settings).unwrap();
    let mut command = noren(folder.path());
    command.args(["storage", "ls", "--recursive"]);
    assert!(ran(command).await.fine().contains("x/one.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_believed_is_explained() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let right = Encrypted::before(&server.config, "127.0.0.1").await;
    let other = Encrypted::before(&server.config, "other.test").await;
    let nowhere = S3Config { authorities: vec!["/nowhere/ca.pem".into()], ..right.config.clone() };
    std::fs::write(folder.path().join("f"), "x").unwrap();
    for arguments in [&["check"][..], &["ls"], &["cp", "f", "bucket:f"]] {
        for (config, code, words) in [
            (right.unknown(), 1, ["from an authority that is not known here", "--authority"]),
            (other.config.clone(), 1, ["is for another name: other.test", "write a name in the endpoint"]),
            (nowhere.clone(), 2, ["--authority: /nowhere/ca.pem: ", "No such file"]),
        ] {
            let out = storage(&config, folder.path(), arguments).await.failed(code);
            assert!(words.iter().all(|word| out.contains(word)), "{arguments:?}: {out}");
        }
    }
}
