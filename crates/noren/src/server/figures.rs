//! How the queue and other servers do, for Prometheus, at an address of its own.

use super::Parts;
use super::sites::Sites;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use domain::db::Conn;
use domain::hosts::{self, Host};
use domain::jobs::{self, Queue, State};
use domain::{Db, Result, Time};
use edge::metrics::{self, Page};
use tokio_util::sync::CancellationToken;

/// Other servers that are shown by name.
const HOSTS: i64 = 50;

/// Begins to show them, where the configuration says.
pub(super) fn show(parts: &Parts, sites: &Sites, stop: &CancellationToken) -> anyhow::Result<()> {
    let Some(address) = parts.config.metrics.listen else { return Ok(()) };
    let (db, sites) = (parts.db.clone(), sites.clone());
    let router = Router::new().route("/metrics", get(move || answer(db.clone(), sites.clone())));
    edge::show(router, address, stop)?;
    Ok(())
}

async fn answer(db: Db, sites: Sites) -> Response {
    match Figures::read(&db).await {
        Ok(figures) => {
            let of_the_edge = sites.known().map(|edge| edge.metrics()).unwrap_or_default();
            metrics::answer(figures.page(Time::now()) + &of_the_edge)
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "no figures");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

struct Figures {
    jobs: Vec<(Queue, State, i64)>,
    oldest: Vec<(Queue, Time)>,
    /// Failing, and resting.
    hosts: (i64, i64),
    failing: Vec<Host>,
}

impl Figures {
    async fn read(db: &Db) -> Result<Self> {
        // All of the queue is counted.
        let conn: Conn = db.read_long().await?;
        let mut failing = hosts::list(&conn, HOSTS).await?;
        failing.retain(|host| host.failures > 0);
        Ok(Self {
            jobs: jobs::counts(&conn).await?,
            oldest: jobs::oldest_due(&conn).await?,
            hosts: hosts::counts(&conn).await?,
            failing,
        })
    }

    /// Queues are all there, also when they are empty: what is missing cannot be told from what is zero.
    fn page(&self, now: Time) -> String {
        let mut page = Page::default();
        page.family("noren_jobs", "gauge", "Jobs by queue and state.");
        for queue in Queue::ALL {
            for state in State::ALL {
                let count = self.jobs.iter().find(|(q, s, _)| (q, s) == (queue, state)).map_or(0, |(_, _, n)| *n);
                page.sample("noren_jobs", &[("queue", queue.as_str()), ("state", state.as_str())], count);
            }
        }
        page.family("noren_jobs_oldest_due_seconds", "gauge", "How long the oldest job waits that could run.");
        for queue in Queue::ALL {
            let since = self.oldest.iter().find(|(q, _)| q == queue).map(|(_, at)| now.since(*at));
            let seconds = since.unwrap_or_default().as_secs();
            page.sample("noren_jobs_oldest_due_seconds", &[("queue", queue.as_str())], seconds);
        }
        page.family("noren_hosts", "gauge", "Servers that do not answer, and those of them that are not asked now.");
        for (state, count) in [("failing", self.hosts.0), ("resting", self.hosts.1)] {
            page.sample("noren_hosts", &[("state", state)], count);
        }
        page.family("noren_host_failures", "gauge", "Failures in a row, of the servers that failed last.");
        for host in &self.failing {
            page.sample("noren_host_failures", &[("host", &host.host)], host.failures);
        }
        page.family("noren_host_resting_seconds", "gauge", "How long each of them is left in peace still.");
        for host in &self.failing {
            let left = host.resting_until.map(|until| until.since(now)).unwrap_or_default();
            page.sample("noren_host_resting_seconds", &[("host", &host.host)], left.as_secs());
        }
        page.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_counted_from_when_a_job_could_run() {
        let now = Time(1_000_000);
        let oldest = vec![(Queue::Push, Time(1_000_000 - 90_500)), (Queue::Pull, Time(1_000_001))];
        let figures = Figures { jobs: vec![(Queue::Push, State::Waiting, 7)], oldest, hosts: (0, 0), failing: vec![] };
        let page = figures.page(now);
        for line in [
            "noren_jobs{queue=\"push\",state=\"waiting\"} 7",
            "noren_jobs{queue=\"push\",state=\"running\"} 0",
            "noren_jobs_oldest_due_seconds{queue=\"push\"} 90",
            "noren_jobs_oldest_due_seconds{queue=\"pull\"} 0",
            "noren_jobs_oldest_due_seconds{queue=\"media\"} 0",
        ] {
            assert!(page.lines().any(|shown| shown == line), "{line} is not in\n{page}");
        }
    }
}
