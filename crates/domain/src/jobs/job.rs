//! What a job is: what it does, in which queue and lane, and what it takes turns with.

use super::Queue;
use crate::{
    deliveries::{News, Thing},
    hosts,
    ids::{AccountId, ActivityId, ArrivalId, CardId, MediaId, PollId, ScheduledId, StatusId},
    media::Former,
    moves::Carry,
};
use serde::{Deserialize, Serialize};

/// Begins the names of lanes that are no server's.
pub const SHARED: char = '*';
/// Begins the names of lanes of what servers sent, which asks them for nothing or much.
pub const SENDER: char = '<';

/// Work to do later. Carries ids only; its JSON form is part of the stored format: rows outlive releases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Turns an upload into an original, a small version and a blurhash.
    ProcessMedia {
        media: MediaId,
    },
    /// Removes files that no row names any more.
    DeleteFiles {
        keys: Vec<String>,
    },
    PublishScheduled {
        scheduled: ScheduledId,
    },
    /// Tells author and voters that a poll has ended.
    ClosePoll {
        poll: PollId,
    },
    /// Makes the activity that tells other servers, and hands it to whoever should get it.
    Tell {
        news: News,
    },
    /// Brings one activity to one inbox, in the order of what is said there about the same thing.
    Deliver {
        activity: ActivityId,
        inbox: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Thing>,
    },
    /// Applies what another server sent.
    Receive {
        arrival: ArrivalId,
        /// The server that sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// Asks another server, `host`, how one of its accounts is now.
    RefreshAccount {
        account: AccountId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
    },
    /// Fetches what an account elsewhere, at `host`, has pinned.
    FetchPins {
        account: AccountId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
    },
    /// Marks what is known of a domain as the rules about other servers say; `was` is what the rule marked it with.
    ApplyDomainBlock {
        domain: String,
        was: i64,
    },
    /// The same for many domains at once.
    ApplyDomainBlocks {
        domains: Vec<String>,
        was: Vec<i64>,
    },
    /// Asks other servers for answers to a post of theirs that were not sent here.
    FetchThread {
        status: StatusId,
    },
    /// Asks once more for a post elsewhere that was fetched because another quotes it: for what it quotes itself.
    FetchQuote {
        status: StatusId,
        left: u8,
    },
    /// Looks whether the stamp by which a post shows another is still there.
    CheckStamp {
        status: StatusId,
    },
    /// Asks where an account elsewhere says it went whether it came from there.
    CheckMove {
        account: AccountId,
    },
    /// Carries what people here have with an account that moved over to the new one.
    Carry {
        carry: Carry,
    },
    /// Fetches what a page that posts link to says of itself.
    FetchCard {
        card: CardId,
    },
    /// Copies what hangs on a post of another server.
    MirrorMedia {
        status: StatusId,
    },
    /// Copies the pictures of an account of another server.
    MirrorAccount {
        account: AccountId,
    },
    /// Removes what is kept of files of other servers that no row names any more.
    ForgetCopies {
        files: Vec<Former>,
    },
    /// The same of an account that is not shown: attachments after `after`, and with the first of them its pictures.
    ForgetAccount {
        account: AccountId,
        after: MediaId,
    },
    /// The same of a server's accounts after `after` that are not shown, and with the first of them its emoji.
    ForgetServer {
        domain: String,
        after: AccountId,
    },
    /// The same of pictures of pages that are not shown.
    ForgetCards {
        after: CardId,
    },
    /// Compares what another server says about followers of `account` here with what is known.
    MendFollows {
        account: AccountId,
        url: String,
        digest: String,
    },
    /// Makes another key for somebody here and tells of it under the name `rotation`; `forced`: also when the last change
    /// is not known everywhere.
    RotateKeys {
        account: AccountId,
        rotation: ActivityId,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forced: bool,
    },
    /// Removes expired sessions, codes, idempotency keys and uploads that were never attached; comes back every hour.
    Housekeeping,
}

impl Job {
    pub fn queue(&self) -> Queue {
        match self {
            Self::ProcessMedia { .. } | Self::DeleteFiles { .. } => Queue::Media,
            Self::MirrorMedia { .. } | Self::MirrorAccount { .. } => Queue::Media,
            Self::ForgetCopies { .. } | Self::ForgetAccount { .. } => Queue::Media,
            Self::ForgetServer { .. } | Self::ForgetCards { .. } => Queue::Media,
            // A rule about another server must not wait for other servers.
            Self::ApplyDomainBlock { .. } | Self::ApplyDomainBlocks { .. } => Queue::Default,
            Self::ClosePoll { .. } | Self::Receive { .. } => Queue::Default,
            Self::Tell { .. } | Self::Deliver { .. } => Queue::Push,
            Self::RefreshAccount { .. } | Self::FetchPins { .. } | Self::FetchCard { .. } => Queue::Pull,
            Self::FetchThread { .. } | Self::FetchQuote { .. } | Self::CheckMove { .. } => Queue::Pull,
            Self::CheckStamp { .. } | Self::Carry { .. } | Self::MendFollows { .. } => Queue::Pull,
            Self::PublishScheduled { .. } | Self::RotateKeys { .. } | Self::Housekeeping => Queue::Scheduler,
        }
    }

    /// Of a lane only so many run at once: the server that this asks, if what it asks can be held up there, or a name
    /// that no server has for what may take long wherever it asks. What a server sent is in a lane of its own, whomever
    /// it has us ask.
    pub fn lane(&self) -> Option<String> {
        match self {
            Self::Deliver { inbox, .. } => hosts::of(inbox),
            Self::MendFollows { url, .. } => hosts::of(url),
            Self::RefreshAccount { host, .. } | Self::FetchPins { host, .. } => host.clone(),
            Self::Receive { from, .. } => from.as_ref().map(|host| format!("{SENDER}{host}")),
            Self::FetchThread { .. } => Some(format!("{SHARED}threads")),
            Self::FetchCard { .. } => Some(format!("{SHARED}cards")),
            _ => None,
        }
    }

    /// Jobs of one number take turns, the oldest first.
    pub(super) fn about(&self) -> Option<i64> {
        match self {
            Self::Deliver { inbox, about, .. } => about.and_then(|thing| thing.turn(inbox)),
            Self::Tell { news } => news.turn(),
            _ => None,
        }
    }
}
