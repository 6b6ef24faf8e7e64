//! `noren edge check`

use super::load::load;
use crate::cli::{Failure, Place, output};
use edge::config::{EdgeConfig, OriginConfig, SiteConfig};

pub(super) fn run(place: &Place) -> Result<(), Failure> {
    let (file, config) = load(place)?;
    edge::Edge::check(&config).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let mut doubts = Vec::new();
    for site in &config.sites {
        output::line(shown(site));
        doubts.extend(site.origins.iter().filter_map(|origin| doubt(site, origin)));
    }
    if config.listen.is_empty() {
        doubts.push("there is no [[listen]]: plain http at [::]:3000 is the default".into());
    }
    doubts.extend(unnamed(&config));
    for doubt in &doubts {
        output::note(format_args!("note: {doubt}"));
    }
    output::line(format_args!("{} is fine", file.display()));
    Ok(())
}

fn shown(site: &SiteConfig) -> String {
    let hosts: Vec<&str> = site.hosts.iter().map(|host| host.as_str()).collect();
    let hosts = if hosts.is_empty() { "any host".to_owned() } else { hosts.join(", ") };
    let origins: Vec<String> = site.origins.iter().map(OriginConfig::label).collect();
    let target = match &site.redirect {
        Some(target) => format!("redirects to {target}"),
        None => origins.join(", then "),
    };
    format!("{hosts} {}: {target}", site.path)
}

/// What works, and is perhaps not what was meant.
fn doubt(site: &SiteConfig, origin: &OriginConfig) -> Option<String> {
    match origin {
        OriginConfig::Folder(origin) if !origin.folder.is_dir() => {
            Some(format!("{}: there is no folder {}", site.label(), origin.folder.display()))
        }
        OriginConfig::Http(origin) => {
            let own = site.hosts.iter().any(|host| origin.url.url().host_str() == Some(host.as_str()));
            (own && origin.connect.is_none()).then(|| {
                format!("{}: {} is this site itself, unless its name leads elsewhere here", site.label(), origin.url)
            })
        }
        _ => None,
    }
}

/// Hosts that https is served for, and no certificate covers.
fn unnamed(config: &EdgeConfig) -> Option<String> {
    let names: Vec<&str> = config.acme.names.iter().map(|name| name.as_str()).collect();
    let hosts = config.sites.iter().flat_map(|site| &site.hosts);
    let without: Vec<&str> = hosts.map(|host| host.as_str()).filter(|host| !names.contains(host)).collect();
    let only_acme = !names.is_empty() && config.tls.certificates.is_empty();
    (only_acme && !without.is_empty()).then(|| format!("acme.names has no certificate for {}", without.join(", ")))
}
