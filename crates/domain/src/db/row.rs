//! From columns to structs, by position, on both engines.

/// A struct that one row becomes. Made by [`row!`], not by hand.
pub trait Row: Sized + Send + 'static {
    fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;
    fn from_postgres(row: &tokio_postgres::Row) -> Result<Self, tokio_postgres::Error>;
}

/// Declares a struct, its `COLUMNS` (the field names, comma separated) and how a row with just these columns fills it.
#[macro_export]
macro_rules! row {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $(#[$d0:meta])* $v0:vis $f0:ident: $t0:ty $(, $(#[$d:meta])* $v:vis $f:ident: $t:ty)* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        $vis struct $name { $(#[$d0])* $v0 $f0: $t0 $(, $(#[$d])* $v $f: $t)* }
        impl $name {
            #[allow(dead_code)]
            pub(crate) const COLUMNS: &'static str =
                concat!(stringify!($f0) $(, ", ", stringify!($f))*);
        }
        impl $crate::db::Row for $name {
            #[allow(unused_assignments)]
            fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut at = 0;
                let $f0 = row.get(at)?;
                $( at += 1; let $f = row.get(at)?; )*
                Ok(Self { $f0 $(, $f)* })
            }
            #[allow(unused_assignments)]
            fn from_postgres(row: &tokio_postgres::Row) -> Result<Self, tokio_postgres::Error> {
                let mut at = 0;
                let $f0 = row.try_get(at)?;
                $( at += 1; let $f = row.try_get(at)?; )*
                Ok(Self { $f0 $(, $f)* })
            }
        }
    };
}

macro_rules! tuple_rows {
    ($($($t:ident $i:tt),+;)+) => { $(
        impl<$($t),+> Row for ($($t,)+)
        where $($t: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a> + Send + 'static),+
        {
            fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(($(row.get::<_, $t>($i)?,)+))
            }
            fn from_postgres(row: &tokio_postgres::Row) -> Result<Self, tokio_postgres::Error> {
                Ok(($(row.try_get::<_, $t>($i)?,)+))
            }
        }
    )+ };
}
tuple_rows!(A 0; A 0, B 1; A 0, B 1, C 2; A 0, B 1, C 2, D 3; A 0, B 1, C 2, D 3, E 4;);

/// Makes a newtype usable as parameter and column on both engines, through the type it wraps.
macro_rules! column {
    ($name:ty, $inner:ty) => {
        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }
        impl rusqlite::types::FromSql for $name {
            fn column_result(v: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                <$inner as rusqlite::types::FromSql>::column_result(v).map(Self)
            }
        }
        impl tokio_postgres::types::ToSql for $name {
            fn to_sql(
                &self,
                ty: &tokio_postgres::types::Type,
                out: &mut tokio_postgres::types::private::BytesMut,
            ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
                tokio_postgres::types::ToSql::to_sql(&self.0, ty, out)
            }
            fn accepts(ty: &tokio_postgres::types::Type) -> bool {
                <$inner as tokio_postgres::types::ToSql>::accepts(ty)
            }
            tokio_postgres::types::to_sql_checked!();
        }
        impl<'a> tokio_postgres::types::FromSql<'a> for $name {
            fn from_sql(
                ty: &tokio_postgres::types::Type,
                raw: &'a [u8],
            ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
                <$inner as tokio_postgres::types::FromSql>::from_sql(ty, raw).map(Self)
            }
            fn accepts(ty: &tokio_postgres::types::Type) -> bool {
                <$inner as tokio_postgres::types::FromSql>::accepts(ty)
            }
        }
    };
}
pub(crate) use column;

/// A fieldless enum kept as BIGINT in the database; the numbers are part of the stored format.
macro_rules! stored_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $n:literal => $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The word the API uses.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),* } }
            pub fn number(self) -> i64 { match self { $(Self::$variant => $n),* } }
            pub fn from_number(n: i64) -> Option<Self> { match n { $($n => Some(Self::$variant),)* _ => None } }
            /// The value an API word stands for.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)* _ => None } }
        }
        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> { Ok(self.number().into()) }
        }
        impl rusqlite::types::FromSql for $name {
            fn column_result(v: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                let n = i64::column_result(v)?;
                Self::from_number(n).ok_or(rusqlite::types::FromSqlError::OutOfRange(n))
            }
        }
        impl tokio_postgres::types::ToSql for $name {
            fn to_sql(
                &self,
                ty: &tokio_postgres::types::Type,
                out: &mut tokio_postgres::types::private::BytesMut,
            ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
                tokio_postgres::types::ToSql::to_sql(&self.number(), ty, out)
            }
            fn accepts(ty: &tokio_postgres::types::Type) -> bool { <i64 as tokio_postgres::types::ToSql>::accepts(ty) }
            tokio_postgres::types::to_sql_checked!();
        }
        impl<'a> tokio_postgres::types::FromSql<'a> for $name {
            fn from_sql(
                ty: &tokio_postgres::types::Type,
                raw: &'a [u8],
            ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
                let n = <i64 as tokio_postgres::types::FromSql>::from_sql(ty, raw)?;
                Self::from_number(n).ok_or_else(|| format!("{n} is no {}", stringify!($name)).into())
            }
            fn accepts(ty: &tokio_postgres::types::Type) -> bool { <i64 as tokio_postgres::types::FromSql>::accepts(ty) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.as_str()) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::unknown_variant(&text, &[$($text),*]))
            }
        }
    };
}
pub(crate) use stored_enum;
column!(crate::Time, i64);
