//! Publishing a status: look, decide, write, tell.

use super::{
    Consent, ContentType, QuotePolicy, QuoteState, Status, Visibility,
    consent::{self, Deed},
    draft::{self, Written},
    quotes::{self, Quoted},
    store, visibility,
};
use crate::{
    Error, Result, Time, accounts,
    accounts::Account,
    cards::{self, Haste},
    conversations,
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{self, AccountId, AppId, MediaId, StatusId},
    media, notifications,
    polls::{self, NewPoll},
    relays, search,
    site::Site,
    tags, timelines,
    users::User,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the answer to an Idempotency-Key is remembered.
pub(crate) const IDEMPOTENCY: Duration = Duration::from_secs(3600);

/// A status as its author asks for it. Also the stored form of a scheduled status.
/// <https://docs.joinmastodon.org/methods/statuses/#create>
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewStatus {
    pub text: String,
    #[serde(default)]
    pub spoiler_text: String,
    pub visibility: Option<Visibility>,
    pub sensitive: Option<bool>,
    pub language: Option<String>,
    pub in_reply_to: Option<StatusId>,
    #[serde(default)]
    pub media: Vec<MediaId>,
    pub poll: Option<NewPoll>,
    pub quote_of: Option<StatusId>,
    pub quote_policy: Option<QuotePolicy>,
    /// None: the author's default.
    #[serde(default)]
    pub content_type: Option<ContentType>,
    pub app: Option<AppId>,
    pub idempotency_key: Option<String>,
}

/// What was found out before writing.
struct Plan {
    author: Account,
    visibility: Visibility,
    quote_policy: QuotePolicy,
    content_type: ContentType,
    sensitive: bool,
    language: Option<String>,
    parent: Option<Status>,
    /// To answering it.
    consent: Consent,
    quoted: Option<Quoted>,
    written: Written,
    media: Vec<media::Attachment>,
}

/// Publishes. The same Idempotency-Key within an hour gives the status it made the first time.
pub async fn publish(db: &Db, site: &Site, user: &User, new: NewStatus) -> Result<Status> {
    let conn = db.read().await?;
    if let Some(done) = replayed(&conn, user, &new).await? {
        return Ok(done);
    }
    let plan = plan(&conn, site, user, &new).await?;
    drop(conn);
    let mut tx = db.begin().await?;
    let id: StatusId = ids::next();
    if let Some(key) = &new.idempotency_key
        && !store::insert_idempotency(&tx, user.account_id, key, id).await?
    {
        drop(tx);
        return replayed(&db.read().await?, user, &new).await?.ok_or(Error::NotFound);
    }
    let status = write(&mut tx, site, (id, &new), &plan).await?;
    attach(&tx, &status, &plan.media).await?;
    count(&tx, &status, &plan).await?;
    tell(&mut tx, site, &status, &plan).await?;
    tx.commit().await?;
    Ok(status)
}

async fn replayed(conn: &Conn, user: &User, new: &NewStatus) -> Result<Option<Status>> {
    let Some(key) = &new.idempotency_key else { return Ok(None) };
    match store::by_idempotency(conn, user.account_id, key, Time::now().minus(IDEMPOTENCY)).await? {
        Some(id) => store::by_id(conn, id).await,
        None => Ok(None),
    }
}

/// Says what is wrong with it, without writing: also asked before a status is scheduled.
pub async fn check(conn: &Conn, site: &Site, user: &User, new: &NewStatus) -> Result<()> {
    plan(conn, site, user, new).await.map(drop)
}

async fn plan(conn: &Conn, site: &Site, user: &User, new: &NewStatus) -> Result<Plan> {
    // Mastodon's own order of complaint: what is missing, what is too long, what is not there.
    let spoiler_is_text = new.text.trim().is_empty() && !new.spoiler_text.trim().is_empty() && !new.media.is_empty();
    if new.text.trim().is_empty() && new.media.is_empty() && new.poll.is_none() && !spoiler_is_text {
        return Err(Error::invalid("Text", "can't be blank"));
    }
    draft::check_length(site, &new.spoiler_text, &new.text)?;
    if let Some(poll) = &new.poll {
        if !new.media.is_empty() {
            return Err(Error::Forbidden("Cannot attach files to a post that contains a poll".into()));
        }
        poll.check(&site.limits)?;
    }
    let author = accounts::store::by_id(conn, user.account_id).await?.ok_or(Error::NotFound)?;
    let parent = match new.in_reply_to {
        None => None,
        Some(id) => Some(visibility::visible_original(conn, author.id, id).await?),
    };
    let consent = match &parent {
        None => Consent::None,
        Some(parent) => consent::needed(conn, author.id, (parent, Deed::Reply)).await?,
    };
    let media = draft::attachments(conn, site, &author, &new.media).await?;
    let options = new.poll.as_ref().map(|p| p.options.join("\n")).unwrap_or_default();
    let more = format!("{}\n{options}", new.spoiler_text);
    let content_type = content_type(site, user, new)?;
    let typed = draft::Typed { text: &new.text, content_type, more: &more };
    let mut written = draft::read(conn, site, typed).await?;
    // Who does not say for whom an answer is does not mean to tell it to more people than were told what it answers.
    let default =
        parent.as_ref().map_or(user.default_visibility, |parent| parent.visibility.max(user.default_visibility));
    let mut visibility = new.visibility.unwrap_or(default);
    let quoted = quotes::quotable(conn, author.id, new.quote_of).await?;
    if let Some(quoted) = &quoted {
        visibility = quoted.narrow(visibility);
        written.mentions_json = quoted.mentions(written.mentions_json)?;
    }
    Ok(Plan {
        sensitive: new.sensitive.unwrap_or(user.default_sensitive) || !new.spoiler_text.is_empty(),
        quote_policy: quotes::policy_for(visibility, new.quote_policy.unwrap_or(user.default_quote_policy)),
        language: draft::language(new.language.as_deref().or(user.default_language.as_deref())),
        visibility,
        content_type,
        author,
        parent,
        consent,
        quoted,
        written,
        media,
    })
}

/// As asked for, else the author's default; one that this site no longer has is none.
fn content_type(site: &Site, user: &User, new: &NewStatus) -> Result<ContentType> {
    match new.content_type {
        Some(wanted) => draft::content_type(site, wanted),
        None => Ok(draft::content_type(site, user.default_content_type).unwrap_or(ContentType::Plain)),
    }
}

async fn write(tx: &mut Tx, site: &Site, (id, new): (StatusId, &NewStatus), plan: &Plan) -> Result<Status> {
    let conversation_id = match &plan.parent {
        Some(parent) => parent.conversation_id,
        None => conversations::open(tx).await?,
    };
    let mut status = Status {
        id,
        account_id: plan.author.id,
        uri: site.status_uri(&plan.author.username, id),
        url: Some(site.status_url(&plan.author.username, id)),
        local: true,
        text: new.text.clone(),
        content: plan.written.content.clone(),
        spoiler_text: new.spoiler_text.clone(),
        visibility: plan.visibility,
        sensitive: plan.sensitive,
        language: plan.language.clone(),
        in_reply_to_id: plan.parent.as_ref().map(|p| p.id),
        in_reply_to_account_id: plan.parent.as_ref().map(|p| p.account_id),
        reblog_of_id: None,
        conversation_id,
        app_id: new.app,
        poll_id: None,
        quote_of_id: plan.quoted.as_ref().map(|q| q.status.id),
        quote_state: plan.quoted.as_ref().map_or(QuoteState::None, |q| q.state),
        quote_policy: plan.quote_policy,
        has_media: !plan.media.is_empty(),
        mentions_json: plan.written.mentions_json.clone(),
        tags_json: plan.written.tags_json.clone(),
        emojis_json: plan.written.emojis_json.clone(),
        replies_count: 0,
        reblogs_count: 0,
        favourites_count: 0,
        quotes_count: 0,
        created_at: tx.now,
        edited_at: None,
        content_type: plan.content_type,
        told_favourites: None,
        told_reblogs: None,
        consent: plan.consent,
        quote_manual: QuotePolicy::Nobody,
    };
    store::insert(tx, &status).await?;
    if let Some(poll) = &new.poll {
        let poll = polls::open(tx, plan.author.id, id, poll).await?;
        store::update_poll(tx, id, Some(poll)).await?;
        status.poll_id = Some(poll);
    }
    store::insert_mentions(tx, id, plan.written.mentioned.iter().map(|a| a.id)).await?;
    store::file_under_tags(tx, &status, &plan.written.tags).await?;
    tags::count_use(tx, &status, &plan.written.tags).await?;
    search::index_status(tx, &status).await?;
    Ok(status)
}

async fn attach(tx: &Tx, status: &Status, media: &[media::Attachment]) -> Result<()> {
    for (position, attachment) in (0i64..).zip(media) {
        if !media::store::attach(tx, status.account_id, status.id, (attachment.id, position)).await? {
            return Err(Error::Conflict("Cannot attach files that belong to another post".into()));
        }
    }
    Ok(())
}

async fn count(tx: &Tx, status: &Status, plan: &Plan) -> Result<()> {
    if status.is_counted() {
        accounts::store::count_status(tx, status.account_id, 1).await?;
    }
    if let Some(parent) = status.counted_parent() {
        store::count_replies(tx, parent, 1).await?;
    }
    if let Some(quoted) = plan.quoted.as_ref().filter(|q| q.state == QuoteState::Accepted) {
        store::count_quotes(tx, quoted.status.id, 1).await?;
    }
    Ok(())
}

async fn tell(tx: &mut Tx, site: &Site, status: &Status, plan: &Plan) -> Result<()> {
    timelines::deliver(tx, status).await?;
    // What waits for somebody's consent is told to them alone, whatever else is in it.
    let waits = status.consent == Consent::Waiting;
    if !waits {
        tell_people(tx, status).await?;
    }
    if let Some(quoted) = &plan.quoted {
        let from = status.account_id;
        let kind = notifications::Kind::Quote;
        let new = notifications::New { account: quoted.status.account_id, from, kind, status: Some(status.id) };
        notifications::notify(tx, new).await?;
        if quoted.state == QuoteState::Pending {
            quotes::remote::ask(tx, status.id, &quoted.status).await?;
        }
    }
    let relayed = !waits && relays::want(tx, status, &plan.author).await?;
    let wanted = is_wanted_elsewhere(status, plan) || deliveries::answered(tx, status).await?.is_some();
    if waits || relayed || wanted {
        deliveries::tell(tx, News::StatusCreated { status: status.id }).await?;
    }
    if relayed {
        deliveries::tell(tx, News::Relayed { status: status.id }).await?;
    }
    tx.publish(Event::StatusCreated { status: status.id });
    // Last: whoever links to the same page waits from here on.
    cards::attach(tx, site, status, (None, Haste::Own)).await
}

/// Tells those here who are named in it, or who watch its author.
pub(super) async fn tell_people(tx: &mut Tx, status: &Status) -> Result<()> {
    if status.reblog_of_id.is_some() {
        return Ok(());
    }
    let named: Vec<AccountId> = status.mentions().iter().filter(|m| !m.silent).map(|m| m.id).collect();
    for account in &named {
        let (kind, from) = (notifications::Kind::Mention, status.account_id);
        let new = notifications::New { account: *account, from, kind, status: Some(status.id) };
        notifications::notify(tx, new).await?;
    }
    match status.visibility {
        Visibility::Direct => conversations::gather(tx, status).await,
        _ => notify_watchers(tx, status, &named).await,
    }
}

fn is_wanted_elsewhere(status: &Status, plan: &Plan) -> bool {
    let answers_others = plan.parent.as_ref().is_some_and(|p| !p.local) && status.visibility <= Visibility::Unlisted;
    answers_others || deliveries::concerns_others(status, &plan.author)
}

/// Followers who asked to be told of every post; not those whom a mention tells.
pub(super) async fn notify_watchers(tx: &mut Tx, status: &Status, mentioned: &[AccountId]) -> Result<()> {
    if status.in_reply_to_account_id.is_some_and(|a| a != status.account_id) {
        return Ok(());
    }
    for account in store::watchers(tx, status.account_id).await? {
        if mentioned.contains(&account) {
            continue;
        }
        let kind = notifications::Kind::Status;
        let new = notifications::New { account, from: status.account_id, kind, status: Some(status.id) };
        notifications::notify(tx, new).await?;
    }
    Ok(())
}

/// Forgets the Idempotency-Keys that need not be remembered any more. How many.
pub async fn forget_idempotency(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::prune_idempotency(&tx, tx.now.minus(IDEMPOTENCY)).await?;
    tx.commit().await?;
    Ok(n)
}
