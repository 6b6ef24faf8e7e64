//! Sizes and times as people write them, for fields that hold bare numbers and durations.

use media::values::{ByteSize, Period};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// For `#[serde(with = "size")]` on a number of bytes.
pub(super) mod size {
    use super::{ByteSize, Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &u64, s: S) -> Result<S::Ok, S::Error> {
        ByteSize(*value).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        ByteSize::deserialize(d).map(|size| size.0)
    }
}

/// For `#[serde(with = "period")]` on a [`Duration`].
pub(super) mod period {
    use super::{Deserialize, Deserializer, Duration, Period, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, s: S) -> Result<S::Ok, S::Error> {
        Period(*value).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        Period::deserialize(d).map(|period| period.0)
    }
}
