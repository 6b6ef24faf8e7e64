//! Which bucket a command is about: the site's, or one that is named on the command line.

use super::Failure;
use crate::cli::{Place, start};
use crate::config::Config;
use anyhow::anyhow;
use clap::Args;
use edge::config::OriginConfig;
use edge::presets::{Preset, Software};
use media::s3::{Addressing, Bucket, Error, Provider, S3Config, Secret};
use std::path::{Path, PathBuf};
use url::Url;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which bucket")]
pub(super) struct Target {
    /// aws, vultr, wasabi, minio, garage, r2, b2 or digitalocean
    #[arg(long, global = true, value_name = "NAME")]
    provider: Option<Provider>,
    /// The provider's address, such as https://s3.eu-central-1.amazonaws.com
    #[arg(long, global = true, value_name = "URL", value_parser = address)]
    endpoint: Option<Url>,
    /// The region, such as eu-central-1
    #[arg(long, global = true, value_name = "NAME")]
    region: Option<String>,
    /// The bucket's name
    #[arg(long, global = true, value_name = "NAME")]
    bucket: Option<String>,
    /// A folder in the bucket to stay in [default: the usual one of --software, if that is given]
    #[arg(long, global = true, value_name = "FOLDER")]
    prefix: Option<String>,
    /// Whose files are in it: mastodon, misskey-v10, misskey-v11, misskey or pleroma. Knows what of them is public
    #[arg(long, global = true, value_name = "NAME")]
    software: Option<Software>,
    /// How the bucket's name is told: path or virtual-host
    #[arg(long, global = true, value_name = "HOW")]
    addressing: Option<Addressing>,
    /// A file with the certificate (PEM) of an authority that is believed besides the system's; may be repeated
    #[arg(long, global = true, value_name = "FILE")]
    authority: Vec<PathBuf>,
    /// The access key's id [default: AWS_ACCESS_KEY_ID of the environment]
    #[arg(long, global = true, value_name = "ID")]
    access_key: Option<String>,
    /// A file with the access key's secret [default: AWS_SECRET_ACCESS_KEY of the environment]
    #[arg(long, global = true, value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
    /// The secret itself; others on this machine can see it
    #[arg(long, global = true, value_name = "SECRET", conflicts_with = "secret_key_file")]
    secret_key: Option<String>,
    /// Without keys, as a stranger
    #[arg(long, global = true, conflicts_with_all = ["access_key", "secret_key_file", "secret_key"])]
    anonymous: bool,
}

/// The address of a provider. Other programs take it without "https://".
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "expected an address that begins with https:// or http://".to_owned())
}

/// The bucket of a command.
pub(super) struct Chosen {
    pub bucket: Bucket,
    /// What is known about the software whose files are in it.
    pub software: Option<&'static Preset>,
    /// The site's configuration, when the bucket is the site's.
    pub site: Option<Config>,
    /// Where this site's uploads wait in it, from the top of the bucket; `None` when it is not the site's, whoever
    /// named it.
    pub uploads: Option<String>,
}

impl Target {
    /// Whether the command line says which bucket.
    pub(super) fn is_named(&self) -> bool {
        self.provider.is_some() || self.endpoint.is_some() || self.bucket.is_some()
    }

    pub(super) fn software(&self) -> Option<&'static Preset> {
        self.software.map(Software::preset)
    }

    /// The bucket; no connection is made yet.
    pub(super) fn chosen(&self, place: &Place) -> Result<Chosen, Failure> {
        let software = self.software();
        if self.is_named() {
            let bucket = Bucket::open(&self.named()).map_err(|error| usage(error, Where::Flags))?;
            // Without a configuration that can be read there is no site whose bucket it could be.
            let here = start::configuration(place, Vec::new()).ok();
            let uploads = here.and_then(|here| uploads(&here.config.media.storage, &bucket));
            return Ok(Chosen { bucket, software, site: None, uploads });
        }
        let config = start::configuration(place, Vec::new())?.config;
        start::log(&config, Some("warn"));
        if !config.media.storage.is_set() {
            let text = "this site keeps its files on the local disk: set [media.storage] in the configuration, \
                        or name a bucket with --endpoint and --bucket";
            return Err(Failure::Usage(text.into()));
        }
        let with_flags = self.changed(config.media.storage.clone());
        let bucket = Bucket::open(&with_flags).map_err(|error| usage(error, Where::File))?;
        let uploads = uploads(&config.media.storage, &bucket);
        Ok(Chosen { bucket, software, site: Some(config), uploads })
    }

    /// Keys that belong to one bucket are not sent to another: nothing comes from the configuration.
    fn named(&self) -> S3Config {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        let mut config = self.changed(S3Config::default());
        let usual = self.software().map(|preset| preset.bucket_prefix).filter(|prefix| !prefix.is_empty());
        if config.prefix.is_none() {
            config.prefix = usual.map(str::to_owned);
        }
        if self.anonymous {
            return config;
        }
        if config.access_key.is_none() {
            config.access_key = variable("AWS_ACCESS_KEY_ID");
        }
        if config.secret_key.is_none() && config.secret_key_file.is_none() {
            config.secret_key = variable("AWS_SECRET_ACCESS_KEY").map(Secret::new);
        }
        config
    }

    fn changed(&self, config: S3Config) -> S3Config {
        let mut config = S3Config {
            provider: self.provider.or(config.provider),
            endpoint: self.endpoint.clone().or(config.endpoint),
            region: self.region.clone().or(config.region),
            bucket: self.bucket.clone().or(config.bucket),
            prefix: self.prefix.clone().or(config.prefix),
            addressing: self.addressing.or(config.addressing),
            access_key: self.access_key.clone().or(config.access_key),
            ..config
        };
        if !self.authority.is_empty() {
            config.authorities.clone_from(&self.authority);
        }
        if self.secret_key.is_some() || self.secret_key_file.is_some() {
            config.secret_key = self.secret_key.clone().map(Secret::new);
            config.secret_key_file = self.secret_key_file.clone();
        }
        if self.anonymous {
            (config.access_key, config.secret_key, config.secret_key_file) = (None, None, None);
        }
        config
    }
}

impl Chosen {
    /// Another bucket, by its description; without one it is the only bucket among the places of the site's older files.
    pub(super) fn other(&self, file: Option<&Path>) -> Result<Bucket, Failure> {
        if let Some(file) = file {
            let wrong = |why: &dyn std::fmt::Display| Failure::Usage(format!("{}: {why}", file.display()));
            let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
            let config: S3Config = toml::from_str(&text).map_err(|error| wrong(&error))?;
            return Bucket::open(&config).map_err(|error| wrong(&error));
        }
        let origins = self.site.iter().flat_map(|site| &site.media.origins);
        let mut buckets = origins.filter_map(|origin| match origin {
            OriginConfig::Bucket(origin) => Some(origin),
            _ => None,
        });
        match (buckets.next(), buckets.next()) {
            (Some(origin), None) => origin.open().map_err(|why| Failure::Usage(format!("media.origin: {why}"))),
            (None, _) => {
                Err(Failure::Usage("which bucket is other:? Describe it in a file, and say --other FILE".into()))
            }
            _ => Err(Failure::Usage("[[media.origin]] has several buckets: say which with --other FILE".into())),
        }
    }
}

/// Where the site's uploads wait in this bucket, if it is the site's.
fn uploads(storage: &S3Config, bucket: &Bucket) -> Option<String> {
    // Keys and certificates do not tell buckets apart, and their files need not be readable here.
    let mut plain = storage.clone();
    (plain.access_key, plain.secret_key, plain.secret_key_file) = (None, None, None);
    plain.authorities.clear();
    let ours = Bucket::open(&plain).ok()?;
    let host = |bucket: &Bucket| bucket.url().host_str().unwrap_or_default().to_owned();
    let (here, there) = (host(&ours), host(bucket));
    // The bucket's name may be a part of the host.
    let same = ours.name() == bucket.name() && (here.ends_with(&there) || there.ends_with(&here));
    same.then(|| format!("{}{}", ours.prefix(), media::UPLOADS))
}

enum Where {
    Flags,
    File,
}

/// A wrong description of a bucket, in the words of where it was given.
fn usage(error: Error, given: Where) -> Failure {
    match (error, given) {
        (Error::Config { field, why }, Where::Flags) => {
            let flag = format!("--{}", field.replace('_', "-"));
            Failure::Usage(match field {
                "authorities" => format!("--authority: {why}"),
                "access_key" => format!("{flag} or AWS_ACCESS_KEY_ID: {why}"),
                "secret_key" => format!("--secret-key-file or AWS_SECRET_ACCESS_KEY: {why}"),
                _ => format!("{flag}: {why}"),
            })
        }
        (Error::Config { field, why }, Where::File) => Failure::Usage(format!("media.storage.{field}: {why}")),
        (error, _) => Failure::Failed(anyhow!(error)),
    }
}
