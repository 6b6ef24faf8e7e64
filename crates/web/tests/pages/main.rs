//! The pages through their router, as a browser without scripts sees them.
#![allow(clippy::unwrap_used)]

mod browser;
mod consent;
mod public;
mod settings;
mod setup;
mod sign_in;
