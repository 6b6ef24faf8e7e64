//! A local post as a document.

use super::collections;
use crate::Federation;
use crate::documents::{
    Attachment, AttachmentKind, Choice, Grant, Hashtag, Mention, Note, NoteKind, Object, PUBLIC, Policy, Poll, Quote,
};
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::ids::AccountId;
use domain::statuses::{self, QuotePolicy, Status, Visibility, consent};
use domain::{Error, Result, Time, conversations, media, polls};
use serde_json::Value;
use std::collections::HashMap;

/// Bytes of HTML that are said twice, as the text and as that of its language: Misskey takes no more than 64 KiB at once.
const TWICE: usize = 16 * 1024;

/// Who gets something: what stands in `to` and `cc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addressed {
    pub to: Vec<String>,
    pub cc: Vec<String>,
}

impl Addressed {
    /// The one mapping from visibility to addressees. Followers stand in `to` when it is for them only: elsewhere they
    /// are not looked for.
    pub(crate) fn new(visibility: Visibility, author: &str, named: Vec<String>) -> Self {
        let (everybody, followers) = (PUBLIC.to_owned(), format!("{author}/followers"));
        let behind = |first: String| [vec![first], named.clone()].concat();
        match visibility {
            Visibility::Public => Self { to: vec![everybody], cc: behind(followers) },
            Visibility::Unlisted => Self { to: vec![followers], cc: behind(everybody) },
            Visibility::Private => Self { to: vec![followers], cc: named },
            Visibility::Direct => Self { to: named, cc: Vec::new() },
        }
    }
}

impl Federation {
    /// `status`, written by the local `author`, with all that hangs on it.
    pub(crate) async fn note(&self, conn: &Conn, author: &Account, status: &Status) -> Result<Note> {
        let named = named(conn, status).await?;
        let poll = match status.poll_id {
            None => None,
            Some(id) => polls::store::by_id(conn, id).await?,
        };
        let parent = match status.in_reply_to_id {
            None => None,
            Some(id) => statuses::store::by_id(conn, id).await?,
        };
        let mentions = status.mentions();
        let uri_of = |id: AccountId| named.get(&id).map(|a| a.uri.clone());
        let mut addressees: Vec<String> = mentions.iter().filter_map(|m| uri_of(m.id)).collect();
        addressees.dedup();
        let (context, conversation) = self.context(conn, status, parent.as_ref()).await?;
        let quote = self.quote(conn, status).await?;
        let number = |count: i64| u64::try_from(count).ok();
        let Addressed { to, cc } = Addressed::new(status.visibility, &author.uri, addressees);
        let tagged = mentions.iter().filter(|m| !m.silent).filter_map(|m| named.get(&m.id));
        let mention = |a: &Account| Mention { href: a.uri.clone(), name: format!("@{}", self.full_handle(a)) };
        // The group that it is for (FEP-1b12).
        let audience = tagged.clone().find(|a| a.kind == accounts::Kind::Group).map(|a| a.uri.clone());
        let content = content(status, quote.as_ref());
        let codes: Vec<String> = serde_json::from_str(&status.emojis_json).unwrap_or_default();
        Ok(Note {
            id: status.uri.clone(),
            kind: if poll.is_some() { NoteKind::Question } else { NoteKind::Note },
            author: author.uri.clone(),
            url: status.url.clone(),
            language: status.language.clone().filter(|_| content.len() <= TWICE),
            content,
            summary: status.spoiler_text.clone(),
            sensitive: status.sensitive,
            in_reply_to: parent.map(|p| p.uri),
            published: Some(status.created_at),
            updated: status.edited_at,
            to,
            cc,
            mentions: tagged.map(mention).collect(),
            hashtags: status.tags().into_iter().map(|name| self.hashtag(name)).collect(),
            emojis: self.emojis(conn, &codes).await?,
            attachments: self.attachments(conn, status).await?,
            replies: Some(collections::embedded(conn, status).await?),
            likes: number(status.favourites_count),
            shares: number(status.reblogs_count),
            context,
            conversation,
            quote,
            policy: policy(status, &author.uri),
            approved_by: consent::approval(conn, status).await?,
            poll: poll.map(question),
            audience,
            direct: (status.visibility > Visibility::Unlisted).then_some(status.visibility == Visibility::Direct),
            ..Note::default()
        })
    }

    /// What the thread is called, and where it can be read: as where it began, so that it stays together.
    async fn context(
        &self,
        conn: &Conn,
        status: &Status,
        parent: Option<&Status>,
    ) -> Result<(Option<String>, Option<String>)> {
        let names = match parent {
            None => conversations::Names::default(),
            Some(_) => conversations::names(conn, status.conversation_id).await?,
        };
        let ours = parent.is_none_or(|p| p.local).then(|| self.site.context_uri(status.conversation_id));
        let conversation = names.uri.or(ours);
        let open = status.visibility <= Visibility::Unlisted;
        let context = names.context.or_else(|| conversation.clone());
        Ok((context.filter(|name| open && name.starts_with("http")), conversation))
    }

    /// `user@domain`, also for people here.
    pub(crate) fn full_handle(&self, account: &Account) -> String {
        if account.is_local() { self.site.handle(&account.username) } else { account.acct() }
    }

    /// A hashtag as the object of an activity or in a list.
    pub(crate) fn hashtag_object(&self, name: &str) -> Object {
        Object::Other { id: Some(self.site.tag_url(name)), kind: "Hashtag".into(), name: Some(format!("#{name}")) }
    }

    pub(crate) fn hashtag(&self, name: String) -> Hashtag {
        Hashtag { href: Some(self.site.tag_url(&name)), name }
    }

    async fn attachments(&self, conn: &Conn, status: &Status) -> Result<Vec<Attachment>> {
        if !status.has_media {
            return Ok(Vec::new());
        }
        let rows = media::store::by_statuses(conn, [status.id]).await?;
        Ok(rows.into_iter().filter_map(|row| self.attachment(row)).collect())
    }

    fn attachment(&self, row: media::Attachment) -> Option<Attachment> {
        let original = row.original.as_ref()?;
        let meta: Value = row.meta_json.as_deref().and_then(|m| serde_json::from_str(m).ok()).unwrap_or_default();
        let side = |name: &str| meta["original"][name].as_u64().and_then(|n| u32::try_from(n).ok());
        Some(Attachment {
            kind: AttachmentKind::Document,
            url: self.site.media(original),
            media_type: row.content_type,
            description: row.description,
            width: side("width"),
            height: side("height"),
            blurhash: row.blurhash,
            focus: row.focus_x.zip(row.focus_y),
            ..Attachment::default()
        })
    }
}

/// Accounts that are named in it, silently or not.
pub(crate) async fn named(conn: &Conn, status: &Status) -> Result<HashMap<AccountId, Account>> {
    let found = accounts::store::by_ids(conn, status.mentions().into_iter().map(|m| m.id)).await?;
    Ok(found.into_iter().map(|a| (a.id, a)).collect())
}

/// The text, and for those who show no quotes what is quoted; who shows them hides this.
fn content(status: &Status, quote: Option<&Quote>) -> String {
    match quote {
        Some(quote) if !status.content.contains(&quote.id) => {
            let link = quote.id.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
            format!("<p class=\"quote-inline\">RE: <a href=\"{link}\">{link}</a></p>{}", status.content)
        }
        _ => status.content.clone(),
    }
}

/// Nobody but the author is how "nobody" is said.
fn policy(status: &Status, author: &str) -> Policy {
    let (followers, following) = (format!("{author}/followers"), format!("{author}/following"));
    let automatic = match status.quote_policy {
        QuotePolicy::Public => vec![PUBLIC.to_owned()],
        QuotePolicy::Followers => vec![followers],
        QuotePolicy::Following => vec![following],
        QuotePolicy::Circles => vec![followers, following],
        QuotePolicy::Nobody => vec![author.to_owned()],
    };
    Policy { quote: Some(Grant { automatic, ..Grant::default() }), ..Policy::default() }
}

fn question(poll: polls::Poll) -> Poll {
    let number = |n: i64| u64::try_from(n).ok();
    let closed = poll.expired(Time::now());
    let is_told = closed || !poll.hide_totals;
    let votes = |n: i64| number(n).filter(|_| is_told);
    let choices = poll.options().into_iter().map(|o| Choice { name: o.title, votes: votes(o.votes) });
    Poll {
        choices: choices.collect(),
        multiple: poll.multiple,
        ends_at: poll.expires_at,
        closed,
        voters: number(poll.voters_count),
    }
}

/// The local author of `status`; [`Error::NotFound`] when they are not here or no longer.
pub(crate) async fn author(conn: &Conn, status: &Status) -> Result<Account> {
    let author = accounts::store::by_id(conn, status.account_id).await?;
    author.filter(|a| a.is_local() && a.suspended_at.is_none()).ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addressees_follow_from_visibility() {
        let author = "https://noren.example/users/mia";
        let followers = format!("{author}/followers");
        let bob = "https://b.example/bob".to_owned();
        let (everybody, followers, bob) = (PUBLIC, followers.as_str(), bob.as_str());
        for (visibility, to, cc) in [
            (Visibility::Public, vec![everybody], vec![followers, bob]),
            (Visibility::Unlisted, vec![followers], vec![everybody, bob]),
            (Visibility::Private, vec![followers], vec![bob]),
            (Visibility::Direct, vec![bob], vec![]),
        ] {
            let made = Addressed::new(visibility, author, vec![bob.to_owned()]);
            assert_eq!(
                (made.to, made.cc),
                (to.iter().map(|s| s.to_string()).collect(), cc.iter().map(|s| s.to_string()).collect())
            );
        }
    }
}
