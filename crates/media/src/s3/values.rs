//! Values of a bucket's configuration that are more than text.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// How the bucket's name is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// `https://endpoint/bucket/key`
    Path,
    /// `https://bucket.endpoint/key`
    VirtualHost,
}

impl FromStr for Addressing {
    type Err = String;

    fn from_str(text: &str) -> Result<Addressing, String> {
        match text {
            "path" => Ok(Addressing::Path),
            "virtual-host" => Ok(Addressing::VirtualHost),
            _ => Err("expected \"path\" or \"virtual-host\"".into()),
        }
    }
}
