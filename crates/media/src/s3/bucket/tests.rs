//! What a bucket's name leads to, while it changes and while a part of it does not answer.

use super::*;
use futures_util::TryStreamExt as _;
use names::{Server, Told, silent};
use std::net::SocketAddr;
use std::time::Instant;

#[path = "../../../tests/s3/names.rs"]
mod names;

/// A bucket whose connections are good for so long.
fn bucket(told: &Told, age: Duration) -> Bucket {
    let config = S3Config {
        endpoint: Some("http://bucket.test".parse().unwrap()),
        bucket: Some("files".into()),
        retries: 0,
        ..S3Config::default()
    };
    Bucket::open_with(&config, Names { service: Arc::new(told.clone()), age }).unwrap()
}

/// The word of whichever server answers.
async fn ask(bucket: &Bucket) -> String {
    let object = bucket.get("a.png", None).await.unwrap().unwrap();
    let pieces: Vec<_> = object.body.try_collect().await.unwrap();
    String::from_utf8(pieces.concat()).unwrap()
}

const LONG: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_name_that_moves_is_followed_under_steady_traffic() {
    let (told, age) = (Told::default(), Duration::from_millis(300));
    let (old, new) = (Server::start("127.0.0.1:0", "old").await, Server::start("127.0.0.1:0", "new").await);
    told.tell(&[old.address]);
    let bucket = bucket(&told, age);
    let started = Instant::now();
    assert_eq!(ask(&bucket).await, "old");
    told.tell(&[new.address]);
    while ask(&bucket).await == "old" {
        assert!(started.elapsed() < 30 * age, "the old address is asked for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask(&bucket).await, "new");
}

#[tokio::test]
async fn a_family_of_addresses_that_does_not_answer_holds_nobody_up() {
    for (good, dead) in [("127.0.0.1", "[::1]"), ("[::1]", "127.0.0.1")] {
        let server = Server::start(&format!("{good}:0"), "here").await;
        let dead: SocketAddr = format!("{dead}:{}", server.address.port()).parse().unwrap();
        let _silent = silent(dead).await;
        for addresses in [[dead, server.address], [server.address, dead]] {
            let told = Told::default();
            told.tell(&addresses);
            let started = Instant::now();
            assert_eq!(ask(&bucket(&told, LONG)).await, "here");
            assert!(started.elapsed() < Duration::from_secs(3), "{addresses:?}: {:?}", started.elapsed());
        }
    }
}

/// And one that refuses.
#[tokio::test]
async fn either_family_of_addresses_will_do() {
    for here in ["127.0.0.1:0", "[::1]:0"] {
        let server = Server::start(here, "here").await;
        let told = Told::default();
        told.tell(&["[::1]", "127.0.0.1"].map(|ip| format!("{ip}:{}", server.address.port()).parse().unwrap()));
        assert_eq!(ask(&bucket(&told, LONG)).await, "here");
    }
}
