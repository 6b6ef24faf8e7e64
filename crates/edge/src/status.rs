//! What an edge tells about itself.

use crate::figures::SiteStatus;
use crate::origin::OriginFigures;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Everything that is counted, since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    /// Seconds since the start.
    pub up: u64,
    pub sites: Vec<SiteStatus>,
    pub origins: Vec<OriginStatus>,
    /// The cache's own figures, by name.
    pub cache: BTreeMap<String, u64>,
    /// Most bytes that the cache may take on the disk.
    pub cache_limit: u64,
    pub log_dropped: u64,
}

/// Figures of an origin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginStatus {
    pub site: String,
    pub name: String,
    pub found: u64,
    pub absent: u64,
    pub failed: u64,
    pub busy: u64,
    pub bytes: u64,
    /// Mean time until it began to answer, in milliseconds.
    pub millis: f64,
    /// It failed several times in a row a moment ago.
    pub rests: bool,
}

impl OriginStatus {
    pub(crate) fn of(site: &str, figures: &OriginFigures) -> OriginStatus {
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let answered: u64 = figures.latencies.iter().map(read).sum();
        OriginStatus {
            site: site.to_owned(),
            name: figures.label().to_owned(),
            found: read(&figures.found),
            absent: read(&figures.absent),
            failed: read(&figures.failed),
            busy: read(&figures.busy),
            bytes: read(&figures.bytes),
            millis: if answered == 0 { 0.0 } else { read(&figures.micros) as f64 / 1000.0 / answered as f64 },
            rests: figures.is_resting(),
        }
    }
}

impl Status {
    /// Bytes sent to clients that no origin had to send.
    pub fn bytes_saved(&self) -> u64 {
        self.cache.get("bytes_kept").copied().unwrap_or(0)
    }

    /// One figure of the cache.
    pub fn cached(&self, name: &str) -> u64 {
        self.cache.get(name).copied().unwrap_or(0)
    }
}
