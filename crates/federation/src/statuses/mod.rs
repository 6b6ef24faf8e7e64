//! Posts: from what the domain knows to documents, and back.

pub(crate) mod arrive;
pub(crate) mod collections;
pub(crate) mod compose;
pub(crate) mod consent;
mod content;
pub(crate) mod quotes;
pub(crate) mod serve;
