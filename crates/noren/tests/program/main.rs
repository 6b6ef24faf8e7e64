//! The program itself: starting, stopping, and commands beside a server that runs.

#![allow(clippy::unwrap_used)]

mod emoji;
mod media;
mod no_site;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn noren(data: &Path) -> Command {
    let mut command = testkit::program(env!("CARGO_BIN_EXE_noren"), data);
    command.args(["--data", data.join("data").to_str().unwrap()]);
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    noren(data).args(arguments).output().unwrap()
}

#[track_caller]
fn lines(data: &Path, arguments: &[&str]) -> Vec<String> {
    let output = run(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[track_caller]
fn refused(data: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(data, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty(), "{arguments:?}: nothing on standard output");
    String::from_utf8(output.stderr).unwrap()
}

struct Server {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    ready: String,
    port: u16,
}

impl Server {
    fn start(data: &Path) -> Self {
        Self::start_as(data, &[])
    }

    fn start_as(data: &Path, more: &[&str]) -> Self {
        let port = testkit::free_port();
        let listen = format!("127.0.0.1:{port}");
        let mut child = noren(data)
            .args(["serve", "--listen", &listen])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        Self { child, _stdout: stdout, ready, port }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// POSTs JSON with a token; the whole answer.
    fn post(&self, path: &str, token: &str, body: &serde_json::Value) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn stop(mut self) -> Duration {
        let started = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        started.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn starts_without_configuration_and_stops_in_peace() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let link = format!("Noren is ready: http://localhost:{}/", server.port);
    assert!(server.ready.starts_with(&link), "{}", server.ready);
    assert!(server.get("/.well-known/nodeinfo").starts_with("HTTP/1.1 200"));

    let second = refused(folder.path(), &["serve", "--listen", "127.0.0.1:0"], 1);
    assert!(second.contains(&format!("another server (process {})", server.child.id())), "{second}");

    // What keeps it would be cut off after twenty-five seconds.
    assert!(server.stop() < Duration::from_secs(20));
    let again = Server::start(folder.path());
    again.stop();
}

#[test]
fn commands_work_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data);

    let made = lines(data, &["account", "create", "mia", "--email", "mia@example.com", "--owner"]);
    // The domain is the one that the server was started with.
    assert!(made[0].contains(&format!("@mia@localhost:{}", server.port)), "{made:?}");
    assert!(made.last().unwrap().len() >= 16);
    let token = lines(data, &["token", "create", "mia", "--scopes", "read write follow push"]).pop().unwrap();
    assert!(token.len() >= 32 && !token.contains(' '), "{token}");
    assert!(server.get("/.well-known/webfinger?resource=acct:mia@localhost:0").contains("404"));

    let listed = lines(data, &["account", "list"]);
    assert!(listed[1].contains("@mia") && listed[1].contains("owner"), "{listed:?}");
    let shown: serde_json::Value =
        serde_json::from_str(&lines(data, &["account", "show", "mia", "--json"]).join("\n")).unwrap();
    assert_eq!((&shown["username"], &shown["role"]), (&"mia".into(), &"owner".into()));

    lines(data, &["account", "create", "kei"]);
    assert_eq!(lines(data, &["account", "alias", "list", "mia"]), ["no aliases"]);
    assert!(refused(data, &["account", "move", "kei", "@mia", "--yes"], 1).contains("aliases"));
    lines(data, &["account", "alias", "add", "mia", "@kei"]);
    assert!(lines(data, &["account", "alias", "list", "mia"])[1].starts_with("@kei"));
    assert!(lines(data, &["account", "move", "kei", "@mia", "--dry-run"])[0].contains("nothing was changed"));
    assert!(refused(data, &["account", "move", "kei", "@mia"], 2).contains("--yes"));
    assert!(lines(data, &["account", "move", "kei", "@mia", "--yes"])[0].contains("has moved to @mia"));
    lines(data, &["account", "move", "kei", "--cancel"]);
    assert!(refused(data, &["account", "move", "kei", "--cancel"], 1).contains("has not moved"));
    assert!(refused(data, &["account", "move", "kei", "@mia", "--yes"], 1).contains("week"));
    lines(data, &["account", "alias", "remove", "mia", "@kei"]);
    assert!(refused(data, &["account", "alias", "remove", "mia", "@kei"], 1).contains("no alias"));
    assert!(refused(data, &["account", "alias", "add", "mia", "@nobody"], 1).contains("no account @nobody"));
    assert_eq!(lines(data, &["relay", "list"]), ["no relays"]);
    assert!(refused(data, &["relay", "add", "relay.example"], 1).contains("is no relay"));
    assert!(refused(data, &["relay", "status", "https://relay.example/inbox"], 1).contains("there is no relay"));
    assert!(refused(data, &["relay", "remove", "https://relay.example/inbox"], 1).contains("there is no relay"));
    lines(data, &["account", "modify", "kei", "--role", "moderator", "--disable"]);
    lines(data, &["account", "reset-password", "kei"]);
    assert!(lines(data, &["account", "delete", "kei", "--dry-run"])[0].contains("nothing was changed"));
    assert!(refused(data, &["account", "delete", "kei"], 2).contains("--yes"));
    lines(data, &["account", "delete", "kei", "--yes"]);
    assert!(refused(data, &["account", "show", "kei"], 1).contains("no local account kei"));
    assert!(refused(data, &["account", "create", "mia"], 1).contains("taken"));
    assert!(refused(data, &["account", "modify", "mia", "--role", "user"], 1).contains("only owner"));

    assert_eq!(lines(data, &["feeds", "build", "--all"]), ["1 home timeline, 0 entries"]);
    lines(data, &["jobs"]);
    assert_eq!(lines(data, &["jobs", "list"]), ["no jobs"]);
    assert!(refused(data, &["jobs", "retry", "7"], 1).contains("no job 7"));
    lines(data, &["site", "set", "--title", "Our village", "--registrations", "approval"]);
    assert!(server.get("/nodeinfo/2.0").contains("Our village"));
    server.stop();

    // A site that was only known as localhost takes its people along when it gets a name.
    let server = Server::start_as(data, &["--domain", "noren.example"]);
    assert_eq!(server.ready.trim(), "Noren is ready: https://noren.example/");
    assert!(
        server
            .get("/.well-known/webfinger?resource=acct:mia@noren.example")
            .contains("https://noren.example/users/mia")
    );
    server.stop();
}

#[test]
fn people_are_invited_limited_and_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    lines(data, &["account", "create", "mia", "--owner"]);
    lines(data, &["account", "create", "kei"]);
    for (flag, state) in [
        ("--suspend", "suspended"),
        ("--unsuspend", "active"),
        ("--silence", "limited"),
        ("--disable", "disabled"),
        ("--enable", "limited"),
        ("--unsilence", "active"),
        ("--disable-2fa", "active"),
    ] {
        assert_eq!(lines(data, &["account", "modify", "kei", flag]), [format!("@kei: user, {state}")]);
    }
    assert!(lines(data, &["account", "show", "kei"]).join("\n").contains("Moved to   -\nTwo-factor off"));
    assert!(refused(data, &["account", "modify", "kei", "--suspend", "--unsuspend"], 2).contains("cannot be used"));
    assert!(refused(data, &["account", "modify", "mia", "--suspend"], 1).contains("only owner"));
    for command in ["approve", "reject"] {
        assert!(refused(data, &["account", command, "kei"], 1).contains("does not wait"));
    }

    assert_eq!(lines(data, &["invite", "list"]), ["no invites"]);
    let link = lines(data, &["invite", "create", "--uses", "2", "--expires", "7d"]).pop().unwrap();
    let code = link.rsplit('/').next().unwrap();
    let listed = lines(data, &["invite", "list"]);
    assert!(listed[1].starts_with(&link) && listed[1].contains("0 of 2") && listed[1].ends_with("good"), "{listed:?}");
    assert!(refused(data, &["invite", "create", "--uses", "0"], 1).contains("Uses must be"));
    assert!(refused(data, &["invite", "create", "--expires", "soon"], 2).contains("expected a time"));
    assert_eq!(lines(data, &["invite", "revoke", &link]), [format!("{code} is revoked")]);
    assert!(refused(data, &["invite", "revoke", code], 1).contains("no invite"));

    assert!(lines(data, &["site", "set", "--single-user", "true"]).join("").contains("\"single_user\": true"));
}

#[test]
fn reports_are_read_and_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data);
    lines(data, &["account", "create", "mia", "--owner"]);
    lines(data, &["account", "create", "kei"]);
    let token = lines(data, &["token", "create", "mia"]).pop().unwrap();
    let shown: serde_json::Value =
        serde_json::from_str(&lines(data, &["account", "show", "kei", "--json"]).join("\n")).unwrap();
    assert_eq!(lines(data, &["report", "list"]), ["no reports"]);
    let form =
        serde_json::json!({ "account_id": shown["account_id"], "category": "spam", "comment": "look\u{1b}[2J\nhere" });
    let filed = server.post("/api/v1/reports", &token, &form);
    assert!(filed.starts_with("HTTP/1.1 200"), "{filed}");
    let listed: serde_json::Value =
        serde_json::from_str(&lines(data, &["report", "list", "--json"]).join("\n")).unwrap();
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!((&listed[0]["account"], &listed[0]["reporter"]), (&"@kei".into(), &"@mia".into()));
    let table = lines(data, &["report", "list"]);
    assert!(table[1].starts_with(id) && table[1].contains("look [2J here"), "no escape reaches a terminal: {table:?}");
    let one = lines(data, &["report", "show", id]);
    assert!(one[0].contains("about @kei") && one.contains(&"comment   here".to_owned()), "{one:?}");
    assert_eq!(lines(data, &["report", "resolve", id]), [format!("report {id} is resolved")]);
    assert_eq!(lines(data, &["report", "list"]), ["no reports"]);
    assert_eq!(lines(data, &["report", "list", "--resolved"]).len(), 2);
    for command in ["show", "resolve"] {
        assert!(refused(data, &["report", command, "7"], 1).contains("there is no report 7"));
    }
    server.stop();
}

#[test]
fn servers_are_blocked_beside_a_server_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data);
    let dry = lines(data, &["domains", "block", "https://Bad.example/", "--dry-run"]);
    assert_eq!(
        dry,
        ["bad.example would be blocked (suspend): 0 accounts hidden, 0 follows ended; nothing was changed"]
    );
    assert_eq!(lines(data, &["domains", "list"]), ["nothing is blocked"]);
    let done = lines(
        data,
        &["domains", "block", "bad.example", "--comment", "spam\u{1b}[2J", "--public-comment", "spam, \"lots\""],
    );
    assert_eq!(done, ["bad.example is blocked (suspend): 0 accounts hidden, 0 follows ended"]);
    assert!(server.get("/api/v1/instance/domain_blocks").contains("\"domain\":\"bad.example\""));
    let again = ["domains", "block", "bad.example", "--severity", "silence", "--reject-media"];
    assert_eq!(lines(data, &again), ["bad.example is blocked otherwise (silence): 0 accounts limited"]);
    assert_eq!(lines(data, &again), ["bad.example was blocked like this already (silence): 0 accounts limited"]);
    for (arguments, why) in [
        (["domains", "block", "localhost"], "localhost is this site"),
        (["domains", "block", "a b"], "a b is not the name of a server"),
        (["domains", "purge", "bad.example"], "nothing was removed: answer y at a terminal, or say --yes"),
    ] {
        assert!(refused(data, &arguments, 2).contains(why), "{arguments:?}");
    }
    assert!(refused(data, &["domains", "unblock", "good.example"], 1).contains("good.example is not blocked"));
    assert!(refused(data, &["account", "refresh", "eve@bad.example"], 1).contains("known as eve@bad.example"));
    assert_eq!(
        lines(data, &["account", "refresh", "--all", "--dry-run"]),
        ["0 accounts would be asked for; nothing was changed"]
    );

    let csv = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate";
    std::fs::write(data.join("list.csv"), format!("{csv}\nbad.example,suspend,false,false,,false\nworse.example,suspend,true,true,\"very, very\",true\nx***y.example,suspend,,,,\n")).unwrap();
    let numbers = "1 new, 0 changed, 1 kept as they are, 1 line not read: 0 accounts hidden, 0 follows ended";
    assert_eq!(
        lines(data, &["domains", "import", "list.csv", "--dry-run"]),
        [format!("{numbers}; nothing was changed")]
    );
    assert_eq!(lines(data, &["domains", "import", "list.csv"]), [numbers]);
    let exported =
        [csv, "bad.example,silence,true,false,,false", "worse.example,suspend,true,true,\"very, very\",true"];
    assert_eq!(lines(data, &["domains", "export"]), exported);
    assert_eq!(lines(data, &["domains", "list", "--csv"]), exported);
    let overwritten = "0 new, 1 changed, 1 kept as they are, 1 line not read: 0 accounts hidden, 0 follows ended";
    assert_eq!(lines(data, &["domains", "import", "list.csv", "--overwrite"]), [overwritten]);
    let listed: serde_json::Value =
        serde_json::from_str(&lines(data, &["domains", "list", "--json"]).join("\n")).unwrap();
    assert_eq!((&listed[0]["severity"], &listed[1]["obfuscate"]), (&"suspend".into(), &true.into()));
    assert!(lines(data, &["domains", "list"])[2].contains("media, reports"));

    let reached = run(data, &["federation", "reach", "localhost:1", "--json"]);
    assert_eq!(reached.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&reached.stderr).contains("localhost:1 cannot be reached from here"));
    let reached: serde_json::Value = serde_json::from_slice(&reached.stdout).unwrap();
    assert_eq!(reached["verdict"], "unreachable");
    assert!(refused(data, &["federation", "reach", "a b"], 2).contains("a b is not the name of a server"));
    assert_eq!(
        lines(data, &["domains", "unblock", "Bad.Example."]),
        ["bad.example is not blocked any more: 0 accounts marked anew"]
    );
    assert_eq!(
        lines(data, &["domains", "purge", "worse.example", "--dry-run"]),
        ["worse.example: 0 accounts, 0 statuses, 0 attachments, 0 emoji would be removed; nothing was changed"]
    );
    assert_eq!(
        lines(data, &["domains", "purge", "worse.example", "--yes"]),
        ["worse.example: 0 accounts, 0 statuses, 0 attachments, 0 emoji removed"]
    );
    assert_eq!(lines(data, &["domains", "allow", "good.example"]), ["good.example is allowed"]);
    assert_eq!(lines(data, &["domains", "list", "--allowed"]), ["good.example"]);
    assert_eq!(lines(data, &["domains", "disallow", "good.example"]), ["good.example is not allowed any more"]);
    server.stop();
}

#[test]
fn what_is_wrong_is_said_once_with_the_right_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    std::fs::write(data.join("noren.toml"), "[server]\nconnections = \"many\"\n").unwrap();
    let text = refused(data, &["serve"], 2);
    let wanted = "error: noren.toml:2: server.connections: invalid type: string \"many\", expected a whole number";
    assert_eq!(text.trim(), wanted);
    assert_eq!(refused(data, &["config", "check"], 2), text);
    std::fs::write(data.join("noren.toml"), "[database]\nurl = \"mysql://x\"\n").unwrap();
    assert!(refused(data, &["account", "list"], 2).contains("database.url must be"));
    std::fs::write(data.join("noren.toml"), "[log]\nlevel = \"debug\"\n").unwrap();
    assert_eq!(lines(data, &["config", "check"]), ["noren.toml is fine"]);
    assert!(lines(data, &["config", "print"]).contains(&"level = \"debug\"".to_owned()));
    let nowhere = &["serve", "--listen", "nowhere"][..];
    for arguments in [&["serf"][..], &["account", "create"], &["account", "modify", "mia"], nowhere] {
        assert!(refused(data, arguments, 2).contains("error:"), "{arguments:?}");
    }
    assert!(lines(data, &["version"])[0].starts_with("noren "));
}
