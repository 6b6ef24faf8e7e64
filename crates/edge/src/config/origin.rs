//! Where files come from. The kind of an origin is told by the key that it has: folder, bucket or url.

use super::{Folder, Host, Period, WebUrl};
use documented::{Documented, DocumentedFields};
use media::s3::S3Config;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use toml::{Table, Value};

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum OriginConfig {
    Folder(FolderOrigin),
    Bucket(Box<BucketOrigin>),
    Http(Box<HttpOrigin>),
}

/// A folder of this machine.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(deny_unknown_fields)]
pub struct FolderOrigin {
    /// The folder, such as "/home/mastodon/live/public/system". Links in it are followed as long as they stay inside.
    pub folder: PathBuf,
    /// A folder in it that all names are below.
    #[serde(default)]
    pub prefix: Folder,
}

/// A bucket that speaks the protocol of S3, public or private.
#[derive(Clone, Debug, Serialize)]
pub struct BucketOrigin {
    #[serde(flatten)]
    pub bucket: S3Config,
    #[serde(flatten)]
    pub limits: Limits,
}

/// Another web server.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(deny_unknown_fields)]
pub struct HttpOrigin {
    /// Its address, and the path that its files are below: "https://old.example.com/system".
    pub url: WebUrl,
    /// Another name to send as the Host, where it goes by one that its address does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// Where to connect to instead of asking for the address of the host in url, such as "10.0.0.5:443". Certificates
    /// still have to be for that host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<SocketAddr>,
    /// Hosts that its redirects may lead to, beside itself: they are followed, three at most. Redirects elsewhere go to
    /// the client, unless they lead back to the site or into a private network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow: Vec<Host>,
    /// Files with certificates (PEM) of authorities that are believed besides the system's, for a server of one's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<PathBuf>,
    /// How long a connection may take to be made.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: Period,
    /// How long it may take until an answer begins.
    #[serde(default = "answer_timeout")]
    pub answer_timeout: Period,
    /// How long an answer may pause.
    #[serde(default = "idle_timeout")]
    pub idle_timeout: Period,
    /// Requests on their way to it at once; more wait.
    #[serde(default = "requests")]
    pub requests: usize,
}

/// What is bounded for a bucket, beside its own timeouts.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests on their way to it at once; more wait.
    #[serde(default = "requests")]
    pub requests: usize,
}

fn connect_timeout() -> Period {
    Period(Duration::from_secs(5))
}

fn answer_timeout() -> Period {
    Period(Duration::from_secs(20))
}

fn idle_timeout() -> Period {
    Period(Duration::from_secs(30))
}

fn requests() -> usize {
    64
}

impl<'de> Deserialize<'de> for OriginConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Table::deserialize(deserializer)?;
        let kinds = ["folder", "bucket", "url"].map(|kind| table.contains_key(kind));
        let kind = match kinds {
            [true, false, false] => read(table).map(Self::Folder),
            [false, true, false] => {
                // Flattened structures cannot refuse unknown keys, so the two are taken apart by hand.
                let limits = ["requests"].into_iter().filter_map(|key| table.remove_entry(key)).collect();
                let limits = read::<Limits>(limits);
                // The next origin, or a copy that is a little old, is better than waiting long.
                table.entry("retries").or_insert(Value::Integer(1));
                let bucket = read::<S3Config>(table);
                limits.and_then(|limits| Ok(Self::Bucket(Box::new(BucketOrigin { bucket: bucket?, limits }))))
            }
            [false, false, true] => read(table).map(|origin| Self::Http(Box::new(origin))),
            _ => Err("expected exactly one of folder, bucket and url".to_owned()),
        };
        kind.map_err(D::Error::custom)
    }
}

fn read<T: DeserializeOwned>(table: Table) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let (key, why) = (error.path().to_string(), error.inner().message().to_owned());
        if key == "." { why } else { format!("{key}: {why}") }
    })
}

impl OriginConfig {
    /// How it is called in logs and figures; holds no secret. Origins that differ in where they are have different ones.
    pub fn label(&self) -> String {
        match self {
            Self::Folder(origin) if origin.prefix.as_str().is_empty() => origin.folder.display().to_string(),
            Self::Folder(origin) => origin.folder.join(origin.prefix.as_str()).display().to_string(),
            Self::Bucket(origin) => origin.bucket.label(),
            Self::Http(origin) => {
                let host = origin.host.as_ref().map_or_else(String::new, |host| format!(" as {host}"));
                let connect = origin.connect.map_or_else(String::new, |address| format!(" at {address}"));
                format!("{}{host}{connect}", origin.url)
            }
        }
    }
}
