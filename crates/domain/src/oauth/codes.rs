//! Codes: what an application gets when a person consents, and turns into a token once, within ten minutes.

use super::{App, Issued, OUT_OF_BAND, Refusal, Scopes, redirects, store, tokens};
use crate::{
    Error, Result, Time,
    db::{Conn, Db},
    ids::{AppId, UserId},
    row, secrets,
};
use std::time::Duration;

/// How long a code is good for.
const LIFE: Duration = Duration::from_secs(600);
/// Characters of PKCE's verifier, RFC 7636.
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;
/// Characters of a challenge made with S256.
const CHALLENGE: usize = 43;
/// A longer state is not carried back.
const STATE_BYTES: usize = 4096;

/// What the address of the consent page says. Absent is empty.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub client_id: String,
    pub redirect_uri: String,
    pub response_type: String,
    pub scope: String,
    pub state: String,
    pub code_challenge: String,
    pub code_challenge_method: String,
}

/// A request for consent that may be put to a person.
#[derive(Clone, Debug)]
pub struct Request {
    pub app: App,
    pub scopes: Scopes,
    pub redirect_uri: String,
    pub state: String,
    challenge: Option<String>,
}

/// What is wrong with a request for consent.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// No such application: nobody is sent anywhere.
    #[error("unknown application")]
    Client,
    /// Not an address that the application has registered: nobody is sent there.
    #[error("unknown redirect URI")]
    Redirect,
    /// The application's fault: it is told at its own address (None: it has none, the person reads it).
    #[error("{error}")]
    Request { error: &'static str, back: Option<String> },
    #[error(transparent)]
    Other(#[from] Error),
}

/// Checks a request for consent: first who asks and where the answer goes, then the rest.
pub async fn request(conn: &Conn, asked: Asked) -> Result<Request, Wrong> {
    let app = store::app_by_client_id(conn, &asked.client_id).await?.ok_or(Wrong::Client)?;
    if !app.redirect_uris().any(|uri| uri == asked.redirect_uri) {
        return Err(Wrong::Redirect);
    }
    let wrong = |error| {
        let answers = [("error", error), ("state", bounded(&asked.state))];
        Wrong::Request { error, back: redirects::with(&asked.redirect_uri, &answers) }
    };
    if asked.state.len() > STATE_BYTES {
        return Err(wrong("invalid_request"));
    }
    if asked.response_type != "code" {
        return Err(wrong("unsupported_response_type"));
    }
    let scopes = Scopes::asked(&asked.scope, app.scopes()).ok_or_else(|| wrong("invalid_scope"))?;
    let challenge = match (asked.code_challenge.as_str(), asked.code_challenge_method.as_str()) {
        ("", "") => None,
        (challenge, "S256") if is_challenge(challenge) => Some(challenge.to_owned()),
        // Without a method it would be "plain", which protects nobody.
        _ => return Err(wrong("invalid_request")),
    };
    Ok(Request { app, scopes, redirect_uri: asked.redirect_uri, state: asked.state, challenge })
}

fn bounded(state: &str) -> &str {
    if state.len() > STATE_BYTES { "" } else { state }
}

fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Where a person goes after deciding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Back to the application, with its answer.
    Redirect(String),
    /// Nowhere: shown this code to copy.
    Show(String),
    /// Nowhere: the application has no address and was refused.
    Nothing,
}

impl Request {
    /// The person said no.
    pub fn deny(&self) -> Consent {
        let answers = [("error", "access_denied"), ("state", self.state.as_str())];
        redirects::with(&self.redirect_uri, &answers).map_or(Consent::Nothing, Consent::Redirect)
    }

    pub fn is_out_of_band(&self) -> bool {
        self.redirect_uri == OUT_OF_BAND
    }
}

row! {
    /// A code that waits, or waited.
    pub(super) struct Code {
        pub(super) app_id: AppId,
        pub(super) user_id: UserId,
        pub(super) scopes: String,
        pub(super) redirect_uri: String,
        pub(super) challenge: Option<String>,
        pub(super) expires_at: Time,
    }
}

/// The person said yes: makes a code.
pub async fn authorize(db: &Db, user: UserId, request: &Request) -> Result<Consent> {
    let code = secrets::token()?;
    let tx = db.begin().await?;
    let row = Code {
        app_id: request.app.id,
        user_id: user,
        scopes: request.scopes.to_string(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        expires_at: tx.now.plus(LIFE),
    };
    store::insert_code(&tx, &row, &secrets::hash(&code)).await?;
    store::mark_used(&tx, request.app.id).await?;
    tx.commit().await?;
    let answers = [("code", code.as_str()), ("state", request.state.as_str())];
    Ok(redirects::with(&request.redirect_uri, &answers).map_or(Consent::Show(code.clone()), Consent::Redirect))
}

/// A code that an application wants a token for.
#[derive(Clone, Copy, Debug)]
pub struct Redeem<'a> {
    pub code: &'a str,
    pub redirect_uri: &'a str,
    /// PKCE's verifier; empty: none.
    pub verifier: &'a str,
}

/// Turns a code into a token. The code is used up, whatever the answer: of two who try, one gets a token.
pub async fn exchange(db: &Db, app: &App, redeem: Redeem<'_>) -> Result<Issued, Refusal> {
    let tx = db.begin().await?;
    let code = store::take_code(&tx, &secrets::hash(redeem.code)).await?.ok_or(Refusal::Grant)?;
    let fits = code.app_id == app.id
        && code.expires_at > tx.now
        && code.redirect_uri == redeem.redirect_uri
        && proves(redeem.verifier, code.challenge.as_deref());
    if !fits {
        tx.commit().await?;
        return Err(Refusal::Grant);
    }
    let issued = tokens::insert(&tx, (Some(app.id), Some(code.user_id)), Scopes::stored(&code.scopes)).await?;
    tx.commit().await?;
    Ok(issued)
}

/// PKCE: whether the verifier is the one that the challenge was made of. A verifier without a challenge means that
/// somebody took the challenge out of the request on its way.
fn proves(verifier: &str, challenge: Option<&str>) -> bool {
    match challenge {
        None => verifier.is_empty(),
        Some(challenge) => VERIFIER.contains(&verifier.len()) && secrets::same(&secrets::hash(verifier), challenge),
    }
}
