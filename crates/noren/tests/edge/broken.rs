//! A configuration that is broken while the edge runs.

use crate::{Edge, config, noren, refused, run, text};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use testkit::wait_until;

#[test]
fn status_and_purge_work_while_the_file_is_broken() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let file = folder.join("edge.toml");
    std::fs::create_dir_all(folder.join("system")).unwrap();
    let cached = format!("[cache]\npath = \"{}/kept\"\n", folder.display());
    for (fine, cache) in [(config(folder, ""), "data/cache"), (format!("{cached}{}", config(folder, "")), "kept")] {
        std::fs::write(&file, &fine).unwrap();
        let edge = Edge::start(folder);
        for (broken, why) in [
            (format!("{fine}\n[[site]]\n"), "edge.toml: site[1].origin: expected"),
            (format!("{fine}\n[sit"), "edge.toml:"),
            (fine.replace("\"warn\"", "7"), "edge.toml:"),
        ] {
            std::fs::write(&file, &broken).unwrap();
            for arguments in [&["edge", "status"][..], &["edge", "purge", "http://media.test/accounts/a.png"]] {
                let output = run(folder, arguments);
                let err = String::from_utf8(output.stderr).unwrap();
                assert!(output.status.success(), "{arguments:?}: {err}");
                assert!(err.contains("warning: ") && err.contains(why), "{err}");
                assert!(err.contains(&format!("the edge that runs with the cache in {}", folder.display())), "{err}");
                assert!(err.contains(&format!("{cache}\n")), "{err}");
            }
            assert!(text(folder, &["edge", "status"]).contains("media.test/"));
            // What is to be in force has to be right.
            assert!(refused(folder, &["edge", "reload"], 2).contains(why));
        }
        // With the file away, or nothing in it that helps, it can be said.
        std::fs::remove_file(&file).unwrap();
        let kept = folder.join(cache);
        let said = ["edge", "status", "--cache", kept.to_str().unwrap()];
        assert!(text(folder, &said).contains("media.test/"));
        assert!(refused(folder, &["edge", "status", "--cache", "elsewhere"], 1).contains("no edge is running"));
        if cache == "kept" {
            let helpless = refused(folder, &["edge", "status"], 2);
            assert!(helpless.contains("there is no edge.toml") && helpless.contains("--cache DIR"), "{helpless}");
        }
        drop(edge);
        std::fs::write(&file, "[[site]]\n").unwrap();
        let _ = std::fs::remove_file(kept.join("control.sock"));
        assert!(refused(folder, &["edge", "status"], 2).contains("site[0].origin: expected"));
    }
}

#[test]
fn the_same_inside_noren_serve() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let file = folder.join("noren.toml");
    let site = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndata = \"{here}/site\"\n[[edge.site]]\nhosts = [\"old.test\"]\n\
         [[edge.site.origin]]\nfolder = \"{here}/system\"\n",
        here = folder.display()
    );
    std::fs::write(&file, &site).unwrap();
    let mut child = noren(folder).arg("serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut ready = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut ready).unwrap();
    let _server = Edge { child, _stdout: stdout, port: 0 };
    wait_until("it takes orders", || run(folder, &["edge", "status"]).status.success());
    for broken in [format!("{site}[site]\ndomian = 1\n"), format!("{site}[[edge")] {
        std::fs::write(&file, &broken).unwrap();
        let output = run(folder, &["edge", "status"]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && err.contains("warning: noren.toml:"), "{err}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("old.test/"));
    }
}
