//! Users: who can sign in here. Each has an account that others see.

pub mod store;

use crate::{
    Time,
    db::stored_enum,
    ids::{AccountId, UserId},
    row,
    statuses::{QuotePolicy, Visibility},
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
        pub email: String,
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
    }
}
