//! Who and where this site is, and how much people may write: read from the configuration once, passed as a value.

use documented::{Documented, DocumentedFields};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What of a tag's name a path cannot hold: the same as in links inside posts.
const TAG: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// The address of whoever makes a request, as far as the configured proxies can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

/// Names and addresses of this site. URLs carry no trailing slash.
#[derive(Clone, Debug)]
pub struct Site {
    /// The part after the @ of handles, with the port when it is not the usual one.
    pub domain: String,
    /// Other domains under which people here are found, too; nobody is shown under them.
    pub alternate_domains: Vec<String>,
    /// Where pages and the API are, such as `https://example.com`.
    pub base_url: String,
    /// Where stored media is, such as `https://example.com/media`: put before a store key. Fixed for ever.
    pub media_url: String,
    pub limits: Limits,
}

/// How much people may write. Told to clients in the instance entity.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Characters in a status; a URL counts 23.
    pub status_characters: usize,
    /// Media attachments of one status.
    pub status_media: usize,
    /// Options of a poll.
    pub poll_options: usize,
    /// Characters in a poll's option.
    pub poll_option_characters: usize,
    /// Characters in a picture's description.
    pub media_description_characters: usize,
    /// Statuses one may pin to a profile.
    pub pinned_statuses: usize,
    /// Lines in a profile's table.
    pub profile_fields: usize,
    /// Characters in a profile's text.
    pub note_characters: usize,
    /// Characters in a display name.
    pub display_name_characters: usize,
    /// Whether posts may be written in Markdown. Clients ask for it with `content_type=text/markdown`.
    pub markdown: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            status_characters: 500,
            status_media: 4,
            poll_options: 4,
            poll_option_characters: 50,
            media_description_characters: 1500,
            pinned_statuses: 5,
            profile_fields: 4,
            note_characters: 500,
            display_name_characters: 30,
            markdown: true,
        }
    }
}

impl Site {
    pub(crate) fn profile_url(&self, username: &str) -> String {
        format!("{}/@{username}", self.base_url)
    }
    pub fn actor_uri(&self, username: &str) -> String {
        format!("{}/users/{username}", self.base_url)
    }
    pub fn status_url(&self, username: &str, id: crate::ids::StatusId) -> String {
        format!("{}/@{username}/{id}", self.base_url)
    }
    pub fn status_uri(&self, username: &str, id: crate::ids::StatusId) -> String {
        format!("{}/users/{username}/statuses/{id}", self.base_url)
    }
    /// The list of what belongs to a conversation that began here.
    pub fn context_uri(&self, id: crate::ids::ConversationId) -> String {
        format!("{}/contexts/{id}", self.base_url)
    }
    /// By which `username` lets the status `quoting` show one of theirs.
    pub fn stamp_uri(&self, username: &str, quoting: crate::ids::StatusId) -> String {
        format!("{}/users/{username}/quote_authorizations/{quoting}", self.base_url)
    }
    pub fn tag_url(&self, name: &str) -> String {
        format!("{}/tags/{}", self.base_url, utf8_percent_encode(name, TAG))
    }
    /// Whether an address leads to pages of this site.
    pub fn has(&self, address: &str) -> bool {
        let Ok(url) = url::Url::parse(address) else { return false };
        let authority = url.authority();
        let own = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        authority.eq_ignore_ascii_case(own) || authority.eq_ignore_ascii_case(&self.domain)
    }
    /// Where a stored file is; what is kept elsewhere has its whole address for a key.
    pub fn media(&self, key: &str) -> String {
        match key.starts_with("https://") || key.starts_with("http://") {
            true => key.to_owned(),
            false => format!("{}/{key}", self.media_url),
        }
    }
    /// The domains that mean this site in a handle: the one in its handles, the one of its pages, others that lead here.
    pub fn domains(&self) -> Vec<&str> {
        let web = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        let others = self.alternate_domains.iter().map(String::as_str);
        [self.domain.as_str(), web].into_iter().chain(others).collect()
    }
    /// Whether the domain of a handle means this site.
    pub fn is_ours(&self, domain: &str) -> bool {
        self.domains().iter().any(|own| own.eq_ignore_ascii_case(domain))
    }
    /// What others write to mention a local account in full.
    pub fn handle(&self, username: &str) -> String {
        format!("{username}@{}", self.domain)
    }
}
