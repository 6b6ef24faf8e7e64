//! A page of a long list, newest first, between two ids.

/// What part of a list is wanted. The answer is newest first in either order.
/// <https://docs.joinmastodon.org/api/guidelines/#pagination>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only ids lower than this.
    pub before: i64,
    /// Only ids higher than this.
    pub after: i64,
    pub from: From,
    pub limit: i64,
}

/// Which end of the range the page is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// `max_id`, `since_id`: the newest of the range.
    Newest,
    /// `min_id`: those right above it.
    Oldest,
}

impl Page {
    /// The newest `limit`.
    pub fn newest(limit: i64) -> Self {
        Self { before: i64::MAX, after: 0, from: From::Newest, limit }
    }

    /// The statement that reads from the wanted end.
    pub(crate) fn pick(&self, newest: &'static str, oldest: &'static str) -> &'static str {
        match self.from {
            From::Newest => newest,
            From::Oldest => oldest,
        }
    }

    /// Rows as the statement gave them, put newest first.
    pub(crate) fn newest_first<T>(&self, mut rows: Vec<T>) -> Vec<T> {
        if self.from == From::Oldest {
            rows.reverse();
        }
        rows
    }

    /// The rest of this page after `last`, the last row that was read from the wanted end.
    pub(crate) fn past(self, last: i64, limit: i64) -> Self {
        match self.from {
            From::Newest => Self { before: last, limit, ..self },
            From::Oldest => Self { after: last, limit, ..self },
        }
    }
}
