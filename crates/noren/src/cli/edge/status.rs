//! `noren edge status`

use super::find::Running;
use super::orders::give_to;
use crate::cli::{Failure, Place, output};
use clap::Args;
use edge::control::{Answer, Order};
use edge::{OriginStatus, SiteStatus, Status};
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

const BETWEEN: Duration = Duration::from_secs(2);

/// Show what a running edge does: requests, hits, origins, the cache
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren edge status
  noren edge status --watch               again and again, with rates; Ctrl-C ends it
  noren edge status --json | jq .cache")]
pub(super) struct StatusArgs {
    /// Show it again every two seconds
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
}

impl StatusArgs {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let cache = self.running.cache(place)?;
        let mut before = ask(&cache)?;
        if self.json {
            return Ok(output::json(&before)?);
        }
        let page = page(&before, None);
        output::line(page.trim_end());
        if !self.watch {
            return Ok(());
        }
        loop {
            std::thread::sleep(BETWEEN);
            let now = ask(&cache)?;
            redraw(&self::page(&now, Some(&before)))?;
            before = now;
        }
    }
}

fn ask(cache: &Path) -> Result<Status, Failure> {
    match give_to(cache, &Order::Status)? {
        Answer::Status(status) => Ok(*status),
        _ => Err(Failure::Failed(anyhow::anyhow!("the edge answers something else: is it another version?"))),
    }
}

/// In place of what is on the terminal; below it where there is none.
fn redraw(page: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        write!(out, "\x1b[H\x1b[2J")?;
    }
    writeln!(out, "{}", page.trim_end())?;
    out.flush()
}

fn page(now: &Status, before: Option<&Status>) -> String {
    let mut page = format!("noren {}, up {}\n\n", now.version, age(now.up));
    let _ = writeln!(
        page,
        "{:<32} {:>10} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>9} {:>6}",
        "SITE", "REQUESTS", "HIT %", "STALE", "MISS", "FILES", "4XX", "5XX", "SENT", "OPEN"
    );
    for site in &now.sites {
        let ratio = site.hit_ratio().map_or("-".to_owned(), |ratio| format!("{:.1}", ratio * 100.0));
        let _ = writeln!(
            page,
            "{:<32} {:>10} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>9} {:>6}",
            site.name,
            site.requests(),
            ratio,
            site.stale,
            site.misses,
            site.bypassed,
            site.answers_4xx,
            site.answers_5xx,
            size(site.bytes),
            site.open
        );
    }
    if let Some(before) = before {
        rates(&mut page, now, before);
    }
    origins(&mut page, &now.origins);
    let _ = writeln!(
        page,
        "\nCACHE  {} of {} in {} files, {} in memory; {} fetches now, {} evicted, {} expired, {} damaged; {} saved",
        size(now.cached("disk_bytes")),
        size(now.cache_limit),
        now.cached("files"),
        size(now.cached("memory_bytes")),
        now.cached("fills_now"),
        now.cached("evictions"),
        now.cached("expired"),
        now.cached("damaged"),
        size(now.bytes_saved()),
    );
    page
}

/// Below their sites: several sites may have the same.
fn origins(page: &mut String, origins: &[OriginStatus]) {
    let _ = writeln!(
        page,
        "\n{:<52} {:>8} {:>8} {:>8} {:>6} {:>9} {:>8}",
        "ORIGIN", "FOUND", "ABSENT", "FAILED", "BUSY", "FETCHED", "MEAN ms"
    );
    for of_site in origins.chunk_by(|one, next| one.site == next.site) {
        let _ = writeln!(page, "{}", of_site[0].site);
        for origin in of_site {
            let name = format!("  {}{}", origin.name, if origin.rests { " (failing)" } else { "" });
            let _ = writeln!(
                page,
                "{name:<52} {:>8} {:>8} {:>8} {:>6} {:>9} {:>8.1}",
                origin.found,
                origin.absent,
                origin.failed,
                origin.busy,
                size(origin.bytes),
                origin.millis
            );
        }
    }
}

fn rates(page: &mut String, now: &Status, before: &Status) {
    let sum = |status: &Status, of: fn(&SiteStatus) -> u64| status.sites.iter().map(of).sum::<u64>();
    let rate = |of: fn(&SiteStatus) -> u64| sum(now, of).saturating_sub(sum(before, of)) as f64 / BETWEEN.as_secs_f64();
    let bytes = rate(|site| site.bytes);
    let _ = writeln!(page, "{:.0} requests/s, {}/s", rate(SiteStatus::requests), size(bytes as u64));
}

/// 12.3 MB
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 99.5 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_of_one_name_stand_below_their_sites() {
        let origin = |site: &str, name: &str, found| OriginStatus {
            site: site.into(),
            name: name.into(),
            found,
            bytes: 2_000_000,
            millis: 1.25,
            ..OriginStatus::default()
        };
        let mut page = String::new();
        let failing = OriginStatus { rests: true, ..origin("b.test/", "https://old.test", 3) };
        origins(&mut page, &[origin("a.test/", "bucket media", 1), origin("b.test/", "bucket media", 2), failing]);
        let rows: Vec<Vec<&str>> = page.trim().lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        let rows: Vec<String> = rows.iter().map(|words| words.join(" ")).collect();
        assert_eq!(
            rows,
            [
                "a.test/",
                "bucket media 1 0 0 0 2.0 MB 1.2",
                "b.test/",
                "bucket media 2 0 0 0 2.0 MB 1.2",
                "https://old.test (failing) 3 0 0 0 2.0 MB 1.2",
            ]
        );
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (999_600, "1.0 MB"),
            (20_000_000_000, "20.0 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
