//! How a bucket is described in a configuration, and what follows from the description.

use super::bucket::host;
use super::provider::names_bucket;
use super::{Addressing, Error, Preset, Provider, RegionRule, Result, Secret};
use crate::values::Period;
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use url::{Host, Url};

/// Nobody waits longer for an answer.
const LONGEST: Duration = Duration::from_secs(3600);

/// A bucket that keeps the files instead of the data folder: AWS S3, Vultr, Wasabi, MinIO, Garage, Cloudflare R2,
/// Backblaze B2, DigitalOcean or any other that speaks S3. Without any of these settings files stay on the local disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// "aws", "vultr", "wasabi", "minio", "garage", "r2", "b2" or "digitalocean": knows endpoint and addressing.
    /// Without it: by the endpoint's name, else only what all have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The address of the provider, without the bucket's name, such as "https://s3.eu-central-1.amazonaws.com" or
    /// "http://127.0.0.1:9000".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Url>,
    /// The region, such as "eu-central-1". Without it: what is usual at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The bucket's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// A folder inside the bucket that everything is kept in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The access key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The access key's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<Secret>,
    /// A file with the access key's secret, instead of secret_key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_file: Option<PathBuf>,
    /// "path" (endpoint/bucket/key) or "virtual-host" (bucket.endpoint/key). Without it: what the provider wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addressing: Option<Addressing>,
    /// The storage class of new objects, such as "STANDARD_IA". Without it: the bucket's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Files with certificates (PEM) of authorities that are believed besides the system's, for a bucket of one's own
    /// behind https.
    pub authorities: Vec<PathBuf>,
    /// How long a connection may take to come about.
    pub connect_timeout: Period,
    /// How long the bucket may take to begin its answer.
    pub answer_timeout: Period,
    /// How long the bucket may pause in the middle of an answer.
    pub idle_timeout: Period,
    /// How often a request is repeated that failed in a way that may pass.
    pub retries: u32,
}

impl Default for S3Config {
    fn default() -> S3Config {
        S3Config {
            provider: None,
            endpoint: None,
            region: None,
            bucket: None,
            prefix: None,
            access_key: None,
            secret_key: None,
            secret_key_file: None,
            addressing: None,
            storage_class: None,
            authorities: Vec::new(),
            connect_timeout: Period(Duration::from_secs(5)),
            answer_timeout: Period(Duration::from_secs(30)),
            idle_timeout: Period(Duration::from_secs(30)),
            retries: 4,
        }
    }
}

/// The description with everything that follows from it.
pub(super) struct Settled {
    pub provider: Option<Provider>,
    pub endpoint: Url,
    pub region: String,
    pub bucket: String,
    /// Empty, or ends with a slash.
    pub prefix: String,
    pub keys: Option<(String, Secret)>,
    pub addressing: Addressing,
}

impl S3Config {
    /// Whether anything is set at all.
    pub fn is_set(&self) -> bool {
        *self != S3Config::default()
    }

    /// What is known about whoever runs the bucket.
    pub fn preset(&self) -> Option<&'static Preset> {
        let by_name = || self.endpoint.as_ref().and_then(Url::host_str).and_then(Provider::of_host);
        self.provider.or_else(by_name).map(Provider::preset)
    }

    /// How the bucket is called in logs and figures: its name, the folder in it, and who keeps it. Holds no secret.
    pub fn label(&self) -> String {
        let preset = self.preset();
        let endpoint = self.settled_region(preset).and_then(|region| self.settled_endpoint(preset, &region));
        let at = endpoint.map_or_else(|_| String::new(), |url| format!(" at {}", host(&url)));
        let prefix = self.settled_prefix().unwrap_or_default();
        format!("bucket {}/{prefix}", self.bucket.as_deref().unwrap_or_default()).trim_end_matches('/').to_owned() + &at
    }

    pub(super) fn settled(&self) -> Result<Settled> {
        let preset = self.preset();
        let bucket = self.settled_bucket()?;
        if self.endpoint.as_ref().is_some_and(|endpoint| names_bucket(endpoint, &bucket, preset)) {
            return Err(bad("endpoint", format!("leave {bucket:?} out of it: the bucket's name has its own setting")));
        }
        let region = self.settled_region(preset)?;
        let endpoint = self.settled_endpoint(preset, &region)?;
        let addressing = self.settled_addressing(preset, &endpoint, &bucket)?;
        if let Some(class) = &self.storage_class {
            let word = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            if class.is_empty() || class.len() > 64 || !class.bytes().all(word) {
                return Err(bad("storage_class", "expected a word such as \"STANDARD_IA\""));
            }
        }
        let times = [
            ("connect_timeout", self.connect_timeout),
            ("answer_timeout", self.answer_timeout),
            ("idle_timeout", self.idle_timeout),
        ];
        if let Some((field, _)) = times.into_iter().find(|(_, time)| time.0.is_zero() || time.0 > LONGEST) {
            return Err(bad(field, "expected 1 ms to 1 h"));
        }
        if self.retries > 20 {
            return Err(bad("retries", "expected at most 20"));
        }
        let provider = preset.map(|preset| preset.provider);
        let prefix = self.settled_prefix()?;
        Ok(Settled { provider, endpoint, region, bucket, prefix, keys: self.settled_keys()?, addressing })
    }

    fn settled_region(&self, preset: Option<&Preset>) -> Result<String> {
        let region = match (self.region.as_deref(), preset.map(|preset| preset.region)) {
            (Some(region), _) => region.to_owned(),
            (None, Some(RegionRule::Usual(usual))) => usual.to_owned(),
            (None, Some(RegionRule::Named(example))) => match self.region_in_endpoint(preset) {
                Some(region) => region,
                None => return Err(bad("region", format!("missing: name it, such as {example:?}"))),
            },
            (None, None) => "us-east-1".to_owned(),
        };
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        match region.is_empty() || region.len() > 64 || !region.bytes().all(word) {
            true => Err(bad("region", "expected a name such as \"eu-central-1\"")),
            false => Ok(region),
        }
    }

    /// `https://s3.REGION.amazonaws.com` says it already.
    fn region_in_endpoint(&self, preset: Option<&Preset>) -> Option<String> {
        let (before, after) = preset?.endpoint?.strip_prefix("https://")?.split_once("{region}")?;
        let host = self.endpoint.as_ref()?.host_str()?;
        let region = host.strip_prefix(before)?.strip_suffix(after)?;
        (!region.is_empty() && !region.contains('.')).then(|| region.to_owned())
    }

    fn settled_endpoint(&self, preset: Option<&Preset>, region: &str) -> Result<Url> {
        let example = preset.map_or("https://s3.example.com", |preset| preset.example);
        let wanted = || format!("expected an address such as {example:?}");
        let url = match (&self.endpoint, preset.and_then(|preset| preset.endpoint)) {
            (Some(url), _) => url.clone(),
            (None, Some(pattern)) => {
                Url::parse(&pattern.replace("{region}", region)).map_err(|_| bad("endpoint", wanted()))?
            }
            (None, None) => return Err(bad("endpoint", format!("missing: {}", wanted()))),
        };
        let plain = url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        match web && plain && anonymous {
            true => Ok(url),
            false => Err(bad("endpoint", format!("{}, without a name, password or query", wanted()))),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>, and the upper case and
    /// underscores of old buckets.
    fn settled_bucket(&self) -> Result<String> {
        let name = self.bucket.as_deref().ok_or_else(|| bad("bucket", "missing: the bucket's name"))?;
        let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let whole = ends(name.bytes().next()) && ends(name.bytes().last()) && !name.contains("..");
        match letters && whole && (3..=255).contains(&name.len()) {
            true => Ok(name.to_owned()),
            false => Err(bad("bucket", "expected 3 to 63 lower-case letters, digits and hyphens")),
        }
    }

    fn settled_addressing(&self, preset: Option<&Preset>, endpoint: &Url, bucket: &str) -> Result<Addressing> {
        let domain = matches!(endpoint.host(), Some(Host::Domain(_)));
        // Certificates for *.endpoint do not cover names with dots, and addresses have no subdomains.
        let hostable = domain && !bucket.contains(['.', '_']) && !bucket.bytes().any(|b| b.is_ascii_uppercase());
        match self.addressing {
            Some(Addressing::VirtualHost) if !domain || bucket.contains('_') => {
                Err(bad("addressing", "\"virtual-host\" needs an endpoint and a bucket with names that fit into DNS"))
            }
            Some(wanted) => Ok(wanted),
            None if !hostable => Ok(Addressing::Path),
            None => Ok(preset.map_or(Addressing::Path, |preset| preset.addressing)),
        }
    }

    fn settled_prefix(&self) -> Result<String> {
        let text = self.prefix.as_deref().unwrap_or_default().trim_matches('/');
        let part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        };
        match text {
            "" => Ok(String::new()),
            text if text.len() <= 256 && text.split('/').all(part) => Ok(format!("{text}/")),
            _ => Err(bad("prefix", "expected a folder such as \"media\"")),
        }
    }

    fn settled_keys(&self) -> Result<Option<(String, Secret)>> {
        let secret = match (&self.secret_key, &self.secret_key_file) {
            (Some(_), Some(_)) => return Err(bad("secret_key", "set either this or secret_key_file, not both")),
            (Some(secret), None) => Some(secret.clone()),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| bad("secret_key_file", format!("{}: {error}", path.display())))?;
                Some(Secret::new(text.trim()))
            }
            (None, None) => None,
        };
        let fits = |text: &str| !text.is_empty() && text.len() <= 1024 && text.bytes().all(|b| b.is_ascii_graphic());
        match (&self.access_key, secret) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(bad("secret_key", "missing: the access key has a secret")),
            (None, Some(_)) => Err(bad("access_key", "missing: the id of the key that the secret belongs to")),
            (Some(id), _) if !fits(id) || id.contains('/') => {
                Err(bad("access_key", "expected the id of an access key"))
            }
            (Some(_), Some(secret)) if !fits(secret.reveal()) => {
                Err(bad("secret_key", "expected the secret of an access key, without spaces"))
            }
            (Some(id), Some(secret)) => Ok(Some((id.clone(), secret))),
        }
    }
}

fn bad(field: &'static str, why: impl Into<String>) -> Error {
    Error::Config { field, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(provider: Option<&str>, endpoint: Option<&str>) -> S3Config {
        S3Config {
            provider: provider.map(|name| name.parse().unwrap()),
            endpoint: endpoint.map(|url| url.parse().unwrap()),
            bucket: Some("files".into()),
            ..S3Config::default()
        }
    }

    /// Endpoint, region, addressing.
    fn settled(config: &S3Config) -> String {
        match config.settled() {
            Ok(settled) => format!("{} {} {:?}", settled.endpoint, settled.region, settled.addressing),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_follows_from_provider_and_endpoint() {
        let table = [
            (Some("aws"), None, "region: missing: name it, such as \"eu-central-1\""),
            (Some("minio"), None, "endpoint: missing: expected an address such as \"http://127.0.0.1:9000\""),
            (None, None, "endpoint: missing: expected an address such as \"https://s3.example.com\""),
            (Some("minio"), Some("http://127.0.0.1:9000"), "http://127.0.0.1:9000/ us-east-1 Path"),
            (Some("garage"), Some("http://garage.lan:3900"), "http://garage.lan:3900/ garage Path"),
            (
                None,
                Some("https://s3.us-west-2.amazonaws.com"),
                "https://s3.us-west-2.amazonaws.com/ us-west-2 VirtualHost",
            ),
            (None, Some("https://ewr1.vultrobjects.com"), "https://ewr1.vultrobjects.com/ ewr1 VirtualHost"),
            (None, Some("https://abc.r2.cloudflarestorage.com"), "https://abc.r2.cloudflarestorage.com/ auto Path"),
            (None, Some("https://files.example.com/s3"), "https://files.example.com/s3 us-east-1 Path"),
        ];
        for (provider, endpoint, expected) in table {
            assert_eq!(settled(&config(provider, endpoint)), expected);
        }
        let fra1 = S3Config { region: Some("fra1".into()), ..config(Some("digitalocean"), None) };
        assert_eq!(settled(&fra1), "https://fra1.digitaloceanspaces.com/ fra1 VirtualHost");
        let dotted = S3Config { bucket: Some("files.example.com".into()), ..fra1 };
        assert_eq!(settled(&dotted), "https://fra1.digitaloceanspaces.com/ fra1 Path");
    }

    #[test]
    fn buckets_of_one_name_are_told_apart() {
        let region = |config| S3Config { region: Some("eu-central-1".into()), ..config };
        let folder = |config| S3Config { prefix: Some("/a/b/".into()), ..config };
        for (config, label) in [
            (config(None, Some("http://127.0.0.1:9000")), "bucket files at 127.0.0.1:9000"),
            (folder(config(None, Some("https://s3.test"))), "bucket files/a/b at s3.test"),
            (region(config(Some("wasabi"), None)), "bucket files at s3.eu-central-1.wasabisys.com"),
            (config(Some("aws"), None), "bucket files"),
            (S3Config::default(), "bucket "),
        ] {
            assert_eq!(config.label(), label);
        }
    }

    #[test]
    fn nonsense_is_named() {
        let base = config(None, Some("http://127.0.0.1:9000"));
        let text = |text: &str| Some(text.to_owned());
        let cases = [
            S3Config { bucket: None, ..base.clone() },
            S3Config { bucket: text("a/b"), ..base.clone() },
            S3Config { bucket: text("-ab"), ..base.clone() },
            S3Config { prefix: text("a/../b"), ..base.clone() },
            S3Config { region: text("a b"), ..base.clone() },
            S3Config { storage_class: text("standard\r\n"), ..base.clone() },
            S3Config { access_key: text("id"), ..base.clone() },
            S3Config { secret_key: Some(Secret::new("s")), ..base.clone() },
            S3Config { access_key: text("id"), secret_key: Some(Secret::new("a b")), ..base.clone() },
            S3Config { access_key: text("id"), secret_key_file: Some("/nowhere/key".into()), ..base.clone() },
            S3Config { addressing: Some(Addressing::VirtualHost), ..base.clone() },
            S3Config { endpoint: Some("ftp://example.com".parse().unwrap()), ..base.clone() },
            S3Config { endpoint: Some("https://a:b@example.com".parse().unwrap()), ..base.clone() },
            S3Config { endpoint: Some("http://127.0.0.1:9000/files".parse().unwrap()), ..base.clone() },
            S3Config { endpoint: Some("https://files.ewr1.vultrobjects.com/".parse().unwrap()), ..base.clone() },
            S3Config { retries: 1000, ..base.clone() },
            S3Config { connect_timeout: Period(Duration::ZERO), ..base.clone() },
            S3Config { idle_timeout: Period(2 * LONGEST), ..base.clone() },
        ];
        let fields: Vec<_> = cases
            .iter()
            .map(|case| match case.settled() {
                Err(Error::Config { field, .. }) => field,
                _ => panic!("{case:?}"),
            })
            .collect();
        let expected = [
            "bucket",
            "bucket",
            "bucket",
            "prefix",
            "region",
            "storage_class",
            "secret_key",
            "access_key",
            "secret_key",
            "secret_key_file",
            "addressing",
            "endpoint",
            "endpoint",
            "endpoint",
            "endpoint",
            "retries",
            "connect_timeout",
            "idle_timeout",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn keys_come_from_a_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "hidden\n").unwrap();
        let config = S3Config {
            access_key: Some("id".into()),
            secret_key_file: Some(path),
            ..config(None, Some("http://127.0.0.1:9000"))
        };
        let keys = config.settled().unwrap().keys.unwrap();
        assert_eq!((keys.0.as_str(), keys.1.reveal()), ("id", "hidden"));
        assert!(!format!("{:?}", config.settled().unwrap().keys).contains("hidden"));
        assert!(config.is_set() && !S3Config::default().is_set());
    }
}
