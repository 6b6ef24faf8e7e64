//! Users: who can sign in here. Each has an account that others see.

mod create;
mod delete;
mod find;
mod modify;
pub mod password;
mod rules;
pub mod setup;
pub mod sign_up;
pub mod store;

pub use create::{NewUser, create};
pub use delete::delete;
pub use find::{by_id, find, list, owner};
pub use modify::{Change, Endings, is_stale, modify, seen, set_password, verify_password};
pub use rules::{Fault, PASSWORD_CHARACTERS, Problem, REASON_CHARACTERS, USERNAME_CHARACTERS, check};
pub use setup::create_owner;
pub use sign_up::{SignUp, sign_up};

use crate::{
    Time,
    accounts::Account,
    db::stored_enum,
    ids::{AccountId, UserId},
    row,
    statuses::{ContentType, QuotePolicy, Visibility},
};

stored_enum! {
    pub enum Role {
        User = 0 => "user",
        Moderator = 1 => "moderator",
        Admin = 2 => "admin",
        Owner = 3 => "owner",
    }
}

stored_enum! {
    /// Whether clients unfold media: Mastodon's words.
    pub enum ExpandMedia {
        Default = 0 => "default",
        ShowAll = 1 => "show_all",
        HideAll = 2 => "hide_all",
    }
}

row! {
    /// Somebody who can sign in.
    pub struct User {
        pub id: UserId,
        pub account_id: AccountId,
        /// Empty: none given.
        pub email: String,
        /// In PHC's form; empty: nobody can sign in with a password.
        pub password_hash: String,
        pub role: Role,
        pub locale: String,
        pub reason: String,
        pub confirmed_at: Option<Time>,
        pub approved: bool,
        pub disabled: bool,
        pub default_visibility: Visibility,
        pub default_sensitive: bool,
        pub default_language: Option<String>,
        pub default_quote_policy: QuotePolicy,
        pub expand_media: ExpandMedia,
        pub expand_spoilers: bool,
        pub autoplay_gifs: bool,
        pub created_at: Time,
        pub last_active_at: Option<Time>,
        pub default_content_type: ContentType,
    }
}

/// Whether somebody who proved who they are may do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    Usable,
    /// Disabled, or the account is suspended.
    Disabled,
    /// The e-mail address is not confirmed yet.
    Unconfirmed,
    /// A moderator has not approved the sign-up yet.
    Pending,
}

impl Login {
    pub(crate) fn of(disabled: bool, confirmed: bool, approved: bool) -> Self {
        match (disabled, confirmed, approved) {
            (true, _, _) => Self::Disabled,
            (_, false, _) => Self::Unconfirmed,
            (_, _, false) => Self::Pending,
            _ => Self::Usable,
        }
    }
}

impl User {
    /// Whether this user, whose account is `account`, may do anything.
    pub fn login(&self, account: &Account) -> Login {
        let disabled = self.disabled || account.suspended_at.is_some();
        Login::of(disabled, self.confirmed_at.is_some(), self.approved)
    }
}

#[cfg(test)]
pub(crate) mod tests;
