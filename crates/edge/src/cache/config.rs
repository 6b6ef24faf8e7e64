//! What an admin can set.

use super::units::{period, size};
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

const MIB: u64 = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Errors are never remembered for longer.
const LONGEST_ERROR: Duration = Duration::from_secs(300);

/// The cache on disk for objects that come from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Folder for the files; it may be emptied at any time.
    pub path: PathBuf,
    /// Most bytes on the disk.
    #[serde(with = "size")]
    pub max_size: u64,
    /// Bytes of the disk that stay free, whatever `max_size` says.
    #[serde(with = "size")]
    pub min_free: u64,
    /// What nobody asked for this long is removed.
    #[serde(with = "period")]
    pub inactive: Duration,
    /// How long objects and redirects are served before the origin is asked again.
    #[serde(with = "period")]
    pub valid_ok: Duration,
    /// How long an origin is not asked again for what it does not have.
    #[serde(with = "period")]
    pub valid_not_found: Duration,
    /// How long an origin is not asked again for what it failed to give; at most 5 min.
    #[serde(with = "period")]
    pub valid_error: Duration,
    /// Objects are fetched and kept in pieces of this length: 256 KiB to 16 MiB.
    #[serde(with = "size")]
    pub slice_size: u64,
    /// Most bytes of hot objects in memory.
    #[serde(with = "size")]
    pub memory: u64,
    /// Objects fetched at once; each takes up to `slice_size` of memory.
    pub fills: usize,
    /// How long an origin may be silent: before it answers, and between two pieces of the answer.
    #[serde(with = "period")]
    pub stall: Duration,
}

impl Default for CacheConfig {
    fn default() -> CacheConfig {
        CacheConfig {
            path: PathBuf::from("cache"),
            max_size: 20_000_000_000,
            min_free: 1_000_000_000,
            inactive: 90 * DAY,
            valid_ok: 90 * DAY,
            valid_not_found: Duration::from_secs(60),
            valid_error: Duration::from_secs(10),
            slice_size: MIB,
            memory: 64 * MIB,
            fills: 64,
            stall: Duration::from_secs(30),
        }
    }
}

impl CacheConfig {
    /// With every value within its bounds.
    pub(super) fn bounded(mut self) -> CacheConfig {
        self.slice_size = self.slice_size.clamp(MIB / 4, 16 * MIB);
        self.fills = self.fills.clamp(1, 4096);
        self.valid_error = self.valid_error.min(LONGEST_ERROR);
        self.stall = self.stall.max(Duration::from_millis(1));
        self
    }

    /// How long an answer with this status is good.
    pub(super) fn validity(&self, status: u16) -> Duration {
        match status {
            200 | 206 | 301 | 302 | 307 | 308 => self.valid_ok,
            404 | 410 => self.valid_not_found,
            _ => self.valid_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_people_write_it() {
        let config = CacheConfig::default();
        let text = toml::to_string(&config).unwrap();
        for line in ["max_size = \"20 GB\"", "valid_ok = \"90 d\"", "valid_error = \"10 s\"", "slice_size = \"1 MiB\""]
        {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert_eq!(toml::from_str::<CacheConfig>(&text).unwrap(), config);
        let partial: CacheConfig = toml::from_str("max_size = \"1 GiB\"\ninactive = \"2 w\"").unwrap();
        assert_eq!((partial.max_size, partial.inactive), (1 << 30, 14 * DAY));
        for wrong in ["max_size = 5", "inactive = \"5\"", "sise = \"1 B\""] {
            assert!(toml::from_str::<CacheConfig>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(CacheConfig::FIELD_NAMES.len(), CacheConfig::FIELD_DOCS.len());
    }

    #[test]
    fn values_stay_within_their_bounds() {
        let wild =
            CacheConfig { slice_size: 1, fills: 0, valid_error: DAY, stall: Duration::ZERO, ..CacheConfig::default() };
        let config = wild.bounded();
        assert_eq!((config.slice_size, config.fills, config.validity(500)), (MIB / 4, 1, LONGEST_ERROR));
        assert!(config.stall > Duration::ZERO);
        assert_eq!((config.validity(308), config.validity(410)), (config.valid_ok, config.valid_not_found));
    }
}
