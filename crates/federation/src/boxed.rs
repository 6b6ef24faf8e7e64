//! Futures that lie on the heap from the beginning.

use std::future::Future;
use std::pin::Pin;

/// What `make` gives, made where it is to lie.
///
/// For places where many ways part, each with a long one behind it: the one that is taken is no part of whoever waits for
/// it. Otherwise each job is as large as the largest of them, and without optimization every way has a place of its own on
/// the stack, which two million bytes are not enough for.
#[inline(never)]
pub fn boxed<'a, F: Future + Send + 'a>(
    make: impl FnOnce() -> F,
) -> Pin<Box<dyn Future<Output = F::Output> + Send + 'a>> {
    Box::pin(make())
}
