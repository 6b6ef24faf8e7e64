//! Statuses of other servers: how they arrive. Who may say what was checked before; here it becomes true, once.

mod change;

pub use change::{Outcome, adopt, boost, delete, edit, pin, remove, replace_pins, unboost};

use super::{
    Consent, ContentType, Mention, QuotePolicy, QuoteState, Status, Visibility,
    consent::{self, Rules},
    edit::keep_history,
    quotes::{self, policy_for, remote::Age},
    store,
};
use crate::{
    Error, Result, Time,
    accounts::{self, Account},
    cards::{self, Haste},
    conversations,
    db::{Conn, Db, Tx},
    emojis,
    events::Event,
    ids::{self, AccountId, StatusId},
    media, notifications, polls, search,
    site::Site,
    tags, text, timelines, tombstones,
};
use std::time::Duration;

/// Attachments, mentions and tags that are kept.
const MEDIA: usize = 16;
const MENTIONS: usize = 100;
const TAGS: usize = 60;
/// Characters of what has no limit of its own.
const SPOILER: usize = 2_000;
/// What was not sent but found is shown as news when it is younger.
const NEWS: Duration = Duration::from_secs(6 * 3600);

/// A status of another server as it arrived, its HTML not yet made safe.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub uri: String,
    pub url: Option<String>,
    pub author: AccountId,
    pub content: String,
    pub spoiler_text: String,
    pub visibility: Visibility,
    pub sensitive: bool,
    pub language: Option<String>,
    pub parent: Option<StatusId>,
    pub conversation: conversations::Names,
    /// Known accounts that are named in it.
    pub mentioned: Vec<Account>,
    /// Who may see it though they are not named.
    pub silent: Vec<Account>,
    pub tags: Vec<String>,
    pub emojis: Vec<emojis::Elsewhere>,
    pub media: Vec<media::Elsewhere>,
    pub poll: Option<polls::Elsewhere>,
    pub quote: Option<quotes::remote::Arrived>,
    pub quote_policy: QuotePolicy,
    /// Who may quote it when its author agrees.
    pub quote_manual: QuotePolicy,
    /// What else its author lets others do.
    pub rules: Rules,
    /// How many favour and boost it, where its server says so.
    pub told: Told,
    /// The page that its server shows a preview of.
    pub link: Option<String>,
    pub created_at: Option<Time>,
    pub edited_at: Option<Time>,
    pub how: How,
}

/// Numbers as another server gives them; None where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub favourites: Option<i64>,
    pub reblogs: Option<i64>,
}

impl Told {
    /// As they are kept with `status`.
    pub fn of(status: &Status) -> Self {
        Self { favourites: status.told_favourites, reblogs: status.told_reblogs }
    }

    /// What is known after `before`: a number that is not given stays what it was.
    pub fn after(self, before: Self) -> Self {
        Self { favourites: self.favourites.or(before.favourites), reblogs: self.reblogs.or(before.reblogs) }
    }
}

/// How a status came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its server sent it.
    Sent,
    /// We fetched it: nobody needs to be told of what is old.
    Found,
    /// The same because a relay spoke of it: perhaps nobody here will look at it.
    Relayed,
}

/// The status that has this name among servers, ours or not.
pub async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<Status>> {
    store::by_uri(conn, uri).await
}

/// Writes a status down and puts it where it belongs. The one that is there when it arrived before; None when it is
/// known to be gone. [`Error::Forbidden`] when somebody else's has this name.
pub async fn receive(db: &Db, site: &Site, arrived: &Arrived) -> Result<Option<Status>> {
    let mut tx = db.begin().await?;
    // Whatever concerns one author happens in turn: a deletion cannot slip past the arrival.
    accounts::store::lock_pair(&tx, arrived.author, arrived.author).await?;
    if tombstones::is_gone(&tx, &arrived.uri).await? {
        return Ok(None);
    }
    if let Some(known) = store::by_uri(&tx, &arrived.uri).await? {
        return if known.account_id == arrived.author { Ok(Some(known)) } else { Err(not_theirs()) };
    }
    let author = accounts::store::by_id(&tx, arrived.author).await?.ok_or(Error::NotFound)?;
    if author.is_local() || author.suspended_at.is_some() {
        return Err(Error::forbidden("Nothing is taken from this account"));
    }
    let parent = match arrived.parent {
        None => None,
        Some(id) => store::by_id(&tx, id).await?,
    };
    let status = write(&mut tx, arrived, (&author, parent.as_ref())).await?;
    if status.is_counted() {
        accounts::store::count_status(&tx, author.id, 1).await?;
    }
    if let Some(parent) = status.counted_parent() {
        store::count_replies(&tx, parent, 1).await?;
    }
    let seen = tell(&mut tx, arrived, &status).await?;
    // What a relay brings and nobody here asked for is not looked into. Last: whoever links to the same page waits.
    if seen || arrived.how == How::Found {
        cards::attach(&mut tx, site, &status, (arrived.link.as_deref(), Haste::Others)).await?;
    } else {
        cards::keep_hint(&tx, site, (&status, arrived.link.as_deref())).await?;
    }
    tx.commit().await?;
    Ok(Some(status))
}

fn not_theirs() -> Error {
    Error::forbidden("This is the status of somebody else")
}

async fn write(tx: &mut Tx, arrived: &Arrived, (author, parent): (&Account, Option<&Status>)) -> Result<Status> {
    let blank = blank(tx, arrived, (author, parent)).await?;
    let tags = arrived.tags();
    let mut status = arrived.put_into(blank, &tags)?;
    if !store::insert(tx, &status).await? {
        // Somebody else took the number in this moment.
        return Err(Error::Busy(Duration::from_secs(1)));
    }
    if let Some(poll) = &arrived.poll {
        status.poll_id = polls::receive(tx, (status.account_id, status.id), poll).await?;
        store::update_poll(tx, status.id, status.poll_id).await?;
    }
    media::receive_elsewhere(tx, (status.account_id, status.id), &arrived.media()).await?;
    store::insert_mentions(tx, status.id, arrived.everybody()).await?;
    store::file_under_tags(tx, &status, &tags).await?;
    tags::count_use(tx, &status, &tags).await?;
    search::index_status(tx, &status).await?;
    consent::keep(tx, status.id, &arrived.rules).await?;
    match &arrived.quote {
        None => Ok(status),
        quote => quotes::remote::receive(tx, status, (quote.as_ref(), Age::Current)).await,
    }
}

/// With what cannot be changed later, and nothing else.
async fn blank(tx: &mut Tx, arrived: &Arrived, (author, parent): (&Account, Option<&Status>)) -> Result<Status> {
    let conversation_id = match parent {
        Some(parent) => parent.conversation_id,
        None => conversations::open_named(tx, &arrived.conversation).await?,
    };
    let created_at = arrived.created_at.unwrap_or(tx.now).min(tx.now);
    Ok(Status {
        id: free_id(tx, created_at).await?,
        account_id: arrived.author,
        uri: arrived.uri.clone(),
        url: None,
        local: false,
        text: String::new(),
        content: String::new(),
        spoiler_text: String::new(),
        visibility: arrived.visibility,
        sensitive: false,
        language: None,
        in_reply_to_id: parent.map(|p| p.id),
        in_reply_to_account_id: parent.map(|p| p.account_id),
        reblog_of_id: None,
        conversation_id,
        app_id: None,
        poll_id: None,
        quote_of_id: None,
        quote_state: QuoteState::None,
        quote_policy: QuotePolicy::Nobody,
        has_media: false,
        mentions_json: "[]".into(),
        tags_json: "[]".into(),
        emojis_json: arrived.keep_emojis(tx, author).await?,
        replies_count: 0,
        reblogs_count: 0,
        favourites_count: 0,
        quotes_count: 0,
        created_at,
        edited_at: arrived.edited_at.map(|at| at.min(tx.now)).filter(|at| *at > created_at),
        content_type: ContentType::Plain,
        told_favourites: arrived.told.favourites,
        told_reblogs: arrived.told.reblogs,
        consent: Consent::None,
        quote_manual: QuotePolicy::Nobody,
    })
}

/// What comes from elsewhere stands where it was made, whenever and in whatever order it arrives.
async fn free_id(tx: &Tx, created_at: Time) -> Result<StatusId> {
    for _ in 0..8 {
        let id: StatusId = ids::at(created_at);
        if store::by_id(tx, id).await?.is_none() {
            return Ok(id);
        }
    }
    Ok(ids::next())
}

impl Arrived {
    fn tags(&self) -> Vec<text::Tag> {
        let mut tags: Vec<text::Tag> = Vec::new();
        for name in &self.tags {
            let name = name.trim_start_matches(['#', '＃']);
            let key = text::tag_key(name);
            // What is no tag here could not be looked for.
            let whole = text::tag_name(name).is_some_and(|found| found.len() == name.len());
            if whole && !key.is_empty() && tags.len() < TAGS && !tags.iter().any(|t| t.key == key) {
                tags.push(text::Tag { key, name: name.to_owned() });
            }
        }
        tags
    }

    /// Writes the emoji down that the texts use; what the row says of them.
    async fn keep_emojis(&self, tx: &mut Tx, author: &Account) -> Result<String> {
        let Some(domain) = &author.domain else { return Ok("[]".into()) };
        let mut texts = vec![self.content.as_str(), self.spoiler_text.as_str()];
        texts.extend(self.poll.iter().flat_map(|poll| &poll.options).map(|option| option.title.as_str()));
        emojis::receive(tx, domain, (&self.emojis, &texts)).await?;
        emojis::used(&self.emojis, domain, &texts)
    }

    fn mentioned(&self) -> impl Iterator<Item = &Account> {
        self.mentioned.iter().take(MENTIONS)
    }

    /// Named or not.
    fn everybody(&self) -> impl Iterator<Item = AccountId> {
        self.mentioned().chain(self.silent.iter().take(MENTIONS)).map(|a| a.id)
    }

    fn media(&self) -> Vec<media::Elsewhere> {
        self.media.iter().take(MEDIA).cloned().collect()
    }

    /// `before` with what an edit may change in its place; strangers' HTML passes the one gate here.
    fn put_into(&self, before: Status, tags: &[text::Tag]) -> Result<Status> {
        let silent = self.silent.iter().take(MENTIONS).map(|a| Mention { silent: true, ..Mention::of(a) });
        let mentions: Vec<Mention> = self.mentioned().map(Mention::of).chain(silent).collect();
        let names: Vec<&str> = tags.iter().map(|t| t.key.as_str()).collect();
        let spoiler: String = self.spoiler_text.chars().filter(|c| *c != '\0').take(SPOILER).collect();
        Ok(Status {
            url: Some(self.url.clone().unwrap_or_else(|| self.uri.clone())),
            content: text::sanitise(&self.content),
            spoiler_text: spoiler,
            sensitive: self.sensitive,
            language: self.language.clone(),
            has_media: !self.media.is_empty(),
            quote_policy: policy_for(before.visibility, self.quote_policy),
            quote_manual: policy_for(before.visibility, self.quote_manual),
            mentions_json: serde_json::to_string(&mentions)?,
            tags_json: serde_json::to_string(&names)?,
            ..before
        })
    }
}

/// Whether anybody here has it in a feed or is named in it.
async fn tell(tx: &mut Tx, arrived: &Arrived, status: &Status) -> Result<bool> {
    if arrived.how != How::Sent && tx.now.since(status.created_at) > NEWS {
        return Ok(false);
    }
    let feeds = timelines::deliver(tx, status).await?;
    let from = status.account_id;
    let mut told: Vec<AccountId> = Vec::new();
    for account in arrived.mentioned().filter(|a| a.is_local()) {
        let kind = notifications::Kind::Mention;
        let new = notifications::New { account: account.id, from, kind, status: Some(status.id) };
        notifications::notify(tx, new).await?;
        told.push(account.id);
    }
    if status.visibility == Visibility::Direct {
        conversations::gather(tx, status).await?;
    } else {
        super::publish::notify_watchers(tx, status, &told).await?;
    }
    tx.publish(Event::StatusCreated { status: status.id });
    Ok(feeds > 0 || !told.is_empty())
}
