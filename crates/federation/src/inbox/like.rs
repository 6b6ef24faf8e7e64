//! Like and EmojiReact: somebody elsewhere favours a post of ours, or puts an emoji on it, which counts as that too.

use crate::Federation;
use crate::documents::{Activity, Reaction, host};
use domain::accounts::Account;
use domain::statuses::reactions::{self, Emoji};
use domain::statuses::{Status, actions, remote};
use domain::{Error, Result, emojis};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let status = ours(federation, activity).await?;
    let name = activity.id.as_deref();
    let reacted = match emoji(federation, from, activity).await? {
        None => None,
        Some(emoji) => match reactions::react_named(&federation.db, from.id, (status.id, &emoji), name).await {
            // More than are kept: a favourite all the same.
            Err(Error::Invalid { .. }) => None,
            done => Some(done?),
        },
    };
    match reacted {
        Some(_) => Ok(()),
        None => actions::favourite_named(&federation.db, from.id, (status.id, name)).await.map(drop),
    }
}

pub(super) async fn undo(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let status = ours(federation, activity).await?;
    // What was too much to be kept was taken as a favourite.
    let kept = reactions::is_by(&federation.db.read().await?, from.id, status.id).await?;
    match emoji(federation, from, activity).await?.filter(|_| kept) {
        Some(emoji) => reactions::unreact(&federation.db, from.id, (status.id, &emoji.name)).await.map(drop),
        None => actions::unfavourite(&federation.db, from.id, status.id).await.map(drop),
    }
}

async fn ours(federation: &Federation, activity: &Activity) -> Result<Status> {
    let uri = activity.object_id().filter(|uri| federation.is_ours(uri)).ok_or(Error::NotFound)?;
    let status = remote::by_uri(&federation.db.read().await?, uri).await?;
    status.filter(|s| s.local).ok_or(Error::NotFound)
}

/// What was put there; None for a plain favourite, and for what is no emoji or has no picture.
async fn emoji(federation: &Federation, from: &Account, activity: &Activity) -> Result<Option<Emoji>> {
    let (shortcode, at, sent) = match activity.reaction() {
        Some(Reaction::Unicode(text)) if reactions::is_emoji(text) => {
            return Ok(Some(Emoji { name: text.to_owned(), picture: None }));
        }
        Some(Reaction::Custom { shortcode, host, emoji }) => (shortcode, host, emoji),
        _ => return Ok(None),
    };
    let web = host(&federation.site.base_url).unwrap_or_default();
    if at.is_some_and(|at| at == federation.site.domain || at == web) {
        let found = emojis::by_shortcodes(&federation.db.read().await?, &[shortcode]).await?;
        return Ok(found.into_iter().next().map(|e| Emoji { name: e.shortcode, picture: Some(e.image) }));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    let is_name = !shortcode.is_empty() && shortcode.len() <= 128 && shortcode.chars().all(plain);
    // The picture is what their server says it is: it is known by that server's name, wherever it says that it is from.
    let own = host(&from.uri);
    let at = at.and_then(|at| host(&format!("https://{at}/"))).filter(|at| from.domain.as_ref() == Some(at)).or(own);
    match (at, sent) {
        (Some(at), Some(sent)) if is_name => {
            Ok(Some(Emoji { name: format!("{shortcode}@{at}"), picture: Some(sent.image.url.clone()) }))
        }
        _ => Ok(None),
    }
}
