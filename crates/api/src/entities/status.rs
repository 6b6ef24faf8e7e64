//! Statuses.

use super::{Account, CustomEmoji, Empty, Iso, MediaAttachment, Pleroma, Poll, PreviewCard, Quote, QuoteApproval};
use crate::App;
use domain::{
    Result,
    db::Conn,
    ids::{AccountId, StatusId},
    statuses::{self, ContentType, Mention, Visibility, edit, visibility::Shown},
};
use serde::Serialize;
use std::sync::Arc;

/// <https://docs.joinmastodon.org/entities/Status/>
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub id: StatusId,
    pub created_at: Iso,
    pub in_reply_to_id: Option<StatusId>,
    pub in_reply_to_account_id: Option<AccountId>,
    pub sensitive: bool,
    pub spoiler_text: String,
    pub visibility: Visibility,
    pub language: Option<String>,
    pub uri: String,
    pub url: Option<String>,
    pub replies_count: i64,
    pub reblogs_count: i64,
    pub favourites_count: i64,
    pub quotes_count: i64,
    pub edited_at: Option<Iso>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub mine: Option<Mine>,
    pub content: String,
    pub quote_approval: QuoteApproval,
    pub reblog: Option<Box<Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Arc<StatusApplication>>,
    pub account: Arc<Account>,
    pub media_attachments: Vec<MediaAttachment>,
    pub mentions: Vec<Mention>,
    pub tags: Vec<StatusTag>,
    pub emojis: Vec<CustomEmoji>,
    pub quote: Option<Box<Quote>>,
    pub card: Option<Arc<PreviewCard>>,
    pub poll: Option<Poll>,
    pub tagged_collections: [Empty; 0],
    /// Emoji that people put on it; only when there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pleroma: Option<Box<Pleroma>>,
    /// The source, only when a deleted status is given back for "delete and redraft".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With `text`: how it was written. Not Mastodon's; others with Markdown call it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
}

/// What the viewer did to it; only with a user's token.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Mine {
    pub favourited: bool,
    pub reblogged: bool,
    pub muted: bool,
    pub bookmarked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    pub filtered: [Empty; 0],
}

#[derive(Clone, Debug, Serialize)]
pub struct StatusApplication {
    pub name: String,
    pub website: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StatusTag {
    pub name: String,
    pub url: String,
}

/// <https://docs.joinmastodon.org/entities/Context/>
#[derive(Debug, Serialize)]
pub struct Context {
    pub ancestors: Vec<Status>,
    pub descendants: Vec<Status>,
}

/// <https://docs.joinmastodon.org/entities/StatusSource/>
#[derive(Debug, Serialize)]
pub struct StatusSource {
    pub id: StatusId,
    pub text: String,
    pub spoiler_text: String,
    pub content_type: ContentType,
}

/// <https://docs.joinmastodon.org/entities/StatusEdit/>
#[derive(Debug, Serialize)]
pub struct StatusEdit {
    pub content: String,
    pub spoiler_text: String,
    pub sensitive: bool,
    pub created_at: Iso,
    pub account: Arc<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<EditedPoll>,
    pub media_attachments: Vec<MediaAttachment>,
    pub emojis: Vec<CustomEmoji>,
    /// An edit does not change what is quoted: the same in all versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Box<Quote>>,
}

#[derive(Debug, Serialize)]
pub struct EditedPoll {
    pub options: Vec<EditedOption>,
}

#[derive(Debug, Serialize)]
pub struct EditedOption {
    pub title: String,
}

/// Statuses as `viewer` sees them, in order. What they may not see was left out before: see `domain::statuses::visibility`.
pub async fn statuses(app: &App, conn: &Conn, shown: Shown, viewer: Option<AccountId>) -> Result<Vec<Status>> {
    super::assemble::assemble(app, conn, shown, viewer).await
}

/// One status that `viewer` may see.
pub async fn status(app: &App, conn: &Conn, row: statuses::Status, viewer: Option<AccountId>) -> Result<Status> {
    let reblogged = match row.reblog_of_id {
        None => None,
        Some(id) => statuses::store::by_id(conn, id).await?,
    };
    let reblogged = reblogged.into_iter().map(|s| (s.id, s)).collect();
    let made = statuses(app, conn, Shown { statuses: vec![row], reblogged }, viewer).await?;
    made.into_iter().next().ok_or(domain::Error::NotFound)
}

pub async fn context(
    app: &App,
    conn: &Conn,
    found: statuses::context::Context,
    viewer: Option<AccountId>,
) -> Result<Context> {
    let split = found.ancestors.len();
    let mut all = found.ancestors;
    all.extend(found.descendants);
    let shown = Shown { statuses: all, reblogged: Default::default() };
    let mut ancestors = statuses(app, conn, shown, viewer).await?;
    let descendants = ancestors.split_off(split.min(ancestors.len()));
    Ok(Context { ancestors, descendants })
}

/// Versions of a status that `viewer` may see, oldest first.
pub async fn edits(
    app: &App,
    conn: &Conn,
    (row, viewer): (statuses::Status, Option<AccountId>),
    versions: Vec<edit::StatusEdit>,
) -> Result<Vec<StatusEdit>> {
    let now = status(app, conn, row, viewer).await?;
    let (account, quote) = (now.account, now.quote);
    let known = super::emojis(app, conn, versions.iter().map(|v| v.emojis_json.as_str())).await?;
    let kept: Vec<Vec<edit::EditedMedia>> =
        versions.iter().map(|v| serde_json::from_str(&v.media_json).unwrap_or_default()).collect();
    let ids: Vec<_> = kept.iter().flatten().map(|m| m.id).collect();
    let rules = app.federation.policy.rules_on(conn).await?;
    let bare = rules.bars(&account.acct, &account.uri);
    let media = if bare { Vec::new() } else { domain::media::store::by_ids(conn, &ids).await? };
    let made = versions.into_iter().zip(kept).map(|(version, kept)| {
        let attachments = kept.into_iter().filter_map(|was| {
            let row = media.iter().find(|m| m.id == was.id)?.clone();
            Some(super::media_attachment(app, domain::media::Attachment { description: was.description, ..row }))
        });
        let titles: Option<Vec<String>> = version.poll_json.as_deref().and_then(|p| serde_json::from_str(p).ok());
        StatusEdit {
            media_attachments: attachments.collect(),
            emojis: super::emoji::pick(&version.emojis_json, &known),
            content: version.content,
            spoiler_text: version.spoiler_text,
            sensitive: version.sensitive,
            created_at: Iso(version.created_at),
            account: account.clone(),
            quote: quote.clone(),
            poll: titles.map(|t| EditedPoll { options: t.into_iter().map(|title| EditedOption { title }).collect() }),
        }
    });
    Ok(made.collect())
}
