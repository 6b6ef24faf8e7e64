//! Several servers in this process that reach each other: each at its own port of localhost, over plain http.

use crate::server::{Engine, TestServer};
use domain::Time;
use domain::jobs::{self, State};
use std::future::Future;
use std::time::{Duration, Instant};

/// How long they may take to tell each other everything.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is put off for no longer than this is waited for.
const SOON: Duration = Duration::from_secs(5);

/// Runs one test on two servers that know nothing of each other yet; does nothing when this engine is left out.
pub fn run_pair<F: Future<Output = ()>>(engine: Engine, body: impl FnOnce(TestServer, TestServer) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let (Some(a), Some(b)) = (TestServer::start_reachable(engine).await, TestServer::start_reachable(engine).await)
        else {
            return;
        };
        body(a.clone(), b.clone()).await;
        settle_all(&[&a, &b]).await;
        a.finish().await;
        b.finish().await;
    });
    runtime.shutdown_background();
}

impl TestServer {
    /// A server whose name is where it listens, so that others can ask it. None when this engine is left out.
    ///
    /// # Panics
    /// When the server does not start.
    pub async fn start_reachable(engine: Engine) -> Option<Self> {
        Self::start_reachable_with(engine, |_| {}).await
    }

    /// The same with another configuration.
    ///
    /// # Panics
    /// When the server does not start.
    pub async fn start_reachable_with(engine: Engine, more: impl FnOnce(&mut noren::config::Config)) -> Option<Self> {
        let port = crate::free_port();
        let change = |config: &mut noren::config::Config| {
            config.site.domain = None;
            config.server.listen.0.set_port(port);
            more(config);
        };
        Self::start_with(engine, change).await
    }

    /// What others call somebody here: `name@localhost:PORT`.
    pub fn handle(&self, name: &str) -> String {
        self.parts().site.handle(name)
    }
}

/// Waits until none of the servers has anything left to do, and none has caused anything for another.
///
/// # Panics
/// When a job failed, or it takes too long.
pub async fn settle_all(servers: &[&TestServer]) {
    let deadline = Instant::now() + PATIENCE;
    let mut quiet = 0;
    while quiet < 2 {
        assert!(Instant::now() < deadline, "the servers are not done after {PATIENCE:?}");
        for server in servers {
            server.settle().await;
        }
        let mut busy = false;
        for server in servers {
            busy |= is_busy(server).await;
        }
        quiet = if busy { 0 } else { quiet + 1 };
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_busy(server: &TestServer) -> bool {
    let conn = server.db().read().await.expect("a connection");
    let all = jobs::list_all(&conn, 3000).await.expect("the jobs");
    let soon = Time::now().plus(SOON);
    all.iter().any(|job| job.state == State::Running || job.state == State::Waiting && job.run_at <= soon)
}

/// Makes of each function two tests, `name::sqlite` and `name::postgres`, each with two servers of its own that reach
/// each other and must have nothing left to do in the end.
#[macro_export]
macro_rules! between_two_servers {
    ($($(#[$meta:meta])* async fn $name:ident($a:ident: $kind:ty, $b:ident: $other:ty) $body:block)+) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($a: $kind, $b: $other) $body

            #[test]
            fn sqlite() {
                $crate::run_pair($crate::Engine::Sqlite, body);
            }
            #[test]
            fn postgres() {
                $crate::run_pair($crate::Engine::Postgres, body);
            }
        }
    )+ };
}
