//! What can be listened to, and its names in frames and paths.
//! <https://docs.joinmastodon.org/methods/streaming/#streams>

use crate::{
    App,
    http::{ApiError, ApiResult},
};
use axum::http::StatusCode;
use domain::{
    ids::{AccountId, ListId},
    lists,
    oauth::{Scope, Scopes},
    statuses::{Status, Visibility},
    text::tag_key,
    timelines::Origin,
};
use std::sync::Arc;

/// Bytes of a hashtag or the id of a list.
const PARAM_BYTES: usize = 1000;
/// Said of a list that is not there, too: which of the two it is, is nobody's business.
const NOT_YOUR_LIST: &str = "Not authorized to stream this list";

/// What a connection listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// The home feed and notifications.
    User(AccountId),
    Notifications(AccountId),
    Direct(AccountId),
    Public(Origin),
    /// Public statuses with attachments.
    Media(Origin),
    /// A key as `text::tag_key` makes it.
    Hashtag(String, Origin),
    List(ListId),
}

/// A topic under the name by which a client knows it.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) topic: Topic,
    /// The JSON list in frames, such as `["hashtag","cats"]`.
    pub(super) name: Arc<str>,
}

/// Further words that some streams need.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words<'a> {
    pub(super) tag: Option<&'a str>,
    pub(super) list: Option<&'a str>,
}

/// The stream's name for a path below `/api/v1/streaming/`; None for a path that is none.
pub(super) fn name_of_path(path: &str, only_media: bool) -> Option<&'static str> {
    Some(match (path.trim_end_matches('/'), only_media) {
        ("user", _) => "user",
        ("user/notification", _) => "user:notification",
        ("public", false) => "public",
        ("public", true) => "public:media",
        ("public/local", false) => "public:local",
        ("public/local", true) => "public:local:media",
        ("public/remote", false) => "public:remote",
        ("public/remote", true) => "public:remote:media",
        ("hashtag", _) => "hashtag",
        ("hashtag/local", _) => "hashtag:local",
        ("list", _) => "list",
        ("direct", _) => "direct",
        _ => return None,
    })
}

impl Stream {
    /// The stream called `name`, as far as `scopes` let `account` listen to it.
    ///
    /// 400 for a name that is none and for a missing word, 403 without the scope. Whose a list is, is not looked at:
    /// see [`Topic::check_owner`].
    pub(super) fn find(name: &str, words: Words<'_>, (account, scopes): (AccountId, Scopes)) -> ApiResult<Self> {
        let tag = || word(words.tag, "Missing tag name parameter");
        let list = || word(words.list, "Missing list name parameter");
        let (topic, word) = match name {
            "user" => (Topic::User(account), None),
            "user:notification" => (Topic::Notifications(account), None),
            "direct" => (Topic::Direct(account), None),
            "public" => (Topic::Public(Origin::Anywhere), None),
            "public:local" => (Topic::Public(Origin::Local), None),
            "public:remote" => (Topic::Public(Origin::Remote), None),
            "public:media" => (Topic::Media(Origin::Anywhere), None),
            "public:local:media" => (Topic::Media(Origin::Local), None),
            "public:remote:media" => (Topic::Media(Origin::Remote), None),
            "hashtag" => (Topic::Hashtag(tag_key(tag()?), Origin::Anywhere), words.tag),
            "hashtag:local" => (Topic::Hashtag(tag_key(tag()?), Origin::Local), words.tag),
            "list" => (Topic::List(list()?.trim().parse().map_err(|_| not_your_list())?), words.list),
            _ => return Err(ApiError::bad_request("Unknown stream type")),
        };
        if !scopes.allows(topic.scope()) {
            return Err(ApiError::missing_scope());
        }
        let names: Vec<&str> = std::iter::once(name).chain(word).collect();
        Ok(Self { topic, name: serde_json::Value::from(names).to_string().into() })
    }
}

fn word<'a>(given: Option<&'a str>, missing: &str) -> ApiResult<&'a str> {
    given.filter(|w| !w.trim().is_empty() && w.len() <= PARAM_BYTES).ok_or_else(|| ApiError::bad_request(missing))
}

fn not_your_list() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, NOT_YOUR_LIST)
}

impl Topic {
    /// 401 for a list that is not `account`'s; other streams are for everybody with the scope.
    pub(super) async fn check_owner(&self, app: &App, account: AccountId) -> ApiResult<()> {
        let Self::List(id) = self else { return Ok(()) };
        match lists::own(&app.db.read().await?, account, *id).await {
            Ok(_) => Ok(()),
            Err(domain::Error::NotFound) => Err(not_your_list()),
            Err(other) => Err(other.into()),
        }
    }

    /// What a token must allow. Notifications in the user's stream are withheld without their own scope.
    fn scope(&self) -> Scope {
        match self {
            Self::Notifications(_) => Scope::ReadNotifications,
            _ => Scope::ReadStatuses,
        }
    }

    /// Where everybody can see a status: none for one that is not public. Replies to others are only found by their
    /// tags, as in the timelines.
    pub(super) fn of_status(status: &Status) -> Vec<Self> {
        if status.visibility != Visibility::Public || status.reblog_of_id.is_some() {
            return Vec::new();
        }
        let mut topics = Self::of_tags(&status.tags(), status.local);
        if status.in_reply_to_account_id.is_none_or(|to| to == status.account_id) {
            let origins = origins(status.local);
            topics.extend(origins.map(Self::Public));
            if status.has_media {
                topics.extend(origins.map(Self::Media));
            }
        }
        topics
    }

    /// Where a public status may have been seen that is gone now.
    pub(super) fn of_deleted(tags: &[String], local: bool) -> Vec<Self> {
        let mut topics = Self::of_tags(tags, local);
        topics.extend(origins(local).map(Self::Public));
        topics.extend(origins(local).map(Self::Media));
        topics
    }

    fn of_tags(tags: &[String], local: bool) -> Vec<Self> {
        let origins: &[Origin] = if local { &[Origin::Anywhere, Origin::Local] } else { &[Origin::Anywhere] };
        let mut keys: Vec<String> = tags.iter().map(|tag| tag_key(tag)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.iter().flat_map(|key| origins.iter().map(|origin| Self::Hashtag(key.clone(), *origin))).collect()
    }
}

fn origins(local: bool) -> [Origin; 2] {
    [Origin::Anywhere, if local { Origin::Local } else { Origin::Remote }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, words: Words<'_>, scopes: &str) -> Result<(Topic, String), (u16, String)> {
        let who = (AccountId(1), scopes.parse().unwrap());
        let found = Stream::find(name, words, who);
        found.map(|s| (s.topic, s.name.to_string())).map_err(|e| (e.status().as_u16(), e.message().to_owned()))
    }

    #[test]
    fn streams_are_found_by_name() {
        let none = Words::default();
        let paths = ["user", "user/notification", "public", "public/local", "public/remote", "direct"];
        for path in paths {
            for only_media in [false, true] {
                let name = name_of_path(path, only_media).unwrap();
                assert_eq!(find(name, none, "read").unwrap().1, format!("[\"{name}\"]"));
            }
        }
        assert_eq!(name_of_path("public/local", true), Some("public:local:media"));
        assert_eq!(name_of_path("publicly", false), None);
        let tagged = Words { tag: Some("Ｃａｆé"), list: None };
        let found = find("hashtag:local", tagged, "read:statuses").unwrap();
        assert_eq!(found, (Topic::Hashtag("cafe".into(), Origin::Local), r#"["hashtag:local","Ｃａｆé"]"#.into()));
        let list = Words { tag: None, list: Some("12") };
        assert_eq!(find("list", list, "read").unwrap().1, r#"["list","12"]"#);
    }

    #[test]
    fn refusals_say_why() {
        let none = Words::default();
        let (unknown, scope) = ("Unknown stream type", "This action is outside the authorized scopes");
        let blank = Words { tag: Some(" "), list: Some("") };
        let table = [
            ("users", none, "read", 400, unknown),
            ("", none, "read", 400, unknown),
            ("hashtag", none, "read", 400, "Missing tag name parameter"),
            ("hashtag", blank, "read", 400, "Missing tag name parameter"),
            ("list", blank, "read", 400, "Missing list name parameter"),
            ("list", Words { tag: None, list: Some("1 OR 1") }, "read", 401, NOT_YOUR_LIST),
            ("user", none, "read:notifications", 403, scope),
            ("public", none, "write", 403, scope),
            ("user:notification", none, "read:statuses", 403, scope),
        ];
        for (name, words, scopes, status, text) in table {
            assert_eq!(find(name, words, scopes), Err((status, text.to_owned())), "{name} {scopes}");
        }
        assert!(find("user:notification", none, "read:notifications").is_ok());
    }
}
