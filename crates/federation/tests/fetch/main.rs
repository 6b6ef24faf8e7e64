//! The guarded door, tried with real sockets on loopback.

#![allow(clippy::unwrap_used)]

mod bounds;
mod deliveries;
mod documents;
mod guard;
mod server;
mod tls;

use federation::fetch::{Bounds, Fetcher, Options, Private};
use federation::signatures::{KeyPair, Signer};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static KEY: LazyLock<Arc<KeyPair>> = LazyLock::new(|| Arc::new(KeyPair::generate().unwrap()));

fn signer() -> Signer {
    Signer::new("https://noren.example/actor#main-key", KEY.clone())
}

/// Impatient, and allowed to ask this machine.
fn options() -> Options {
    Options {
        private: Private::Allowed,
        document: Bounds {
            bytes: 1 << 20,
            idle: Duration::from_millis(500),
            total: Duration::from_millis(1500),
            redirects: 3,
        },
        ..Options::new("Noren/0.1 (+https://noren.example/)")
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(options()).unwrap()
}
