//! Lists.

use domain::{
    ids::ListId,
    lists::{self, RepliesPolicy},
};
use serde::Serialize;

/// <https://docs.joinmastodon.org/entities/List/>
#[derive(Clone, Debug, Serialize)]
pub struct List {
    pub id: ListId,
    pub title: String,
    pub replies_policy: RepliesPolicy,
    pub exclusive: bool,
}

impl From<lists::List> for List {
    fn from(row: lists::List) -> Self {
        Self { id: row.id, title: row.title, replies_policy: row.replies_policy, exclusive: row.exclusive }
    }
}

pub fn lists(rows: Vec<lists::List>) -> Vec<List> {
    rows.into_iter().map(List::from).collect()
}
