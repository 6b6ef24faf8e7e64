//! Who may quote, reply to, like or announce a post: `interactionPolicy`.

use super::Malformed;
use super::reader::{Reader, id_of, same_origin};
use serde_json::Value;

const ENTRIES: usize = 64;

/// Whose interactions are accepted. Entries are [`super::PUBLIC`], the author's followers or following collection, or
/// actors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    pub automatic: Vec<String>,
    pub manual: Vec<String>,
}

/// A missing grant means: everybody for likes, replies and announces, nobody for quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub quote: Option<Grant>,
    pub reply: Option<Grant>,
    pub like: Option<Grant>,
    pub announce: Option<Grant>,
}

/// `author` lets somebody do this one thing with their post: GoToSocial's `LikeApproval`, `ReplyApproval` and
/// `AnnounceApproval`, later called authorizations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    pub id: String,
    /// What kind of thing: `Like`, `Reply` or `Announce`.
    pub of: String,
    /// `attributedTo`
    pub author: String,
    /// What was done: `object`, or `interactingObject`.
    pub interacting: String,
    /// What it was done with: `target`, or `interactionTarget`.
    pub target: String,
}

impl Approval {
    pub(super) fn kind(name: &str) -> Option<&'static str> {
        let of = name.strip_suffix("Approval").or_else(|| name.strip_suffix("Authorization"))?;
        ["Like", "Reply", "Announce"].into_iter().find(|it| *it == of)
    }

    /// It must lie where its author is; what it speaks of is for the caller to compare.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let reader = Reader::of(value)?;
        let of = reader.kind(Self::kind).ok_or(Malformed::Property("type"))?;
        let link = |name: &str| reader.first(name).and_then(id_of);
        let id = reader.id().ok_or(Malformed::Property("id"))?;
        let author = link("attributedTo").filter(|author| same_origin(&id, author));
        let interacting = link("object").or_else(|| link("interactingObject"));
        let target = link("target").or_else(|| link("interactionTarget"));
        Ok(Self {
            id,
            of: of.to_owned(),
            author: author.ok_or(Malformed::Property("attributedTo"))?,
            interacting: interacting.ok_or(Malformed::Property("object"))?,
            target: target.ok_or(Malformed::Property("target"))?,
        })
    }
}

impl Policy {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        let Some(policy) = reader.first("interactionPolicy").and_then(Value::as_object).map(Reader) else {
            return Self::default();
        };
        let grant = |name: &str| {
            let grant = policy.first(name).and_then(Value::as_object).map(Reader)?;
            // The second names are GoToSocial's older ones.
            let entries =
                |name: &str, old: &str| grant.links(if grant.raw(name).is_some() { name } else { old }, ENTRIES);
            Some(Grant {
                automatic: entries("automaticApproval", "always"),
                manual: entries("manualApproval", "approvalRequired"),
            })
        };
        Self {
            quote: grant("canQuote"),
            reply: grant("canReply"),
            like: grant("canLike"),
            announce: grant("canAnnounce"),
        }
    }
}
