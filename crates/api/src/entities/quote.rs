//! Quotes: what a status quotes, as far as the viewer may see it, and what of it is known otherwise.

use super::{
    Status,
    assemble::{Quotes, Reader, build},
};
use crate::App;
use domain::{
    Result,
    db::Conn,
    ids::{AccountId, StatusId},
    relationships::{self, Relations},
    statuses::{
        self, QuotePolicy, QuoteState, Visibility,
        visibility::{self, Place},
    },
};
use serde::Serialize;
use std::collections::HashMap;

/// <https://docs.joinmastodon.org/entities/Quote/>
#[derive(Clone, Debug, Serialize)]
pub struct Quote {
    pub state: State,
    #[serde(flatten)]
    pub quoted: Quoted,
}

/// The whole status one level deep, below that only its id: <https://docs.joinmastodon.org/entities/ShallowQuote/>
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Quoted {
    Whole { quoted_status: Option<Box<Status>> },
    Shallow { quoted_status_id: Option<StatusId> },
}

/// <https://docs.joinmastodon.org/entities/Quote/#state>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Accepted,
    Rejected,
    Revoked,
    /// The quoted status is gone.
    Deleted,
    /// The viewer may not see it.
    Unauthorized,
    /// The viewer blocked its author, or their server; what is quoted is there, for a client to unfold.
    BlockedAccount,
    BlockedDomain,
    MutedAccount,
}

impl State {
    /// Whether what is quoted is sent along.
    fn shows(self) -> bool {
        matches!(self, Self::Accepted | Self::BlockedAccount | Self::BlockedDomain | Self::MutedAccount)
    }
}

/// <https://docs.joinmastodon.org/entities/QuoteApproval/>
#[derive(Clone, Debug, Serialize)]
pub struct QuoteApproval {
    pub automatic: &'static [&'static str],
    pub manual: &'static [&'static str],
    pub current_user: &'static str,
}

/// What the viewer and an author are to each other, as far as policies ask.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Between {
    pub following: bool,
    pub followed_by: bool,
}

impl QuoteApproval {
    /// What the author of `status` lets `viewer` do.
    pub(super) fn of(status: &statuses::Status, viewer: Option<AccountId>, between: Between) -> Self {
        let open = status.visibility <= Visibility::Unlisted;
        let policy = if open { status.quote_policy } else { QuotePolicy::Nobody };
        let own = viewer == Some(status.account_id) && status.visibility != Visibility::Direct;
        let manual = if open { status.quote_manual } else { QuotePolicy::Nobody };
        let names = |policy| -> &'static [&'static str] {
            match policy {
                QuotePolicy::Public => &["public"],
                QuotePolicy::Followers => &["followers"],
                QuotePolicy::Following => &["following"],
                QuotePolicy::Circles => &["followers", "following"],
                QuotePolicy::Nobody => &[],
            }
        };
        let has = |policy: QuotePolicy| {
            policy == QuotePolicy::Public
                || (policy.has_followers() && between.following)
                || (policy.has_following() && between.followed_by)
        };
        let current_user = match (own || has(policy), has(manual)) {
            (true, _) => "automatic",
            (false, true) => "manual",
            (false, false) => "denied",
        };
        Self { automatic: names(policy), manual: names(manual), current_user }
    }
}

/// A status that others quote and that is still there.
pub(super) struct Found {
    /// What an accepted quote of it is to the viewer.
    state: State,
    /// As the viewer sees it, where quotes are shown whole.
    status: Option<Status>,
}

/// The quoted statuses that are still there, with three queries for all of them, and what they need to be shown.
pub(super) async fn found(
    app: &App,
    conn: &Conn,
    ids: Vec<StatusId>,
    (viewer, quotes): Reader,
) -> Result<HashMap<StatusId, Found>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = statuses::store::by_ids(conn, ids).await?;
    let hidden = |s: &statuses::Status| (s.id, Found { state: State::Unauthorized, status: None });
    let mut out: HashMap<StatusId, Found> = rows.iter().map(hidden).collect();
    let relations = relationships::with_authors(conn, viewer, rows.iter().map(|s| s.account_id)).await?;
    let shown = visibility::filter(conn, viewer, rows, Place::Asked).await?;
    for row in &shown.statuses {
        out.insert(row.id, Found { state: standing(&relations, row.account_id), status: None });
    }
    if quotes == Quotes::Whole {
        for made in build(app, conn, shown, (viewer, Quotes::Shallow)).await? {
            if let Some(found) = out.get_mut(&made.id) {
                found.status = Some(made);
            }
        }
    }
    Ok(out)
}

fn standing(relations: &Relations, author: AccountId) -> State {
    if relations.blocking(author) {
        State::BlockedAccount
    } else if relations.domain_blocking(author) {
        State::BlockedDomain
    } else if relations.muting(author) {
        State::MutedAccount
    } else {
        State::Accepted
    }
}

/// What `row` quotes; None when it quotes nothing.
pub(super) fn quote(row: &statuses::Status, found: &HashMap<StatusId, Found>, quotes: Quotes) -> Option<Quote> {
    if row.quote_of_id.is_none() && row.quote_state == QuoteState::None {
        return None;
    }
    // What could not be had elsewhere is quoted nevertheless.
    let found = row.quote_of_id.and_then(|id| found.get(&id));
    let state = match row.quote_state {
        QuoteState::Accepted => found.map_or(State::Deleted, |f| f.state),
        QuoteState::None | QuoteState::Pending => State::Pending,
        QuoteState::Rejected => State::Rejected,
        QuoteState::Revoked => State::Revoked,
    };
    let status = || found.and_then(|f| f.status.clone()).map(Box::new);
    let quoted = match quotes {
        Quotes::Whole => Quoted::Whole { quoted_status: if state.shows() { status() } else { None } },
        Quotes::Shallow => Quoted::Shallow { quoted_status_id: row.quote_of_id.filter(|_| state.shows()) },
    };
    Some(Quote { state, quoted })
}

/// For "delete and redraft": what one's own status quotes, whatever became of the quote, as far as one may see it.
pub async fn quoted_again(app: &App, conn: &Conn, row: &statuses::Status) -> Result<Option<Quote>> {
    let ids = row.quote_of_id.into_iter().collect();
    let mut found = found(app, conn, ids, (Some(row.account_id), Quotes::Whole)).await?;
    let Some(mut shown) = quote(row, &found, Quotes::Whole) else { return Ok(None) };
    if let Some(status) = row.quote_of_id.and_then(|id| found.remove(&id)).and_then(|f| f.status) {
        shown.quoted = Quoted::Whole { quoted_status: Some(Box::new(status)) };
    }
    Ok(Some(shown))
}
