//! What groups pass on (FEP-1b12): whole activities of their members, told by the group. The group is not believed either:
//! what it speaks of is fetched where it is from, or it stands on the group's own server.

use super::{announce, create, look_again};
use crate::Federation;
use crate::documents::{Activity, Note, Object, Verb, same_origin};
use crate::resolve::{self, Budget};
use crate::statuses::arrive;
use domain::accounts::{Account, Kind};
use domain::statuses::{Status, consent::Deed, remote, remote::How};
use domain::{Error, Result, follows, tombstones};

pub(super) async fn apply(
    federation: &Federation,
    group: &Account,
    (announce, inner): (&Activity, &Activity),
) -> Result<()> {
    if group.kind != Kind::Group || !follows::remote::is_followed_here(&federation.db.read().await?, group.id).await? {
        return Err(Error::forbidden("Nobody here follows this group"));
    }
    let what = inner.object().ok_or(Error::NotFound)?;
    if is_about(group, inner) {
        return look_again(federation, &group.uri).await;
    }
    match inner.verb {
        Verb::Create => {
            if let Some(status) = posted(federation, group, what).await? {
                shown(federation, group, (announce, &status)).await?;
            }
            Ok(())
        }
        Verb::Update => changed(federation, group, what).await,
        Verb::Delete => removed(federation, group, what).await,
        // A deletion taken back, and whatever else is undone: what is there now is what counts.
        Verb::Undo => match what {
            Object::Activity(undone) if undone.verb == Verb::Delete => {
                restored(federation, group, (announce, undone)).await
            }
            _ => Ok(()),
        },
        // Votes are the group's own business: there are no numbers of others here. So is what it pins (Add, Remove),
        // locks (Lock) and whom it bans (Block): there is no place where a client would show it.
        _ => Ok(()),
    }
}

/// Whether what was done was done to the group itself, or taken back: it was changed, closed or opened again.
fn is_about(group: &Account, inner: &Activity) -> bool {
    let object = match inner.object() {
        Some(Object::Activity(undone)) if inner.verb == Verb::Undo => undone.object_id(),
        _ => inner.object_id(),
    };
    object == Some(group.uri.as_str()) && matches!(inner.verb, Verb::Update | Verb::Delete | Verb::Undo)
}

/// A post or an answer of somebody in the group. None: it is gone, or no post.
async fn posted(federation: &Federation, group: &Account, what: &Object) -> Result<Option<Status>> {
    let uri = what.id().ok_or(Error::NotFound)?;
    if federation.is_ours(uri) {
        return remote::by_uri(&federation.db.read().await?, uri).await;
    }
    match what {
        Object::Note(note) if is_at_home(note, group) => {
            let author = resolve::account::named(federation, &note.author).await?;
            create::check(&author, note)?;
            arrive::take(federation, note, &author, (How::Sent, Budget::SENT)).await
        }
        _ => match resolve::status::by_uri(federation, uri, Budget::SENT).await {
            Err(Error::Gone) => Ok(None),
            result => result.map(Some),
        },
    }
}

/// The group's server is the author's: it may say what they wrote.
fn is_at_home(note: &Note, group: &Account) -> bool {
    same_origin(&note.id, &group.uri) && same_origin(&note.author, &group.uri)
}

/// What begins a conversation in the group is shown to who follows it, as boosted by the group; answers are found below it.
async fn shown(federation: &Federation, group: &Account, (announce, status): (&Activity, &Status)) -> Result<()> {
    let Some(id) = announce.id.as_deref().filter(|_| status.in_reply_to_id.is_none()) else { return Ok(()) };
    let approval = (id, announce.approved_by.as_deref());
    if !federation.may((group, Deed::Boost), status, approval).await? {
        return Err(Error::forbidden("Its author does not let the group boost it"));
    }
    let visibility = announce::visibility(&federation.db.read().await?, group, announce).await?;
    let made = (id, visibility, announce.published);
    remote::boost(&federation.db, &federation.site, (group.id, status.id), made).await.map(drop)
}

async fn changed(federation: &Federation, group: &Account, what: &Object) -> Result<()> {
    let uri = what.id().filter(|uri| !federation.is_ours(uri)).ok_or(Error::NotFound)?;
    let Some(known) = remote::by_uri(&federation.db.read().await?, uri).await? else { return Ok(()) };
    match what {
        Object::Note(note) if is_at_home(note, group) => {
            let author = resolve::account::named(federation, &note.author).await?;
            if author.id != known.account_id {
                return Err(Error::forbidden("It is not by who wrote it"));
            }
            let arrived = federation.arrived(note, &author, (How::Sent, Budget::SENT)).await?;
            arrive::edit(federation, &arrived).await.map(drop)
        }
        _ => resolve::status::refetch(federation, uri, Budget::SENT).await.map(drop),
    }
}

/// Where it is from it is gone, or only the group does not show it any more: by its author or a moderator, who are not
/// told apart, because it is the group that says so and it is only the group's boost that goes.
async fn removed(federation: &Federation, group: &Account, what: &Object) -> Result<()> {
    let uri = what.id().ok_or(Error::NotFound)?;
    let Some(status) = remote::by_uri(&federation.db.read().await?, uri).await? else { return Ok(()) };
    remote::unboost(&federation.db, group.id, (None, Some(status.id))).await?;
    if status.local { Ok(()) } else { resolve::status::confirm_gone(federation, uri).await }
}

/// It is shown again, as if it had just been posted.
async fn restored(
    federation: &Federation,
    group: &Account,
    (announce, deletion): (&Activity, &Activity),
) -> Result<()> {
    let what = deletion.object().ok_or(Error::NotFound)?;
    let uri = what.id().ok_or(Error::NotFound)?;
    if !federation.is_ours(uri) && remote::by_uri(&federation.db.read().await?, uri).await?.is_none() {
        resolve::status::document(federation, uri).await?;
        tombstones::forget(&federation.db, uri).await?;
    }
    match posted(federation, group, what).await? {
        Some(status) => shown(federation, group, (announce, &status)).await,
        None => Ok(()),
    }
}
