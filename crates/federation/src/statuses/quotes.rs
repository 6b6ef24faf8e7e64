//! What posts quote, and the stamps that allow it (FEP-044f).

use super::consent::Lists;
use super::serve::answer;
use crate::actors::serve::{local, private_document};
use crate::documents::{Document, Note, Quote, QuoteAuthorization, host, same_origin};
use crate::follows::place;
use crate::inbox::signer;
use crate::resolve::{self, Budget};
use crate::{Federation, Path, Refusal};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::ids::StatusId;
use domain::statuses::quotes::remote::{self as quotes, Arrived, Consent, Known};
use domain::statuses::{self, QuotePolicy, QuoteState, Status, Visibility, remote};
use domain::{Error, Result, Time, follows};
use std::time::Duration;
use url::Url;

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/users/{username}/quote_authorizations/{id}", get(stamp))
}

/// `GET /users/{username}/quote_authorizations/{id}`: whether the post `id` may show what it quotes, which is by
/// `username`. That of a post which not everybody may see only for signed requests of who may know of it.
/// <https://codeberg.org/fediverse/fep/src/branch/main/fep/044f/fep-044f.md>
async fn stamp(
    State(federation): State<Federation>,
    Path((username, id)): Path<(String, String)>,
    request: Request,
) -> std::result::Result<Response, Refusal> {
    let id: StatusId = id.parse().map_err(|_| Refusal::Unknown)?;
    let conn = federation.db.read().await?;
    let author = local(&conn, &username).await?;
    let quoting = statuses::store::by_id(&conn, id).await?.ok_or(Refusal::Unknown)?;
    let quoted = quoted(&conn, &quoting).await?.filter(|s| s.account_id == author.id).ok_or(Refusal::Unknown)?;
    if quoting.quote_state != QuoteState::Accepted || quoting.account_id == author.id {
        return Err(Refusal::Unknown);
    }
    drop(conn);
    let made = federation.stamp(&author, (&quoting, &quoted)).to_json();
    if quoting.visibility <= Visibility::Unlisted {
        return Ok(answer(&quoted, &made));
    }
    let (parts, _) = request.into_parts();
    let who = match signer::of_request(&federation, &parts).await {
        Err(Refusal::Later) => return Err(Refusal::Later),
        who => who.map_err(|_| Refusal::Unknown)?,
    };
    if who.suspended_at.is_none() && may_know(&federation, &who, &quoting).await? {
        return Ok(private_document(&made));
    }
    Err(Refusal::Unknown)
}

/// Whether `who` may know that `quoting` is there: who may see it, and everybody at its author's server and at those of
/// its author's followers, as far as they are known here. Servers ask in their own name.
async fn may_know(federation: &Federation, who: &Account, quoting: &Status) -> Result<bool> {
    let Some(at) = place(&who.uri) else { return Ok(false) };
    if place(&quoting.uri) == Some(at) {
        return Ok(true);
    }
    let conn = federation.db.read().await?;
    match statuses::visibility::visible(&conn, Some(who.id), quoting.id).await {
        Err(Error::NotFound) => {}
        seen => return seen.map(|_| true),
    }
    let is_for_followers = quoting.visibility == Visibility::Private;
    Ok(is_for_followers && !follows::remote::follower_uris_at(&conn, quoting.account_id, (at, 1)).await?.is_empty())
}

/// What `status` quotes, if that is here.
pub(crate) async fn quoted(conn: &Conn, status: &Status) -> Result<Option<Status>> {
    match status.quote_of_id {
        None => Ok(None),
        Some(id) => statuses::store::by_id(conn, id).await,
    }
}

impl Federation {
    /// By which `author`, of here, lets `quoting` show what they wrote.
    pub(crate) fn stamp(&self, author: &Account, (quoting, quoted): (&Status, &Status)) -> QuoteAuthorization {
        QuoteAuthorization {
            id: self.site.stamp_uri(&author.username, quoting.id),
            author: author.uri.clone(),
            quoting: quoting.uri.clone(),
            quoted: quoted.uri.clone(),
        }
    }

    /// What a post of ours says that it quotes: nothing once it may not.
    pub(crate) async fn quote(&self, conn: &Conn, status: &Status) -> Result<Option<Quote>> {
        if !matches!(status.quote_state, QuoteState::Accepted | QuoteState::Pending) {
            return Ok(None);
        }
        let Some(quoted) = quoted(conn, status).await? else { return Ok(None) };
        let authorization = match status.quote_state {
            QuoteState::Accepted if quoted.account_id == status.account_id => None,
            QuoteState::Accepted if quoted.local => {
                let author = accounts::store::by_id(conn, quoted.account_id).await?;
                author.map(|a| self.site.stamp_uri(&a.username, status.id))
            }
            QuoteState::Accepted => quotes::known(conn, status.id).await?.and_then(|known| known.stamp),
            _ => None,
        };
        Ok(Some(Quote { id: quoted.uri, legacy: false, authorization }))
    }

    /// What a post of another server quotes, looked up and fetched as far as `budget` goes. One step: what that quotes
    /// in turn is a job's, what it answers nobody's.
    pub(crate) async fn quote_of(&self, note: &Note, author: &Account, budget: Budget) -> Result<Option<Arrived>> {
        let Some(quote) = &note.quote else { return Ok(None) };
        let conn = self.db.read().await?;
        let mut found = remote::by_uri(&conn, &quote.id).await?;
        let here = remote::by_uri(&conn, &note.id).await?;
        let known = match &here {
            Some(here) => quotes::known(&conn, here.id).await?,
            None => None,
        };
        drop(conn);
        if found.is_none() && budget.has_quotes() && !self.is_ours(&quote.id) {
            found = match resolve::status::fetch_boxed(self, &quote.id, Budget::NONE).await {
                Ok(status) => {
                    // Not here and now: quotes may go round in circles.
                    if status.quote_state == QuoteState::Pending && budget.quotes_left() > 0 {
                        quotes::look_again(&self.db, status.id, budget.quotes_left()).await?;
                    }
                    Some(status)
                }
                // As with parents: our own trouble passes.
                Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
                Err(_) => None,
            };
        }
        let quoted = found.filter(|s| s.reblog_of_id.is_none());
        let seen_by = here.as_ref().map_or(Visibility::Public, |s| s.visibility);
        // By the stamp that holds already.
        let held = known
            .filter(|k| k.quoted_uri == quote.id && k.stamp == quote.authorization)
            .filter(|_| here.is_some_and(|s| s.quote_state == QuoteState::Accepted));
        let (consent, checked_at) = match (&quoted, &quote.authorization) {
            (None, _) => (Consent::Unknown, None),
            (Some(quoted), _) if quoted.account_id == author.id => (Consent::Given, None),
            (Some(quoted), Some(stamp)) if !quoted.local && quoted.visibility <= Visibility::Unlisted => {
                self.consent(stamp, (&note.id, seen_by, quoted), (held, budget)).await?
            }
            _ => (Consent::Missing, None),
        };
        let stamp = quote.authorization.clone();
        Ok(Some(Arrived { uri: quote.id.clone(), quoted: quoted.map(|s| s.id), stamp, consent, checked_at }))
    }

    /// Whether the author of what is quoted lets it be, by this stamp, and when that was looked at. One by which it is
    /// shown already (`held`) is looked at again, unless that was done just now.
    async fn consent(
        &self,
        stamp: &str,
        both: (&str, Visibility, &Status),
        (held, budget): (Option<Known>, Budget),
    ) -> Result<(Consent, Option<Time>)> {
        let now = Time::now();
        if held.as_ref().and_then(|known| known.checked_at).is_some_and(|at| now.since(at) < FRESH) {
            return Ok((Consent::Given, None));
        }
        let says = if budget.has_quotes() { self.stamp_says(stamp, both).await? } else { Says::Nothing };
        Ok(match (says, held) {
            (Says::Yes, _) => (Consent::Given, Some(now)),
            (Says::No, _) | (Says::NotToUs, None) => (Consent::Missing, Some(now)),
            (Says::NotToUs, Some(_)) => (Consent::Given, Some(now)),
            (Says::Nothing, Some(_)) => (Consent::Given, None),
            (Says::Nothing, None) => (Consent::Unknown, None),
        })
    }

    /// Whether there is such a stamp, where only the author of what is quoted can have put it, and for these two posts. Where
    /// not everybody may see that one quotes the other, that there is none is no proof: servers say so to others.
    async fn stamp_says(
        &self,
        stamp: &str,
        (quoting, visibility, quoted): (&str, Visibility, &Status),
    ) -> Result<Says> {
        let author = accounts::store::by_id(&self.db.read().await?, quoted.account_id).await?;
        let Some(author) = author.filter(|a| same_origin(stamp, &a.uri)) else { return Ok(Says::No) };
        let Ok(url) = Url::parse(stamp) else { return Ok(Says::No) };
        let signer = self.site_signer().await?;
        let fetched = match self.fetcher.document(&url, Some(&signer)).await {
            Ok(fetched) => fetched,
            Err(error) if error.passes() => return Ok(Says::Nothing),
            Err(error) if error.is_absent() && visibility <= Visibility::Unlisted => return Ok(Says::No),
            Err(_) => return Ok(Says::NotToUs),
        };
        let fits = match Document::read(&fetched.value) {
            Ok(Document::QuoteAuthorization(it)) => {
                it.id == stamp && it.author == author.uri && it.quoting == quoting && it.quoted == quoted.uri
            }
            _ => false,
        };
        Ok(if fits { Says::Yes } else { Says::No })
    }

    /// Looks once more at the stamp by which a post shows another: without it, it does no more.
    pub async fn check_stamp(&self, quoting: StatusId) -> Result<()> {
        let conn = self.db.read().await?;
        let quoting = statuses::store::by_id(&conn, quoting).await?;
        let Some(quoting) = quoting.filter(|s| s.quote_state == QuoteState::Accepted) else { return Ok(()) };
        let stamp = quotes::known(&conn, quoting.id).await?.and_then(|known| known.stamp);
        let quoted = quoted(&conn, &quoting).await?.filter(|s| !s.local);
        drop(conn);
        let (Some(stamp), Some(quoted)) = (stamp, quoted) else { return Ok(()) };
        match self.stamp_says(&stamp, (&quoting.uri, quoting.visibility, &quoted)).await? {
            Says::No => quotes::revoked(&self.db, quoted.account_id, (&stamp, None)).await.map(drop),
            Says::Yes | Says::NotToUs => quotes::checked(&self.db, quoting.id).await,
            Says::Nothing => Err(Error::Unreachable(host(&stamp).unwrap_or_default())),
        }
    }

    /// Somebody says that this stamp was taken back: it is looked at. False when it is none that is known.
    pub(crate) async fn check_stamps(&self, stamp: &str) -> Result<bool> {
        let known = quotes::by_stamp(&self.db.read().await?, stamp).await?;
        for quoting in &known {
            self.check_stamp(*quoting).await?;
        }
        Ok(!known.is_empty())
    }
}

/// A stamp that was seen this lately is not asked for again with each edit.
const FRESH: Duration = Duration::from_secs(3600);

/// What a stamp says when it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Yes,
    /// It is gone, or says something else.
    No,
    /// It is not shown to this server.
    NotToUs,
    /// It cannot be had now.
    Nothing,
}

/// Who may quote a post of another server, by one of the two lists of its policy: what is not said is forbidden.
pub(crate) fn policy(entries: Option<&Vec<String>>, lists: Lists<'_>) -> QuotePolicy {
    let has = |uri: &str| entries.is_some_and(|entries| entries.iter().any(|entry| entry == uri));
    if has(crate::documents::PUBLIC) {
        return QuotePolicy::Public;
    }
    match (lists.followers.is_some_and(has), lists.following.is_some_and(has)) {
        (true, true) => QuotePolicy::Circles,
        (true, false) => QuotePolicy::Followers,
        (false, true) => QuotePolicy::Following,
        (false, false) => QuotePolicy::Nobody,
    }
}
