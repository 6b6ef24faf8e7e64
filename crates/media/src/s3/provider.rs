//! What is known about those who run buckets: one table.

use super::Addressing;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// Who runs the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Amazon S3
    Aws,
    /// Vultr Object Storage
    Vultr,
    /// Wasabi
    Wasabi,
    /// MinIO, on a machine of one's own
    Minio,
    /// Garage, on a machine of one's own
    Garage,
    /// Cloudflare R2
    R2,
    /// Backblaze B2
    B2,
    /// DigitalOcean Spaces
    DigitalOcean,
}

/// Where the region comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionRule {
    /// It is part of the address and has to be named; this is an example.
    Named(&'static str),
    /// Always this, unless another is named.
    Usual(&'static str),
}

/// Whether something can be set through the S3 protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It can.
    Yes,
    /// It cannot; this is what to do instead.
    No(&'static str),
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Whose it is.
    pub provider: Provider,
    /// The word in the configuration and on the command line.
    pub name: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// The endpoint, with `{region}` in it; `None` when it has to be named.
    pub endpoint: Option<&'static str>,
    /// What an endpoint that has to be named looks like.
    pub example: &'static str,
    /// Where the region comes from.
    pub region: RegionRule,
    /// How the bucket's name is told.
    pub addressing: Addressing,
    /// Whether the region is told when a bucket is made.
    pub location: bool,
    /// Bucket policies.
    pub policy: Support,
    /// Canned ACLs of buckets.
    pub acl: Support,
    /// CORS rules of buckets.
    pub cors: Support,
    /// Where this is from.
    pub source: &'static str,
}

const PRESETS: [Preset; 8] = [
    Preset {
        provider: Provider::Aws,
        name: "aws",
        title: "Amazon S3",
        endpoint: Some("https://s3.{region}.amazonaws.com"),
        example: "https://s3.eu-central-1.amazonaws.com",
        region: RegionRule::Named("eu-central-1"),
        addressing: Addressing::VirtualHost,
        location: true,
        policy: Support::Yes,
        acl: Support::No("new buckets have ACLs switched off: use the bucket policy"),
        cors: Support::Yes,
        source: "https://docs.aws.amazon.com/general/latest/gr/s3.html",
    },
    Preset {
        provider: Provider::Vultr,
        name: "vultr",
        title: "Vultr Object Storage",
        endpoint: Some("https://{region}.vultrobjects.com"),
        example: "https://ewr1.vultrobjects.com",
        region: RegionRule::Named("ewr1"),
        addressing: Addressing::VirtualHost,
        location: false,
        policy: Support::Yes,
        acl: Support::Yes,
        cors: Support::Yes,
        source: "https://docs.vultr.com/platform/security-best-practices/vultr-object-storage",
    },
    Preset {
        provider: Provider::Wasabi,
        name: "wasabi",
        title: "Wasabi",
        endpoint: Some("https://s3.{region}.wasabisys.com"),
        example: "https://s3.eu-central-1.wasabisys.com",
        region: RegionRule::Named("eu-central-1"),
        addressing: Addressing::VirtualHost,
        location: true,
        policy: Support::Yes,
        acl: Support::Yes,
        cors: Support::Yes,
        source: "https://docs.wasabi.com/docs/bucket-access",
    },
    Preset {
        provider: Provider::Minio,
        name: "minio",
        title: "MinIO",
        endpoint: None,
        example: "http://127.0.0.1:9000",
        region: RegionRule::Usual("us-east-1"),
        addressing: Addressing::Path,
        location: false,
        policy: Support::Yes,
        acl: Support::No("MinIO knows bucket policies only"),
        cors: Support::No("MinIO answers every origin by itself (its setting is MINIO_API_CORS_ALLOW_ORIGIN)"),
        source: "https://min.io/docs/minio/linux/reference/s3-api-compatibility.html",
    },
    Preset {
        provider: Provider::Garage,
        name: "garage",
        title: "Garage",
        endpoint: None,
        example: "http://127.0.0.1:3900",
        region: RegionRule::Usual("garage"),
        addressing: Addressing::Path,
        location: false,
        policy: Support::No("keep the bucket private and let Noren serve it, or use `garage bucket website --allow`"),
        acl: Support::No("keep the bucket private and let Noren serve it, or use `garage bucket website --allow`"),
        cors: Support::Yes,
        source: "https://garagehq.deuxfleurs.fr/reference_manual/s3_compatibility.html",
    },
    Preset {
        provider: Provider::R2,
        name: "r2",
        title: "Cloudflare R2",
        endpoint: None,
        example: "https://ACCOUNT_ID.r2.cloudflarestorage.com",
        region: RegionRule::Usual("auto"),
        addressing: Addressing::Path,
        location: false,
        policy: Support::No(
            "keep the bucket private and let Noren serve it, or connect a domain to it in the dashboard",
        ),
        acl: Support::No("keep the bucket private and let Noren serve it, or connect a domain to it in the dashboard"),
        cors: Support::Yes,
        source: "https://developers.cloudflare.com/r2/api/s3/api/",
    },
    Preset {
        provider: Provider::B2,
        name: "b2",
        title: "Backblaze B2",
        endpoint: Some("https://s3.{region}.backblazeb2.com"),
        example: "https://s3.us-west-004.backblazeb2.com",
        region: RegionRule::Named("us-west-004"),
        addressing: Addressing::VirtualHost,
        location: false,
        policy: Support::No("B2 has ACLs of whole buckets instead"),
        acl: Support::Yes,
        cors: Support::Yes,
        source: "https://www.backblaze.com/docs/cloud-storage-call-the-s3-compatible-api",
    },
    Preset {
        provider: Provider::DigitalOcean,
        name: "digitalocean",
        title: "DigitalOcean Spaces",
        endpoint: Some("https://{region}.digitaloceanspaces.com"),
        example: "https://fra1.digitaloceanspaces.com",
        region: RegionRule::Named("fra1"),
        addressing: Addressing::VirtualHost,
        location: false,
        policy: Support::Yes,
        acl: Support::Yes,
        cors: Support::Yes,
        source: "https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/",
    },
];

impl Provider {
    /// Everybody in the table.
    pub fn all() -> &'static [Preset] {
        &PRESETS
    }

    /// What is known about it.
    pub fn preset(self) -> &'static Preset {
        // In the order of the enum, which a test holds.
        &PRESETS[self as usize]
    }

    /// Whose address this is.
    pub fn of_host(host: &str) -> Option<Provider> {
        const DOMAINS: [(&str, Provider); 6] = [
            ("amazonaws.com", Provider::Aws),
            ("vultrobjects.com", Provider::Vultr),
            ("wasabisys.com", Provider::Wasabi),
            ("r2.cloudflarestorage.com", Provider::R2),
            ("backblazeb2.com", Provider::B2),
            ("digitaloceanspaces.com", Provider::DigitalOcean),
        ];
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        DOMAINS.iter().find(|(domain, _)| below(domain)).map(|(_, provider)| *provider)
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Provider, String> {
        let found = PRESETS.iter().find(|preset| preset.name == text).map(|preset| preset.provider);
        let names = || PRESETS.map(|preset| preset.name).join(", ");
        found.ok_or_else(|| format!("expected one of {}", names()))
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.preset().name)
    }
}

/// `https://s3.example.com/BUCKET` and `https://BUCKET.s3.eu-central-1.wasabisys.com` are addresses of buckets.
pub(super) fn names_bucket(endpoint: &Url, bucket: &str, preset: Option<&Preset>) -> bool {
    // A longer path is part of the provider's own address.
    if endpoint.path().trim_matches('/') == bucket {
        return true;
    }
    let rest = endpoint.host_str().and_then(|host| host.strip_prefix(bucket)?.strip_prefix('.'));
    let pattern = preset.and_then(|preset| preset.endpoint?.strip_prefix("https://")?.split_once("{region}"));
    let (Some(rest), Some((before, after))) = (rest, pattern) else { return false };
    let region = rest.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    region.is_some_and(|region| !region.is_empty() && !region.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (place, preset) in PRESETS.iter().enumerate() {
            assert_eq!(preset.provider as usize, place);
            assert_eq!(preset.provider.preset().name, preset.name);
            assert_eq!(preset.name.parse(), Ok(preset.provider));
            assert_eq!(serde_json::to_value(preset.provider).unwrap(), preset.name);
            assert!(preset.source.starts_with("https://"));
            // Where the region is part of the address it has to be named.
            let in_address = preset.endpoint.is_some_and(|endpoint| endpoint.contains("{region}"));
            assert_eq!(in_address, matches!(preset.region, RegionRule::Named(_)), "{}", preset.name);
            if let (Some(endpoint), RegionRule::Named(region)) = (preset.endpoint, preset.region) {
                assert_eq!(endpoint.replace("{region}", region), preset.example);
                let host = preset.example.strip_prefix("https://").unwrap();
                assert_eq!(Provider::of_host(host), Some(preset.provider));
            }
        }
        assert_eq!(Provider::of_host("evil-amazonaws.com"), None);
        assert!("azure".parse::<Provider>().is_err());
    }
}
