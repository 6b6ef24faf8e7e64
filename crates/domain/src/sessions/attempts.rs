//! Tries to sign in, counted in memory: by address of the client and by whom they try to be.

use crate::{Time, site::ClientIp};
use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A number of tries in a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub most: u32,
    pub seconds: u32,
}

// Mastodon's numbers.
const OF_ADDRESS: Limit = Limit { most: 25, seconds: 300 };
const OF_PERSON: Limit = Limit { most: 25, seconds: 3600 };
/// Counters of each kind. Strangers may share one; nobody can choose which, because the hash is keyed at random.
const COUNTERS: usize = 1 << 14;
const COUNT_BITS: u32 = 20;

/// Counts tries. The memory it takes never grows.
pub struct Attempts {
    hasher: RandomState,
    by_address: Counters,
    by_person: Counters,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(OF_ADDRESS, OF_PERSON)
    }
}

impl Attempts {
    pub fn new(of_address: Limit, of_person: Limit) -> Self {
        Self { hasher: RandomState::new(), by_address: Counters::new(of_address), by_person: Counters::new(of_person) }
    }

    /// Counts nothing: something in front of us does.
    pub fn unlimited() -> Self {
        let none = || Counters { limit: OF_ADDRESS, slots: Vec::new() };
        Self { hasher: RandomState::new(), by_address: none(), by_person: none() }
    }

    /// Counts one try of `who` (any text that stands for a person). The wait until the next is allowed when there
    /// were too many.
    pub fn count(&self, ip: Option<ClientIp>, who: &str, now: Time) -> Result<(), Duration> {
        if let Some(ClientIp(ip)) = ip {
            self.by_address.hit(self.slot(network(ip)), now)?;
        }
        self.by_person.hit(self.slot(who), now)
    }

    fn slot(&self, key: impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % COUNTERS as u64).unwrap_or(0)
    }
}

/// One household has a whole /64 of IPv6.
fn network(ip: IpAddr) -> u128 {
    match ip.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() & !u128::from(u64::MAX),
    }
}

/// Counters that start again with each window of time: the window's number above, the count below.
struct Counters {
    limit: Limit,
    slots: Vec<AtomicU64>,
}

impl Counters {
    fn new(limit: Limit) -> Self {
        Self { limit, slots: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect() }
    }

    fn hit(&self, slot: usize, now: Time) -> Result<(), Duration> {
        let seconds = i64::from(self.limit.seconds.max(1));
        let most = u64::from(self.limit.most).min((1 << COUNT_BITS) - 2);
        let window = u64::try_from(now.seconds() / seconds).unwrap_or(0);
        let counted = |value: u64| match value >> COUNT_BITS == window {
            true => value & ((1 << COUNT_BITS) - 1),
            false => 0,
        };
        // The count stops at the limit, so that it cannot run into the window's number.
        let next = |value| Some(window << COUNT_BITS | (counted(value) + 1).min(most + 1));
        let Some(counter) = self.slots.get(slot) else { return Ok(()) };
        let before = counter.fetch_update(Relaxed, Relaxed, next).unwrap_or(0);
        if counted(before) < most {
            return Ok(());
        }
        let left = seconds - now.seconds().rem_euclid(seconds);
        Err(Duration::from_secs(u64::try_from(left).unwrap_or(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<ClientIp> {
        Some(ClientIp(text.parse().unwrap()))
    }

    #[test]
    fn an_address_has_25_tries_in_five_minutes() {
        let (attempts, now) = (Attempts::default(), Time(300_000 * 1000));
        for n in 0..25 {
            attempts.count(ip("192.0.2.1"), &format!("person {n}"), now).unwrap();
        }
        assert_eq!(attempts.count(ip("192.0.2.1"), "x", now), Err(Duration::from_secs(300)));
        assert!(attempts.count(ip("::ffff:192.0.2.1"), "y", now).is_err(), "the same written otherwise");
        attempts.count(ip("192.0.2.1"), "x", now.plus(Duration::from_secs(300))).unwrap();
    }

    #[test]
    fn a_person_has_25_tries_in_an_hour_from_wherever() {
        let (attempts, now) = (Attempts::default(), Time(3_600_000 * 1000));
        for n in 0..25 {
            attempts.count(ip(&format!("10.0.{n}.1")), "alice", now).unwrap();
        }
        assert!(attempts.count(None, "alice", now.plus(Duration::from_secs(3599))).is_err());
        attempts.count(None, "alice", now.plus(Duration::from_secs(3600))).unwrap();
    }

    #[test]
    fn limits_can_be_others_or_none() {
        let one = Limit { most: 1, seconds: 10 };
        let (strict, lax) = (Attempts::new(one, one), Attempts::unlimited());
        strict.count(ip("192.0.2.1"), "a", Time(5000)).unwrap();
        assert_eq!(strict.count(ip("192.0.2.1"), "b", Time(5000)), Err(Duration::from_secs(5)));
        for _ in 0..1000 {
            lax.count(ip("192.0.2.1"), "a", Time(5000)).unwrap();
        }
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let (attempts, now) = (Attempts::default(), Time::now());
        let tries = (0..26).map(|n| attempts.count(ip(&format!("2001:db8::{n}")), &format!("{n}"), now));
        assert_eq!(tries.filter(Result::is_err).count(), 1);
    }
}
