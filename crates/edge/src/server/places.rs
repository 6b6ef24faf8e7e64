//! How many connections may be open: in all, and from one address.

use super::values::Network;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places there are. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place, kept as long as its socket is open.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    address: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Places {
    pub(super) fn new(connections: usize) -> Self {
        let all = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { all, taken: Arc::default() }
    }

    /// Waits until there is a place.
    pub(super) async fn take(&self) -> Option<Place> {
        // Nobody closes the semaphore.
        let permit = self.all.clone().acquire_owned().await.ok()?;
        Some(Place { _permit: permit, counted: None })
    }

    /// Counts a connection for its address. False when that has `most` already; the trusted are not counted.
    pub(super) fn count(&self, place: &mut Place, ip: IpAddr, (most, trusted): (usize, &[Network])) -> bool {
        if trusted.iter().any(|network| network.contains(ip)) {
            return true;
        }
        let address = subscriber(ip);
        let mut taken = lock(&self.taken);
        let count = taken.entry(address).or_default();
        if *count >= most.max(1) {
            return false;
        }
        *count += 1;
        place.counted = Some(Counted { address, taken: self.taken.clone() });
        true
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// A whole IPv6 network of 64 bits is one subscriber's.
fn subscriber(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// What is counted stays right when somebody panics: each step is one.
fn lock(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_so_many_and_gets_them_back() {
        let places = Places::new(100);
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let take = async |ip: &str| {
            let mut place = places.take().await.unwrap();
            places.count(&mut place, ip.parse().unwrap(), (2, &trusted)).then_some(place)
        };
        let (first, second) = (take("2001:db8::1").await, take("2001:db8::ffff:1").await);
        assert!(first.is_some() && second.is_some());
        assert!(take("2001:db8::2").await.is_none(), "the same network of 64 bits");
        assert!(take("2001:db8:0:1::2").await.is_some(), "another one");
        drop(first);
        assert!(take("2001:db8::2").await.is_some());
        let many = [take("10.0.0.1").await, take("10.0.0.1").await, take("::ffff:10.0.0.1").await];
        assert!(many.iter().all(Option::is_some), "trusted");
        drop((second, many));
        assert!(lock(&places.taken).is_empty(), "nothing is kept of those who are gone");
        assert_eq!(places.all.available_permits(), 100);
    }
}
