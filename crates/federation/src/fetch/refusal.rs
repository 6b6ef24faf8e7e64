//! Answers that are no success: why, as far as they let that be seen.

use super::Error;
use super::body::wanted_or_not;
use super::send::{Lease, Patience};
use axum::http::{HeaderMap, HeaderName, Response, header};
use domain::Time;
use hyper::body::Incoming;
use serde_json::Value;
use std::time::Duration;

/// Longest that anybody is asked to wait.
const RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Clocks that are less apart agree.
const NEAR: u64 = 5 * 60;
/// Characters of what somebody says.
const WORDS: usize = 200;

pub(super) fn refused(response: &Response<Incoming>) -> Error {
    let (status, headers) = (response.status().as_u16(), response.headers());
    let retry_after = text(headers, header::RETRY_AFTER).and_then(|text| retry_after(text, Time::now()));
    // What is signed holds for a while from when it was.
    let clock = ahead(headers, Time::now()).filter(|_| status == 401).and_then(apart);
    let note = clock.map_or_else(String::new, |clock| format!(" ({clock})"));
    Error::Status { status, retry_after, note }
}

/// The same with what it says of why, for people who look for what is wrong.
pub(super) async fn refused_in_words(response: Response<Incoming>, lease: Lease, patience: Patience) -> Error {
    let mut error = refused(&response);
    let kind = text(response.headers(), header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let body = wanted_or_not(response, lease, patience).await;
    if let (true, Some(body), Error::Status { note, .. }) = (is_error, body, &mut error)
        && let Some(words) = words(&kind, &body)
    {
        note.insert_str(0, &format!(": {words}"));
    }
    error
}

/// The error that JSON tells of, or plain text; in one line, and never long.
fn words(kind: &str, body: &[u8]) -> Option<String> {
    let told = match super::is_json(kind) {
        true => {
            let value = serde_json::from_slice::<Value>(body).ok()?;
            let error = &value["error"];
            error.as_str().or_else(|| error["message"].as_str())?.to_owned()
        }
        false if kind.starts_with("text/plain") => String::from_utf8_lossy(body).into_owned(),
        false => return None,
    };
    let told: String = told.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    (!told.is_empty()).then(|| told.chars().take(WORDS).collect())
}

/// By how many seconds the clock of who answers is ahead of ours, as far as the answer tells the time. What comes out of a
/// cache says how old it is.
pub(super) fn ahead(headers: &HeaderMap, now: Time) -> Option<i64> {
    let date = crate::signatures::http_date(text(headers, header::DATE)?.trim())?;
    let age = text(headers, header::AGE).and_then(|age| age.trim().parse::<u32>().ok()).unwrap_or(0);
    Some(date.seconds().saturating_add(i64::from(age)).saturating_sub(now.seconds()))
}

/// In words, when clocks are apart.
pub fn apart(ahead: i64) -> Option<String> {
    const HOUR: u64 = 3600;
    let span = match ahead.unsigned_abs() {
        ..NEAR => return None,
        seconds @ ..7200 => format!("{} minutes", seconds / 60),
        seconds @ ..172_800 => format!("{} hours", seconds / HOUR),
        seconds => format!("{} days", seconds / (24 * HOUR)),
    };
    Some(format!("its clock is {span} {} ours", if ahead > 0 { "ahead of" } else { "behind" }))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Seconds, or a date.
fn retry_after(text: &str, now: Time) -> Option<Duration> {
    let seconds = text.trim().parse().ok().map(Duration::from_secs);
    let at = || crate::signatures::http_date(text.trim()).map(|at| at.since(now));
    seconds.or_else(at).map(|wait| wait.min(RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait() {
        let now = crate::signatures::http_date("Tue, 20 Apr 2021 02:07:55 GMT").unwrap();
        assert_eq!(retry_after("30", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Tue, 20 Apr 2021 02:08:55 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Tue, 20 Apr 2020 02:08:55 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999", now), Some(RETRY_AFTER));
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn whose_clock_is_ahead() {
        let now = crate::signatures::http_date("Tue, 20 Apr 2021 02:07:55 GMT").unwrap();
        let told = |headers: &[(&'static str, &'static str)]| {
            let one = |&(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
            };
            ahead(&headers.iter().map(one).collect(), now)
        };
        assert_eq!(told(&[("date", "Tue, 20 Apr 2021 05:07:55 GMT")]), Some(3 * 3600));
        assert_eq!(told(&[("date", "Tue, 20 Apr 2021 02:00:00 GMT"), ("age", "475")]), Some(0));
        assert_eq!(told(&[("date", "Tue, 20 Apr 2021 02:07:56 GMT"), ("age", "long")]), Some(1));
        assert_eq!((told(&[("date", "now")]), told(&[])), (None, None));
        let said = |ahead| apart(ahead).unwrap_or_default();
        assert_eq!((said(299), said(-299), said(i64::MIN).is_empty()), (String::new(), String::new(), false));
        assert_eq!(said(300), "its clock is 5 minutes ahead of ours");
        assert_eq!(said(-3 * 3600), "its clock is 3 hours behind ours");
        assert_eq!(said(86_400 * 40), "its clock is 40 days ahead of ours");
    }

    #[test]
    fn what_is_said_of_why() {
        let said = |kind: &str, body: &str| words(kind, body.as_bytes());
        let told = said("application/json; charset=utf-8", r#"{"error":"Verification\n failed\u001b[31m"}"#);
        assert_eq!(told.as_deref(), Some("Verification failed [31m"));
        assert_eq!(said("application/json", r#"{"error":{"message":"no"}}"#).as_deref(), Some("no"));
        assert_eq!(said("text/plain", " Request not\r\nsigned ").as_deref(), Some("Request not signed"));
        for (kind, body) in [
            ("application/json", r#"{"error":7}"#),
            ("application/json", "["),
            ("text/plain", " "),
            ("text/html", "<p>no</p>"),
            ("", "no"),
        ] {
            assert_eq!(said(kind, body), None, "{body}");
        }
        assert_eq!(said("text/plain", &"語".repeat(9_000)).map(|words| words.chars().count()), Some(WORDS));
    }
}
