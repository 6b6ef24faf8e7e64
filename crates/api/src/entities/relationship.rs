//! Relationships as clients see them.

use super::Iso;
use domain::{ids::AccountId, relationships};
use serde::Serialize;

/// <https://docs.joinmastodon.org/entities/Relationship/>
#[derive(Clone, Debug, Serialize)]
pub struct Relationship {
    pub id: AccountId,
    pub following: bool,
    pub showing_reblogs: bool,
    pub notifying: bool,
    pub languages: Option<Vec<String>>,
    pub followed_by: bool,
    pub blocking: bool,
    pub blocked_by: bool,
    pub muting: bool,
    pub muting_notifications: bool,
    pub muting_expires_at: Option<Iso>,
    pub requested: bool,
    pub requested_by: bool,
    pub domain_blocking: bool,
    pub endorsed: bool,
    pub note: String,
}

impl From<relationships::Relationship> for Relationship {
    fn from(r: relationships::Relationship) -> Self {
        Self {
            id: r.id,
            following: r.following,
            showing_reblogs: r.showing_reblogs,
            notifying: r.notifying,
            languages: r.languages,
            followed_by: r.followed_by,
            blocking: r.blocking,
            blocked_by: r.blocked_by,
            muting: r.muting,
            muting_notifications: r.muting_notifications,
            muting_expires_at: r.muting_expires_at.map(Iso),
            requested: r.requested,
            requested_by: r.requested_by,
            domain_blocking: r.domain_blocking,
            endorsed: r.endorsed,
            note: r.note,
        }
    }
}

/// In the same order.
pub fn relationships(rows: Vec<relationships::Relationship>) -> Vec<Relationship> {
    rows.into_iter().map(Relationship::from).collect()
}
