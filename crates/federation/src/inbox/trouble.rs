//! Keys that could not be had lately: whoever signs with one hears at once that it is not the time, and nobody is asked
//! again for each request. Bounded, and in memory only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an address is not asked again. GoToSocial gives up what it sends after four minutes: there must be time left
/// for another attempt.
const REST: Duration = Duration::from_secs(60);
/// How long the failures of a sender count; as long as Mastodon waits.
const PAUSE: Duration = Duration::from_secs(300);
/// Failures that one sender may cause before no keys are fetched for it.
const PATIENCE: u32 = 60;
/// Keys, and senders, that are remembered.
const MOST: usize = 4096;

#[derive(Default)]
pub(crate) struct Trouble(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Addresses that did not answer, and when they were asked.
    addresses: HashMap<String, Instant>,
    /// How often senders named keys that could not be had, and since when that is counted.
    senders: HashMap<IpAddr, (u32, Instant)>,
}

impl Trouble {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to ask for the key with this name is left be for now.
    pub(super) fn rests(&self, key: &str, sender: Option<IpAddr>, now: Instant) -> bool {
        let kept = self.lock();
        let failed = kept.addresses.get(address(key)).is_some_and(|at| now.duration_since(*at) < REST);
        let sender = sender.and_then(|ip| kept.senders.get(&network(ip)));
        failed || sender.is_some_and(|(count, since)| *count >= PATIENCE && now.duration_since(*since) < PAUSE)
    }

    /// What the name of the key leads to did not answer.
    pub(super) fn unanswered(&self, key: &str, now: Instant) {
        let mut kept = self.lock();
        bound(&mut kept.addresses, |at| now.duration_since(*at) < REST);
        kept.addresses.insert(address(key).to_owned(), now);
    }

    /// `sender` named a key that could not be had, whyever.
    pub(super) fn by(&self, sender: IpAddr, now: Instant) {
        let mut kept = self.lock();
        bound(&mut kept.senders, |(_, since)| now.duration_since(*since) < PAUSE);
        let (count, since) = kept.senders.entry(network(sender)).or_insert((0, now));
        if now.duration_since(*since) >= PAUSE {
            (*count, *since) = (0, now);
        }
        *count += 1;
    }
}

/// Makes room for one more.
fn bound<K: std::hash::Hash + Eq, V>(kept: &mut HashMap<K, V>, holds: impl Fn(&V) -> bool) {
    if kept.len() >= MOST {
        kept.retain(|_, value| holds(value));
    }
    if kept.len() >= MOST {
        // Rather all are asked once more than one never.
        kept.clear();
    }
}

/// Without the fragment: what is asked for.
fn address(key: &str) -> &str {
    key.split_once('#').map_or(key, |(address, _)| address)
}

/// Of IPv6 one connection has many addresses.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => std::net::Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "https://a.example/users/1#main-key";

    #[test]
    fn an_address_rests_under_every_name_and_not_for_ever() {
        let (trouble, now) = (Trouble::default(), Instant::now());
        trouble.unanswered(KEY, now);
        for (key, rests) in
            [(KEY, true), ("https://a.example/users/1#other", true), ("https://a.example/users/2", false)]
        {
            assert_eq!(trouble.rests(key, None, now), rests, "{key}");
        }
        assert!(!trouble.rests(KEY, None, now + REST));
    }

    #[test]
    fn a_sender_that_names_nothing_but_trouble() {
        let (trouble, now) = (Trouble::default(), Instant::now());
        let [one, same, other] = ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"].map(|ip| ip.parse().unwrap());
        for _ in 1..PATIENCE {
            trouble.by(one, now);
        }
        assert!(!trouble.rests(KEY, Some(one), now));
        trouble.by(same, now);
        assert!(trouble.rests(KEY, Some(one), now) && trouble.rests(KEY, Some(same), now));
        assert!(!trouble.rests(KEY, Some(other), now) && !trouble.rests(KEY, None, now));
        assert!(!trouble.rests(KEY, Some(one), now + PAUSE));
        trouble.by(one, now + PAUSE);
        assert!(!trouble.rests(KEY, Some(one), now + PAUSE));
    }

    #[test]
    fn it_is_bounded() {
        let (trouble, now) = (Trouble::default(), Instant::now());
        for n in 0..u32::try_from(2 * MOST).unwrap() {
            trouble.unanswered(&format!("https://a.example/{n}"), now);
            trouble.by(std::net::Ipv4Addr::from_bits(n).into(), now);
        }
        let kept = trouble.lock();
        assert!(kept.addresses.len() <= MOST && kept.senders.len() <= MOST);
    }
}
