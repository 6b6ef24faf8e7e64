//! `noren edge` as a program: a configuration is made, checked, served, watched, changed and stopped.

#![allow(clippy::unwrap_used)]

mod broken;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use testkit::wait_until;

fn noren(folder: &Path) -> Command {
    testkit::program(env!("CARGO_BIN_EXE_noren"), folder)
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    noren(folder).args(arguments).output().unwrap()
}

#[track_caller]
fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

struct Edge {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Edge {
    fn start(folder: &Path) -> Self {
        let mut child = noren(folder).arg("edge").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        let port = ready.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Self { child, _stdout: stdout, port: port.unwrap_or_else(|| panic!("{ready}")) }
    }

    fn get(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(folder: &Path, more: &str) -> String {
    let here = folder.display();
    format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\n[server]\ndata = \"{here}/data\"\nlog = \"warn\"\n\
         [access_log]\nformat = \"combined\"\nfile = \"{here}/access.log\"\n\
         [[site]]\nhosts = [\"media.test\"]\nsoftware = \"mastodon\"\n[[site.origin]]\nfolder = \"{here}/system\"\n{more}"
    )
}

#[test]
fn an_edge_from_its_first_line_to_its_last() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    assert!(refused(folder, &["edge"], 2).contains("noren edge init"));
    std::fs::create_dir_all(folder.join("system/accounts")).unwrap();
    std::fs::write(folder.join("system/accounts/a.png"), "picture").unwrap();
    std::fs::write(folder.join("edge.toml"), config(folder, "")).unwrap();
    let checked = text(folder, &["edge", "check"]);
    assert!(checked.contains("media.test /: ") && checked.contains("edge.toml is fine"), "{checked}");
    assert!(refused(folder, &["edge", "status"], 1).contains("no edge is running"));

    let edge = Edge::start(folder);
    let answer = edge.get("media.test", "/accounts/a.png");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("picture"), "{answer}");
    assert!(edge.get("media.test", "/backups/a.zip").starts_with("HTTP/1.1 404"));
    let shown = text(folder, &["edge", "status"]);
    assert!(shown.contains("media.test/") && shown.contains("CACHE"), "{shown}");
    let status: serde_json::Value = serde_json::from_str(&text(folder, &["edge", "status", "--json"])).unwrap();
    assert_eq!((&status["sites"][0]["answers_2xx"], &status["sites"][0]["answers_4xx"]), (&1.into(), &1.into()));
    text(folder, &["edge", "purge", "http://media.test/accounts/a.png", "--prefix", "http://media.test/accounts/"]);
    assert!(refused(folder, &["edge", "purge", "http://other.test/a"], 1).contains("no site"));
    assert!(refused(folder, &["edge", "purge"], 2).contains("required"));

    // Another site by an order, a third one by a signal; what is wrong changes nothing.
    let redirect = |host: &str| format!("[[site]]\nhosts = [\"{host}\"]\nredirect = \"https://media.test\"\n");
    std::fs::write(folder.join("edge.toml"), config(folder, &redirect("old.test"))).unwrap();
    text(folder, &["edge", "reload"]);
    assert!(edge.get("old.test", "/x.png").contains("location: https://media.test/x.png"));
    std::fs::write(folder.join("edge.toml"), "[[site]]\n").unwrap();
    assert!(refused(folder, &["edge", "reload"], 2).contains("site[0].origin"));
    std::fs::write(folder.join("edge.toml"), config(folder, &redirect("older.test"))).unwrap();
    std::fs::rename(folder.join("access.log"), folder.join("access.log.1")).unwrap();
    edge.signal("-HUP");
    wait_until("the new site answers", || edge.get("older.test", "/x.png").contains("301"));
    wait_until("the log is opened again", || folder.join("access.log").is_file());
    assert!(edge.get("old.test", "/x.png").starts_with("HTTP/1.1 404"));
    let log = std::fs::read_to_string(folder.join("access.log.1")).unwrap();
    let line = log.lines().next().unwrap();
    assert!(line.contains("\"GET /accounts/a.png HTTP/1.1\" 200 7 ") && line.contains(" BYPASS "), "{line}");

    edge.signal("-TERM");
    let mut edge = edge;
    assert!(edge.child.wait().unwrap().success());
}

/// A web server that has a picture under every name.
fn origin() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), [0; 4096]);
            let _ = stream.read(&mut head);
            let answer =
                "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 7\r\nconnection: close\r\n\r\npicture";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn what_is_kept_is_watched_and_forgotten_on_order() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let site =
        format!("[[site]]\nhosts = [\"cached.test\"]\n[[site.origin]]\nurl = \"http://127.0.0.1:{}\"\n", origin());
    std::fs::create_dir_all(folder.join("system")).unwrap();
    let config = config(folder, &site).replace("combined", "json");
    std::fs::write(folder.join("edge.toml"), config).unwrap();
    let edge = Edge::start(folder);
    let how = |path: &str| -> String {
        let answer = edge.get("cached.test", path);
        assert!(answer.ends_with("picture"), "{answer}");
        answer.lines().find_map(|line| line.strip_prefix("x-cache: ")).unwrap().to_owned()
    };
    let is_kept = |path: &str| wait_until("it is kept", || how(path) == "HIT");
    for path in ["/a/1.png", "/a/2.png", "/b.png"] {
        assert_eq!(how(path), "MISS");
        is_kept(path);
    }
    text(folder, &["edge", "purge", "http://cached.test/b.png"]);
    assert_eq!((how("/b.png"), how("/a/1.png")), ("MISS".into(), "HIT".into()));
    is_kept("/b.png");
    text(folder, &["edge", "purge", "--prefix", "http://cached.test/a/"]);
    assert_eq!((how("/a/1.png"), how("/a/2.png"), how("/b.png")), ("MISS".into(), "MISS".into(), "HIT".into()));

    // The page comes again with what has happened meanwhile.
    let mut watching = noren(folder).args(["edge", "status", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut requests = || -> u64 {
        // Its name stands once more above its origins.
        lines.find_map(|line| line.strip_prefix("cached.test/ ")?.split_whitespace().next()?.parse().ok()).unwrap()
    };
    let before = requests();
    how("/b.png");
    // Pages from before may lie in the pipe.
    wait_until("the request is shown", || requests() == before + 1);
    watching.kill().unwrap();
    watching.wait().unwrap();

    let log = || std::fs::read_to_string(folder.join("access.log")).unwrap();
    wait_until("all is written down", || log().ends_with('\n') && log().lines().count() > 9);
    let log = log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["host"] == "cached.test" && line["status"] == 200), "{log}");
}

/// Ends whoever works in this folder, whoever started it.
struct Successor<'a>(&'a Path);

impl Drop for Successor<'_> {
    fn drop(&mut self) {
        let here = self.0.canonicalize().unwrap();
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            if std::fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == here) {
                let _ = Command::new("kill").arg("-KILL").arg(process.file_name()).status();
            }
        }
    }
}

/// The old program still has the address for figures when the new one begins.
#[test]
fn figures_are_shown_after_a_handover() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    std::fs::create_dir_all(folder.join("system")).unwrap();
    let figures = |port: u16| -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    for serve in ["edge", "serve"] {
        let (port, shown) = (testkit::free_port(), testkit::free_port());
        let site = format!("hosts = [\"media.test\"]\n[[SITE.origin]]\nfolder = \"{}/system\"\n", folder.display());
        let (file, text) = match serve {
            "edge" => ("edge.toml", format!("[metrics]\nlisten = \"127.0.0.1:{shown}\"\n[[site]]\n{site}[[listen]]\n")),
            _ => (
                "noren.toml",
                format!("[edge.metrics]\nlisten = \"127.0.0.1:{shown}\"\n[[edge.site]]\n{site}[[listen]]\n"),
            ),
        };
        let path = if serve == "edge" { "site" } else { "edge.site" };
        let text = format!("{}address = \"127.0.0.1:{port}\"\n", text.replace("SITE", path));
        std::fs::write(folder.join(file), text).unwrap();
        let mut child = noren(folder).arg(serve).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let _successor = Successor(folder);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        let mut old = Edge { child, _stdout: stdout, port };
        assert!(figures(shown).unwrap().starts_with("HTTP/1.1 200"), "{serve}: {ready}");
        old.signal("-USR2");
        wait_until("the old program ends", || old.child.try_wait().unwrap().is_some());
        wait_until("figures are shown again", || figures(shown).is_ok_and(|text| text.starts_with("HTTP/1.1 200")));
        assert!(old.get("media.test", "/none").starts_with("HTTP/1.1 404"));
    }
}

#[test]
fn configurations_are_made_from_words_and_files() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let words = [
        "edge",
        "init",
        "--software",
        "misskey",
        "--host",
        "media.test",
        "--path",
        "/files",
        "--bucket",
        "media",
        "--prefix",
        "files",
        "--endpoint",
        "http://127.0.0.1:9000",
    ];
    let made = text(folder, &words);
    assert!(made.contains("# names = [\"media.test\"]"), "{made}");
    std::fs::write(folder.join("edge.toml"), &made).unwrap();
    assert!(refused(folder, &["edge", "check"], 2).contains("AWS_ACCESS_KEY_ID is not in the environment"));
    let mut command = noren(folder);
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "hush").args(["edge", "check"]);
    assert!(command.status().unwrap().success());

    let env = "LOCAL_DOMAIN=a.test\nS3_ENABLED=true\nS3_BUCKET=files\nS3_ALIAS_HOST=m.a.test\nAWS_ACCESS_KEY_ID=id\nAWS_SECRET_ACCESS_KEY=hush\n";
    std::fs::write(folder.join(".env.production"), env).unwrap();
    let made = text(folder, &["edge", "init", "--from", ".env.production"]);
    assert!(made.contains("m.a.test") && !made.contains("hush"), "{made}");
    assert!(text(folder, &["edge", "init", "--from", ".env.production", "--with-secrets"]).contains("hush"));
    let other =
        ["--bucket", "new", "--endpoint", "http://127.0.0.1:9000", "--prefix", "p", "--url", "https://old.test"];
    let made = text(folder, &[&["edge", "init", "--from", ".env.production", "--with-secrets"][..], &other].concat());
    let origins = made.split("[[site.origin]]\n").skip(1).map(str::trim_end).collect::<Vec<_>>();
    let bucket = "bucket = \"new\"\nendpoint = \"http://127.0.0.1:9000\"\nprefix = \"p\"\n\
                  access_key = \"$AWS_ACCESS_KEY_ID\"\nsecret_key = \"$AWS_SECRET_ACCESS_KEY\"";
    assert_eq!(origins, [bucket, "url = \"https://old.test\""], "{made}");
    assert!(made.contains("m.a.test"), "{made}");
    let with_bucket =
        |more: &[&'static str]| [&["edge", "init", "--software", "mastodon", "--bucket", "media"][..], more].concat();
    for (arguments, why) in [
        (&["edge", "init"][..], "--from FILE reads it from the settings of a Mastodon or Misskey, --software"),
        (&with_bucket(&[])[..], "--provider, or --endpoint: missing"),
        (&with_bucket(&["--provider", "wasabi"])[..], "--region: missing: name it, such as"),
        (&with_bucket(&["--provider", "wasabbi"])[..], "expected one of aws, vultr, wasabi"),
        (&["edge", "init", "--software", "mastdon"], "expected one of"),
        (&["edge", "init", "--software", "mastodon"], "--folder, --bucket and --url"),
        (&["edge", "init", "--software", "mastodon", "--host", "a b", "--url", "https://a"], "expected a host name"),
        (&["edge", "init", "--from", "none"], "none"),
        (&["edge", "check", "--config", "none"], "there is no file"),
    ] {
        let output = run(folder, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(why),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The same inside `noren serve`: one process for our own server and for the addresses of another.
#[test]
fn sites_beside_our_own_server() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    std::fs::create_dir_all(folder.join("system/accounts")).unwrap();
    std::fs::write(folder.join("system/accounts/a.png"), "picture").unwrap();
    let port = testkit::free_port();
    let config = |host: &str| {
        format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\ndata = \"{here}/data\"\n[[edge.site]]\nhosts = [\"{host}\"]\npath = \"/system\"\n\
             software = \"mastodon\"\n[[edge.site.origin]]\nfolder = \"{here}/system\"\n\
             [[edge.site]]\nhosts = [\"localhost\"]\npath = \"/files\"\n[[edge.site.origin]]\nfolder = \"{here}/system\"\n\
             [[edge.site]]\nhosts = [\"away.test\"]\nredirect = \"https://media.test\"\n",
            here = folder.display()
        )
    };
    let file = folder.join("noren.toml");
    std::fs::write(&file, config("old.test")).unwrap();
    let mut child = noren(folder).arg("serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    let server = Edge { child, _stdout: stdout, port };
    let answer = server.get("old.test", "/system/accounts/a.png");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-cache: BYPASS"), "{answer}");
    // Another host shows nothing of ours, whatever it is asked for; on our own the rest is ours.
    for path in
        ["/", "/.well-known/nodeinfo", "/api/v2/instance", "/api//v2", "/system/", "/a%2fb", "/.well-known/webfinger"]
    {
        let answer = server.get("old.test", path);
        assert!(answer.starts_with("HTTP/1.1 40") && !answer.contains("x-request-id"), "{path}: {answer}");
    }
    assert!(server.get("localhost", "/files/accounts/a.png").ends_with("picture"));
    for path in ["/.well-known/nodeinfo", "/api/v2/instance"] {
        assert!(server.get("localhost", path).starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(server.get("localhost", "/").contains("x-request-id"));
    assert!(server.get("away.test", "/").contains("location: https://media.test/"));
    assert!(server.get("other.test", "/system/accounts/a.png").starts_with("HTTP/1.1 404"));
    assert!(text(folder, &["edge", "status"]).contains("old.test/system"));
    std::fs::write(&file, config("older.test")).unwrap();
    server.signal("-HUP");
    wait_until("the new host answers", || {
        server.get("older.test", "/system/accounts/a.png").starts_with("HTTP/1.1 200")
    });
    for (text, why) in [
        ("[[edge.site]]\n[[edge.site.origin]]\nfolder = \"/a\"\n", "edge.site[0].hosts: expected host names"),
        ("[[edge.site]]\nhosts = [\"a\"]\n", "edge.site[0].origin: expected"),
        ("[edge.listen]\n", "unknown field `listen`"),
    ] {
        std::fs::write(&file, text).unwrap();
        assert!(refused(folder, &["config", "check"], 2).contains(why), "{text}");
    }
}
