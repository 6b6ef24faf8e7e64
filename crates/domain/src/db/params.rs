//! What goes into a statement: values that both engines can bind, and arrays.

use rusqlite::types::{ToSqlOutput, Value};
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

/// A list of ids for `= ANY($n)`: a JSON text on SQLite, an array on PostgreSQL.
#[derive(Debug)]
pub struct Ids(Vec<i64>);

impl Ids {
    pub fn of<I: crate::ids::Id>(ids: impl IntoIterator<Item = I>) -> Self {
        let mut raw: Vec<i64> = ids.into_iter().map(crate::ids::Id::raw).collect();
        raw.sort_unstable();
        raw.dedup();
        Self(raw)
    }
    /// Numbers that are no ids, such as the values of a stored enum.
    pub fn raw(numbers: impl IntoIterator<Item = i64>) -> Self {
        Self(numbers.into_iter().collect())
    }
    /// The id, when it is a single one: statements for one row are cheaper than for a list of one.
    pub fn only(&self) -> Option<i64> {
        match self.0[..] {
            [id] => Some(id),
            _ => None,
        }
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A list of texts for `= ANY($n)`.
#[derive(Debug)]
pub struct Texts(pub Vec<String>);

impl rusqlite::ToSql for Ids {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use std::fmt::Write;
        let mut out = String::with_capacity(self.0.len() * 20 + 2);
        out.push('[');
        for (i, id) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{id}"); // writing to a String cannot fail
        }
        out.push(']');
        Ok(out.into())
    }
}
impl rusqlite::ToSql for Texts {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(&self.0).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        Ok(json.into())
    }
}
macro_rules! postgres_array {
    ($name:ty, $inner:ty) => {
        impl pg::ToSql for $name {
            fn to_sql(
                &self,
                ty: &pg::Type,
                out: &mut pg::private::BytesMut,
            ) -> Result<pg::IsNull, Box<dyn std::error::Error + Sync + Send>> {
                pg::ToSql::to_sql(&self.0, ty, out)
            }
            fn accepts(ty: &pg::Type) -> bool {
                <$inner as pg::ToSql>::accepts(ty)
            }
            pg::to_sql_checked!();
        }
    };
}
postgres_array!(Ids, Vec<i64>);
postgres_array!(Texts, Vec<String>);
