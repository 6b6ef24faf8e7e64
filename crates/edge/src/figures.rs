//! What is counted for sites and origins. The counts outlive a reload.

use crate::cache::How;
use crate::origin::OriginFigures;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// All counts, by name of the site, and by name of site and origin.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    sites: Mutex<BTreeMap<String, Arc<SiteFigures>>>,
    origins: Mutex<BTreeMap<(String, String), Arc<OriginFigures>>>,
    nowhere: Arc<SiteFigures>,
}

/// What stands for the name of a site where a request is for none, or its path cannot be one.
const NOWHERE: &str = "(no site)";

impl Figures {
    pub(crate) fn site(&self, label: &str) -> Arc<SiteFigures> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.entry(label.to_owned()).or_default().clone()
    }

    /// Of requests that are for none.
    pub(crate) fn nowhere(&self) -> Arc<SiteFigures> {
        self.nowhere.clone()
    }

    pub(crate) fn origin(&self, site: &str, label: &str) -> Arc<OriginFigures> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(OriginFigures::new(label.to_owned()));
        origins.entry((site.to_owned(), label.to_owned())).or_insert_with(new).clone()
    }

    /// Sites that are configured, and those that still answer what they were asked before a reload; at the end what was
    /// for none, if there was any.
    pub(crate) fn sites(&self) -> Vec<SiteStatus> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.retain(|_, figures| Arc::strong_count(figures) > 1);
        let nowhere = Some(self.nowhere.status(NOWHERE)).filter(|figures| figures.requests() > 0);
        sites.iter().map(|(label, figures)| figures.status(label)).chain(nowhere).collect()
    }

    /// Origins in the order of their sites, with all that is known of them.
    pub(crate) fn origins(&self) -> Vec<(String, Arc<OriginFigures>)> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.retain(|_, figures| Arc::strong_count(figures) > 1);
        origins.iter().map(|((site, _), figures)| (site.clone(), figures.clone())).collect()
    }
}

#[derive(Debug, Default)]
pub(crate) struct SiteFigures {
    /// By the first digit of the status, from 2 to 5.
    statuses: [AtomicU64; 4],
    hows: [AtomicU64; 5],
    bytes: AtomicU64,
    open: AtomicU64,
}

/// Figures of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteStatus {
    pub name: String,
    /// Answers with a status of 200 and so on.
    pub answers_2xx: u64,
    pub answers_3xx: u64,
    pub answers_4xx: u64,
    pub answers_5xx: u64,
    pub hits: u64,
    pub misses: u64,
    pub stale: u64,
    pub revalidated: u64,
    pub bypassed: u64,
    /// Bytes of bodies sent to clients.
    pub bytes: u64,
    /// Answers being sent.
    pub open: u64,
}

impl SiteStatus {
    /// All answers.
    pub fn requests(&self) -> u64 {
        self.answers_2xx + self.answers_3xx + self.answers_4xx + self.answers_5xx
    }

    /// The share of requests to the cache that needed nothing of an origin; `None` when there were none.
    pub fn hit_ratio(&self) -> Option<f64> {
        let all = self.hits + self.misses + self.stale + self.revalidated;
        (all > 0).then(|| (self.hits + self.stale) as f64 / all as f64)
    }
}

impl SiteFigures {
    pub(crate) fn count(&self, status: StatusCode, how: Option<How>) {
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        self.statuses[class].fetch_add(1, Ordering::Relaxed);
        if let Some(how) = how {
            self.hows[place(how)].fetch_add(1, Ordering::Relaxed);
        }
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// The answer has been sent as far as it was.
    pub(crate) fn ended(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    fn status(&self, label: &str) -> SiteStatus {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let how = |how: How| read(&self.hows[place(how)]);
        SiteStatus {
            name: label.to_owned(),
            answers_2xx: read(&self.statuses[0]),
            answers_3xx: read(&self.statuses[1]),
            answers_4xx: read(&self.statuses[2]),
            answers_5xx: read(&self.statuses[3]),
            hits: how(How::Hit),
            misses: how(How::Miss),
            stale: how(How::Stale),
            revalidated: how(How::Revalidated),
            bypassed: how(How::Bypass),
            bytes: read(&self.bytes),
            open: read(&self.open),
        }
    }
}

fn place(how: How) -> usize {
    match how {
        How::Hit => 0,
        How::Miss => 1,
        How::Stale => 2,
        How::Revalidated => 3,
        How::Bypass => 4,
    }
}
