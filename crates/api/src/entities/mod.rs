//! What clients get: Mastodon's entities, and how lists of rows become lists of them.
//!
//! Views are made for a list and the singular calls the plural, so that a query for each item cannot be written by
//! accident. <https://docs.joinmastodon.org/entities/>

mod account;
mod assemble;
mod card;
mod conversation;
mod emoji;
mod list;
mod media;
mod notification;
mod notification_group;
mod notification_request;
mod poll;
mod profile;
mod quote;
mod reaction;
mod relationship;
mod report;
mod status;
mod tag;

pub use account::{
    Account, AccountRole, CredentialAccount, Day, FamiliarFollowers, FeatureApproval, Field, MutedAccount, Role,
    Source, account, accounts, credential_account,
};
pub use card::{PreviewCard, PreviewCardAuthor, cards};
pub use conversation::{Conversation, conversations};
pub use emoji::{CustomEmoji, emojis};
pub use list::{List, lists};
pub use media::{MediaAttachment, media_attachment};
pub use notification::{Notification, notifications};
pub use notification_group::{
    Expand, GroupedNotificationsResults, NotificationGroup, PartialAccountWithAvatar, Span, notification_groups,
};
pub use notification_request::{NotificationRequest, notification_requests};
pub use poll::{Poll, polls};
pub use profile::{Profile, profile};
pub use quote::{Quote, QuoteApproval, Quoted, State as QuoteState, quoted_again};
pub use reaction::{EmojiReaction, Pleroma, ReactedBy, reacted_by};
pub use relationship::{Relationship, relationships};
pub use report::{Report, reports};
pub use status::{Context, Status, StatusEdit, StatusSource, context, edits, status, statuses};
pub use tag::{FeaturedTag, Tag, featured_tag, featured_tags, tag, tags};

use domain::Time;
use serde::{Serialize, Serializer};

/// An instant as clients expect it: UTC, exactly milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Iso(pub Time);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.iso())
    }
}

/// The body of an answer with nothing in it: `{}`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Empty {}
