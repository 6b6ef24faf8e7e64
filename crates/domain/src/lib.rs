//! What is true: types, rules, SQL, the job queue. No HTTP, no JSON dialect, no network.

pub mod accounts;
pub mod db;
mod error;
pub mod events;
pub mod ids;
pub mod jobs;
pub mod site;
pub mod statuses;
mod time;
pub mod users;

pub use db::Db;
pub use error::{Error, Result};
pub use time::Time;
