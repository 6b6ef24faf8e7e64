//! Where our own files are: the place for new ones, and the places of old ones.

use crate::config::{Config, MediaConfig};
use anyhow::{Context as _, anyhow};
use edge::OwnPlace;
use edge::config::{Folder, FolderOrigin, OriginConfig};
use media::{Place, Places, Store};
use std::path::{Path, PathBuf};

/// The store of a configuration.
pub(super) fn store(config: &Config) -> anyhow::Result<Store> {
    open(&config.media, &config.server.data).map(Store::of)
}

/// The configured bucket, else a folder of the data; behind it what may have old files. No connection is made.
pub(super) fn open(config: &MediaConfig, data: &Path) -> anyhow::Result<Places> {
    let first = match config.bucket().context("media.storage")? {
        Some(bucket) => Place::bucket(bucket, data.join("incoming")).context("cannot make a folder for uploads")?,
        None => Place::disk(folder(data)).context("cannot open the media folder")?,
    };
    let mut places = Places::new(first);
    for (at, origin) in config.origins.iter().enumerate() {
        match origin {
            OriginConfig::Folder(origin) => places = places.and(Place::old_disk(whole(origin))),
            OriginConfig::Bucket(origin) => {
                let bucket = origin.open().map_err(|why| anyhow!("media.origin[{at}].{why}"))?;
                places = places.and(Place::old_bucket(bucket));
            }
            OriginConfig::Http(_) => {}
        }
    }
    Ok(places)
}

/// What whoever reads the log should know.
pub(super) fn tell(config: &MediaConfig, store: &Store) {
    match store.places().first() {
        Place::S3(store) => tracing::info!("new files go to {}{}", store.bucket().url(), store.bucket().prefix()),
        Place::Disk(store) if !config.origins.is_empty() => {
            tracing::info!("new files go to {}", store.root().display());
        }
        // As it always was: nothing to say.
        Place::Disk(_) => {}
    }
    for origin in &config.origins {
        let takes_no_orders = match origin {
            OriginConfig::Folder(_) => false,
            OriginConfig::Bucket(origin) => origin.open().is_ok_and(|bucket| bucket.is_anonymous()),
            OriginConfig::Http(_) => true,
        };
        let place = origin.label();
        tracing::info!("older files are looked for in {place}");
        if takes_no_orders {
            tracing::warn!("files that people delete here stay in {place}, from which nothing can be removed");
        }
    }
}

/// Where new files go without a bucket.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("media")
}

fn whole(origin: &FolderOrigin) -> PathBuf {
    origin.folder.join(origin.prefix.as_str())
}

/// The same places as they are asked for what people look at: folders in front cost nothing, so they come before the
/// place of new files.
pub(super) fn served(config: &MediaConfig, data: &Path) -> anyhow::Result<Vec<OwnPlace>> {
    let first = match config.bucket().context("media.storage")? {
        Some(bucket) => OwnPlace::Bucket(bucket),
        None => {
            let folder = FolderOrigin { folder: folder(data), prefix: Folder::default() };
            OwnPlace::Origin(OriginConfig::Folder(folder))
        }
    };
    let mut places: Vec<OwnPlace> = config.origins.iter().cloned().map(OwnPlace::Origin).collect();
    let in_front = places.iter().take_while(|place| is_folder(place)).count();
    places.insert(if is_folder(&first) { 0 } else { in_front }, first);
    Ok(places)
}

pub(super) fn is_folder(place: &OwnPlace) -> bool {
    matches!(place, OwnPlace::Origin(OriginConfig::Folder(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_in_front_are_asked_first() {
        let text = "[[origin]]\nfolder = \"/a\"\n[[origin]]\nurl = \"http://b\"\n[[origin]]\nfolder = \"/c\"\n";
        let bucket =
            "[storage]\nendpoint = \"http://127.0.0.1:1\"\nbucket = \"new\"\naccess_key = \"a\"\nsecret_key = \"b\"\n";
        let asked = |text: &str| {
            let config: MediaConfig = toml::from_str(text).unwrap();
            let label = |place: &OwnPlace| match place {
                OwnPlace::Origin(origin) => origin.label(),
                OwnPlace::Bucket(bucket) => bucket.name().to_owned(),
                OwnPlace::Elsewhere(_) => "elsewhere".to_owned(),
            };
            served(&config, Path::new("data")).unwrap().iter().map(label).collect::<Vec<_>>()
        };
        assert_eq!(asked(&format!("{text}{bucket}")), ["/a", "new", "http://b", "/c"]);
        assert_eq!(asked(text), ["data/media", "/a", "http://b", "/c"]);
        assert_eq!(asked(""), ["data/media"]);
    }
}
