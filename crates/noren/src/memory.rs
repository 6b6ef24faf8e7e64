//! Memory that is not needed any more goes back to the system. The allocator keeps what decoders of pictures have freed
//! for the next picture; on a small machine that is what others need meanwhile.

use media::Pool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pictures often come a few at a time: memory given back between two of them would only be asked for again. And what
/// a thread keeps for itself is free only after it has ended, ten seconds after its last work.
const PAUSE: Duration = Duration::from_secs(12);

/// Gives memory back whenever the decoders have been at rest for a moment, until `stop`.
pub async fn give_back_after(pool: Pool, stop: CancellationToken) {
    let rounds = async {
        loop {
            pool.rested().await;
            tokio::time::sleep(PAUSE).await;
            if pool.is_at_rest() {
                give_back();
            }
        }
    };
    stop.run_until_cancelled(rounds).await;
}

/// Everything that is free returns to the system.
#[allow(unsafe_code)] // a call without arguments that could be wrong, at any time, from any thread
fn give_back() {
    unsafe { libmimalloc_sys::mi_collect(true) }
}
