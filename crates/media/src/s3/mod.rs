//! Buckets that speak Amazon's S3 protocol, whoever runs them: signed requests (SigV4), streams both ways, large files
//! in parts, and what an admin sets up once. Nothing is whole in memory, everything has a limit and a time.
//!
//! rusty-s3 signs; it sends nothing. Its own actions are not used: they lack conditions, copies, ACL, CORS, writing of
//! policies, and errors that are read, and its parser insists on Amazon's XML namespace, which not every server writes.

mod across;
mod admin;
mod body;
mod bucket;
mod call;
mod checksum;
mod config;
mod copy;
mod error;
mod get;
mod list;
mod multipart;
mod provider;
mod put;
mod retry;
mod uploads;
mod values;
mod xml;

pub use crate::values::Secret;
pub use across::COPY_MEMORY;
pub use admin::{Access, Created};
pub use bucket::Bucket;
pub use checksum::is_etag_of;
pub use config::S3Config;
pub use copy::CopyRule;
pub use error::{Error, Origin, Result};
pub use get::{Answer, Meta, Object, Wanted};
pub use list::{Found, Next, Page, Scope};
pub use provider::{Preset, Provider, RegionRule, Support};
pub use put::{Headers, Source, Stored};
pub use uploads::{After, Upload, Uploads};
pub use values::Addressing;
