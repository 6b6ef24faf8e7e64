//! Figures in the text format of Prometheus.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use crate::figures::SiteStatus;
use crate::origin::{LATENCIES, OriginFigures};
use crate::status::Status;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The whole page.
pub(crate) fn page(status: &Status, origins: &[(String, Arc<OriginFigures>)]) -> String {
    let mut page = Page::default();
    sites(&mut page, &status.sites);
    of_origins(&mut page, origins);
    cache(&mut page, status);
    page.0
}

fn sites(page: &mut Page, sites: &[SiteStatus]) {
    page.family("noren_edge_requests_total", "counter", "Answers by class of status.");
    for site in sites {
        let classes = [
            ("2xx", site.answers_2xx),
            ("3xx", site.answers_3xx),
            ("4xx", site.answers_4xx),
            ("5xx", site.answers_5xx),
        ];
        for (class, count) in classes {
            page.sample("noren_edge_requests_total", &[("site", &site.name), ("status", class)], count);
        }
    }
    page.family("noren_edge_cache_answers_total", "counter", "Answers by how the cache gave them.");
    for site in sites {
        let ways = [
            ("hit", site.hits),
            ("miss", site.misses),
            ("stale", site.stale),
            ("revalidated", site.revalidated),
            ("bypass", site.bypassed),
        ];
        for (way, count) in ways {
            page.sample("noren_edge_cache_answers_total", &[("site", &site.name), ("how", way)], count);
        }
    }
    page.family("noren_edge_hit_ratio", "gauge", "Share of answers from the cache since the start.");
    for site in sites {
        if let Some(ratio) = site.hit_ratio() {
            page.sample("noren_edge_hit_ratio", &[("site", &site.name)], ratio);
        }
    }
    page.family("noren_edge_sent_bytes_total", "counter", "Bytes of bodies sent to clients.");
    for site in sites {
        page.sample("noren_edge_sent_bytes_total", &[("site", &site.name)], site.bytes);
    }
    page.family("noren_edge_open_answers", "gauge", "Answers being sent.");
    for site in sites {
        page.sample("noren_edge_open_answers", &[("site", &site.name)], site.open);
    }
}

fn of_origins(page: &mut Page, origins: &[(String, Arc<OriginFigures>)]) {
    page.family("noren_edge_origin_requests_total", "counter", "Requests to origins by what came of them.");
    for (site, origin) in origins {
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let ways = [
            ("found", read(&origin.found)),
            ("absent", read(&origin.absent)),
            ("failed", read(&origin.failed)),
            ("busy", read(&origin.busy)),
        ];
        for (way, count) in ways {
            page.sample(
                "noren_edge_origin_requests_total",
                &[("site", site), ("origin", origin.label()), ("result", way)],
                count,
            );
        }
    }
    page.family("noren_edge_origin_bytes_total", "counter", "Bytes that came from origins.");
    for (site, origin) in origins {
        let labels = [("site", site.as_str()), ("origin", origin.label())];
        page.sample("noren_edge_origin_bytes_total", &labels, origin.bytes.load(Ordering::Relaxed));
    }
    page.family("noren_edge_origin_seconds", "histogram", "Time until origins began to answer.");
    for (site, origin) in origins {
        let mut count = 0;
        for (at, class) in origin.latencies.iter().enumerate() {
            count += class.load(Ordering::Relaxed);
            let bound = LATENCIES.get(at).map_or("+Inf".to_owned(), |millis| (*millis as f64 / 1000.0).to_string());
            let labels = [("site", site.as_str()), ("origin", origin.label()), ("le", &bound)];
            page.sample("noren_edge_origin_seconds_bucket", &labels, count);
        }
        let labels = [("site", site.as_str()), ("origin", origin.label())];
        page.sample("noren_edge_origin_seconds_sum", &labels, origin.micros.load(Ordering::Relaxed) as f64 / 1e6);
        page.sample("noren_edge_origin_seconds_count", &labels, count);
    }
}

/// All that the cache counts, by its own names.
fn cache(page: &mut Page, status: &Status) {
    const NOW: &[&str] = &["files", "disk_bytes", "memory_bytes", "fills_now"];
    for (name, value) in status.cache.iter() {
        let is_now = NOW.contains(&name.as_str());
        let (full, kind) = match is_now {
            true => (format!("noren_edge_cache_{name}"), "gauge"),
            false => (format!("noren_edge_cache_{name}_total"), "counter"),
        };
        page.family(&full, kind, "See noren edge status.");
        page.sample(&full, &[], value);
    }
    page.family("noren_edge_cache_limit_bytes", "gauge", "Most bytes that the cache may take on the disk.");
    page.sample("noren_edge_cache_limit_bytes", &[], status.cache_limit);
    page.family("noren_edge_saved_bytes_total", "counter", "Bytes sent to clients that no origin had to send.");
    page.sample("noren_edge_saved_bytes_total", &[], status.bytes_saved());
    page.family("noren_edge_log_dropped_total", "counter", "Lines of the access log that the disk was too slow for.");
    page.sample("noren_edge_log_dropped_total", &[], status.log_dropped);
}

/// A page that grows, one family after the other.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// Begins a family: "counter", "gauge" or "histogram".
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One value of the family that was begun last.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A page as an answer.
pub fn answer(page: String) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, page).into_response()
}
