//! The annotated file that `noren config print` shows: every section and key with its documentation, made from the
//! doc comments of the structs that are read.

use super::{
    Config, JobsConfig, Listen, LogConfig, MediaConfig, MetricsConfig, RemoteConfig, ServerConfig, SiteConfig,
};
use api::http::rate_limit::RateLimits;
use api::streaming::StreamingConfig;
use documented::{Documented, DocumentedFields};
use domain::{db::DatabaseConfig, site::Limits};
use edge::cache::CacheConfig;
use edge::config::{AccessLogConfig, OriginConfig};
use edge::server::config::{AcmeConfig, ConnectionsConfig, ListenConfig, Serve, TlsConfig};
use federation::FederationConfig;
use media::s3::S3Config;
use std::fmt::Write;
use toml::{Table, Value};

struct Section {
    name: &'static str,
    about: &'static str,
    keys: &'static [&'static str],
    docs: &'static [&'static str],
}

impl Section {
    const fn of<T: Documented + DocumentedFields>(name: &'static str) -> Self {
        Self { name, about: T::DOCS, keys: T::FIELD_NAMES, docs: T::FIELD_DOCS }
    }
}

const SECTIONS: &[Section] = &[
    Section::of::<SiteConfig>("site"),
    Section::of::<ServerConfig>("server"),
    Section::of::<ListenConfig>("listen"),
    Section::of::<TlsConfig>("tls"),
    Section::of::<AcmeConfig>("acme"),
    Section::of::<ConnectionsConfig>("connections"),
    Section::of::<DatabaseConfig>("database"),
    Section::of::<MediaConfig>("media"),
    Section::of::<RemoteConfig>("media.remote"),
    Section::of::<S3Config>("media.storage"),
    Section::of::<CacheConfig>("edge.cache"),
    Section::of::<AccessLogConfig>("edge.access_log"),
    Section::of::<edge::config::MetricsConfig>("edge.metrics"),
    Section::of::<MetricsConfig>("metrics"),
    Section::of::<FederationConfig>("federation"),
    Section::of::<Limits>("limits"),
    Section::of::<RateLimits>("rate_limits"),
    Section::of::<StreamingConfig>("streaming"),
    Section::of::<JobsConfig>("jobs"),
    Section::of::<LogConfig>("log"),
];

const HEAD: &str = "\
# Configuration of Noren. Settings that are commented out show their default.
# NOREN_SECTION__KEY in the environment goes before this file, flags of the command line go before both.
";

/// `config` as a commented file. What equals the default is commented out.
pub fn print(config: &Config) -> Result<String, toml::ser::Error> {
    let (now, default) = (Table::try_from(config)?, Table::try_from(Config::default())?);
    let mut out = HEAD.to_owned();
    for section in SECTIONS {
        comment(&mut out, "\n", section.about);
        if section.name == "listen" {
            listen(&mut out, section, &config.listen)?;
            continue;
        }
        let _ = writeln!(out, "[{}]", section.name);
        for (key, doc) in section.keys.iter().zip(section.docs) {
            let name = format!("{}.{key}", section.name);
            if name == "media.origins" {
                continue;
            }
            if SECTIONS.iter().any(|inner| inner.name == name) {
                continue;
            }
            comment(&mut out, "", doc);
            let (is, usual) = (value(&now, &name), value(&default, &name));
            let mark = if is == usual { "#" } else { "" };
            let shown = is.map_or_else(|| "\"\"".to_owned(), |value: Value| value.to_string());
            let _ = writeln!(out, "{mark}{key} = {shown}");
        }
        if section.name == "media" {
            origins(&mut out, section, &config.media.origins)?;
        }
    }
    sites(&mut out, &config.edge.sites)?;
    Ok(out)
}

/// What stands at `section.key` or `section.section.key`.
fn value(table: &Table, name: &str) -> Option<Value> {
    let mut parts = name.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part)).cloned()
}

const SITES: &str = "
# Sites of other software that this server answers for too; what can be said of them is in docs/edge.md.
";
const SITE: &str = "\
# [[edge.site]]
# hosts = [\"media.example.com\"]
# software = \"mastodon\"
# [[edge.site.origin]]
# folder = \"/home/mastodon/live/public/system\"
";

const ORIGIN: &str = "\
# [[media.origin]]
# folder = \"/var/lib/noren/media\"
";

/// Where old files are, or an example.
fn origins(out: &mut String, section: &Section, list: &[OriginConfig]) -> Result<(), toml::ser::Error> {
    let place = section.keys.iter().position(|key| *key == "origins");
    comment(out, "\n", place.and_then(|at| section.docs.get(at)).copied().unwrap_or_default());
    if list.is_empty() {
        out.push_str(ORIGIN);
        return Ok(());
    }
    let section = Table::from_iter([("origin".to_owned(), Value::try_from(list)?)]);
    out.push_str(&toml::to_string(&Table::from_iter([("media".to_owned(), Value::Table(section))]))?);
    Ok(())
}

/// As they are read, or an example.
fn sites(out: &mut String, list: &[edge::config::SiteConfig]) -> Result<(), toml::ser::Error> {
    out.push_str(SITES);
    if list.is_empty() {
        out.push_str(SITE);
        return Ok(());
    }
    let section = Table::from_iter([("site".to_owned(), Value::try_from(list)?)]);
    out.push_str(&toml::to_string(&Table::from_iter([("edge".to_owned(), Value::Table(section))]))?);
    Ok(())
}

/// There may be any number of these, and usually there is none: then an example is shown.
fn listen(out: &mut String, section: &Section, list: &[ListenConfig]) -> Result<(), toml::ser::Error> {
    for (key, doc) in section.keys.iter().zip(section.docs) {
        comment(out, "", &format!("{key}: {doc}"));
    }
    let example = ListenConfig { serve: Serve::Https, ..ListenConfig::http(Listen::any(443)) };
    let (mark, list) = if list.is_empty() { ("# ", std::slice::from_ref(&example)) } else { ("", list) };
    for one in list {
        let _ = writeln!(out, "{mark}[[listen]]");
        let table = Table::try_from(one)?;
        for key in section.keys {
            if let Some(value) = table.get(*key) {
                let _ = writeln!(out, "{mark}{key} = {value}");
            }
        }
    }
    Ok(())
}

/// Doc comments without their markup.
fn comment(out: &mut String, before: &str, doc: &str) {
    out.push_str(before);
    for line in doc.lines() {
        let _ = writeln!(out, "# {}", line.replace('`', ""));
    }
}
