//! Documents that are believed: of the right type, found where their id says.

use super::request::{Ask, Reply, Scope};
use super::watch::unless_enough;
use super::{Bounds, Error, Fetcher, alternate, is_activity, is_json};
use crate::documents::{self, ACCEPT};
use crate::signatures::Signer;
use axum::http::header;
use bytes::{Bytes, BytesMut};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// For searches: pages are welcome, too.
const ACCEPT_PAGES: &str = "application/activity+json, \
    application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\", text/html;q=0.1";
/// Bytes of a document that needs no place among those that are collected in memory; nearly all are smaller.
const SMALL: usize = 16 * 1024;
/// For such a place.
const QUEUE: Duration = Duration::from_secs(20);

/// A document and the address that it is the document of.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it was found: its id, without a fragment.
    pub url: Url,
    pub value: Value,
}

/// Where else one may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hops {
    Any,
    /// To another name at the same server, by the document's id alone.
    AtHome,
}

impl Fetcher {
    /// Fetches a document. One whose id is another address is fetched again there, once: nobody speaks for another
    /// server, and nothing is known by two names.
    pub async fn document(&self, url: &Url, signer: Option<&Signer>) -> Result<Fetched, Error> {
        self.document_as(url, (ACCEPT, Hops::Any), signer).await
    }

    /// As [`Fetcher::document`], but nobody is asked except the server of `url`: no other learns who wants it.
    pub(crate) async fn document_there(&self, url: &Url, signer: &Signer) -> Result<Fetched, Error> {
        self.document_as(url, (ACCEPT, Hops::AtHome), Some(signer)).await
    }

    /// As [`Fetcher::document`], but `url` may be that of a page which says where its document is.
    pub async fn page_or_document(&self, url: &Url, signer: Option<&Signer>) -> Result<Fetched, Error> {
        match self.document_as(url, (ACCEPT_PAGES, Hops::Any), signer).await {
            Err(Error::Type { alternate: Some(to), .. }) if to != *url => self.document(&to, signer).await,
            outcome => outcome,
        }
    }

    async fn document_as(
        &self,
        url: &Url,
        (accept, hops): (&'static str, Hops),
        signer: Option<&Signer>,
    ) -> Result<Fetched, Error> {
        let first = self.once(url, (accept, hops), signer).await?;
        let id = id(&first.value).ok_or(Error::Origin)?;
        if id == first.url {
            return Ok(first);
        }
        if hops == Hops::AtHome && id.origin() != url.origin() {
            return Err(Error::Origin);
        }
        // What was found is forgotten: only what stands at the id itself counts.
        let again = self.once(&id, (accept, hops), signer).await?;
        let named = self::id(&again.value).ok_or(Error::Origin)?;
        if named == id && again.url == id { Ok(again) } else { Err(Error::Origin) }
    }

    async fn once(
        &self,
        url: &Url,
        (accept, hops): (&'static str, Hops),
        signer: Option<&Signer>,
    ) -> Result<Fetched, Error> {
        let mut bounds = self.0.options.document;
        if hops == Hops::AtHome {
            bounds.redirects = 0;
        }
        let reply = self.open(&Ask { url, accept, signer, scope: Scope::Federation, bounds, part: None }).await?;
        if !is_activity(reply.content_type()) {
            return Err(wrong_type(reply).await);
        }
        let url = reply.url.clone();
        let value = documents::parse(&self.collected(reply).await?).map_err(|_| Error::NotJson)?;
        Ok(Fetched { url, value })
    }

    /// JSON that is not a document: of WebFinger, NodeInfo.
    pub async fn json(&self, url: &Url, accept: &'static str) -> Result<Value, Error> {
        let ask =
            Ask { url, accept, signer: None, scope: Scope::Federation, bounds: self.0.options.document, part: None };
        let reply = self.open(&ask).await?;
        if !is_json(reply.content_type()) {
            return Err(Error::Type { kind: kind(&reply), alternate: None });
        }
        documents::parse(&self.collected(reply).await?).map_err(|_| Error::NotJson)
    }

    /// Text: of host-meta, or a page. Longer than `bytes` is [`Error::TooLarge`].
    pub async fn text(&self, url: &Url, accept: &'static str, bytes: usize) -> Result<(Url, String), Error> {
        let bounds = Bounds { bytes, ..self.0.options.document };
        let reply = self.open(&Ask::web(url, accept, bounds)).await?;
        let url = reply.url.clone();
        let bytes = self.collected(reply).await?;
        Ok((url, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The body, held in memory: of larger ones only so many are at once. Whoever waits for an answer to begin holds no
    /// place, nor does whoever is told little, however slowly.
    async fn collected(&self, reply: Reply) -> Result<Bytes, Error> {
        let (mut body, mut all, mut place) = (reply.body, BytesMut::new(), None);
        while let Some(piece) = body.next().await {
            all.extend_from_slice(&piece?);
            if place.is_none() && all.len() > SMALL {
                let free = timeout(QUEUE, self.0.documents.acquire());
                let free = unless_enough(async { free.await.map_err(|_| Error::Busy) }).await?;
                place = Some(free.map_err(|_| Error::Busy)?);
            }
        }
        Ok(all.freeze())
    }
}

/// The id as an address, without its fragment: a key's document is its actor's.
fn id(value: &Value) -> Option<Url> {
    let mut id = Url::parse(value.get("id").or_else(|| value.get("@id"))?.as_str()?).ok()?;
    id.set_fragment(None);
    Some(id)
}

fn kind(reply: &Reply) -> String {
    reply.content_type().chars().take(80).collect()
}

async fn wrong_type(reply: Reply) -> Error {
    let kind = kind(&reply);
    let links = reply.headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let mut found = links.flat_map(alternate::in_header).next();
    let url = reply.url.clone();
    if found.is_none() && kind.starts_with("text/html") {
        found = alternate::in_page(reply.body).await;
    }
    Error::Type { kind, alternate: found.and_then(|href| url.join(&href).ok()) }
}
