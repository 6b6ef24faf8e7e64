//! The cookies: who is signed in, who is about to be, and which browser it is that fills in a form before that.

use crate::Web;
use axum::http::{HeaderMap, HeaderValue, header};
use domain::sessions;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The secret of a session.
    Session,
    /// The secret of somebody whose password was right and whose code is still to come.
    Challenge,
    /// A random secret that forms are tied to while nobody is signed in.
    Browser,
}

/// A browser that started to fill in a form may take this long.
const BROWSER_LIFE: Duration = Duration::from_secs(86_400);

impl Cookie {
    /// Over TLS a name that neither other sites on the same domain nor plain HTTP can set.
    fn name(self, web: &Web) -> &'static str {
        match (self, web.is_secure()) {
            (Self::Session, true) => "__Host-noren_session",
            (Self::Session, false) => "noren_session",
            (Self::Challenge, true) => "__Host-noren_challenge",
            (Self::Challenge, false) => "noren_challenge",
            (Self::Browser, true) => "__Host-noren_browser",
            (Self::Browser, false) => "noren_browser",
        }
    }

    /// What the browser sent; None when nothing, or nothing that can be ours.
    pub(crate) fn read(self, web: &Web, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let value = pairs.filter(|(name, _)| *name == self.name(web)).map(|(_, value)| value).next()?;
        let ours = value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        ours.then(|| value.to_owned())
    }

    /// The header that gives the browser `value`.
    pub(crate) fn set(self, web: &Web, value: &str) -> Option<HeaderValue> {
        let life = match self {
            Self::Session => sessions::LIFE,
            Self::Challenge => sessions::CHALLENGE_LIFE,
            Self::Browser => BROWSER_LIFE,
        };
        self.header(web, value, life)
    }

    /// The header that takes it away.
    pub(crate) fn clear(self, web: &Web) -> Option<HeaderValue> {
        self.header(web, "", Duration::ZERO)
    }

    fn header(self, web: &Web, value: &str, life: Duration) -> Option<HeaderValue> {
        let secure = if web.is_secure() { "; Secure" } else { "" };
        let text =
            format!("{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}", self.name(web), life.as_secs());
        HeaderValue::try_from(text).ok()
    }
}
