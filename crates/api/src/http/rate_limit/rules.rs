//! Which rules there are, whom each counts, and which of them a request falls under.

use axum::http::{Method, Uri};
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How many requests in how long: `"300/5m"`. Windows are aligned to the clock, as Mastodon's are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub limit: u32,
    /// At least one, at most a day.
    pub seconds: u32,
}

impl Rate {
    pub const fn new(limit: u32, seconds: u32) -> Self {
        Self { limit, seconds }
    }
    /// Epoch seconds at which the window around `now` ends.
    pub(super) fn window_end(self, now: i64) -> i64 {
        let length = i64::from(self.seconds.max(1));
        (now.div_euclid(length) + 1) * length
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            s if s % 3600 == 0 => write!(f, "{}/{}h", self.limit, s / 3600),
            s if s % 60 == 0 => write!(f, "{}/{}m", self.limit, s / 60),
            s => write!(f, "{}/{s}s", self.limit),
        }
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a rate such as \"300/5m\": a number, a slash, and s, m or h up to 24h");
        let (limit, window) = text.split_once('/').ok_or_else(wrong)?;
        let unit = match window.trim().as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            _ => return Err(wrong()),
        };
        let window = window.trim();
        let count: u32 = window[..window.len() - 1].parse().map_err(|_| wrong())?;
        let limit: u32 = limit.trim().parse().map_err(|_| wrong())?;
        match count.checked_mul(unit) {
            Some(seconds @ 1..=86_400) if limit > 0 => Ok(Self { limit, seconds }),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How often one account, token or address may do things. Each value is a number of requests and a time: `"300/5m"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Off for benchmarks and trusted networks only.
    pub enabled: bool,
    /// How many counters are kept, over all rules; each takes 32 bytes.
    pub max_keys: usize,
    /// All API requests of one account.
    pub account: Rate,
    /// All API requests with one token.
    pub token: Rate,
    /// All API requests without a user from one address (IPv6: from one /64).
    pub anonymous: Rate,
    /// Media uploads of one account.
    pub media: Rate,
    /// Deleted posts and taken-back reblogs of one account.
    pub delete: Rate,
    /// Requests for further pages of lists, of one account.
    pub paging: Rate,
    /// Requests for further pages of lists, without a user from one address.
    pub anonymous_paging: Rate,
    /// New accounts from one address.
    pub sign_up: Rate,
    /// Applications registered from one address.
    pub apps: Rate,
    /// Sign-in attempts from one address.
    pub sign_in: Rate,
    /// Sign-in attempts with one e-mail address.
    pub sign_in_email: Rate,
    /// Confirmation mails asked for by one account.
    pub confirmations: Rate,
    /// Remote media fetched for one address.
    pub media_proxy: Rate,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            enabled: true,
            max_keys: 65_536,
            account: Rate::new(1500, 300),
            token: Rate::new(300, 300),
            anonymous: Rate::new(300, 300),
            media: Rate::new(30, 1800),
            delete: Rate::new(30, 1800),
            paging: Rate::new(300, 900),
            anonymous_paging: Rate::new(300, 900),
            sign_up: Rate::new(5, 1800),
            apps: Rate::new(5, 600),
            sign_in: Rate::new(25, 300),
            sign_in_email: Rate::new(25, 3600),
            confirmations: Rate::new(5, 1800),
            media_proxy: Rate::new(30, 600),
        }
    }
}

impl RateLimits {
    pub(super) fn rate(&self, rule: Rule) -> Rate {
        match rule {
            Rule::Account => self.account,
            Rule::Token => self.token,
            Rule::Anonymous => self.anonymous,
            Rule::Media => self.media,
            Rule::Delete => self.delete,
            Rule::Paging => self.paging,
            Rule::AnonymousPaging => self.anonymous_paging,
            Rule::SignUp => self.sign_up,
            Rule::Apps => self.apps,
            Rule::SignIn => self.sign_in,
            Rule::SignInEmail => self.sign_in_email,
            Rule::Confirmations => self.confirmations,
            Rule::MediaProxy => self.media_proxy,
        }
    }
}

/// One rule; [`RateLimits`] says how much each allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Rule {
    Account,
    Token,
    Anonymous,
    Media,
    Delete,
    Paging,
    AnonymousPaging,
    SignUp,
    Apps,
    /// This and the next under no path: they are counted where the sign-in form is read.
    SignIn,
    SignInEmail,
    Confirmations,
    MediaProxy,
}

/// Whose requests a rule adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Account,
    Token,
    /// An address's, as long as no user is known.
    Anonymous,
    Ip,
}

impl Rule {
    const ALL: [Self; 13] = [
        Self::Account,
        Self::Token,
        Self::Anonymous,
        Self::Media,
        Self::Delete,
        Self::Paging,
        Self::AnonymousPaging,
        Self::SignUp,
        Self::Apps,
        Self::SignIn,
        Self::SignInEmail,
        Self::Confirmations,
        Self::MediaProxy,
    ];

    pub(super) fn whose(self) -> Whose {
        match self {
            Self::Account | Self::Media | Self::Delete | Self::Paging | Self::Confirmations => Whose::Account,
            Self::Token => Whose::Token,
            Self::Anonymous | Self::AnonymousPaging => Whose::Anonymous,
            Self::SignUp | Self::Apps | Self::SignIn | Self::SignInEmail | Self::MediaProxy => Whose::Ip,
        }
    }
}

/// The rules one request falls under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleSet(u16);

impl RuleSet {
    pub(super) fn of(method: &Method, uri: &Uri) -> Self {
        let path = uri.path();
        let mut set = Self::default();
        if uri.query().is_some_and(asks_for_a_page) {
            set = set.with(Rule::Paging).with(Rule::AnonymousPaging);
        }
        if path.starts_with("/media_proxy/") {
            return set.with(Rule::MediaProxy);
        }
        let Some(path) = path.strip_prefix("/api/") else { return set };
        if method == Method::OPTIONS {
            return set;
        }
        set = set.with(Rule::Account).with(Rule::Token).with(Rule::Anonymous);
        if method == Method::POST {
            set = match path {
                "v1/media" | "v2/media" => set.with(Rule::Media),
                "v1/accounts" => set.with(Rule::SignUp),
                "v1/apps" => set.with(Rule::Apps),
                "v1/emails/confirmations" => set.with(Rule::Confirmations),
                _ => set,
            };
        }
        if deletes(method, path) { set.with(Rule::Delete) } else { set }
    }

    fn with(self, rule: Rule) -> Self {
        Self(self.0 | 1 << rule as u8)
    }
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub(super) fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.0 & (1 << *rule as u8) != 0)
    }
}

/// DELETE statuses/:id and POST statuses/:id/unreblog.
fn deletes(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix("v1/statuses/") else { return false };
    let id = match *method {
        Method::DELETE => Some(rest),
        Method::POST => rest.strip_suffix("/unreblog"),
        _ => None,
    };
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

/// Any of Mastodon's cursors with a value.
fn asks_for_a_page(query: &str) -> bool {
    query.split('&').any(|pair| {
        pair.split_once('=')
            .is_some_and(|(name, value)| matches!(name, "max_id" | "min_id" | "since_id" | "page") && !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for (text, rate) in
            [("300/5m", Rate::new(300, 300)), ("5/30s", Rate::new(5, 30)), ("1/24h", Rate::new(1, 86_400))]
        {
            assert_eq!(text.parse(), Ok(rate));
            assert_eq!(rate.to_string(), text);
        }
        assert_eq!("300/300s".parse(), Ok(Rate::new(300, 300)));
        for wrong in ["", "5", "5/", "/5m", "5/m", "0/5m", "5/0s", "5/25h", "5/5d", "-1/5m", "5/4294967295h", "5/5あ"]
        {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn windows_are_aligned() {
        let rate = Rate::new(1, 300);
        for (now, end) in [(0, 300), (299, 300), (300, 600), (-1, 0)] {
            assert_eq!(rate.window_end(now), end);
        }
    }

    #[test]
    fn unknown_settings_are_refused() {
        let limits: RateLimits = serde_json::from_str(r#"{"media":"60/30m"}"#).unwrap();
        assert_eq!(limits, RateLimits { media: Rate::new(60, 1800), ..RateLimits::default() });
        assert!(serde_json::from_str::<RateLimits>(r#"{"medai":"60/30m"}"#).is_err());
        assert!(serde_json::from_str::<RateLimits>(r#"{"media":"lots"}"#).is_err());
    }

    #[test]
    fn requests_fall_under_rules() {
        use Rule::*;
        let api = [Account, Token, Anonymous];
        let table: &[(&str, &str, &[Rule])] = &[
            ("GET", "/api/v1/instance", &[]),
            ("POST", "/api/v1/media", &[Media]),
            ("POST", "/api/v2/media", &[Media]),
            ("GET", "/api/v1/media/1", &[]),
            ("DELETE", "/api/v1/statuses/1", &[Delete]),
            ("DELETE", "/api/v1/statuses/x", &[]),
            ("POST", "/api/v1/statuses/1/unreblog", &[Delete]),
            ("POST", "/api/v1/statuses/1/reblog", &[]),
            ("POST", "/api/v1/accounts", &[SignUp]),
            ("GET", "/api/v1/accounts", &[]),
            ("POST", "/api/v1/apps", &[Apps]),
            ("POST", "/api/v1/emails/confirmations", &[Confirmations]),
            ("GET", "/api/v1/timelines/home?max_id=1", &[Paging, AnonymousPaging]),
            ("GET", "/api/v1/timelines/home?limit=1&max_id=", &[]),
        ];
        for (method, uri, more) in table {
            let set = RuleSet::of(&method.parse().unwrap(), &uri.parse().unwrap());
            let expected = api.iter().chain(*more).fold(RuleSet::default(), |set, rule| set.with(*rule));
            assert_eq!(set, expected, "{method} {uri}");
        }
        let plain: &[(&str, &str, &[Rule])] = &[
            ("GET", "/about", &[]),
            ("GET", "/auth/sign_in", &[]),
            ("POST", "/auth/sign_in", &[]),
            ("GET", "/media_proxy/1/original", &[MediaProxy]),
            ("GET", "/@a?max_id=5", &[Paging, AnonymousPaging]),
            ("OPTIONS", "/api/v1/instance", &[]),
        ];
        for (method, uri, rules) in plain {
            let set = RuleSet::of(&method.parse().unwrap(), &uri.parse().unwrap());
            assert_eq!(set.iter().collect::<Vec<_>>(), *rules, "{method} {uri}");
        }
    }
}
