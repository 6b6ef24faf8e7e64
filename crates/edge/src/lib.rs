//! Serves stored media over HTTP: from a store, or as a caching proxy in front of folders, buckets and other servers.
//! Stand-alone: knows no database and no account.

pub mod cache;
pub mod config;
pub mod control;
mod figures;
mod local;
mod log;
pub mod metrics;
mod origin;
mod path;
pub mod presets;
mod serve;
pub mod server;
mod sites;
mod status;
mod waiting;

pub use figures::SiteStatus;
pub use local::local;
pub use origin::{Elsewhere, OwnPlace};
pub use sites::{Edge, Prepared, Reach, Unusable, show};
pub use status::{OriginStatus, Status};
