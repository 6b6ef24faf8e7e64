//! Markers: how far somebody has read a timeline, kept for all their clients.

pub mod store;

use crate::{
    Error, Result, Time,
    db::{Conn, Db},
    ids::AccountId,
    row,
};

row! {
    pub struct Marker {
        /// `home` or `notifications`
        pub timeline: String,
        pub last_read_id: i64,
        pub version: i64,
        pub updated_at: Time,
    }
}

/// Timelines that have a marker.
pub const TIMELINES: [&str; 2] = ["home", "notifications"];

pub async fn list(conn: &Conn, owner: AccountId) -> Result<Vec<Marker>> {
    store::list(conn, owner).await
}

/// Moves markers. Two clients that do so at once are both written; the later one stays.
pub async fn set(db: &Db, owner: AccountId, positions: &[(&str, i64)]) -> Result<Vec<Marker>> {
    let tx = db.begin().await?;
    for (timeline, last_read_id) in positions {
        if !TIMELINES.contains(timeline) {
            return Err(Error::invalid("Timeline", "is not included in the list"));
        }
        store::upsert(&tx, owner, timeline, *last_read_id).await?;
    }
    let all = store::list(&tx, owner).await?;
    tx.commit().await?;
    Ok(all.into_iter().filter(|m| positions.iter().any(|(t, _)| *t == m.timeline)).collect())
}
