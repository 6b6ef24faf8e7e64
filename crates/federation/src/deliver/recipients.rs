//! Who gets what: exactly those whom the visibility names, each server once.

use crate::Federation;
use crate::documents::host;
use crate::statuses::quotes;
use domain::Result;
use domain::accounts;
use domain::db::Conn;
use domain::deliveries::{self, Gone, News, store};
use domain::ids::{AccountId, StatusId};
use domain::relays::{self, Style};
use domain::statuses::{self, Consent, Visibility, consent};
use domain::{hosts, moves, polls};

/// Servers that one activity goes to.
const INBOXES: i64 = 50_000;

/// The inboxes that `news` goes to. Nobody here is among them.
pub(super) async fn of(federation: &Federation, news: &News) -> Result<Vec<String>> {
    let conn = federation.db.read_long().await?;
    let inboxes = concerned(&conn, news).await?;
    admitted(federation, &conn, (news, inboxes)).await
}

/// The inbox of one of those whom `news` concerns; none if nothing goes there.
pub(super) async fn one(federation: &Federation, (news, account): (&News, AccountId)) -> Result<Vec<String>> {
    let conn = federation.db.read().await?;
    let inboxes = store::shared_inboxes(&conn, [account]).await?;
    admitted(federation, &conn, (news, inboxes)).await
}

/// Each of these inboxes once that `news` may go to.
async fn admitted(
    federation: &Federation,
    conn: &Conn,
    (news, mut inboxes): (&News, Vec<String>),
) -> Result<Vec<String>> {
    let (policy, rules) = (&federation.policy, federation.policy.rules_on(conn).await?);
    let admitted = |inbox: &String| match (host(inbox), news) {
        (Some(host), News::Parted { .. }) => policy.admits_farewells(&rules, &host),
        (Some(host), _) => policy.admits_by(&rules, &host),
        (None, _) => false,
    };
    inboxes.retain(|inbox| !federation.is_ours(inbox) && admitted(inbox));
    if !matches!(news, News::AccountDeleted { .. }) {
        let given_up = hosts::given_up(conn).await?;
        inboxes.retain(|inbox| host(inbox).is_none_or(|host| !given_up.contains(&host)));
    }
    inboxes.sort_unstable();
    inboxes.dedup();
    tracing::trace!(?news, inboxes = inboxes.len(), "recipients");
    Ok(inboxes)
}

/// The inboxes of all whom `news` concerns, whatever is thought of their servers.
async fn concerned(conn: &Conn, news: &News) -> Result<Vec<String>> {
    match news {
        News::StatusCreated { status } | News::StatusApproved { status } => {
            let inboxes = of_status(conn, (*status, Touched::No)).await?;
            Ok([inboxes, of_relays(conn, *status, Some(Style::Mastodon)).await?].concat())
        }
        News::StatusEdited { status } | News::StatusRetold { status, .. } => {
            Ok([of_status(conn, (*status, Touched::Too)).await?, of_relays(conn, *status, None).await?].concat())
        }
        News::PollCounted { status } => {
            let inboxes = of_status(conn, (*status, Touched::Too)).await?;
            Ok([inboxes, of_voters(conn, *status).await?].concat())
        }
        News::Passed { status, .. } => of_status(conn, (*status, Touched::Too)).await,
        News::StatusDeleted { gone } => of_gone(conn, gone).await,
        News::QuoteRevoked { quoting, .. } => of_quote(conn, *quoting).await,
        News::Pinned { account, .. }
        | News::Unpinned { account, .. }
        | News::TagFeatured { account, .. }
        | News::TagUnfeatured { account, .. } => of_followers(conn, [*account]).await,
        News::ProfileChanged { account, .. } | News::Moved { account, .. } => {
            Ok([of_followers(conn, [*account]).await?, of_profile(conn, *account).await?].concat())
        }
        News::KeysRotated { account, .. } => {
            // Who knows the key and does not hear of another believes nothing any more.
            let acquainted = store::acquainted_inboxes(conn, *account, INBOXES).await?;
            Ok([acquainted, of_profile(conn, *account).await?].concat())
        }
        News::AccountDeleted { .. } => store::all_inboxes(conn, INBOXES).await,
        News::Relayed { status } => of_relays(conn, *status, Some(Style::Litepub)).await,
        News::RelayFollowed { relay } => {
            Ok(relays::store::by_id(conn, *relay).await?.into_iter().map(|relay| relay.inbox).collect())
        }
        News::RelayLeft { left } => Ok(vec![left.inbox.clone()]),
        // Only relays that follow back know this name of the site: to the others it is the one below, and they hear of that.
        News::SiteKeysRotated { relay: true, .. } => relays::inboxes(conn, Some(Style::Litepub)).await,
        // Everybody has been asked for something in the site's name.
        News::SiteKeysRotated { relay: false, .. } => {
            Ok([store::all_inboxes(conn, INBOXES).await?, relays::inboxes(conn, None).await?].concat())
        }
        News::Reported { report, domains } => super::flag::inboxes(conn, *report, domains).await,
        News::Favourited { status, .. }
        | News::Unfavourited { status, .. }
        | News::Reacted { status, .. }
        | News::Unreacted { status, .. }
        | News::LikeKept { status, .. } => of_reaction(conn, (*status, news)).await,
        News::QuoteRequested { status, .. } => personal(conn, author_of_quoted(conn, *status).await?).await,
        News::QuoteAccepted { asked, .. } | News::QuoteRejected { asked, .. } | News::FeatureRejected { asked, .. } => {
            personal(conn, Some(asked.by)).await
        }
        News::Parted { parting } => Ok(vec![parting.inbox.clone()]),
        News::Followed { bond } | News::Unfollowed { bond } => personal(conn, Some(bond.target)).await,
        News::FollowAccepted { bond } | News::FollowRejected { bond } => personal(conn, Some(bond.account)).await,
        News::Blocked { target, .. } | News::Unblocked { target, .. } => personal(conn, Some(*target)).await,
        News::Voted { poll, .. } => {
            personal(conn, polls::store::by_id(conn, *poll).await?.map(|poll| poll.account_id)).await
        }
        News::SiteAnswered { follower, .. } => personal(conn, Some(*follower)).await,
    }
}

/// Whether those get it too who favoured, boosted, answered or quoted, or were named before an edit, and those who follow
/// somebody here who boosted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touched {
    Too,
    No,
}

async fn of_status(conn: &Conn, (id, touched): (StatusId, Touched)) -> Result<Vec<String>> {
    let Some(status) = statuses::store::by_id(conn, id).await? else { return Ok(Vec::new()) };
    if status.consent == Consent::Waiting {
        return personal(conn, consent::asked(conn, &status).await?).await;
    }
    let mut people: Vec<AccountId> = status.mentions().into_iter().map(|m| m.id).collect();
    people.extend(status.in_reply_to_account_id.filter(|_| status.is_told_to_parent()));
    if let Some(original) = status.reblog_of_id {
        people.extend(author(conn, original).await?);
    }
    let mut inboxes = store::shared_inboxes(conn, people).await?;
    let mut followed = Vec::new();
    if touched == Touched::Too {
        inboxes.extend(store::named_inboxes(conn, id, INBOXES).await?);
    }
    if touched == Touched::Too && status.visibility <= Visibility::Unlisted {
        inboxes.extend(store::touched_inboxes(conn, id, INBOXES).await?);
        followed = deliveries::boosters_here(conn, id).await?;
    }
    if status.visibility != Visibility::Direct {
        followed.push(status.account_id);
        inboxes.extend(of_followers(conn, followed).await?);
    }
    if let Some(answered) = deliveries::answered(conn, &status).await? {
        inboxes.extend(of_followers(conn, [answered]).await?);
    }
    Ok(inboxes)
}

async fn of_gone(conn: &Conn, gone: &Gone) -> Result<Vec<String>> {
    let mut inboxes = store::shared_inboxes(conn, gone.concerned.iter().copied()).await?;
    let mut followed: Vec<AccountId> = gone.answered.into_iter().collect();
    if gone.visibility != Visibility::Direct {
        followed.extend(gone.boosters.iter().copied().chain([gone.account]));
    }
    inboxes.extend(of_followers(conn, followed).await?);
    if gone.visibility == Visibility::Public && gone.boosted.is_none() {
        inboxes.extend(relays::inboxes(conn, None).await?);
    }
    Ok(inboxes)
}

/// Everybody who is known to show a quote, or to have what it shows. Whose post it is passes it on to others; of one that is
/// not for everybody only those hear who have it.
async fn of_quote(conn: &Conn, id: StatusId) -> Result<Vec<String>> {
    let Some(quoting) = statuses::store::by_id(conn, id).await? else { return Ok(Vec::new()) };
    let mut inboxes = of_status(conn, (id, Touched::Too)).await?;
    inboxes.extend(store::shared_inboxes(conn, [quoting.account_id]).await?);
    if quoting.visibility <= Visibility::Unlisted
        && let Some(quoted) = quotes::quoted(conn, &quoting).await?
    {
        inboxes.extend(of_status(conn, (quoted.id, Touched::Too)).await?);
    }
    Ok(inboxes)
}

async fn of_followers(conn: &Conn, accounts: impl IntoIterator<Item = AccountId>) -> Result<Vec<String>> {
    store::follower_inboxes(conn, accounts, INBOXES).await
}

/// Who hears of a changed profile beside followers: who blocks somebody wants to know them again; where they went last is
/// where they may come back from.
async fn of_profile(conn: &Conn, account: AccountId) -> Result<Vec<String>> {
    let last = moves::last(conn, account).await?;
    let destination = store::shared_inboxes(conn, last.map(|last| last.target_id)).await?;
    let blockers = store::blocker_inboxes(conn, account, INBOXES).await?;
    Ok([blockers, destination, relays::inboxes(conn, None).await?].concat())
}

async fn of_relays(conn: &Conn, id: StatusId, style: Option<Style>) -> Result<Vec<String>> {
    match statuses::store::by_id(conn, id).await? {
        Some(status) if status.consent != Consent::Waiting => super::relays::inboxes(conn, &status, style).await,
        _ => Ok(Vec::new()),
    }
}

async fn of_reaction(conn: &Conn, (id, news): (StatusId, &News)) -> Result<Vec<String>> {
    let inboxes = personal(conn, author(conn, id).await?).await?;
    Ok([inboxes, of_followers(conn, super::reactions::followers(conn, news).await?).await?].concat())
}

async fn of_voters(conn: &Conn, id: StatusId) -> Result<Vec<String>> {
    let poll = statuses::store::by_id(conn, id).await?.and_then(|s| s.poll_id);
    let Some(poll) = poll else { return Ok(Vec::new()) };
    store::voter_inboxes(conn, poll, INBOXES).await
}

async fn author(conn: &Conn, id: StatusId) -> Result<Option<AccountId>> {
    Ok(statuses::store::by_id(conn, id).await?.map(|status| status.account_id))
}

async fn author_of_quoted(conn: &Conn, quoting: StatusId) -> Result<Option<AccountId>> {
    let Some(quoting) = statuses::store::by_id(conn, quoting).await? else { return Ok(None) };
    Ok(quotes::quoted(conn, &quoting).await?.map(|quoted| quoted.account_id))
}

/// What concerns one person goes to their own inbox.
async fn personal(conn: &Conn, account: Option<AccountId>) -> Result<Vec<String>> {
    let actors = accounts::remote::store::actors(conn, account).await?;
    Ok(actors.into_iter().map(|a| a.inbox).collect())
}
