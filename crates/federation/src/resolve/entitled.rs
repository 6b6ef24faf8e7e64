//! What a server does not show to this site it may show to somebody here: posts for followers. It is asked once more in the
//! name of one who is entitled to it, and nobody but that server learns of it.

use super::failed;
use crate::Federation;
use crate::documents::same_origin;
use crate::fetch::{Error as FetchError, Fetched};
use crate::signatures::Signer;
use domain::Result;
use domain::accounts::{self, Account, remote as elsewhere};
use domain::db::Conn;
use domain::follows;
use domain::ids::AccountId;
use url::{Position, Url};

/// Accounts whose names an address may begin with, and others who may have written what is there.
const NAMES: usize = 6;
const AUTHORS: usize = 20;
/// Followers that are looked at until one can ask.
const FOLLOWERS: i64 = 5;

/// In whose name something may be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// Of this one, who looks for it, if the server knows them as a follower.
    Viewer(AccountId),
    /// Of a follower of one of these, who may be its author, or of the one whose name its address begins with.
    Followers(&'a [String]),
}

/// `url` once more, when the site was `refused`, in the name of somebody here.
pub(crate) async fn once_more(
    federation: &Federation,
    url: &Url,
    (refused, whose): (FetchError, Whose<'_>),
) -> Result<Fetched> {
    again(federation, url, (refused, whose)).await?.map_err(|refused| failed(url, refused))
}

/// The same; what the site was answered, if it is not shown to anybody here either.
pub(crate) async fn again(
    federation: &Federation,
    url: &Url,
    (refused, whose): (FetchError, Whose<'_>),
) -> Result<std::result::Result<Fetched, FetchError>> {
    if !matches!(refused, FetchError::Status { status: 401 | 403 | 404, .. }) || federation.is_ours(url.as_str()) {
        return Ok(Err(refused));
    }
    let Some(signer) = signer(federation, url, whose).await? else { return Ok(Err(refused)) };
    Ok(federation.fetcher.document_there(url, &signer).await.map_err(|error| {
        tracing::debug!(%url, %error, "not shown to somebody here either");
        refused
    }))
}

async fn signer(federation: &Federation, url: &Url, whose: Whose<'_>) -> Result<Option<Signer>> {
    let conn = federation.db.read().await?;
    let who = match whose {
        Whose::Viewer(viewer) => {
            let known = follows::remote::follows_at(&conn, viewer, &url[..Position::BeforePath]).await?;
            if known { present(&conn, viewer).await? } else { None }
        }
        Whose::Followers(authors) => follower(&conn, candidates(url, authors)).await?,
    };
    drop(conn);
    match who {
        Some(who) => federation.signer(who.id, &who.uri).await.map(Some),
        None => Ok(None),
    }
}

/// Somebody here who follows one of these.
async fn follower(conn: &Conn, authors: Vec<String>) -> Result<Option<Account>> {
    for author in elsewhere::store::by_uris(conn, authors).await?.iter().filter(|author| !author.is_local()) {
        for (id, _) in follows::remote::followers_here(conn, author.id, FOLLOWERS).await? {
            if let Some(who) = present(conn, id).await? {
                return Ok(Some(who));
            }
        }
    }
    Ok(None)
}

async fn present(conn: &Conn, id: AccountId) -> Result<Option<Account>> {
    let account = accounts::store::by_id(conn, id).await?;
    Ok(account.filter(|account| account.is_local() && account.suspended_at.is_none()))
}

/// The names of those who may have written what is at `url`: most put their posts below themselves.
fn candidates(url: &Url, authors: &[String]) -> Vec<String> {
    let at_home = authors.iter().filter(|author| same_origin(author, url.as_str())).take(AUTHORS).cloned();
    let path = url.path();
    let above = path.match_indices('/').map(|(at, _)| &path[..at]).filter(|above| !above.is_empty());
    above.take(NAMES).map(|above| format!("{}{above}", &url[..Position::BeforePath])).chain(at_home).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_have_written_it() {
        let of = |url: &str, authors: &[&str]| {
            candidates(&Url::parse(url).unwrap(), &authors.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
        };
        let names = ["https://a.example/users", "https://a.example/users/ann", "https://a.example/users/ann/statuses"];
        assert_eq!(of("https://a.example/users/ann/statuses/1?x=/y", &[]), names);
        let authors = ["https://a.example/ann", "https://b.example/vic", "http://a.example/ann"];
        assert_eq!(of("https://a.example/1", &authors), ["https://a.example/ann"]);
        assert_eq!(of(&format!("https://a.example{}", "/x".repeat(100)), &[]).len(), NAMES);
    }
}
