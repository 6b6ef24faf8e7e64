//! What may be told to others, in the form in which it is kept.

use super::send::hashed;
use crate::{
    ids::{AccountId, ActivityId, BlockId, FavouriteId, FollowId, PollId, ReactionId, RelayId, ReportId, StatusId},
    relays,
    statuses::{Visibility, reactions::Emoji},
};
use serde::{Deserialize, Serialize};

/// Something that happened here and concerns others elsewhere. Part of the stored form of jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// A new status, or a boost.
    StatusCreated {
        status: StatusId,
    },
    StatusEdited {
        status: StatusId,
    },
    /// Not edited, but other than it was told: what it quotes, who may quote it. `telling` names this occasion.
    StatusRetold {
        status: StatusId,
        telling: ActivityId,
    },
    StatusDeleted {
        gone: Gone,
    },
    /// An answer or a boost that waited for somebody's consent has it: now it is for everybody whom it is for.
    StatusApproved {
        status: StatusId,
    },
    /// A status of ours shows one of another server: may it? `again`: how often that was asked before without an answer.
    QuoteRequested {
        status: StatusId,
        #[serde(default, skip_serializing_if = "is_first")]
        again: u8,
    },
    /// Somebody elsewhere asked; their `quoting` may.
    QuoteAccepted {
        asked: Asked,
        quoting: StatusId,
        telling: ActivityId,
    },
    QuoteRejected {
        asked: Asked,
        telling: ActivityId,
    },
    /// Somebody elsewhere asked to show somebody here in a list: they may not.
    FeatureRejected {
        asked: Asked,
        telling: ActivityId,
    },
    /// `quoting` may no longer show what `account` wrote.
    QuoteRevoked {
        account: AccountId,
        quoting: StatusId,
    },
    /// What somebody else said about `status`, kept as `activity`, goes to everybody who has that.
    Passed {
        status: StatusId,
        activity: ActivityId,
    },
    Favourited {
        account: AccountId,
        status: StatusId,
        favourite: FavouriteId,
    },
    Unfavourited {
        account: AccountId,
        status: StatusId,
        favourite: FavouriteId,
    },
    Reacted {
        account: AccountId,
        status: StatusId,
        reaction: ReactionId,
        emoji: Emoji,
    },
    Unreacted {
        account: AccountId,
        status: StatusId,
        reaction: ReactionId,
        emoji: Emoji,
    },
    /// A favourite, or an emoji, that is still there after another emoji was taken back: where one person has one of them on
    /// a post, or where every emoji is the favourite, it went with that. `telling` names this occasion.
    LikeKept {
        account: AccountId,
        status: StatusId,
        telling: ActivityId,
    },
    /// `telling` names this occasion.
    Pinned {
        account: AccountId,
        status: StatusId,
        telling: ActivityId,
    },
    Unpinned {
        account: AccountId,
        status: StatusId,
        telling: ActivityId,
    },
    /// A hashtag on the profile.
    TagFeatured {
        account: AccountId,
        name: String,
        telling: ActivityId,
    },
    TagUnfeatured {
        account: AccountId,
        name: String,
        telling: ActivityId,
    },
    Followed {
        bond: Bond,
    },
    Unfollowed {
        bond: Bond,
    },
    /// `bond.account`, from elsewhere, follows somebody here.
    FollowAccepted {
        bond: Bond,
    },
    /// They do not, or no longer.
    FollowRejected {
        bond: Bond,
    },
    /// A follow has ended, or a request for one, because the whole server of one of the two is blocked.
    Parted {
        parting: Parting,
    },
    Blocked {
        account: AccountId,
        target: AccountId,
        block: BlockId,
    },
    Unblocked {
        account: AccountId,
        target: AccountId,
        block: BlockId,
    },
    /// `choice`: the place of the option among the options.
    Voted {
        account: AccountId,
        poll: PollId,
        choice: i64,
    },
    /// The numbers of a poll here, after votes or at its end.
    PollCounted {
        status: StatusId,
    },
    ProfileChanged {
        account: AccountId,
        telling: ActivityId,
    },
    /// Another key signs for somebody here from now on; what says so is the last that the old one signs.
    KeysRotated {
        account: AccountId,
        telling: ActivityId,
    },
    /// The same of the site itself; `relay`: by the name that it has among relays that follow back.
    SiteKeysRotated {
        relay: bool,
        telling: ActivityId,
    },
    /// A report about somebody elsewhere; `domains` are the servers that should hear of it, none means theirs.
    Reported {
        report: ReportId,
        domains: Vec<String>,
    },
    AccountDeleted {
        account: AccountId,
        uri: String,
    },
    /// The site asks a relay to pass posts on.
    RelayFollowed {
        relay: RelayId,
    },
    /// It no longer wants that.
    RelayLeft {
        left: relays::Left,
    },
    /// A public post goes to the relays that take boosts.
    Relayed {
        status: StatusId,
    },
    /// Somebody elsewhere asked to follow the site itself, under the name `object`.
    SiteAnswered {
        follower: AccountId,
        uri: String,
        object: String,
        accepted: bool,
        telling: ActivityId,
    },
    /// Somebody here left for another account.
    Moved {
        account: AccountId,
        target: AccountId,
        telling: ActivityId,
    },
}

impl News {
    /// The name of what this is about. What is said of one thing is told one after the other, in the order in which it was
    /// said, and comes to each inbox in that order.
    pub fn about(&self) -> Option<String> {
        let pair = |one: AccountId, other: AccountId| format!("pair {one} {other}");
        Some(match self {
            Self::StatusCreated { status }
            | Self::StatusEdited { status }
            | Self::StatusRetold { status, .. }
            | Self::StatusApproved { status }
            | Self::PollCounted { status }
            | Self::Passed { status, .. }
            | Self::Pinned { status, .. }
            | Self::Unpinned { status, .. } => format!("status {status}"),
            Self::StatusDeleted { gone } => format!("status {}", gone.status?),
            Self::Favourited { account, status, .. }
            | Self::Unfavourited { account, status, .. }
            | Self::Reacted { account, status, .. }
            | Self::Unreacted { account, status, .. }
            | Self::LikeKept { account, status, .. } => format!("like {account} {status}"),
            Self::TagFeatured { account, name, .. } | Self::TagUnfeatured { account, name, .. } => {
                format!("tag {account} {name}")
            }
            Self::Followed { bond }
            | Self::Unfollowed { bond }
            | Self::FollowAccepted { bond }
            | Self::FollowRejected { bond } => pair(bond.account, bond.target),
            Self::Parted { parting } => pair(parting.bond.account, parting.bond.target),
            Self::Blocked { account, target, .. } | Self::Unblocked { account, target, .. } => pair(*account, *target),
            Self::ProfileChanged { account, .. }
            | Self::KeysRotated { account, .. }
            | Self::AccountDeleted { account, .. }
            | Self::Moved { account, .. } => format!("account {account}"),
            Self::SiteKeysRotated { .. } | Self::RelayFollowed { .. } | Self::RelayLeft { .. } => "site".to_owned(),
            Self::QuoteAccepted { quoting, .. } | Self::QuoteRevoked { quoting, .. } => format!("quote {quoting}"),
            Self::QuoteRequested { .. }
            | Self::QuoteRejected { .. }
            | Self::FeatureRejected { .. }
            | Self::Voted { .. }
            | Self::Reported { .. }
            | Self::Relayed { .. }
            | Self::SiteAnswered { .. } => return None,
        })
    }

    /// The number of the turns in which it is told.
    pub(crate) fn turn(&self) -> Option<i64> {
        self.about().map(|thing| hashed(&["told", &thing]))
    }
}

/// Left out, because it was not there at first.
fn is_first(again: &u8) -> bool {
    *again == 0
}

/// A status that is gone, with what telling of it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gone {
    pub account: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusId>,
    pub uri: String,
    pub visibility: Visibility,
    /// Of a boost: the name of what it boosted.
    #[serde(default)]
    pub boosted: Option<String>,
    /// Who was ever named in it or did something to it.
    pub concerned: Vec<AccountId>,
    /// Who boosted it here: their followers have it, too.
    #[serde(default)]
    pub boosters: Vec<AccountId>,
    /// Somebody here whom it answered: their followers have it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<AccountId>,
}

/// A request of somebody elsewhere to quote somebody here, or to show them in a list, and what it named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Who is quoted, or shown.
    pub account: AccountId,
    pub by: AccountId,
    pub uri: String,
    pub quoted: String,
    pub quoting: String,
}

/// Who follows whom, and under which name servers know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bond {
    pub account: AccountId,
    pub target: AccountId,
    pub uri: String,
    /// Names the answer: another one each time.
    pub id: FollowId,
}

/// The end of a follow between somebody here and somebody at a server that is blocked, with what telling of it takes: they may
/// be forgotten by then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parting {
    pub bond: Bond,
    /// The name among servers of who is elsewhere, and where they are reached.
    pub other: String,
    pub inbox: String,
}
