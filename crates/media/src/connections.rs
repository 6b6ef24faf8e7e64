//! Connections to buckets and web servers that follow a name where it leads, also while there is always something to do
//! on the old ones.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After so long no connection is taken for another request; what is on its way goes on.
const AGE: Duration = Duration::from_secs(300);
/// When the name leads nowhere just now: the connections that there are may be all there is. It is looked at again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long a name may take to be looked up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who says where names lead, and for how long that is believed of a connection.
#[derive(Clone)]
pub struct Names {
    /// Who is asked.
    pub service: Arc<dyn Resolve>,
    /// After so long connections are made anew.
    pub age: Duration,
}

impl Default for Names {
    fn default() -> Names {
        Names { service: Arc::new(System), age: AGE }
    }
}

/// The name service of this machine.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// A client of HTTP whose connections are made anew when they are old. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    make: Box<dyn Fn() -> ClientBuilder + Send + Sync>,
    names: Names,
    host: Option<Name>,
    now: Mutex<Now>,
}

struct Now {
    client: Client,
    good_until: Instant,
}

impl Connections {
    /// To the server of this name; `None` where it has an address alone. `make` says all that clients have in common.
    pub fn open(
        names: Names,
        host: Option<&str>,
        make: impl Fn() -> ClientBuilder + Send + Sync + 'static,
    ) -> reqwest::Result<Connections> {
        let client = make().dns_resolver(names.service.clone()).build()?;
        let now = Mutex::new(Now { client, good_until: Instant::now() + names.age });
        let host = host.and_then(|host| host.parse().ok());
        Ok(Connections(Arc::new(Inner { make: Box::new(make), names, host, now })))
    }

    /// For one request.
    pub fn client(&self) -> Client {
        let mut now = self.0.now();
        if now.good_until <= Instant::now() {
            now.good_until = Instant::now() + AGAIN.min(self.0.names.age);
            tokio::spawn(self.clone().renew());
        }
        now.client.clone()
    }

    /// The client before keeps the connections that are in use until their answers have ended, and no others.
    async fn renew(self) {
        let inner = &*self.0;
        if let Some(host) = &inner.host
            && let Err(why) = inner.look_up(host).await
        {
            tracing::debug!(host = host.as_str(), why, "a name leads nowhere; the connections that there are are kept");
            return;
        }
        match (inner.make)().dns_resolver(inner.names.service.clone()).build() {
            Ok(client) => *inner.now() = Now { client, good_until: Instant::now() + inner.names.age },
            Err(error) => tracing::warn!(%error, "connections cannot be made anew"),
        }
    }
}

impl Inner {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_up(&self, host: &Name) -> Result<(), String> {
        let name = host.as_str().parse().map_err(|_| "it is no name")?;
        let found = tokio::time::timeout(PATIENCE, self.names.service.resolve(name)).await;
        let mut found = found.map_err(|_| "nobody says in time")?.map_err(|error| error.to_string())?;
        found.next().map(|_| ()).ok_or_else(|| "it has no address".to_owned())
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connections").field("host", &self.0.host).finish_non_exhaustive()
    }
}
