//! What is sent to be a burden: too much, too deep, too late, packed, or dressed up as something else.

use crate::peer::{File, Peer, Somebody, local_uri, with_a_peer};
use crate::{find, id, search};
use domain::accounts::remote;
use domain::ids::AccountId;
use federation::signatures::{Form, Outgoing, Payload, Signer};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Duration;
use testkit::{Person, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

fn create(server: &TestServer, peer: &Peer, (who, bob): (&Somebody, &Person)) -> Value {
    peer.activity(who, ("Create", "1"), peer.note(who, ("1", "hello"), &[&local_uri(server, bob)]))
}

/// The status of the answer to an endless body, and how many bytes of it were taken.
async fn flood(server: &TestServer, head: &str) -> (String, usize) {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let host = server.parts().site.base_url.trim_start_matches("http://");
    let head = format!("POST /inbox HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/activity+json\r\n{head}\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = socket.into_split();
    let answer = tokio::spawn(async move {
        let mut line = vec![0; 12];
        let read = reading.read_exact(&mut line).await;
        read.map(|_| String::from_utf8_lossy(&line).into_owned()).unwrap_or_default()
    });
    let piece = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 100_000_000 && !answer.is_finished() {
        let writing = tokio::time::timeout(Duration::from_secs(30), writing.write_all(&piece)).await;
        if !matches!(writing, Ok(Ok(()))) {
            break;
        }
        sent += piece.len();
        tokio::task::yield_now().await;
    }
    (answer.await.unwrap(), sent)
}

with_a_peer! {
    async fn a_hundred_megabytes_are_not_read(server, peer, bob) {
        for head in ["Content-Length: 100000000\r\n", "Transfer-Encoding: chunked\r\n"] {
            let (status, sent) = flood(&server, head).await;
            assert!(status.is_empty() || status == "HTTP/1.1 413", "{head}: {status}");
            // What lies in the buffers of the system counts, too.
            assert!(sent < 20_000_000, "{head}: {sent}");
        }
        let eve = peer.somebody("eve");
        peer.send(&eve, &server, &create(&server, &peer, (&eve, &bob))).await;
    }

    async fn what_is_deep_wide_or_packed_is_not_read(server, peer, bob) {
        let eve = peer.somebody("eve");
        let said = create(&server, &peer, (&eve, &bob));
        let signed = peer.sign(&eve, &server, &said);
        let deep = |depth: usize| format!("{}1{}", r#"{"object":"#.repeat(depth), "}".repeat(depth)).into_bytes();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&vec![b' '; 50_000_000]).unwrap();
        let packed = packed.finish().unwrap();
        assert!(packed.len() < 1 << 20);
        for (what, body) in [
            ("deep", deep(100)),
            ("deeper", deep(50_000)),
            ("lists", [b"[".repeat(500_000), b"]".repeat(500_000)].concat()),
            ("wide", format!("[{}0]", "0,".repeat(200_000)).into_bytes()),
            ("packed", packed),
            ("not UTF-8", b"{\"id\":\"\xff\"}".to_vec()),
        ] {
            let packs = what == "packed";
            let status = peer.post(&signed, |headers, old| {
                *old = body;
                if packs {
                    headers.insert("content-encoding", "gzip".parse().unwrap());
                }
            });
            let status = status.await;
            assert_eq!(status, 400, "{what}");
        }
        assert_eq!(peer.asked.lock().unwrap().len(), 0, "no key is fetched for what cannot be read");
    }

    async fn what_was_signed_long_ago_does_not_count(server, peer, bob) {
        let eve = peer.somebody("eve");
        let body = create(&server, &peer, (&eve, &bob)).to_string();
        let url = Url::parse(&format!("{}/inbox", server.parts().site.base_url)).unwrap();
        let payload = Payload::new(body.clone());
        let signer = Signer::new(format!("{}#main-key", eve.uri), eve.key.clone());
        let request = Outgoing { method: &Method::POST, url: &url, payload: Some(&payload), extra: &[] };
        let (hour, now) = (Duration::from_secs(3700), domain::Time::now());
        for (at, status) in [(now.minus(hour), 401), (now.plus(hour), 401), (now, 202)] {
            for form in [Form::Cavage, Form::Rfc9421] {
                let headers = signer.sign(form, &request, at).unwrap();
                let sent = reqwest::Client::new().post(url.clone()).headers(headers).body(body.clone()).send().await;
                assert_eq!(sent.unwrap().status(), status, "{form:?} {at:?}");
            }
        }
        server.settle().await;
    }

    async fn what_has_us_wait_holds_up_only_its_sender(server, peer, bob) {
        let here = local_uri(&server, &bob);
        // Two servers, each with more than may run at once; what they answer comes a byte each second.
        for (slow, name) in [(Peer::start().await, "eve"), (Peer::start().await, "mallory")] {
            let who = slow.somebody(name);
            for n in 0..12 {
                let parent = slow.file(&format!("/parents/{n}"), File::Drip("application/activity+json", vec![b' '; 6]));
                let mut note = slow.note(&who, (&n.to_string(), "an answer"), &[&here]);
                note["inReplyTo"] = json!(parent);
                let said = slow.activity(&who, ("Create", &format!("c{n}")), note);
                assert_eq!(slow.post(&slow.sign(&who, &server, &said), |_, _| {}).await, 202);
            }
        }
        let ann = peer.somebody("ann");
        let note = peer.note(&ann, ("1", "in time"), &[&here]);
        let said = peer.activity(&ann, ("Create", "1"), note.clone());
        assert_eq!(peer.post(&peer.sign(&ann, &server, &said), |_, _| {}).await, 202);
        let began = std::time::Instant::now();
        let uri = note["id"].as_str().unwrap();
        while domain::statuses::remote::by_uri(&server.db().read().await.unwrap(), uri).await.unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(5), "it waits for others");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What they said comes, too.
        server.settle().await;
        let seen = bob.get("/api/v1/timelines/public", [("remote", "true"), ("limit", "40")]).await.ok();
        assert_eq!(seen.as_array().unwrap().len(), 25);
    }

    async fn a_slow_server_of_many_people_holds_up_only_itself(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there: AccountId = id(&find(&bob, &format!("ann@{}", peer.host())).await).parse().unwrap();
        server.settle().await;
        let slow = Peer::start().await;
        for n in 0..200 {
            // Far longer than is waited here.
            let uri = slow.file(&format!("/people/{n}"), File::Drip("application/activity+json", vec![b' '; 15]));
            let reach = remote::Reach { inbox: format!("{uri}/inbox"), featured: Some(uri.clone()), ..remote::Reach::default() };
            let (username, domain) = (format!("p{n}"), slow.host().to_owned());
            let known = remote::Arrived { uri, username, domain, reach, ..remote::Arrived::default() };
            let known = remote::receive(server.db(), &known).await.unwrap();
            match n % 2 {
                0 => remote::refresh_later(server.db(), known.id).await.unwrap(),
                _ => remote::fetch_pins_later(server.db(), known.id).await.unwrap(),
            }
        }
        peer.shows(&ann, "ann", json!({ "name": "Ann of today" }));
        remote::refresh_later(server.db(), there).await.unwrap();
        let began = std::time::Instant::now();
        while bob.get(&format!("/api/v1/accounts/{there}"), ()).await.ok()["display_name"] != "Ann of today" {
            assert!(began.elapsed() < Duration::from_secs(12), "it waits for others");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let asked = slow.asked.lock().unwrap().len();
        assert!((1..=8).contains(&asked), "{asked} at once");
        // Nobody has to wait for all of it.
        let waiting = "SELECT COUNT(*) FROM jobs WHERE state = 0 AND queue = 2";
        while server.db().read().await.unwrap().one::<(i64,)>(waiting, &[]).await.unwrap().0 > 0 {
            let tx = server.db().begin().await.unwrap();
            tx.exec("DELETE FROM jobs WHERE state = 0 AND queue = 2", &[]).await.unwrap();
            tx.commit().await.unwrap();
        }
        server.settle().await;
    }

    async fn a_file_is_nobody(server, peer, bob) {
        let mallory = peer.somebody("mallory");
        peer.remove("/users/mallory");
        // As somebody might upload it to a server that keeps files beside its actors.
        for kind in ["application/json", "text/plain", "image/png", "application/ld+json", "text/html", "application/octet-stream"] {
            peer.file("/users/mallory", File::Plain(kind, peer.actor("mallory", &mallory).to_string().into_bytes()));
            assert_eq!(search(&bob, &mallory.uri).await["accounts"], json!([]), "{kind}");
            let said = create(&server, &peer, (&mallory, &bob));
            assert_eq!(peer.post(&peer.sign(&mallory, &server, &said), |_, _| {}).await, 401, "{kind}");
        }
        // Nor is what lies among our own files.
        let ours = format!("{}/accounts/avatars/1.json", server.parts().site.media_url);
        assert_eq!(search(&bob, &ours).await["accounts"], json!([]));
        let own = Somebody { uri: ours, key: mallory.key.clone() };
        let said = create(&server, &peer, (&own, &bob));
        assert_eq!(peer.post(&peer.sign(&own, &server, &said), |_, _| {}).await, 401);
    }

    async fn lists_that_never_end_end(server, peer, bob) {
        let eve = peer.somebody("eve");
        let featured = format!("{}/featured", eve.uri);
        peer.shows(&eve, "eve", json!({ "featured": featured }));
        for n in 0..200 {
            let path = if n == 0 { "/users/eve/featured".to_owned() } else { format!("/users/eve/featured/{n}") };
            let items: Vec<String> = (0..100).map(|m| format!("{}/notes/{n}-{m}", peer.base)).collect();
            peer.put(&path, json!({
                "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}{path}", peer.base),
                "type": if n == 0 { "OrderedCollection" } else { "OrderedCollectionPage" },
                "first": format!("{}/users/eve/featured/1", peer.base),
                "next": format!("{}/users/eve/featured/{}", peer.base, n + 1), "orderedItems": items,
            }));
        }
        crate::find(&bob, &format!("eve@{}", peer.host())).await;
        server.settle().await;
        let asked = peer.asked.lock().unwrap().len();
        assert!(asked < 60, "{asked} requests for one profile");
    }
}
