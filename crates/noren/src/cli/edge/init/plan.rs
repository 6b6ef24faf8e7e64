//! What a configuration is made of, before it is text.

use edge::presets::Preset;
use std::fmt::Write as _;
use std::path::PathBuf;
use toml::Value;

/// What is to be served from where.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) preset: &'static Preset,
    pub(super) hosts: Vec<String>,
    pub(super) path: String,
    pub(super) origins: Vec<OriginPlan>,
    /// For the person, beside the configuration.
    pub(super) notes: Vec<String>,
}

#[derive(Debug)]
pub(super) enum OriginPlan {
    Folder(PathBuf),
    Bucket(Box<BucketPlan>),
    Http(String),
}

#[derive(Debug, Default)]
pub(super) struct BucketPlan {
    pub(super) name: String,
    pub(super) provider: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) prefix: Option<String>,
    /// "path" or "virtual-host"
    pub(super) addressing: Option<&'static str>,
    pub(super) signed: bool,
    /// (id, secret), where a file has them.
    pub(super) keys: Option<(String, String)>,
}

/// What becomes of keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Printed,
    /// As variables of the environment.
    Named,
}

impl Plan {
    pub(super) fn new(preset: &'static Preset) -> Plan {
        Plan { preset, hosts: Vec::new(), path: "/".into(), origins: Vec::new(), notes: Vec::new() }
    }

    /// What is the same for all sites. The certificates are for those hosts that are known.
    fn head(&self) -> String {
        let names = if self.hosts.is_empty() { vec!["media.example.com".to_owned()] } else { self.hosts.clone() };
        HEAD.replace("NAMES", &Value::from(names).to_string())
    }

    /// The text of an edge.toml.
    pub(super) fn print(&self, secrets: Secrets) -> String {
        let mut text = self.head();
        let _ = writeln!(text, "[[site]]  # {}", self.preset.title);
        if self.hosts.is_empty() {
            text.push_str("# hosts = [\"media.example.com\"]\n");
        } else {
            let _ = writeln!(text, "hosts = {}", Value::from(self.hosts.clone()));
        }
        if self.path != "/" {
            let _ = writeln!(text, "path = {}", quoted(&self.path));
        }
        let _ = writeln!(text, "software = {}", quoted(self.preset.name));
        for origin in &self.origins {
            text.push_str("\n[[site.origin]]\n");
            origin.print(&mut text, secrets);
        }
        text
    }
}

const HEAD: &str = "\
# Configuration of Noren's edge. noren edge check reads it, noren edge serves it.

# As it is, it is plain HTTP at port 3000. Behind another web server:
# [[listen]]
# address = \"127.0.0.1:8080\"

# For https with certificates that come by themselves, where the name leads to this machine:
# [[listen]]
# address = \"[::]:443\"
# serve = \"https\"
# [[listen]]
# address = \"[::]:80\"
# serve = \"redirect\"
# [acme]
# names = NAMES

[cache]
path = \"/var/cache/noren\"
max_size = \"20 GB\"

";

impl OriginPlan {
    fn print(&self, text: &mut String, secrets: Secrets) {
        match self {
            Self::Folder(folder) => {
                let _ = writeln!(text, "folder = {}", quoted(&folder.to_string_lossy()));
            }
            Self::Http(url) => {
                let _ = writeln!(text, "url = {}", quoted(url));
            }
            Self::Bucket(bucket) => bucket.print(text, secrets),
        }
    }
}

impl BucketPlan {
    fn print(&self, text: &mut String, secrets: Secrets) {
        let mut line = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {}", quoted(value));
            }
        };
        line("bucket", Some(&self.name));
        line("provider", self.provider.as_deref());
        line("endpoint", self.endpoint.as_deref());
        line("region", self.region.as_deref());
        line("prefix", self.prefix.as_deref());
        line("addressing", self.addressing);
        if !self.signed {
            return;
        }
        let (id, secret) = match &self.keys {
            Some((id, secret)) if secrets == Secrets::Printed => (id.as_str(), secret.as_str()),
            _ => ("$AWS_ACCESS_KEY_ID", "$AWS_SECRET_ACCESS_KEY"),
        };
        line("access_key", Some(id));
        line("secret_key", Some(secret));
    }
}

/// The path of a site: that of links, and the prefix of names in the bucket, which is part of the links.
pub(super) fn joined(path: &str, prefix: Option<&str>) -> String {
    let parts = [path.trim_matches('/'), prefix.unwrap_or_default().trim_matches('/')];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
