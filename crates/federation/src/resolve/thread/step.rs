//! One step of a walk: one request, and what came of it.

use crate::Federation;
use crate::documents::{Collection, Document, Note, host, same_origin};
use crate::fetch::Error as FetchError;
use crate::resolve::entitled::{self, Whose};
use crate::resolve::{Budget, account, status};
use crate::statuses::arrive;
use domain::ids::StatusId;
use domain::statuses::{QuoteState, Status, Visibility, remote, threads};
use domain::{Error, Result, accounts, tombstones};
use serde_json::Value;
use url::Url;

/// Of whom an answer names, those who may have written what it answers.
const NAMED: usize = 100;

pub(super) enum Step {
    Post(String),
    /// A post that was fetched before what it answers.
    Held(Box<Note>),
    /// A list, or a page of one; `left`: pages that may come, this one too.
    Page {
        uri: String,
        left: usize,
    },
    /// What `note`, which is here without it, answers; `left`: so far up, with this.
    Above {
        note: Box<Note>,
        left: usize,
    },
    /// Says how far the walk came.
    Noted {
        root: StatusId,
        found: i64,
    },
}

pub(super) enum Got {
    Post {
        replies: Option<Collection>,
        context: Option<String>,
        /// It is in the thread and was not.
        new: bool,
        /// The post itself, if what it answers is not here.
        above: Option<Box<Note>>,
    },
    /// What was looked for above a post.
    Below {
        /// The post was put below it.
        new: bool,
        /// What came, if what that answers is not here.
        above: Option<Box<Note>>,
    },
    /// What it answers is not here.
    Orphan(Box<Note>),
    Page(Collection),
    /// It is not there, not for us, or does not belong here.
    Nothing,
    /// Its host wants no more of this, or does not answer.
    Rest,
}

impl Step {
    pub(super) fn uri(&self) -> &str {
        match self {
            Self::Post(uri) | Self::Page { uri, .. } => uri,
            Self::Held(note) => &note.id,
            Self::Above { note, .. } => note.in_reply_to.as_deref().unwrap_or_default(),
            Self::Noted { .. } => "",
        }
    }
    pub(super) fn host(&self) -> String {
        host(self.uri()).unwrap_or_default()
    }
    /// Errors are ours; what goes wrong elsewhere is something that was got.
    pub(super) async fn perform(self, federation: &Federation) -> (Self, Result<Got>) {
        let got = match &self {
            Self::Post(uri) => post(federation, uri).await,
            Self::Held(note) => kept(take(federation, note).await),
            Self::Page { uri, .. } => page(federation, uri).await,
            Self::Above { note, .. } => above(federation, note).await,
            Self::Noted { root, found } => threads::found(&federation.db, *root, *found).await.map(|()| Got::Nothing),
        };
        (self, got)
    }
}

async fn document(federation: &Federation, uri: &str) -> Result<std::result::Result<Value, Got>> {
    document_by(federation, uri, None).await
}

/// If these may be its authors, also as a follower of theirs sees it.
async fn document_by(
    federation: &Federation,
    uri: &str,
    authors: Option<&[String]>,
) -> Result<std::result::Result<Value, Got>> {
    let Ok(url) = Url::parse(uri) else { return Ok(Err(Got::Nothing)) };
    let signer = federation.site_signer().await?;
    let got = match (federation.fetcher.document(&url, Some(&signer)).await, authors) {
        (Err(refused), Some(authors)) => {
            entitled::again(federation, &url, (refused, Whose::Followers(authors))).await?
        }
        (got, _) => got,
    };
    match got {
        Ok(fetched) => Ok(Ok(fetched.value)),
        Err(FetchError::Key(cause)) => Err(Error::internal(cause.to_string())),
        Err(error) => {
            tracing::debug!(%url, %error, "part of a thread cannot be had");
            let status = if let FetchError::Status { status, .. } = &error { Some(*status) } else { None };
            // What nobody was asked for may be there.
            if !matches!(error, FetchError::Busy) {
                federation.missing.put(uri, status);
            }
            let rests = error.is_of_the_host() || status == Some(429);
            Ok(Err(if rests { Got::Rest } else { Got::Nothing }))
        }
    }
}

async fn page(federation: &Federation, uri: &str) -> Result<Got> {
    if federation.missing.has(uri) {
        return Ok(Got::Nothing);
    }
    Ok(match document(federation, uri).await? {
        Ok(value) => match Document::read(&value) {
            Ok(Document::Collection(list)) => Got::Page(*list),
            _ => Got::Nothing,
        },
        Err(got) => got,
    })
}

async fn post(federation: &Federation, uri: &str) -> Result<Got> {
    let value = match document(federation, uri).await? {
        Ok(value) => value,
        Err(got) => return Ok(got),
    };
    match Document::read(&value) {
        Ok(Document::Note(note)) if note.id == uri => kept(take(federation, &note).await),
        _ => Ok(Got::Nothing),
    }
}

/// One step up from a post that is here: the parent is kept for its sake, whatever that answers.
async fn above(federation: &Federation, note: &Note) -> Result<Got> {
    let Some(uri) = note.in_reply_to.as_deref() else { return Ok(Got::Nothing) };
    let mut next = None;
    if remote::by_uri(&federation.db.read().await?, uri).await?.is_none() {
        if federation.is_ours(uri) || federation.missing.has(uri) {
            return Ok(Got::Nothing);
        }
        let named: Vec<String> = note.mentions.iter().map(|m| m.href.clone()).take(NAMED).collect();
        let value = match document_by(federation, uri, Some(&named)).await? {
            Ok(value) => value,
            Err(got) => return Ok(got),
        };
        let parent = match Document::read(&value) {
            Ok(Document::Note(parent)) if parent.id == uri && may_be_above(federation, &parent).await? => parent,
            _ => return Ok(Got::Nothing),
        };
        let is_apart = |taken: &Status| taken.in_reply_to_id.is_none() && parent.in_reply_to.is_some();
        match status::take(federation, &parent, Budget::NONE).await {
            Ok(taken) if is_apart(&taken) && is_open(&parent) => next = Some(parent),
            Ok(_) => {}
            Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
            Err(_) => return Ok(Got::Nothing),
        }
    }
    let new = matches!(kept(take(federation, note).await)?, Got::Post { new: true, .. });
    Ok(Got::Below { new, above: next })
}

/// For everybody, and a post.
fn is_open(note: &Note) -> bool {
    let open = note.visibility(None).is_some_and(|v| v <= Visibility::Unlisted);
    open && note.vote().is_none() && same_origin(&note.id, &note.author)
}

/// For everybody, or for followers, whom its author's server shows it to.
async fn may_be_above(federation: &Federation, note: &Note) -> Result<bool> {
    if is_open(note) || note.vote().is_some() || !same_origin(&note.id, &note.author) {
        return Ok(is_open(note));
    }
    let author = match account::named(federation, &note.author).await {
        Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
        Err(_) => return Ok(false),
        Ok(author) => author,
    };
    let actor = accounts::remote::store::actor(&federation.db.read().await?, author.id).await?;
    let followers = actor.and_then(|actor| actor.followers);
    Ok(note.visibility(followers.as_deref()) == Some(Visibility::Private))
}

/// What may not be kept is nothing; only our own failures are errors.
fn kept(taken: Result<Got>) -> Result<Got> {
    match taken {
        Err(error @ (Error::Internal(_) | Error::Busy(_))) => Err(error),
        Err(_) => Ok(Got::Nothing),
        got => got,
    }
}

/// Keeps a post that was fetched where it is from, if it answers something that is here.
async fn take(federation: &Federation, note: &Note) -> Result<Got> {
    if !is_open(note) {
        return Ok(Got::Nothing);
    }
    let conn = federation.db.read().await?;
    let known = remote::by_uri(&conn, &note.id).await?;
    let parent = match &note.in_reply_to {
        None => None,
        Some(uri) => remote::by_uri(&conn, uri).await?,
    };
    let gone = known.is_none() && tombstones::is_gone(&conn, &note.id).await?;
    drop(conn);
    let mut above = None;
    let new = match (known, parent) {
        _ if gone => return Ok(Got::Nothing),
        (Some(known), None) if is_apart(federation, note, &known) => {
            above = Some(Box::new(note.clone()));
            seen_again(federation, note, (&known, None)).await?
        }
        (Some(known), parent) => seen_again(federation, note, (&known, parent.as_ref())).await?,
        (None, Some(parent)) if threads::is_elsewhere(&parent) || parent.local => {
            status::take(federation, note, Budget::THREAD).await?;
            true
        }
        (None, None) if note.in_reply_to.as_deref().is_some_and(|uri| !federation.is_ours(uri)) => {
            return Ok(Got::Orphan(Box::new(note.clone())));
        }
        _ => return Ok(Got::Nothing),
    };
    let context = note.context.clone().filter(|uri| Url::parse(uri).is_ok());
    Ok(Got::Post { replies: note.replies.clone(), context, new, above })
}

/// Whether it stands by itself here, though it answers something elsewhere.
fn is_apart(federation: &Federation, note: &Note, known: &Status) -> bool {
    let answers = note.in_reply_to.as_deref().is_some_and(|uri| !federation.is_ours(uri));
    answers && !known.local && known.reblog_of_id.is_none() && known.in_reply_to_id.is_none()
}

/// One that is here: as it is now, and below what it answers. Whether it was not there before.
async fn seen_again(federation: &Federation, note: &Note, (known, parent): (&Status, Option<&Status>)) -> Result<bool> {
    if known.local || known.reblog_of_id.is_some() {
        return Ok(false);
    }
    let edited = note.updated.is_some_and(|at| at > known.edited_at.unwrap_or(known.created_at));
    let asks = note.quote.is_some() && known.quote_state == QuoteState::Pending;
    let told = remote::Told::of(known);
    let counted = arrive::told(note).after(told) != told;
    if edited || asks || counted || note.poll.is_some() {
        let author = account::named(federation, &note.author).await?;
        let arrived = federation.arrived(note, &author, (remote::How::Found, Budget::THREAD)).await?;
        arrive::edit(federation, &arrived).await?;
    }
    if known.in_reply_to_id.is_some() {
        return Ok(false);
    }
    match parent {
        Some(parent) if may_answer(federation, note, (known, parent.id)).await? => {
            remote::adopt(&federation.db, known.id, parent.id).await
        }
        _ => Ok(false),
    }
}

/// Whether the author of `parent` lets it be put below that.
async fn may_answer(federation: &Federation, note: &Note, (known, parent): (&Status, StatusId)) -> Result<bool> {
    let author = accounts::store::by_id(&federation.db.read().await?, known.account_id).await?;
    let Some(author) = author else { return Ok(false) };
    match federation.check_answer(note, &author, parent).await {
        Ok(()) => Ok(true),
        Err(Error::Forbidden(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
