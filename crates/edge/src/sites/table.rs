//! Which site a request is for.

use super::Reach;
use super::site::Site;
use crate::config::Host;
use crate::path::Name;
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

pub(super) struct Table {
    /// Those of a host, the longest paths first.
    by_host: HashMap<Host, Vec<Arc<Site>>>,
    /// Those for all other hosts.
    for_any: Vec<Arc<Site>>,
}

/// Said to whoever wants to purge.
const NO_SITE: &str = "no site has this address: noren edge status lists the sites";

impl Table {
    pub(super) fn new(sites: Vec<Arc<Site>>) -> Table {
        let (mut by_host, mut for_any) = (HashMap::<Host, Vec<Arc<Site>>>::new(), Vec::new());
        for site in sites {
            for host in &site.hosts {
                by_host.entry(host.clone()).or_default().push(site.clone());
            }
            if site.hosts.is_empty() {
                for_any.push(site);
            }
        }
        let longest_first = |sites: &mut Vec<Arc<Site>>| sites.sort_by_key(|site| std::cmp::Reverse(site.path.len()));
        by_host.values_mut().for_each(longest_first);
        longest_first(&mut for_any);
        Table { by_host, for_any }
    }

    pub(super) fn find(&self, host: &Host, name: &Name) -> Option<&Arc<Site>> {
        self.of_host(host).iter().find(|site| name.below(&site.path).is_some())
    }

    /// The site whose path is exactly this one, or that of the root.
    pub(super) fn at_root(&self, host: &Host, path: &str) -> Option<&Arc<Site>> {
        let folder = path.trim_matches('/');
        self.of_host(host).iter().find(|site| site.path == folder)
    }

    /// The same, if it sends everybody elsewhere.
    pub(super) fn redirecting(&self, host: &Host, path: &str) -> Option<&Arc<Site>> {
        self.at_root(host, path).filter(|site| site.redirect.is_some())
    }

    /// Whether there are sites of this very host.
    pub(super) fn names(&self, host: &Host) -> bool {
        self.by_host.contains_key(host)
    }

    fn of_host(&self, host: &Host) -> &[Arc<Site>] {
        self.by_host.get(host).map_or(self.for_any.as_slice(), Vec::as_slice)
    }

    /// The site, and the name in the cache or its beginning, of an address.
    pub(super) fn purged(&self, host: &Host, url: &Url, reach: Reach) -> Result<(&Arc<Site>, String), String> {
        if reach == Reach::One {
            let name = Name::of_path(url.path()).map_err(|_| "no file has this address")?;
            let site = self.find(host, &name).ok_or(NO_SITE)?;
            let asked = site.asked(&name, url.query()).map_err(|_| "no file has this address")?;
            return Ok((site, asked.to_key()));
        }
        let beginning =
            percent_encoding::percent_decode_str(url.path()).decode_utf8().map_err(|error| error.to_string())?;
        let beginning = beginning.trim_start_matches('/');
        let is_in = |site: &&Arc<Site>| {
            site.path.is_empty()
                || beginning
                    .strip_prefix(site.path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let site = self.of_host(host).iter().find(is_in).ok_or(NO_SITE)?;
        let key = site.beginning(beginning).ok_or(NO_SITE)?;
        Ok((site, key))
    }
}
