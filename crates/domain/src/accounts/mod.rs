//! Accounts: people here and elsewhere, as others see them.

pub mod store;

use crate::{
    Time,
    db::stored_enum,
    ids::AccountId,
    row,
};
use serde::{Deserialize, Serialize};

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
