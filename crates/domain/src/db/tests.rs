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
