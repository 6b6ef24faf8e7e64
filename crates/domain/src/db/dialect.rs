//! SQL is written once, in PostgreSQL's spelling. This turns the few forms SQLite lacks into what it understands.
//!
//! `= ANY($n)` and `<> ALL($n)` → json_each, or a plain comparison where the list has one id (on PostgreSQL, too);
//! `$n` → `?n`; casts `::bigint` … → nothing; `FOR UPDATE SKIP LOCKED`, `FOR NO KEY UPDATE` → nothing; a list unnested
//! `AS e(value)` → `AS e`, whose column has that name by itself. In migrations also `BIGINT PRIMARY KEY` → `INTEGER PRIMARY KEY` (SQLite's fast row id) and
//! `/* clustered */` → `WITHOUT ROWID`.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

const CASTS: [&str; 7] =
    ["::bigint[]", "::text[]", "::bigint", "::text", "::boolean", "::double precision", "::integer"];

/// What a statement is on SQLite, and for lists of one on PostgreSQL.
pub(super) struct Forms {
    pub(super) many: Box<str>,
    /// For lists of one id each: plain comparisons find better plans and need no JSON.
    pub(super) one: Box<str>,
    /// The same on PostgreSQL, if the lists are used for nothing but comparing: it plans once, for lists of ten, and
    /// reads whole tables for them that were small when it did.
    pub(super) postgres_one: Option<Box<str>>,
    /// The parameters, counted from 0, that are compared as lists.
    pub(super) lists: Vec<usize>,
}

/// The forms of a statement, made once for each text.
pub(super) fn forms(sql: &'static str) -> Arc<Forms> {
    type Memo = RwLock<HashMap<(usize, usize), Arc<Forms>, BuildHasherDefault<Place>>>;
    static MEMO: LazyLock<Memo> = LazyLock::new(Default::default);
    let key = (sql.as_ptr() as usize, sql.len());
    if let Some(known) = MEMO.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return known.clone();
    }
    let made = Arc::new(translate(sql));
    MEMO.write().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
    made
}

/// Hashes where a text of the program lies: nobody from outside has a say in that.
#[derive(Default)]
struct Place(u64);

impl Hasher for Place {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }
    fn write_usize(&mut self, number: usize) {
        self.0 = (self.0.rotate_left(26) ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// SQLite has one writer at a time: nobody has to be held off.
const LOCKS: [&str; 2] = [" FOR UPDATE SKIP LOCKED", " FOR NO KEY UPDATE"];

/// (what stands before the parameter in PostgreSQL, the same for a list, for a list of one)
const LISTS: [(&str, &str, &str); 2] = [
    ("= ANY(", "IN (SELECT value FROM json_each(?", "= ?"),
    ("<> ALL(", "NOT IN (SELECT value FROM json_each(?", "<> ?"),
];

fn translate(sql: &str) -> Forms {
    let mut text = sql.replace(" AS e(value)", " AS e");
    for needless in LOCKS.into_iter().chain(CASTS) {
        text = text.replace(needless, "");
    }
    let (mut many, mut one, mut lists) = (String::with_capacity(text.len() + 64), String::new(), Vec::new());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].len() - rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = &rest[at + 1..at + 1 + digits];
        let (before, after) = (&rest[..at], &rest[at + 1 + digits..]);
        let list = LISTS.iter().find_map(|(start, list, single)| Some((before.strip_suffix(start)?, list, single)));
        if let (Some((head, list, single)), Some(tail)) = (list, after.strip_prefix(')')) {
            many.push_str(&format!("{head}{list}{number}))"));
            one.push_str(&format!("{head}{single}{number}"));
            lists.extend(number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)));
            rest = tail;
            continue;
        }
        let plain = match (before.strip_suffix("unnest("), after.strip_prefix(')')) {
            (Some(head), Some(_)) => format!("{head}json_each(?{number}"),
            _ => format!("{before}?{number}"),
        };
        many.push_str(&plain);
        one.push_str(&plain);
        rest = after;
    }
    many.push_str(rest);
    one.push_str(rest);
    lists.sort_unstable();
    lists.dedup();
    let postgres_one = single(sql, &lists).map(Into::into);
    Forms { many: many.into(), one: one.into(), postgres_one, lists }
}

/// Lists (by their number from 0) compared as one value each, in PostgreSQL's spelling. None: there are none, or something
/// else is done with one of them.
fn single(sql: &str, lists: &[usize]) -> Option<String> {
    let mut text = sql.to_owned();
    for number in lists.iter().map(|list| list + 1) {
        let name = format!("${number}");
        let named = sql
            .match_indices(&name)
            .filter(|(at, _)| !sql[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()));
        let mut compared = 0;
        for (start, _, one) in LISTS {
            let list = format!("{start}{name})");
            compared += sql.matches(&list).count();
            text = text.replace(&list, &one.replace('?', &name));
        }
        if named.count() != compared {
            return None;
        }
    }
    (!lists.is_empty()).then_some(text)
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
        const NONE: &[usize] = &[];
        for (postgres, many, one, lists) in [
            ("SELECT a FROM t WHERE id = $1", "SELECT a FROM t WHERE id = ?1", "SELECT a FROM t WHERE id = ?1", NONE),
            (
                "x = ANY($12) AND y = $2",
                "x IN (SELECT value FROM json_each(?12)) AND y = ?2",
                "x = ?12 AND y = ?2",
                &[11],
            ),
            ("x <> ALL($3)", "x NOT IN (SELECT value FROM json_each(?3))", "x <> ?3", &[2]),
            ("FROM unnest($1::bigint[]) AS e(value)", "FROM json_each(?1) AS e", "FROM json_each(?1) AS e", NONE),
            ("$1::text IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED", "?1 IS NULL LIMIT ?2", "?1 IS NULL LIMIT ?2", NONE),
            ("a = $1 FOR NO KEY UPDATE", "a = ?1", "a = ?1", NONE),
        ] {
            let made = translate(postgres);
            assert_eq!((&*made.many, &*made.one, &*made.lists), (many, one, lists));
        }
    }

    #[test]
    fn lists_of_one_on_postgres() {
        for (many, one) in [
            ("SELECT a FROM t WHERE id = $1", None),
            ("a = ANY($1) AND b <> ALL($12) AND c = $2", Some("a = $1 AND b <> $12 AND c = $2")),
            ("a = ANY($1)::bigint FOR UPDATE SKIP LOCKED", Some("a = $1::bigint FOR UPDATE SKIP LOCKED")),
            ("FROM unnest($1::bigint[]) AS e(value) WHERE a = ANY($1)", None),
            ("a = ANY($1) AND b = $11", Some("a = $1 AND b = $11")),
        ] {
            assert_eq!(translate(many).postgres_one.as_deref(), one, "{many}");
        }
    }
}
