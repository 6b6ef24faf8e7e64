//! Posts of other servers as the domain takes them.

use super::consent::{Lists, rules};
use super::content::{is_sensitive, warning};
use crate::documents::{Attachment, Note};
use crate::resolve::Budget;
use crate::{Federation, resolve};
use domain::accounts::{self, Account};
use domain::conversations;
use domain::emojis;
use domain::media::{self, Elsewhere};
use domain::polls::{self, Choice};
use domain::statuses::remote::{self, Arrived, How, Outcome, Told};
use domain::statuses::{Status, Visibility};
use domain::{Error, Result, Time};
use std::collections::HashSet;

/// Accounts that are fetched because one post names them.
const STRANGERS: usize = 5;

impl Federation {
    /// What a document says, with the people and the parent that it names looked up, and fetched as far as `budget`
    /// goes. The author is who it must be.
    pub(crate) async fn arrived(&self, note: &Note, author: &Account, (how, budget): (How, Budget)) -> Result<Arrived> {
        let budget = budget.begun();
        let actor = accounts::remote::store::actor(&self.db.read().await?, author.id).await?;
        let (followers, following) = actor.map(|a| (a.followers, a.following)).unwrap_or_default();
        let visibility = match note.visibility(followers.as_deref()) {
            None if note.to.is_empty() && note.cc.is_empty() => self.kept_for_few(note, author).await?,
            said => said,
        };
        let visibility =
            visibility.ok_or_else(|| Error::forbidden("It is for nobody, or never to leave its server"))?;
        let (mentioned, silent) = self.addressees(note, visibility, budget).await?;
        let parent = match &note.in_reply_to {
            None => None,
            // A reply whose parent cannot be had stands by itself.
            Some(uri) => {
                // Who is answered is named, mostly.
                let named: Vec<String> = note.mentions.iter().map(|m| m.href.clone()).take(100).collect();
                resolve::status::parent(self, (uri, &named), budget).await?.map(|s| s.id)
            }
        };
        let lists = Lists { followers: followers.as_deref(), following: following.as_deref() };
        let quote = self.quote_of(note, author, budget).await?;
        let spoiler_text = warning(note);
        Ok(Arrived {
            uri: note.id.clone(),
            url: note.url.clone(),
            author: author.id,
            content: self.content(note, &mentioned),
            visibility,
            sensitive: is_sensitive(note, &spoiler_text),
            spoiler_text,
            language: note.language.clone(),
            parent,
            conversation: conversations::Names { uri: note.conversation.clone(), context: note.context.clone() },
            mentioned,
            silent,
            tags: note.hashtags.iter().map(|h| h.name.clone()).collect(),
            emojis: note.emojis.iter().map(emoji).collect(),
            media: note.attachments.iter().map(attachment).collect(),
            poll: note.poll.as_ref().map(poll),
            quote,
            quote_policy: super::quotes::policy(note.policy.quote.as_ref().map(|q| &q.automatic), lists),
            quote_manual: super::quotes::policy(note.policy.quote.as_ref().map(|q| &q.manual), lists),
            rules: rules(&note.policy, lists),
            told: told(note),
            link: note.links.first().cloned(),
            created_at: note.published,
            edited_at: note.updated,
            how,
        })
    }

    /// A post for named people may be edited so that it names nobody any more: who was named before has it still.
    async fn kept_for_few(&self, note: &Note, author: &Account) -> Result<Option<Visibility>> {
        let known = remote::by_uri(&self.db.read().await?, &note.id).await?;
        let known = known.filter(|s| s.account_id == author.id && s.visibility == Visibility::Direct);
        Ok(known.map(|s| s.visibility))
    }

    /// Who is named in it, and who may see it though they are not. People here count only when it is addressed to them.
    async fn addressees(
        &self,
        note: &Note,
        visibility: Visibility,
        budget: Budget,
    ) -> Result<(Vec<Account>, Vec<Account>)> {
        let addressed = |uri: &String| note.to.contains(uri) || note.cc.contains(uri);
        let tagged: Vec<String> = note.mentions.iter().map(|m| self.named_by(&m.href)).take(100).collect();
        let mut wanted = tagged.clone();
        if visibility >= Visibility::Private {
            wanted.extend(note.to.iter().chain(&note.cc).filter(|uri| self.is_ours(uri)).take(100).cloned());
        }
        let conn = self.db.read().await?;
        let mut found = accounts::remote::store::by_uris(&conn, wanted).await?;
        // Some name people by the address of their page.
        let pages: Vec<String> = tagged.iter().filter(|uri| !found.iter().any(|a| a.uri == **uri)).cloned().collect();
        found.extend(accounts::remote::store::by_urls(&conn, pages).await?);
        drop(conn);
        let mut seen = HashSet::new();
        found.retain(|a| seen.insert(a.id));
        let known = |uri: &String, found: &[Account]| found.iter().any(|a| a.uri == *uri || a.url == *uri);
        let strangers: Vec<&String> = tagged.iter().filter(|uri| !self.is_ours(uri) && !known(uri, &found)).collect();
        for uri in strangers.into_iter().take(STRANGERS) {
            if !budget.has_strangers() {
                break;
            }
            match resolve::account::by_uri(self, uri).await {
                Ok(account) => found.push(account),
                Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
                Err(_) => {}
            }
        }
        found.retain(|a| !a.is_local() || addressed(&a.uri) || addressed(&a.url));
        Ok(found.into_iter().partition(|a| tagged.contains(&a.uri) || tagged.contains(&a.url)))
    }

    /// The name among servers of who is meant: some name people here by their pages.
    fn named_by(&self, href: &str) -> String {
        let page = href.strip_prefix(self.site.base_url.as_str()).and_then(|path| path.strip_prefix("/@"));
        page.filter(|name| !name.contains('/')).map_or_else(|| href.to_owned(), |name| self.site.actor_uri(name))
    }
}

/// How many favour and boost it: nobody checks such numbers, and clients keep them in 32 bits.
pub(crate) fn told(note: &Note) -> Told {
    let number = |count: Option<u64>| count.map(|n| i64::from(i32::try_from(n).unwrap_or(i32::MAX)));
    Told { favourites: number(note.likes), reblogs: number(note.shares) }
}

fn attachment(a: &Attachment) -> Elsewhere {
    use crate::documents::AttachmentKind;
    let by_kind = match a.kind {
        AttachmentKind::Document => None,
        AttachmentKind::Image => Some("image/"),
        AttachmentKind::Video => Some("video/"),
        AttachmentKind::Audio => Some("audio/"),
    };
    Elsewhere {
        url: a.url.clone(),
        preview: a.thumbnail.as_ref().map(|i| i.url.clone()),
        content_type: a
            .media_type
            .clone()
            .unwrap_or_else(|| by_kind.or_else(|| by_name(&a.url)).unwrap_or_default().to_owned()),
        description: a.description.clone(),
        blurhash: a.blurhash.clone(),
        size: a.width.zip(a.height).map(|(w, h)| (i64::from(w), i64::from(h))),
        focus: a.focus,
    }
}

/// What a file is that nobody calls anything: by the end of its name.
fn by_name(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" | "avif" => Some("image/"),
        "mp4" | "m4v" | "webm" | "mov" => Some("video/"),
        "mp3" | "ogg" | "oga" | "opus" | "flac" | "wav" | "m4a" => Some("audio/"),
        _ => None,
    }
}

pub(crate) fn emoji(e: &crate::documents::Emoji) -> emojis::Elsewhere {
    emojis::Elsewhere {
        shortcode: e.shortcode.clone(),
        uri: e.id.clone(),
        url: e.image.url.clone(),
        changed_at: e.updated,
    }
}

fn poll(poll: &crate::documents::Poll) -> polls::Elsewhere {
    // One that is over without a word of when has ended by now.
    let now = Time::now();
    let ended = poll.closed.then(|| poll.ends_at.unwrap_or(now).min(now));
    polls::Elsewhere {
        options: poll.choices.iter().map(choice).collect(),
        multiple: poll.multiple,
        voters: poll.voters.and_then(|n| i64::try_from(n).ok()),
        ends_at: ended.or(poll.ends_at),
    }
}

fn choice(c: &crate::documents::Choice) -> Choice {
    Choice { title: c.name.clone(), votes: c.votes.and_then(|n| i64::try_from(n).ok()).unwrap_or(0) }
}

/// Takes a post in. None when it is known to be gone; [`Error::NotFound`] for a vote, which is no post, and for one that says
/// and shows nothing.
pub(crate) async fn take(
    federation: &Federation,
    note: &Note,
    author: &Account,
    with: (How, Budget),
) -> Result<Option<Status>> {
    if note.vote().is_some() || note.is_empty() {
        return Err(Error::NotFound);
    }
    let arrived = federation.arrived(note, author, with).await?;
    if let Some(parent) = arrived.parent {
        federation.check_answer(note, author, parent).await?;
    }
    let status = remote::receive(&federation.db, &federation.site, &arrived).await?;
    if let Some(status) = &status {
        mirror(federation, status).await?;
    }
    Ok(status)
}

/// Puts what arrived in the place of what is here.
pub(crate) async fn edit(federation: &Federation, arrived: &Arrived) -> Result<Outcome> {
    let outcome = remote::edit(&federation.db, &federation.site, arrived).await?;
    if let Outcome::Changed(status) = &outcome {
        mirror(federation, status).await?;
    }
    Ok(outcome)
}

async fn mirror(federation: &Federation, status: &Status) -> Result<()> {
    let shows = status.has_media || status.emojis_json != "[]";
    if shows && federation.is_mirroring() {
        media::mirror_later(&federation.db, status.id).await?;
    }
    Ok(())
}
