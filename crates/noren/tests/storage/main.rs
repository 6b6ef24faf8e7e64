//! Files in a bucket: `noren storage` against real servers, and a site that keeps its uploads in one.

#![allow(clippy::unwrap_used)]

#[path = "../../../media/tests/s3/moto_server.rs"]
mod moto_server;
#[path = "../../../media/tests/s3/server.rs"]
mod server;
#[path = "../../../media/tests/s3/tls_server.rs"]
mod tls_server;

mod between;
mod check;
mod files;
mod https;
mod incomplete;
mod moves;
mod orphans;
mod setup;
mod site;

use media::s3::S3Config;
use std::path::Path;
use std::process::{Command, Output};
// Where Moto gets its port from.
use testkit as ports;

/// The program in an empty folder, without settings of the environment.
fn noren(folder: &Path) -> Command {
    testkit::program(env!("CARGO_BIN_EXE_noren"), folder)
}

/// A storage command on this bucket, with its keys in the environment; runs beside the test's own servers.
async fn storage(config: &S3Config, folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = noren(folder);
    command.args(["storage"]).args(arguments);
    command.args(["--endpoint", config.endpoint.as_ref().unwrap().as_str()]);
    command.args(["--bucket", config.bucket.as_deref().unwrap()]);
    for authority in &config.authorities {
        command.arg("--authority").arg(authority);
    }
    if let (Some(id), Some(secret)) = (&config.access_key, &config.secret_key) {
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret.reveal());
    }
    ran(command).await
}

async fn ran(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let Output { status, stdout, stderr } = output;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// Standard output of a command that succeeded.
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// Both outputs of a command that failed so.
    #[track_caller]
    fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        format!("{}{}", self.out, self.err)
    }
}
