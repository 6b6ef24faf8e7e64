//! What somebody wrote, checked and understood before anything is written: length, mentions, tags, emoji, the HTML.

use super::{ContentType, Mention};
use crate::{
    Error, Result,
    accounts::{self, Account},
    db::Conn,
    ids::MediaId,
    media::{self, Attachment, Kind, State},
    site::Site,
    text,
};
use std::{borrow::Cow, collections::HashSet};

/// Accounts one status may mention; more are left as text.
const MENTIONS: usize = 100;
/// Hashtags one status is filed under.
const TAGS: usize = 60;
/// The longest text that is looked at at all, in bytes, whatever the limits say.
const TEXT_BYTES: usize = 1 << 20;
/// Bytes of HTML and warnings that every site may send, and for each character where longer texts are allowed: others take no more than
/// 64 KiB at once (Misskey), and a link of any length counts as 23 characters and stands in the HTML twice.
const HTML_BYTES: usize = 40 * 1024;
const HTML_BYTES_PER_CHARACTER: usize = 8;

/// A text and what is in it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) content: String,
    pub(super) mentioned: Vec<Account>,
    pub(super) tags: Vec<text::Tag>,
    pub(super) mentions_json: String,
    pub(super) tags_json: String,
    pub(super) emojis_json: String,
}

/// What somebody typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed<'a> {
    pub(super) text: &'a str,
    pub(super) content_type: ContentType,
    /// Further text that may hold shortcodes: spoiler and poll options.
    pub(super) more: &'a str,
}

/// Reads what was typed: whom it mentions, its tags and shortcodes, and the HTML.
pub(super) async fn read(conn: &Conn, site: &Site, typed: Typed<'_>) -> Result<Written> {
    let Typed { text: source, content_type, more } = typed;
    let (text, linked) = match content_type {
        ContentType::Plain => (Cow::Borrowed(source), String::new()),
        ContentType::Markdown => {
            let words = text::markdown_words(source);
            (Cow::Owned(words.free), words.linked)
        }
    };
    let handles: Vec<text::Handle> = text::mentioned(&text, &site.domains()).into_iter().take(MENTIONS).collect();
    let mentioned = accounts::store::by_handles(conn, &handles).await?;
    let links: text::Mentions = mentioned
        .iter()
        .map(|a| {
            let handle = text::Handle::new(&a.username, a.domain.as_deref(), &site.domains());
            let link = text::MentionLink { url: a.url.clone(), username: a.username.clone(), pretty_acct: a.acct() };
            (handle.key(), link)
        })
        .collect();
    let options = text::Options { base_url: &site.base_url, local_domains: &site.domains(), mentions: &links };
    let mentions: Vec<Mention> = mentioned.iter().map(Mention::of).collect();
    let tags: Vec<text::Tag> = text::tags(&text).into_iter().take(TAGS).collect();
    let names: Vec<&str> = tags.iter().map(|t| t.key.as_str()).collect();
    let content = match content_type {
        ContentType::Plain => text::html(source, &options),
        ContentType::Markdown => text::markdown_html(source, &options),
    };
    let max = site.limits.status_characters;
    if content.len() + more.len() > HTML_BYTES.max(max.saturating_mul(HTML_BYTES_PER_CHARACTER)) {
        return Err(too_long(max));
    }
    Ok(Written {
        content,
        mentions_json: serde_json::to_string(&mentions)?,
        tags_json: serde_json::to_string(&names)?,
        emojis_json: serde_json::to_string(&text::shortcodes(&format!("{more}\n{text}\n{linked}")))?,
        mentioned,
        tags,
    })
}

/// Those of other servers whom a text names and nobody here has met, as it names them. It is read in both ways of writing:
/// who is named in neither is asked for in vain.
pub async fn strangers(conn: &Conn, site: &Site, source: &str) -> Result<Vec<String>> {
    let domains = site.domains();
    let mut handles = text::mentioned(source, &domains);
    if site.limits.markdown && !handles.is_empty() {
        handles.extend(text::mentioned(&text::markdown_words(source).free, &domains));
    }
    handles.retain(|handle| handle.domain.is_some());
    handles.truncate(MENTIONS);
    let known = accounts::store::by_handles(conn, &handles).await?;
    let key = |account: &Account| text::Handle::new(&account.username, account.domain.as_deref(), &domains).key();
    let mut met: HashSet<String> = known.iter().map(key).collect();
    handles.retain(|handle| met.insert(handle.key()));
    let written = |handle: text::Handle| Some(format!("{}@{}", handle.username, handle.domain?));
    Ok(handles.into_iter().filter_map(written).collect())
}

impl Mention {
    pub(crate) fn of(account: &Account) -> Self {
        let (username, url) = (account.username.clone(), account.url.clone());
        Self { id: account.id, username, url, acct: account.acct(), silent: false }
    }
}

/// Length as Mastodon counts it.
pub(super) fn check_length(site: &Site, spoiler: &str, text: &str) -> Result<()> {
    let max = site.limits.status_characters;
    if text.len() + spoiler.len() > TEXT_BYTES || text::count_with(spoiler, text) > max {
        return Err(too_long(max));
    }
    Ok(())
}

fn too_long(max: usize) -> Error {
    Error::invalid("Text", format!("character limit of {max} exceeded"))
}

/// How it was written, if this site lets people write so.
pub(super) fn content_type(site: &Site, wanted: ContentType) -> Result<ContentType> {
    match wanted {
        ContentType::Markdown if !site.limits.markdown => {
            Err(Error::invalid("Content type", "text/markdown is not available on this server"))
        }
        allowed => Ok(allowed),
    }
}

/// A language code as clients send it: kept when it looks like one (`ja`, `zh-TW`), else nothing.
pub(super) fn language(code: Option<&str>) -> Option<String> {
    let code = code?.trim();
    let ok = (2..=12).contains(&code.len()) && code.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    ok.then(|| code.to_owned())
}

/// The pictures to attach, all of them the author's own, processed, and of kinds that go together.
pub(super) async fn attachments(conn: &Conn, site: &Site, owner: &Account, ids: &[MediaId]) -> Result<Vec<Attachment>> {
    if ids.len() > site.limits.status_media {
        return Err(Error::Conflict(format!("Cannot attach more than {} files", site.limits.status_media)));
    }
    let mut found = media::store::by_ids(conn, ids).await?;
    found.retain(|m| m.account_id == owner.id);
    if found.len() != ids.len() {
        return Err(Error::NotFound);
    }
    found.sort_by_key(|m| ids.iter().position(|id| *id == m.id));
    if found.iter().any(|m| m.state == State::Processing) {
        return Err(Error::Conflict(
            "Cannot attach files that have not finished processing. Try again in a moment!".into(),
        ));
    }
    if found.iter().any(|m| m.state == State::Failed) {
        return Err(Error::Conflict("Cannot attach files that could not be processed".into()));
    }
    let moving = found.iter().any(|m| matches!(m.kind, Kind::Video | Kind::Audio));
    if moving && found.len() > 1 {
        return Err(Error::Conflict("Cannot attach a video to a post that already contains images".into()));
    }
    Ok(found)
}
