//! What is true: types, rules, SQL, the job queue. No HTTP, no JSON dialect, no network.

pub mod accounts;
pub mod blocks;
pub mod conversations;
pub mod db;
pub mod directory;
pub mod emojis;
pub mod events;
pub mod follows;
pub mod ids;
pub mod invites;
pub mod jobs;
pub mod lists;
pub mod markers;
pub mod media;
pub mod mutes;
pub mod notifications;
pub mod oauth;
pub mod page;
pub mod polls;
pub mod relationships;
pub mod reports;
pub mod scheduled;
pub mod search;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod site;
pub mod statistics;
pub mod statuses;
pub mod suggestions;
pub mod tags;
pub mod text;
pub mod timelines;
pub mod trends;
pub mod two_factor;
pub mod users;

mod error;
mod time;

pub use db::Db;
pub use error::{Error, Result};
pub use time::Time;
