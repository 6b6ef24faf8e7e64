//! Test servers, people and databases. Development only.

pub mod postgres;
