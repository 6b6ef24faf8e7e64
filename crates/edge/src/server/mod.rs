//! The way in: sockets, connections, encryption, certificates. It takes any router and knows nothing of what is served.
//!
//! [`Server::start`] opens what the configuration asks for; [`Server::reload`] changes all of it while requests go on;
//! [`handover`] passes the sockets on to a new program.

mod accept;
mod acme;
pub mod config;
mod connection;
mod forwarded;
mod frames;
mod guard;
pub mod handover;
mod heads;
mod linger;
mod places;
mod proxy_protocol;
mod redirect;
mod requests;
mod sockets;
mod streams;
mod tls;
mod unread;
pub mod values;

pub use forwarded::{Peer, client};
pub use redirect::host;
pub use sockets::{CannotListen, Families, Sockets, allow_many_files, listen};
pub use tls::{BadCertificate, BadFile};

use accept::Door;
use acme::{Challenges, Keeper};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use config::{AcmeConfig, ChallengeKind, ConnectionsConfig, ListenConfig, Serve, TlsConfig};
use places::Places;
use redirect::Redirect;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tls::{Certificates, Files, Tls};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use values::Network;

/// By what a request came, as an extension of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// A request's hold on what its answer is sent through.
#[derive(Debug, Default)]
pub struct Hold(OnceLock<CancellationToken>);

impl Hold {
    /// Ends the answer when it is cancelled, whether the client reads or not: the connection of HTTP/1, the stream of
    /// HTTP/2.
    pub fn hangup(&self) -> CancellationToken {
        self.0.get_or_init(CancellationToken::new).clone()
    }

    fn token(&self) -> Option<&CancellationToken> {
        self.0.get()
    }
}

/// Looks at every request before the router does.
pub type Mark = Arc<dyn Fn(&mut Request<Body>, &Hold) + Send + Sync>;

/// What is used up at most.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections open at once; more wait until one closes. It stays as it was at the start.
    pub all: usize,
    /// How long a client may take to send the head of a request, or keep a connection open without a request.
    pub header_timeout: Duration,
    pub connections: ConnectionsConfig,
    /// Proxies that speak HTTP: ten times as patient with them, and any number of connections.
    pub trusted: Vec<Network>,
}

/// All that a server is made of.
#[derive(Clone)]
pub struct Setup {
    pub listen: Vec<ListenConfig>,
    pub tls: TlsConfig,
    pub acme: AcmeConfig,
    pub limits: Limits,
    pub router: Router,
    pub mark: Option<Mark>,
    /// Where accounts and certificates of acme are kept.
    pub data: PathBuf,
}

impl Setup {
    /// Plain HTTP at these addresses, with the usual limits.
    pub fn http(listen: Vec<ListenConfig>, router: Router) -> Self {
        let limits = Limits {
            all: 4096,
            header_timeout: Duration::from_secs(30),
            connections: ConnectionsConfig::default(),
            trusted: Vec::new(),
        };
        let (tls, acme) = (TlsConfig::default(), AcmeConfig::default());
        Self { listen, tls, acme, limits, router, mark: None, data: "data".into() }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// Why a server does not start, or goes on as it was.
#[derive(Debug, thiserror::Error)]
pub enum CannotServe {
    #[error(transparent)]
    Listen(#[from] CannotListen),
    #[error(transparent)]
    Certificate(#[from] BadFile),
    #[error("https cannot be spoken: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the folder for certificates: {0}")]
    Folder(#[source] io::Error),
    #[error("[[listen]] serves https, and there is no certificate in [tls] and no name in [acme]")]
    NoCertificate,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What connections look at.
struct Live {
    router: Router,
    limits: Limits,
    mark: Option<Mark>,
    tls: Tls,
    handshake_timeout: Duration,
    redirect: Redirect,
    hsts: Option<HeaderValue>,
}

/// A running server. Cheap to clone; it goes on when this is dropped.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    live: Arc<RwLock<Arc<Live>>>,
    certificates: Arc<Certificates>,
    challenges: Challenges,
    places: Places,
    open: TaskTracker,
    stop: CancellationToken,
    running: Mutex<Running>,
    /// A successor may have our sockets.
    handed_on: AtomicBool,
}

/// What a reload changes.
#[derive(Default)]
struct Running {
    doors: Vec<Door>,
    helpers: Vec<AbortOnDropHandle<()>>,
}

impl Server {
    /// Opens all addresses and accepts connections until `stop` is cancelled; then requests that are being answered
    /// are finished. `sockets` are used where they fit. Must be called inside a runtime.
    pub fn start(setup: Setup, mut sockets: Sockets, stop: CancellationToken) -> Result<Self, CannotServe> {
        let (certificates, challenges) = (Arc::<Certificates>::default(), Challenges::default());
        let prepared = Prepared::new(&setup, &certificates, &challenges)?;
        let server = Self(Arc::new(Inner {
            live: Arc::new(RwLock::new(Arc::new(prepared.live))),
            certificates,
            challenges,
            places: Places::new(setup.limits.all),
            open: TaskTracker::new(),
            stop,
            running: Mutex::default(),
            handed_on: AtomicBool::new(false),
        }));
        let doors = server.doors(&setup.listen, &mut sockets)?;
        sockets.close_rest();
        server.run(doors, (prepared.files, prepared.keeper));
        let ending = server.clone();
        tokio::spawn(async move {
            ending.0.stop.cancelled().await;
            // The sockets are closed: who comes now shall be told at once, or go to our successor.
            *ending.running() = Running::default();
        });
        Ok(server)
    }

    /// Goes on with another setup. Requests under way are finished as they began; those that come now meet the new
    /// one, also on old connections. When something is wrong with it nothing changes.
    pub fn reload(&self, setup: Setup) -> Result<(), CannotServe> {
        let prepared = Prepared::new(&setup, &self.0.certificates, &self.0.challenges)?;
        let doors = self.doors(&setup.listen, &mut Sockets::default())?;
        *self.0.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(prepared.live);
        self.run(doors, (prepared.files, prepared.keeper));
        Ok(())
    }

    /// Returns when it was told to stop and the last connection is closed; the caller decides how long to wait.
    pub async fn finished(&self) {
        self.0.stop.cancelled().await;
        self.0.open.close();
        self.0.open.wait().await;
    }

    /// Where connections are accepted.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.running().doors.iter().filter_map(|door| door.listener.local_addr().ok()).collect()
    }

    /// The listening sockets once more, for a successor.
    pub fn sockets(&self) -> io::Result<Vec<TcpListener>> {
        self.0.handed_on.store(true, Ordering::Relaxed);
        let copy = |door: &Door| door.listener.as_fd().try_clone_to_owned().map(TcpListener::from);
        self.running().doors.iter().map(copy).collect()
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A door for each address: those that are open stay open.
    fn doors(&self, listen: &[ListenConfig], sockets: &mut Sockets) -> Result<Vec<Door>, CannotServe> {
        let mut open: Vec<Door> = self.running().doors.clone();
        let mut doors = Vec::new();
        for config in listen {
            for address in &config.address.0 {
                let old = open.iter().position(|door| door.is(*address, config));
                doors.push(match old {
                    Some(at) => Door::again(&open.remove(at), config, &self.0.stop),
                    None => Door::new(*address, config, (sockets.open(*address, config)?, &self.0.stop))?,
                });
            }
        }
        Ok(doors)
    }

    fn run(&self, doors: Vec<Door>, (files, keeper): (Files, Option<Keeper>)) {
        let certificates = &self.0.certificates;
        certificates.set_files(files.certificates());
        let mut helpers = vec![tokio::spawn(files.watch(certificates.clone()))];
        match keeper {
            Some(mut keeper) => {
                keeper.show();
                helpers.push(tokio::spawn(keeper.run()));
            }
            None => certificates.keep(|_| false),
        }
        for door in &doors {
            self.0.open.spawn(accept::accept(self.0.clone(), door.clone()));
        }
        let mut running = self.running();
        for door in std::mem::replace(&mut running.doors, doors) {
            door.closed.cancel();
        }
        running.helpers = helpers.into_iter().map(AbortOnDropHandle::new).collect();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

/// A setup that was found good.
struct Prepared {
    live: Live,
    files: Files,
    keeper: Option<Keeper>,
}

impl Prepared {
    fn new(setup: &Setup, certificates: &Arc<Certificates>, challenges: &Challenges) -> Result<Self, CannotServe> {
        let serves = |serve: Serve| setup.listen.iter().any(|listen| listen.serve == serve);
        if serves(Serve::Https) && setup.tls.certificates.is_empty() && setup.acme.names.is_empty() {
            return Err(CannotServe::NoCertificate);
        }
        let files = Files::open(&setup.tls.certificates)?;
        let mut kinds = Vec::new();
        if serves(Serve::Http) || serves(Serve::Redirect) {
            kinds.push(ChallengeKind::Http01);
        }
        if serves(Serve::Https) {
            kinds.push(ChallengeKind::TlsAlpn01);
        }
        kinds.retain(|kind| setup.acme.challenge.is_none_or(|wanted| wanted == *kind));
        let keeper = Keeper::open(&setup.acme, &setup.data, certificates.clone(), (challenges.clone(), kinds));
        let keeper = keeper.map_err(CannotServe::Folder)?;
        let https = setup.listen.iter().find(|listen| listen.serve == Serve::Https);
        let port = https.and_then(|listen| listen.address.0.first()).map_or(443, |address| address.0.port());
        let names = setup.acme.names.iter().cloned().collect();
        let redirect = Redirect { names, certificates: certificates.clone(), port };
        let live = Live {
            router: setup.router.clone(),
            limits: setup.limits.clone(),
            mark: setup.mark.clone(),
            tls: Tls::new(&setup.tls, certificates.clone(), challenges.clone())?,
            handshake_timeout: setup.tls.handshake_timeout.0,
            redirect,
            hsts: hsts(setup.tls.hsts.0),
        };
        Ok(Self { live, files, keeper })
    }
}

fn hsts(period: Duration) -> Option<HeaderValue> {
    let seconds = Some(period.as_secs()).filter(|seconds| *seconds > 0)?;
    HeaderValue::try_from(format!("max-age={seconds}")).ok()
}
