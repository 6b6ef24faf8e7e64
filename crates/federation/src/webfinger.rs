//! From a handle or an address to the actor: <https://www.rfc-editor.org/rfc/rfc7033>.

use crate::actors::{RELAY, hollow, media_type, serve};
use crate::{Federation, Refusal};
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::accounts::Account;
use domain::site::Site;
use serde::Deserialize;
use serde_json::{Value, json};

/// Handles have 30 characters and names 253; addresses are not much longer.
const RESOURCE_BYTES: usize = 1024;
/// As long as Mastodon says; errors are not kept.
const CACHE: &str = "max-age=259200, public";

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/.well-known/webfinger", get(webfinger))
}

#[derive(Deserialize)]
struct Asked {
    resource: String,
}

/// `GET /.well-known/webfinger?resource=acct:…` <https://docs.joinmastodon.org/spec/webfinger/>
async fn webfinger(
    State(federation): State<Federation>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { resource }) = asked.map_err(|_| Refusal::Bad("resource is missing"))?;
    let name = username(&federation.site, &resource)?;
    let conn = federation.db.read().await?;
    if name.eq_ignore_ascii_case(&federation.site.domain) {
        return Ok(answer(&of_site(&federation, name, federation.site_uri())));
    }
    let account = match serve::known(&conn, name).await {
        Err(Refusal::Unknown | Refusal::Gone) if name.eq_ignore_ascii_case(RELAY) => {
            return Ok(answer(&of_site(&federation, RELAY, federation.relay_uri())));
        }
        account => hollow(account?),
    };
    Ok(answer(&document(&federation.site, &account)))
}

fn answer(document: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/jrd+json; charset=utf-8"), (header::CACHE_CONTROL, CACHE)];
    (headers, document.to_string()).into_response()
}

/// The site's own actor, whose name is the domain, or the one that it is among relays.
fn of_site(federation: &Federation, name: &str, uri: String) -> Value {
    json!({
        "subject": format!("acct:{}", federation.site.handle(name)),
        "aliases": [uri],
        "links": [{ "rel": "self", "type": "application/activity+json", "href": uri }],
    })
}

fn document(site: &Site, account: &Account) -> Value {
    let interact = |parameter: &str| format!("{}/authorize_interaction?uri={{{parameter}}}", site.base_url);
    // The actor stands first: some take the first link with rel self whatever its type.
    let mut links = vec![
        json!({ "rel": "self", "type": "application/activity+json", "href": account.uri }),
        json!({ "rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": account.url }),
        json!({ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": interact("uri") }),
    ];
    // Where somebody at home here is sent who wants to do something elsewhere:
    // <https://codeberg.org/fediverse/fep/src/branch/main/fep/3b86/fep-3b86.md>
    let intents = ["Object", "Follow"];
    let intent =
        |name: &str| json!({ "rel": format!("https://w3id.org/fep/3b86/{name}"), "template": interact("object") });
    links.extend(intents.map(intent));
    if let Some(avatar) = &account.avatar {
        let mut link = json!({ "rel": "http://webfinger.net/rel/avatar", "href": site.media(avatar) });
        if let (Some(kind), Some(link)) = (media_type(avatar), link.as_object_mut()) {
            link.insert("type".to_owned(), kind.into());
        }
        links.push(link);
    }
    json!({
        "subject": format!("acct:{}", site.handle(&account.username)),
        "aliases": [account.url, account.uri],
        "links": links,
    })
}

/// The local user's name in `acct:name@domain` (with or without `acct:`), a profile's address or an actor's.
/// Whose domain is not ours is unknown; what is neither of these is a bad question.
fn username<'a>(site: &'a Site, resource: &'a str) -> Result<&'a str, Refusal> {
    if resource.len() > RESOURCE_BYTES {
        return Err(Refusal::Bad("resource is too long"));
    }
    let name = if resource.starts_with("https://") || resource.starts_with("http://") {
        let path = resource.strip_prefix(site.base_url.as_str()).ok_or(Refusal::Unknown)?;
        if matches!(path, "" | "/" | "/actor") {
            return Ok(&site.domain);
        }
        if path == "/relay" {
            return Ok(RELAY);
        }
        path.strip_prefix("/@").or_else(|| path.strip_prefix("/users/")).ok_or(Refusal::Unknown)?
    } else {
        let handle = resource.strip_prefix("acct:").unwrap_or(resource);
        let handle = handle.strip_prefix('@').unwrap_or(handle);
        let (name, domain) = handle.rsplit_once('@').ok_or(Refusal::Bad("resource is not a handle or an address"))?;
        if !site.is_ours(domain) {
            return Err(Refusal::Unknown);
        }
        name
    };
    if name.eq_ignore_ascii_case(&site.domain) {
        return Ok(name);
    }
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if plain { Ok(name) } else { Err(Refusal::Unknown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            domain: "noren.example".into(),
            alternate_domains: vec!["old.example".into()],
            base_url: "https://social.noren.example".into(),
            media_url: String::new(),
            limits: Default::default(),
        }
    }

    #[test]
    fn handles_and_addresses_of_local_people() {
        for resource in [
            "acct:mia@noren.example",
            "acct:mia@NOREN.example",
            "acct:mia@social.noren.example",
            "acct:mia@Old.example",
            "acct:@mia@noren.example",
            "mia@noren.example",
            "@mia@noren.example",
            "https://social.noren.example/@mia",
            "https://social.noren.example/users/mia",
        ] {
            assert_eq!(username(&site(), resource).unwrap(), "mia", "{resource}");
        }
    }

    #[test]
    fn the_site_itself_has_a_name() {
        for resource in
            ["acct:noren.example@noren.example", "https://social.noren.example/", "https://social.noren.example/actor"]
        {
            assert_eq!(username(&site(), resource).unwrap(), "noren.example", "{resource}");
        }
    }

    #[test]
    fn others_are_unknown_and_nonsense_is_bad() {
        for resource in [
            "acct:mia@other.example",
            "acct:mi/a@noren.example",
            "https://other.example/@mia",
            "https://social.noren.example/@mia/1",
            "https://social.noren.example.evil.example/@mia",
        ] {
            assert!(matches!(username(&site(), resource), Err(Refusal::Unknown)), "{resource}");
        }
        for resource in ["", "mia", "acct:mia", "acct:@noren.example", &"a".repeat(2000)] {
            assert!(matches!(username(&site(), resource), Err(Refusal::Bad(_))), "{resource}");
        }
    }
}
