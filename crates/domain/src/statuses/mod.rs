//! Statuses: what people post, boost and reply.

pub mod actions;
pub mod consent;
pub mod context;
mod delete;
mod draft;
pub mod edit;
pub mod lists;
pub mod publish;
pub mod quotes;
pub mod reactions;
pub mod remote;
pub mod store;
pub mod threads;
pub mod visibility;

pub use delete::{Media, delete};
pub use draft::strangers;
pub use publish::{NewStatus, publish};

use crate::{
    Result, Time,
    db::{Conn, Ids, stored_enum},
    ids::{AccountId, AppId, ConversationId, PollId, StatusId},
    row,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

stored_enum! {
    pub enum Visibility {
        Public = 0 => "public",
        Unlisted = 1 => "unlisted",
        Private = 2 => "private",
        Direct = 3 => "direct",
    }
}

stored_enum! {
    /// Who may quote a status without asking.
    pub enum QuotePolicy {
        Public = 0 => "public",
        Followers = 1 => "followers",
        Nobody = 2 => "nobody",
        /// Whom the author follows. This and the next only posts of other servers have.
        Following = 3 => "following",
        Circles = 4 => "followers,following",
    }
}

impl QuotePolicy {
    /// What people here can choose.
    pub const OWN: [Self; 3] = [Self::Public, Self::Followers, Self::Nobody];

    pub fn has_followers(self) -> bool {
        matches!(self, Self::Public | Self::Followers | Self::Circles)
    }
    pub fn has_following(self) -> bool {
        matches!(self, Self::Public | Self::Following | Self::Circles)
    }
}

stored_enum! {
    pub enum QuoteState {
        None = 0 => "none",
        Pending = 1 => "pending",
        Accepted = 2 => "accepted",
        Rejected = 3 => "rejected",
        Revoked = 4 => "revoked",
    }
}

stored_enum! {
    /// Whether an answer or a boost needs the consent of the author of what it is about, elsewhere.
    pub enum Consent {
        None = 0 => "none",
        /// It is asked for; until then it is for nobody but the two.
        Waiting = 1 => "waiting",
        Given = 2 => "given",
    }
}

stored_enum! {
    /// How the author wrote it.
    pub enum ContentType {
        Plain = 0 => "text/plain",
        Markdown = 1 => "text/markdown",
    }
}

row! {
    /// A status as it is stored. A boost is a status with `reblog_of_id` and no text of its own.
    #[derive(PartialEq)]
    pub struct Status {
        pub id: StatusId,
        pub account_id: AccountId,
        pub uri: String,
        pub url: Option<String>,
        pub local: bool,
        /// What the author typed.
        pub text: String,
        /// HTML, ready to show.
        pub content: String,
        pub spoiler_text: String,
        pub visibility: Visibility,
        pub sensitive: bool,
        pub language: Option<String>,
        pub in_reply_to_id: Option<StatusId>,
        pub in_reply_to_account_id: Option<AccountId>,
        pub reblog_of_id: Option<StatusId>,
        pub conversation_id: ConversationId,
        pub app_id: Option<AppId>,
        pub poll_id: Option<PollId>,
        pub quote_of_id: Option<StatusId>,
        pub quote_state: QuoteState,
        pub quote_policy: QuotePolicy,
        pub has_media: bool,
        /// JSON of `Vec<Mention>`: written with the status, so that showing it needs no further look
        pub mentions_json: String,
        /// JSON of the tags' names as typed
        pub tags_json: String,
        /// JSON of the shortcodes used in text, spoiler and poll
        pub emojis_json: String,
        pub replies_count: i64,
        pub reblogs_count: i64,
        pub favourites_count: i64,
        pub quotes_count: i64,
        pub created_at: Time,
        pub edited_at: Option<Time>,
        pub content_type: ContentType,
        /// What the server of a status elsewhere says; it knows of more people than came here.
        pub told_favourites: Option<i64>,
        pub told_reblogs: Option<i64>,
        pub consent: Consent,
        /// Who may quote it when its author agrees, besides those who may anyway.
        pub quote_manual: QuotePolicy,
    }
}

/// Somebody named in a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub id: AccountId,
    pub username: String,
    pub url: String,
    pub acct: String,
    /// May see the status, but is not named in it: whoever it quotes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// What a boost has of its own.
pub(crate) struct Boost {
    pub id: StatusId,
    pub account_id: AccountId,
    pub uri: String,
    pub local: bool,
    /// It is for no more people than what it boosts.
    pub visibility: Visibility,
    pub conversation_id: ConversationId,
    pub created_at: Time,
    pub consent: Consent,
}

impl Status {
    /// A boost of it: of what it boosts it has what lists are chosen by, and nothing that is shown.
    pub(crate) fn boosted(&self, boost: Boost) -> Status {
        Status {
            id: boost.id,
            account_id: boost.account_id,
            uri: boost.uri,
            url: None,
            local: boost.local,
            text: String::new(),
            content: String::new(),
            spoiler_text: String::new(),
            visibility: boost.visibility.max(self.visibility).min(Visibility::Private),
            sensitive: self.sensitive,
            language: self.language.clone(),
            in_reply_to_id: None,
            in_reply_to_account_id: None,
            reblog_of_id: Some(self.id),
            conversation_id: boost.conversation_id,
            app_id: None,
            poll_id: None,
            quote_of_id: None,
            quote_state: QuoteState::None,
            quote_policy: self.quote_policy,
            has_media: false,
            mentions_json: "[]".into(),
            tags_json: "[]".into(),
            emojis_json: "[]".into(),
            replies_count: 0,
            reblogs_count: 0,
            favourites_count: 0,
            quotes_count: 0,
            created_at: boost.created_at,
            edited_at: None,
            content_type: ContentType::Plain,
            told_favourites: None,
            told_reblogs: None,
            consent: boost.consent,
            quote_manual: QuotePolicy::Nobody,
        }
    }

    /// Who is named in it, and who may see it as if they were.
    pub fn mentions(&self) -> Vec<Mention> {
        serde_json::from_str(&self.mentions_json).unwrap_or_default()
    }
    /// How many favour it, as far as anybody knows.
    pub fn favourites(&self) -> i64 {
        self.favourites_count.max(self.told_favourites.unwrap_or(0))
    }
    pub fn reblogs(&self) -> i64 {
        self.reblogs_count.max(self.told_reblogs.unwrap_or(0))
    }
    /// Whether anybody did something to it that leaves a trace on it for all to see.
    pub fn touched(&self) -> bool {
        self.replies_count + self.reblogs_count + self.favourites_count > 0
    }
    /// Whether whoever it answers gets it for that: what is for few without naming them is not for them, unless they were
    /// asked whether it may be.
    pub fn is_told_to_parent(&self) -> bool {
        self.visibility <= Visibility::Unlisted || self.consent != Consent::None
    }
    pub fn tags(&self) -> Vec<String> {
        serde_json::from_str(&self.tags_json).unwrap_or_default()
    }
    /// Whether it is one of its author's posts that everybody is told the number of: how many messages somebody writes is
    /// nobody's business.
    pub(crate) fn is_counted(&self) -> bool {
        self.visibility < Visibility::Direct
    }
    /// What it answers, where everybody may know that it was answered.
    fn counted_parent(&self) -> Option<StatusId> {
        self.in_reply_to_id.filter(|_| self.visibility <= Visibility::Unlisted)
    }
}

/// What a viewer did to a status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub favourited: bool,
    pub bookmarked: bool,
    pub reblogged: bool,
    pub pinned: bool,
    pub muted: bool,
}

/// What `viewer` did to each of the statuses; those without a trace are absent.
pub async fn marks(
    conn: &Conn,
    viewer: AccountId,
    statuses: impl IntoIterator<Item = StatusId>,
) -> Result<HashMap<StatusId, Marks>> {
    let mut out: HashMap<StatusId, Marks> = HashMap::new();
    for (id, number) in store::marks(conn, viewer, Ids::of(statuses)).await? {
        let marks = out.entry(id).or_default();
        match number {
            1 => marks.favourited = true,
            2 => marks.bookmarked = true,
            3 => marks.reblogged = true,
            4 => marks.pinned = true,
            _ => marks.muted = true,
        }
    }
    Ok(out)
}
