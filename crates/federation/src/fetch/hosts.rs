//! What is remembered about hosts: which family of addresses answered, which signatures they understand, and how much
//! runs there now. Bounded; forgotten by age.

use crate::signatures::Form;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Hosts that are remembered.
const HOSTS: usize = 4096;
const FORM_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// A network may be repaired any time.
const FAMILY_KEPT: Duration = Duration::from_secs(600);
const SILENCE_KEPT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

struct Host {
    slots: Arc<Semaphore>,
    family: Option<(Family, Instant)>,
    form: Option<(Form, Instant)>,
    /// When no connection came about; None since one did.
    silent: Option<Instant>,
    seen: Instant,
}

pub(super) struct Hosts {
    known: Mutex<HashMap<String, Host>>,
    /// Requests that may run at one of them.
    most: usize,
}

impl Hosts {
    pub(super) fn new(most: usize) -> Self {
        Self { known: Mutex::default(), most }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        // Whoever panicked left a map that is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, host: &str, f: impl FnOnce(&mut Host) -> T) -> T {
        let mut known = self.lock();
        let now = Instant::now();
        if known.len() >= HOSTS && !known.contains_key(host) {
            forget(&mut known);
        }
        let entry = known.entry(host.to_ascii_lowercase());
        let slots = || Arc::new(Semaphore::new(self.most));
        let host = entry.or_insert_with(|| Host { slots: slots(), family: None, form: None, silent: None, seen: now });
        host.seen = now;
        f(host)
    }

    pub(super) fn slots(&self, host: &str) -> Arc<Semaphore> {
        self.with(host, |host| host.slots.clone())
    }

    pub(super) fn family(&self, host: &str) -> Option<Family> {
        let (family, at) = self.lock().get(host)?.family?;
        (at.elapsed() < FAMILY_KEPT).then_some(family)
    }

    pub(super) fn answered(&self, host: &str, family: Family) {
        self.with(host, |host| host.family = Some((family, Instant::now())));
    }

    /// Whether a connection came about. Who never failed need not be remembered for that.
    pub(super) fn connected(&self, host: &str, connected: bool) {
        match connected {
            true => {
                if let Some(host) = self.lock().get_mut(&host.to_ascii_lowercase()) {
                    host.silent = None;
                }
            }
            false => self.with(host, |host| host.silent = Some(Instant::now())),
        }
    }

    /// Whether the last connection failed, lately.
    pub(super) fn is_silent(&self, host: &str) -> bool {
        let silent = self.lock().get(&host.to_ascii_lowercase()).and_then(|host| host.silent);
        silent.is_some_and(|at| at.elapsed() < SILENCE_KEPT)
    }

    pub(super) fn form(&self, host: &str) -> Option<Form> {
        self.form_at(host, Instant::now())
    }

    fn form_at(&self, host: &str, now: Instant) -> Option<Form> {
        let (form, at) = self.lock().get(&host.to_ascii_lowercase())?.form?;
        (now.duration_since(at) < FORM_KEPT).then_some(form)
    }

    pub(super) fn prefer(&self, host: &str, form: Form) {
        self.with(host, |host| host.form = Some((form, Instant::now())));
    }
}

/// Lets go of the half that was not seen for longest, except for those where something runs.
fn forget(known: &mut HashMap<String, Host>) {
    let mut seen: Vec<Instant> = known.values().map(|host| host.seen).collect();
    seen.sort_unstable();
    let Some(middle) = seen.get(seen.len() / 2).copied() else { return };
    known.retain(|_, host| host.seen > middle || Arc::strong_count(&host.slots) > 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_signatures_a_host_understands_is_known_for_a_week() {
        let hosts = Hosts::new(2);
        hosts.prefer("a.example", Form::Rfc9421);
        let in_days = |days: u64| Instant::now() + Duration::from_secs(days * 24 * 3600);
        assert_eq!(hosts.form_at("a.example", in_days(0)), Some(Form::Rfc9421));
        assert_eq!(hosts.form_at("A.example", in_days(7) - Duration::from_secs(60)), Some(Form::Rfc9421));
        assert_eq!(hosts.form_at("a.example", in_days(7)), None);
        // Found out anew, it is known anew.
        hosts.prefer("a.example", Form::CavagePathOnly);
        assert_eq!(hosts.form("a.example"), Some(Form::CavagePathOnly));
    }

    #[test]
    fn hosts_are_remembered_and_bounded() {
        let hosts = Hosts::new(2);
        let held = hosts.slots("held.example");
        hosts.prefer("Held.example", Form::Rfc9421);
        hosts.answered("held.example", Family::V6);
        for n in 0..3 * HOSTS {
            hosts.slots(&format!("{n}.example"));
        }
        assert!(hosts.lock().len() <= HOSTS);
        assert_eq!(hosts.form("held.EXAMPLE"), Some(Form::Rfc9421));
        assert_eq!(hosts.family("held.example"), Some(Family::V6));
        assert_eq!(hosts.form("other.example"), None);
        hosts.connected("other.example", true);
        assert!(!hosts.is_silent("other.example"));
        hosts.connected("Other.example", false);
        assert!(hosts.is_silent("other.example") && !hosts.is_silent("held.example"));
        hosts.connected("other.example", true);
        assert!(!hosts.is_silent("other.example"));
        assert!(Arc::ptr_eq(&held, &hosts.slots("held.example")));
    }
}
