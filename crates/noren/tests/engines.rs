//! The waist over the two engines: every statement, cancelled work, busy pools, lost servers, newer databases.

#![allow(clippy::unwrap_used)]

use domain::{
    Db, Error,
    db::{DatabaseConfig, SQL},
};
use futures_util::FutureExt;
use std::{sync::Arc, time::Duration};
use testkit::postgres::{self, TestDatabase};
use tokio::sync::Notify;

/// A database of one engine, removed when dropped.
struct World {
    config: DatabaseConfig,
    folder: tempfile::TempDir,
    _postgres: Option<TestDatabase>,
}

impl World {
    fn sqlite() -> Option<Self> {
        let wanted = std::env::var("NOREN_TEST_ENGINES").map_or(true, |e| e.contains("sqlite"));
        let config = DatabaseConfig { connections: 2, ..DatabaseConfig::default() };
        wanted.then(|| Self { config, folder: tempfile::tempdir().unwrap(), _postgres: None })
    }

    fn postgres() -> Option<Self> {
        let database = postgres::database()?;
        let config = DatabaseConfig { url: database.url.clone(), connections: 2, ..DatabaseConfig::default() };
        Some(Self { config, folder: tempfile::tempdir().unwrap(), _postgres: Some(database) })
    }

    async fn open(&self) -> domain::Result<Db> {
        Db::open(&self.config, &self.folder.path().join("test.sqlite3")).await
    }
}

async fn settles(db: &Db) {
    for _ in 0..6000 {
        if db.idle() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a connection did not come back");
}

macro_rules! both {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                if let Some(world) = super::World::sqlite() {
                    super::bodies::$name(world).await;
                }
            }
            #[tokio::test]
            async fn postgres() {
                let world = tokio::task::spawn_blocking(super::World::postgres).await.unwrap();
                if let Some(world) = world {
                    super::bodies::$name(world).await;
                }
            }
        }
    )* };
}
both!(
    every_statement_is_understood,
    cancelled_work_is_rolled_back,
    errors_roll_back,
    a_newer_database_is_refused,
    opening_twice_is_fine
);

/// Pages and the queue are planned with their values, everything else once; whatever became of the page before it.
#[tokio::test]
async fn pages_and_the_queue_are_planned_each_time() {
    const MODE: &str = "SELECT current_setting('plan_cache_mode')";
    const PAGE: &str = "SELECT current_setting('plan_cache_mode') LIMIT $1";
    const QUEUE: &str =
        "SELECT current_setting('plan_cache_mode') FROM (SELECT COUNT(*) FROM jobs WHERE id = 1) AS one";
    const BROKEN: &str = "SELECT (1 / $1::bigint)::text LIMIT $1";
    let Some(world) = tokio::task::spawn_blocking(World::postgres).await.unwrap() else { return };
    let db = world.open().await.unwrap();
    let conn = db.read().await.unwrap();
    let mode = async |sql, params: domain::db::Params<'_>| conn.one::<(String,)>(sql, params).await.unwrap().0;
    for _ in 0..2 {
        assert_eq!(mode(MODE, &[]).await, "force_generic_plan");
        assert_eq!(mode(PAGE, &[&1_i64]).await, "force_custom_plan");
        assert_eq!(mode(QUEUE, &[]).await, "force_custom_plan");
        assert!(conn.one::<(String,)>(BROKEN, &[&0_i64]).await.is_err());
    }
    let tx = db.begin().await.unwrap();
    let lost = tx.one::<(String,)>(BROKEN, &[&0_i64]).await;
    assert!(lost.is_err());
    drop(tx);
    let tx = db.begin().await.unwrap();
    assert_eq!(tx.one::<(String,)>(PAGE, &[&1_i64]).await.unwrap().0, "force_custom_plan");
    assert_eq!(tx.one::<(String,)>(MODE, &[]).await.unwrap().0, "force_generic_plan");
}

/// Read whole are small tables, and long ones by what a command or a daily round asks: the snapshot tells who they are.
#[tokio::test]
async fn tables_are_asked_by_index() {
    let Some(world) = tokio::task::spawn_blocking(World::postgres).await.unwrap() else { return };
    let db = world.open().await.unwrap();
    // One connection for all: the setting is its own.
    let conn = db.read().await.unwrap();
    conn.exec("SET enable_seqscan = off", &[]).await.unwrap();
    let mut whole = Vec::new();
    for sql in SQL.iter().filter(|sql| !sql.starts_with("EXPLAIN")) {
        let values: Vec<&str> = (1..).take_while(|n| sql.contains(&format!("${n}"))).map(|_| "NULL").collect();
        let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        conn.exec(format!("PREPARE looked_at AS {sql}").leak(), &[]).await.unwrap();
        let plan: Vec<(String,)> = conn.all(format!("EXPLAIN EXECUTE looked_at{values}").leak(), &[]).await.unwrap();
        conn.exec("DEALLOCATE looked_at", &[]).await.unwrap();
        let tables = plan.iter().filter_map(|(line,)| line.split_once("Seq Scan on ")?.1.split(' ').next());
        let from = if sql.starts_with("SELECT") { sql.rfind(" FROM ").unwrap_or_default() } else { 0 };
        let text: String = sql[from..].trim_start().chars().take(150).collect();
        whole.extend(tables.map(|table| format!("{table}: {text}")));
    }
    whole.sort();
    insta::assert_snapshot!(whole.join("\n"), @r#"
    accounts: FROM accounts WHERE avatar = ANY($1) OR avatar_static = ANY($1) OR header = ANY($1) OR header_static = ANY($1)
    accounts: FROM users WHERE approved AND NOT disabled AND confirmed_at IS NOT NULL
    accounts: UPDATE accounts SET uri = replace(uri, $1, $2), url = replace(url, $1, $2), note_html = replace(note_html, $1, $2), fields_json = replace(fields_json,
    custom_emojis: FROM custom_emojis WHERE image = ANY($1) OR image_static = ANY($1)
    hosts: FROM hosts ORDER BY CASE WHEN failures > 0 THEN 0 ELSE 1 END, COALESCE(last_failure_at, 0) DESC, host LIMIT $1
    hosts: FROM hosts WHERE failures > 0
    hosts: FROM hosts WHERE failures > 0 OR last_error IS NOT NULL ORDER BY CASE WHEN failures > 0 THEN 0 ELSE 1 END, COALESCE(last_failure_at, 0) DESC, host LIM
    hosts: UPDATE hosts SET resting_until = NULL WHERE $1 = '' OR host = $1
    idempotency_keys: DELETE FROM idempotency_keys WHERE created_at < $1
    invites: DELETE FROM invites WHERE expires_at <= $1 OR (uses >= max_uses AND created_at <= $1)
    jobs: FROM jobs GROUP BY queue, state ORDER BY queue, state
    media_attachments: FROM media_attachments WHERE original = ANY($1) OR small = ANY($1) OR upload = ANY($1)
    oauth_codes: DELETE FROM oauth_codes WHERE expires_at <= $1
    oauth_codes: DELETE FROM oauth_codes WHERE user_id = $1
    own_keys: UPDATE own_keys SET retired_key = NULL WHERE rotated_at < $1 AND retired_key IS NOT NULL
    relays: DELETE FROM relays WHERE id = (SELECT id FROM relays WHERE url = $1 OR inbox = $1 ORDER BY CASE WHEN url = $1 THEN 0 ELSE 1 END, id LIMIT 1) RETURNING
    relays: FROM relays WHERE state = 1 LIMIT 1
    sessions: DELETE FROM sessions WHERE expires_at <= $1
    sign_in_challenges: DELETE FROM sign_in_challenges WHERE expires_at <= $1
    status_edits: UPDATE status_edits SET content = replace(content, $1, $2)
    statuses: UPDATE statuses SET uri = replace(uri, $1, $2), url = replace(url, $1, $2), content = replace(content, $1, $2), mentions_json = replace(mentions_json,
    users: FROM users WHERE approved AND NOT disabled AND confirmed_at IS NOT NULL
    users: FROM users WHERE created_at >= $1 GROUP BY (created_at - $1) / 604800000
    users: FROM users WHERE created_at >= $1 GROUP BY (created_at - $1) / 604800000
    "#);
}

/// What a request reads at a stretch it reads of one moment, with one connection; a pause gives that back.
#[tokio::test]
async fn a_stretch_of_reading_has_one_moment() {
    const COUNT: &str = "SELECT COUNT(*) FROM settings WHERE value = 'kept'";
    const INSERT: &str = "INSERT INTO settings (key, value) VALUES ($1, 'kept')";
    let Some(mut world) = World::sqlite() else { return };
    world.config.connections = 1;
    // As another process would have it open.
    let (db, other) = (world.open().await.unwrap(), world.open().await.unwrap());
    let count = async || db.read().await.unwrap().one::<(i64,)>(COUNT, &[]).await.unwrap().0;
    let write = async |db: &Db, key: &str| {
        let tx = db.begin().await.unwrap();
        tx.exec(INSERT, &[&key]).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (first, second, third) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let request = domain::db::keeping(async {
        assert_eq!((count().await, count().await), (0, 0));
        first.notify_one();
        second.notified().await;
        // The only connection was free meanwhile, and what others wrote is seen.
        assert_eq!(count().await, 1);
        write(&db, "own").await;
        assert_eq!(count().await, 2);
        // Without a pause the moment stays.
        let blocked = std::thread::scope(|scope| {
            let writing = || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(write(&other, "meanwhile"));
            };
            scope.spawn(writing).join().is_err()
        });
        assert!(!blocked);
        assert_eq!(count().await, 2);
        tokio::task::yield_now().await;
        assert_eq!(count().await, 3);
        third.notify_one();
    });
    let others = async {
        first.notified().await;
        assert_eq!(count().await, 0);
        write(&other, "other").await;
        second.notify_one();
        third.notified().await;
        assert_eq!(count().await, 3);
    };
    tokio::join!(request, others);
    settles(&db).await;
    // Nothing is kept beyond a panic either.
    let panics = domain::db::keeping(async {
        count().await;
        if true {
            panic!("in the middle");
        }
    });
    assert!(std::panic::AssertUnwindSafe(panics).catch_unwind().await.is_err());
    settles(&db).await;
    assert_eq!(count().await, 3);
}

mod bodies {
    use super::*;

    pub(crate) async fn every_statement_is_understood(world: World) {
        let db = world.open().await.unwrap();
        let conn = db.read().await.unwrap();
        for sql in SQL {
            conn.prepare(sql).await.unwrap_or_else(|e| panic!("{e:?}: {sql}"));
        }
        assert!(SQL.len() > 150, "only {} statements are registered", SQL.len());
    }

    /// Dropped after ever longer times, so that it is cut at every await in turn.
    pub(crate) async fn cancelled_work_is_rolled_back(world: World) {
        let db = world.open().await.unwrap();
        for micros in (0..3000).step_by(60) {
            let work = async {
                let tx = db.begin().await.unwrap();
                for n in 0..20 {
                    tx.exists("SELECT 1::bigint FROM settings WHERE key = $1", &[&"half"]).await.unwrap();
                    tx.exec("INSERT INTO settings (key, value) VALUES ($1, 'x')", &[&format!("half-{micros}-{n}")])
                        .await
                        .unwrap();
                }
                drop(tx); // never committed, whatever happens
            };
            let _ = tokio::time::timeout(Duration::from_micros(micros), work).await;
        }
        settles(&db).await;
        let tx = db.begin().await.unwrap();
        assert!(!tx.exists("SELECT 1::bigint FROM settings WHERE value = 'x' LIMIT 1", &[]).await.unwrap());
        tx.exec("INSERT INTO settings (key, value) VALUES ('whole', 'y')", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let conn = db.read().await.unwrap();
        assert!(conn.exists("SELECT 1::bigint FROM settings WHERE key = 'whole'", &[]).await.unwrap());
    }

    pub(crate) async fn errors_roll_back(world: World) {
        let db = world.open().await.unwrap();
        let failed: domain::Result<()> = async {
            let tx = db.begin().await?;
            tx.exec("INSERT INTO settings (key, value) VALUES ('a', 'b')", &[]).await?;
            tx.exec("INSERT INTO settings (key, value) VALUES ('a', 'again')", &[]).await?;
            tx.commit().await
        }
        .await;
        assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
        settles(&db).await;
        let conn = db.read().await.unwrap();
        assert!(!conn.exists("SELECT 1::bigint FROM settings WHERE key = 'a'", &[]).await.unwrap());
    }

    pub(crate) async fn a_newer_database_is_refused(world: World) {
        let db = world.open().await.unwrap();
        let tx = db.begin().await.unwrap();
        tx.exec("INSERT INTO migrations (id, name, applied_at) VALUES (9999, 'from the future', 0)", &[])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        drop(db);
        match world.open().await {
            Err(Error::Conflict(why)) => assert!(why.contains("newer Noren") && why.contains("9999"), "{why}"),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("a newer database was opened"),
        }
    }

    pub(crate) async fn opening_twice_is_fine(world: World) {
        let (one, two) = tokio::join!(world.open(), world.open());
        let (one, two) = (one.unwrap(), two.unwrap());
        for db in [&one, &two] {
            let tx = db.begin().await.unwrap();
            tx.exec("INSERT INTO settings (key, value) VALUES ($1, 'z')", &[&format!("{:p}", db)]).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

/// Waiting for a connection ends with Busy, not never. (SQLite only: PostgreSQL's pool waits by the real clock.)
#[tokio::test(start_paused = true)]
async fn a_pool_that_is_used_up_says_busy() {
    let Some(world) = World::sqlite() else { return };
    let db = world.open().await.unwrap();
    let held = db.begin().await.unwrap();
    assert!(matches!(db.begin().await, Err(Error::Busy(_))));
    drop(held);
    db.begin().await.unwrap().commit().await.unwrap();
}

/// A server that went away costs the requests of that moment, no more.
#[tokio::test]
async fn lost_postgres_connections_are_replaced() {
    let Some(world) = tokio::task::spawn_blocking(World::postgres).await.unwrap() else { return };
    let db = world.open().await.unwrap();
    let conn = db.read().await.unwrap();
    let killer = db.read().await.unwrap();
    let kill = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE pid <> pg_backend_pid() AND datname = current_database()";
    killer.all::<(i64,)>(kill, &[]).await.unwrap();
    // It is told to end, and does so soon.
    let started = std::time::Instant::now();
    while conn.exists("SELECT 1::bigint", &[]).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop((conn, killer));
    // The one that ended may be lent once more, before the end of its socket is seen.
    let mut lost = 0;
    for _ in 0..9 {
        let answered = db.read().await.unwrap().exists("SELECT 1::bigint", &[]).await;
        lost += usize::from(answered.is_err());
    }
    assert!(lost <= 1, "{lost} of 9");
}
