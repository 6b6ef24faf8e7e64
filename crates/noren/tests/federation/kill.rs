//! Two programs, and `kill -9`: what one told the other arrives, and once.

use domain::Db;
use domain::db::DatabaseConfig;
use domain::jobs::{self, Release};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::postgres::{self, TestDatabase};

const POSTS: usize = 60;
/// From the kill until all has arrived, the waiting for a server that was down cut short.
const PATIENCE: Duration = Duration::from_secs(60);

struct Site {
    data: tempfile::TempDir,
    /// None: the embedded one.
    database: Option<TestDatabase>,
    port: u16,
    token: String,
    client: reqwest::Client,
}

/// A running server; killed for good when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    fn new(name: &str, database: Option<TestDatabase>) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (data, client) = (tempfile::tempdir().unwrap(), reqwest::Client::new());
        let mut site = Self { data, database, port, token: String::new(), client };
        site.line(&["account", "create", name, "--email", "somebody@example.com", "--owner"]);
        site.token = site.line(&["token", "create", name, "--scopes", "read write follow"]);
        site
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noren"));
        let listen = format!("127.0.0.1:{}", self.port);
        command.args(args).arg("--data").arg(self.data.path());
        command.env("NOREN_RATE_LIMITS__ENABLED", "false").env("NOREN_SERVER__LISTEN", listen);
        if let Some(database) = &self.database {
            command.env("NOREN_DATABASE__URL", &database.url);
        }
        command
    }

    fn line(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
    }

    fn serve(&self) -> Server {
        let mut command = self.command(&["serve"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http"), "{line:?}");
        Server(process)
    }

    /// Serves again after a kill. Where others may work at the same jobs, those that were begun are taken up when their
    /// lease has run out: that is what is cut short here.
    async fn serve_again(&self) -> Server {
        if let Some(database) = &self.database {
            let config = DatabaseConfig { url: database.url.clone(), connections: 1, ..DatabaseConfig::default() };
            let db = Db::open(&config, self.data.path()).await.unwrap();
            jobs::release(&db, Release::All).await.unwrap();
        }
        self.serve()
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    async fn get(&self, path: &str) -> Value {
        let sent = self.client.get(self.url(path)).bearer_auth(&self.token).send().await.unwrap();
        sent.json().await.unwrap()
    }

    /// None: nobody answered.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Value> {
        let sent = self.client.post(self.url(path)).bearer_auth(&self.token).form(fields).send().await.ok()?;
        sent.json().await.ok()
    }

    /// The texts of the home timeline, sorted.
    async fn texts(&self) -> Vec<String> {
        let (mut texts, mut path) = (Vec::new(), "/api/v1/timelines/home?limit=40".to_owned());
        loop {
            let page = self.get(&path).await;
            let Some(last) = page.as_array().and_then(|list| list.last()) else { break };
            path = format!("/api/v1/timelines/home?limit=40&max_id={}", last["id"].as_str().unwrap());
            texts.extend(page.as_array().unwrap().iter().map(|s| s["content"].as_str().unwrap().to_owned()));
        }
        texts.sort();
        texts
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    nothing_that_was_told_is_lost_or_comes_twice(Site::new("alice", None), Site::new("bob", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let (Some(a), Some(b)) = (postgres::database(), postgres::database()) else { return };
    nothing_that_was_told_is_lost_or_comes_twice(Site::new("alice", Some(a)), Site::new("bob", Some(b))).await;
}

async fn nothing_that_was_told_is_lost_or_comes_twice(a: Site, b: Site) {
    let (mut at_a, mut at_b) = (a.serve(), b.serve());
    let found = b.get(&format!("/api/v2/search?resolve=true&q=@alice@localhost:{}", a.port)).await;
    let alice = found["accounts"][0]["id"].as_str().unwrap().to_owned();
    b.post(&format!("/api/v1/accounts/{alice}/follow"), &[]).await.unwrap();
    until("the follow", async || {
        b.get(&format!("/api/v1/accounts/relationships?id[]={alice}")).await[0]["following"] == true
    })
    .await;

    let mut posted = Vec::new();
    for n in 0..POSTS {
        let text = format!("post {n:02}");
        if a.post("/api/v1/statuses", &[("status", &text)]).await.is_some() {
            posted.push(format!("<p>{text}</p>"));
        }
        // In the middle of being told, and of telling.
        if n == 15 {
            drop(at_b);
            at_b = b.serve_again().await;
        }
        if n == 35 {
            drop(at_a);
            at_a = a.serve_again().await;
        }
    }
    until("the posts", async || {
        a.line(&["federation", "retry"]);
        b.texts().await.len() >= posted.len()
    })
    .await;
    assert_eq!(b.texts().await, posted);
    assert!(matches!(a.line(&["jobs", "list", "--json"]).trim(), "[]" | ""));
    drop((at_a, at_b));
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what} did not arrive");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
