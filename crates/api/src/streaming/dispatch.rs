//! Turns live events into messages. One task looks each event up once, decides whom it concerns, and puts the same
//! message into the outboxes of all who see the same. While nobody listens it does not touch the database.

use super::{
    listeners::Listener,
    message::{Message, event},
    topic::Topic,
};
use crate::{App, entities};
use domain::{
    Result, conversations,
    db::Conn,
    events::Event,
    ids::{AccountId, ConversationId, NotificationId, StatusId},
    lists, notifications,
    oauth::Scope,
    relationships,
    statuses::{
        self, Status,
        visibility::{self, Place, Shown},
    },
    tags, timelines,
};
use serde::Serialize;
use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// How long one event may take. Those after it wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends events to who listens, from the moment of this call until [`super::Streams::close`].
pub fn run(app: App) -> impl Future<Output = ()> + Send {
    let events = app.db.events().listen();
    listen(app, events)
}

async fn listen(app: App, mut events: Receiver<Arc<Event>>) {
    let stop = app.streams.stopping().clone();
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = events.recv() => received,
        };
        match received {
            Ok(_) if app.streams.open() == 0 => {}
            Ok(event) => {
                let told = async { tokio::time::timeout(PATIENCE, tell(&app, &event)).await };
                let told = tokio::select! {
                    () = stop.cancelled() => return,
                    told = told => told,
                };
                match told {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "a live event was not sent"),
                    Err(_) => tracing::warn!("a live event took too long and was not sent to all"),
                }
            }
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "live events came too fast; some were not sent"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn tell(app: &App, event: &Event) -> Result<()> {
    match event {
        Event::StatusCreated { status } => tell_status(app, *status, News::Created).await,
        Event::StatusEdited { status } => tell_status(app, *status, News::Edited).await,
        Event::StatusDeleted { status, author, local, public, tags, audience } => {
            let message = Message::new(event::DELETE, Some(status.to_string()));
            if *public {
                send_all(&app.streams.listeners(&Topic::of_deleted(tags, *local)), &message);
            }
            let public_tags: &[String] = if *public { tags } else { &[] };
            tell_deleted(app, (*author, audience), public_tags, &message).await
        }
        Event::Notified { notification, account } => tell_notification(app, *notification, *account).await,
        Event::NotificationsMerged { account } => {
            // Mastodon sends a number that means nothing.
            let message = Message::new(event::NOTIFICATIONS_MERGED, Some("1".into()));
            send_all(&notified(app, *account), &message);
            Ok(())
        }
        Event::Conversation { account, conversation } => tell_conversation(app, *conversation, *account).await,
        Event::FiltersChanged { account } => {
            app.streams.send(Topic::User(*account), &Message::new(event::FILTERS_CHANGED, None));
            Ok(())
        }
        Event::TokenRevoked { token } => {
            app.streams.close_token(*token);
            Ok(())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Created,
    Edited,
}

impl News {
    fn event(self) -> &'static str {
        match self {
            Self::Created => event::UPDATE,
            Self::Edited => event::STATUS_UPDATE,
        }
    }
}

async fn tell_status(app: &App, id: StatusId, news: News) -> Result<()> {
    if !app.streams.wants_statuses() {
        return Ok(());
    }
    let conn = app.db.read().await?;
    // Gone again already: its deletion is on its way.
    let Some(status) = statuses::store::by_id(&conn, id).await? else { return Ok(()) };
    tell_public(app, &conn, &status, news).await?;
    let mut readers = homes_with(app, &conn, id).await?;
    readers.extend(lists_with(app, &conn, id).await?);
    tell_each(app, &conn, (&status, news), &readers).await
}

/// Who reads a status, and where.
type Reader = (AccountId, Topic);

async fn homes_with(app: &App, conn: &Conn, status: StatusId) -> Result<Vec<Reader>> {
    let at_home = app.streams.at_home();
    if at_home.is_empty() {
        return Ok(Vec::new());
    }
    let holders = timelines::holders(conn, status, &at_home).await?;
    Ok(holders.into_iter().map(|viewer| (viewer, Topic::User(viewer))).collect())
}

async fn lists_with(app: &App, conn: &Conn, status: StatusId) -> Result<Vec<Reader>> {
    let listened = app.streams.lists();
    if listened.is_empty() {
        return Ok(Vec::new());
    }
    let showing = timelines::lists_with(conn, status, &listened).await?;
    Ok(showing.into_iter().map(|(list, owner)| (owner, Topic::List(list))).collect())
}

/// One entity, without a viewer's marks, for all who listen to public streams; not to those whom it is hidden from.
async fn tell_public(app: &App, conn: &Conn, status: &Status, news: News) -> Result<()> {
    let listeners = app.streams.listeners(&Topic::of_status(status));
    if listeners.is_empty() {
        return Ok(());
    }
    let accounts: HashSet<AccountId> = listeners.iter().map(Listener::account).collect();
    let accounts: Vec<AccountId> = accounts.into_iter().collect();
    let (allowed, original) = visibility::audience(conn, &accounts, status, Place::Public).await?;
    let allowed: HashSet<AccountId> = allowed.into_iter().collect();
    if allowed.is_empty() {
        return Ok(());
    }
    let entity = entity(app, conn, (status, original.as_ref()), None).await?;
    let message = message(news.event(), &entity)?;
    for listener in listeners.iter().filter(|l| allowed.contains(&l.account())) {
        listener.send(&message);
    }
    Ok(())
}

/// To those who have it in a feed of theirs, each as they see it.
async fn tell_each(app: &App, conn: &Conn, (status, news): (&Status, News), readers: &[Reader]) -> Result<()> {
    if readers.is_empty() {
        return Ok(());
    }
    let people: HashSet<AccountId> = readers.iter().map(|(viewer, _)| *viewer).collect();
    let people: Vec<AccountId> = people.into_iter().collect();
    let (mut viewers, original) = visibility::audience(conn, &people, status, Place::Listed).await?;
    let send = |viewer: AccountId, message: &Arc<Message>| {
        let theirs = readers.iter().filter(|(account, _)| *account == viewer);
        theirs.for_each(|(_, topic)| app.streams.send(topic.clone(), message));
    };
    let shown = (status, original.as_ref());
    if news == News::Created && is_plain(status) {
        let (own, others): (Vec<_>, Vec<_>) = viewers.into_iter().partition(|v| *v == status.account_id);
        viewers = own;
        if let Some(any) = others.first() {
            let message = message(news.event(), &untouched(entity(app, conn, shown, Some(*any)).await?))?;
            others.into_iter().for_each(|viewer| send(viewer, &message));
        }
    }
    for viewer in viewers {
        let message = message(news.event(), &entity(app, conn, shown, Some(viewer)).await?)?;
        send(viewer, &message);
    }
    Ok(())
}

/// Whether, just made, it looks the same to everybody but its author: nothing in it depends on what a viewer did before.
fn is_plain(status: &Status) -> bool {
    status.reblog_of_id.is_none()
        && status.quote_of_id.is_none()
        && status.poll_id.is_none()
        && status.in_reply_to_id.is_none()
}

/// Without the marks that one quick viewer may have made already, for the others.
fn untouched(mut entity: entities::Status) -> entities::Status {
    if let Some(mine) = &mut entity.mine {
        (mine.favourited, mine.reblogged, mine.bookmarked, mine.muted) = (false, false, false, false);
    }
    entity
}

/// A status that `viewer` may see, and what it boosts.
async fn entity(
    app: &App,
    conn: &Conn,
    (status, original): (&Status, Option<&Status>),
    viewer: Option<AccountId>,
) -> Result<entities::Status> {
    let reblogged = original.map(|o| (o.id, o.clone())).into_iter().collect();
    let shown = Shown { statuses: vec![status.clone()], reblogged };
    let made = entities::statuses(app, conn, shown, viewer).await?;
    made.into_iter().next().ok_or(domain::Error::NotFound)
}

fn message(event: &'static str, entity: &impl Serialize) -> Result<Arc<Message>> {
    Ok(Message::new(event, Some(serde_json::to_string(entity)?)))
}

fn send_all(listeners: &[Listener], message: &Arc<Message>) {
    listeners.iter().for_each(|listener| listener.send(message));
}

/// To the author, to who was named, to followers of the author or of a tag, and to lists that the author is in: the feeds
/// that it was in are cleaned already.
async fn tell_deleted(
    app: &App,
    (author, named): (AccountId, &[AccountId]),
    tags: &[String],
    message: &Arc<Message>,
) -> Result<()> {
    let (at_home, listened) = (app.streams.at_home(), app.streams.lists());
    if at_home.is_empty() && listened.is_empty() {
        return Ok(());
    }
    let conn = app.db.read().await?;
    if !listened.is_empty() {
        for list in lists::holding(&conn, author, &listened).await? {
            app.streams.send(Topic::List(list), message);
        }
    }
    let tagged = match tags {
        [] => Vec::new(),
        tags => tags::followers_among(&conn, tags, &at_home).await?,
    };
    let relations = relationships::viewers_with_authors(&conn, &at_home, [author]).await?;
    for viewer in at_home {
        let follows = || relations.get(&viewer).is_some_and(|r| r.following(author));
        if viewer == author || named.contains(&viewer) || tagged.contains(&viewer) || follows() {
            app.streams.send(Topic::User(viewer), message);
        }
    }
    Ok(())
}

/// Those who hear of `account`'s notifications: the user's stream is open without their scope too.
fn notified(app: &App, account: AccountId) -> Vec<Listener> {
    let mut listeners = app.streams.listeners(&[Topic::User(account), Topic::Notifications(account)]);
    listeners.retain(|l| l.connection.who.scopes.allows(Scope::ReadNotifications));
    listeners
}

async fn tell_notification(app: &App, id: NotificationId, account: AccountId) -> Result<()> {
    let listeners = notified(app, account);
    if listeners.is_empty() {
        return Ok(());
    }
    let conn = app.db.read().await?;
    let Some(row) = notifications::store::by_id(&conn, account, id).await? else { return Ok(()) };
    for entity in entities::notifications(app, &conn, vec![row], account).await? {
        send_all(&listeners, &message(event::NOTIFICATION, &entity)?);
    }
    Ok(())
}

async fn tell_conversation(app: &App, id: ConversationId, account: AccountId) -> Result<()> {
    let listeners = app.streams.listeners(&[Topic::Direct(account)]);
    if listeners.is_empty() {
        return Ok(());
    }
    let conn = app.db.read().await?;
    let Some(row) = conversations::store::by_id(&conn, account, id).await? else { return Ok(()) };
    for entity in entities::conversations(app, &conn, vec![row], account).await? {
        send_all(&listeners, &message(event::CONVERSATION, &entity)?);
    }
    Ok(())
}
