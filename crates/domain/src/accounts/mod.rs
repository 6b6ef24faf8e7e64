//! Accounts: people here and elsewhere, as others see them.

mod profile;
pub mod remote;
mod search;
pub mod store;

pub use profile::{Defaults, Picture, ProfileChange, update_profile};
pub use search::{Search, search};

use crate::{
    Error, Result, Time,
    db::{Conn, Tx, stored_enum},
    ids::{self, AccountId},
    row,
    site::Site,
    text, tombstones,
    users::Role,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

stored_enum! {
    pub enum Kind {
        Person = 0 => "person",
        Bot = 1 => "bot",
        Group = 2 => "group",
    }
}

row! {
    /// An account as others see it; local when it has no domain.
    pub struct Account {
        pub id: AccountId,
        pub username: String,
        pub domain: Option<String>,
        pub display_name: String,
        /// What the owner typed; for remote accounts what arrived.
        pub note: String,
        pub note_html: String,
        pub uri: String,
        pub url: String,
        /// Store keys of pictures, if any.
        pub avatar: Option<String>,
        pub avatar_static: Option<String>,
        pub header: Option<String>,
        pub header_static: Option<String>,
        pub avatar_description: String,
        pub header_description: String,
        /// JSON of `Vec<Field>`
        pub fields_json: String,
        /// JSON of the shortcodes used in name, note and fields
        pub emojis_json: String,
        pub kind: Kind,
        pub locked: bool,
        pub discoverable: Option<bool>,
        pub indexable: bool,
        pub hide_collections: Option<bool>,
        pub memorial: bool,
        pub attribution_domains_json: String,
        pub moved_to_id: Option<AccountId>,
        pub statuses_count: i64,
        pub followers_count: i64,
        pub following_count: i64,
        pub created_at: Time,
        pub last_status_at: Option<Time>,
        pub silenced_at: Option<Time>,
        pub suspended_at: Option<Time>,
        /// Of local accounts: whether posts have to be told to other servers at all.
        pub has_remote_followers: bool,
        /// As the user has it.
        pub role: Role,
    }
}

/// One line of a profile's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    /// What the owner typed.
    pub value: String,
    pub value_html: String,
    pub verified_at: Option<i64>,
}

impl Account {
    /// What every account begins with; it has no name and no address yet.
    fn blank(now: Time) -> Self {
        Self {
            id: ids::next(),
            username: String::new(),
            domain: None,
            display_name: String::new(),
            note: String::new(),
            note_html: String::new(),
            uri: String::new(),
            url: String::new(),
            avatar: None,
            avatar_static: None,
            header: None,
            header_static: None,
            avatar_description: String::new(),
            header_description: String::new(),
            fields_json: "[]".into(),
            emojis_json: "[]".into(),
            kind: Kind::Person,
            locked: false,
            discoverable: None,
            indexable: false,
            hide_collections: None,
            memorial: false,
            attribution_domains_json: "[]".into(),
            moved_to_id: None,
            statuses_count: 0,
            followers_count: 0,
            following_count: 0,
            created_at: now,
            last_status_at: None,
            silenced_at: None,
            suspended_at: None,
            has_remote_followers: false,
            role: Role::User,
        }
    }
    /// The lines of the profile's table.
    pub fn fields(&self) -> Vec<Field> {
        serde_json::from_str(&self.fields_json).unwrap_or_default()
    }
    /// Shortcodes used in name, note and fields; whether such emoji exist is another question.
    pub fn shortcodes(&self) -> Vec<String> {
        if self.emojis_json == "[]" { Vec::new() } else { serde_json::from_str(&self.emojis_json).unwrap_or_default() }
    }
    /// Domains that may name this account as an author of pages.
    pub fn attribution_domains(&self) -> Vec<String> {
        serde_json::from_str(&self.attribution_domains_json).unwrap_or_default()
    }
    pub fn is_local(&self) -> bool {
        self.domain.is_none()
    }
    /// `user` for local accounts, `user@domain` for others.
    pub fn acct(&self) -> String {
        match &self.domain {
            None => self.username.clone(),
            Some(domain) => format!("{}@{domain}", self.username),
        }
    }
}

/// A line of a list that goes by the rows' own ids, which only the Link header carries.
#[derive(Clone, Debug)]
pub struct Listed {
    pub cursor: i64,
    pub account: Account,
}

/// (cursor, account) with the accounts themselves, in this order.
pub(crate) async fn listed(conn: &Conn, rows: Vec<(i64, AccountId)>) -> Result<Vec<Listed>> {
    let found = store::by_ids(conn, rows.iter().map(|(_, id)| *id)).await?;
    let by_id: HashMap<AccountId, Account> = found.into_iter().map(|a| (a.id, a)).collect();
    let line = |(cursor, id)| by_id.get(&id).cloned().map(|account| Listed { cursor, account });
    Ok(rows.into_iter().filter_map(line).collect())
}

/// The account, suspended or not; [`Error::NotFound`] for what is not there and for sign-ups that are not confirmed
/// or approved yet.
pub async fn visible(conn: &Conn, id: AccountId) -> Result<Account> {
    visible_among(conn, [id]).await?.into_iter().next().ok_or(Error::NotFound)
}

/// Those of `ids` that [`visible`] would answer, in the order asked for.
pub async fn visible_among(conn: &Conn, ids: impl IntoIterator<Item = AccountId>) -> Result<Vec<Account>> {
    let ids: Vec<AccountId> = ids.into_iter().collect();
    let mut found = store::visible(conn, &ids).await?;
    found.sort_by_key(|a| ids.iter().position(|id| *id == a.id));
    Ok(found)
}

/// Who is meant by `acct`: `user`, `@user`, `user@domain`, also with our own domain. Only who is known here already.
pub async fn lookup(conn: &Conn, site: &Site, acct: &str) -> Result<Account> {
    let handle = handle(site, acct).ok_or(Error::NotFound)?;
    let found = store::by_handle(conn, &handle.username, handle.domain.as_deref()).await?;
    visible(conn, found.ok_or(Error::NotFound)?.id).await
}

/// `acct` taken apart; None when it cannot be one.
pub fn handle(site: &Site, acct: &str) -> Option<text::Handle> {
    let acct = acct.trim();
    let acct = acct.strip_prefix('@').unwrap_or(acct);
    let (username, domain) = match acct.split_once('@') {
        Some((username, domain)) => (username, Some(domain)),
        None => (acct, None),
    };
    let is_name = |text: &str| !text.is_empty() && text.len() <= 255 && !text.contains(['@', '/', '\0']);
    let ok = is_name(username) && domain.is_none_or(is_name) && !username.contains(char::is_whitespace);
    ok.then(|| text::Handle::new(username, domain, &site.domains()))
}

const TAKEN: &str = "has already been taken";

/// Writes a new local account with nothing on it but its name, findable by search.
/// [`Error::Invalid`] when the name is taken; whether it may be one is for the caller to check.
pub async fn create(tx: &Tx, site: &Site, username: &str) -> Result<Account> {
    let account = Account {
        username: username.to_owned(),
        uri: site.actor_uri(username),
        url: site.profile_url(username),
        ..Account::blank(tx.now)
    };
    if tombstones::is_former_name(tx, username).await? {
        return Err(Error::invalid("Username", TAKEN));
    }
    insert(tx, &account).await?;
    Ok(account)
}

/// Writes a new account as it is, local or remote, and makes it findable. [`Error::Invalid`] when it is there already.
pub async fn insert(tx: &Tx, account: &Account) -> Result<()> {
    if !store::insert(tx, account).await? {
        return Err(Error::invalid("Username", TAKEN));
    }
    search::index(tx, account).await
}

#[cfg(test)]
pub(crate) mod tests;
