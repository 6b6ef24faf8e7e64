//! The one way to ask anything of another server.
//!
//! Names are resolved here, their addresses checked, and connected to as checked; redirects are followed by hand and
//! checked again; sizes, times and numbers are bounded. Nothing else in this program opens connections that a
//! stranger's text names.

mod address;
mod alternate;
mod body;
mod connect;
mod deliver;
mod document;
mod error;
mod gate;
mod hosts;
mod kind;
mod knock;
mod meter;
mod nat64;
mod pool;
mod reach;
mod refusal;
mod request;
mod resolve;
mod send;
mod target;
mod watch;

pub use address::is_global;
pub use body::Body;
pub use deliver::Delivered;
pub use document::Fetched;
pub use error::Error;
pub use gate::{Admission, Gate, Open};
pub use kind::{is_activity, is_json};
pub use meter::Meter;
pub use nat64::Prefix;
pub use reach::Reached;
pub use refusal::apart;
pub use request::{Ask, Reply, Scope};
pub use resolve::{Resolve, Resolving, System};
pub use watch::Asked;

use crate::signatures::Form;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Whether addresses that are not public may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Private {
    #[default]
    Refused,
    /// These may, on any port and over http, too; and all public ones.
    These(Arc<[IpAddr]>),
    /// For development: any address, any port, http as well as https.
    Allowed,
}

impl Private {
    fn allows(&self, address: IpAddr) -> bool {
        match self {
            Self::Refused => is_global(address),
            Self::These(these) => is_global(address) || these.contains(&address),
            Self::Allowed => true,
        }
    }

    /// Whether this very address may be asked for more than public ones.
    fn names(&self, address: IpAddr) -> bool {
        matches!(self, Self::These(these) if these.contains(&address))
    }
}

/// How much an answer may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes, after decompression.
    pub bytes: usize,
    /// Between two pieces of the answer, and before the first.
    pub idle: Duration,
    /// From the first connection to the last byte, redirects included.
    pub total: Duration,
    pub redirects: usize,
}

impl Bounds {
    /// For documents and everything else that is read as a whole.
    pub const DOCUMENT: Self =
        Self { bytes: 1 << 20, idle: Duration::from_secs(10), total: Duration::from_secs(30), redirects: 3 };
}

/// How a fetcher behaves.
#[derive(Clone)]
pub struct Options {
    /// `Noren/1.0 (+https://example.com/)`
    pub user_agent: String,
    pub private: Private,
    /// Hosts (with port, if not the usual one) that are ourselves or serve our media: no document is fetched there.
    pub ours: Vec<String>,
    pub resolver: Arc<dyn Resolve>,
    /// Who may be asked.
    pub gate: Arc<dyn Gate>,
    /// Requests that run at once: to all hosts, and to one.
    pub requests: usize,
    pub requests_per_host: usize,
    /// Answers that are collected in memory at once, apart from small ones.
    pub documents: usize,
    /// Connections that are kept though nothing runs on them.
    pub idle_connections: usize,
    /// Certificates of authorities that are believed besides the system's (DER).
    pub authorities: Vec<Vec<u8>>,
    pub document: Bounds,
}

impl Options {
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            private: Private::Refused,
            ours: Vec::new(),
            resolver: Arc::new(System),
            gate: Arc::new(Open),
            // What asks has bounds of its own; only all of it together comes near this.
            requests: 1280,
            requests_per_host: 4,
            documents: 48,
            idle_connections: 256,
            authorities: Vec::new(),
            document: Bounds::DOCUMENT,
        }
    }
}

/// Asks others. One for the whole process: what it remembers about hosts is worth having. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    options: Options,
    hosts: hosts::Hosts,
    pool: Arc<pool::Pool>,
    tls: tokio_rustls::TlsConnector,
    nat64: nat64::Nat64,
    requests: Arc<Semaphore>,
    documents: Semaphore,
    signing: Semaphore,
}

impl Fetcher {
    /// Fails when `options` cannot be worked with.
    pub fn new(options: Options) -> Result<Self, String> {
        if options.user_agent.is_empty() || axum::http::HeaderValue::from_str(&options.user_agent).is_err() {
            return Err("the User-Agent cannot be a header".to_owned());
        }
        let tls = connect::tls(&options.authorities)?;
        Ok(Self(Arc::new(Inner {
            hosts: hosts::Hosts::new(options.requests_per_host.max(1)),
            pool: Arc::new(pool::Pool::new(options.idle_connections)),
            tls,
            nat64: nat64::Nat64::default(),
            requests: Arc::new(Semaphore::new(options.requests.max(1))),
            documents: Semaphore::new(options.documents.max(1)),
            signing: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            options,
        })))
    }

    /// The form of signatures that `host` is known to understand.
    pub fn form(&self, host: &str) -> Option<Form> {
        self.0.hosts.form(host)
    }

    /// Begins with `form` at `host` from now on, for about a week.
    pub fn prefer(&self, host: &str, form: Form) {
        self.0.hosts.prefer(host, form);
    }

    /// Begins with `form` at `host`, which says that it understands it, unless something was found out about that.
    pub fn suggest(&self, host: &str, form: Form) {
        if self.form(host).is_none() {
            self.prefer(host, form);
        }
    }

    /// Whether the last connection to `host` failed within a few minutes: not what it answered, but whether it did.
    pub fn is_silent(&self, host: &str) -> bool {
        self.0.hosts.is_silent(host)
    }

    /// How this network reaches IPv4 over IPv6, if it says so.
    pub async fn nat64(&self) -> Option<Prefix> {
        self.0.nat64.prefix(&*self.0.options.resolver).await
    }

    /// Whether this is the host of this server or of its media.
    pub fn is_ours(&self, host: &str) -> bool {
        self.0.options.ours.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }
}
