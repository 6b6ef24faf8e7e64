//! What two accounts are to each other, and what one keeps about another: private notes and endorsements.

pub mod store;

use crate::{
    Error, Result, Time,
    accounts::{self, Listed},
    db::{Conn, Db},
    ids::AccountId,
    page::Page,
};
use std::collections::{HashMap, HashSet};

/// Characters of a private note.
/// <https://docs.joinmastodon.org/methods/accounts/#note>
const NOTE_CHARACTERS: usize = 2000;
/// Accounts that one answer about familiar followers is about, and followers it shows in all.
const FAMILIAR: (usize, i64) = (40, 400);

/// What a viewer and some authors are to each other: what visibility needs to know, from one query.
#[derive(Debug, Default)]
pub struct Relations(HashSet<(AccountId, i64)>);

const FOLLOWING: i64 = 1;
const BLOCKING: i64 = 2;
const BLOCKED_BY: i64 = 3;
const MUTING: i64 = 4;
const DOMAIN_BLOCKING: i64 = 5;
const SUSPENDED: i64 = 6;
const LIMITED: i64 = 7;
const HIDES_PUBLIC: i64 = 8;
const HIDES_UNLISTED: i64 = 9;

impl Relations {
    pub fn following(&self, author: AccountId) -> bool {
        self.0.contains(&(author, FOLLOWING))
    }
    pub fn blocking(&self, author: AccountId) -> bool {
        self.0.contains(&(author, BLOCKING))
    }
    pub fn blocked_by(&self, author: AccountId) -> bool {
        self.0.contains(&(author, BLOCKED_BY))
    }
    pub fn muting(&self, author: AccountId) -> bool {
        self.0.contains(&(author, MUTING))
    }
    pub fn domain_blocking(&self, author: AccountId) -> bool {
        self.0.contains(&(author, DOMAIN_BLOCKING))
    }
    pub fn suspended(&self, author: AccountId) -> bool {
        self.0.contains(&(author, SUSPENDED))
    }
    pub fn limited(&self, author: AccountId) -> bool {
        self.0.contains(&(author, LIMITED))
    }
    /// Whether what they write for everybody is for nobody who is not signed in; known where nobody looks alone.
    pub fn hides_public(&self, author: AccountId) -> bool {
        self.0.contains(&(author, HIDES_PUBLIC))
    }
    /// The same of what is not in public lists.
    pub fn hides_unlisted(&self, author: AccountId) -> bool {
        self.0.contains(&(author, HIDES_UNLISTED))
    }
}

/// Relations between `viewer` (None: anybody) and `authors`.
pub async fn with_authors(
    conn: &Conn,
    viewer: Option<AccountId>,
    authors: impl IntoIterator<Item = AccountId>,
) -> Result<Relations> {
    let rows = store::with_authors(conn, viewer.unwrap_or(AccountId(0)), authors, Time::now()).await?;
    Ok(Relations(rows.into_iter().collect()))
}

/// [`with_authors`] for many viewers, from one query.
pub async fn viewers_with_authors(
    conn: &Conn,
    viewers: &[AccountId],
    authors: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Relations>> {
    let mut out: HashMap<AccountId, Relations> = viewers.iter().map(|v| (*v, Relations::default())).collect();
    for (viewer, author, what) in store::viewers_with_authors(conn, viewers, authors, Time::now()).await? {
        if viewer == AccountId(0) {
            for relations in out.values_mut() {
                relations.0.insert((author, what));
            }
        } else if let Some(relations) = out.get_mut(&viewer) {
            relations.0.insert((author, what));
        }
    }
    Ok(out)
}

/// Everything that one account is to another.
/// <https://docs.joinmastodon.org/entities/Relationship/>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    pub id: AccountId,
    pub following: bool,
    /// Of a follow or a request to follow, as are the next two.
    pub showing_reblogs: bool,
    pub notifying: bool,
    /// Only statuses in these languages; None: all.
    pub languages: Option<Vec<String>>,
    pub followed_by: bool,
    pub blocking: bool,
    pub blocked_by: bool,
    pub muting: bool,
    pub muting_notifications: bool,
    pub muting_expires_at: Option<Time>,
    pub requested: bool,
    pub requested_by: bool,
    pub domain_blocking: bool,
    pub endorsed: bool,
    /// The private note; empty when there is none.
    pub note: String,
}

impl Relationship {
    /// To somebody one has nothing to do with.
    pub fn none(id: AccountId) -> Self {
        Self {
            id,
            following: false,
            showing_reblogs: false,
            notifying: false,
            languages: None,
            followed_by: false,
            blocking: false,
            blocked_by: false,
            muting: false,
            muting_notifications: false,
            muting_expires_at: None,
            requested: false,
            requested_by: false,
            domain_blocking: false,
            endorsed: false,
            note: String::new(),
        }
    }

    fn take(&mut self, row: store::Found) {
        let store::Found { what, flags, text, until, .. } = row;
        let (first, second) = (flags & 1 != 0, flags & 2 != 0);
        match what {
            store::FOLLOWS | store::REQUESTS => {
                self.following |= what == store::FOLLOWS;
                self.requested |= what == store::REQUESTS;
                (self.showing_reblogs, self.notifying) = (first, second);
                self.languages = languages(text.as_deref());
            }
            store::FOLLOWED_BY => self.followed_by = true,
            store::REQUESTED_BY => self.requested_by = true,
            store::BLOCKS => self.blocking = true,
            store::BLOCKED_BY => self.blocked_by = true,
            store::MUTES => (self.muting, self.muting_notifications, self.muting_expires_at) = (true, first, until),
            store::DOMAIN_BLOCKS => self.domain_blocking = true,
            store::ENDORSES => self.endorsed = true,
            store::NOTES => self.note = text.unwrap_or_default(),
            _ => {}
        }
    }
}

/// Languages of a follow as they are stored; none of them is the same as all.
fn languages(json: Option<&str>) -> Option<Vec<String>> {
    let list: Vec<String> = serde_json::from_str(json?).ok()?;
    (!list.is_empty()).then_some(list)
}

/// What `me` is to each of `others`, in their order, from one query. Whether they exist is not looked at.
pub async fn between(conn: &Conn, me: AccountId, others: &[AccountId]) -> Result<Vec<Relationship>> {
    let mut by_id: HashMap<AccountId, Relationship> = HashMap::with_capacity(others.len());
    for row in store::between(conn, me, others, Time::now()).await? {
        by_id.entry(row.id).or_insert_with(|| Relationship::none(row.id)).take(row);
    }
    Ok(others.iter().map(|id| by_id.get(id).cloned().unwrap_or_else(|| Relationship::none(*id))).collect())
}

/// [`between`] for one.
pub async fn with(conn: &Conn, me: AccountId, other: AccountId) -> Result<Relationship> {
    let found = between(conn, me, &[other]).await?;
    Ok(found.into_iter().next().unwrap_or_else(|| Relationship::none(other)))
}

/// Keeps a private note about somebody; an empty one is removed.
/// [`Error::Invalid`] over 2000 characters, [`Error::NotFound`] without such an account.
pub async fn set_note(db: &Db, me: AccountId, target: AccountId, comment: &str) -> Result<Relationship> {
    if comment.len() > NOTE_CHARACTERS * 4 || comment.chars().count() > NOTE_CHARACTERS {
        return Err(Error::invalid("Comment", format!("is too long (maximum is {NOTE_CHARACTERS} characters)")));
    }
    // PostgreSQL cannot hold a NUL in a text.
    let comment = &comment.replace('\0', "");
    let tx = db.begin().await?;
    accounts::visible(&tx, target).await?;
    if comment.trim().is_empty() {
        store::delete_note(&tx, me, target).await?;
    } else {
        store::put_note(&tx, me, target, comment).await?;
    }
    let shown = with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// What `who` noted about an account that moved is noted about the new one too, before what is there already.
pub(crate) async fn carry_note(
    db: &Db,
    who: AccountId,
    (from, to): (&accounts::Account, &accounts::Account),
) -> Result<()> {
    let tx = db.begin().await?;
    let (old, new) = (with(&tx, who, from.id).await?.note, with(&tx, who, to.id).await?.note);
    let carried = format!("Moved here from {}. Your note about it:\n{old}", from.acct());
    if old.is_empty() || new.starts_with(&carried) {
        return Ok(());
    }
    let whole = if new.is_empty() { carried } else { format!("{carried}\n\n{new}") };
    let cut: String = whole.chars().take(NOTE_CHARACTERS).collect();
    store::put_note(&tx, who, to.id, &cut).await?;
    tx.commit().await
}

/// Keeps a private note unless there is one.
pub(crate) async fn note_once(db: &Db, (who, about): (AccountId, AccountId), comment: &str) -> Result<()> {
    let tx = db.begin().await?;
    if with(&tx, who, about).await?.note.is_empty() {
        store::put_note(&tx, who, about, comment).await?;
    }
    tx.commit().await
}

/// Features somebody on one's profile; once is enough. Only whom one follows: [`Error::Invalid`] otherwise.
pub async fn endorse(db: &Db, me: AccountId, target: AccountId) -> Result<Relationship> {
    let tx = db.begin().await?;
    accounts::visible(&tx, target).await?;
    if !with(&tx, me, target).await?.following {
        return Err(Error::invalid("base", "You must be already following the person you want to endorse"));
    }
    store::insert_endorsement(&tx, me, target).await?;
    let shown = with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Ends [`endorse`]; no error when there was none.
pub async fn unendorse(db: &Db, me: AccountId, target: AccountId) -> Result<Relationship> {
    let tx = db.begin().await?;
    accounts::visible(&tx, target).await?;
    store::delete_endorsement(&tx, me, target).await?;
    let shown = with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Whom `of` features, latest first.
pub async fn endorsed(conn: &Conn, of: AccountId, page: Page) -> Result<Vec<Listed>> {
    let rows = page.newest_first(store::endorsed(conn, of, page).await?);
    accounts::listed(conn, rows).await
}

/// For each of `targets` (the first 40), whom of those `me` follows follows them; nothing for who hides their network.
pub async fn familiar_followers(
    conn: &Conn,
    me: AccountId,
    targets: &[AccountId],
) -> Result<Vec<(AccountId, Vec<accounts::Account>)>> {
    let (most, rows) = FAMILIAR;
    let mut targets = accounts::visible_among(conn, targets.iter().copied().take(most)).await?;
    targets.retain(|a| a.suspended_at.is_none());
    let pairs = store::familiar(conn, me, targets.iter().map(|a| a.id), rows).await?;
    let people = accounts::store::by_ids(conn, pairs.iter().map(|(_, follower)| *follower)).await?;
    let people: HashMap<AccountId, accounts::Account> = people.into_iter().map(|a| (a.id, a)).collect();
    let known = |target: AccountId| {
        let followers = pairs.iter().filter(move |(t, _)| *t == target);
        followers.filter_map(|(_, follower)| people.get(follower).cloned()).collect()
    };
    Ok(targets.iter().map(|t| (t.id, known(t.id))).collect())
}

#[cfg(test)]
mod tests;
