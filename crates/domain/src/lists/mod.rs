//! Lists: some of those one follows, read in a timeline of their own (`timelines::list`). Only who is followed, is asked,
//! or is oneself can be in one; who is unfollowed leaves all of them. An exclusive list keeps its members out of the home
//! feed, which is put right in the transaction that changes who is in it.

mod store;

use crate::{
    Error, Result,
    accounts::{self, Listed},
    db::{Conn, Db, Tx, stored_enum},
    ids::{self, AccountId, ListId},
    page::Page,
    row, timelines,
};

/// Lists of one person.
const MOST: i64 = 50;
const TITLE_CHARACTERS: usize = 256;
/// Accounts in one list.
pub const MEMBERS: i64 = 1000;

stored_enum! {
    /// Which replies of its members to others a list shows.
    pub enum RepliesPolicy {
        /// To whomever its owner follows.
        Followed = 0 => "followed",
        /// To other members.
        Members = 1 => "list",
        Nobody = 2 => "none",
    }
}

row! {
    pub struct List {
        pub id: ListId,
        /// Whose it is
        pub account_id: AccountId,
        pub title: String,
        pub replies_policy: RepliesPolicy,
        /// Its members' statuses are not in the owner's home feed
        pub exclusive: bool,
    }
}

/// What to make of a list; None leaves as it is, and at first: replies to members, not exclusive.
/// <https://docs.joinmastodon.org/methods/lists/#create>
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub title: Option<String>,
    pub replies_policy: Option<RepliesPolicy>,
    pub exclusive: Option<bool>,
}

impl Wish {
    fn apply(self, list: &mut List) -> Result<()> {
        if let Some(title) = &self.title {
            list.title = checked(title)?;
        }
        list.replies_policy = self.replies_policy.unwrap_or(list.replies_policy);
        list.exclusive = self.exclusive.unwrap_or(list.exclusive);
        Ok(())
    }
}

fn checked(title: &str) -> Result<String> {
    let title = title.trim();
    if title.is_empty() {
        return Err(Error::invalid("Title", "can't be blank"));
    }
    if title.chars().count() > TITLE_CHARACTERS {
        return Err(Error::invalid("Title", format!("is too long (maximum is {TITLE_CHARACTERS} characters)")));
    }
    Ok(title.to_owned())
}

/// Makes a list with nobody in it. [`Error::Invalid`] without a title, and when there are fifty already.
pub async fn create(db: &Db, owner: AccountId, wish: Wish) -> Result<List> {
    let mut list = List {
        id: ids::next(),
        account_id: owner,
        title: String::new(),
        replies_policy: RepliesPolicy::Members,
        exclusive: false,
    };
    Wish { title: Some(wish.title.unwrap_or_default()), ..wish }.apply(&mut list)?;
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, owner, owner).await?;
    if store::count(&tx, owner).await? >= MOST {
        return Err(Error::invalid("base", "You have reached the maximum number of lists"));
    }
    store::insert(&tx, &list).await?;
    tx.commit().await?;
    Ok(list)
}

/// All lists of `owner`, the first one first.
pub async fn all(conn: &Conn, owner: AccountId) -> Result<Vec<List>> {
    store::list(conn, owner, MOST).await
}

/// A list of `owner`'s own; [`Error::NotFound`] for anything else.
pub async fn own(conn: &Conn, owner: AccountId, id: ListId) -> Result<List> {
    store::by_id(conn, owner, id).await?.ok_or(Error::NotFound)
}

/// Changes a list. When it becomes exclusive its members leave the home feed; when it ceases to be, their latest statuses
/// come back.
pub async fn update(db: &Db, owner: AccountId, (id, wish): (ListId, Wish)) -> Result<List> {
    let tx = db.begin_long().await?;
    let old = locked(&tx, owner, id).await?;
    let mut new = old.clone();
    wish.apply(&mut new)?;
    store::update(&tx, &new).await?;
    match (old.exclusive, new.exclusive) {
        (false, true) => timelines::remove_members(&tx, &new).await?,
        (true, false) => release(&tx, owner, &store::member_ids(&tx, id).await?).await?,
        _ => {}
    }
    tx.commit().await?;
    Ok(new)
}

/// Deletes a list. The members of an exclusive one come back to the home feed.
pub async fn delete(db: &Db, owner: AccountId, id: ListId) -> Result<()> {
    let tx = db.begin_long().await?;
    let list = locked(&tx, owner, id).await?;
    let members = if list.exclusive { store::member_ids(&tx, id).await? } else { Vec::new() };
    store::delete(&tx, id).await?;
    release(&tx, owner, &members).await?;
    tx.commit().await
}

/// The list, and nobody else changes it or its members until the transaction ends.
async fn locked(tx: &Tx, owner: AccountId, id: ListId) -> Result<List> {
    accounts::store::lock_pair(tx, owner, owner).await?;
    own(tx, owner, id).await
}

/// Those whom a list held back come home, unless another one still does.
async fn release(tx: &Tx, owner: AccountId, members: &[AccountId]) -> Result<()> {
    if members.is_empty() { Ok(()) } else { timelines::add_authors(tx, owner, members).await }
}

/// Who is in a list, the last added first.
pub async fn members(conn: &Conn, owner: AccountId, id: ListId, page: Page) -> Result<Vec<Listed>> {
    own(conn, owner, id).await?;
    let rows = page.newest_first(store::members(conn, id, page).await?);
    accounts::listed(conn, rows).await
}

/// Puts accounts into a list, all or none.
///
/// [`Error::NotFound`] for who is neither followed nor asked nor `owner`, [`Error::Invalid`] for who is in it already, and
/// over a thousand members.
/// <https://docs.joinmastodon.org/methods/lists/#accounts-add>
pub async fn add(db: &Db, owner: AccountId, (id, accounts): (ListId, Vec<AccountId>)) -> Result<()> {
    let tx = db.begin_long().await?;
    let list = locked(&tx, owner, id).await?;
    let new = without_repeats(accounts);
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    // First, so that nothing below works on a list without bounds.
    if store::count_members(&tx, id).await?.saturating_add(count) > MEMBERS {
        return Err(Error::invalid("base", format!("A list can have {MEMBERS} accounts at most")));
    }
    if store::count_addable(&tx, owner, &new).await? < count {
        return Err(Error::NotFound);
    }
    for account in &new {
        if !store::insert_member(&tx, &list, *account).await? {
            return Err(Error::invalid("Account", "has already been taken"));
        }
    }
    if list.exclusive {
        timelines::remove_members(&tx, &list).await?;
    }
    tx.commit().await
}

fn without_repeats(accounts: Vec<AccountId>) -> Vec<AccountId> {
    let mut seen = std::collections::HashSet::new();
    accounts.into_iter().filter(|a| seen.insert(*a)).collect()
}

/// Takes accounts out of a list; no error for those who are not in it.
/// <https://docs.joinmastodon.org/methods/lists/#accounts-remove>
pub async fn remove(db: &Db, owner: AccountId, (id, accounts): (ListId, Vec<AccountId>)) -> Result<()> {
    let tx = db.begin_long().await?;
    let list = locked(&tx, owner, id).await?;
    let gone = store::members_among(&tx, id, &accounts).await?;
    store::delete_members(&tx, id, &gone).await?;
    if list.exclusive {
        release(&tx, owner, &gone).await?;
    }
    tx.commit().await
}

/// The lists of `owner` that `account` is in. [`Error::NotFound`] without such an account.
/// <https://docs.joinmastodon.org/methods/accounts/#lists>
pub async fn containing(conn: &Conn, owner: AccountId, account: AccountId) -> Result<Vec<List>> {
    if accounts::visible(conn, account).await?.suspended_at.is_some() {
        return Ok(Vec::new());
    }
    store::containing(conn, owner, account).await
}

/// Which of `candidates` have `account` in them, whatever they show of it.
pub async fn holding(conn: &Conn, account: AccountId, candidates: &[ListId]) -> Result<Vec<ListId>> {
    store::holding(conn, account, candidates).await
}

/// Puts `to` into all lists of `owner` that `from` is in.
pub(crate) async fn carry(tx: &Tx, owner: AccountId, (from, to): (AccountId, AccountId)) -> Result<()> {
    for list in store::containing(tx, owner, from).await? {
        store::insert_member(tx, &list, to).await?;
    }
    Ok(())
}

/// Takes somebody who is no longer followed out of all lists of `owner`.
pub(crate) async fn forget(tx: &Tx, owner: AccountId, account: AccountId) -> Result<()> {
    store::forget(tx, owner, account).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        let long = "あ".repeat(TITLE_CHARACTERS);
        for (typed, title) in [("x", "x"), (" 友だち\n", "友だち"), (long.as_str(), long.as_str())] {
            assert_eq!(checked(typed).unwrap(), title);
        }
        for (typed, why) in [
            ("", "Title can't be blank"),
            (" \t\u{3000}", "Title can't be blank"),
            (&format!("{long}!"), "Title is too long (maximum is 256 characters)"),
        ] {
            assert_eq!(checked(typed).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn repeats_go_and_the_order_stays() {
        let ids = |list: &[i64]| list.iter().copied().map(AccountId).collect::<Vec<_>>();
        assert_eq!(without_repeats(ids(&[3, 1, 3, 2, 1])), ids(&[3, 1, 2]));
        assert!(without_repeats(Vec::new()).is_empty());
    }
}
