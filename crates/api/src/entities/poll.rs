//! Polls.

use super::{CustomEmoji, Iso};
use crate::App;
use domain::{
    Result, Time, accounts,
    db::Conn,
    ids::{AccountId, PollId},
    polls,
};
use serde::Serialize;
use std::collections::HashMap;

/// <https://docs.joinmastodon.org/entities/Poll/>
#[derive(Clone, Debug, Serialize)]
pub struct Poll {
    pub id: PollId,
    pub expires_at: Option<Iso>,
    pub expired: bool,
    pub multiple: bool,
    pub votes_count: i64,
    pub voters_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_votes: Option<Vec<i64>>,
    pub options: Vec<PollOption>,
    pub emojis: Vec<CustomEmoji>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PollOption {
    pub title: String,
    /// Null while the author keeps the totals to the end.
    pub votes_count: Option<i64>,
}

/// Polls as `viewer` sees them.
pub async fn polls(
    app: &App,
    conn: &Conn,
    rows: Vec<polls::Poll>,
    viewer: Option<AccountId>,
) -> Result<HashMap<PollId, Poll>> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<PollId> = rows.iter().map(|p| p.id).collect();
    let mut votes: HashMap<PollId, Vec<i64>> = HashMap::new();
    if let Some(viewer) = viewer {
        for (poll, choice) in polls::store::choices_of(conn, viewer, &ids).await? {
            votes.entry(poll).or_default().push(choice);
        }
    }
    let codes = shortcodes(conn, &rows).await?;
    let known = super::emojis(app, conn, codes.iter().map(String::as_str)).await?;
    let now = Time::now();
    let made = rows.into_iter().zip(&codes).map(|(row, codes)| {
        let own = votes.remove(&row.id).unwrap_or_default();
        (row.id, one(row, (viewer, own), super::emoji::pick(codes, &known), now))
    });
    Ok(made.collect())
}

/// Clients keep numbers in 32 bits; what other servers say may be more.
fn counted(number: i64) -> i64 {
    number.min(i64::from(i32::MAX))
}

/// As somebody sees it who chose these options.
fn one(row: polls::Poll, (viewer, own): (Option<AccountId>, Vec<i64>), emojis: Vec<CustomEmoji>, now: Time) -> Poll {
    let expired = row.expired(now);
    let hidden = row.hide_totals && !expired;
    let options = row.options();
    let is_author = viewer == Some(row.account_id);
    Poll {
        id: row.id,
        expires_at: row.expires_at.map(Iso),
        expired,
        multiple: row.multiple,
        votes_count: counted(options.iter().map(|o| o.votes).sum()),
        voters_count: Some(counted(row.voters_count)),
        voted: viewer.map(|_| is_author || !own.is_empty()),
        own_votes: viewer.map(|_| own),
        options: options
            .into_iter()
            .map(|o| PollOption { title: o.title, votes_count: (!hidden).then(|| counted(o.votes)) })
            .collect(),
        emojis,
    }
}

/// The names of the emoji in the options of each: those of the server that the poll is from.
async fn shortcodes(conn: &Conn, rows: &[polls::Poll]) -> Result<Vec<String>> {
    let codes = |poll: &polls::Poll| {
        let text: Vec<String> = poll.options().into_iter().map(|o| o.title).collect();
        domain::text::shortcodes(&text.join("\n"))
    };
    let codes: Vec<Vec<String>> = rows.iter().map(codes).collect();
    let with_emoji = rows.iter().zip(&codes).filter(|(_, codes)| !codes.is_empty());
    let authors = accounts::store::by_ids(conn, with_emoji.map(|(row, _)| row.account_id)).await?;
    let named = rows.iter().zip(codes).map(|(row, codes)| {
        let author = authors.iter().find(|a| a.id == row.account_id);
        let name = |code: String| match author.and_then(|a| a.domain.as_ref()) {
            Some(domain) => format!("{code}@{domain}"),
            None => code,
        };
        serde_json::to_string(&codes.into_iter().map(name).collect::<Vec<_>>()).unwrap_or_else(|_| "[]".into())
    });
    Ok(named.collect())
}
