//! What can be wrong with settings that are each fine by themselves.

use super::{EdgeConfig, OriginConfig, SiteConfig};
use std::collections::HashSet;

/// More sites or host names than anybody has.
const MAX_SITES: usize = 1000;
/// A request may ask all of them.
pub const MAX_ORIGINS: usize = 16;
const MAX_PARAMETERS: usize = 16;

impl EdgeConfig {
    /// The text names the key and what is expected.
    pub fn check(&self) -> Result<(), String> {
        if self.sites.len() > MAX_SITES {
            return Err(format!("site: expected at most {MAX_SITES}"));
        }
        let (mut places, mut names) = (HashSet::new(), HashSet::new());
        for (at, site) in self.sites.iter().enumerate() {
            site.check().map_err(|why| format!("site[{at}].{why}"))?;
            if !names.insert(site.label()) {
                return Err(format!(
                    "site[{at}].name: another site is called {:?}: expected names of their own",
                    site.label()
                ));
            }
            let hosts = site.hosts.iter().map(Some).chain(site.hosts.is_empty().then_some(None));
            for host in hosts {
                if !places.insert((host, &site.path)) {
                    let host = host.map_or("any host".to_owned(), ToString::to_string);
                    return Err(format!(
                        "site[{at}].hosts: another site has {host} and the path {} already",
                        site.path
                    ));
                }
            }
        }
        match &self.metrics.path {
            Some(path) if path.as_str().is_empty() => Err("metrics.path: expected a path such as \"/metrics\"".into()),
            _ => Ok(()),
        }
    }
}

impl SiteConfig {
    fn check(&self) -> Result<(), String> {
        let name = self.label();
        // In parentheses are names of our own.
        if name.is_empty() || name.starts_with('(') || name.len() > 200 || name.chars().any(char::is_control) {
            return Err("name: expected a short text".into());
        }
        match (&self.redirect, self.origins.len()) {
            (None, 0) => {
                return Err("origin: expected [[site.origin]] with folder, bucket or url, or a redirect".into());
            }
            (Some(_), 1..) => return Err("redirect: expected either a redirect or origins".into()),
            (_, count) if count > MAX_ORIGINS => return Err(format!("origin: expected at most {MAX_ORIGINS}")),
            _ => {}
        }
        if let Some(strip) = &self.strip {
            let (strip, path) = (strip.as_str(), self.path.as_str());
            let is_begin =
                strip.is_empty() || path == strip || path.strip_prefix(strip).is_some_and(|rest| rest.starts_with('/'));
            if !is_begin {
                return Err(format!("strip: expected the beginning of site.path ({})", self.path));
            }
        }
        if let Some(redirect) = &self.redirect {
            let to_itself = self.hosts.iter().any(|host| redirect.url().host_str() == Some(host.as_str()));
            let below = redirect.url().path().trim_matches('/');
            let loops = below == self.path.as_str()
                || self.path.as_str().is_empty()
                || below.starts_with(&format!("{}/", self.path.as_str()));
            if to_itself && loops {
                return Err("redirect: leads to this very site".into());
            }
        }
        if self.query.as_ref().is_some_and(|query| query.len() > MAX_PARAMETERS || query.iter().any(String::is_empty)) {
            return Err(format!("query: expected at most {MAX_PARAMETERS} names of parameters"));
        }
        for (at, origin) in self.origins.iter().enumerate() {
            origin.check().map_err(|why| format!("origin[{at}].{why}"))?;
        }
        Ok(())
    }
}

impl OriginConfig {
    /// The text names the key and what is expected.
    pub fn check(&self) -> Result<(), String> {
        if let Self::Http(origin) = self
            && let (Some(port), Some(connect)) = (origin.url.url().port(), origin.connect)
            && port != connect.port()
        {
            return Err("connect: expected the port of url".into());
        }
        let requests = match self {
            Self::Folder(origin) if !origin.folder.is_absolute() => {
                return Err("folder: expected a path from the root, such as \"/srv/media\"".into());
            }
            Self::Folder(_) => 1,
            Self::Bucket(origin) => origin.limits.requests,
            Self::Http(origin) => origin.requests,
        };
        if (1..=10_000).contains(&requests) { Ok(()) } else { Err("requests: expected 1 to 10000".into()) }
    }
}
