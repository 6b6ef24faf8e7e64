//! The limiter as a client meets it.

use super::*;
use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::routing::any;
use http_body_util::BodyExt;
use tower::ServiceExt;

/// An app whose auth layer knows tokens `good-<account>`, and answers 401 to other tokens.
fn app(limits: RateLimits) -> Router {
    async fn endpoint(headers: HeaderMap, key: Option<axum::Extension<RateKey>>) -> StatusCode {
        let token = headers.get("authorization").map(|v| v.to_str().unwrap().trim_start_matches("Bearer ").to_owned());
        match token.as_deref().map(|t| t.strip_prefix("good-").and_then(|id| id.parse().ok())) {
            None => StatusCode::OK,
            Some(None) => StatusCode::UNAUTHORIZED,
            Some(Some(id)) => {
                if let Some(key) = key {
                    key.0.account(id);
                }
                StatusCode::OK
            }
        }
    }
    let limiter = RateLimiter::new(limits);
    Router::new().fallback(any(endpoint)).layer(axum::middleware::from_fn_with_state(limiter, limit))
}

/// Windows of a day, so that no test crosses one (but at midnight).
fn day(limit: u32) -> Rate {
    Rate::new(limit, 86_400)
}

async fn send(app: &Router, line: &str, ip: &str, token: &str) -> Response {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri).extension(ClientIp(ip.parse().unwrap()));
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn status(app: &Router, line: &str, ip: &str, token: &str) -> u16 {
    send(app, line, ip, token).await.status().as_u16()
}

const GET: &str = "GET /api/v1/instance";

#[tokio::test]
async fn addresses_are_counted_and_told() {
    let app = app(RateLimits { anonymous: day(2), ..RateLimits::default() });
    let first = send(&app, GET, "192.0.2.1", "").await;
    assert_eq!(first.status(), 200);
    assert_eq!(first.headers()["x-ratelimit-limit"], "2");
    assert_eq!(first.headers()["x-ratelimit-remaining"], "1");
    let reset = first.headers()["x-ratelimit-reset"].to_str().unwrap();
    assert!(reset.ends_with("T00:00:00.000Z"), "{reset}");
    assert_eq!(status(&app, GET, "::ffff:192.0.2.1", "").await, 200);
    let refused = send(&app, GET, "192.0.2.1", "").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
    assert!(refused.headers().contains_key("retry-after"));
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], br#"{"error":"Too many requests"}"#);
    assert_eq!(status(&app, GET, "192.0.2.2", "").await, 200);
    assert!(!send(&app, "GET /about", "192.0.2.1", "").await.headers().contains_key("x-ratelimit-limit"));
}

#[tokio::test]
async fn a_household_of_ipv6_counts_as_one() {
    let app = app(RateLimits { anonymous: day(1), ..RateLimits::default() });
    assert_eq!(status(&app, GET, "2001:db8::1", "").await, 200);
    assert_eq!(status(&app, GET, "2001:db8::ffff:1", "").await, 429);
    assert_eq!(status(&app, GET, "2001:db8:0:1::1", "").await, 200);
}

#[tokio::test]
async fn made_up_tokens_buy_nothing() {
    let app = app(RateLimits { anonymous: day(3), ..RateLimits::default() });
    for i in 0..3 {
        assert_eq!(status(&app, GET, "192.0.2.1", &format!("bad-{i}")).await, 401);
    }
    assert_eq!(status(&app, GET, "192.0.2.1", "bad-3").await, 429);
}

#[tokio::test]
async fn known_tokens_do_not_burden_their_address() {
    let app = app(RateLimits { anonymous: day(2), token: day(3), account: day(5), ..RateLimits::default() });
    for _ in 0..3 {
        assert_eq!(status(&app, GET, "192.0.2.1", "good-1").await, 200);
    }
    assert_eq!(status(&app, GET, "192.0.2.9", "good-1").await, 429);
    // The first request had been charged to the address and given back.
    for expected in [200, 200, 429] {
        assert_eq!(status(&app, GET, "192.0.2.1", "").await, expected);
    }
    // A known token goes through even where strangers are refused.
    assert_eq!(status(&app, GET, "192.0.2.2", "good-2").await, 200);
    assert_eq!(status(&app, GET, "192.0.2.1", "good-2").await, 200);
}

#[tokio::test]
async fn accounts_are_counted_over_their_tokens() {
    let app = app(RateLimits { delete: day(2), ..RateLimits::default() });
    assert_eq!(status(&app, "DELETE /api/v1/statuses/1", "192.0.2.1", "good-01").await, 200);
    assert_eq!(status(&app, "POST /api/v1/statuses/2/unreblog", "192.0.2.1", "good-1").await, 200);
    let refused = send(&app, "DELETE /api/v1/statuses/3", "192.0.2.1", "good-1").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-limit"], "2");
    assert_eq!(status(&app, GET, "192.0.2.1", "good-1").await, 200);
}

#[tokio::test]
async fn sign_ups_and_e_mail_addresses() {
    let limits = RateLimits { sign_up: day(1), sign_in_email: day(1), ..RateLimits::default() };
    let limiter = RateLimiter::new(limits.clone());
    assert!(limiter.hit(Rule::SignInEmail, Subject::Text("A@example.org")).is_ok());
    assert!(limiter.hit(Rule::SignInEmail, Subject::Text("a@Example.org ")).is_err());
    assert!(limiter.hit(Rule::SignInEmail, Subject::Text("b@example.org")).is_ok());
    let app = app(limits);
    assert_eq!(status(&app, "POST /api/v1/accounts", "192.0.2.1", "").await, 200);
    assert_eq!(status(&app, "POST /api/v1/accounts", "192.0.2.1", "").await, 429);
}

#[tokio::test]
async fn off_is_off() {
    let app = app(RateLimits { enabled: false, anonymous: day(1), ..RateLimits::default() });
    for _ in 0..3 {
        let response = send(&app, GET, "192.0.2.1", "").await;
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("x-ratelimit-limit"));
    }
}

#[test]
fn windows_pass() {
    let limiter = RateLimiter::new(RateLimits { anonymous: Rate::new(1, 300), ..RateLimits::default() });
    let rules = RuleSet::of(&axum::http::Method::GET, &"/api/v1/x".parse().unwrap());
    let caller = Caller { ip: Some([192, 0, 2, 1].into()), ..Caller::default() };
    let exceeded = |now| limiter.0.charge(rules, &caller, now).unwrap().exceeded;
    assert_eq!([exceeded(10), exceeded(299), exceeded(300), exceeded(301)], [false, true, false, true]);
}
