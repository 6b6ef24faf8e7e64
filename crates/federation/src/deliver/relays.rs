//! What the site itself says to relays, and to who asks to follow it.

use super::compose::{known, undo};
use crate::Federation;
use crate::actors::keys::ROTATION;
use crate::documents::{Activity, Object, PUBLIC, Verb};
use domain::accounts;
use domain::db::Conn;
use domain::deliveries::News;
use domain::ids::{AccountId, ActivityId, RelayId, StatusId};
use domain::keys::SITE;
use domain::relays::{self, Left, Style};
use domain::statuses::{self, Status};
use domain::{Error, Result};

/// What the site says.
pub(super) async fn made(federation: &Federation, conn: &Conn, news: &News) -> Result<Activity> {
    match news {
        News::RelayFollowed { relay } => follow(federation, conn, *relay).await,
        News::RelayLeft { left } => Ok(undo(subscription(federation, conn, left.clone()).await?)),
        News::Relayed { status } => announce(federation, conn, *status).await,
        News::SiteAnswered { follower, uri, object, accepted, telling } => {
            let (follower, accepted, telling) = (*follower, *accepted, *telling);
            answer(conn, Answer { follower, uri, object, accepted, telling }).await
        }
        _ => Err(Error::NotFound),
    }
}

/// The site as it is now, with another key than before. Reads, and may make a key: with a connection of its own.
pub(super) async fn rekeyed(
    federation: &Federation,
    (relay, telling): (bool, ActivityId),
) -> Result<(AccountId, Activity)> {
    // As with people: what is at hand may be the old one.
    federation.own.forget(SITE);
    let actor = if relay { federation.relay_actor().await? } else { federation.site_actor().await? };
    let told = Activity {
        id: Some(format!("{}#{ROTATION}{telling}", actor.id)),
        verb: Verb::Update,
        actor: actor.id.clone(),
        to: vec![PUBLIC.to_owned()],
        objects: vec![Object::Actor(Box::new(actor))],
        ..Activity::default()
    };
    Ok((SITE, told))
}

/// The wish to be sent what others post: of the public itself, or of the relay.
async fn follow(federation: &Federation, conn: &Conn, relay: RelayId) -> Result<Activity> {
    let relay = relays::store::by_id(conn, relay).await?.ok_or(Error::NotFound)?;
    subscription(federation, conn, relay.into()).await
}

async fn subscription(federation: &Federation, conn: &Conn, relay: Left) -> Result<Activity> {
    let (actor, object) = if relay.litepub {
        (federation.relay_uri(), known(conn, relay.account.ok_or(Error::NotFound)?).await?.uri)
    } else {
        (federation.site_uri(), PUBLIC.to_owned())
    };
    Ok(Activity {
        id: Some(relay.follow_uri),
        verb: Verb::Follow,
        actor,
        to: vec![object.clone()],
        objects: vec![Object::Id(object)],
        ..Activity::default()
    })
}

/// A post of ours, boosted by the site for those relays that take nothing else.
async fn announce(federation: &Federation, conn: &Conn, status: StatusId) -> Result<Activity> {
    let status = statuses::store::by_id(conn, status).await?.ok_or(Error::NotFound)?;
    let actor = federation.relay_uri();
    Ok(Activity {
        id: Some(format!("{actor}#announces/{}", status.id)),
        verb: Verb::Announce,
        to: vec![format!("{actor}/followers")],
        cc: vec![PUBLIC.to_owned()],
        objects: vec![Object::Id(status.uri)],
        published: Some(status.created_at),
        actor,
        ..Activity::default()
    })
}

/// The site's answer to who asked to follow it.
struct Answer<'a> {
    pub follower: AccountId,
    pub uri: &'a str,
    /// Under which of its names the site was asked.
    pub object: &'a str,
    pub accepted: bool,
    pub telling: ActivityId,
}

async fn answer(conn: &Conn, answer: Answer<'_>) -> Result<Activity> {
    let follower = known(conn, answer.follower).await?;
    let asked = Activity {
        id: Some(answer.uri.to_owned()),
        verb: Verb::Follow,
        actor: follower.uri.clone(),
        objects: vec![Object::Id(answer.object.to_owned())],
        ..Activity::default()
    };
    Ok(Activity {
        id: Some(format!("{}#answers/{}", answer.object, answer.telling)),
        verb: if answer.accepted { Verb::Accept } else { Verb::Reject },
        actor: answer.object.to_owned(),
        to: vec![follower.uri],
        objects: vec![Object::Activity(Box::new(asked))],
        ..Activity::default()
    })
}

/// The relays that hear of what becomes of a status: of one style, or all.
pub(super) async fn inboxes(conn: &Conn, status: &Status, style: Option<Style>) -> Result<Vec<String>> {
    match accounts::store::by_id(conn, status.account_id).await? {
        Some(author) if relays::is_for_relays(status, &author) => relays::inboxes(conn, style).await,
        _ => Ok(Vec::new()),
    }
}

/// Whether one of these inboxes is that of a relay which passes on activities as they come.
pub(super) async fn is_among(conn: &Conn, inboxes: &[String]) -> Result<bool> {
    let relays = relays::inboxes(conn, Some(Style::Mastodon)).await?;
    Ok(relays.iter().any(|relay| inboxes.contains(relay)))
}
