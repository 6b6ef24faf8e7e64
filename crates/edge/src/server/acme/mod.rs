//! Certificates that come and are renewed by themselves. Whatever goes wrong with an authority, what was obtained
//! before goes on being used.

mod challenges;
mod folder;
mod order;

pub(super) use challenges::Challenges;

use super::config::{AcmeConfig, ChallengeKind};
use super::tls::{Certificate, Certificates};
use super::values::HostName;
use folder::Folder;
use order::Orders;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Pause after the first failure; it doubles with each further one. An authority such as Let's Encrypt answers five
/// failures of a name in an hour, and these are five.
const FIRST_PAUSE: Duration = Duration::from_secs(120);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 3600);
/// The clock is looked at this often at least: it may be set, and machines sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// Keeps the certificates of some names.
#[derive(Debug)]
pub(super) struct Keeper {
    orders: Orders,
    certificates: Arc<Certificates>,
    /// How names can be proved here, the best first.
    kinds: Vec<ChallengeKind>,
    /// By name.
    failed: HashMap<HostName, Failed>,
    /// What was obtained before.
    kept: Vec<(HostName, Certificate)>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    again: SystemTime,
}

impl Keeper {
    /// Reads what was obtained before. None when no names are wanted.
    pub(super) fn open(
        config: &AcmeConfig,
        data: &Path,
        certificates: Arc<Certificates>,
        (challenges, kinds): (Challenges, Vec<ChallengeKind>),
    ) -> io::Result<Option<Self>> {
        if config.names.is_empty() {
            return Ok(None);
        }
        let folder = Folder::open(data, config.directory.as_str())?;
        let (mut failed, mut kept) = (HashMap::new(), Vec::new());
        for name in &config.names {
            if let Some(pem) = folder.certificate(name)? {
                match Certificate::read(&pem, &pem) {
                    Ok(certificate) => kept.push((name.clone(), certificate)),
                    Err(error) => tracing::error!(%name, %error, "a kept certificate cannot be used"),
                }
            }
            if let Some(tried) = folder.tried(name) {
                failed.insert(name.clone(), Failed { times: 0, again: tried + FIRST_PAUSE });
            }
        }
        let orders = Orders { config: config.clone(), folder, challenges };
        Ok(Some(Self { orders, certificates, kinds, failed, kept }))
    }

    /// Shows what was obtained before, for the names that are wanted and no others.
    pub(super) fn show(&mut self) {
        let wanted = &self.orders.config.names;
        self.certificates.keep(|name| wanted.iter().any(|wanted| wanted.as_str() == name));
        for (name, certificate) in self.kept.drain(..) {
            self.certificates.put(name.as_str(), certificate);
        }
    }

    /// Gets and renews, for ever.
    pub(super) async fn run(mut self) {
        let names = self.orders.config.names.clone();
        if self.kinds.is_empty() {
            tracing::error!("no [[listen]] serves what the authority would look at: there will be no certificates");
            return;
        }
        loop {
            for name in &names {
                if self.due(name) <= SystemTime::now() {
                    self.renew(name).await;
                }
            }
            let next = names.iter().map(|name| self.due(name)).min();
            let pause = next.and_then(|next| next.duration_since(SystemTime::now()).ok()).unwrap_or_default();
            tokio::time::sleep(pause.clamp(Duration::from_millis(200), LONGEST_SLEEP)).await;
        }
    }

    /// When to ask for a new certificate.
    fn due(&self, name: &HostName) -> SystemTime {
        let wanted = match self.certificates.obtained(name.as_str()) {
            Some((from, until)) => renewal(name, from, until),
            None => SystemTime::UNIX_EPOCH,
        };
        self.failed.get(name).map_or(wanted, |failed| wanted.max(failed.again))
    }

    async fn renew(&mut self, name: &HostName) {
        let times = self.failed.get(name).map_or(0, |failed| failed.times);
        let kind = self.kinds[times as usize % self.kinds.len()];
        if let Err(error) = self.orders.folder.mark_tried(name) {
            // Without a place to keep it there is no use in asking for a certificate.
            tracing::error!(%error, "cannot write to the folder for certificates");
            self.failed(name, times);
            return;
        }
        tracing::info!(%name, ?kind, "asking for a certificate");
        match self.orders.certificate(name, kind).await {
            Ok(certificate) => {
                tracing::info!(%name, "there is a new certificate");
                self.failed.remove(name);
                self.certificates.put(name.as_str(), certificate);
            }
            Err(error) => {
                let pause = self.failed(name, times);
                tracing::error!(%name, %error, "no new certificate; the next try is in {} min", pause.as_secs() / 60);
            }
        }
    }

    /// Remembers a failure. How long the pause after it is.
    fn failed(&mut self, name: &HostName, before: u32) -> Duration {
        let pause = pause(name, before);
        self.failed.insert(name.clone(), Failed { times: before + 1, again: SystemTime::now() + pause });
        pause
    }
}

fn pause(name: &HostName, before: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << before.min(16)).min(LONGEST_PAUSE);
    // Up to a fifth longer, so that not everybody comes at the same time.
    pause + pause.mul_f64(chance(&(name, before)) / 5.0)
}

/// At two thirds of its life, or up to a thirtieth of its life before.
fn renewal(name: &HostName, from: SystemTime, until: SystemTime) -> SystemTime {
    let life = until.duration_since(from).unwrap_or_default();
    from + life.mul_f64(2.0 / 3.0) - life.mul_f64(chance(&(name, from)) / 30.0)
}

/// From 0 to 1; the same for the same thing.
fn chance(thing: &impl std::hash::Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    let short = u32::try_from(hasher.finish() >> 32).unwrap_or_default();
    f64::from(short) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_somewhere() {
        let name: HostName = "a.example".parse().unwrap();
        let pauses: Vec<u64> = (0..40).map(|before| pause(&name, before).as_secs()).collect();
        assert!((120..=144).contains(&pauses[0]) && (240..=288).contains(&pauses[1]), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= 12 * 3600 * 6 / 5));
        let hour: u64 = pauses.iter().take(5).sum();
        assert!(hour > 3600, "not more than five in the first hour");
    }

    #[test]
    fn certificates_are_renewed_in_the_last_third() {
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for name in ["a.example", "b.example", "c.example"] {
            let name = name.parse().unwrap();
            let due = renewal(&name, from, from + Duration::from_secs(90 * 86400));
            let days = due.duration_since(from).unwrap().as_secs_f64() / 86400.0;
            assert!((57.0..=60.0).contains(&days), "{days}");
        }
    }
}
