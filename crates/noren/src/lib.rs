//! The program: command line, configuration, wiring, workers. A library, so that tests run the same server in process.

pub mod cli;
pub mod config;
mod copies;
mod memory;
mod remote;
pub mod server;
pub mod worker;
