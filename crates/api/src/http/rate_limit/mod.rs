//! Rate limits in memory, with Mastodon's rules, headers and answer.
//!
//! The middleware runs before anybody has looked at the token, and a made-up token must not buy a fresh allowance.
//! So a token counts by itself only once the auth layer has vouched for it ([`RateKey::account`]): the limiter then
//! remembers, for an hour after the last use, which account the token's hash belongs to, and takes back what the
//! first request had charged to its address. Until then, and for tokens without a user, the address pays.

mod rules;
mod table;

pub use rules::{Rate, RateLimits, Rule};

use super::ClientIp;
use super::error::ApiError;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Time;
use rules::{RuleSet, Whose};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Once, OnceLock};
use table::Table;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// Seconds a token is remembered after its last use.
const TOKEN_MEMORY: i64 = 3600;

/// Request extension through which the auth layer says whose token it was. Absent when the limiter need not know.
#[derive(Clone, Debug, Default)]
pub struct RateKey(Arc<OnceLock<i64>>);

impl RateKey {
    /// The token is good and belongs to a user of this account.
    pub fn account(&self, id: i64) {
        // Told twice, the first stays.
        let _ = self.0.set(id);
    }
}

/// Who is counted, for [`RateLimiter::hit`].
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Account(i64),
    Ip(IpAddr),
    /// Such as an e-mail address; case does not count.
    Text(&'a str),
}

/// Where a request stands with the limit it is closest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    limit: u32,
    remaining: u32,
    /// Epoch seconds.
    reset: i64,
    exceeded: bool,
}

/// Counts requests. Cheap to clone; all clones count together. Memory is bounded by [`RateLimits::max_keys`].
#[derive(Clone, Debug)]
pub struct RateLimiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: RateLimits,
    table: Table,
    /// Keyed at random, so that nobody can aim at another's counter. Tokens are kept as hashes only.
    hasher: RandomState,
}

/// Keys of one request.
#[derive(Clone, Copy, Debug, Default)]
struct Caller {
    token: Option<u64>,
    account: Option<i64>,
    ip: Option<IpAddr>,
}

impl RateLimiter {
    pub fn new(limits: RateLimits) -> Self {
        let table = Table::new(limits.max_keys);
        Self(Arc::new(Inner { limits, table, hasher: RandomState::new() }))
    }

    /// Counts one use against a rule that no path stands for, such as sign-ins of one e-mail address.
    ///
    /// Errors: 429 when the rule's limit is exceeded.
    pub fn hit(&self, rule: Rule, subject: Subject<'_>) -> Result<(), ApiError> {
        if !self.0.limits.enabled {
            return Ok(());
        }
        let now = Time::now().seconds();
        let standing = self.0.count(rule, self.0.key(rule, subject), now);
        if standing.exceeded { Err(refusal(standing, now)) } else { Ok(()) }
    }
}

impl Inner {
    fn key(&self, rule: Rule, subject: Subject<'_>) -> u64 {
        let tag = rule as u8;
        match subject {
            Subject::Account(id) => self.hasher.hash_one((tag, 0_u8, id)),
            Subject::Ip(ip) => self.hasher.hash_one((tag, 1_u8, network(ip))),
            Subject::Text(text) => self.hasher.hash_one((tag, 2_u8, text.trim().to_lowercase())),
        }
    }

    fn count(&self, rule: Rule, key: u64, now: i64) -> Standing {
        let rate = self.limits.rate(rule);
        let reset = rate.window_end(now);
        let used = self.table.hit(key, reset, now);
        let limit = rate.limit;
        Standing { limit, remaining: limit.saturating_sub(used), reset, exceeded: used > limit }
    }

    /// The counter of `rule` that this caller pays into, if the rule is about them.
    fn key_of(&self, rule: Rule, caller: &Caller) -> Option<u64> {
        match rule.whose() {
            Whose::Account => Some(self.key(rule, Subject::Account(caller.account?))),
            Whose::Token => {
                caller.account?;
                Some(self.hasher.hash_one((rule as u8, 3_u8, caller.token?)))
            }
            Whose::Anonymous if caller.account.is_some() => None,
            Whose::Anonymous | Whose::Ip => Some(self.key(rule, Subject::Ip(caller.ip?))),
        }
    }

    /// Counts the request against every rule about it; gives the one closest to being exceeded.
    fn charge(&self, rules: RuleSet, caller: &Caller, now: i64) -> Option<Standing> {
        let counted = rules.iter().filter_map(|rule| Some(self.count(rule, self.key_of(rule, caller)?, now)));
        counted.min_by_key(|standing| (!standing.exceeded, standing.remaining))
    }

    /// The first time a token proves good: remember it, let the account pay and give the address its due back.
    fn learn(&self, rules: RuleSet, before: &Caller, account: i64) {
        let now = Time::now().seconds();
        let Some(token) = before.token else { return };
        self.table.remember(token, account, (now + TOKEN_MEMORY, now));
        let after = Caller { account: Some(account), ..*before };
        for rule in rules.iter() {
            match rule.whose() {
                Whose::Anonymous => {
                    if let Some(key) = self.key_of(rule, before) {
                        self.table.refund(key, now);
                    }
                }
                Whose::Account | Whose::Token => {
                    if let Some(key) = self.key_of(rule, &after) {
                        self.count(rule, key, now);
                    }
                }
                Whose::Ip => {}
            }
        }
    }

    fn caller(&self, parts: &Parts, now: i64) -> Caller {
        let token = bearer(parts).map(|token| self.hasher.hash_one((u8::MAX, token)));
        let account = token.and_then(|key| self.table.recall(key, (now + TOKEN_MEMORY, now)));
        let ip = parts.extensions.get::<ClientIp>().map(|ip| ip.0);
        if ip.is_none() {
            static WARNED: Once = Once::new();
            WARNED.call_once(|| tracing::warn!("client addresses are unknown: rate limits by address do not work"));
        }
        Caller { token, account, ip }
    }
}

/// Middleware for `axum::middleware::from_fn_with_state(limiter, rate_limit::limit)`: below CORS (scripts of other
/// sites must see a 429), above the routes. Needs [`ClientIp`] in the request's extensions.
pub async fn limit(State(limiter): State<RateLimiter>, request: Request, next: Next) -> Response {
    let inner = &limiter.0;
    if !inner.limits.enabled {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let rules = RuleSet::of(&parts.method, &parts.uri);
    if rules.is_empty() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let now = Time::now().seconds();
    let caller = inner.caller(&parts, now);
    let standing = inner.charge(rules, &caller, now);
    if let Some(standing) = standing.filter(|s| s.exceeded) {
        return refusal(standing, now).into_response();
    }
    let stranger = (caller.token.is_some() && caller.account.is_none()).then(RateKey::default);
    if let Some(key) = &stranger {
        parts.extensions.insert(key.clone());
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(account) = stranger.and_then(|key| key.0.get().copied()) {
        inner.learn(rules, &caller, account);
    } else if response.status() == StatusCode::UNAUTHORIZED
        && let Some(token) = caller.token
    {
        inner.table.forget(token);
    }
    if let Some(standing) = standing {
        let headers = response.headers_mut();
        for (name, value) in standing.headers() {
            headers.insert(name, value);
        }
    }
    response
}

impl Standing {
    fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        let reset = Time(self.reset.saturating_mul(1000)).iso();
        // An ISO 8601 time is always a valid value.
        let reset = HeaderValue::try_from(reset).unwrap_or(HeaderValue::from_static(""));
        [(LIMIT, HeaderValue::from(self.limit)), (REMAINING, HeaderValue::from(self.remaining)), (RESET, reset)]
    }
}

fn refusal(standing: Standing, now: i64) -> ApiError {
    let wait = HeaderValue::from((standing.reset - now).max(1));
    standing
        .headers()
        .into_iter()
        .fold(ApiError::too_many_requests().with_header(header::RETRY_AFTER, wait), |error, (name, value)| {
            error.with_header(name, value)
        })
}

fn bearer(parts: &Parts) -> Option<&[u8]> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

/// One household has a whole /64 of IPv6.
fn network(ip: IpAddr) -> u128 {
    match ip.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
