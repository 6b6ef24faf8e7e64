//! From a name or an address to what is known of it, fetched where it is from when it is not known here.

pub mod account;
pub(crate) mod entitled;
pub(crate) mod missing;
pub mod moves;
pub mod named;
pub mod pins;
pub mod poll;
pub mod relay;
pub mod status;
pub mod thread;
mod webfinger;

use crate::Federation;
use crate::documents::{Document, host};
use crate::fetch::Error as FetchError;
use domain::accounts::Account;
use domain::ids::AccountId;
use domain::statuses::{Status, remote::How};
use domain::{Error, Result};
use entitled::Whose;
use std::time::{Duration, Instant};
use url::Url;

/// How many things more may be fetched because of the one that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    parents: u8,
    strangers: bool,
    quotes: u8,
    /// Nobody here has asked for it or is meant by it.
    unseen: bool,
    /// When it is used up whatever is left. None: it is not begun.
    ends: Option<Instant>,
}

/// How long one thing that arrives may have others fetched: slow servers hold nobody else up.
const LONG_ENOUGH: Duration = Duration::from_secs(40);

impl Budget {
    /// Nothing more than its author.
    pub(crate) const NONE: Self = Self { parents: 0, strangers: false, quotes: 0, unseen: false, ends: None };
    /// For what was sent to us or asked for: the parents above it, so far up, who is named, and what is
    /// quoted by what is quoted.
    pub const SENT: Self = Self { parents: 20, strangers: true, quotes: 3, ..Self::NONE };
    /// For one post of such a thread: what it quotes.
    pub(crate) const THREAD: Self = Self { quotes: 2, ..Self::NONE };
    /// For what a relay speaks of: so much of its thread that it is understood, and nobody whom it names.
    pub(crate) const RELAYED: Self = Self { parents: 2, unseen: true, ..Self::NONE };

    pub(crate) fn is_left(self) -> bool {
        self.parents > 0 && self.is_in_time()
    }
    fn is_in_time(self) -> bool {
        self.ends.is_none_or(|end| Instant::now() < end)
    }
    /// From now on time counts, if it does not yet.
    pub(crate) fn begun(self) -> Self {
        Self { ends: self.ends.or_else(|| Some(Instant::now() + LONG_ENOUGH)), ..self }
    }
    /// Whether people are fetched who are only named.
    pub(crate) fn has_strangers(self) -> bool {
        self.strangers && self.is_left()
    }
    /// Whether what is quoted is fetched, and what its author says to that.
    pub(crate) fn has_quotes(self) -> bool {
        self.quotes > 0 && self.is_in_time()
    }
    /// So many quotes inside each other.
    pub(crate) fn quotes(quotes: u8) -> Self {
        Self { quotes, ..Self::NONE }
    }
    /// What is left of them for what is quoted.
    pub(crate) fn quotes_left(self) -> u8 {
        self.quotes.saturating_sub(1)
    }
    /// How what is fetched came here.
    pub(crate) fn how(self) -> How {
        if self.unseen { How::Relayed } else { How::Found }
    }
    pub(crate) fn less(self) -> Self {
        Self { parents: self.parents.saturating_sub(1), ..self }
    }
}

/// What an address leads to.
#[derive(Debug)]
pub enum Found {
    Account(Account),
    Status(Status),
}

/// What is at this address: of a page for people or of a document, here or elsewhere. [`Error::NotFound`] for what is
/// neither an account nor a post. What is for few is asked for in the name of `viewer`, who looks for it.
pub async fn by_address(federation: &Federation, address: &str, viewer: Option<AccountId>) -> Result<Found> {
    let url = Url::parse(address).map_err(|_| Error::NotFound)?;
    if federation.is_ours(url.as_str()) {
        return ours(federation, &url).await;
    }
    if let Some(known) = known(federation, url.as_str()).await? {
        return Ok(known);
    }
    let signer = federation.site_signer().await?;
    let fetched = match (federation.fetcher.page_or_document(&url, Some(&signer)).await, viewer) {
        (Ok(fetched), _) => fetched,
        (Err(refused), None) => return Err(failed(&url, refused)),
        (Err(refused), Some(viewer)) => entitled::once_more(federation, &url, (refused, Whose::Viewer(viewer))).await?,
    };
    match Document::read(&fetched.value).map_err(|_| Error::NotFound)? {
        Document::Actor(actor) => account::take(federation, &actor).await.map(Found::Account),
        Document::Note(note) => status::take(federation, &note, Budget::SENT).await.map(Found::Status),
        _ => Err(Error::NotFound),
    }
}

async fn known(federation: &Federation, uri: &str) -> Result<Option<Found>> {
    let conn = federation.db.read().await?;
    if let Some(account) = domain::accounts::remote::by_uri(&conn, uri).await? {
        return Ok(Some(Found::Account(account)));
    }
    Ok(domain::statuses::remote::by_uri(&conn, uri).await?.map(Found::Status))
}

/// Our own addresses: `/@name`, `/users/name`, `/@name/id`, `/users/name/statuses/id`.
async fn ours(federation: &Federation, url: &Url) -> Result<Found> {
    let base = format!("{}/", federation.site.base_url);
    let path = url.as_str().strip_prefix(base.as_str()).ok_or(Error::NotFound)?;
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let path = path.strip_prefix('@').or_else(|| path.strip_prefix("users/")).ok_or(Error::NotFound)?;
    let conn = federation.db.read().await?;
    let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let account = domain::accounts::lookup(&conn, &federation.site, name).await?;
    let Some(rest) = rest else { return Ok(Found::Account(account)) };
    let id = rest.strip_prefix("statuses/").unwrap_or(rest).parse().map_err(|_| Error::NotFound)?;
    let status = domain::statuses::store::by_id(&conn, id).await?.filter(|s| s.account_id == account.id);
    status.map(Found::Status).ok_or(Error::NotFound)
}

/// What a fetch that failed means to whoever wanted the thing.
pub(crate) fn failed(url: &Url, error: FetchError) -> Error {
    if error.is_gone() {
        return Error::Gone;
    }
    if error.is_absent() {
        return Error::NotFound;
    }
    match error {
        FetchError::Key(cause) => Error::internal(cause.to_string()),
        FetchError::Ours => Error::NotFound,
        error if error.passes() => {
            tracing::debug!(%url, %error, "a fetch failed");
            Error::Unreachable(host(url.as_str()).unwrap_or_default())
        }
        error => Error::forbidden(format!("{url}: {error}")),
    }
}
