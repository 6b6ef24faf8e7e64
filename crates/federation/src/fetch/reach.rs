//! Who can be reached over which address, and why not: for people who look for what is wrong.

use super::connect::connect_to;
use super::refusal::ahead;
use super::request::{Ask, Scope};
use super::{Error, Fetcher};
use domain::Time;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use url::Url;

/// Addresses that are tried.
const TRIED: usize = 8;

/// How one address of a host fared.
#[derive(Debug)]
pub struct Reached {
    pub address: IpAddr,
    /// How long connecting took, TLS included.
    pub outcome: Result<Duration, Error>,
}

impl Fetcher {
    /// By how many seconds the clock of the server of `url` is ahead of ours, if it tells the time.
    pub async fn clock(&self, url: &Url) -> Option<i64> {
        let bounds = self.0.options.document;
        let ask = Ask { url, accept: "*/*", signer: None, scope: Scope::Federation, bounds, part: None };
        ahead(&self.open(&ask).await.ok()?.headers, Time::now())
    }

    /// Connects to each address of the host of `url`, one after the other, and sends nothing. The same rules as for
    /// everything else: what may not be asked is [`Error::Forbidden`]; who is blocked here can be
    /// looked at all the same.
    pub async fn reach(&self, url: &Url) -> Result<Vec<Reached>, Error> {
        let target = self.addressed(url, Scope::Federation)?;
        let mut found = Vec::new();
        for address in self.0.resolved(&target).await?.into_iter().take(TRIED) {
            let start = Instant::now();
            let mut allowed = vec![address];
            self.0.keep_allowed(&target, &mut allowed).await;
            let outcome = if allowed.contains(&address) {
                match connect_to(SocketAddr::new(address, target.port)).await {
                    Ok(stream) if target.tls => self.0.secured(&target, stream).await.map(drop),
                    outcome => outcome.map(drop),
                }
            } else {
                Err(Error::Forbidden("the address is not public"))
            };
            found.push(Reached { address, outcome: outcome.map(|()| start.elapsed()) });
        }
        Ok(found)
    }
}
