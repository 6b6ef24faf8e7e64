//! Accounts of other servers: what arrived of them, and where they can be reached.

pub mod store;

pub use store::{Actor, Key};

use super::{Account, Field, Kind, search};
use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx},
    deliveries, domain_blocks, emojis, hosts,
    ids::{AccountId, StatusId},
    jobs::{self, Job},
    media::{self, Former},
    statuses, text, tombstones, users,
};
use std::time::Duration;

/// Lines of a profile's table that are kept.
const FIELDS: usize = 50;
/// Keys of one account that are kept.
const KEYS: usize = 10;
/// Characters of what has no limit of its own.
const NAME: usize = 2_048;
const NOTE: usize = 20_000;
/// Domains that may name them as an author.
const ATTRIBUTION: usize = 100;
/// Servers in one answer; more than that many nobody reads.
const DOMAINS: i64 = 50_000;
/// When what others write at this moment will be there.
const AGAIN: Duration = Duration::from_secs(1);
/// Accounts of one server that are asked where its shared inbox is.
const SHARERS: i64 = 1_000;
/// The greatest number that is believed of what a server says of how many there are.
const MOST: u64 = i32::MAX as u64;
/// Statuses deleted between two looks.
const PAGE: i64 = 200;

/// An account of another server as it arrived, its HTML not yet made safe. Where it came from was checked before.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// The name among servers: an address that does not change.
    pub uri: String,
    pub url: Option<String>,
    pub username: String,
    pub domain: String,
    pub display_name: String,
    pub note: String,
    /// Addresses of pictures.
    pub avatar: Option<String>,
    pub avatar_description: String,
    pub header: Option<String>,
    pub header_description: String,
    /// Name and HTML of each line.
    pub fields: Vec<(String, String)>,
    pub kind: Option<Kind>,
    pub locked: bool,
    pub discoverable: Option<bool>,
    pub indexable: bool,
    pub memorial: bool,
    /// Its own server has hidden it, and shows next to nothing of it.
    pub suspended: bool,
    pub created_at: Option<Time>,
    pub reach: Reach,
    /// It was asked for because somebody else went there: where it went itself is not asked.
    pub is_destination: bool,
    pub emojis: Vec<emojis::Elsewhere>,
    /// Domains that may name this account as an author of pages.
    pub attribution_domains: Vec<String>,
    /// Name and PEM of each public key.
    pub keys: Vec<(String, String)>,
}

/// Where an account of another server is reached, and what it calls its lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub kind: String,
    pub inbox: String,
    pub shared_inbox: Option<String>,
    pub outbox: Option<String>,
    pub followers: Option<String>,
    pub following: Option<String>,
    pub featured: Option<String>,
    pub featured_tags: Option<String>,
    /// Posts for everybody, and those not in public lists, are for nobody who is not signed in.
    pub hides_public: bool,
    pub hides_unlisted: bool,
    /// Its other names among servers.
    pub also_known_as: Vec<String>,
    /// Where it says that it went.
    pub moved_to: Option<String>,
}

/// The account of this address, local or not, suspended or not.
pub async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<Account>> {
    store::by_uri(conn, uri).await
}

/// Servers of which somebody is known, in alphabetical order.
pub async fn domains(conn: &Conn) -> Result<Vec<String>> {
    store::domains(conn, DOMAINS).await
}

/// Writes down what arrived: a new account, or what is new about one that is known. Its handle must have been checked
/// with its domain: an account that had it before under another address is this one now. [`Error::Forbidden`] when its
/// server is blocked here.
pub async fn receive(db: &Db, arrived: &Arrived) -> Result<Account> {
    match written(db, arrived).await? {
        Some(account) => Ok(account),
        // Another connection wrote it down at this moment: now it is known.
        None => written(db, arrived).await?.ok_or(Error::Busy(AGAIN)),
    }
}

/// None: somebody else has just written it down.
async fn written(db: &Db, arrived: &Arrived) -> Result<Option<Account>> {
    let mut tx = db.begin().await?;
    let host = domain_blocks::name::of_address(&arrived.uri);
    let rule = domain_blocks::rule_of_account(&tx, &arrived.domain, &host).await?;
    if let Some(at) = rule.suspended_at() {
        // One that came while the rule was applied to those before it.
        if let Some(known) = store::by_uri(&tx, &arrived.uri).await?.filter(|known| !known.is_local()) {
            domain_blocks::hide(&mut tx, &known, at).await?;
            tx.commit().await?;
        }
        return Err(Error::forbidden("Its server is blocked here"));
    }
    let known = known(&tx, arrived).await?;
    let mut account = match known {
        None => {
            let account = arrived.apply_to(Account::blank(tx.now))?;
            match super::insert(&tx, &account).await {
                Err(Error::Invalid { .. }) => return Ok(None),
                done => done?,
            }
            account
        }
        // What is shown of it meanwhile is not what it is like.
        Some(known) if arrived.suspended && known.uri == arrived.uri => known,
        Some(known) => {
            let account = arrived.apply_to(known.clone())?;
            store::update(&tx, &account).await?;
            media::forget(&mut tx, media::of_account(&known).filter(|file| !is_shown(&account, file))).await?;
            if (&known.display_name, &known.username) != (&account.display_name, &account.username) {
                search::index(&tx, &account).await?;
            }
            account
        }
    };
    let before = store::actor(&tx, account.id).await?;
    look_where_it_went(&mut tx, &account, (before.as_ref(), arrived)).await?;
    let texts = [account.display_name.as_str(), &account.note, &account.fields_json];
    emojis::receive(&mut tx, &arrived.domain, (&arrived.emojis, &texts)).await?;
    store::put_actor(&tx, account.id, &arrived.reach).await?;
    if let Some(before) = &before {
        follow_inboxes(&tx, before, &arrived.reach).await?;
    }
    account.suspended_at = suspended(&tx, &account, arrived).await?;
    let limited = domain_blocks::settle(&tx, account.id, (rule, &host)).await?;
    account.silenced_at = account.silenced_at.or(limited);
    store::delete_keys(&tx, account.id).await?;
    for (id, pem) in arrived.keys.iter().take(KEYS) {
        store::put_key(&tx, &Key { id: id.clone(), account_id: account.id, pem: pem.clone() }).await?;
    }
    tx.commit().await?;
    Ok(Some(account))
}

/// Who it is already: of this address, or else of this handle, under another address before.
async fn known(tx: &Tx, arrived: &Arrived) -> Result<Option<Account>> {
    let namesake = super::store::by_handle(tx, &arrived.username, Some(&arrived.domain)).await?;
    let known = match store::by_uri(tx, &arrived.uri).await? {
        Some(account) => Some(account),
        None => namesake.clone(),
    };
    if known.as_ref().is_some_and(Account::is_local) {
        return Err(Error::forbidden("This account is one of ours"));
    }
    if namesake.is_some_and(|a| known.as_ref().is_none_or(|k| k.id != a.id)) {
        return Err(Error::forbidden("Another account has this handle"));
    }
    Ok(known)
}

fn is_shown(account: &Account, file: &Former) -> bool {
    media::of_account(account).any(|shown| shown == *file)
}

/// Does as the account's own server says about whether it is suspended. Since when it is, for that or another reason: what
/// somebody here decided is not touched.
async fn suspended(tx: &Tx, account: &Account, arrived: &Arrived) -> Result<Option<Time>> {
    let since = store::actor(tx, account.id).await?.and_then(|actor| actor.suspended_at);
    match since {
        None if arrived.suspended => {
            store::suspend(tx, account.id).await?;
            Ok(account.suspended_at.or(Some(tx.now)))
        }
        Some(at) if !arrived.suspended => {
            let lifted = store::lift(tx, account.id, at).await?;
            Ok(account.suspended_at.filter(|_| !lifted))
        }
        _ => Ok(account.suspended_at),
    }
}

/// Whether nobody but its own server has hidden this account of another server.
pub async fn is_suspended_at_home(conn: &Conn, account: &Account) -> Result<bool> {
    let since = store::actor(conn, account.id).await?.and_then(|actor| actor.suspended_at);
    Ok(since.is_some() && since == account.suspended_at)
}

/// How many accounts of other servers are known: of `domain`, or of all. Without those that are not shown.
pub async fn count(conn: &Conn, domain: Option<&str>) -> Result<i64> {
    store::count(conn, domain).await
}

/// Their ids, ascending, after `after`.
pub async fn list(conn: &Conn, domain: Option<&str>, after: AccountId, limit: i64) -> Result<Vec<AccountId>> {
    store::list(conn, domain, after, limit).await
}

/// Where it says that it went has to be asked, when that is news, or was never confirmed: an account that was first met
/// where somebody else went was not asked about, and who is asked may have been away.
async fn look_where_it_went(
    tx: &mut Tx,
    account: &Account,
    (before, arrived): (Option<&Actor>, &Arrived),
) -> Result<()> {
    let before = before.and_then(|actor| actor.moved_to.clone());
    if arrived.is_destination {
        return Ok(());
    }
    let job = Job::CheckMove { account: account.id };
    let settled = arrived.reach.moved_to.is_none() || account.moved_to_id.is_some();
    if (settled && before == arrived.reach.moved_to) || jobs::is_queued(tx, &job).await? {
        Ok(())
    } else {
        tx.enqueue(job).await
    }
}

/// What is on its way to an inbox that nobody has any more goes to where it is now, so that it comes before what is sent
/// there from now on.
async fn follow_inboxes(tx: &Tx, before: &Actor, now: &Reach) -> Result<()> {
    let own = (before.inbox != now.inbox).then_some((before.inbox.as_str(), now.inbox.as_str()));
    let shared = before.shared_inbox.as_deref().filter(|shared| now.shared_inbox.as_deref() != Some(shared));
    let shared = shared.map(|shared| (shared, now.shared_inbox.as_deref().unwrap_or(&now.inbox)));
    for (from, to) in own.into_iter().chain(shared) {
        let left = store::by_shared_inbox(tx, from).await?.or(store::by_inbox(tx, from).await?);
        if left.is_none() {
            deliveries::readdress_at_once(tx, from, to).await?;
        }
    }
    Ok(())
}

/// Whoever is reached at the shared inbox `from` is reached at `to` from now on. How many.
pub async fn share_elsewhere(db: &Db, from: &str, to: &str) -> Result<u64> {
    let moved = (from.to_owned(), to.to_owned());
    db.in_batches(SHARERS, move |tx| {
        let (from, to) = moved.clone();
        Box::pin(async move { store::share_elsewhere(tx, (&from, &to), SHARERS).await })
    })
    .await
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

impl Arrived {
    /// `before` with all that arrived in its place; strangers' HTML passes the one gate here.
    fn apply_to(&self, before: Account) -> Result<Account> {
        let field = |(name, value): &(String, String)| {
            let value_html = text::sanitise(&cut(value, NAME));
            Field { name: cut(name, NAME), value: text::plain(&value_html), value_html, verified_at: None }
        };
        let fields: Vec<Field> = self.fields.iter().take(FIELDS).map(field).collect();
        let note = cut(&self.note, NOTE);
        let (display_name, fields_json) = (cut(&self.display_name, NAME), serde_json::to_string(&fields)?);
        let texts = [display_name.as_str(), &note, &fields_json];
        let domains: Vec<&String> = self.attribution_domains.iter().take(ATTRIBUTION).collect();
        Ok(Account {
            emojis_json: emojis::used(&self.emojis, &self.domain, &texts)?,
            attribution_domains_json: serde_json::to_string(&domains)?,
            username: cut(&self.username, NAME),
            domain: Some(self.domain.clone()),
            display_name,
            note_html: text::sanitise(&note),
            note,
            uri: self.uri.clone(),
            url: self.url.clone().unwrap_or_else(|| self.uri.clone()),
            avatar: self.avatar.clone(),
            avatar_static: None,
            header: self.header.clone(),
            header_static: None,
            avatar_description: cut(&self.avatar_description, NAME),
            header_description: cut(&self.header_description, NAME),
            fields_json,
            kind: self.kind.unwrap_or(Kind::Person),
            locked: self.locked,
            discoverable: self.discoverable,
            indexable: self.indexable,
            memorial: self.memorial,
            created_at: self.created_at.filter(|at| *at < before.created_at).unwrap_or(before.created_at),
            ..before
        })
    }
}

/// Has a job ask its server how the account is now; once is enough.
pub async fn refresh_later(db: &Db, id: AccountId) -> Result<()> {
    let host = host_of(&db.read().await?, id).await?;
    jobs::ensure(db, Job::RefreshAccount { account: id, host }).await
}

/// The server that is asked about an account.
async fn host_of(conn: &Conn, id: AccountId) -> Result<Option<String>> {
    Ok(super::store::by_id(conn, id).await?.and_then(|account| hosts::of(&account.uri)))
}

/// What fetches what the account shows on its profile.
pub(crate) async fn fetching_pins(conn: &Conn, id: AccountId) -> Result<Job> {
    Ok(Job::FetchPins { account: id, host: host_of(conn, id).await? })
}

/// Whether `inbox` is that of a whole server, and not of somebody there who says so: two share it at least, and most do.
pub async fn is_inbox_of_all(conn: &Conn, inbox: &str, host: &str) -> Result<bool> {
    let (known, sharing) = store::sharers(conn, (host, inbox), SHARERS).await?;
    Ok(sharing >= 2 && sharing * 2 > known)
}

/// How many posts, followers and followed people the account's own server says that there are, and whether it shows who
/// these people are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub statuses: Option<u64>,
    pub followers: Option<u64>,
    pub following: Option<u64>,
    pub hidden: Option<bool>,
}

/// Shows these numbers of it, as far as they are told: its server knows of more than came here.
pub async fn count_as_told(db: &Db, id: AccountId, counts: Counts) -> Result<()> {
    let tx = db.begin().await?;
    let number = |told: Option<u64>| told.map(|n| i64::try_from(n.min(MOST)).unwrap_or(0));
    let told = [counts.statuses, counts.followers, counts.following].map(number);
    store::update_counts(&tx, id, (told, counts.hidden)).await?;
    tx.commit().await
}

/// Has a job fetch what the account shows on its profile; once is enough.
pub async fn fetch_pins_later(db: &Db, id: AccountId) -> Result<()> {
    let job = fetching_pins(&db.read().await?, id).await?;
    jobs::ensure(db, job).await
}

/// Removes an account of another server and everything of theirs; its address stays known as gone. Safe to repeat.
pub async fn delete(db: &Db, id: AccountId) -> Result<()> {
    let account = super::store::by_id(&db.read().await?, id).await?.ok_or(Error::NotFound)?;
    if account.is_local() {
        return Err(Error::forbidden("This account is one of ours"));
    }
    let tx = db.begin().await?;
    users::store::suspend(&tx, id).await?;
    // No news of its server brings it back now.
    store::forget_suspension(&tx, id).await?;
    tombstones::put(&tx, &account.uri).await?;
    tx.commit().await?;
    clear(db, id).await
}

/// Removes an account of another server and everything of theirs, and remembers nothing. Safe to repeat.
pub(crate) async fn clear(db: &Db, id: AccountId) -> Result<()> {
    let tx = db.begin().await?;
    users::store::suspend(&tx, id).await?;
    tx.commit().await?;
    loop {
        let page: Vec<StatusId> = users::store::statuses(&db.read().await?, id, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for status in page {
            statuses::remote::remove(db, id, status).await?;
        }
    }
    let mut tx = db.begin_long().await?;
    if let Some(account) = super::store::by_id(&tx, id).await? {
        media::forget(&mut tx, media::of_account(&account)).await?;
    }
    users::store::uncount(&tx, id).await?;
    users::store::delete_account(&tx, id).await?;
    tx.commit().await
}
