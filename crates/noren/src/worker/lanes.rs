//! How many jobs run at each server that jobs ask: one that does not answer holds up a few, never all.

use domain::db::Texts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At one server at once; as many as the fetcher lets through.
const MOST: usize = 4;

#[derive(Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<String, usize>>>);

/// A place in a lane, until it is dropped.
pub(super) struct Held {
    lanes: Lanes,
    lane: Option<String>,
}

impl Lanes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None: the lane is full. What is in no lane always has a place.
    pub(super) fn enter(&self, lane: Option<&str>) -> Option<Held> {
        if let Some(lane) = lane {
            let mut lanes = self.lock();
            let running = lanes.entry(lane.to_owned()).or_default();
            if *running >= MOST {
                return None;
            }
            *running += 1;
        }
        Some(Held { lanes: self.clone(), lane: lane.map(str::to_owned) })
    }

    /// Those that have no place.
    pub(super) fn full(&self) -> Texts {
        Texts(self.lock().iter().filter(|(_, running)| **running >= MOST).map(|(lane, _)| lane.clone()).collect())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(lane) = &self.lane else { return };
        let mut lanes = self.lanes.lock();
        if let Some(running) = lanes.get_mut(lane) {
            *running -= 1;
            if *running == 0 {
                lanes.remove(lane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_full_until_somebody_leaves() {
        let lanes = Lanes::default();
        let mut held: Vec<Held> = (0..MOST).filter_map(|_| lanes.enter(Some("a.example"))).collect();
        assert_eq!(held.len(), MOST);
        assert!(lanes.enter(Some("a.example")).is_none());
        assert!(lanes.enter(Some("b.example")).is_some() && lanes.enter(None).is_some());
        assert_eq!(lanes.full().0, ["a.example"]);
        held.pop();
        assert!(lanes.full().0.is_empty() && lanes.enter(Some("a.example")).is_some());
        held.clear();
        assert!(lanes.lock().is_empty());
    }
}
