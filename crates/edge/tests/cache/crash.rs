//! Killed in the middle of writing, again and again.

use crate::origin::{Origin, Place, SLICE, config, content, files, on_disk, right};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const OBJECTS: u64 = 300;

/// Objects of all lengths, short and of several slices, each with its own bytes.
fn origin() -> Arc<Origin> {
    Origin::new(|call| async move {
        let number = call.path[1..].parse().unwrap();
        Ok(right(&body(number), &call.want, "\"v1\""))
    })
}

fn body(number: u64) -> bytes::Bytes {
    content(number, number * number * 11 % (3 * SLICE))
}

fn child(folder: &Path) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "crash::fills_until_it_is_killed", "--ignored"]).env("CACHE_FOLDER", folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by another test, which kills it"]
async fn fills_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os("CACHE_FOLDER").unwrap());
    let place = Arc::new(Place::new(config(&folder), &origin()));
    for round in 0.. {
        let readers: Vec<_> = (0..OBJECTS)
            .map(|number| {
                let place = place.clone();
                tokio::spawn(async move { place.get(&format!("/{}", (number * 7 + round) % OBJECTS)).await })
            })
            .collect();
        for reader in readers {
            let _ = reader.await;
        }
        // Written again and again.
        place.cache.purge(edge::cache::Purge::Prefix { site: "site".into(), path: String::new() }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_byte_that_is_kept_is_right_after_being_killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = 0;
    // Twelve times, and more where the machine is slow.
    for round in 0.. {
        let mut child = child(folder.path());
        tokio::time::sleep(Duration::from_millis(150 + 37 * (round % 12))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let origin = origin();
        let place = Place::new(on_disk(folder.path()), &origin);
        kept += files(folder.path()).len();
        for number in 0..OBJECTS {
            let got = place.get(&format!("/{number}")).await.unwrap();
            assert!(got == body(number), "round {round}, object {number}");
        }
        place.settled().await;
        assert_eq!(place.cache.stats().damaged, 0, "a rename is whole");
        if round >= 11 && kept > 100 {
            break;
        }
        assert!(round < 40, "the child wrote only {kept} files");
        if round % 3 == 2 {
            // From nothing once in a while.
            std::fs::remove_dir_all(folder.path().join("noren-cache-v1")).unwrap();
        }
    }
}
