//! Tables brought up to date at start, each step in a transaction of its own. A newer database is refused.

use super::{Db, dialect};
use crate::{Error, Result, sql};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

struct Migration {
    id: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($id:literal $name:literal $kind:tt),* $(,)?) => {
        &[$(migrations!(@ $kind $id $name)),*]
    };
    (@ same $id:literal $name:literal) => {{
        const TEXT: &str = include_str!(concat!("../../../../migrations/", $name, ".sql"));
        Migration { id: $id, name: $name, sqlite: TEXT, postgres: TEXT }
    }};
    (@ each $id:literal $name:literal) => {
        Migration {
            id: $id, name: $name,
            sqlite: include_str!(concat!("../../../../migrations/", $name, ".sqlite.sql")),
            postgres: include_str!(concat!("../../../../migrations/", $name, ".postgres.sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "0001_foundation" same,
    2 "0002_search" each,
    3 "0003_lists" same,
    4 "0004_tags" same,
    5 "0005_notification_policy" same,
    6 "0006_two_factor" same,
    7 "0007_invites" same,
    8 "0008_content_types" same,
    9 "0009_people" same,
    10 "0010_federation" same,
    11 "0011_roles" same,
    12 "0012_domain_blocks" each,
    13 "0013_moves" same,
    14 "0014_relays" same,
    15 "0015_threads" same,
    16 "0016_quotes_and_reactions" same,
    17 "0017_remote_media" same,
    18 "0018_preview_cards" same,
    19 "0019_lanes" same,
    21 "0021_consent" same,
    23 "0023_trust" same,
    25 "0025_looked_for" same,
    26 "0026_conversation_names" same,
    27 "0027_indexes" same,
    28 "0028_lanes_of_waiting_jobs" each,
    29 "0029_reach" same,
    31 "0031_card_hints" same,
    33 "0033_order" same,
    34 "0034_former_names" same,
    36 "0036_contexts" same,
    38 "0038_farewells" same,
];

const LEDGER: &str =
    "CREATE TABLE IF NOT EXISTS migrations (id BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)";

sql! {
    DONE = "SELECT id FROM migrations";
    INSERT = "INSERT INTO migrations (id, name, applied_at) VALUES ($1, $2, $3)";
}

/// Another number for other tables: for tests, which keep a copy of a database that has them all.
pub fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    for step in MIGRATIONS {
        (step.id, step.name, step.sqlite, step.postgres).hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether there are tables of ours. Asked of PostgreSQL alone: SQLite would make the file that it is asked about.
pub(super) async fn has_run(db: &Db) -> Result<bool> {
    let (found,): (bool,) = db.read().await?.one("SELECT to_regclass('migrations') IS NOT NULL", &[]).await?;
    Ok(found)
}

pub(super) async fn run(db: &Db) -> Result<()> {
    let tx = db.begin().await?;
    if tx.is_postgres() {
        // Two processes that start together: the second waits here and finds the work done.
        tx.batch("SELECT pg_advisory_xact_lock(7064401)").await?;
    }
    tx.batch(LEDGER).await?;
    let done: Vec<i64> = tx.all::<(i64,)>(DONE, &[]).await?.into_iter().map(|(id,)| id).collect();
    let newest = done.iter().copied().max().unwrap_or(0);
    let known = MIGRATIONS.iter().map(|m| m.id).max().unwrap_or(0);
    if newest > known {
        return Err(Error::Conflict(format!(
            "this database was written by a newer Noren (its tables are at step {newest}, this program knows {known}): \
             run that version or a later one, or restore a backup"
        )));
    }
    // Also those below the newest: steps of two branches come together in any order.
    for step in MIGRATIONS.iter().filter(|m| !done.contains(&m.id)) {
        let text = if tx.is_postgres() { step.postgres.to_owned() } else { dialect::migration(step.sqlite) };
        tx.batch(&text).await?;
        tx.exec(INSERT, &[&step.id, &step.name, &tx.now]).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waited_before_there_were_lanes_gets_one() {
        let world = crate::accounts::tests::world().await;
        let tx = world.db.begin().await.unwrap();
        for (id, payload) in [
            (1, r#"{"job":"deliver","activity":"4","inbox":"https://A.example:8443/inbox"}"#),
            (2, r#"{"job":"deliver","activity":"4","inbox":"https://b.example"}"#),
            (3, r#"{"job":"close_poll","poll":"9"}"#),
        ] {
            let add = "INSERT INTO jobs (id, queue, state, payload, run_at, created_at) VALUES ($1, 1, 0, $2, 1, 1)";
            tx.exec(add, &[&crate::ids::JobId(id), &payload]).await.unwrap();
        }
        let step = MIGRATIONS.iter().find(|step| step.id == 28).unwrap();
        tx.batch(if tx.is_postgres() { step.postgres } else { step.sqlite }).await.unwrap();
        let lanes: Vec<(Option<String>,)> = tx.all("SELECT lane FROM jobs ORDER BY id", &[]).await.unwrap();
        let lanes: Vec<Option<&str>> = lanes.iter().map(|(lane,)| lane.as_deref()).collect();
        assert_eq!(lanes, [Some("a.example:8443"), Some("b.example"), None]);
    }
}
