use super::*;
use futures_util::FutureExt as _;

async fn sqlite() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&DatabaseConfig::default(), &dir.path().join("t.sqlite3")).await.unwrap();
    (dir, db)
}

#[tokio::test]
async fn every_statement_is_understood() {
    let (_dir, db) = sqlite().await;
    let conn = db.read().await.unwrap();
    for sql in SQL {
        conn.prepare(sql).await.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }
    assert!(SQL.len() > 20);
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let (_dir, db) = sqlite().await;
    let tx = db.begin().await.unwrap();
    tx.batch("INSERT INTO settings (key, value) VALUES ('a', 'b')").await.unwrap();
    drop(tx);
    let tx = db.begin().await.unwrap();
    let left = tx.all::<(String,)>("SELECT key FROM settings", &[]).await.unwrap();
    assert!(left.is_empty());
    tx.commit().await.unwrap();
    assert!(db.idle());
}

/// None of them runs before the transaction is open: it would be true by itself.
#[tokio::test]
async fn what_is_sent_together_becomes_true_together() {
    let (_dir, db) = sqlite().await;
    let write = async |tx: &Tx, key: usize| {
        tx.exec("INSERT INTO settings (key, value) VALUES ($1, 'together')", &[&key.to_string()]).await.unwrap();
    };
    for n in (0..60).step_by(3) {
        let tx = db.begin().await.unwrap();
        tokio::join!(write(&tx, n), write(&tx, n + 1), write(&tx, n + 2));
        if n % 2 == 0 { drop(tx) } else { tx.commit().await.unwrap() }
    }
    // One of them is given up while the transaction is, as good as always, being opened.
    for n in (100..140).step_by(2) {
        let tx = db.begin().await.unwrap();
        let _ = write(&tx, n).now_or_never();
        write(&tx, n + 1).await;
        drop(tx);
    }
    // Waits until the connection is back.
    db.begin().await.unwrap().commit().await.unwrap();
    let conn = db.read().await.unwrap();
    let keys: Vec<(String,)> = conn.all("SELECT key FROM settings WHERE value = 'together'", &[]).await.unwrap();
    assert_eq!(keys.len(), 30, "{keys:?}");
}

#[tokio::test]
async fn a_reader_sees_what_was_written_meanwhile() {
    let (_dir, db) = sqlite().await;
    let conn = db.read().await.unwrap();
    for n in 0..4_usize {
        let keys = conn.all::<(String,)>("SELECT key FROM settings WHERE value = 'seen'", &[]).await.unwrap();
        assert_eq!(keys.len(), n);
        let tx = db.begin().await.unwrap();
        tx.exec("INSERT INTO settings (key, value) VALUES ($1, 'seen')", &[&n.to_string()]).await.unwrap();
        tx.commit().await.unwrap();
    }
    drop(conn);
    // Nothing stays open behind it: a writer may truncate the log.
    let tx = db.begin().await.unwrap();
    tx.commit().await.unwrap();
    assert!(db.idle());
}

#[tokio::test]
async fn lists_of_any_length_compare_alike() {
    let (_dir, db) = sqlite().await;
    let conn = db.read().await.unwrap();
    let found = async |ids: &[i64]| {
        let ids = Ids::raw(ids.iter().copied());
        let sql =
            "SELECT e.value FROM unnest($1::bigint[]) AS e(value) WHERE e.value = ANY($1) AND 2::bigint <> ALL($1)";
        conn.all::<(i64,)>(sql, &[&ids]).await.unwrap().len()
    };
    for (ids, count) in [(&[][..], 0), (&[1][..], 1), (&[2][..], 0), (&[1, 3][..], 2), (&[1, 2, 3][..], 0)] {
        assert_eq!(found(ids).await, count, "{ids:?}");
    }
}

/// Whoever goes takes along what names them: a table without an index for that is read whole each time.
#[tokio::test]
async fn every_reference_has_an_index() {
    const BARE: &str = "SELECT m.name || '.' || f.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
        WHERE m.type = 'table' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) i, pragma_index_info(i.name) x \
            WHERE x.seqno = 0 AND x.name = f.\"from\") \
        AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name) t WHERE t.name = f.\"from\" AND t.pk = 1) ORDER BY 1";
    let (_dir, db) = sqlite().await;
    let conn = db.read().await.unwrap();
    let bare: Vec<(String,)> = conn.all(BARE, &[]).await.unwrap();
    // Codes live for minutes.
    let bare: Vec<String> =
        bare.into_iter().map(|(name,)| name).filter(|name| !name.starts_with("oauth_codes.")).collect();
    assert_eq!(bare, Vec::<String>::new());
}

/// Statements that are asked often, of tables that grow.
#[tokio::test]
async fn long_tables_are_asked_by_index() {
    let (_dir, db) = sqlite().await;
    let conn = db.read().await.unwrap();
    for (sql, index) in [
        ("EXPLAIN QUERY PLAN SELECT id FROM custom_emojis WHERE domain IS NULL", "custom_emojis_here"),
        ("EXPLAIN QUERY PLAN DELETE FROM custom_emojis WHERE domain = 'a'", "custom_emojis_by_domain"),
        (
            "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE lane = 'a' AND queue + 0 = 1 AND state = 0 AND run_at <= 1 \
             ORDER BY run_at, id LIMIT 4",
            "jobs_of_lane (lane=? AND run_at<?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE lane = 'a' AND state = 0 AND run_at < 1 ORDER BY run_at LIMIT 9",
            "jobs_of_lane (lane=? AND run_at<?)",
        ),
    ] {
        let plan: Vec<(i64, i64, i64, String)> = conn.all(sql, &[]).await.unwrap();
        let text: Vec<&str> = plan.iter().map(|row| row.3.as_str()).collect();
        assert!(text.len() == 1 && text[0].contains(index), "{sql}: {text:?}");
    }
}
