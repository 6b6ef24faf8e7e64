//! Quotes: statuses that show another one, as far as whoever wrote that lets them.

pub mod remote;
pub(super) mod store;

use super::{
    Mention, QuotePolicy, QuoteState, Status, Visibility,
    lists::Listed,
    store as statuses,
    visibility::{self, Place, Shown},
};
use crate::{
    Error, Result,
    accounts::{self, Account},
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{self, AccountId, StatusId},
    notifications,
    page::Page,
    relationships,
};

/// What a new status quotes.
#[derive(Debug)]
pub(super) struct Quoted {
    pub(super) status: Status,
    pub(super) state: QuoteState,
    /// Who wrote it; None: whoever quotes it.
    author: Option<Account>,
}

/// What is quoted, if it may be: a status one may see, whose author lets one quote it. Nobody quotes a status for
/// named people, and one for followers only its author does.
pub(super) async fn quotable(conn: &Conn, who: AccountId, id: Option<StatusId>) -> Result<Option<Quoted>> {
    let Some(id) = id else { return Ok(None) };
    let status = visibility::visible_original(conn, who, id).await?;
    let own = status.account_id == who;
    if !allows(conn, who, &status).await? {
        return Err(Error::forbidden("This action is not allowed"));
    }
    let author = if own { None } else { accounts::store::by_id(conn, status.account_id).await? };
    // Elsewhere, what the policy promises has to be asked for.
    let state = if own || status.local { QuoteState::Accepted } else { QuoteState::Pending };
    Ok(Some(Quoted { status, state, author }))
}

/// Whether its author lets `who` quote it, or can be asked to.
async fn allows(conn: &Conn, who: AccountId, status: &Status) -> Result<bool> {
    if status.account_id == who || status.visibility > Visibility::Unlisted {
        return Ok(status.account_id == who && status.visibility != Visibility::Direct);
    }
    let policies = [status.quote_policy, status.quote_manual];
    if policies.contains(&QuotePolicy::Public) || policies == [QuotePolicy::Nobody; 2] {
        return Ok(policies.contains(&QuotePolicy::Public));
    }
    // Of people elsewhere those followers and followed are known who are here.
    let between = relationships::with(conn, who, status.account_id).await?;
    Ok(policies
        .iter()
        .any(|policy| (policy.has_followers() && between.following) || (policy.has_following() && between.followed_by)))
}

impl Quoted {
    /// A status that quotes one for followers is for no more people than that.
    pub(super) fn narrow(&self, visibility: Visibility) -> Visibility {
        if self.status.visibility == Visibility::Private { visibility.max(Visibility::Private) } else { visibility }
    }

    /// The mentions of a status that quotes this one.
    pub(super) fn mentions(&self, mentions_json: String) -> Result<String> {
        match &self.author {
            None => Ok(mentions_json),
            Some(author) => with_quoted(mentions_json, author),
        }
    }
}

/// Whoever is quoted may see where, also when the quote is for others only: a mention that nobody is shown.
fn with_quoted(mentions_json: String, author: &Account) -> Result<String> {
    let mut mentions: Vec<Mention> = serde_json::from_str(&mentions_json)?;
    if mentions.iter().any(|m| m.id == author.id) {
        return Ok(mentions_json);
    }
    mentions.push(Mention { silent: true, ..Mention::of(author) });
    Ok(serde_json::to_string(&mentions)?)
}

/// The mentions of a status after an edit: whoever it quotes still sees it.
pub(super) async fn mentions_after_edit(conn: &Conn, status: &Status, mentions_json: String) -> Result<String> {
    let Some(id) = status.quote_of_id else { return Ok(mentions_json) };
    let Some(quoted) = statuses::by_id(conn, id).await? else { return Ok(mentions_json) };
    if quoted.account_id == status.account_id {
        return Ok(mentions_json);
    }
    match accounts::store::by_id(conn, quoted.account_id).await? {
        None => Ok(mentions_json),
        Some(author) => with_quoted(mentions_json, &author),
    }
}

/// The policy that a status of this visibility can have: what not everybody may see is not for others to quote.
pub(super) fn policy_for(visibility: Visibility, wanted: QuotePolicy) -> QuotePolicy {
    match visibility {
        Visibility::Public | Visibility::Unlisted => wanted,
        Visibility::Private | Visibility::Direct => QuotePolicy::Nobody,
    }
}

/// Statuses that quote `id`, newest first, as far as `viewer` may see them; pages go by their ids.
pub async fn list(conn: &Conn, viewer: AccountId, id: StatusId, page: Page) -> Result<Listed<Shown>> {
    visibility::visible(conn, Some(viewer), id).await?;
    let found = page.newest_first(store::list(conn, id, page).await?);
    let cursors = found.first().zip(found.last()).map(|(first, last)| (first.id.0, last.id.0));
    let rows = found.len();
    let items = visibility::filter(conn, Some(viewer), found, Place::Listed).await?;
    Ok(Listed { items, cursors, rows })
}

/// Takes the consent back: `quoting` shows `id`, a status of one's own, no longer. Answers the quoting status; safe
/// to repeat. [`Error::Forbidden`] when `id` is somebody else's.
pub async fn revoke(db: &Db, who: AccountId, (id, quoting): (StatusId, StatusId)) -> Result<Status> {
    let mut tx = db.begin().await?;
    let quoted = visibility::visible(&tx, Some(who), id).await?;
    let quote = visibility::visible(&tx, Some(who), quoting).await?;
    if quote.quote_of_id != Some(quoted.id) {
        return Err(Error::NotFound);
    }
    if quoted.account_id != who {
        return Err(Error::forbidden("This action is not allowed"));
    }
    let state = match quote.quote_state {
        QuoteState::Accepted => QuoteState::Revoked,
        QuoteState::Pending => QuoteState::Rejected,
        QuoteState::None | QuoteState::Rejected | QuoteState::Revoked => return Ok(quote),
    };
    if store::update_state(&tx, quoting, (quote.quote_state, state)).await? {
        if quote.quote_state == QuoteState::Accepted {
            statuses::count_quotes(&tx, id, -1).await?;
        }
        tx.publish(Event::StatusEdited { status: quoting });
        if is_known_elsewhere(&tx, &quote).await? {
            deliveries::tell(&mut tx, News::QuoteRevoked { account: who, quoting }).await?;
        }
    }
    tx.commit().await?;
    Ok(Status { quote_state: state, ..quote })
}

async fn is_known_elsewhere(tx: &Tx, quote: &Status) -> Result<bool> {
    let author = accounts::store::by_id(tx, quote.account_id).await?.ok_or(Error::NotFound)?;
    Ok(!author.is_local() || deliveries::is_elsewhere(tx, quote, &author).await?)
}

/// Changes who may quote one's own status from now on; quotes there are stay.
pub async fn set_policy(db: &Db, who: AccountId, (id, wanted): (StatusId, QuotePolicy)) -> Result<Status> {
    let mut tx = db.begin().await?;
    let old = statuses::by_id(&tx, id).await?.ok_or(Error::NotFound)?;
    if old.account_id != who || old.reblog_of_id.is_some() {
        return Err(Error::NotFound);
    }
    let quote_policy = policy_for(old.visibility, wanted);
    if quote_policy != old.quote_policy {
        store::update_policy(&tx, id, (quote_policy, old.quote_manual)).await?;
        tx.publish(Event::StatusEdited { status: id });
        if is_known_elsewhere(&tx, &old).await? {
            deliveries::tell(&mut tx, News::StatusRetold { status: id, telling: ids::next() }).await?;
        }
    }
    tx.commit().await?;
    Ok(Status { quote_policy, ..old })
}

/// Tells those here who quote it that it was edited: the notification is about their own status.
pub(super) async fn tell_edited(tx: &mut Tx, quoted: &Status) -> Result<()> {
    if quoted.quotes_count == 0 {
        return Ok(());
    }
    for (account, quoting) in store::quoters(tx, quoted.id).await? {
        let kind = notifications::Kind::QuotedUpdate;
        let new = notifications::New { account, from: quoted.account_id, kind, status: Some(quoting) };
        notifications::notify(tx, new).await?;
    }
    Ok(())
}
