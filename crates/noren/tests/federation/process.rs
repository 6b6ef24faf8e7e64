//! Whole programs that talk to each other, each with a folder, a port and an owner.

use crate::peer::{Peer, Somebody};
use domain::Db;
use domain::db::DatabaseConfig;
use domain::jobs::{self, Release};
use reqwest::Method;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use testkit::postgres::TestDatabase;

pub(crate) struct Site {
    pub(crate) data: tempfile::TempDir,
    /// None: the embedded one.
    database: Option<Arc<TestDatabase>>,
    pub(crate) port: u16,
    pub(crate) scheme: &'static str,
    token: String,
    pub(crate) client: reqwest::Client,
}

/// A running server; killed for good when dropped.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    pub(crate) fn new(name: &str, database: Option<TestDatabase>) -> Self {
        let mut site = Self::unowned(database);
        site.own(name);
        site
    }

    /// Nobody is there yet.
    pub(crate) fn unowned(database: Option<TestDatabase>) -> Self {
        let port = testkit::free_port();
        // Servers are killed here, and a connection that was kept would be found dead by the next request.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let data = tempfile::tempdir().unwrap();
        let database = database.map(Arc::new);
        Self { data, database, port, scheme: "http", token: String::new(), client }
    }

    /// The same site, by another process with a folder and a port of its own.
    pub(crate) fn beside(&self) -> Self {
        let mut other = Self::unowned(None);
        (other.database, other.token) = (self.database.clone(), self.token.clone());
        other.configure(&format!("[site]\ndomain = \"localhost:{}\"\n", self.port));
        other
    }

    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.data.path().join("noren.toml"), text).unwrap();
    }

    pub(crate) fn own(&mut self, name: &str) {
        self.line(&["account", "create", name, "--email", "somebody@example.com", "--owner"]);
        self.token = self.line(&["token", "create", name, "--scopes", "read write follow"]);
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noren"));
        let listen = format!("127.0.0.1:{}", self.port);
        command.args(args).arg("--data").arg(self.data.path());
        command.env("NOREN_RATE_LIMITS__ENABLED", "false").env("NOREN_SERVER__LISTEN", listen);
        if let Some(database) = &self.database {
            command.env("NOREN_DATABASE__URL", &database.url);
        }
        command
    }

    pub(crate) fn line(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
    }

    pub(crate) fn serve(&self) -> Server {
        let mut command = self.command(&["serve"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http"), "{line:?}");
        Server(process)
    }

    /// Serves again after a kill. Where others may work at the same jobs, those that were begun are taken up when their
    /// lease has run out: that is what is cut short here.
    pub(crate) async fn serve_again(&self) -> Server {
        if self.database.is_some() {
            jobs::release(&self.db().await, Release::All).await.unwrap();
        }
        self.serve()
    }

    /// As a command has it.
    pub(crate) async fn db(&self) -> Db {
        let url = self.database.as_ref().map_or_else(|| "sqlite".to_owned(), |database| database.url.clone());
        let config = DatabaseConfig { url, connections: 1, ..DatabaseConfig::default() };
        Db::open(&config, &self.data.path().join("noren.sqlite3")).await.unwrap()
    }

    /// Sends what somebody of `peer` does; must be taken.
    pub(crate) async fn receives(&self, peer: &Peer, who: &Somebody, activity: &Value) {
        let signed = peer.sign_to(who, self.url("/inbox").parse().unwrap(), (activity, &[]));
        assert_eq!(peer.post(&signed, |_, _| {}).await, 202, "{activity}");
    }

    /// The status of what it answers for a file.
    pub(crate) async fn file(&self, url: &str) -> u16 {
        let path = url.split_once("/media/").unwrap().1;
        self.client.get(self.url(&format!("/media/{path}"))).send().await.unwrap().status().as_u16()
    }

    fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.port)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let sent = self.client.get(self.url(path)).bearer_auth(&self.token).send().await.unwrap();
        sent.json().await.unwrap()
    }

    /// None: nobody answered.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Value> {
        self.call(Method::POST, path, fields).await
    }

    /// The same in any way.
    pub(crate) async fn call(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Option<Value> {
        let asked = self.client.request(method, self.url(path)).bearer_auth(&self.token).form(fields);
        asked.send().await.ok()?.json().await.ok()
    }

    /// The texts of the home timeline, sorted.
    pub(crate) async fn texts(&self) -> Vec<String> {
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
