//! Serves stored media over HTTP, and takes the connections of everything that is served. Stand-alone: knows stores,
//! but no database.

mod body;
pub mod cache;
mod conditions;
mod content_type;
mod local;
mod path;
mod range;
pub mod server;

pub use local::local;
