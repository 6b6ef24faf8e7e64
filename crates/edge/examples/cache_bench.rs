//! What a hit costs: processor seconds for 1000 objects of 20 KB and for a gigabyte in slices of 1 MiB, from memory and
//! from the page cache, and how the alternatives compare.
//!
//! ```sh
//! cargo run --profile bench -p edge --example cache_bench
//! ```

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use bytes::Bytes;
use edge::cache::{Cache, CacheConfig, Failure, How, Meta, ObjectKey, Reply, Upstream, Want};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SMALL: u64 = 20_000;
const SMALL_OBJECTS: u64 = 2_000;
const FILM: u64 = 200 << 20;

/// Gives any number of bytes.
struct Origin;

impl Upstream for Origin {
    fn fetch(&self, key: &ObjectKey, want: Want) -> BoxFuture<'static, Result<Reply, Failure>> {
        let total = if key.path().starts_with("/film") { FILM } else { SMALL };
        let part = want.slice.start..want.slice.end.min(total);
        let bytes: Vec<u8> = part.clone().map(|place| (place % 251) as u8).collect();
        let meta = Meta { start: part.start, total: Some(total), etag: Some("\"v\"".into()), ..Meta::default() };
        let body = stream::once(async move { Ok(Bytes::from(bytes)) }).boxed();
        async move { Ok(Reply { status: 206, meta, body }) }.boxed()
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let config = CacheConfig {
        path: folder.path().to_owned(),
        min_free: 0,
        stall: Duration::from_secs(60),
        ..CacheConfig::default()
    };
    let (memory, nothing) = (CacheConfig { memory: 512 << 20, ..config.clone() }, CacheConfig { memory: 0, ..config });
    let upstream: Arc<dyn Upstream> = Arc::new(Origin);
    println!("{:<44}{:>12}{:>12}", "", "CPU s", "wall s");
    for (name, config) in [("from memory", memory), ("from the page cache", nothing)] {
        let cache = Cache::open(config).unwrap();
        let smalls: Vec<ObjectKey> = (0..SMALL_OBJECTS).map(|number| key(&format!("/{number}"))).collect();
        let film = key("/film");
        // Fetched, and used often enough to be counted as hot.
        for _ in 0..5 {
            for key in &smalls {
                send(&cache, key, &upstream).await;
            }
            send(&cache, &film, &upstream).await;
        }
        let rounds = 50;
        let clock = Clock::start();
        for _ in 0..rounds {
            for key in &smalls {
                assert_eq!(send(&cache, key, &upstream).await, (How::Hit, SMALL));
            }
        }
        clock.tell(&format!("1000 hits of 20 KB, {name}"), (rounds * SMALL_OBJECTS) as f64 / 1000.0);
        let rounds = 20;
        let clock = Clock::start();
        for _ in 0..rounds {
            assert_eq!(send(&cache, &film, &upstream).await, (How::Hit, FILM));
        }
        clock.tell(&format!("a GB in slices of 1 MiB, {name}"), (rounds * FILM) as f64 / 1e9);
    }
    look_through(folder.path()).await;
    threads().await;
}

/// How fast files are found after a start.
async fn look_through(folder: &std::path::Path) {
    let config = CacheConfig { path: folder.to_owned(), min_free: 0, ..CacheConfig::default() };
    let before = Cache::open(config.clone()).unwrap();
    let upstream: Arc<dyn Upstream> = Arc::new(Origin);
    for number in 0..20_000 {
        send(&before, &key(&format!("/more/{number}")), &upstream).await;
    }
    while before.stats().fills_now > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let files = before.stats().files;
    drop(before);
    let clock = Clock::start();
    let cache = Cache::open(config).unwrap();
    while cache.stats().files < files {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    clock.tell("1000 files looked through after a start", files as f64 / 1000.0);
}

/// What handing over to a thread that may wait costs by itself.
async fn threads() {
    let rounds = 100_000;
    let clock = Clock::start();
    for number in 0..rounds {
        assert_eq!(tokio::task::spawn_blocking(move || number).await.unwrap(), number);
    }
    clock.tell("1000 calls of spawn_blocking that do nothing", f64::from(rounds) / 1000.0);
}

fn key(path: &str) -> ObjectKey {
    ObjectKey::new("site", path).unwrap()
}

/// Takes a whole object, as a connection does.
async fn send(cache: &Cache, key: &ObjectKey, upstream: &Arc<dyn Upstream>) -> (How, u64) {
    let object = cache.object(key, upstream, None).await.unwrap();
    let mut sent = 0;
    let mut part = std::pin::pin!(object.part(0..u64::MAX));
    while let Some(bytes) = part.next().await {
        sent += std::hint::black_box(bytes.unwrap()).len() as u64;
    }
    (object.how(), sent)
}

struct Clock {
    wall: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> Clock {
        Clock { wall: Instant::now(), cpu: cpu() }
    }

    fn tell(&self, what: &str, units: f64) {
        let (cpu, wall) = (cpu() - self.cpu, self.wall.elapsed());
        println!("{what:<44}{:>12.5}{:>12.5}", cpu.as_secs_f64() / units, wall.as_secs_f64() / units);
    }
}

/// Of the whole process, user and system.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}
