//! How a list of statuses becomes entities: what they all need is asked for together, once.

use super::{
    Account, CustomEmoji, Iso, MediaAttachment, Poll, PreviewCard, QuoteApproval,
    quote::{self, Between, Found},
    reaction,
    status::{Mine, Status, StatusApplication, StatusTag},
};
use crate::App;
use domain::{
    Result, accounts,
    db::Conn,
    domain_blocks::Rules,
    ids::{AccountId, AppId, PollId, StatusId},
    media, oauth, polls, relationships,
    statuses::{
        self, Marks, Mention, QuotePolicy,
        reactions::{self, Counted},
        visibility::Shown,
    },
};
use futures_util::{FutureExt, future::BoxFuture, try_join};
use std::{collections::HashMap, sync::Arc};

/// How deep quotes are shown whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Whole,
    Shallow,
}

/// For whom, and how deep.
pub(super) type Reader = (Option<AccountId>, Quotes);

/// All that statuses of one list need beside their rows.
struct Around<'a> {
    app: &'a App,
    viewer: Option<AccountId>,
    quotes: Quotes,
    accounts: HashMap<AccountId, Arc<Account>>,
    media: HashMap<StatusId, Vec<MediaAttachment>>,
    marks: HashMap<StatusId, Marks>,
    polls: HashMap<PollId, Poll>,
    apps: HashMap<AppId, Arc<StatusApplication>>,
    emojis: HashMap<String, CustomEmoji>,
    quoted: HashMap<StatusId, Found>,
    reactions: HashMap<StatusId, Vec<Counted>>,
    pictures: reaction::Pictures,
    cards: HashMap<StatusId, Arc<PreviewCard>>,
    /// Authors whom the viewer follows, as far as somebody asks.
    between: HashMap<AccountId, Between>,
    rules: Arc<Rules>,
}

pub(super) async fn assemble(app: &App, conn: &Conn, shown: Shown, viewer: Option<AccountId>) -> Result<Vec<Status>> {
    build(app, conn, shown, (viewer, Quotes::Whole)).await
}

/// Boxed, because quoted statuses are statuses.
pub(super) fn build<'a>(
    app: &'a App,
    conn: &'a Conn,
    shown: Shown,
    reader: Reader,
) -> BoxFuture<'a, Result<Vec<Status>>> {
    async move {
        if shown.statuses.is_empty() {
            return Ok(Vec::new());
        }
        let Shown { statuses, mut reblogged } = shown;
        let mut around = look(app, conn, (&statuses, &reblogged), reader).await?;
        Ok(statuses.into_iter().filter_map(|row| around.boost(row, &mut reblogged)).collect())
    }
    .boxed()
}

type Rows<'a> = (&'a [statuses::Status], &'a HashMap<StatusId, statuses::Status>);

async fn look<'a>(
    app: &'a App,
    conn: &Conn,
    (statuses, reblogged): Rows<'_>,
    (viewer, quotes): Reader,
) -> Result<Around<'a>> {
    // A boost shows nothing of its own but who boosted.
    let originals = || statuses.iter().filter(|s| s.reblog_of_id.is_none()).chain(reblogged.values());
    let authors = statuses.iter().chain(reblogged.values()).map(|s| s.account_id);
    let (accounts, media, marks, polls, apps, emojis, quoted, reactions, between, cards) = try_join!(
        authors_of(app, conn, authors),
        media_of(app, conn, originals().filter(|s| s.has_media).map(|s| s.id)),
        marks_of(conn, viewer, statuses.iter().chain(reblogged.values()).map(|s| s.id)),
        polls_of(app, conn, originals().filter_map(|s| s.poll_id), viewer),
        apps_of(conn, originals().filter_map(|s| s.app_id)),
        super::emojis(app, conn, originals().map(|s| s.emojis_json.as_str())),
        quote::found(app, conn, originals().filter_map(|s| s.quote_of_id).collect(), (viewer, quotes)),
        // Each goes with a favourite.
        reactions::counted(conn, viewer, originals().filter(|s| s.favourites_count > 0).map(|s| s.id)),
        between(conn, viewer, originals()),
        super::cards(app, conn, originals()),
    )?;
    let rules = app.federation.policy.rules_on(conn).await?;
    let names = reactions.values().flatten().map(|counted| counted.name.as_str());
    let pictures = reaction::pictures(app, conn, names).await?;
    Ok(Around {
        app,
        viewer,
        quotes,
        accounts,
        media,
        marks,
        polls,
        apps,
        emojis,
        quoted,
        reactions,
        pictures,
        between,
        cards,
        rules,
    })
}

async fn authors_of(
    app: &App,
    conn: &Conn,
    ids: impl Iterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Arc<Account>>> {
    let rows = accounts::store::by_ids(conn, ids).await?;
    let ids: Vec<AccountId> = rows.iter().map(|a| a.id).collect();
    let made = super::accounts(app, conn, rows).await?;
    Ok(ids.into_iter().zip(made.into_iter().map(Arc::new)).collect())
}

async fn media_of(
    app: &App,
    conn: &Conn,
    ids: impl Iterator<Item = StatusId>,
) -> Result<HashMap<StatusId, Vec<MediaAttachment>>> {
    let mut out: HashMap<StatusId, Vec<MediaAttachment>> = HashMap::new();
    for row in media::store::by_statuses(conn, ids).await? {
        if let Some(id) = row.status_id {
            out.entry(id).or_default().push(super::media_attachment(app, row));
        }
    }
    Ok(out)
}

async fn marks_of(
    conn: &Conn,
    viewer: Option<AccountId>,
    ids: impl Iterator<Item = StatusId>,
) -> Result<HashMap<StatusId, Marks>> {
    match viewer {
        None => Ok(HashMap::new()),
        Some(viewer) => statuses::marks(conn, viewer, ids).await,
    }
}

async fn polls_of(
    app: &App,
    conn: &Conn,
    ids: impl Iterator<Item = PollId>,
    viewer: Option<AccountId>,
) -> Result<HashMap<PollId, Poll>> {
    let rows = polls::store::by_ids(conn, ids).await?;
    super::polls(app, conn, rows, viewer).await
}

async fn apps_of(conn: &Conn, ids: impl Iterator<Item = AppId>) -> Result<HashMap<AppId, Arc<StatusApplication>>> {
    let mut ids: Vec<AppId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = oauth::names(conn, &ids).await?;
    let made = rows.into_iter().map(|(id, name, website)| (id, Arc::new(StatusApplication { name, website })));
    Ok(made.collect())
}

/// Asked only when a status says that followers or followed may quote it.
async fn between<'a>(
    conn: &Conn,
    viewer: Option<AccountId>,
    rows: impl Iterator<Item = &'a statuses::Status>,
) -> Result<HashMap<AccountId, Between>> {
    let is_for_few = |policy: QuotePolicy| !matches!(policy, QuotePolicy::Public | QuotePolicy::Nobody);
    let mut authors: Vec<AccountId> =
        rows.filter(|s| is_for_few(s.quote_policy) || is_for_few(s.quote_manual)).map(|s| s.account_id).collect();
    authors.sort_unstable();
    authors.dedup();
    let Some(viewer) = viewer.filter(|_| !authors.is_empty()) else { return Ok(HashMap::new()) };
    let found = relationships::between(conn, viewer, &authors).await?;
    Ok(found.into_iter().map(|r| (r.id, Between { following: r.following, followed_by: r.followed_by })).collect())
}

impl Around<'_> {
    /// A status, or a boost around what it boosts.
    fn boost(&mut self, row: statuses::Status, reblogged: &mut HashMap<StatusId, statuses::Status>) -> Option<Status> {
        let inner = match row.reblog_of_id {
            None => return self.one(row),
            Some(id) => self.one(reblogged.get(&id)?.clone())?,
        };
        let mut outer = self.one(row)?;
        outer.content.clone_from(&inner.content);
        outer.uri = outer.uri.trim_end_matches("/activity").to_owned() + "/activity";
        outer.url.clone_from(&inner.url);
        outer.sensitive = inner.sensitive;
        outer.spoiler_text.clone_from(&inner.spoiler_text);
        outer.language.clone_from(&inner.language);
        outer.reblogs_count = inner.reblogs_count;
        outer.favourites_count = inner.favourites_count;
        outer.mine = inner.mine.map(|mine| Mine { pinned: None, ..mine });
        outer.quote_approval = inner.quote_approval.clone();
        outer.reblog = Some(Box::new(inner));
        Some(outer)
    }

    fn one(&mut self, row: statuses::Status) -> Option<Status> {
        let account = self.accounts.get(&row.account_id)?.clone();
        let boost = row.reblog_of_id.is_some();
        let bare = boost || self.rules.bars(&account.acct, &account.uri);
        let between = self.between.get(&row.account_id).copied().unwrap_or_default();
        let card = self.cards.get(&row.id).filter(|_| !boost).cloned();
        Some(Status {
            quote_approval: QuoteApproval::of(&row, self.viewer, between),
            mine: self.viewer.map(|viewer| self.mine(&row, viewer)),
            application: row.app_id.filter(|_| !boost).and_then(|id| self.apps.get(&id).cloned()),
            media_attachments: if bare { Vec::new() } else { self.media.get(&row.id).cloned().unwrap_or_default() },
            mentions: if row.mentions_json == "[]" { Vec::new() } else { named(&row) },
            tags: if row.tags_json == "[]" { Vec::new() } else { self.tags(&row) },
            emojis: super::emoji::pick(&row.emojis_json, &self.emojis),
            quote: quote::quote(&row, &self.quoted, self.quotes).filter(|_| !boost).map(Box::new),
            reblogs_count: row.reblogs(),
            favourites_count: row.favourites(),
            poll: row.poll_id.and_then(|id| self.polls.get(&id).cloned()),
            id: row.id,
            created_at: Iso(row.created_at),
            in_reply_to_id: row.in_reply_to_id,
            in_reply_to_account_id: row.in_reply_to_account_id,
            sensitive: row.sensitive,
            spoiler_text: row.spoiler_text,
            visibility: row.visibility,
            language: row.language,
            uri: row.uri,
            url: row.url,
            replies_count: row.replies_count,
            quotes_count: row.quotes_count,
            edited_at: row.edited_at.map(Iso),
            content: row.content,
            reblog: None,
            account,
            pleroma: self.reactions.get(&row.id).and_then(|rows| reaction::pleroma(self.app, rows, &self.pictures)),
            card,
            tagged_collections: [],
            text: None,
            content_type: None,
        })
    }

    fn mine(&self, row: &statuses::Status, viewer: AccountId) -> Mine {
        let marks = self.marks.get(&row.id).copied().unwrap_or_default();
        Mine {
            favourited: marks.favourited,
            reblogged: marks.reblogged,
            muted: marks.muted,
            bookmarked: marks.bookmarked,
            pinned: (row.account_id == viewer && row.reblog_of_id.is_none()).then_some(marks.pinned),
            filtered: [],
        }
    }

    fn tags(&self, row: &statuses::Status) -> Vec<StatusTag> {
        let tags = row.tags().into_iter();
        tags.map(|name| StatusTag { url: self.app.site.tag_url(&name), name }).collect()
    }
}

/// Who is named in it.
fn named(row: &statuses::Status) -> Vec<Mention> {
    row.mentions().into_iter().filter(|m| !m.silent).collect()
}
