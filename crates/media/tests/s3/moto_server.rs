//! Moto (Python): knows bucket policies, ACLs, CORS, conditions and public reading; does not check signatures.

use crate::ports::free_port;
use media::s3::{S3Config, Secret};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Stops when it is dropped.
pub struct Moto {
    child: Child,
    pub endpoint: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    /// `None`, with a word about it, where it is not installed; that is an error in CI.
    pub fn start() -> Option<Moto> {
        let Some(program) = program() else {
            let how = "moto_server is not installed: run scripts/install-test-tools all";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{how}");
            // Not by a macro: what those print is hidden when a test passes.
            let _ = writeln!(std::io::stderr(), "NOT TESTED: {how}");
            return None;
        };
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Moto { child: command.spawn().unwrap(), endpoint: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "moto_server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(moto)
    }

    /// A bucket there, which may not be made yet.
    pub fn config(&self, bucket: &str) -> S3Config {
        S3Config {
            endpoint: Some(self.endpoint.parse().unwrap()),
            bucket: Some(bucket.into()),
            access_key: Some("test-id".into()),
            secret_key: Some(Secret::new("test-secret")),
            ..S3Config::default()
        }
    }
}

/// The version that is pinned, and no other that may be on this machine.
fn program() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/moto_server");
    ours.is_file().then_some(ours)
}
