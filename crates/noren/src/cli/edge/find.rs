//! Where a running edge has its cache, in which is the socket for orders; also while its configuration is broken.

use super::load::{load, usual};
use crate::cli::{Failure, Place, output, start};
use crate::config::{Config, Loaded};
use clap::Args;
use edge::config::EdgeConfig;
use edge::control;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Which edge is meant, where no configuration can say it.
#[derive(Debug, Args)]
pub(super) struct Running {
    /// The folder of the running edge's cache [default: as the configuration says, as far as it can be read]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Running {
    /// The cache of the edge that is meant. What is wrong with the configuration is no reason to leave it alone: it runs
    /// with the one before.
    pub(super) fn cache(&self, place: &Place) -> Result<PathBuf, Failure> {
        if let Some(cache) = &self.cache {
            return Ok(cache.clone());
        }
        let failure = match configured(place) {
            Ok(cache) => return Ok(cache),
            Err(failure) => failure,
        };
        let Failure::Usage(why) = failure else { return Err(failure) };
        let mut candidates = still_said(place).into_iter();
        let Some(cache) = candidates.find(|cache| control::socket(cache).exists()) else {
            let hint = "for an edge that runs all the same: --cache DIR, the folder of its cache";
            return Err(Failure::Usage(format!("{why}\n       {hint}")));
        };
        output::note(format_args!("warning: {why}"));
        output::note(format_args!("         asking the edge that runs with the cache in {}", cache.display()));
        Ok(cache)
    }
}

/// Where the cache is: of an edge of its own, else of the one that is a part of noren serve.
pub(super) fn configured(place: &Place) -> Result<PathBuf, Failure> {
    let alone = match load(place) {
        Ok((_, config)) => return Ok(config.cache.path),
        // An edge of its own is meant, and what is wrong with it should be said.
        Err(failure) if place.config.is_none() && usual().is_some() => return Err(failure),
        Err(failure) => failure,
    };
    match start::configuration(place, Vec::new()) {
        // Without a file a server that runs on this data shows that it is meant.
        Ok(Loaded { config, file }) if file.is_some() || control::socket(&config.edge().cache.path).exists() => {
            Ok(config.edge().cache.path)
        }
        Err(failure) if place.config.is_none() => Err(failure),
        _ => Err(alone),
    }
}

/// Where caches may be by what can still be read, and by what is usual: of an edge of its own, of one in noren serve.
fn still_said(place: &Place) -> [PathBuf; 2] {
    let usual_cache = EdgeConfig::default().cache.path;
    let file = place.config.clone().or_else(|| usual().map(Path::to_owned));
    let alone = Said::by(file.as_deref());
    let data = place.data.clone().or_else(|| alone.path("server", "data"));
    let data = data.unwrap_or_else(|| EdgeConfig::default().server.data);
    let alone = data.join(alone.path("cache", "path").unwrap_or_else(|| usual_cache.clone()));

    let stated = place.data.clone().or_else(|| std::env::var_os("NOREN_SERVER__DATA").map(PathBuf::from));
    let beside = stated.clone().unwrap_or_else(|| Config::default().server.data).join("noren.toml");
    let files = [beside, PathBuf::from("noren.toml")];
    let file = place.config.clone().or_else(|| files.into_iter().find(|file| file.is_file()));
    let within = Said::by(file.as_deref());
    let data = stated.or_else(|| within.path("server", "data")).unwrap_or_else(|| Config::default().server.data);
    [alone, data.join(within.path("edge.cache", "path").unwrap_or(usual_cache))]
}

/// What a file says, which may be broken anywhere.
enum Said {
    /// Its form is fine, whatever it means.
    Whole(Table),
    Lines(String),
}

impl Said {
    fn by(file: Option<&Path>) -> Said {
        let bytes = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.parse().map_or_else(|_| Said::Lines(text), Said::Whole)
    }

    fn path(&self, section: &str, key: &str) -> Option<PathBuf> {
        let value = match self {
            Said::Whole(table) => {
                let within = section.split('.').try_fold(table, |table, name| table.get(name)?.as_table());
                within.and_then(|table| table.get(key)).cloned()
            }
            Said::Lines(text) => in_lines(text, &format!("{section}.{key}")),
        };
        value.as_ref().and_then(Value::as_str).map(PathBuf::from)
    }
}

/// The value of `name` (section and key) by the lines that make sense by themselves.
fn in_lines(text: &str, name: &str) -> Option<Value> {
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('[') {
            section = heading.split(']').next().unwrap_or_default().trim().to_owned();
            continue;
        }
        let Some((key, _)) = line.split_once('=') else { continue };
        let full = if section.is_empty() { key.trim().to_owned() } else { format!("{section}.{}", key.trim()) };
        if full == name
            && let Ok(table) = line.parse::<Table>()
        {
            let value = key.trim().split('.').try_fold(Value::Table(table), |value, part| value.get(part).cloned());
            return value;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_files_still_say_where_the_cache_is() {
        let read = |text: &str, section: &str, key: &str| {
            let said = text.parse().map_or_else(|_| Said::Lines(text.to_owned()), Said::Whole);
            said.path(section, key).map(|path| path.display().to_string())
        };
        for (text, section, wanted) in [
            ("[cache]\npath = \"/c\"\n[[site]]\nnonsense = 1\n", "cache", Some("/c")),
            ("[cache]\npath = \"/c\" # here\n[[site\nhosts = [\n", "cache", Some("/c")),
            ("cache.path = '/c'\n= = =\n", "cache", Some("/c")),
            ("  [ cache ]\n path=\"/c\"\n\"", "cache", Some("/c")),
            ("[edge.cache]\npath = \"/c\"\n[[edge.site]\n", "edge.cache", Some("/c")),
            ("[edge.cache]\npath = \"/c\"\n[[edge.site]\n", "cache", None),
            ("[other]\npath = \"/c\"\n=", "cache", None),
            ("[cache]\npath = \"/c\n=", "cache", None),
            ("[cache]\npath = 7\n", "cache", None),
            ("", "cache", None),
        ] {
            assert_eq!(read(text, section, "path").as_deref(), wanted, "{text}");
        }
    }
}
