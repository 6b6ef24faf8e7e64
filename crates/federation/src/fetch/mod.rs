//! The one way to ask anything of another server.
mod error;
mod kind;
pub use error::Error;
pub use kind::{is_activity, is_json};
