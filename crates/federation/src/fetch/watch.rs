//! Whether a piece of work asks other servers for something: such work may wait for long, and cost nothing meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

tokio::task_local! {
    static ASKED: Asked;
}

/// Becomes true, and stays so.
#[derive(Clone, Debug, Default)]
pub struct Asked(Arc<AtomicBool>);

impl Asked {
    pub fn is_so(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Does `work`; from the first request that it makes of another server on this is so.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> T {
        ASKED.scope(self, work).await
    }
}

/// Somebody is asked now.
pub(super) fn asks() {
    // Nobody watches whoever is not a job.
    let _ = ASKED.try_with(|asked| asked.0.store(true, Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_asks_is_known() {
        asks();
        let (one, other) = (Asked::default(), Asked::default());
        one.clone().during(async { asks() }).await;
        other.clone().during(async {}).await;
        assert!(one.is_so() && !other.is_so());
    }
}
