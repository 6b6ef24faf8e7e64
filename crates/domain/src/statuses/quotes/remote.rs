//! Quotes across servers: what posts elsewhere quote, who lets whom, and taking it back (FEP-044f). A quote is shown when
//! whoever wrote what is quoted allows it: for posts of ours we know that ourselves, for others their stamp says so.

use super::{allows, store};
use crate::{
    Error, Result, Time, accounts,
    db::{Conn, Db, Tx},
    deliveries::{self, Asked, News},
    events::Event,
    ids::{self, AccountId, StatusId},
    jobs::{self, Job},
    notifications,
    statuses::{QuoteState, Status, Visibility, store as statuses},
};
use std::time::Duration;

/// What a post of another server says that it quotes, looked up.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub uri: String,
    /// What that is, if it could be had.
    pub quoted: Option<StatusId>,
    pub stamp: Option<String>,
    pub consent: Consent,
    /// When the stamp was looked at, where it was.
    pub checked_at: Option<Time>,
}

/// What its author says to being quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    /// There is no stamp, or none that holds.
    Missing,
    /// It could not be found out.
    Unknown,
}

/// Where a quote of this name, or of this stamp, is known from.
pub struct Known {
    pub quoted_uri: String,
    pub stamp: Option<String>,
    /// When the stamp was last seen where it is.
    pub checked_at: Option<Time>,
}

/// What is known of the quote that `id` is.
pub async fn known(conn: &Conn, id: StatusId) -> Result<Option<Known>> {
    store::known(conn, id).await
}

/// The posts that this stamp is known to be for.
pub async fn by_stamp(conn: &Conn, stamp: &str) -> Result<Vec<StatusId>> {
    store::by_stamp(conn, stamp).await
}

/// How old what arrived is beside what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::statuses) enum Age {
    /// No older.
    Current,
    Older,
}

/// What arrived with a copy of a post. The post as it is then.
pub(in crate::statuses) async fn receive(
    tx: &mut Tx,
    quoting: Status,
    (said, age): (Option<&Arrived>, Age),
) -> Result<Status> {
    let known = store::known(tx, quoting.id).await?;
    match (known, said) {
        (Some(_), None) if age == Age::Current => forget(tx, quoting).await,
        (Some(known), Some(said)) if known.quoted_uri == said.uri => {
            settle(tx, quoting, (said, known.stamp, age)).await
        }
        (Some(_), Some(said)) if age == Age::Current => {
            let quoting = forget(tx, quoting).await?;
            settle(tx, quoting, (said, None, age)).await
        }
        (None, Some(said)) if age == Age::Current => settle(tx, quoting, (said, None, age)).await,
        // An older copy brings back nothing that an edit took out.
        _ => Ok(quoting),
    }
}

/// It quotes nothing any more.
async fn forget(tx: &Tx, quoting: Status) -> Result<Status> {
    uncount(tx, &quoting).await?;
    store::delete(tx, quoting.id).await?;
    store::put(tx, quoting.id, (None, QuoteState::None)).await?;
    Ok(Status { quote_of_id: None, quote_state: QuoteState::None, ..quoting })
}

async fn uncount(tx: &Tx, quoting: &Status) -> Result<()> {
    match quoting.quote_of_id.filter(|_| quoting.quote_state == QuoteState::Accepted) {
        Some(quoted) => statuses::count_quotes(tx, quoted, -1).await,
        None => Ok(()),
    }
}

async fn settle(tx: &mut Tx, quoting: Status, (said, stamp, age): (&Arrived, Option<String>, Age)) -> Result<Status> {
    let quoted = match said.quoted.or(quoting.quote_of_id) {
        None => None,
        Some(id) => statuses::by_id(tx, id).await?,
    };
    let state = match &quoted {
        None => QuoteState::Pending,
        Some(quoted) => state(&quoting, quoted, (said, stamp.as_deref(), age)),
    };
    // Only one that was looked at: whose name it bears may take it back.
    let holds = said.consent == Consent::Given && quoted.as_ref().is_some_and(|q| q.account_id != quoting.account_id);
    let stamp = if holds { said.stamp.as_deref() } else { stamp.as_deref() };
    store::keep(tx, quoting.id, (&said.uri, stamp)).await?;
    if let Some(at) = said.checked_at {
        store::mark_checked(tx, quoting.id, at).await?;
    }
    change(tx, quoting, (quoted.map(|q| q.id), state)).await
}

fn state(quoting: &Status, quoted: &Status, (said, stamp, age): (&Arrived, Option<&str>, Age)) -> QuoteState {
    if quoted.account_id == quoting.account_id {
        return QuoteState::Accepted;
    }
    let before = if quoting.quote_state == QuoteState::None { QuoteState::Pending } else { quoting.quote_state };
    // Who wrote it is here: whether they allow it is not for others to say.
    if quoted.local {
        return before;
    }
    let open = quoted.visibility <= Visibility::Unlisted;
    match (before, said.consent) {
        // A stamp that was taken back does not come to life again.
        (QuoteState::Revoked, Consent::Given) if said.stamp.as_deref() == stamp => before,
        (_, Consent::Given) if open => QuoteState::Accepted,
        (QuoteState::Accepted, Consent::Missing) if age == Age::Current => match stamp {
            // The very stamp by which it was shown is gone.
            Some(stamp) if said.stamp.as_deref() == Some(stamp) => QuoteState::Revoked,
            _ => QuoteState::Pending,
        },
        _ => before,
    }
}

/// Writes down what the quote is now, counts it, and tells who looks.
async fn change(tx: &mut Tx, quoting: Status, (quoted, state): (Option<StatusId>, QuoteState)) -> Result<Status> {
    if (quoting.quote_of_id, quoting.quote_state) == (quoted, state) {
        return Ok(quoting);
    }
    uncount(tx, &quoting).await?;
    if let Some(quoted) = quoted.filter(|_| state == QuoteState::Accepted) {
        statuses::count_quotes(tx, quoted, 1).await?;
    }
    store::put(tx, quoting.id, (quoted, state)).await?;
    tx.publish(Event::StatusEdited { status: quoting.id });
    Ok(Status { quote_of_id: quoted, quote_state: state, ..quoting })
}

/// The quote as it is, with whoever else would change it held off: what is counted depends on what it was.
async fn locked(tx: &Tx, quoting: StatusId) -> Result<Option<Status>> {
    let Some(found) = statuses::by_id(tx, quoting).await? else { return Ok(None) };
    accounts::store::lock_pair(tx, found.account_id, found.account_id).await?;
    statuses::by_id(tx, quoting).await
}

/// Whether `who`, from elsewhere, may quote this status of ours.
pub async fn may(conn: &Conn, who: AccountId, quoted: &Status) -> Result<bool> {
    let seen = crate::statuses::visibility::visible(conn, Some(who), quoted.id).await;
    match seen {
        Ok(_) => Ok(quoted.account_id != who && allows(conn, who, quoted).await?),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Answers `request`: `quoting`, a post of another server, may show the post of ours that it quotes, if the policy of
/// that says so. Asked once more, it is answered once more.
pub async fn asked(db: &Db, quoting: StatusId, request: &Asked) -> Result<()> {
    let mut tx = db.begin().await?;
    let quoting = locked(&tx, quoting).await?.ok_or(Error::NotFound)?;
    let quoted = match quoting.quote_of_id {
        None => return Err(Error::NotFound),
        Some(id) => statuses::by_id(&tx, id).await?.ok_or(Error::NotFound)?,
    };
    if quoted.uri != request.quoted || quoted.account_id != request.account || quoting.account_id != request.by {
        return Err(Error::forbidden("It does not quote what it asks for"));
    }
    // What was refused or taken back before stays so.
    let open = matches!(quoting.quote_state, QuoteState::Pending | QuoteState::None | QuoteState::Accepted);
    if !open || !may(&tx, quoting.account_id, &quoted).await? {
        deliveries::tell(&mut tx, News::QuoteRejected { asked: request.clone(), telling: ids::next() }).await?;
        return tx.commit().await;
    }
    let (id, from) = (quoting.id, quoting.account_id);
    let is_new = quoting.quote_state != QuoteState::Accepted;
    change(&mut tx, quoting, (Some(quoted.id), QuoteState::Accepted)).await?;
    if is_new {
        let kind = notifications::Kind::Quote;
        let new = notifications::New { account: quoted.account_id, from, kind, status: Some(id) };
        notifications::notify(&mut tx, new).await?;
    }
    let news = News::QuoteAccepted { asked: request.clone(), quoting: id, telling: ids::next() };
    deliveries::tell(&mut tx, news).await?;
    tx.commit().await
}

/// Answers `request`: no.
pub async fn refuse(db: &Db, request: &Asked) -> Result<()> {
    let mut tx = db.begin().await?;
    deliveries::tell(&mut tx, News::QuoteRejected { asked: request.clone(), telling: ids::next() }).await?;
    tx.commit().await
}

/// Answers a request to show somebody here in a list: no.
pub async fn refuse_feature(db: &Db, request: &Asked) -> Result<()> {
    let mut tx = db.begin().await?;
    deliveries::tell(&mut tx, News::FeatureRejected { asked: request.clone(), telling: ids::next() }).await?;
    tx.commit().await
}

/// What whoever is quoted answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Where their stamp is.
    Accepted(String),
    Rejected,
}

/// `by`, from elsewhere, answers whether our `quoting` may show what they wrote. [`Error::Forbidden`] when it is not
/// theirs.
pub async fn answered(db: &Db, quoting: StatusId, (by, answer): (AccountId, &Answer)) -> Result<()> {
    let tx = db.begin().await?;
    let quoting = locked(&tx, quoting).await?.filter(|s| s.local).ok_or(Error::NotFound)?;
    let quoted = match quoting.quote_of_id {
        None => return Err(Error::NotFound),
        Some(id) => statuses::by_id(&tx, id).await?.ok_or(Error::NotFound)?,
    };
    if quoted.account_id != by || quoted.local {
        return Err(Error::forbidden("It is not theirs to allow"));
    }
    let (state, stamp) = match (answer, quoting.quote_state) {
        (Answer::Accepted(stamp), _) => (QuoteState::Accepted, Some(stamp.as_str())),
        (Answer::Rejected, QuoteState::Accepted | QuoteState::Revoked) => (QuoteState::Revoked, None),
        (Answer::Rejected, _) => (QuoteState::Rejected, None),
    };
    store::keep(&tx, quoting.id, (&quoted.uri, stamp)).await?;
    settled(tx, quoting, (quoted.id, state, None)).await
}

/// The words by which a stamp was taken back, and its name.
type Words<'a> = (&'a str, &'a str);

/// Writes down what became of our quote, and tells others: with the words of whoever decided it, if there are any.
async fn settled(
    mut tx: Tx,
    quoting: Status,
    (quoted, state, words): (StatusId, QuoteState, Option<Words<'_>>),
) -> Result<()> {
    if quoting.quote_state != state {
        let quoting = change(&mut tx, quoting, (Some(quoted), state)).await?;
        let author = accounts::store::by_id(&tx, quoting.account_id).await?.ok_or(Error::NotFound)?;
        if deliveries::is_elsewhere(&tx, &quoting, &author).await? {
            let news = News::StatusRetold { status: quoting.id, telling: ids::next() };
            deliveries::tell(&mut tx, news).await?;
            if let Some((stamp, body)) = words {
                deliveries::pass_on(&mut tx, (&quoting, &author), (stamp, body)).await?;
            }
        }
    }
    tx.commit().await
}

/// `by`, from elsewhere, takes a stamp back, in these words if they sent any. False when none of theirs is known by this
/// name: it may be something else.
pub async fn revoked(db: &Db, by: AccountId, (stamp, words): (&str, Option<&str>)) -> Result<bool> {
    let mut any = false;
    let ids = store::by_stamp(&db.read().await?, stamp).await?;
    for id in ids {
        let tx = db.begin().await?;
        let Some(quoting) = locked(&tx, id).await? else { continue };
        let quoted = match quoting.quote_of_id {
            None => None,
            Some(id) => statuses::by_id(&tx, id).await?,
        };
        let Some(quoted) = quoted else { continue };
        if quoted.account_id != by || quoted.local {
            continue;
        }
        any = true;
        if quoting.quote_state != QuoteState::Accepted {
            continue;
        }
        if quoting.local {
            let words = words.map(|words| (stamp, words));
            settled(tx, quoting, (quoted.id, QuoteState::Revoked, words)).await?;
        } else {
            let mut tx = tx;
            change(&mut tx, quoting, (Some(quoted.id), QuoteState::Revoked)).await?;
            tx.commit().await?;
        }
    }
    Ok(any)
}

/// When whoever did not answer is asked once more, and for the last time.
const AGAIN: [Duration; 2] = [Duration::from_secs(2 * 24 * 3600), Duration::from_secs(7 * 24 * 3600)];

/// Our `quoting` shows a post of another server: whoever wrote that is asked, and asked again if they do not answer.
pub(in crate::statuses) async fn ask(tx: &mut Tx, quoting: StatusId, quoted: &Status) -> Result<()> {
    store::keep(tx, quoting, (&quoted.uri, None)).await?;
    deliveries::tell(tx, News::QuoteRequested { status: quoting, again: 0 }).await?;
    for (again, later) in (1..).zip(AGAIN) {
        let news = News::QuoteRequested { status: quoting, again };
        tx.enqueue_at(Job::Tell { news }, tx.now.plus(later)).await?;
    }
    Ok(())
}

/// Has a job look at a post elsewhere once more, which was fetched because another quotes it and quotes something itself;
/// `left`: so many steps further.
pub async fn look_again(db: &Db, quoting: StatusId, left: u8) -> Result<()> {
    jobs::ensure(db, Job::FetchQuote { status: quoting, left }).await
}

/// How long a stamp is believed before it is looked at again when somebody here reads the post.
const BELIEVED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The stamp of a quote was seen where it is.
pub async fn checked(db: &Db, quoting: StatusId) -> Result<()> {
    let tx = db.begin().await?;
    store::mark_checked(&tx, quoting, tx.now).await?;
    tx.commit().await
}

/// Somebody here reads a post: has a job look whether what it quotes may still be shown, if that was not looked at lately.
pub async fn check_stale(db: &Db, quoting: &Status) -> Result<()> {
    if quoting.quote_of_id.is_none() || quoting.quote_state != QuoteState::Accepted {
        return Ok(());
    }
    let known = store::known(&db.read().await?, quoting.id).await?;
    let stale = |at: Option<Time>| at.is_none_or(|at| Time::now().since(at) > BELIEVED);
    match known.filter(|known| known.stamp.is_some() && stale(known.checked_at)) {
        Some(_) => jobs::ensure(db, Job::CheckStamp { status: quoting.id }).await,
        None => Ok(()),
    }
}
