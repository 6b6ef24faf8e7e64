//! Test servers, people and databases. Development only.
//!
//! ```ignore
//! testkit::on_both_engines! {
//!     async fn a_post_can_be_read_back(server: TestServer) {
//!         let alice = server.person("alice").await;
//!         let posted = alice.post("/api/v1/statuses", [("status", "hello")]).await.ok();
//!         let read = server.client().get(&format!("/api/v1/statuses/{}", posted["id"].as_str().unwrap()), ()).await.ok();
//!         insta::assert_json_snapshot!(testkit::redacted(&read));
//!     }
//! }
//! ```

mod client;
mod keys;
mod peers;
mod ports;
pub mod postgres;
mod programs;
mod redact;
mod server;

pub use client::{Client, Input, Reply};
pub use keys::Keys;
pub use peers::{run_pair, settle_all};
pub use ports::free_port;
pub use programs::{program, until, wait_until};
pub use redact::redacted;
pub use server::{Engine, Person, TestServer, run, run_with};

/// Makes of each function two tests, `name::sqlite` and `name::postgres`, each with a server of its own that must have
/// nothing left to do in the end.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($server:ident: $kind:ty) $body:block)+) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($server: $kind) $body

            #[test]
            fn sqlite() {
                $crate::run($crate::Engine::Sqlite, body);
            }
            #[test]
            fn postgres() {
                $crate::run($crate::Engine::Postgres, body);
            }
        }
    )+ };
}

/// Makes two tests of each function that takes an [`Engine`] and starts servers itself: `name::sqlite`, `name::postgres`.
#[macro_export]
macro_rules! with_each_engine {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::Engine::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::Engine::Postgres).await;
            }
        }
    )+ };
}
