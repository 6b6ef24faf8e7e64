//! How this site and another server reach each other: what people look at who look for what is wrong.

use crate::Federation;
use crate::documents::host;
use crate::fetch::{Error as FetchError, Prefix, Reached, System};
use crate::fetch::{Resolve as _, is_global};
use crate::signatures::Form;
use domain::Result;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use url::Url;

/// For so long a signature holds.
const HOUR: u64 = 3600;
const JSON: &str = "application/json";
/// Well-known addresses, to which nothing is sent: the system is asked how it would go there.
const FAR: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(1, 1, 1, 1), Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111));

/// What was found out, step by step; what a failure kept from being tried is None.
#[derive(Debug)]
pub struct Reach {
    pub host: String,
    /// By a rule of this site.
    pub blocked: bool,
    /// From where this machine goes out, for each family that it has.
    pub here: (Option<IpAddr>, Option<IpAddr>),
    /// How this network reaches IPv4 over IPv6.
    pub nat64: Option<Prefix>,
    /// Where others look for this site.
    pub ours: Vec<IpAddr>,
    pub addresses: Result<Vec<Reached>, FetchError>,
    /// By how many seconds its clock is ahead of ours, if it tells the time.
    pub clock: Option<i64>,
    /// Name and version of the software.
    pub software: Option<Result<String, FetchError>>,
    /// The server's own actor, asked for with our signature; the form that it accepted.
    pub knock: Option<Result<(Url, Form), FetchError>>,
}

/// All in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers and takes our signature.
    Fine,
    Blocked,
    /// No address of it answers.
    Unreachable,
    /// It answers, but not as a server of the federation does.
    Strange,
    /// It answers, but not to us.
    Refused,
    /// It answers, but what one signs now is too old for the other, or is not yet.
    Apart,
}

impl Reach {
    pub fn verdict(&self) -> Verdict {
        let reached = self.addresses.as_ref().is_ok_and(|all| all.iter().any(|one| one.outcome.is_ok()));
        match &self.knock {
            _ if self.blocked => Verdict::Blocked,
            _ if !reached => Verdict::Unreachable,
            _ if self.clock.is_some_and(|ahead| ahead.unsigned_abs() >= HOUR) => Verdict::Apart,
            Some(Ok(_)) => Verdict::Fine,
            Some(Err(FetchError::Status { status: 401 | 403, .. })) => Verdict::Refused,
            _ => Verdict::Strange,
        }
    }
}

impl Federation {
    /// Finds out how `name`, a host with its port if that is unusual, is reached. None when it is no such name.
    pub async fn reach(&self, name: &str) -> Result<Option<Reach>> {
        let Some(host) = domain::domain_blocks::name::normal(name) else { return Ok(None) };
        // As everywhere: without TLS only by a site that has none itself.
        let scheme = if self.site.base_url.starts_with("http://") { "http" } else { "https" };
        let Ok(root) = Url::parse(&format!("{scheme}://{host}/")) else { return Ok(None) };
        let mut found = Reach {
            blocked: !self.policy.admits(&host).await?,
            here: (outward(FAR.0.into()), outward(FAR.1.into())),
            nat64: self.fetcher.nat64().await,
            ours: self.own_addresses().await,
            addresses: self.fetcher.reach(&root).await,
            clock: None,
            software: None,
            knock: None,
            host,
        };
        let reached = found.addresses.as_ref().is_ok_and(|all| all.iter().any(|one| one.outcome.is_ok()));
        if reached && !found.blocked {
            let links = self.links(&root).await;
            found.clock = self.clock(&root).await;
            found.software = Some(match &links {
                Ok(links) => self.software(links).await,
                Err(error) => Err(error.clone()),
            });
            found.knock = Some(self.knock_at(&root, links.ok()).await?);
        }
        Ok(Some(found))
    }

    async fn own_addresses(&self) -> Vec<IpAddr> {
        let own = host(&self.site.base_url).unwrap_or_default();
        let name = own.rsplit_once(':').map_or(own.as_str(), |(name, _)| name);
        System.resolve(name).await.unwrap_or_default()
    }

    async fn links(&self, root: &Url) -> Result<Value, FetchError> {
        let url = root.join("/.well-known/nodeinfo").map_err(|_| FetchError::Redirects)?;
        self.fetcher.json(&url, JSON).await
    }

    async fn clock(&self, root: &Url) -> Option<i64> {
        self.fetcher.clock(&root.join("/.well-known/nodeinfo").ok()?).await
    }

    async fn software(&self, links: &Value) -> Result<String, FetchError> {
        let schema = link(links, |rel| rel.starts_with("http://nodeinfo.diaspora.software/ns/schema/2."));
        let url = schema.ok_or(FetchError::NotJson)?;
        let info = self.fetcher.json(&url, JSON).await?;
        let text = |name: &str| info["software"][name].as_str().unwrap_or("?").chars().take(60).collect::<String>();
        let said = format!("{} {}", text("name"), text("version"));
        Ok(said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    /// Asks for the server's own actor, where NodeInfo says that it is or where nearly everybody has it.
    async fn knock_at(&self, root: &Url, links: Option<Value>) -> Result<Result<(Url, Form), FetchError>> {
        let named = links.and_then(|l| link(&l, |rel| rel == "https://www.w3.org/ns/activitystreams#Application"));
        let Some(url) = named.or_else(|| root.join("/actor").ok()) else { return Ok(Err(FetchError::Redirects)) };
        let signer = self.site_signer().await?;
        let asked = self.fetcher.document(&url, Some(&signer)).await;
        let form = || host(url.as_str()).and_then(|host| self.fetcher.form(&host)).unwrap_or_default();
        Ok(asked.map(|fetched| (fetched.url, form())))
    }
}

fn link(links: &Value, wanted: impl Fn(&str) -> bool) -> Option<Url> {
    let links = links["links"].as_array()?;
    let found = links.iter().take(50).rfind(|link| link["rel"].as_str().is_some_and(&wanted))?;
    Url::parse(found["href"].as_str()?).ok()
}

/// From where this machine would go to `far`. No packet is sent.
fn outward(far: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if far.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(far, 53)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    // Behind IPv4's translators own addresses are private; an IPv6 address that is not public leads nowhere.
    (own.is_ipv4() && !own.is_loopback() || is_global(own)).then_some(own)
}
