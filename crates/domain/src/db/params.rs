//! What goes into a statement: values that both engines can bind, and arrays.

use rusqlite::types::{ToSqlOutput, Value};
use std::sync::OnceLock;
use tokio_postgres::types as pg;

/// A value that both engines can bind.
pub trait Param: rusqlite::ToSql + pg::ToSql + Sync {
    fn postgres(&self) -> &(dyn pg::ToSql + Sync);
    fn sqlite(&self) -> &dyn rusqlite::ToSql;
}
impl<T: rusqlite::ToSql + pg::ToSql + Sync> Param for T {
    fn postgres(&self) -> &(dyn pg::ToSql + Sync) {
        self
    }
    fn sqlite(&self) -> &dyn rusqlite::ToSql {
        self
    }
}
pub type Params<'a> = &'a [&'a (dyn Param + 'a)];

/// Copies parameters so that they can travel to a connection's thread.
pub(super) fn owned(params: Params<'_>) -> rusqlite::Result<Vec<Value>> {
    params
        .iter()
        .map(|p| match rusqlite::ToSql::to_sql(*p)? {
            ToSqlOutput::Borrowed(v) => Ok(Value::try_from(v).map_err(rusqlite::Error::from)?),
            ToSqlOutput::Owned(v) => Ok(v),
            _ => Err(rusqlite::Error::InvalidQuery),
        })
        .collect()
}

/// A list of ids for `= ANY($n)`: an array on PostgreSQL, on SQLite a JSON text, or the number itself of a list of one
/// (which is JSON too).
#[derive(Debug)]
pub struct Ids {
    raw: Vec<i64>,
    json: OnceLock<String>,
}

impl Ids {
    pub fn of<I: crate::ids::Id>(ids: impl IntoIterator<Item = I>) -> Self {
        let mut raw: Vec<i64> = ids.into_iter().map(crate::ids::Id::raw).collect();
        raw.sort_unstable();
        raw.dedup();
        Self::raw(raw)
    }
    /// Numbers that are no ids, such as the values of a stored enum.
    pub fn raw(numbers: impl IntoIterator<Item = i64>) -> Self {
        Self { raw: numbers.into_iter().collect(), json: OnceLock::new() }
    }
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
    fn json(&self) -> String {
        use std::fmt::Write;
        let mut out = String::with_capacity(self.raw.len() * 20 + 2);
        out.push('[');
        for (i, id) in self.raw.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{id}"); // writing to a String cannot fail
        }
        out.push(']');
        out
    }
}

/// A list of texts for `= ANY($n)`.
#[derive(Debug)]
pub struct Texts(pub Vec<String>);

impl rusqlite::ToSql for Ids {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.raw[..] {
            [id] => id.into(),
            _ => self.json.get_or_init(|| self.json()).as_str().into(),
        })
    }
}
impl rusqlite::ToSql for Texts {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(&self.0).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        Ok(json.into())
    }
}
macro_rules! postgres_array {
    ($name:ty, $inner:ty, $list:tt) => {
        impl pg::ToSql for $name {
            fn to_sql(
                &self,
                ty: &pg::Type,
                out: &mut pg::private::BytesMut,
            ) -> Result<pg::IsNull, Box<dyn std::error::Error + Sync + Send>> {
                pg::ToSql::to_sql(&self.$list, ty, out)
            }
            fn accepts(ty: &pg::Type) -> bool {
                <$inner as pg::ToSql>::accepts(ty)
            }
            pg::to_sql_checked!();
        }
    };
}
postgres_array!(Ids, Vec<i64>, raw);
postgres_array!(Texts, Vec<String>, 0);
