//! Accounts and posts of other servers: nothing of them is shown here to strangers, but the way to where they are is. Who is
//! signed in gets the page on which they can follow.

use crate::{
    error::{PageResult, WebError},
    interact::named,
    page::Page,
    posts::handle,
    visit::Visit,
    words::Word,
};
use axum::response::{IntoResponse, Redirect};
use domain::{
    Error, Result,
    accounts::{self, Account},
    db::Conn,
    ids::StatusId,
    statuses::visibility,
};
use maud::html;
use url::{Url, form_urlencoded};

/// Who of another server is meant by `username`; None for a name without a domain, and for our own. What is not known, or
/// not to be seen, is not there.
pub(crate) async fn account(visit: &Visit, conn: &Conn, username: &str) -> Result<Option<Account>, WebError> {
    if !username.contains('@') {
        return Ok(None);
    }
    let account = accounts::lookup(conn, &visit.web.site, username).await?;
    if account.is_local() {
        return Ok(None);
    }
    is_shown(visit, conn, &account).await.map(|()| Some(account))
}

async fn is_shown(visit: &Visit, conn: &Conn, account: &Account) -> Result<(), WebError> {
    let policy = &visit.web.federation.policy;
    let rules = policy.rules_on(conn).await?;
    let is_blocked = account.domain.as_deref().is_some_and(|domain| rules.suspends(domain));
    let is_hidden = is_blocked || account.suspended_at.is_some() || !policy.admits_account(&rules, account);
    if is_hidden { Err(WebError::not_found()) } else { Ok(()) }
}

/// Where something of another server is to be looked at.
struct Way<'a> {
    lead: Word,
    title: String,
    /// What it is called among servers.
    uri: &'a str,
    /// Its page.
    url: &'a str,
}

pub(crate) fn to_account(visit: &Visit, account: &Account) -> PageResult {
    let title = format!("{} (@{})", named(account), handle(&visit.web.site, account));
    answer(visit, account, &Way { lead: Word::ElsewhereLead, title, uri: &account.uri, url: &account.url })
}

/// The post, if it is by `author` and everybody may see it. What one boosts is somewhere else.
pub(crate) async fn to_post(visit: &Visit, conn: &Conn, (author, id): (&Account, StatusId)) -> PageResult {
    let status = visibility::visible(conn, None, id).await?;
    if status.account_id != author.id {
        return Err(WebError::not_found());
    }
    if let Some(original) = status.reblog_of_id {
        let original = visibility::visible(conn, None, original).await?;
        let by = accounts::store::by_id(conn, original.account_id).await?.ok_or(Error::NotFound)?;
        let path = if by.is_local() { format!("/@{}", by.username) } else { format!("/@{}", by.acct()) };
        return Ok(Redirect::to(&visit.path(&format!("{path}/{}", original.id))).into_response());
    }
    let url = status.url.as_deref().unwrap_or(&status.uri);
    let title = format!("{} (@{})", named(author), handle(&visit.web.site, author));
    answer(visit, author, &Way { lead: Word::ElsewhereLeadPost, title, uri: &status.uri, url })
}

/// No redirect: whoever is led away is told so first, and where to.
fn answer(visit: &Visit, account: &Account, way: &Way<'_>) -> PageResult {
    if visit.visitor.is_some() {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("uri", way.uri).finish();
        return Ok(Redirect::to(&visit.path(&format!("/authorize_interaction?{query}"))).into_response());
    }
    let url = Url::parse(way.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(WebError::not_found)?;
    let say = |word: Word| word.text(visit.lang);
    let body = html! {
        section class="card" {
            h1 { (named(account)) }
            p class="handle" { "@" (handle(&visit.web.site, account)) }
            p { (say(way.lead)) " " strong { (url.host_str().unwrap_or_default()) } }
            p { code { (url) } }
            p class="fine" { (say(Word::ElsewhereHint)) }
            p class="actions" {
                a class="button" href=(url) rel="nofollow noreferrer noopener" { (say(Word::InteractOpen)) }
                a class="button quiet" href=(visit.path("/")) { (say(Word::GoHome)) }
            }
        }
    };
    let head = html! { meta name="robots" content="noindex, nofollow"; };
    Ok(visit.page(&Page { title: way.title.clone(), body, head, narrow: true, ..Page::default() }))
}
