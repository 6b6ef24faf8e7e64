//! Two engines behind one narrow waist: [`Db`] hands out a [`Conn`] to read and a [`Tx`] to write.
//!
//! SQL is written once, in PostgreSQL's spelling (see `dialect`), only in files named `store.rs` and here.
//! A `Tx` that is dropped is rolled back, also when the request that held it was cancelled in the middle: on SQLite the
//! rollback is queued behind whatever the connection is doing, on PostgreSQL the connection is closed.

mod crowd;
mod dialect;
mod keeping;
mod migrate;
mod params;
mod postgres;
mod row;
mod sqlite;

pub(crate) use crowd::{Crowd, Crowded};
pub use keeping::{Keeping, keeping};
pub use migrate::fingerprint;
pub use params::{Ids, Param, Params, Texts};
pub use row::Row;
pub(crate) use row::{column, stored_enum};

use crate::{Error, Result, Time, events, jobs};
use documented::{Documented, DocumentedFields};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Every SQL text of the program, so that one test can prepare them all on both engines.
#[linkme::distributed_slice]
#[allow(unsafe_code)] // linkme places the list in a section of its own
pub static SQL: [&'static str];

/// Declares constants of SQL text, joined from parts, and registers them in [`SQL`].
#[macro_export]
macro_rules! sql {
    ($($name:ident = $($part:expr),+ $(,)?;)+) => { $(
        const $name: &str = const_format::concatcp!($($part),+);
        const _: () = {
            #[linkme::distributed_slice($crate::db::SQL)]
            #[allow(unsafe_code)]
            static TEXT: &str = $name;
        };
    )+ };
}

/// When an answered write survives a power cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// As soon as it is answered.
    #[default]
    Full,
    /// Within moments: faster writes; a power cut may take the last ones, a crash of the program none.
    Normal,
}

/// Where everything but files is kept.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite` keeps everything in the data directory; `postgres://user:password@host/name` uses PostgreSQL.
    pub url: String,
    /// `full`: what was answered survives a power cut. `normal`: faster, the last moments may be lost. SQLite only.
    pub durability: Durability,
    /// Connections kept for reading (SQLite) or at all (PostgreSQL).
    pub connections: usize,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "sqlite".into(), durability: Durability::Full, connections: 4 }
    }
}

enum Engine {
    Sqlite { readers: Arc<sqlite::Pool>, writer: Arc<sqlite::Pool> },
    Postgres(deadpool_postgres::Pool),
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Arc<Engine>,
    hub: events::Hub,
    wake: jobs::Wake,
    pub(crate) crowds: Crowds,
}

/// What is written together with others of its kind.
#[derive(Clone, Default)]
pub(crate) struct Crowds {
    pub(crate) arrivals: Crowd<crate::arrivals::Taken, bool>,
    pub(crate) ends: Crowd<jobs::End, ()>,
}

impl Db {
    /// Opens the database and brings its tables up to date. `file` is where SQLite keeps it.
    /// Refuses a database that a newer program has written.
    pub async fn open(config: &DatabaseConfig, file: &std::path::Path) -> Result<Self> {
        let db = Self::connect(config, file)?;
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Whether a database is there that was opened before. Makes none.
    pub async fn is_there(config: &DatabaseConfig, file: &std::path::Path) -> Result<bool> {
        if config.url == "sqlite" {
            return Ok(std::fs::metadata(file).is_ok_and(|meta| meta.len() > 0));
        }
        migrate::has_run(&Self::connect(config, file)?).await
    }

    fn connect(config: &DatabaseConfig, file: &std::path::Path) -> Result<Self> {
        let engine = match config.url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Engine::Postgres(postgres::pool(config)?),
            None if config.url == "sqlite" => {
                let version = sqlite::Version::default();
                let writer = sqlite::Pool::open(file, 1, config.durability, &version)?;
                let readers = sqlite::Pool::open(file, config.connections.max(1), config.durability, &version)?;
                Engine::Sqlite { readers, writer }
            }
            _ => return Err(Error::invalid("database.url", "must be \"sqlite\" or start with postgres://")),
        };
        Ok(Self {
            engine: Arc::new(engine),
            hub: events::Hub::default(),
            wake: jobs::Wake::default(),
            crowds: Crowds::default(),
        })
    }

    /// Where live events can be heard.
    pub fn events(&self) -> &events::Hub {
        &self.hub
    }

    /// Rings when a job was added by this process.
    pub fn wake(&self) -> &jobs::Wake {
        &self.wake
    }

    /// A connection for reading by index: on SQLite its statements run on the asking thread, so that they have to be
    /// short. [`Error::Busy`] when none is free for ten seconds.
    pub async fn read(&self) -> Result<Conn> {
        self.reader(sqlite::Place::Here).await
    }

    /// As [`Db::read`], for statements that may read much: searches, counts.
    pub async fn read_long(&self) -> Result<Conn> {
        self.reader(sqlite::Place::Aside).await
    }

    async fn reader(&self, place: sqlite::Place) -> Result<Conn> {
        Ok(Conn(match &*self.engine {
            Engine::Sqlite { readers, .. } => Inner::Sqlite(readers.lease(sqlite::Mode::Read, place).await?),
            Engine::Postgres(pool) => Inner::Postgres(postgres::Lease::of(pool).await?),
        }))
    }

    /// Starts a transaction. SQLite has one writer: keep it short and keep the network out of it.
    pub async fn begin(&self) -> Result<Tx> {
        self.writer(sqlite::Place::Here).await
    }

    /// As [`Db::begin`], for statements that write or read much: feeds made anew, accounts removed.
    pub async fn begin_long(&self) -> Result<Tx> {
        self.writer(sqlite::Place::Aside).await
    }

    /// Deletes what may be very much: `prune`, which takes at most `batch` rows, in a transaction of its own again and
    /// again until it finds fewer. How many went.
    pub(crate) async fn in_batches<P>(&self, batch: i64, prune: P) -> Result<u64>
    where
        P: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<u64>>,
    {
        let mut gone = 0;
        loop {
            let tx = self.begin_long().await?;
            let n = prune(&tx).await?;
            tx.commit().await?;
            gone += n;
            if n < batch.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    async fn writer(&self, place: sqlite::Place) -> Result<Tx> {
        let inner = match &*self.engine {
            Engine::Sqlite { writer, .. } => Inner::Sqlite(writer.lease(sqlite::Mode::Write, place).await?),
            Engine::Postgres(pool) => {
                let mut lease = postgres::Lease::of(pool).await?;
                lease.begin().await?;
                Inner::Postgres(lease)
            }
        };
        Ok(Tx { conn: Conn(inner), now: Time::now(), db: self.clone(), events: Vec::new(), jobs: false })
    }

    pub fn is_postgres(&self) -> bool {
        matches!(&*self.engine, Engine::Postgres(_))
    }

    /// Connections in use or open transactions, for tests that look for leaks: all must be back within moments.
    pub fn idle(&self) -> bool {
        match &*self.engine {
            Engine::Sqlite { readers, writer } => readers.idle() && writer.idle(),
            Engine::Postgres(pool) => {
                let s = pool.status();
                s.available >= s.size
            }
        }
    }
}

/// A connection. Statements sent together with `join` travel together on both engines.
/// What PostgreSQL's answers take is kept apart, in a box: every future of the program that asks anything is as large
/// as the largest of these, and is moved more than once.
pub struct Conn(Inner);

enum Inner {
    Sqlite(sqlite::Lease),
    Postgres(postgres::Lease),
}

impl Conn {
    /// Runs a statement; the number of rows it touched.
    pub async fn exec(&self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        match &self.0 {
            Inner::Sqlite(lease) => lease.exec(sql, params).await,
            Inner::Postgres(lease) => Box::pin(lease.exec(sql, params)).await,
        }
    }

    /// All rows. The statement bounds how many.
    pub async fn all<T: Row>(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<T>> {
        match &self.0 {
            Inner::Sqlite(lease) => lease.all(sql, params).await,
            Inner::Postgres(lease) => Box::pin(lease.all(sql, params)).await,
        }
    }

    /// The first row, if there is one.
    pub async fn opt<T: Row>(&self, sql: &'static str, params: Params<'_>) -> Result<Option<T>> {
        Ok(self.all(sql, params).await?.into_iter().next())
    }

    /// The first row; [`Error::NotFound`] without one.
    pub async fn one<T: Row>(&self, sql: &'static str, params: Params<'_>) -> Result<T> {
        self.opt(sql, params).await?.ok_or(Error::NotFound)
    }

    /// Whether any row comes.
    pub async fn exists(&self, sql: &'static str, params: Params<'_>) -> Result<bool> {
        Ok(self.opt::<(i64,)>(sql, params).await?.is_some())
    }

    /// Several statements without parameters: migrations.
    async fn batch(&self, sql: &str) -> Result<()> {
        match &self.0 {
            Inner::Sqlite(lease) => lease.batch(sql.to_owned()).await,
            Inner::Postgres(lease) => lease.batch(sql).await,
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.0, Inner::Postgres(_))
    }

    /// Prepares a statement without running it; used by the test that tries every text in [`SQL`].
    pub async fn prepare(&self, sql: &'static str) -> Result<()> {
        match &self.0 {
            Inner::Sqlite(lease) => lease.prepare(sql),
            Inner::Postgres(lease) => lease.prepare(sql).await,
        }
    }
}

/// One transaction: rows, jobs and live events that become true together.
pub struct Tx {
    conn: Conn,
    /// The one instant of everything written here.
    pub now: Time,
    db: Db,
    events: Vec<events::Event>,
    jobs: bool,
}

impl std::ops::Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl Tx {
    /// Adds a job that runs once this transaction is committed.
    pub async fn enqueue(&mut self, job: jobs::Job) -> Result<()> {
        self.enqueue_at(job, self.now).await
    }

    /// Adds a job that runs at `at` or soon after.
    pub async fn enqueue_at(&mut self, job: jobs::Job, at: Time) -> Result<()> {
        self.jobs = true;
        jobs::insert(self, &job, at).await
    }

    /// Adds jobs that run once this transaction is committed.
    pub(crate) async fn enqueue_all(&mut self, jobs: &[jobs::Job]) -> Result<()> {
        self.enqueue_all_at(jobs, self.now).await
    }

    /// Adds jobs that run at `at` or soon after.
    pub(crate) async fn enqueue_all_at(&mut self, jobs: &[jobs::Job], at: Time) -> Result<()> {
        self.jobs |= !jobs.is_empty();
        futures_util::future::try_join_all(jobs.iter().map(|job| jobs::insert(self, job, at))).await?;
        Ok(())
    }

    /// A live event, told to listeners after the commit.
    pub fn publish(&mut self, event: events::Event) {
        self.events.push(event);
    }

    /// Makes it true, then tells.
    pub async fn commit(mut self) -> Result<()> {
        match &mut self.conn.0 {
            Inner::Sqlite(lease) => lease.commit().await?,
            Inner::Postgres(lease) => lease.commit().await?,
        }
        for event in self.events.drain(..) {
            self.db.hub.send(event);
        }
        if self.jobs {
            self.db.wake.ring();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
