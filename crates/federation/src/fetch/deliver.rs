//! Bringing an activity to an inbox.

use super::body::Body;
use super::request::{Answer, Scope, refused};
use super::send::{Outgoing, Patience};
use super::{Bounds, Error, Fetcher};
use crate::signatures::{Form, Payload, Signer};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Inboxes say little; what says more costs its connection.
const ANSWER: Bounds =
    Bounds { bytes: 16 * 1024, idle: Duration::from_secs(10), total: Duration::from_secs(20), redirects: 0 };

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
        let target = self.checked(inbox, Scope::Federation)?;
        let patience = Patience { idle: ANSWER.idle, until: Instant::now() + ANSWER.total };
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/activity+json"));
        let out = Outgoing { method: Method::POST, url: inbox, headers, body: payload.bytes.clone() };
        let answer = self.knock((&target, out), (signer, Some(payload), extra), patience).await?;
        let Answer { response, lease, form } = answer;
        let status = response.status();
        let failure = refused(&response);
        let (parts, incoming) = response.into_parts();
        if let Ok(body) = Body::new((&parts.headers, incoming), lease, (&ANSWER, patience)) {
            body.drain().await;
        }
        match status.is_success() {
            true => Ok(Delivered { status: status.as_u16(), form: form.unwrap_or_default() }),
            false => Err(failure),
        }
    }
}
