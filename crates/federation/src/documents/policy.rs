//! Who may quote, reply to, like or announce a post: `interactionPolicy`.

use super::reader::Reader;
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
