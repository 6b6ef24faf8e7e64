//! /api/v1/streaming through the whole server. What comes to whom is tried in crates/api/tests/streaming.

use crate::{follow, id, post, post_as};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Person, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Socket = WebSocketStream<TcpStream>;

pub(crate) async fn socket(server: &TestServer, who: &Person, stream: &str) -> Socket {
    let tcp = TcpStream::connect(server.address()).await.unwrap();
    let url = format!("ws://{}/api/v1/streaming?stream={stream}&access_token={}", server.address(), who.token);
    let (mut socket, _) = client_async(url, tcp).await.unwrap();
    // What was asked for is done once this is answered.
    socket.send(Message::text(r#"{"type":"subscribe","stream":"?"}"#)).await.unwrap();
    // Events that were on their way may come first.
    loop {
        let answer = frame(&mut socket).await;
        if !answer["error"].is_null() {
            assert_eq!(answer["error"], "Unknown stream type");
            return socket;
        }
    }
}

async fn frame(socket: &mut Socket) -> Value {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("a frame in time") {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(text.as_str()).unwrap(),
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The next event's name and the id that it is about.
pub(crate) async fn event(socket: &mut Socket) -> (String, String) {
    let frame = frame(socket).await;
    let payload = frame["payload"].as_str().unwrap();
    let about = match serde_json::from_str::<Value>(payload) {
        Ok(Value::Object(entity)) => entity["id"].as_str().unwrap().to_owned(),
        _ => payload.to_owned(),
    };
    (frame["event"].as_str().unwrap().to_owned(), about)
}

testkit::on_both_engines! {
    async fn what_happens_is_told(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&bob, &alice).await;
        carol.post(&format!("/api/v1/accounts/{}/block", alice.account), ()).await.ok();
        let mut home = socket(&server, &bob, "user").await;
        let mut public = socket(&server, &bob, "public:local").await;
        let mut direct = socket(&server, &bob, "direct").await;
        let mut blocking = socket(&server, &carol, "public").await;
        let posted = post(&alice, "hello").await;
        let told = |event: &str| (event.to_owned(), id(&posted).to_owned());
        assert_eq!(event(&mut home).await, told("update"));
        assert_eq!(event(&mut public).await, told("update"));
        let path = format!("/api/v1/statuses/{}", id(&posted));
        alice.put(&path, [("status", "hello again")]).await.ok();
        assert_eq!(event(&mut home).await, told("status.update"));
        assert_eq!(event(&mut public).await, told("status.update"));
        alice.delete(&path, ()).await.ok();
        assert_eq!(event(&mut home).await, told("delete"));
        assert_eq!(event(&mut public).await, told("delete"));
        post_as(&alice, "@bob psst", "direct").await;
        assert_eq!(event(&mut direct).await.0, "conversation");
        let told = [event(&mut home).await.0, event(&mut home).await.0];
        assert!(told.contains(&"notification".to_owned()) && told.contains(&"update".to_owned()), "{told:?}");
        let last = post(&bob, "to all").await;
        // A deletion names nothing but an id.
        let mut next = event(&mut blocking).await;
        if next.0 == "delete" {
            next = event(&mut blocking).await;
        }
        assert_eq!(next, ("update".to_owned(), id(&last).to_owned()));
    }

    async fn a_stream_of_lines_is_not_held_back(server: TestServer) {
        let alice = server.person("alice").await;
        let path = "/api/v1/streaming/public?only_media=false";
        let request = alice.request(reqwest::Method::GET, path).header("accept-encoding", "gzip, br");
        let mut answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().get("content-encoding").is_none());
        let posted = post(&alice, "hello").await;
        let mut text = String::new();
        while !text.contains("\n\n") {
            let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        let data = text.strip_prefix(":)\nevent: update\ndata: ").unwrap();
        assert_eq!(serde_json::from_str::<Value>(data).unwrap()["id"], posted["id"]);
    }

    async fn revoking_closes(server: TestServer) {
        let alice = server.person("alice").await;
        let app = server.client().post("/api/v1/apps", [("client_name", "x"), ("redirect_uris", "urn:ietf:wg:oauth:2.0:oob")]).await.ok();
        let mut open = socket(&server, &alice, "user").await;
        let secret = [("client_id", &app["client_id"]), ("client_secret", &app["client_secret"])];
        // Another application may not.
        let mut form: Vec<(String, String)> = secret.iter().map(|(n, v)| ((*n).to_owned(), v.as_str().unwrap().to_owned())).collect();
        form.push(("token".into(), alice.token.clone()));
        server.client().post("/oauth/revoke", form).await.expect(403);
        post(&alice, "still here").await;
        assert_eq!(event(&mut open).await.0, "update");
        let conn = server.db().read().await.unwrap();
        let grant = domain::oauth::authenticate(&conn, &alice.token).await.unwrap().unwrap();
        drop(conn);
        domain::oauth::tokens::take_back(server.db(), grant.person.unwrap().user, grant.token).await.unwrap();
        let end = tokio::time::timeout(PATIENCE, open.next()).await.unwrap();
        assert!(matches!(&end, Some(Ok(Message::Close(_)))), "{end:?}");
        alice.get("/api/v1/streaming/user", ()).await.expect(401);
    }

    async fn refusals(server: TestServer) {
        let alice = server.person("alice").await;
        assert_eq!(alice.get("/api/v1/streaming/users", ()).await.expect(400), json!({ "error": "Unknown channel requested" }));
        server.client().get("/api/v1/streaming/public", ()).await.expect(401);
        let health = server.client().get("/api/v1/streaming/health", ()).await;
        assert_eq!((health.status, health.text()), (200, "OK"));
        assert!(health.header("content-type").starts_with("text/plain"));
    }
}

/// A client of server-sent events that does not read is cut off, and its place with it.
#[test]
fn who_does_not_read_lines_is_cut_off() {
    testkit::run_with(
        testkit::Engine::Sqlite,
        |config| {
            config.streaming.queue_messages = 20;
            config.limits.status_characters = 1_000_000;
        },
        async |server: TestServer| {
            let alice = server.person("alice").await;
            let tcp = TcpSocket::new_v4().unwrap();
            tcp.set_recv_buffer_size(128 * 1024).unwrap();
            let mut slow = tcp.connect(server.address()).await.unwrap();
            let request = format!(
                "GET /api/v1/streaming/user HTTP/1.1\r\nhost: noren.test\r\nauthorization: Bearer {}\r\n\r\n",
                alice.token
            );
            slow.write_all(request.as_bytes()).await.unwrap();
            slow.readable().await.unwrap();
            let mut quick = socket(&server, &alice, "user").await;
            let posted = post(&alice, &"x".repeat(300_000)).await;
            let status = id(&posted).parse().unwrap();
            // More than the queue and the kernel hold for a connection. Who keeps up gets it all.
            for _ in 0..60 {
                server.db().events().send(domain::events::Event::StatusEdited { status });
                event(&mut quick).await;
            }
            let mut rest = Vec::new();
            // Perhaps with an error, as it was cut.
            let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("an end");
            assert!(!rest.ends_with(b"0\r\n\r\n"), "an answer that ends properly has waited for its reader");
            assert!(rest.starts_with(b"HTTP/1.1 200 OK\r\n"));
        },
    );
}

testkit::on_both_engines! {
    async fn lists_are_heard_by_their_owners(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&alice, &bob).await;
        follow(&alice, &carol).await;
        let list = alice.post("/api/v1/lists", [("title", "x"), ("exclusive", "true")]).await.ok();
        let accounts = format!("/api/v1/lists/{}/accounts", id(&list));
        alice.post(&accounts, [("account_ids[]", bob.account)]).await.ok();
        let mut heard = socket(&server, &alice, &format!("list&list={}", id(&list))).await;
        let mut home = socket(&server, &alice, "user").await;
        let posted = post(&bob, "hello").await;
        let told = |event: &str| (event.to_owned(), id(&posted).to_owned());
        let first = frame(&mut heard).await;
        assert_eq!((&first["stream"], &first["event"]), (&json!(["list", id(&list)]), &json!("update")));
        let payload: Value = serde_json::from_str(first["payload"].as_str().unwrap()).unwrap();
        assert_eq!((&payload["id"], &payload["favourited"]), (&posted["id"], &json!(false)));
        let path = format!("/api/v1/statuses/{}", id(&posted));
        alice.post(&format!("{path}/favourite"), ()).await.ok();
        bob.put(&path, [("status", "hello again")]).await.ok();
        assert_eq!(event(&mut heard).await, told("status.update"));
        let of_carol = post(&carol, "in no list").await;
        bob.delete(&path, ()).await.ok();
        assert_eq!(event(&mut heard).await, told("delete"));
        // The list is exclusive: at home nothing was heard of it but its end.
        assert_eq!(event(&mut home).await, ("update".to_owned(), id(&of_carol).to_owned()));
        alice.delete(&accounts, [("account_ids[]", bob.account)]).await.ok();
        post(&bob, "not in the list any more").await;
        alice.post(&accounts, [("account_ids[]", carol.account)]).await.ok();
        let last = post(&carol, "now in the list").await;
        assert_eq!(event(&mut heard).await, ("update".to_owned(), id(&last).to_owned()));
    }

    async fn others_lists_are_not_heard(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let list = alice.post("/api/v1/lists", [("title", "x")]).await.ok();
        let mut bobs = socket(&server, &bob, "user").await;
        for list in [id(&list), "1", "x", "1 OR 1=1"] {
            let asked = json!({ "type": "subscribe", "stream": "list", "list": list }).to_string();
            bobs.send(Message::text(asked)).await.unwrap();
            let refused = json!({ "error": "Not authorized to stream this list", "status": 401 });
            assert_eq!(frame(&mut bobs).await, refused, "{list}");
            let reply = bob.get("/api/v1/streaming/list", [("list", list)]).await;
            assert_eq!(reply.expect(401)["error"], "Not authorized to stream this list");
        }
        bob.get("/api/v1/streaming/list", ()).await.expect(400);
        let narrow = alice.with_token(&server.token(&alice, "read:lists").await);
        narrow.get("/api/v1/streaming/list", [("list", id(&list))]).await.expect(403);
        let request = alice.request(reqwest::Method::GET, &format!("/api/v1/streaming/list?list={}", id(&list)));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    async fn followed_tags_are_heard_at_home(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        alice.post("/api/v1/tags/cats/follow", ()).await.ok();
        let mut home = socket(&server, &alice, "user").await;
        post(&bob, "no tag").await;
        let posted = post(&bob, "#Cats").await;
        let told = |event: &str| (event.to_owned(), id(&posted).to_owned());
        assert_eq!(event(&mut home).await, told("update"));
        let path = format!("/api/v1/statuses/{}", id(&posted));
        bob.put(&path, [("status", "#cats again")]).await.ok();
        assert_eq!(event(&mut home).await, told("status.update"));
        bob.delete(&path, ()).await.ok();
        assert_eq!(event(&mut home).await, told("delete"));
    }
}
