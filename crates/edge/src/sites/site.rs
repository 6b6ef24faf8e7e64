//! One site, ready to be asked.

use crate::cache::{ObjectKey, Upstream};
use crate::config::{OriginConfig, SiteConfig, SvgPolicy};
use crate::figures::{Figures, SiteFigures};
use crate::origin::{Asked, Chained, Configured, Folder, Manners, OriginFigures, Origins, OwnPlace, hops};
use crate::path::{self, Name, Unnamed};
use axum::http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;

/// What the media of the server that we are part of are called; no configured site can be called so.
pub(super) const OWN: &str = "(own media)";

pub(super) struct Site {
    label: String,
    pub(super) hosts: Vec<crate::config::Host>,
    /// Without slashes at the ends, as all folders here.
    pub(super) path: String,
    strip: String,
    prefix: String,
    pub(super) redirect: Option<crate::config::WebUrl>,
    public: Vec<String>,
    /// What begins so is not served, whatever else is said.
    hidden: &'static [&'static str],
    query: Vec<String>,
    pub(super) svg: SvgPolicy,
    pub(super) max_age: Duration,
    /// The folders that are asked before everything else. Their files need no copies in the cache.
    pub(super) folders: Vec<(Folder, Arc<OriginFigures>)>,
    /// The other origins; none where folders are all there is.
    origins: Option<Arc<Origins>>,
    /// Their word on how long a file may be kept counts.
    pub(super) honour: bool,
    pub(super) figures: Arc<SiteFigures>,
}

impl Site {
    /// `usual`: how long the cache keeps a file good, where the site does not say.
    pub(super) fn open(
        (config, usual): (&SiteConfig, Duration),
        (figures, via): (&Figures, &Arc<str>),
    ) -> Result<Site, String> {
        let label = config.label();
        let known: Vec<Configured> =
            config.origins.iter().map(|origin| (origin.clone(), figures.origin(&label, &origin.label()))).collect();
        let is_folder = |(origin, _): &&Configured| matches!(origin, OriginConfig::Folder(_));
        let leading = known.iter().take_while(is_folder).count();
        let folders = known[..leading].iter().filter_map(|(origin, figures)| match origin {
            OriginConfig::Folder(config) => Some((Folder::new(config), figures.clone())),
            _ => None,
        });
        let valid = config.valid.map(|period| period.0);
        let (hosts, path) = (config.hosts.clone(), config.path.as_str().to_owned());
        let (honour, via) = (config.honour_origin_headers, via.clone());
        let manners = Manners { valid, usual: valid.unwrap_or(usual), honour, via, hosts, path };
        let origins = Origins::open((leading, &known[leading..]), manners)?;
        let preset = config.software.map(|software| software.preset());
        let public = config.public.as_ref().map(|list| list.iter().map(|folder| folder.as_str().to_owned()).collect());
        let usual = |list: fn(&crate::presets::Preset) -> &'static [&'static str]| {
            preset.map(list).unwrap_or_default().iter().map(|text| (*text).to_owned()).collect()
        };
        Ok(Site {
            hosts: config.hosts.clone(),
            path: config.path.as_str().to_owned(),
            strip: config.strip.as_ref().unwrap_or(&config.path).as_str().to_owned(),
            prefix: config.prefix.as_str().to_owned(),
            redirect: config.redirect.clone(),
            public: public.unwrap_or_else(|| usual(|preset| preset.public)),
            hidden: &[],
            query: config.query.clone().unwrap_or_else(|| usual(|preset| preset.query)),
            svg: config.svg,
            max_age: config.max_age.0,
            folders: folders.collect(),
            origins: (!origins.is_empty()).then(|| Arc::new(origins)),
            honour: config.honour_origin_headers,
            figures: figures.site(&label),
            label,
        })
    }

    /// The media of the server that we are part of. Uploads that wait still have their metadata: they are not served.
    pub(super) fn own(places: &[OwnPlace], path: &str, (figures, via): (&Figures, &Arc<str>)) -> Result<Site, String> {
        let label = OWN.to_owned();
        let known: Vec<(OwnPlace, Arc<OriginFigures>)> =
            places.iter().map(|place| (place.clone(), figures.origin(&label, &place.label()))).collect();
        let folders: Vec<_> = known
            .iter()
            .map_while(|(place, figures)| match place {
                OwnPlace::Origin(OriginConfig::Folder(config)) => Some((Folder::new(config), figures.clone())),
                _ => None,
            })
            .collect();
        let origins = Origins::of(&known[folders.len()..], via)?;
        Ok(Site {
            hosts: Vec::new(),
            path: path.to_owned(),
            strip: path.to_owned(),
            prefix: String::new(),
            redirect: None,
            public: Vec::new(),
            hidden: &[media::UPLOADS],
            query: Vec::new(),
            svg: SvgPolicy::Attachment,
            max_age: Duration::from_secs(365 * 24 * 3600),
            folders,
            origins: (!origins.is_empty()).then(|| Arc::new(origins)),
            honour: false,
            figures: figures.site(&label),
            label,
        })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn is_folders_alone(&self) -> bool {
        self.origins.is_none()
    }

    /// Who is asked for what no folder has, on behalf of a request with these headers.
    pub(super) fn upstream(&self, headers: &HeaderMap) -> Option<Arc<dyn Upstream>> {
        let (origins, hops) = (self.origins.clone()?, hops::passed(headers));
        Some(match hops.is_empty() {
            true => origins,
            false => Arc::new(Chained { origins, hops: hops.into() }),
        })
    }

    /// What its origins are asked for when somebody asks it for `name`, which is below its path.
    pub(super) fn asked(&self, name: &Name, query: Option<&str>) -> Result<Asked, Unnamed> {
        let rest = name.below(&self.path).ok_or(Unnamed::Absent)?;
        let is_public = self.public.is_empty() || self.public.iter().any(|folder| rest.below(folder).is_some());
        let is_hidden = self.hidden.iter().any(|beginning| rest.as_str().starts_with(beginning));
        if !is_public || is_hidden {
            return Err(Unnamed::Absent);
        }
        let query = path::query(query, &self.query)?;
        Ok(Asked { name: self.mapped(name).ok_or(Unnamed::Absent)?, query })
    }

    fn mapped(&self, name: &Name) -> Option<Name> {
        name.below(&self.strip)?.above(&self.prefix)
    }

    /// How what begins with `beginning` (a name, or the beginning of one) begins in the cache.
    pub(super) fn beginning(&self, beginning: &str) -> Option<String> {
        let rest = match self.strip.as_str() {
            "" => beginning,
            strip => beginning.strip_prefix(strip)?.strip_prefix('/').unwrap_or_default(),
        };
        let prefix = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        Some(format!("/{}", path::encoded(&format!("{prefix}{rest}"))))
    }

    pub(super) fn key(&self, path: &str) -> Option<ObjectKey> {
        ObjectKey::new(&self.label, path)
    }
}
