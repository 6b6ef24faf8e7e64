//! One site: which requests are its, and where its files are.

use super::{Folder, Host, OriginConfig, Period, WebUrl};
use crate::presets::Software;
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Files under one address. A request belongs to the site with its host and the longest matching path.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct SiteConfig {
    /// What the site is called in logs, figures and the cache. Without it: its first host name and its path. With
    /// another name it begins with an empty cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its host names, such as ["media.example.com"]. Without any: all that no other site has.
    pub hosts: Vec<Host>,
    /// The path that its files are below: "/", "/storage", "/system", "/files".
    pub path: Folder,
    /// "mastodon", "misskey-v10", "misskey-v11", "misskey" or "pleroma" (Akkoma too): which files are public, and what
    /// of a request they depend on. Without it: everything that the origins give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
    /// Only what begins with one of these is served, counted below site.path. Without it: what the software has public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<Vec<Folder>>,
    /// What is taken away from the beginning of a request's path to get the name that origins know. Without it: site.path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<Folder>,
    /// What is put before that name, for all origins.
    #[serde(skip_serializing_if = "is_root")]
    pub prefix: Folder,
    /// Instead of origins: every request is sent (301) to this address and the rest of its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<WebUrl>,
    /// Where files are looked for, in this order: [[site.origin]].
    #[serde(rename = "origin", skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<OriginConfig>,
    /// Parameters of the query that origins need; all others are dropped. Without it: what the software needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Vec<String>>,
    /// Vector pictures, which can hold scripts: "attachment" lets browsers save them only, "sandboxed" lets them show
    /// them with scripts forbidden.
    pub svg: SvgPolicy,
    /// How long browsers and caches in front may keep a file without asking again.
    pub max_age: Period,
    /// How long a file stays good in this cache. Without it: cache.valid_ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<Period>,
    /// Whether Cache-Control and Expires of an origin, or of an object in a bucket, decide how long a file stays good
    /// here and in browsers, instead of the above. What is not to be kept (no-store, private) then only goes through.
    pub honour_origin_headers: bool,
}

/// What is done with vector pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SvgPolicy {
    #[default]
    Attachment,
    Sandboxed,
}

fn is_root(folder: &Folder) -> bool {
    folder.as_str().is_empty()
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            name: None,
            hosts: Vec::new(),
            path: Folder::default(),
            software: None,
            public: None,
            strip: None,
            prefix: Folder::default(),
            redirect: None,
            origins: Vec::new(),
            query: None,
            svg: SvgPolicy::default(),
            max_age: Period(Duration::from_secs(365 * 24 * 3600)),
            valid: None,
            honour_origin_headers: false,
        }
    }
}

impl SiteConfig {
    /// What the site is called everywhere.
    pub fn label(&self) -> String {
        let host = || self.hosts.first().map_or("*", Host::as_str);
        self.name.clone().unwrap_or_else(|| format!("{}{}", host(), self.path))
    }
}
