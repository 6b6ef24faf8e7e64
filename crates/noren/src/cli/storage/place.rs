//! Where a command looks: a bucket, or a folder of this machine.

use super::Failure;
use super::target::{Chosen, Target};
use crate::cli::{self, start};
use crate::server::places;
use std::path::{Path, PathBuf};

/// Before the names of objects.
pub(super) const BUCKET: &str = "bucket:";
/// Before the names of objects in another bucket.
pub(super) const OTHER: &str = "other:";
/// Before folders, where a name alone would be an object's.
pub(super) const FOLDER: &str = "folder:";

pub(super) enum Looked {
    /// What begins so in a bucket.
    There(Box<Chosen>, String),
    /// A folder here.
    Here(PathBuf),
}

/// Without a mark it is the bucket, or the folder of a site that keeps its files on its own disk.
pub(super) fn looked(text: &str, target: &Target, place: &cli::Place) -> Result<Looked, Failure> {
    if let Some(folder) = text.strip_prefix(FOLDER) {
        return Ok(Looked::Here(folder.into()));
    }
    if let Some(key) = text.strip_prefix(BUCKET) {
        return Ok(Looked::There(Box::new(target.chosen(place)?), key.to_owned()));
    }
    if target.is_named() {
        return Ok(Looked::There(Box::new(target.chosen(place)?), text.to_owned()));
    }
    let config = start::configuration(place, Vec::new())?.config;
    match config.media.storage.is_set() {
        true => Ok(Looked::There(Box::new(target.chosen(place)?), text.to_owned())),
        false => {
            let folder = places::folder(&config.server.data).join(text);
            if !folder.exists() && Path::new(text).exists() {
                let why = format!("there is no {}; for a folder of this machine say {FOLDER}{text}", folder.display());
                return Err(Failure::Usage(why));
            }
            Ok(Looked::Here(folder))
        }
    }
}
