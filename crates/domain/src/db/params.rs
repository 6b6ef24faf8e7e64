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

/// An array, or the number itself of a list of one.
impl pg::ToSql for Ids {
    fn to_sql(&self, ty: &pg::Type, out: &mut pg::private::BytesMut) -> Result<pg::IsNull, Wrong> {
        match (&self.raw[..], *ty == pg::Type::INT8) {
            ([id], true) => pg::ToSql::to_sql(id, ty, out),
            (_, true) => Err("a list that is not of one".into()),
            (_, false) => pg::ToSql::to_sql(&self.raw, ty, out),
        }
    }
    fn accepts(ty: &pg::Type) -> bool {
        <i64 as pg::ToSql>::accepts(ty) || <Vec<i64> as pg::ToSql>::accepts(ty)
    }
    pg::to_sql_checked!();
}
impl pg::ToSql for Texts {
    fn to_sql(&self, ty: &pg::Type, out: &mut pg::private::BytesMut) -> Result<pg::IsNull, Wrong> {
        pg::ToSql::to_sql(&self.0, ty, out)
    }
    fn accepts(ty: &pg::Type) -> bool {
        <Vec<String> as pg::ToSql>::accepts(ty)
    }
    pg::to_sql_checked!();
}
type Wrong = Box<dyn std::error::Error + Sync + Send>;

/// Whether this is a list of one id.
pub(super) fn is_one(param: &dyn Param) -> bool {
    param.postgres().to_sql_checked(&pg::Type::INT8, &mut pg::private::BytesMut::new()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_one_are_known() {
        let ids = |ids: &[i64]| Ids::raw(ids.iter().copied());
        assert!(is_one(&ids(&[7])));
        assert!(!is_one(&ids(&[])) && !is_one(&ids(&[7, 8])));
        assert!(!is_one(&Texts(vec!["a".into()])) && !is_one(&Texts(Vec::new())));
    }
}
