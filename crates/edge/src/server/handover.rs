//! Listening sockets from outside: opened by systemd before we start, or passed on by the program that we replace.
//!
//! Whoever replaces itself starts the new program with one end of a pair of Unix sockets as its standard input and
//! sends the listening sockets through it. The new program answers with one byte when it is ready; until then the old
//! one goes on accepting, and it goes on for good when the new one ends without that byte.

use super::Sockets;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// Says to the new program that its standard input brings sockets.
const VARIABLE: &str = "NOREN_HANDOVER";
/// More sockets than anybody listens at; the kernel takes 253 at once.
const MOST: usize = 64;
/// How long a new program may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(120);
const READY: u8 = b'R';

/// What the program that started us handed in.
#[derive(Debug, Default)]
pub struct Inherited {
    pub sockets: Sockets,
    predecessor: Option<UnixStream>,
}

impl Inherited {
    /// Takes what there is: nothing, most of the time. To be called once, before there are other threads.
    pub fn take() -> io::Result<Self> {
        if std::env::var_os(VARIABLE).is_some_and(|value| value == "1") {
            let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
            let sockets = Sockets::of(receive(&stream)?)?;
            return Ok(Self { sockets, predecessor: Some(stream) });
        }
        let mut given = listenfd::ListenFd::from_env();
        let mut ready = Vec::new();
        for at in 0..given.len() {
            ready.extend(given.take_tcp_listener(at)?);
        }
        Ok(Self { sockets: Sockets::of(ready)?, predecessor: None })
    }

    /// Whether we replace a program that still runs.
    pub fn replaces(&self) -> bool {
        self.predecessor.is_some()
    }

    /// Tells the program that we replace to finish what it has begun and to end.
    pub fn relieve(&mut self) -> io::Result<()> {
        match self.predecessor.take() {
            Some(mut stream) => stream.write_all(&[READY]),
            None => Ok(()),
        }
    }
}

/// Starts this program anew, as it lies on the disk now and with the same arguments, and hands it the sockets.
/// Returns when it is ready; then it is time to stop. When that fails, everything stays as it is.
pub async fn succeed(sockets: Vec<TcpListener>) -> io::Result<()> {
    // After an update the old file is gone and the link says so.
    let path = std::env::current_exe()?;
    let path = path.as_os_str().as_bytes();
    let path = PathBuf::from(OsStr::from_bytes(path.strip_suffix(b" (deleted)").unwrap_or(path)));
    let mut command = Command::new(path);
    command.args(std::env::args_os().skip(1));
    succeed_by(command, sockets).await
}

/// The same with any command.
pub async fn succeed_by(mut command: Command, sockets: Vec<TcpListener>) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    command.env(VARIABLE, "1").env_remove("LISTEN_FDS").env_remove("LISTEN_PID").env_remove("LISTEN_FDNAMES");
    let mut child = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    drop(command);
    let told = match send(&ours, &sockets) {
        Ok(()) => tokio::time::timeout(PATIENCE, answer(ours)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into())),
        failed => failed,
    };
    match told {
        Ok(()) => {
            reap(child);
            Ok(())
        }
        Err(error) => {
            let _ = child.kill();
            reap(child);
            Err(error)
        }
    }
}

/// Waits for the byte.
async fn answer(stream: UnixStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut stream = tokio::net::UnixStream::from_std(stream)?;
    match stream.read_u8().await {
        Ok(READY) => Ok(()),
        Ok(_) => Err(io::ErrorKind::InvalidData.into()),
        Err(_) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the new program ended before it was ready")),
    }
}

/// Takes notice of the child's end, so that nothing is left of it.
fn reap(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

fn send(stream: &UnixStream, sockets: &[TcpListener]) -> io::Result<()> {
    let files: Vec<BorrowedFd<'_>> = sockets.iter().take(MOST).map(|socket| socket.as_fd()).collect();
    let count = u8::try_from(files.len()).map_err(io::Error::other)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !message.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("too many sockets to hand over"));
    }
    rustix::net::sendmsg(stream, &[IoSlice::new(&[count])], &mut message, SendFlags::empty())?;
    Ok(())
}

fn receive(stream: &UnixStream) -> io::Result<Vec<TcpListener>> {
    let (mut count, mut sockets) = ([0], Vec::new());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let received =
        rustix::net::recvmsg(stream, &mut [IoSliceMut::new(&mut count)], &mut message, RecvFlags::CMSG_CLOEXEC)?;
    for part in message.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = part {
            sockets.extend(files.map(TcpListener::from));
        }
    }
    match received.bytes == 1 && sockets.len() == usize::from(count[0]) {
        true => Ok(sockets),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "the sockets did not come through")),
    }
}

/// Tells systemd, if it started us, that we are ready and which process to look after from now on. A unit that is to be
/// replaced by hand-over needs `Type=notify` and `NotifyAccess=all`.
pub fn tell_systemd() {
    let Some(place) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let told = || -> io::Result<()> {
        let address = match place.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&place)?,
        };
        let text = format!("READY=1\nMAINPID={}\n", std::process::id());
        UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)?;
        Ok(())
    };
    if let Err(error) = told() {
        tracing::warn!(%error, "cannot tell systemd that we are ready");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn sockets_pass_through_a_pair() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let listeners = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        send(&ours, &listeners).unwrap();
        drop(listeners);
        let received = receive(&theirs).unwrap();
        let there: Vec<_> = received.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!(there, addresses);
        let _client = TcpStream::connect(addresses[1]).unwrap();
        received[1].accept().unwrap();
        send(&ours, &[]).unwrap();
        assert!(receive(&theirs).unwrap().is_empty());
        drop(ours);
        assert!(receive(&theirs).is_err());
    }

    #[tokio::test]
    async fn a_program_that_ends_without_a_word_changes_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = succeed_by(Command::new("true"), vec![listener.try_clone().unwrap()]).await.unwrap_err();
        assert!(matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{error}");
        assert!(succeed_by(Command::new("/nowhere/noren"), Vec::new()).await.is_err());
    }
}
