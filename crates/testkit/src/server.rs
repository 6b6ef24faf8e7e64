//! A whole server in this process: real router, real workers, real sockets, a database of its own.

use crate::client::Client;
use crate::keys::Keys;
use crate::postgres::{self, TestDatabase};
use domain::ids::{AccountId, UserId};
use domain::jobs::{self, JobRow, Queue, State};
use domain::oauth::tokens;
use domain::users::{self, NewUser};
use domain::{Db, Time};
use noren::config::Config;
use noren::server::{self, Parts};
use noren::worker::Rounds;
use std::future::Future;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long jobs may take in a test, and requests to come to their end.
const PATIENCE: Duration = Duration::from_secs(60);
/// A delivery looks again as soon as this whether what comes before it has come.
const TURN: Duration = Duration::from_secs(3);
/// The site's name in tests: the same in every run, whatever port the server got.
const DOMAIN: &str = "noren.test";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A running server. Cheap to clone. [`TestServer::finish`] must be called in the end; [`run`] does.
#[derive(Clone)]
pub struct TestServer(Arc<Inner>);

struct Inner {
    parts: Parts,
    address: SocketAddr,
    client: Client,
    stop: CancellationToken,
    serving: Mutex<Option<JoinHandle<anyhow::Result<()>>>>,
    finished: AtomicBool,
    /// Lent until the test has ended, whatever becomes of the server.
    _keys: Arc<Keys>,
    _database: Option<TestDatabase>,
    _folder: tempfile::TempDir,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        if !self.finished.load(Ordering::Relaxed) && !std::thread::panicking() {
            panic!("a TestServer was dropped without finish(): jobs that are left would go unseen");
        }
    }
}

/// Somebody on a test server. Dereferences to a client that speaks for them.
#[derive(Clone, Debug)]
pub struct Person {
    pub account: AccountId,
    pub user: UserId,
    pub username: String,
    pub token: String,
    client: Client,
}

impl Deref for Person {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Runs one test on a server of its own; does nothing when this engine is left out (NOREN_TEST_ENGINES).
pub fn run<F: Future<Output = ()>>(engine: Engine, body: impl FnOnce(TestServer) -> F) {
    run_with(engine, |_| {}, body);
}

/// The same with another configuration.
pub fn run_with<F: Future<Output = ()>>(
    engine: Engine,
    change: impl FnOnce(&mut Config),
    body: impl FnOnce(TestServer) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let Some(server) = TestServer::start_with(engine, change).await else { return };
        body(server.clone()).await;
        server.finish().await;
    });
    runtime.shutdown_background();
}

impl TestServer {
    /// None when this engine is left out (NOREN_TEST_ENGINES).
    pub async fn start(engine: Engine) -> Option<Self> {
        Self::start_with(engine, |_| {}).await
    }

    /// # Panics
    /// When the server does not start.
    pub async fn start_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::default();
        config.site.domain = Some(DOMAIN.parse().expect("a domain"));
        config.server.data = folder.path().join("data");
        config.server.listen.0 = SocketAddr::from(([127, 0, 0, 1], 0));
        config.database.durability = domain::db::Durability::Normal;
        config.database.connections = 2;
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(tokio::task::spawn_blocking(postgres::with_tables).await.expect("PostgreSQL")?),
        };
        if let Some(database) = &database {
            config.database.url.clone_from(&database.url);
        }
        change(&mut config);
        let sockets = server::listen(&config, server::Sockets::default()).expect("a free port");
        let address = sockets.addresses()[0];
        let mut parts = Parts::open(config).await.expect("a fresh database");
        let keys = Arc::new(Keys::default());
        let lent = keys.clone();
        parts.federation = parts.federation.with_pairs(Box::new(move || Ok(lent.another())));
        let client = Client::new(address, &parts.site.base_url);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::run(parts.clone(), sockets, Rounds::Never, stop.clone()));
        Some(Self(Arc::new(Inner {
            parts,
            address,
            client,
            stop,
            serving: Mutex::new(Some(serving)),
            finished: AtomicBool::new(false),
            _keys: keys,
            _database: database,
            _folder: folder,
        })))
    }

    /// Speaks as a stranger.
    pub fn client(&self) -> &Client {
        &self.0.client
    }
    pub fn db(&self) -> &Db {
        &self.0.parts.db
    }
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Somebody new with a token that may do everything of their own.
    ///
    /// # Panics
    /// When there is somebody of this name already.
    pub async fn person(&self, name: &str) -> Person {
        self.person_with(NewUser::named(name), "read write follow push").await
    }

    /// Somebody made to measure, with a token for these scopes.
    pub async fn person_with(&self, new: NewUser, scopes: &str) -> Person {
        let (user, account) = users::create(self.db(), &self.parts().site, new).await.expect("a new name");
        let scopes = scopes.parse().expect("known scopes");
        let issued = tokens::create(self.db(), user.id, scopes).await.expect("a token");
        let client = self.client().with_token(&issued.token);
        Person { account: account.id, user: user.id, username: account.username, token: issued.token, client }
    }

    /// Another token of somebody, for these scopes.
    ///
    /// # Panics
    /// When a scope is unknown.
    pub async fn token(&self, person: &Person, scopes: &str) -> String {
        let scopes = scopes.parse().expect("known scopes");
        tokens::create(self.db(), person.user, scopes).await.expect("a token").token
    }

    /// Waits until nothing is left to do now.
    ///
    /// # Panics
    /// When a job failed, or takes too long.
    pub async fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        // Twice: states are read one after the other, and a job may pass from one to the next in between.
        let mut quiet = 0;
        while quiet < 2 {
            let due = self.due_jobs().await;
            quiet = if due.is_empty() { quiet + 1 } else { 0 };
            let failed: Vec<_> = due.iter().filter(|job| job.last_error.is_some()).collect();
            assert!(failed.is_empty(), "jobs failed: {failed:#?}");
            assert!(Instant::now() < deadline, "jobs are not done after {PATIENCE:?}: {due:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is due, running, dead, or failed and waiting for another attempt; deliveries also while they wait their turn.
    async fn due_jobs(&self) -> Vec<JobRow> {
        let conn = self.db().read().await.expect("a connection");
        // All states in one look: a job that is taken or given back between two looks would be seen in neither.
        let mut rows = jobs::list_all(&conn, 3000).await.expect("the jobs");
        let now = Time::now();
        let is_due = |job: &JobRow| job.run_at <= if job.queue == Queue::Push { now.plus(TURN) } else { now };
        rows.retain(|job| job.state != State::Waiting || job.last_error.is_some() || is_due(job));
        rows
    }

    /// Stops the server: nothing may be left to do, no connection to the database in use.
    ///
    /// # Panics
    /// When there is.
    pub async fn finish(&self) {
        if self.0.finished.swap(true, Ordering::Relaxed) {
            return;
        }
        self.settle().await;
        self.0.stop.cancel();
        let serving = self.0.serving.lock().expect("no panic").take();
        let ended = tokio::time::timeout(PATIENCE, serving.expect("a server that runs")).await;
        ended.expect("the server stops in time").expect("no panic").expect("no failure");
        for _ in 0..2000 {
            if self.db().idle() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a connection to the database is still in use");
    }
}
