//! From a name to addresses.

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// Names that the system looks up at once. It has no way to be told to stop: a name server that never answers holds a
/// thread for as long as the system likes.
const AT_ONCE: usize = 64;
/// For one of these places.
const QUEUE: Duration = Duration::from_secs(2);
/// Names that are remembered.
const NAMES: usize = 4096;
/// How long a name that took long is doubtful, and how long holds where one was.
const SLOW_KEPT: Duration = Duration::from_secs(600);
const FOUND_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Bytes of a thread's stack: looking up needs little.
const STACK: usize = 512 * 1024;

/// The addresses of a name, to come.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Knows the addresses of names. What it says is checked before anybody connects.
pub trait Resolve: Send + Sync {
    /// [`io::ErrorKind::ResourceBusy`] when it is this machine that cannot look up more now.
    fn resolve(&self, host: &str) -> Resolving;
}

/// As the system does it, on threads that do nothing else: whoever is asked for names that never resolve must not take
/// those away that the rest of the program needs.
pub struct System;

static SYSTEM: LazyLock<Threads> = LazyLock::new(|| Threads::new(AT_ONCE, by_the_system));

impl Resolve for System {
    fn resolve(&self, host: &str) -> Resolving {
        SYSTEM.resolve(host)
    }
}

fn by_the_system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

type LookUp = fn(&str) -> io::Result<Vec<IpAddr>>;
/// One look that all wait for who want the same name.
type Look = Shared<BoxFuture<'static, Result<Vec<IpAddr>, Failed>>>;

/// As an error of the system, which cannot be cloned.
#[derive(Clone, Debug)]
struct Failed(io::ErrorKind, String);

/// Looks names up on a thread each, few at once, each name once at a time. Those that took long lately have half of the
/// threads at most, and where none is to be had what was found before still holds: many names whose own servers are dead
/// keep nobody else's from being found.
struct Threads {
    places: Arc<Semaphore>,
    /// For names that took long.
    doubtful: Arc<Semaphore>,
    looks: Arc<Mutex<HashMap<String, Look>>>,
    known: Arc<Mutex<HashMap<String, Known>>>,
    look_up: LookUp,
}

/// What came of looking for a name.
struct Known {
    /// Where it was, when it was found.
    addresses: Vec<IpAddr>,
    found: Instant,
    /// When looking took long; None since it did not.
    slow: Option<Instant>,
}

/// Writes down what came of a look that took so long.
fn remember(known: &Mutex<HashMap<String, Known>>, name: &str, (found, took): (&io::Result<Vec<IpAddr>>, Duration)) {
    let (mut known, now) = (lock(known), Instant::now());
    let addresses = found.as_ref().ok().filter(|addresses| !addresses.is_empty());
    let slow = (took >= QUEUE).then_some(now);
    match (known.get_mut(name), addresses) {
        (Some(old), None) => old.slow = slow,
        (None, None) if slow.is_none() => {}
        (_, addresses) => {
            if known.len() >= NAMES {
                known.retain(|_, known| known.found.elapsed() < SLOW_KEPT);
            }
            if known.len() >= NAMES {
                known.clear();
            }
            known
                .insert(name.to_owned(), Known { addresses: addresses.cloned().unwrap_or_default(), found: now, slow });
        }
    }
}

impl Threads {
    fn new(at_once: usize, look_up: LookUp) -> Self {
        let (places, doubtful) = (Arc::new(Semaphore::new(at_once)), Arc::new(Semaphore::new((at_once / 2).max(1))));
        Self { places, doubtful, looks: Arc::default(), known: Arc::default(), look_up }
    }

    /// Whether looking for it took long, lately.
    fn is_slow(&self, host: &str) -> bool {
        let slow = lock(&self.known).get(host).and_then(|known| known.slow);
        slow.is_some_and(|at| at.elapsed() < SLOW_KEPT)
    }

    /// Where it was when it was last found.
    fn last(known: &Mutex<HashMap<String, Known>>, host: &str) -> Option<Vec<IpAddr>> {
        let known = lock(known);
        let last = known.get(host).filter(|known| known.found.elapsed() < FOUND_KEPT)?;
        Some(last.addresses.clone()).filter(|addresses| !addresses.is_empty())
    }

    /// Begins to look `host` up, unless somebody does already.
    fn look(&self, host: &str) -> Look {
        let mut looks = lock(&self.looks);
        if let Some(look) = looks.get(host) {
            return look.clone();
        }
        let (places, all, look_up) = (self.places.clone(), self.looks.clone(), self.look_up);
        let (name, known) = (host.to_owned(), self.known.clone());
        let doubtful = self.is_slow(host).then(|| self.doubtful.clone());
        let look = async move {
            let busy = |why: &str| Failed(io::ErrorKind::ResourceBusy, why.to_owned());
            let both = async {
                let doubtful = match doubtful {
                    Some(doubtful) => Some(doubtful.acquire_owned().await.ok()?),
                    None => None,
                };
                Some((places.acquire_owned().await.ok()?, doubtful))
            };
            let Ok(Some(place)) = timeout(QUEUE, both).await else {
                lock(&all).remove(&name);
                return Err(busy("too many names are looked up"));
            };
            let (tell, told) = oneshot::channel();
            let (asked, done) = (name.clone(), all.clone());
            let thread = std::thread::Builder::new().name("names".to_owned()).stack_size(STACK).spawn(move || {
                let began = Instant::now();
                let found = look_up(&asked);
                remember(&known, &asked, (&found, began.elapsed()));
                let found = found.map_err(|error| Failed(error.kind(), error.to_string()));
                lock(&done).remove(&asked);
                drop(place);
                // Whoever wanted to know may have given up.
                let _ = tell.send(found);
            });
            if thread.is_err() {
                lock(&all).remove(&name);
                return Err(busy("no thread is to be had"));
            }
            told.await.unwrap_or_else(|_| Err(busy("the look was cut short")))
        };
        let look = look.boxed().shared();
        // Only as many wait as requests run; the thread takes its name away when it ends.
        looks.insert(host.to_owned(), look.clone());
        drop(looks);
        // Goes on although whoever began it gives up: others may wait for the same.
        tokio::spawn(look.clone().map(drop));
        look
    }
}

impl Resolve for Threads {
    fn resolve(&self, host: &str) -> Resolving {
        let (look, known, host) = (self.look(host), self.known.clone(), host.to_owned());
        Box::pin(async move {
            match look.await {
                Err(Failed(io::ErrorKind::ResourceBusy, why)) => {
                    Self::last(&known, &host).ok_or_else(|| io::Error::new(io::ErrorKind::ResourceBusy, why))
                }
                outcome => outcome.map_err(|Failed(kind, why)| io::Error::new(kind, why)),
            }
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static RUNNING: AtomicUsize = AtomicUsize::new(0);

    /// Never answers for names that begin with `hung`, until told to.
    fn slow(host: &str) -> io::Result<Vec<IpAddr>> {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        if host.starts_with("hung") {
            std::thread::sleep(Duration::from_secs(4));
        }
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        match host {
            "unknown.example" => Err(io::Error::other("no such name")),
            _ => Ok(vec![IpAddr::from([192, 0, 2, 1])]),
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn names_that_never_resolve_hold_up_few() {
        let threads = Threads::new(4, slow);
        assert_eq!(threads.resolve("a.example").await.unwrap().len(), 1);
        assert_eq!(threads.resolve("unknown.example").await.unwrap_err().to_string(), "no such name");
        // The same name many times is one look.
        let same: Vec<_> = (0..50).map(|_| threads.resolve("hung.example")).collect();
        let began = std::time::Instant::now();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let others: Vec<_> = (0..40).map(|n| threads.resolve(&format!("hung{n}.example"))).collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(RUNNING.load(Ordering::SeqCst), 4);
        // What needs a thread of the program's own gets one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        let outcomes = futures_util::future::join_all(others).await;
        let busy = |outcome: &io::Result<_>| matches!(outcome, Err(e) if e.kind() == io::ErrorKind::ResourceBusy);
        assert_eq!(outcomes.iter().filter(|outcome| busy(outcome)).count(), 37);
        let known = futures_util::future::join_all(same).await;
        assert!(known.iter().all(Result::is_ok) && began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(800)).await;
        // It is over: all is as before, and nothing is kept.
        assert!(threads.resolve("b.example").await.is_ok());
        assert!(lock(&threads.looks).is_empty());
        assert_eq!(RUNNING.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn names_whose_servers_are_dead_hold_up_no_others() {
        let threads = Threads::new(4, slow_also);
        threads.resolve("a.example").await.unwrap();
        let hung = || (0..4).map(|n| threads.resolve(&format!("hung{n}.example"))).collect::<Vec<_>>();
        let first = futures_util::future::join_all(hung());
        tokio::time::sleep(Duration::from_millis(100)).await;
        // All threads are taken: only who was found before is found.
        let (known, other) = tokio::join!(threads.resolve("a.example"), threads.resolve("b.example"));
        assert_eq!(known.unwrap().len(), 1);
        assert_eq!(other.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert!(first.await.iter().all(Result::is_ok));
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Those that took long leave room for others the next time.
        let again = futures_util::future::join_all(hung());
        let began = Instant::now();
        assert!(threads.resolve("b.example").await.is_ok() && threads.resolve("c.example").await.is_ok());
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        // Two look, for two there is no thread: those are still where they were.
        assert!(again.await.iter().all(Result::is_ok));
        assert!(threads.is_slow("hung0.example") && !threads.is_slow("a.example"));
        for n in 0..NAMES + 10 {
            remember(&threads.known, &format!("{n}.example"), (&slow_also("n"), Duration::ZERO));
        }
        assert!(lock(&threads.known).len() <= NAMES);
    }

    /// As [`slow`], but counts nothing.
    fn slow_also(host: &str) -> io::Result<Vec<IpAddr>> {
        if host.starts_with("hung") {
            std::thread::sleep(Duration::from_secs(4));
        }
        Ok(vec![IpAddr::from([192, 0, 2, 1])])
    }
}
