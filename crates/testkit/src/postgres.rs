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
use domain::{Db, db::DatabaseConfig};
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
    wanted(|server| fresh(server, "template0"))
}

/// The same with all tables in it: a copy of one where they were made once, which takes longer than most tests.
///
/// # Panics
/// As [`database`].
pub fn with_tables() -> Option<TestDatabase> {
    static TEMPLATE: OnceLock<Result<String, String>> = OnceLock::new();
    wanted(|server| {
        let made = TEMPLATE.get_or_init(|| template(server).map_err(|error| format!("{error:#}")));
        match made {
            Ok(template) => fresh(server, template),
            Err(why) => bail!("{why}"),
        }
    })
}

fn wanted(make: impl FnOnce(&Url) -> anyhow::Result<TestDatabase>) -> Option<TestDatabase> {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|engines| engines == "sqlite") {
        return None;
    }
    match server().and_then(|server| make(&server)) {
        Ok(database) => Some(database),
        Err(error) => panic!(
            "no PostgreSQL for tests: {error:#}\n\
             (scripts/test installs what is missing; NOREN_TEST_ENGINES=sqlite leaves PostgreSQL out)"
        ),
    }
}

fn fresh(server: &Url, template: &str) -> anyhow::Result<TestDatabase> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let micros = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("noren_{}_{micros}_{count}", std::process::id());
    execute(server, format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
    let server = server.clone();
    Ok(TestDatabase { url: within(&server, &name), name, server })
}

fn within(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    url.set_path(name);
    url.into()
}

/// The name of a database on this server that has all tables and nothing in them; made when there is none. It stays, for
/// the next test program.
fn template(server: &Url) -> anyhow::Result<String> {
    let name = format!("noren_tables_{:x}", domain::db::fingerprint());
    let (server, template) = (server.clone(), name.clone());
    apart(async move {
        let (client, connection) = tokio_postgres::connect(server.as_str(), NoTls).await?;
        tokio::spawn(connection);
        // Two programs that start together: the second waits here until this one is done, or gone.
        client.batch_execute("SELECT pg_advisory_lock(7064402)").await?;
        if client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&template]).await?.is_none() {
            // Under another name until all of it is there.
            let draft = format!("{template}_draft");
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).await?;
            client.batch_execute(&format!("CREATE DATABASE {draft} TEMPLATE template0")).await?;
            let config = DatabaseConfig { url: within(&server, &draft), connections: 1, ..DatabaseConfig::default() };
            drop(Db::open(&config, Path::new("")).await?);
            // Nobody may be in what is copied, not even who tidies up.
            client.batch_execute(&format!("ALTER DATABASE {draft} ALLOW_CONNECTIONS false")).await?;
            client.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {template}")).await?;
        }
        Ok(())
    })?;
    Ok(name)
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = execute(&self.server, sql) {
            eprintln!("test database {} stays behind: {error:#}", self.name);
        }
    }
}

/// Runs one statement.
fn execute(server: &Url, sql: String) -> anyhow::Result<()> {
    let url = server.to_string();
    apart(async move {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(&sql).await?;
        drop(client);
        Ok(connection.await??)
    })
}

/// Runs this in a thread of its own: the caller may be inside a runtime or in a `Drop`.
fn apart(work: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> anyhow::Result<()> {
    let run = move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work);
    std::thread::spawn(run).join().unwrap_or_else(|_| bail!("the thread for PostgreSQL panicked"))
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
