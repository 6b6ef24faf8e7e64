//! What names lead to, while it changes and while a part of it does not answer.

use super::*;
use crate::origin::Asked;
use futures_util::TryStreamExt as _;
use names::{Server, Told, silent};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Instant;

#[path = "../../../../media/tests/s3/names.rs"]
mod names;

const LONG: Duration = Duration::from_secs(300);

/// An origin that goes by a name, with connections that are kept for so long without use, and at all.
fn origin(told: &Told, (idle, age): (Duration, Duration)) -> Http {
    let config: HttpOrigin = toml::from_str("url = \"http://media.test\"\nconnect_timeout = \"10 s\"").unwrap();
    let manners = Manners { via: "noren-test".into(), ..Manners::default() };
    let names = Names { service: Arc::new(told.clone()), age };
    Http::with((names, idle), &config, (&manners, Duration::from_secs(20))).unwrap()
}

/// The word of whichever server answers.
async fn ask(origin: &Http) -> Result<String, Failure> {
    let asked = Asked::of_key("/a.png").unwrap();
    let want = Want { slice: 0..TO_THE_END, validators: None, has_copy: false };
    match origin.ask(&Order { asked: &asked, want: &want, hops: "" }).await? {
        Found::Absent => panic!("it is there"),
        Found::Reply(reply) => {
            let pieces: Vec<_> = reply.body.try_collect().await?;
            Ok(String::from_utf8(pieces.concat()).unwrap())
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_followed_without_a_restart() {
    let names = Told::default();
    let origin = origin(&names, (POOL_IDLE, LONG));
    assert!(matches!(ask(&origin).await, Err(Failure::Unreachable(_))), "a name that is not there yet");
    for (address, word) in [("127.0.0.1:0", "old"), ("127.0.0.1:0", "new"), ("[::1]:0", "newest")] {
        let server = Server::start(address, word).await;
        names.tell(&[server.address]);
        for _ in 0..3 {
            assert_eq!(ask(&origin).await.unwrap(), word);
        }
        // The server goes, and with it the connection to it.
        drop(server);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(matches!(ask(&origin).await, Err(Failure::Unreachable(_))), "{word} is gone");
    }
}

#[tokio::test]
async fn an_old_address_that_still_answers_is_left_when_its_connections_have_rested() {
    let (names, rest) = (Told::default(), Duration::from_millis(200));
    let origin = origin(&names, (rest, LONG));
    let old = Server::start("127.0.0.1:0", "old").await;
    let new = Server::start("127.0.0.1:0", "new").await;
    names.tell(&[old.address]);
    assert_eq!(ask(&origin).await.unwrap(), "old");
    names.tell(&[new.address]);
    tokio::time::sleep(2 * rest).await;
    assert_eq!(ask(&origin).await.unwrap(), "new");
}

#[tokio::test]
async fn a_name_that_moves_is_followed_under_steady_traffic() {
    let (told, age) = (Told::default(), Duration::from_millis(300));
    let old = Server::start("127.0.0.1:0", "old").await;
    let new = Server::start("127.0.0.1:0", "new").await;
    told.tell(&[old.address]);
    let origin = origin(&told, (POOL_IDLE, age));
    let asked = async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        ask(&origin).await.unwrap()
    };
    let started = Instant::now();
    assert_eq!(asked().await, "old");
    told.tell(&[new.address]);
    while asked().await == "old" {
        assert!(started.elapsed() < 30 * age, "the old address is asked for ever");
    }
    // When nobody says where the name leads, what there is goes on.
    told.tell(&[]);
    let started = Instant::now();
    while started.elapsed() < 3 * age {
        assert_eq!(asked().await, "new");
    }
    told.tell(&[old.address]);
    let started = Instant::now();
    while asked().await == "new" {
        assert!(started.elapsed() < 30 * age, "it is not looked again where the name leads");
    }
}

#[tokio::test]
async fn a_family_of_addresses_that_does_not_answer_holds_nobody_up() {
    let mut words = HashSet::new();
    for (good, dead) in [("127.0.0.1", "[::1]"), ("[::1]", "127.0.0.1")] {
        let server = Server::start(&format!("{good}:0"), if good == "[::1]" { "six" } else { "four" }).await;
        let dead: SocketAddr = format!("{dead}:{}", server.address.port()).parse().unwrap();
        let _silent = silent(dead).await;
        for addresses in [[dead, server.address], [server.address, dead]] {
            let names = Told::default();
            names.tell(&addresses);
            let started = Instant::now();
            words.insert(ask(&origin(&names, (POOL_IDLE, LONG))).await.unwrap());
            assert!(started.elapsed() < Duration::from_secs(3), "{addresses:?}: {:?}", started.elapsed());
        }
    }
    assert_eq!(words.len(), 2);
}

/// And one that refuses.
#[tokio::test]
async fn either_family_of_addresses_will_do() {
    for (here, word) in [("127.0.0.1:0", "four"), ("[::1]:0", "six")] {
        let server = Server::start(here, word).await;
        let names = Told::default();
        names.tell(&["[::1]", "127.0.0.1"].map(|ip| format!("{ip}:{}", server.address.port()).parse().unwrap()));
        assert_eq!(ask(&origin(&names, (POOL_IDLE, LONG))).await.unwrap(), word);
    }
}

#[test]
fn places_of_parts() {
    for (text, expected) in [
        ("bytes 0-9/10", Some((0, Some(10)))),
        ("bytes 5-9/*", Some((5, None))),
        ("bytes 0-10/10", None),
        ("bytes 9-5/10", None),
        ("bytes */10", None),
        ("bytes=0-9/10", None),
        ("items 0-9/10", None),
        ("", None),
    ] {
        assert_eq!(content_range(text), expected, "{text}");
    }
}
