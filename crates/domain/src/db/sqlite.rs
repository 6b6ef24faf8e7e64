//! SQLite: each connection lives on a thread of its own; work is sent to it and answers come back.

use super::{Durability, Params, Row, dialect, params};
use crate::{Error, Result};
use rusqlite::{Connection, types::Value};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering::AcqRel, Ordering::Acquire, Ordering::Release},
        mpsc,
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

type Task = Box<dyn FnOnce(&Connection) + Send>;

/// How long to wait for a connection before saying that we are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections of one kind: one writer, or several readers. Waiting is first come, first served.
pub(super) struct Pool {
    idle: Mutex<Vec<mpsc::Sender<Task>>>,
    free: Arc<Semaphore>,
    size: usize,
}

/// What a lease is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    /// BEGIN is sent with the first statement.
    Write,
}

impl Pool {
    pub(super) fn open(file: &Path, size: usize, durability: Durability) -> Result<Arc<Self>> {
        let idle = (0..size).map(|n| spawn(file, n, durability)).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(Self { idle: Mutex::new(idle), free: Arc::new(Semaphore::new(size)), size }))
    }

    pub(super) async fn lease(self: &Arc<Self>, mode: Mode) -> Result<Lease> {
        let wait = tokio::time::timeout(PATIENCE, self.free.clone().acquire_owned());
        let permit = match wait.await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(Error::internal("the database pool is closed")),
            Err(_) => return Err(Error::Busy(Duration::from_secs(1))),
        };
        let thread = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let thread = thread.ok_or_else(|| Error::internal("a permit without a connection"))?;
        let phase = AtomicU8::new(if mode == Mode::Write { DUE } else { NONE });
        Ok(Lease { thread: Some(thread), home: self.clone(), phase, _permit: permit })
    }

    pub(super) fn idle(&self) -> bool {
        self.free.available_permits() == self.size
    }
}

fn spawn(file: &Path, number: usize, durability: Durability) -> Result<mpsc::Sender<Task>> {
    let conn = Connection::open(file).map_err(|e| anyhow::anyhow!("cannot open {}: {e}", file.display()))?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(400);
    let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
    conn.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA foreign_keys=ON; \
         PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000; \
         PRAGMA journal_size_limit=67108864;"
    ))?;
    let (tx, rx) = mpsc::channel::<Task>();
    std::thread::Builder::new().name(format!("sqlite-{number}")).spawn(move || {
        for task in rx {
            // A panic in a row's conversion must cost one answer, not the connection.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task(&conn)));
        }
    })?;
    Ok(tx)
}

// Phases of a lease's transaction.
const NONE: u8 = 0;
const DUE: u8 = 1;
const OPEN: u8 = 2;

/// One connection, lent. Goes home when dropped, rolled back if it was in a transaction.
pub(super) struct Lease {
    thread: Option<mpsc::Sender<Task>>,
    home: Arc<Pool>,
    phase: AtomicU8,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if *self.phase.get_mut() != NONE {
            // Queued behind whatever still runs: the next holder finds a clean connection.
            let _ = thread.send(Box::new(|conn| {
                if !conn.is_autocommit() {
                    let _ = conn.execute_batch("ROLLBACK");
                }
            }));
        }
        self.home.idle.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }
}

impl Lease {
    async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R> {
        let begin = self.phase.compare_exchange(DUE, OPEN, AcqRel, Acquire).is_ok();
        let (tx, rx) = oneshot::channel();
        let task: Task = Box::new(move |conn| {
            let answer = if begin { conn.execute_batch("BEGIN IMMEDIATE").and_then(|()| work(conn)) } else { work(conn) };
            let _ = tx.send(answer);
        });
        let thread = self.thread.as_ref().ok_or_else(|| Error::internal("a connection used after its end"))?;
        thread.send(task).map_err(|_| Error::internal("a database thread has ended"))?;
        Ok(rx.await.map_err(|_| Error::internal("a database thread dropped its work"))??)
    }

    pub(super) async fn exec(&self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        let params = params::owned(params)?;
        self.call(move |conn| {
            let mut statement = conn.prepare_cached(&dialect::sqlite(sql))?;
            bind(&mut statement, &params)?;
            Ok(statement.raw_execute()? as u64)
        })
        .await
    }

    pub(super) async fn all<T: Row>(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<T>> {
        let params = params::owned(params)?;
        self.call(move |conn| {
            let mut statement = conn.prepare_cached(&dialect::sqlite(sql))?;
            bind(&mut statement, &params)?;
            let mut rows = statement.raw_query();
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(T::from_sqlite(row)?);
            }
            Ok(out)
        })
        .await
    }

    pub(super) async fn batch(&self, sql: String) -> Result<()> {
        self.call(move |conn| conn.execute_batch(&sql)).await
    }

    pub(super) async fn prepare(&self, sql: &'static str) -> Result<()> {
        self.call(move |conn| conn.prepare_cached(&dialect::sqlite(sql)).map(drop)).await
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        if *self.phase.get_mut() == OPEN {
            self.batch("COMMIT".into()).await?;
        }
        self.phase.store(NONE, Release);
        Ok(())
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    for (i, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(i + 1, value)?;
    }
    Ok(())
}
