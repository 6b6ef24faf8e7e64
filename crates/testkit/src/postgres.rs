//! A private PostgreSQL for tests and one fresh database in it for each test.
//!
//! `NOREN_TEST_POSTGRES` names a server that already runs (`scripts/test` starts one for all test
//! programs). Without it, each test program starts its own through `scripts/postgres run`, which
//! stops and removes the server as soon as the program is gone, however it ended.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use tokio_postgres::NoTls;
use url::Url;

/// An empty database for one test. Dropping it disconnects who still uses it and deletes it.
#[derive(Debug)]
pub struct TestDatabase {
    /// What `database.url` takes.
    pub url: String,
    name: String,
    server: Url,
}

/// A fresh database, or None when `NOREN_TEST_ENGINES=sqlite` leaves PostgreSQL out.
///
/// # Panics
/// When PostgreSQL is wanted but not to be had: a test that silently skips an engine proves nothing.
pub fn database() -> Option<TestDatabase> {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|engines| engines == "sqlite") {
        return None;
    }
    match fresh() {
        Ok(database) => Some(database),
        Err(error) => panic!(
            "no PostgreSQL for tests: {error:#}\n\
             (scripts/test installs what is missing; NOREN_TEST_ENGINES=sqlite leaves PostgreSQL out)"
        ),
    }
}

fn fresh() -> anyhow::Result<TestDatabase> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let server = server()?;
    let micros = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("noren_{}_{micros}_{count}", std::process::id());
    execute(&server, format!("CREATE DATABASE {name} TEMPLATE template0"))?;
    let mut url = server.clone();
    url.set_path(&name);
    Ok(TestDatabase { url: url.into(), name, server })
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = execute(&self.server, sql) {
            eprintln!("test database {} stays behind: {error:#}", self.name);
        }
    }
}

/// Runs one statement from a thread of its own: the caller may be inside a runtime or in a `Drop`.
fn execute(server: &Url, sql: String) -> anyhow::Result<()> {
    let url = server.to_string();
    let work = move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            let connection = tokio::spawn(connection);
            client.batch_execute(&sql).await?;
            drop(client);
            Ok(connection.await??)
        })
    };
    std::thread::spawn(work).join().unwrap_or_else(|_| bail!("the thread for PostgreSQL panicked"))
}

/// The URL of the server to use, started at the first call.
fn server() -> anyhow::Result<Url> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    match server {
        Ok(server) => Ok(server.url.clone()),
        Err(why) => bail!("{why}"),
    }
}

struct Server {
    url: Url,
    /// Held open for the life of the program: its end, by exit or by kill, ends the server.
    _lifeline: Option<(Child, ChildStdin)>,
}

fn start() -> anyhow::Result<Server> {
    if let Ok(url) = std::env::var("NOREN_TEST_POSTGRES") {
        let url = Url::parse(&url).context("NOREN_TEST_POSTGRES is no URL")?;
        return Ok(Server { url, _lifeline: None });
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let mut child = Command::new(&script)
        .arg("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} does not start", script.display()))?;
    let (Some(stdin), Some(stdout), Some(mut stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        bail!("no pipes to {}", script.display());
    };
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    match Url::parse(line.trim()) {
        Ok(url) => Ok(Server { url, _lifeline: Some((child, stdin)) }),
        Err(_) => {
            let mut why = String::new();
            stderr.read_to_string(&mut why)?;
            bail!("{}", why.trim());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_has_a_database_of_its_own_that_goes_with_it() {
        let (Some(one), Some(two)) = (database(), database()) else {
            return;
        };
        assert_ne!(one.url, two.url);
        let url = Url::parse(&one.url).unwrap();
        execute(&url, "CREATE TABLE things (id BIGINT)".to_owned()).unwrap();
        let other = Url::parse(&two.url).unwrap();
        assert!(execute(&other, "SELECT id FROM things".to_owned()).is_err());
        drop(one);
        assert!(execute(&url, "SELECT 1".to_owned()).is_err());
    }
}
