//! Serves stored media over HTTP. Stand-alone: knows stores, but no database.

mod body;
pub mod cache;
mod conditions;
mod content_type;
mod local;
mod path;
mod range;

pub use local::local;
