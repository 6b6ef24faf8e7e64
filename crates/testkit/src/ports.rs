//! Ports for servers that are started later, stopped, or not there at all.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below these lie those of the system's services.
const FIRST: u32 = 10_000;
/// From here on the system gives them away: to whoever connects to something, and to whoever listens at any port.
const BEHIND: u32 = 32_768;

/// A port of 127.0.0.1 where nobody listens, and that nobody else gets while this program runs. One that the system had
/// given would be given to another test between its end here and its use.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Programs that run at the same time begin at different ones.
    let start = std::process::id().wrapping_mul(2003);
    for _ in FIRST..BEHIND {
        let at = start.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + at % (BEHIND - FIRST)).expect("below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
