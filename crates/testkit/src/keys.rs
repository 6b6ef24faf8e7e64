//! Key pairs for tests. To make one takes a tenth of a second of computing, and a thousand tests want several each.

use federation::signatures::KeyPair;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Pairs that no test has at the moment. Who gives back stands behind all others.
static STOCK: Mutex<VecDeque<Arc<KeyPair>>> = Mutex::new(VecDeque::new());

/// Pairs that are lent to one test until this is dropped: no other has them meanwhile, so that all that a test sees differ.
#[derive(Debug, Default)]
pub struct Keys(Mutex<Vec<Arc<KeyPair>>>);

impl Keys {
    /// A pair that nobody else has.
    ///
    /// # Panics
    /// When none can be made.
    pub fn another(&self) -> Arc<KeyPair> {
        let lent = STOCK.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let pair = lent.unwrap_or_else(|| Arc::new(KeyPair::generate().expect("a key pair")));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(pair.clone());
        pair
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let held = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        STOCK.lock().unwrap_or_else(PoisonError::into_inner).extend(held.drain(..));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_a_pair_that_another_has() {
        let (one, other) = (Keys::default(), Keys::default());
        let lent = [one.another(), other.another(), one.another()].map(|pair| pair.public_pem().to_owned());
        assert!(lent[0] != lent[1] && lent[1] != lent[2] && lent[0] != lent[2]);
        drop(one);
        let again = [other.another(), other.another()].map(|pair| pair.public_pem().to_owned());
        assert!(!again.contains(&lent[1]) && again.iter().all(|pem| lent.contains(pem)), "they are lent again");
    }
}
