//! SQLite: one connection that writes and several that read.
//!
//! Short statements run where they are asked for: handing each to another thread cost more than most of them take.
//! What may wait for the disk or for another process (BEGIN IMMEDIATE, COMMIT) and work that is known to be long runs
//! aside, on the blocking pool.
//!
//! A connection for reading that is asked a second time opens a transaction, which spares the locks of every further
//! statement. It is opened anew as soon as this process has written anything: nobody reads past their own write.

use super::{Durability, Params, Row, dialect, keeping, params};
use crate::{Error, Result};
use rusqlite::{
    CachedStatement, Connection, ToSql,
    config::DbConfig,
    types::{ToSqlOutput, Value, ValueRef},
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicU8, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

/// How long to wait for a connection before saying that we are busy.
const PATIENCE: Duration = Duration::from_secs(10);

type Shared = Arc<Mutex<Connection>>;

/// Connections of one kind: one writer, or several readers. Waiting is first come, first served.
pub(super) struct Pool {
    idle: Mutex<Vec<Shared>>,
    free: Arc<Semaphore>,
    size: usize,
    /// How often this process has written.
    version: Version,
}

pub(super) type Version = Arc<AtomicU64>;

/// What a lease is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    /// BEGIN is sent with the first statement.
    Write,
}

/// Where its statements run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    Aside,
}

impl Pool {
    /// The pools of one database share `version`.
    pub(super) fn open(file: &Path, size: usize, durability: Durability, version: &Version) -> Result<Arc<Self>> {
        let idle = (0..size).map(|_| connect(file, durability)).collect::<Result<Vec<_>>>()?;
        let (idle, free) = (Mutex::new(idle), Arc::new(Semaphore::new(size)));
        Ok(Arc::new(Self { idle, free, size, version: version.clone() }))
    }

    pub(super) async fn lease(self: &Arc<Self>, mode: Mode, place: Place) -> Result<Lease> {
        let is_short = (mode, place) == (Mode::Read, Place::Here);
        if is_short && let Some(kept) = keeping::take(|kept| Arc::ptr_eq(&kept.home, self)) {
            return Ok(kept);
        }
        let permit = match self.free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => match tokio::time::timeout(PATIENCE, self.free.clone().acquire_owned()).await {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) => return Err(Error::internal("the database pool is closed")),
                Err(_) => return Err(Error::Busy(Duration::from_secs(1))),
            },
        };
        let conn = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = conn.ok_or_else(|| Error::internal("a permit without a connection"))?;
        let phase = AtomicU8::new(match (mode, place) {
            (Mode::Write, _) => DUE,
            // Somebody will ask again.
            (Mode::Read, Place::Here) if keeping::keeps() => ASKED,
            (Mode::Read, Place::Here) => UNASKED,
            (Mode::Read, Place::Aside) => NONE,
        });
        let seen = AtomicU64::new(0);
        let (conn, begun, permit) = (Some(conn), OnceCell::new(), Some(permit));
        Ok(Lease { conn, home: self.clone(), place, phase, begun, seen, permit })
    }

    pub(super) fn idle(&self) -> bool {
        self.free.available_permits() == self.size
    }

    fn take_back(&self, conn: Shared) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
    }
}

fn connect(file: &Path, durability: Durability) -> Result<Shared> {
    let conn = Connection::open(file).map_err(|e| anyhow::anyhow!("cannot open {}: {e}", file.display()))?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(400);
    // Without it the planner looks at bound values (a LIMIT, a LIKE) and makes the plan anew for each: that was half of
    // what a page cost. https://www.sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfigenableqpsg
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
    conn.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA foreign_keys=ON; \
         PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000; \
         PRAGMA journal_size_limit=67108864;"
    ))?;
    Ok(Arc::new(Mutex::new(conn)))
}

// Phases of a lease's transaction. Writing: DUE, OPEN, NONE. Reading: UNASKED, ASKED, READING.
const NONE: u8 = 0;
const DUE: u8 = 1;
const OPEN: u8 = 2;
const UNASKED: u8 = 3;
const ASKED: u8 = 4;
const READING: u8 = 5;

/// One connection, lent. Goes home when dropped, rolled back if it was in a transaction.
pub(super) struct Lease {
    conn: Option<Shared>,
    home: Arc<Pool>,
    place: Place,
    phase: AtomicU8,
    /// What several statements sent together wait for: before the transaction is open none of them may run.
    begun: OnceCell<()>,
    /// The version that a transaction for reading sees, or an older one.
    seen: AtomicU64,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        let phase = *self.phase.get_mut();
        if matches!(phase, ASKED | READING) && keeping::has_room() {
            let (phase, seen) = (AtomicU8::new(phase), AtomicU64::new(*self.seen.get_mut()));
            let (home, permit) = (self.home.clone(), self.permit.take());
            let (conn, begun) = (Some(conn), OnceCell::new());
            return keeping::put(Lease { conn, home, place: self.place, phase, begun, seen, permit });
        }
        // Work aside may go on although nobody waits for it any more: then the connection is not ours alone.
        let busy = Arc::strong_count(&conn) > 1;
        if *self.phase.get_mut() == READING {
            let _ = run(&conn.lock().unwrap_or_else(PoisonError::into_inner), "COMMIT");
        }
        if !busy && (*self.phase.get_mut() != OPEN || self.place == Place::Here) {
            roll_back(&conn.lock().unwrap_or_else(PoisonError::into_inner));
            self.home.take_back(conn);
            return;
        }
        let (home, permit) = (self.home.clone(), self.permit.take());
        let clean = move || {
            roll_back(&conn.lock().unwrap_or_else(PoisonError::into_inner));
            home.take_back(conn);
            drop(permit);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(clean)),
            Err(_) => clean(),
        }
    }
}

fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.raw_execute().map(drop)
}

fn roll_back(conn: &Connection) {
    if !conn.is_autocommit() {
        let _ = conn.execute_batch("ROLLBACK");
    }
}

impl Lease {
    fn shared(&self) -> Result<&Shared> {
        self.conn.as_ref().ok_or_else(|| Error::internal("a connection used after its end"))
    }

    fn here<R>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R> {
        let conn = self.shared()?.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_again(&conn)?;
        Ok(work(&conn)?)
    }

    /// Before each statement of a lease for reading. BEGIN alone takes no lock and waits for nobody.
    fn look_again(&self, conn: &Connection) -> rusqlite::Result<()> {
        let phase = self.phase.load(Relaxed);
        if phase == UNASKED {
            self.phase.store(ASKED, Relaxed);
        } else if phase == ASKED || phase == READING {
            let now = self.home.version.load(Acquire);
            if phase == READING && self.seen.load(Relaxed) != now {
                run(conn, "COMMIT")?;
                self.phase.store(ASKED, Relaxed);
            }
            if self.phase.load(Relaxed) == ASKED {
                run(conn, "BEGIN")?;
                self.seen.store(now, Relaxed);
                self.phase.store(READING, Relaxed);
            }
        }
        Ok(())
    }

    async fn aside<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R> {
        let conn = self.shared()?.clone();
        let done = tokio::task::spawn_blocking(move || work(&conn.lock().unwrap_or_else(PoisonError::into_inner)));
        Ok(done.await??)
    }

    /// Opens the transaction if it is due. Another process may be writing: that is waited for aside.
    async fn begin(&self) -> Result<()> {
        match self.phase.load(Acquire) {
            DUE => Box::pin(self.begun.get_or_try_init(async || self.open().await)).await.map(drop),
            _ => Ok(()),
        }
    }

    async fn open(&self) -> Result<()> {
        // Whoever began before may have been dropped while the connection went on with it.
        self.aside(|conn| if conn.is_autocommit() { conn.execute_batch("BEGIN IMMEDIATE") } else { Ok(()) }).await?;
        self.phase.store(OPEN, Release);
        Ok(())
    }

    pub(super) async fn exec(&self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        self.begin().await?;
        match self.place {
            Place::Here => self.here(|conn| exec(conn, sql, &Values(params))),
            Place::Aside => {
                let params = params::owned(params)?;
                Box::pin(self.aside(move |conn| exec(conn, sql, &params))).await
            }
        }
    }

    pub(super) async fn all<T: Row>(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<T>> {
        self.begin().await?;
        match self.place {
            Place::Here => self.here(|conn| all(conn, sql, &Values(params))),
            Place::Aside => {
                let params = params::owned(params)?;
                Box::pin(self.aside(move |conn| all(conn, sql, &params))).await
            }
        }
    }

    pub(super) async fn batch(&self, sql: String) -> Result<()> {
        self.begin().await?;
        self.aside(move |conn| conn.execute_batch(&sql)).await
    }

    pub(super) fn prepare(&self, sql: &'static str) -> Result<()> {
        let forms = dialect::forms(sql);
        self.here(|conn| [&forms.many, &forms.one].into_iter().try_for_each(|form| conn.prepare(form).map(drop)))
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        if *self.phase.get_mut() == OPEN {
            self.aside(|conn| conn.execute_batch("COMMIT")).await?;
            self.home.version.fetch_add(1, AcqRel);
        }
        self.phase.store(NONE, Release);
        Ok(())
    }
}

/// Values to bind, lent or owned.
trait Bound {
    fn len(&self) -> usize;
    fn at(&self, index: usize) -> &dyn ToSql;
}

struct Values<'a>(Params<'a>);

impl Bound for Values<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn at(&self, index: usize) -> &dyn ToSql {
        self.0[index].sqlite()
    }
}

impl Bound for Vec<Value> {
    fn len(&self) -> usize {
        self.len()
    }
    fn at(&self, index: usize) -> &dyn ToSql {
        &self[index]
    }
}

fn exec(conn: &Connection, sql: &'static str, params: &impl Bound) -> rusqlite::Result<u64> {
    Ok(bound(conn, sql, params)?.raw_execute()? as u64)
}

fn all<T: Row>(conn: &Connection, sql: &'static str, params: &impl Bound) -> rusqlite::Result<Vec<T>> {
    let mut statement = bound(conn, sql, params)?;
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(T::from_sqlite(row)?);
    }
    Ok(out)
}

/// The statement in the form that fits its values, with them.
fn bound<'c>(conn: &'c Connection, sql: &'static str, params: &impl Bound) -> rusqlite::Result<CachedStatement<'c>> {
    let forms = dialect::forms(sql);
    let is_one = |list: &usize| match *list < params.len() {
        true => params.at(*list).to_sql().map(|value| is_number(&value)),
        false => Ok(false),
    };
    let mut single = !forms.lists.is_empty();
    for list in &forms.lists {
        single = single && is_one(list)?;
    }
    let mut statement = conn.prepare_cached(if single { &forms.one } else { &forms.many })?;
    for index in 0..params.len() {
        statement.raw_bind_parameter(index + 1, params.at(index))?;
    }
    Ok(statement)
}

fn is_number(value: &ToSqlOutput<'_>) -> bool {
    matches!(value, ToSqlOutput::Owned(Value::Integer(_)) | ToSqlOutput::Borrowed(ValueRef::Integer(_)))
}
