//! Subscribing to relays.

use super::account;
use crate::Federation;
use crate::documents::origin;
use domain::accounts::{Kind, remote};
use domain::relays::{self, New, Relay, Style};
use domain::{Error, Result};

/// Asks the relay at this address: an inbox (its path ends so), or an actor. [`Error::NotFound`] for what is neither, and for people.
pub async fn subscribe(federation: &Federation, url: &str) -> Result<Relay> {
    let url = url.trim();
    if origin(url).is_none() || federation.is_ours(url) {
        return Err(Error::NotFound);
    }
    let new = if url.trim_end_matches('/').ends_with("/inbox") {
        let follow_prefix = format!("{}#follows/relays/", federation.site_uri());
        New { style: Style::Mastodon, url: url.to_owned(), inbox: url.to_owned(), account: None, follow_prefix }
    } else {
        let actor = account::fetch(federation, url).await?;
        // A relay is a program: nobody shall be followed by mistake.
        if actor.kind == Kind::Person {
            return Err(Error::NotFound);
        }
        let reached = remote::store::actor(&federation.db.read().await?, actor.id).await?.ok_or(Error::NotFound)?;
        let follow_prefix = format!("{}#follows/", federation.relay_uri());
        let (inbox, account) = (reached.inbox, Some(actor.id));
        New { style: Style::Litepub, url: url.to_owned(), inbox, account, follow_prefix }
    };
    relays::subscribe(&federation.db, new).await
}
