//! Clients that hang up in the middle: whatever the moment, no transaction stays open and no connection is lost.

use crate::{id, post};
use std::time::Duration;
use testkit::TestServer;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Moments after sending at which the client is gone, in microseconds: before, during and after the work.
const MOMENTS: [u64; 12] = [0, 50, 100, 200, 300, 500, 800, 1200, 1800, 2500, 4000, 8000];

testkit::on_both_engines! {
    async fn a_dropped_connection_leaves_no_transaction(server: TestServer) {
        let alice = server.person("alice").await;
        let target = post(&alice, "target").await;
        let token = server.token(&alice, "read write").await;
        let requests = [
            ("POST", "/api/v1/statuses".to_owned(), "status=half+%23tag+%40alice"),
            ("POST", format!("/api/v1/statuses/{}/favourite", id(&target)), ""),
            ("PUT", format!("/api/v1/statuses/{}", id(&target)), "status=changed"),
            ("GET", "/api/v1/timelines/home".to_owned(), ""),
        ];
        for round in 0..3 {
            for (method, path, body) in &requests {
                for moment in MOMENTS {
                    let mut socket = TcpStream::connect(server.address()).await.unwrap();
                    let request = format!(
                        "{method} {path} HTTP/1.1\r\nHost: noren.test\r\nAuthorization: Bearer {token}\r\n\
                         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let sent = if round == 0 { request.len() } else { request.len() - body.len().min(round) };
                    socket.write_all(&request.as_bytes()[..sent]).await.unwrap();
                    tokio::time::sleep(Duration::from_micros(moment)).await;
                    drop(socket);
                }
            }
        }
        // Still able to write, at once and as often as before.
        for n in 0..20 {
            post(&alice, &format!("after {n}")).await;
        }
        let home = alice.get("/api/v1/timelines/home", [("limit", "40")]).await.ok();
        assert!(home.as_array().unwrap().len() >= 21);
        // TestServer::finish() fails when a connection is still in use.
    }
}
