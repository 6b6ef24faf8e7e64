//! SQL is written once, in PostgreSQL's spelling. This turns the few forms SQLite lacks into what it understands.
//!
//! `= ANY($n)` and `<> ALL($n)` → json_each; `$n` → `?n`; casts `::bigint` … → nothing; `FOR UPDATE SKIP LOCKED` →
//! nothing; a list unnested `AS e(value)` → `AS e`, whose column has that name by itself. In migrations also `BIGINT PRIMARY KEY` → `INTEGER PRIMARY KEY` (SQLite's fast row id)
//! and `/* clustered */` → `WITHOUT ROWID`.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

const CASTS: [&str; 7] =
    ["::bigint[]", "::text[]", "::bigint", "::text", "::boolean", "::double precision", "::integer"];

/// The SQLite form of a statement, made once for each text.
pub(super) fn sqlite(sql: &'static str) -> Arc<str> {
    type Memo = RwLock<HashMap<(usize, usize), Arc<str>>>;
    static MEMO: LazyLock<Memo> = LazyLock::new(Default::default);
    let key = (sql.as_ptr() as usize, sql.len());
    if let Some(known) = MEMO.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return known.clone();
    }
    let made: Arc<str> = translate(sql).into();
    MEMO.write().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
    made
}

pub(super) fn translate(sql: &str) -> String {
    let mut text = sql.replace(" FOR UPDATE SKIP LOCKED", "").replace(" AS e(value)", " AS e");
    for cast in CASTS {
        text = text.replace(cast, "");
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].len() - rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = &rest[at + 1..at + 1 + digits];
        let (before, after) = (&rest[..at], &rest[at + 1 + digits..]);
        if let (Some(head), Some(tail)) = (before.strip_suffix("= ANY("), after.strip_prefix(')')) {
            out.push_str(&format!("{head}IN (SELECT value FROM json_each(?{number}))"));
            rest = tail;
        } else if let (Some(head), Some(tail)) = (before.strip_suffix("<> ALL("), after.strip_prefix(')')) {
            out.push_str(&format!("{head}NOT IN (SELECT value FROM json_each(?{number}))"));
            rest = tail;
        } else if let (Some(head), Some(tail)) = (before.strip_suffix("unnest("), after.strip_prefix(')')) {
            out.push_str(&format!("{head}json_each(?{number})"));
            // json_each names its column `value` by itself and takes no list of names.
            rest = tail;
            if let Some(tail) = tail.strip_prefix(" AS e(value)") {
                out.push_str(" AS e");
                rest = tail;
            }
        } else {
            out.push_str(&format!("{before}?{number}"));
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The SQLite form of a migration.
pub(super) fn migration(sql: &str) -> String {
    sql.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY").replace("/* clustered */", "WITHOUT ROWID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (postgres, sqlite) in [
            ("SELECT a FROM t WHERE id = $1", "SELECT a FROM t WHERE id = ?1"),
            ("x = ANY($12) AND y = $2", "x IN (SELECT value FROM json_each(?12)) AND y = ?2"),
            ("x <> ALL($3)", "x NOT IN (SELECT value FROM json_each(?3))"),
            ("FROM unnest($1::bigint[]) AS e(value)", "FROM json_each(?1) AS e"),
            ("$1::text IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED", "?1 IS NULL LIMIT ?2"),
        ] {
            assert_eq!(translate(postgres), sqlite);
        }
    }
}
