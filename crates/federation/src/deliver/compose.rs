//! From news to the activity that says it. None where it does not matter any more.

use super::{Told, featured, quotes, reactions, relays, updates};
use crate::Federation;
use crate::actors::keys::ROTATION;
use crate::documents::{Activity, Note, Object, PUBLIC, Verb};
use crate::statuses::compose::{Addressed, author};
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::deliveries::{Bond, Gone, News, Parting};
use domain::ids::{AccountId, ActivityId, BlockId, StatusId};
use domain::keys::SITE;
use domain::statuses::{self, Status, Visibility, consent};
use domain::{Error, Result, follows, polls};

pub(super) async fn news(federation: &Federation, news: &News) -> Result<Option<Told>> {
    let made = match news {
        News::SiteKeysRotated { relay, telling } => relays::rekeyed(federation, (*relay, *telling)).await,
        news => made(federation, news).await,
    };
    match made {
        Ok((account, activity)) => Ok(Some(Told { account, activity })),
        // Meanwhile it was taken back.
        Err(Error::NotFound | Error::Gone) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn made(federation: &Federation, news: &News) -> Result<(AccountId, Activity)> {
    let held = federation.db.read().await?;
    let conn = &held;
    match news {
        News::StatusCreated { status } | News::StatusApproved { status } => {
            let (author, status) = own(conn, *status).await?;
            Ok((author.id, created(federation, conn, (&author, &status)).await?))
        }
        News::StatusEdited { status } | News::StatusRetold { status, .. } | News::PollCounted { status } => {
            updates::made(federation, conn, (*status, news)).await
        }
        News::StatusDeleted { gone } => deleted(conn, gone).await,
        News::QuoteRequested { .. }
        | News::QuoteAccepted { .. }
        | News::QuoteRejected { .. }
        | News::FeatureRejected { .. }
        | News::QuoteRevoked { .. } => quotes::made(federation, conn, news).await,
        News::Favourited { .. }
        | News::Unfavourited { .. }
        | News::Reacted { .. }
        | News::Unreacted { .. }
        | News::LikeKept { .. } => reactions::made(federation, conn, news).await,
        News::Pinned { .. } | News::Unpinned { .. } | News::TagFeatured { .. } | News::TagUnfeatured { .. } => {
            featured::made(federation, conn, news).await
        }
        News::Followed { bond } => follow(conn, bond).await.map(|f| (bond.account, f)),
        News::Unfollowed { bond } => follow(conn, bond).await.map(|f| (bond.account, undo(f))),
        News::FollowAccepted { bond } => answer(conn, bond, Verb::Accept).await,
        News::FollowRejected { bond } => answer(conn, bond, Verb::Reject).await,
        News::Parted { parting } => parted(conn, parting).await,
        News::Blocked { account, target, block } => blocked(conn, (*account, *target), *block).await,
        News::Unblocked { account, target, block } => {
            blocked(conn, (*account, *target), *block).await.map(|(account, block)| (account, undo(block)))
        }
        News::Voted { account, poll, choice } => vote(conn, (*account, *poll, *choice)).await,
        News::ProfileChanged { account, telling } | News::KeysRotated { account, telling } => {
            let account = local(conn, *account).await?;
            drop(held);
            profile(federation, &account, (news, *telling)).await
        }
        News::Reported { report, .. } => super::flag::made(federation, conn, *report).await,
        News::RelayFollowed { .. } | News::RelayLeft { .. } | News::Relayed { .. } | News::SiteAnswered { .. } => {
            Ok((SITE, relays::made(federation, conn, news).await?))
        }
        News::Moved { account, target, telling } => moved(conn, (*account, *target), *telling).await,
        News::Passed { .. } | News::SiteKeysRotated { .. } => Err(Error::NotFound),
        News::AccountDeleted { account, uri } => {
            Ok((*account, to_everybody(uri, "delete", (Verb::Delete, Object::Id(uri.clone())))))
        }
    }
}

/// The account as it is now. Reads, and may make a key: with a connection of its own.
async fn profile(
    federation: &Federation,
    account: &Account,
    (news, telling): (&News, ActivityId),
) -> Result<(AccountId, Activity)> {
    let name = match news {
        News::KeysRotated { .. } => {
            // Another process may have changed it: what is at hand may be the old one.
            federation.own.forget(account.id);
            format!("{ROTATION}{telling}")
        }
        _ => format!("updates/{telling}"),
    };
    let actor = federation.actor(account).await?;
    Ok((account.id, to_everybody(&account.uri, &name, (Verb::Update, Object::Actor(Box::new(actor))))))
}

/// What is done, and what stands behind the actor's name in its own.
pub(super) struct Act {
    pub(super) verb: Verb,
    pub(super) name: String,
}

pub(super) fn to_everybody(actor: &str, name: &str, (verb, object): (Verb, Object)) -> Activity {
    let cc = vec![format!("{actor}/followers")];
    let id = Some(format!("{actor}#{name}"));
    Activity {
        id,
        verb,
        actor: actor.to_owned(),
        objects: vec![object],
        to: vec![PUBLIC.into()],
        cc,
        ..Activity::default()
    }
}

pub(super) async fn local(conn: &Conn, id: AccountId) -> Result<Account> {
    accounts::store::by_id(conn, id).await?.filter(Account::is_local).ok_or(Error::NotFound)
}

pub(super) async fn known(conn: &Conn, id: AccountId) -> Result<Account> {
    accounts::store::by_id(conn, id).await?.ok_or(Error::NotFound)
}

pub(super) async fn own(conn: &Conn, id: StatusId) -> Result<(Account, Status)> {
    let status = statuses::store::by_id(conn, id).await?.ok_or(Error::NotFound)?;
    Ok((author(conn, &status).await?, status))
}

/// The Create of a status, or the Announce that a boost is.
pub(crate) async fn created(
    federation: &Federation,
    conn: &Conn,
    (author, status): (&Account, &Status),
) -> Result<Activity> {
    let Some(original) = status.reblog_of_id else {
        let note = federation.note(conn, author, status).await?;
        return Ok(of_note(author, note, Verb::Create, format!("{}/activity", status.uri)));
    };
    let original = statuses::store::by_id(conn, original).await?.ok_or(Error::NotFound)?;
    let whose = known(conn, original.account_id).await?;
    let mut made = announce(&author.uri, status, (&original.uri, Some(whose.uri)));
    if original.visibility > Visibility::Unlisted {
        // Their own, for followers: nobody could fetch it who does not have it.
        made.objects = vec![Object::Note(Box::new(federation.note(conn, author, &original).await?))];
    }
    Ok(Activity { approved_by: consent::approval(conn, status).await?, ..made })
}

/// As [`created`], with no more than the name of what it is about, and nobody named.
pub(crate) fn brief(author: &str, status: &Status, original: Option<&str>) -> Activity {
    if let Some(original) = original {
        return announce(author, status, (original, None));
    }
    let Addressed { to, cc } = Addressed::new(status.visibility, author, Vec::new());
    Activity {
        id: Some(format!("{}/activity", status.uri)),
        verb: Verb::Create,
        actor: author.to_owned(),
        objects: vec![Object::Id(status.uri.clone())],
        published: Some(status.created_at),
        to,
        cc,
        ..Activity::default()
    }
}

fn announce(author: &str, boost: &Status, (original, whose): (&str, Option<String>)) -> Activity {
    let Addressed { to, cc } = Addressed::new(boost.visibility, author, whose.into_iter().collect());
    Activity {
        id: Some(boost.uri.clone()),
        verb: Verb::Announce,
        actor: author.to_owned(),
        objects: vec![Object::Id(original.to_owned())],
        published: Some(boost.created_at),
        to,
        cc,
        ..Activity::default()
    }
}

pub(super) fn of_note(author: &Account, note: Note, verb: Verb, id: String) -> Activity {
    Activity {
        id: Some(id),
        verb,
        actor: author.uri.clone(),
        published: note.published,
        to: note.to.clone(),
        cc: note.cc.clone(),
        audience: note.audience.clone(),
        objects: vec![Object::Note(Box::new(note))],
        ..Activity::default()
    }
}

/// The end of a status, or the undoing of a boost. The rows are gone: all that is needed came along.
async fn deleted(conn: &Conn, gone: &Gone) -> Result<(AccountId, Activity)> {
    let author = known(conn, gone.account).await?;
    if let Some(boosted) = &gone.boosted {
        // Whoever wrote it, as when it was told.
        let people = accounts::store::by_ids(conn, gone.concerned.iter().copied()).await?;
        let people = people.into_iter().map(|account| account.uri).collect();
        let Addressed { to, cc } = Addressed::new(gone.visibility, &author.uri, people);
        let announce = Activity {
            id: Some(gone.uri.clone()),
            verb: Verb::Announce,
            actor: author.uri.clone(),
            objects: vec![Object::Id(boosted.clone())],
            to,
            cc,
            ..Activity::default()
        };
        return Ok((author.id, undo(announce)));
    }
    let activity = Activity {
        id: Some(format!("{}#delete", gone.uri)),
        verb: Verb::Delete,
        actor: author.uri.clone(),
        // Not what it was before: readers of linked data disagree about what that would mean.
        objects: vec![Object::Tombstone { id: gone.uri.clone(), former: None }],
        to: vec![PUBLIC.into()],
        ..Activity::default()
    };
    Ok((author.id, activity))
}

/// Takes `what` back; shown whole, because its name alone says nothing elsewhere.
pub(super) fn undo(what: Activity) -> Activity {
    Activity {
        id: what.id.as_ref().map(|id| format!("{id}/undo")),
        verb: Verb::Undo,
        actor: what.actor.clone(),
        to: what.to.clone(),
        cc: what.cc.clone(),
        objects: vec![Object::Activity(Box::new(what))],
        ..Activity::default()
    }
}

pub(super) async fn on_status(
    conn: &Conn,
    (who, id): (AccountId, StatusId),
    act: Act,
) -> Result<(AccountId, Activity)> {
    let actor = local(conn, who).await?;
    let status = statuses::store::by_id(conn, id).await?.ok_or(Error::NotFound)?;
    let author = known(conn, status.account_id).await?;
    Ok((who, plain(&actor, (act, status.uri), author.uri)))
}

async fn blocked(conn: &Conn, (who, target): (AccountId, AccountId), block: BlockId) -> Result<(AccountId, Activity)> {
    let (actor, target) = (local(conn, who).await?, known(conn, target).await?);
    let act = Act { verb: Verb::Block, name: format!("blocks/{block}") };
    Ok((who, plain(&actor, (act, target.uri.clone()), target.uri)))
}

async fn moved(
    conn: &Conn,
    (who, target): (AccountId, AccountId),
    telling: ActivityId,
) -> Result<(AccountId, Activity)> {
    let (actor, to) = (local(conn, who).await?, known(conn, target).await?);
    let name = format!("moves/{telling}");
    let activity = to_everybody(&actor.uri, &name, (Verb::Move, Object::Id(actor.uri.clone())));
    Ok((who, Activity { target: Some(Object::Id(to.uri)), ..activity }))
}

/// An act on one thing, told to one.
fn plain(actor: &Account, (act, object): (Act, String), to: String) -> Activity {
    Activity {
        id: Some(format!("{}#{}", actor.uri, act.name)),
        verb: act.verb,
        actor: actor.uri.clone(),
        objects: vec![Object::Id(object)],
        to: vec![to],
        ..Activity::default()
    }
}

/// The follow as it was named when it was asked for.
async fn follow(conn: &Conn, bond: &Bond) -> Result<Activity> {
    let (follower, followee) = (known(conn, bond.account).await?, known(conn, bond.target).await?);
    Ok(asked(bond, follower.uri, followee.uri))
}

fn asked(bond: &Bond, follower: String, followee: String) -> Activity {
    Activity {
        id: Some(bond.uri.clone()),
        verb: Verb::Follow,
        actor: follower,
        objects: vec![Object::Id(followee.clone())],
        to: vec![followee],
        ..Activity::default()
    }
}

/// The end of a follow, or of a request, by whoever of the two is here. Not when one stands again that began later: they
/// would take it for the end of that.
async fn parted(conn: &Conn, Parting { bond, other, .. }: &Parting) -> Result<(AccountId, Activity)> {
    if follows::remote::stands(conn, bond.account, bond.target).await? {
        return Err(Error::NotFound);
    }
    match local(conn, bond.target).await {
        Ok(me) => Ok(answered(&me, (bond, asked(bond, other.clone(), me.uri.clone())), Verb::Reject)),
        Err(Error::NotFound) => {
            let me = local(conn, bond.account).await?;
            Ok((me.id, undo(asked(bond, me.uri, other.clone()))))
        }
        Err(error) => Err(error),
    }
}

async fn answer(conn: &Conn, bond: &Bond, verb: Verb) -> Result<(AccountId, Activity)> {
    let asked = follow(conn, bond).await?;
    let me = local(conn, bond.target).await?;
    Ok(answered(&me, (bond, asked), verb))
}

fn answered(me: &Account, (bond, asked): (&Bond, Activity), verb: Verb) -> (AccountId, Activity) {
    let name = if verb == Verb::Accept { "accepts" } else { "rejects" };
    let activity = Activity {
        id: Some(format!("{}#{name}/follows/{}", me.uri, bond.id)),
        verb,
        actor: me.uri.clone(),
        to: vec![asked.actor.clone()],
        objects: vec![Object::Activity(Box::new(asked))],
        ..Activity::default()
    };
    (me.id, activity)
}

/// A vote travels as a note with nothing in it but the name of the choice.
async fn vote(
    conn: &Conn,
    (who, poll, choice): (AccountId, domain::ids::PollId, i64),
) -> Result<(AccountId, Activity)> {
    let voter = local(conn, who).await?;
    let poll = polls::store::by_id(conn, poll).await?.ok_or(Error::NotFound)?;
    let question = statuses::store::by_id(conn, poll.status_id).await?.ok_or(Error::NotFound)?;
    let author = known(conn, poll.account_id).await?;
    let options = poll.options();
    let option = usize::try_from(choice).ok().and_then(|c| options.get(c)).ok_or(Error::NotFound)?;
    let id = format!("{}#votes/{}/{choice}", voter.uri, poll.id);
    let note = Note {
        id: id.clone(),
        author: voter.uri.clone(),
        name: Some(option.title.clone()),
        in_reply_to: Some(question.uri),
        to: vec![author.uri],
        ..Note::default()
    };
    Ok((who, of_note(&voter, note, Verb::Create, format!("{id}/activity"))))
}
