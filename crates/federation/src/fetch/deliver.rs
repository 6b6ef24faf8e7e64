//! Bringing an activity to an inbox.

use super::body::settle;
use super::refusal::refused_in_words;
use super::request::{Answer, Scope};
use super::send::{Outgoing, Patience};
use super::{Error, Fetcher};
use crate::signatures::{Form, Payload, Signer};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// For the answer to begin, and for all of it.
const IDLE: Duration = Duration::from_secs(10);
const TOTAL: Duration = Duration::from_secs(20);

/// An inbox has taken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub status: u16,
    /// The form of signature that was accepted.
    pub form: Form,
}

impl Fetcher {
    /// Posts `payload` to `inbox`, signed now. `extra` are headers to be signed with it. Redirects are not followed:
    /// whoever moved its inbox says so in its actor.
    pub async fn deliver(
        &self,
        inbox: &Url,
        payload: &Payload,
        signer: &Signer,
        extra: &[(&'static str, String)],
    ) -> Result<Delivered, Error> {
        self.post((inbox, Scope::Federation), payload, signer, extra).await
    }

    /// As [`Fetcher::deliver`], also to who is blocked.
    pub async fn farewell(&self, inbox: &Url, payload: &Payload, signer: &Signer) -> Result<Delivered, Error> {
        self.post((inbox, Scope::Farewell), payload, signer, &[]).await
    }

    async fn post(
        &self,
        (inbox, scope): (&Url, Scope),
        payload: &Payload,
        signer: &Signer,
        extra: &[(&'static str, String)],
    ) -> Result<Delivered, Error> {
        let target = self.checked(inbox, scope).await?;
        let patience = Patience { idle: IDLE, until: Instant::now() + TOTAL };
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/activity+json"));
        let out = Outgoing { method: Method::POST, url: inbox, headers, body: payload.bytes.clone() };
        let answer = self.knock((&target, out), (signer, Some(payload), extra), patience).await?;
        let Answer { response, lease, form } = answer;
        let status = response.status();
        if !status.is_success() {
            return Err(refused_in_words(response, lease, patience).await);
        }
        settle(response, lease, patience).await;
        Ok(Delivered { status: status.as_u16(), form: form.unwrap_or_default() })
    }
}
