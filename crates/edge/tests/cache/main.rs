//! The cache against an origin that can do everything wrong.

#![allow(clippy::unwrap_used)]

mod crash;
mod disk;
mod faults;
mod flights;
mod origin;
mod purge;
mod runs;
mod serve;
mod stale;
