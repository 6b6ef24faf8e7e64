//! Where the configuration of an edge is.

use crate::cli::{Failure, Place};
use edge::config::EdgeConfig;
use std::path::{Path, PathBuf};

const USUAL: [&str; 2] = ["edge.toml", "/etc/noren/edge.toml"];

/// The file that counts where none is named.
pub(super) fn usual() -> Option<&'static Path> {
    USUAL.iter().map(Path::new).find(|file| file.is_file())
}

/// The file and what it says. `--data` goes before the file.
pub(super) fn load(place: &Place) -> Result<(PathBuf, EdgeConfig), Failure> {
    let file = match &place.config {
        Some(file) if file.is_file() => file.clone(),
        Some(file) => return Err(Failure::Usage(format!("--config: there is no file {}", file.display()))),
        None => match usual() {
            Some(file) => file.to_owned(),
            None => {
                let text = "there is no edge.toml here and none in /etc/noren: make one with noren edge init";
                return Err(Failure::Usage(text.into()));
            }
        },
    };
    let config = EdgeConfig::read(&file).map_err(|error| Failure::Usage(error.to_string()))?;
    let data = place.data.clone().unwrap_or_else(|| config.server.data.clone());
    Ok((file, config.in_data(&data)))
}
