use super::*;

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
