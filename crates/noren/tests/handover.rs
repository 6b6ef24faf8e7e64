//! A server that is replaced, told to read its configuration again, or handed its sockets: nobody is refused meanwhile.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use testkit::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

fn noren(data: &Path) -> Command {
    let mut command = testkit::program(env!("CARGO_BIN_EXE_noren"), data);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn signal(name: &str, id: u32) {
    assert!(Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().unwrap().success());
}

/// The status line of an answer.
fn ask(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /.well-known/nodeinfo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Lines that the server and its successors print, as they come.
struct Server {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, (sender, lines)) = (BufReader::new(child.stdout.take().unwrap()), std::sync::mpsc::channel());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        let server = Self { child, lines };
        server.ready();
        server
    }

    fn ready(&self) {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line");
        assert!(line.starts_with("Noren is ready"), "{line}");
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process that holds the data folder.
fn holder(data: &Path) -> u32 {
    std::fs::read_to_string(data.join("data/noren.lock")).unwrap().trim().parse().unwrap_or_default()
}

/// Ends who serves this data now, whoever started it.
struct Successor<'a>(&'a Path);

impl Drop for Successor<'_> {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", &holder(self.0).to_string()]).status();
    }
}

#[test]
fn a_new_program_takes_over_without_a_lost_request() {
    let folder = tempfile::tempdir().unwrap();
    let (data, port) = (folder.path(), testkit::free_port());
    let mut command = noren(data);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut first = Server::start(command);
    let _successor = Successor(data);
    let over = Arc::new(AtomicBool::new(false));
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    let clients: Vec<_> = (0..counts.len())
        .map(|number| {
            let (over, counts) = (over.clone(), counts.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(ask(port).unwrap(), "HTTP/1.1 200 OK");
                    counts[number].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    // Everybody asks some more; who has failed asks no more.
    let go_on = || {
        let before = counts.each_ref().map(|count| count.load(Ordering::SeqCst));
        let more = |number: usize| counts[number].load(Ordering::SeqCst) >= before[number] + 3;
        wait_until("everybody is answered", || clients.iter().any(|client| client.is_finished()) || (0..3).all(more));
    };
    go_on();
    let before = first.child.id();
    signal("USR2", before);
    first.ready();
    wait_until("the old one ends", || first.has_ended());
    assert!(first.child.wait().unwrap().success());
    wait_until("a second one holds the data", || ![before, 0].contains(&holder(data)));
    let second = holder(data);
    go_on();
    // The new one can be replaced too.
    signal("USR2", second);
    first.ready();
    wait_until("a third one holds the data", || ![before, second, 0].contains(&holder(data)));
    go_on();
    over.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn a_new_program_that_cannot_start_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, port) = (folder.path(), testkit::free_port());
    let mut command = noren(data);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut server = Server::start(command);
    std::fs::write(data.join("noren.toml"), "[server]\nconnections = \"many\"\n").unwrap();
    signal("USR2", server.child.id());
    signal("HUP", server.child.id());
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(ask(port).unwrap(), "HTTP/1.1 200 OK");
    assert!(!server.has_ended());
}

#[test]
fn addresses_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, first, second) = (folder.path(), testkit::free_port(), testkit::free_port());
    let write = |ports: &[u16]| {
        let listen = ports.iter().map(|port| format!("[[listen]]\naddress = \"127.0.0.1:{port}\"\n"));
        std::fs::write(data.join("noren.toml"), listen.collect::<String>()).unwrap();
    };
    write(&[first]);
    let mut command = noren(data);
    command.arg("serve");
    let server = Server::start(command);
    assert_eq!(ask(first).unwrap(), "HTTP/1.1 200 OK");
    write(&[first, second]);
    signal("HUP", server.child.id());
    wait_until("the second address is open", || ask(second).is_ok());
    write(&[second]);
    signal("HUP", server.child.id());
    wait_until("the first address is closed", || ask(first).is_err());
    assert_eq!(ask(second).unwrap(), "HTTP/1.1 200 OK");
}

/// As systemd does it: the socket is number 3, and the environment says so.
#[test]
fn sockets_that_are_open_already_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    // It waits in the kernel for whoever comes.
    let waiting = std::thread::spawn(move || ask(port).unwrap());
    let program = env!("CARGO_BIN_EXE_noren");
    let script =
        format!("exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec {program} serve --listen 127.0.0.1:{port}");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path());
    command.stdin(Stdio::from(OwnedFd::from(socket))).stdout(Stdio::piped()).stderr(Stdio::null());
    let _server = Server::start(command);
    assert_eq!(waiting.join().unwrap(), "HTTP/1.1 200 OK");
    assert_eq!(ask(port).unwrap(), "HTTP/1.1 200 OK");
}
