//! Where other servers send people who want to follow somebody, or to answer something, with their account here:
//! WebFinger names this page.

use crate::{
    Web,
    error::{PageResult, WebError},
    forms::{Asked, Notice, Sent, hidden, notice},
    page::Page,
    people::cut,
    posts::handle,
    visit::Visit,
    words::Word,
};
use axum::{
    Router,
    extract::OriginalUri,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::get,
};
use domain::{
    Error, Result,
    accounts::{self, Account},
    follows::{self, Wish},
    ids::AccountId,
    relationships::{self, Relationship},
    sessions::Visitor,
    statuses::{Status, visibility},
    text,
};
use federation::resolve::{self, Found};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;
use url::form_urlencoded;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/authorize_interaction", get(show).post(follow))
}

/// Bytes of an address.
const LONGEST: usize = 2048;
/// How long people are let wait for other servers.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    uri: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Decision {
    form_token: String,
    account: String,
}

/// What the visitor may look at.
enum Thing {
    Account(Box<(Account, Relationship)>),
    Post(Box<(Status, Account)>),
}

/// `GET /authorize_interaction?uri=`: an address or a handle, of anything anywhere.
async fn show(visit: Visit, OriginalUri(here): OriginalUri, Asked(wanted): Asked<Wanted>) -> PageResult {
    let visitor = visit.signed_in(here.path_and_query().map_or("/", |path| path.as_str()))?;
    let thing = match timeout(PATIENCE, find(&visit, visitor, wanted.uri.trim())).await {
        Ok(Ok(thing)) => thing,
        Ok(Err(error @ Error::Internal(_))) => return Err(error.into()),
        Ok(Err(_)) | Err(_) => return Ok(visit.page_with(StatusCode::NOT_FOUND, &nothing(&visit, &wanted.uri))),
    };
    Ok(match thing {
        Thing::Account(it) if it.0.is_local() => Redirect::to(&it.0.url).into_response(),
        Thing::Post(it) if it.0.local => Redirect::to(it.0.url.as_deref().unwrap_or("/")).into_response(),
        Thing::Account(it) => visit.page(&of_account(&visit, visitor, (&it.0, &it.1))),
        Thing::Post(it) => visit.page(&of_post(&visit, visitor, (&it.0, &it.1))),
    })
}

async fn find(visit: &Visit, visitor: &Visitor, wanted: &str) -> Result<Thing> {
    if wanted.is_empty() || wanted.len() > LONGEST || wanted.contains('\0') {
        return Err(Error::NotFound);
    }
    let federation = &visit.web.federation;
    let found = if wanted.starts_with("https://") || wanted.starts_with("http://") {
        resolve::by_address(federation, wanted, Some(visitor.account.id)).await?
    } else {
        let name = wanted.strip_prefix("acct:").unwrap_or(wanted);
        Found::Account(resolve::account::by_handle(federation, name).await?)
    };
    let conn = visit.web.db.read().await?;
    let me = visitor.account.id;
    match found {
        Found::Account(account) => {
            let account = accounts::visible(&conn, account.id).await?;
            if account.suspended_at.is_some() {
                return Err(Error::NotFound);
            }
            let relation = relationships::with(&conn, me, account.id).await?;
            Ok(Thing::Account(Box::new((account, relation))))
        }
        Found::Status(status) => {
            let status = visibility::visible(&conn, Some(me), status.id).await?;
            let author = accounts::store::by_id(&conn, status.account_id).await?.ok_or(Error::NotFound)?;
            Ok(Thing::Post(Box::new((status, author))))
        }
    }
}

/// `POST /authorize_interaction`: follows the account that the page showed.
async fn follow(visit: Visit, Sent(form): Sent<Decision>) -> PageResult {
    let visitor = visit.visitor.as_ref().ok_or_else(|| WebError::refused(Word::FormStale))?;
    visit.check_form(&form.form_token)?;
    // Who moved does nothing here any more, as clients are told too.
    if visitor.account.moved_to_id.is_some() {
        return Err(WebError::refused(Word::SignInMoved));
    }
    let id: AccountId = form.account.parse().map_err(|_| WebError::not_found())?;
    let account = accounts::visible(&visit.web.db.read().await?, id).await?;
    follows::follow(&visit.web.db, visitor.account.id, id, &Wish::default()).await?;
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("uri", &account.uri).finish();
    Ok(Redirect::to(&visit.path(&format!("/authorize_interaction?{query}"))).into_response())
}

pub(crate) fn named(account: &Account) -> &str {
    if account.display_name.is_empty() { &account.username } else { &account.display_name }
}

fn of_account(visit: &Visit, visitor: &Visitor, (account, relation): (&Account, &Relationship)) -> Page {
    let say = |word: Word| word.text(visit.lang);
    let bio = cut(&text::plain(&account.note_html));
    let body = html! {
        section class="card" {
            h1 { (named(account)) }
            p class="handle" { "@" (handle(&visit.web.site, account)) }
            @if !bio.is_empty() { p class="lead" { (bio) } }
            @if relation.following { (notice(Notice::Done, say(Word::FollowsAlready))) }
            @else if relation.requested { (notice(Notice::Done, say(Word::FollowAsked))) }
            (me(visit, visitor))
            @if relation.following || relation.requested {
                p class="actions" { (open(visit, &account.url)) }
            } @else {
                form method="post" action=(visit.path("/authorize_interaction")) {
                    (visit.token_field())
                    (hidden("account", &account.id.to_string()))
                    p class="actions" {
                        button type="submit" { (say(Word::Follow)) }
                        (open(visit, &account.url))
                    }
                }
            }
        }
    };
    let title = format!("{} (@{})", named(account), handle(&visit.web.site, account));
    Page { title, body, narrow: true, form: true, secret: true, ..Page::default() }
}

fn of_post(visit: &Visit, visitor: &Visitor, (status, author): (&Status, &Account)) -> Page {
    let say = |word: Word| word.text(visit.lang);
    let address = status.url.as_deref().unwrap_or(&status.uri);
    let content = html! { div class="prose" lang=[status.language.as_deref()] { (PreEscaped(&status.content)) } };
    let body = html! {
        section class="card" {
            h1 { (say(Word::InteractPost)) }
            p {
                strong { (named(author)) } " "
                span class="handle" { "@" (handle(&visit.web.site, author)) }
            }
            @if status.spoiler_text.is_empty() { (content) }
            @else { details { summary { (status.spoiler_text) } (content) } }
            p class="fine" { time datetime=(status.created_at.iso()) { (visit.lang.time(status.created_at)) } }
            (me(visit, visitor))
            p { (say(Word::InteractApp)) }
            p { code class="copy" tabindex="0" { (address) } }
            p class="actions" { (open(visit, address)) }
        }
    };
    Page { title: say(Word::InteractPost).to_owned(), body, narrow: true, secret: true, ..Page::default() }
}

fn me(visit: &Visit, visitor: &Visitor) -> Markup {
    html! {
        p class="fine" { (Word::InteractAs.text(visit.lang)) " @" (visit.web.site.handle(&visitor.account.username)) }
    }
}

/// A way to where it is from, if that is on the web.
fn open(visit: &Visit, url: &str) -> Markup {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    html! {
        @if is_web {
            a class="button quiet" href=(url) rel="noreferrer noopener" { (Word::InteractOpen.text(visit.lang)) }
        }
    }
}

fn nothing(visit: &Visit, wanted: &str) -> Page {
    let title = Word::InteractNone.text(visit.lang);
    let body = html! {
        section class="card message" {
            h1 { (title) }
            p { (Word::InteractNoneText.text(visit.lang)) }
            @if !wanted.trim().is_empty() { p { code { (cut(wanted)) } } }
            p class="actions" { a class="button quiet" href=(visit.path("/")) { (Word::GoHome.text(visit.lang)) } }
        }
    };
    Page { title: title.to_owned(), body, narrow: true, secret: true, ..Page::default() }
}
