//! Bytes of pictures: what a file is, how it is made ready to be shown, and where it is kept.
//! Knows no account and no database; of HTTP only what buckets speak.
//!
//! The usual way of an upload: the request body is spooled to a file in [`Store::spool`], [`probe`] looks whether it
//! can be used at all, and a [`Workshop`] makes what is shown and stores it.

pub mod connections;
mod container;
mod content_type;
mod error;
mod fit;
mod image;
mod key;
pub mod keys;
mod limits;
mod output;
mod pool;
mod probe;
pub mod s3;
#[cfg(test)]
mod samples;
mod store;
pub mod trust;
pub mod values;
mod workshop;

pub use content_type::{content_type, known_type, sniffed};
pub use error::{Error, Fault, Result};
pub use fit::{Fitted, Role, fit};
pub use image::{Processed, process};
pub use key::{InvalidKey, Key};
pub use limits::Limits;
pub use output::{Content, Output, Size};
pub use pool::Pool;
pub use probe::{Format, Probe, probe};
pub use store::{Blob, Body, DiskStore, Entry, Listing, Place, Places, Remote, S3Store, Store};
pub use workshop::{Stored, StoredAttachment, StoredPicture, UPLOADS, Workshop, upload_id, upload_key};
