//! Accounts of other servers.

use super::failed;
use super::webfinger::{self, Handle};
use crate::Federation;
use crate::documents::{Actor, ActorKind, Document, host};
use crate::inbox::signer::kept;
use crate::signatures::Form;
use domain::accounts::remote::{self, Arrived, Reach};
use domain::accounts::{self, Account, Kind};
use domain::{Error, Result, Time, tombstones};
use std::time::Duration;
use url::Url;

/// An account that was looked at longer ago is asked for anew when it is met.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Who is meant by `user@domain`: known here, or fetched.
pub async fn by_handle(federation: &Federation, handle: &str) -> Result<Account> {
    let conn = federation.db.read().await?;
    match accounts::lookup(&conn, &federation.site, handle).await {
        Err(Error::NotFound) => {}
        Ok(account) => {
            drop(conn);
            refresh_stale(federation, &account).await?;
            return Ok(account);
        }
        Err(error) => return Err(error),
    }
    drop(conn);
    let parts = accounts::handle(&federation.site, handle).ok_or(Error::NotFound)?;
    // Somebody of ours would have been found.
    let domain = parts.domain.ok_or(Error::NotFound)?;
    let asked = Handle { username: parts.username, domain };
    let said = webfinger::finger(federation, &asked).await?;
    if federation.is_ours(&said.href) {
        return Err(Error::NotFound);
    }
    if !said.handle.is(&asked) {
        // Another name for the same account: the one that it is known by has the last word.
        let again = webfinger::finger(federation, &said.handle).await?;
        if !again.handle.is(&said.handle) || again.href != said.href {
            return Err(Error::forbidden(format!("{handle} leads from one name to another")));
        }
    }
    let actor = document(federation, &said.href).await?;
    if actor.id != said.href {
        return Err(Error::forbidden(format!("{handle} leads to another account")));
    }
    let own = host(&actor.id).map(|domain| Handle { username: actor.username.clone(), domain });
    let on_its_host = own.is_some_and(|own| own.is(&said.handle));
    // Asked and answered: the account's own server says so. Else the account's server has to name it too; some servers
    // answer in the letter case in which they were asked.
    if !on_its_host && !verified_handle(federation, &actor).await?.is(&said.handle) {
        return Err(Error::forbidden(format!("{handle} is not what the account is called")));
    }
    let account = keep(federation, arrived(&actor), said.handle).await?;
    // Somebody wants to see the profile.
    remote::fetch_pins_later(&federation.db, account.id).await?;
    Ok(account)
}

/// The account of this name among servers: known here, or fetched.
pub async fn by_uri(federation: &Federation, uri: &str) -> Result<Account> {
    let known = remote::by_uri(&federation.db.read().await?, uri).await?;
    match known {
        Some(account) => {
            refresh_stale(federation, &account).await?;
            Ok(account)
        }
        None if federation.is_ours(uri) => Err(Error::NotFound),
        None => fetch(federation, uri).await,
    }
}

/// The account that has exactly this name. An address that leads on to another account is nobody's name: what names it as
/// its author is not by that account.
pub(crate) async fn named(federation: &Federation, uri: &str) -> Result<Account> {
    let account = by_uri(federation, uri).await?;
    if account.uri == uri { Ok(account) } else { Err(Error::forbidden(format!("{uri} leads to another account"))) }
}

/// Fetches the account whatever is known of it.
pub async fn fetch(federation: &Federation, uri: &str) -> Result<Account> {
    let actor = document(federation, uri).await?;
    take(federation, &actor).await
}

async fn document(federation: &Federation, uri: &str) -> Result<Actor> {
    let url = Url::parse(uri).map_err(|_| Error::NotFound)?;
    let signer = federation.site_signer().await?;
    let fetched = federation.fetcher.document(&url, Some(&signer)).await.map_err(|e| failed(&url, e))?;
    match Document::read(&fetched.value) {
        Ok(Document::Actor(actor)) => {
            if let Some(host) = host(&actor.id).filter(|_| actor.knows_rfc9421) {
                federation.fetcher.suggest(&host, Form::Rfc9421);
            }
            with_keys(federation, *actor).await
        }
        Ok(Document::Tombstone { .. }) => Err(Error::Gone),
        _ => Err(Error::forbidden(format!("{uri} is no account"))),
    }
}

/// With the keys that the actor only names: each a document of its own, at exactly that address, that names the actor.
async fn with_keys(federation: &Federation, mut actor: Actor) -> Result<Actor> {
    let unknown = |link: &String| actor.keys.iter().all(|key| key.id != *link);
    let links: Vec<String> = actor.key_links.iter().filter(|link| unknown(link)).cloned().collect();
    for link in links {
        let url = Url::parse(&link).map_err(|_| Error::NotFound)?;
        let signer = federation.site_signer().await?;
        let fetched = match federation.fetcher.document(&url, Some(&signer)).await.map_err(|e| failed(&url, e)) {
            Err(Error::NotFound | Error::Forbidden(_) | Error::Gone) => continue,
            fetched => fetched?,
        };
        if let Ok(Document::Key(key)) = Document::read(&fetched.value)
            && key.id == link
            && key.owner == actor.id
        {
            actor.keys.push(key);
        }
    }
    Ok(actor)
}

/// Fetches the account that somebody else says they went to: chains of moves are not walked along.
pub(super) async fn destination(federation: &Federation, uri: &str) -> Result<Account> {
    let actor = document(federation, uri).await?;
    let handle = handle(federation, &actor).await?;
    keep(federation, Arrived { is_destination: true, ..arrived(&actor) }, handle).await
}

/// Keeps an actor as its own server shows it, or as it was sent with its own signature.
pub(crate) async fn take(federation: &Federation, actor: &Actor) -> Result<Account> {
    let handle = handle(federation, actor).await?;
    keep(federation, arrived(actor), handle).await
}

async fn handle(federation: &Federation, actor: &Actor) -> Result<Handle> {
    let conn = federation.db.read().await?;
    let known = remote::by_uri(&conn, &actor.id).await?;
    if known.is_none() && tombstones::is_gone(&conn, &actor.id).await? {
        return Err(Error::Gone);
    }
    drop(conn);
    match known {
        // The name was checked when it came, and is the same.
        Some(Account { username, domain: Some(domain), .. }) if username.eq_ignore_ascii_case(&actor.username) => {
            at_domain(federation, actor, Handle { username, domain }).await
        }
        _ => verified_handle(federation, actor).await,
    }
}

/// The handle by which an actor is known, unless it says that it is at another domain now, which agrees.
async fn at_domain(federation: &Federation, actor: &Actor, known: Handle) -> Result<Handle> {
    let said = actor.webfinger.as_deref().and_then(|handle| webfinger::plain(handle.rsplit_once('@')?.1));
    if said.is_none_or(|said| said == known.domain) {
        return Ok(known);
    }
    match verified_handle(federation, actor).await {
        // Nobody else has the name that it is known by: the rest of the profile counts as before.
        Err(Error::NotFound | Error::Forbidden(_) | Error::Gone | Error::Unreachable(_)) => Ok(known),
        said => said,
    }
}

/// What the account is called, confirmed by both: the account names a handle, its domain names the account.
async fn verified_handle(federation: &Federation, actor: &Actor) -> Result<Handle> {
    let own = host(&actor.id).ok_or(Error::NotFound)?;
    // The server itself, at its root: some servers' own actors have no name, and nobody else is there.
    if actor.kind == ActorKind::Application && actor.username.is_empty() && is_root(&actor.id) {
        return Ok(Handle { username: own.clone(), domain: own });
    }
    let claimed = actor.webfinger.as_deref().and_then(|handle| handle.rsplit_once('@'));
    let (username, domain) = claimed.unwrap_or((&actor.username, &own));
    let claimed = Handle { username: username.to_owned(), domain: domain.to_owned() };
    if claimed.username.is_empty() {
        return Err(Error::forbidden(format!("{} has no name", actor.id)));
    }
    let said = webfinger::finger(federation, &claimed).await?;
    let confirmed = if said.handle.is(&claimed) {
        said.href == actor.id
    } else {
        let again = webfinger::finger(federation, &said.handle).await?;
        again.handle.is(&said.handle) && again.href == actor.id
    };
    if confirmed { Ok(said.handle) } else { Err(Error::forbidden(format!("{} is not who it says", actor.id))) }
}

fn is_root(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
}

async fn keep(federation: &Federation, arrived: Arrived, handle: Handle) -> Result<Account> {
    if federation.site.is_ours(&handle.domain) || federation.is_ours(&arrived.uri) {
        return Err(Error::forbidden("It says that it is one of ours"));
    }
    let arrived = Arrived { username: handle.username, domain: handle.domain, ..arrived };
    let account = remote::receive(&federation.db, &arrived).await?;
    federation.known.forget(account.id);
    let shows = account.avatar.is_some() || account.header.is_some() || account.emojis_json != "[]";
    if shows && federation.is_mirroring() {
        domain::media::mirror_account_later(&federation.db, account.id).await?;
    }
    Ok(account)
}

fn arrived(actor: &Actor) -> Arrived {
    let described = |image: &Option<crate::documents::Image>| {
        image.as_ref().and_then(|i| i.description.clone()).unwrap_or_default()
    };
    Arrived {
        uri: actor.id.clone(),
        url: actor.url.clone(),
        display_name: actor.name.clone(),
        note: actor.summary.clone(),
        avatar: actor.icon.as_ref().map(|i| i.url.clone()),
        avatar_description: described(&actor.icon),
        header: actor.image.as_ref().map(|i| i.url.clone()),
        header_description: described(&actor.image),
        fields: actor.fields.iter().map(|f| (f.name.clone(), f.value.clone())).collect(),
        kind: Some(match actor.kind {
            ActorKind::Person | ActorKind::Organization => Kind::Person,
            ActorKind::Service | ActorKind::Application => Kind::Bot,
            ActorKind::Group => Kind::Group,
        }),
        locked: actor.locked,
        discoverable: actor.discoverable,
        indexable: actor.indexable.unwrap_or(false),
        memorial: actor.memorial,
        suspended: actor.suspended,
        created_at: actor.published,
        reach: Reach {
            kind: format!("{:?}", actor.kind),
            inbox: actor.inbox.clone(),
            shared_inbox: actor.shared_inbox.clone(),
            outbox: actor.outbox.clone(),
            followers: actor.followers.clone(),
            following: actor.following.clone(),
            featured: actor.featured.clone(),
            featured_tags: actor.featured_tags.clone(),
            hides_public: actor.hides_public,
            hides_unlisted: actor.hides_unlisted,
            also_known_as: actor.also_known_as.clone(),
            moved_to: actor.moved_to.clone().filter(|uri| *uri != actor.id),
        },
        emojis: actor.emojis.iter().map(crate::statuses::arrive::emoji).collect(),
        attribution_domains: actor.attribution_domains.clone(),
        keys: actor.keys.iter().map(kept).collect(),
        ..Arrived::default()
    }
}

/// Has an account that was looked at long ago looked at again, by a job.
async fn refresh_stale(federation: &Federation, account: &Account) -> Result<()> {
    if account.is_local() {
        return Ok(());
    }
    let actor = remote::store::actor(&federation.db.read().await?, account.id).await?;
    let stale = actor.is_none_or(|a| Time::now().since(a.fetched_at) > STALE);
    if stale { remote::refresh_later(&federation.db, account.id).await } else { Ok(()) }
}

/// Looks at an account again. One that its server says is gone goes here too.
pub async fn refresh(federation: &Federation, id: domain::ids::AccountId) -> Result<()> {
    let account = accounts::store::by_id(&federation.db.read().await?, id).await?;
    let Some(account) = account.filter(|a| !a.is_local()) else { return Ok(()) };
    let actor = match document(federation, &account.uri).await {
        Err(Error::Gone) => return remote::delete(&federation.db, id).await,
        Err(Error::NotFound | Error::Forbidden(_)) => return Ok(()),
        actor => actor?,
    };
    match take(federation, &actor).await {
        // Its name is another now and cannot be confirmed: that is not the end of the account.
        Err(Error::Gone | Error::NotFound | Error::Forbidden(_)) => Ok(()),
        Ok(account) => remote::fetch_pins_later(&federation.db, account.id).await,
        Err(error) => Err(error),
    }
}
