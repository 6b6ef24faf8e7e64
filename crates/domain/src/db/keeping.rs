//! One connection for all that a request reads at a stretch.
//!
//! Who asks is looked up with one connection, what they ask for with the next: two transactions, with the locks of both.
//! Within [`keeping`] a connection for reading that is given back is kept for whoever asks next, as long as nobody waits
//! for anything: when the work pauses or ends it goes home. So nobody else goes without, and nothing is seen later than
//! it was read.

use super::sqlite::Lease;
use pin_project_lite::pin_project;
use std::{
    cell::RefCell,
    pin::Pin,
    task::{Context, Poll},
};

enum Place {
    /// Nobody keeps anything here.
    None,
    Empty,
    Taken(Lease),
}

thread_local! {
    static PLACE: RefCell<Place> = const { RefCell::new(Place::None) };
}

pin_project! {
    /// See [`keeping`].
    pub struct Keeping<F> {
        #[pin]
        work: F,
    }
}

/// Work that reads several times, with a connection each time. Matters on SQLite only.
pub fn keeping<F: Future>(work: F) -> Keeping<F> {
    Keeping { work }
}

impl<F: Future> Future for Keeping<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _stretch = Stretch::begin();
        self.project().work.poll(cx)
    }
}

/// Until the work pauses, ends or panics.
struct Stretch;

impl Stretch {
    fn begin() -> Self {
        drop(swap(Place::Empty));
        Self
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        // Dropped when the place is gone, so that it goes home.
        drop(swap(Place::None));
    }
}

fn swap(place: Place) -> Place {
    PLACE.with(|kept| kept.replace(place))
}

/// Whether a connection that is given back now would be kept.
pub(super) fn keeps() -> bool {
    PLACE.with(|kept| !matches!(*kept.borrow(), Place::None))
}

/// What was kept, if it is of this kind.
pub(super) fn take(fits: impl FnOnce(&Lease) -> bool) -> Option<Lease> {
    PLACE.with(|kept| {
        let mut kept = kept.borrow_mut();
        match &*kept {
            Place::Taken(lease) if fits(lease) => match std::mem::replace(&mut *kept, Place::Empty) {
                Place::Taken(lease) => Some(lease),
                Place::None | Place::Empty => None,
            },
            _ => None,
        }
    })
}

/// Whether there is room for one.
pub(super) fn has_room() -> bool {
    PLACE.try_with(|kept| matches!(*kept.borrow(), Place::Empty)).unwrap_or(false)
}

/// Keeps a connection where there [is room](has_room).
pub(super) fn put(lease: Lease) {
    drop(swap(Place::Taken(lease)));
}
