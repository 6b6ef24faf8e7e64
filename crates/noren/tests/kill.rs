//! kill -9 while people post and upload: what was acknowledged is there afterwards, and every job runs.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const ROUNDS: usize = 4;
const CLIENTS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

struct Site {
    data: tempfile::TempDir,
    database: Option<String>,
}

/// A running server; killed for good when dropped.
struct Server {
    process: Child,
    base: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Site {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noren"));
        command.args(args).arg("--data").arg(self.data.path()).env("NOREN_RATE_LIMITS__ENABLED", "false");
        if let Some(url) = &self.database {
            command.env("NOREN_DATABASE__URL", url);
        }
        command
    }

    fn last_line(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
    }

    fn serve(&self, port: u16) -> Server {
        let listen = format!("127.0.0.1:{port}");
        let mut process =
            self.command(&["serve", "--listen", &listen]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // The line with the link is printed when it is ready.
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http"), "{line:?}");
        Server { process, base: format!("http://{listen}") }
    }
}

#[derive(Default)]
struct Acknowledged {
    statuses: Vec<String>,
    uploads: Vec<String>,
}

impl Acknowledged {
    /// Some in each round.
    fn are_enough_after(&self, round: usize) -> bool {
        self.statuses.len().min(self.uploads.len()) > 2 * round + 1
    }
}

fn picture(n: usize) -> Vec<u8> {
    let shade = u8::try_from(n % 251).unwrap();
    let picture = image::RgbImage::from_fn(320, 240, |x, y| image::Rgb([shade, (x % 256) as u8, (y % 256) as u8]));
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

async fn work(base: String, token: String, done: Arc<Mutex<Acknowledged>>, client: usize) {
    let http = reqwest::Client::new();
    for n in 0.. {
        if n % 3 == 0 {
            let part = reqwest::multipart::Part::bytes(picture(n)).file_name("p.png");
            let form = reqwest::multipart::Form::new().part("file", part);
            let sent = http.post(format!("{base}/api/v2/media")).bearer_auth(&token).multipart(form).send().await;
            let Ok(reply) = sent else { return };
            if reply.status() == 202 || reply.status() == 200 {
                let Ok(json) = reply.json::<Value>().await else { return };
                done.lock().unwrap().uploads.push(json["id"].as_str().unwrap().to_owned());
            }
        } else {
            let text = format!("client {client} post {n} #kill");
            let sent =
                http.post(format!("{base}/api/v1/statuses")).bearer_auth(&token).form(&[("status", text)]).send();
            let Ok(reply) = sent.await else { return };
            if reply.status() == 200 {
                let Ok(json) = reply.json::<Value>().await else { return };
                done.lock().unwrap().statuses.push(json["id"].as_str().unwrap().to_owned());
            }
        }
    }
}

async fn verify(base: &str, token: &str, done: &Acknowledged) {
    let http = reqwest::Client::new();
    for id in &done.statuses {
        let reply = http.get(format!("{base}/api/v1/statuses/{id}")).bearer_auth(token).send().await.unwrap();
        assert_eq!(reply.status(), 200, "status {id} was acknowledged and is gone");
    }
    let deadline = Instant::now() + PATIENCE;
    for id in &done.uploads {
        loop {
            let reply = http.get(format!("{base}/api/v1/media/{id}")).bearer_auth(token).send().await.unwrap();
            match reply.status().as_u16() {
                200 => {
                    let json: Value = reply.json().await.unwrap();
                    assert!(json["blurhash"].is_string() && json["url"].is_string());
                    break;
                }
                206 => assert!(Instant::now() < deadline, "upload {id} is never processed"),
                other => panic!("upload {id} was acknowledged and answers {other}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn nothing_acknowledged_is_lost(database: Option<String>) {
    let site = Site { data: tempfile::tempdir().unwrap(), database };
    site.last_line(&["account", "create", "alice", "--email", "alice@example.com", "--owner"]);
    let token = site.last_line(&["token", "create", "alice", "--scopes", "read write"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let done = Arc::new(Mutex::new(Acknowledged::default()));
    for round in 0..ROUNDS {
        let mut server = site.serve(testkit::free_port());
        let started = Instant::now();
        runtime.block_on(async {
            let clients: Vec<_> =
                (0..CLIENTS).map(|n| tokio::spawn(work(server.base.clone(), token.clone(), done.clone(), n))).collect();
            tokio::time::sleep(Duration::from_millis(700 + 333 * round as u64)).await;
            while !done.lock().unwrap().are_enough_after(round) {
                assert!(started.elapsed() < PATIENCE, "too little is done to lose anything");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            server.process.kill().unwrap();
            server.process.wait().unwrap();
            for client in clients {
                client.await.unwrap();
            }
        });
    }
    let done = done.lock().unwrap();
    let server = site.serve(testkit::free_port());
    runtime.block_on(verify(&server.base, &token, &done));
    let dead = site.last_line(&["jobs", "list", "--state", "dead", "--json"]);
    assert!(matches!(dead.trim(), "[]" | ""), "{dead}");
}

#[test]
fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    nothing_acknowledged_is_lost(None);
}

#[test]
fn postgres() {
    let Some(database) = testkit::postgres::database() else { return };
    nothing_acknowledged_is_lost(Some(database.url.clone()));
}
