//! One post, in its conversation.

use crate::{
    Web, elsewhere,
    error::{PageResult, WebError},
    forms::Place,
    page::Page,
    people::{cut, local, preview},
    posts::{self, Posts},
    visit::Visit,
    words::Word,
};
use axum::{
    Router,
    response::{IntoResponse, Redirect},
    routing::get,
};
use domain::{
    accounts::Account,
    db::Conn,
    ids::StatusId,
    statuses::{
        Status,
        context::context,
        visibility::{self, Shown},
    },
    text,
};
use maud::{Markup, html};
use std::collections::HashMap;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/@{username}/{id}", get(show)).route("/users/{username}/statuses/{id}", get(object))
}

/// The post, if everybody may see it and it is by this account.
async fn public(visit: &Visit, conn: &Conn, (username, id): (&str, &str)) -> Result<(Status, Account), WebError> {
    let id: StatusId = id.parse().map_err(|_| WebError::not_found())?;
    let account = local(visit, conn, username).await?;
    let status = visibility::visible(conn, None, id).await?;
    if status.account_id != account.id {
        return Err(WebError::not_found());
    }
    Ok((status, account))
}

/// `GET /users/{username}/statuses/{id}`: the post's name among servers; people go to its page.
async fn object(visit: Visit, Place((username, id)): Place<(String, String)>) -> PageResult {
    let conn = visit.web.db.read().await?;
    let (status, _) = public(&visit, &conn, (&username, &id)).await?;
    Ok(Redirect::to(status.url.as_deref().unwrap_or("/")).into_response())
}

/// `GET /@{username}/{id}`: of somebody elsewhere (`/@user@domain/{id}`) the way to where it is.
async fn show(visit: Visit, Place((username, id)): Place<(String, String)>) -> PageResult {
    let conn = visit.web.db.read().await?;
    if let Some(author) = elsewhere::account(&visit, &conn, &username).await? {
        let id: StatusId = id.parse().map_err(|_| WebError::not_found())?;
        return elsewhere::to_post(&visit, &conn, (&author, id)).await;
    }
    let (status, account) = public(&visit, &conn, (&username, &id)).await?;
    if let Some(original) = status.reblog_of_id {
        let original = visibility::visible(&conn, None, original).await?;
        return Ok(Redirect::to(original.url.as_deref().unwrap_or("/")).into_response());
    }
    let around = context(&conn, None, &status).await?;
    let before = around.ancestors.len();
    let statuses = [around.ancestors, vec![status.clone()], around.descendants].concat();
    let posts = Posts::load(&visit.web, &conn, Shown { statuses, reblogged: HashMap::new() }).await?;
    drop(conn);
    let name = if account.display_name.is_empty() { &account.username } else { &account.display_name };
    let title = format!("{name} (@{})", visit.web.site.handle(&account.username));
    let body = html! {
        h1 class="page" { (Word::Conversation.text(visit.lang)) }
        section class="card posts" {
            @for (n, one) in posts.statuses().iter().enumerate() {
                div class=[(n == before).then_some("chosen")] aria-current=[(n == before).then_some("true")] { (posts.show(&visit, one)) }
            }
        }
        @if let Some(url) = &status.url {
            p class="fine follow" { (Word::FollowHint.text(visit.lang)) br; code { (url) } }
        }
    };
    let head = previewed(&visit, (&status, &account), &title, &posts);
    Ok(visit.page(&Page { title, body, head, document: Some(status.uri), ..Page::default() }))
}

/// What link previews show of a post: the warning alone when there is one.
fn previewed(visit: &Visit, (status, account): (&Status, &Account), title: &str, posts: &Posts) -> Markup {
    let site = &visit.web.site;
    let warned = !status.spoiler_text.is_empty();
    let words = if warned { status.spoiler_text.clone() } else { text::plain(&status.content) };
    let picture = posts.picture(status.id).filter(|_| !warned && !status.sensitive);
    let key = picture.and_then(|row| row.small.as_deref().or(row.original.as_deref()));
    html! {
        (preview(visit, "article", title, status.url.as_deref().unwrap_or_default()))
        meta name="description" property="og:description" content=(cut(&words));
        meta property="og:published_time" content=(status.created_at.iso());
        @match key {
            Some(key) => {
                meta property="og:image" content=(site.media(key));
                meta name="twitter:card" content="summary_large_image";
            }
            None => {
                meta property="og:image" content=(posts::avatar(site, account));
                meta name="twitter:card" content="summary";
            }
        }
        @if !account.indexable || account.silenced_at.is_some() { meta name="robots" content="noindex"; }
    }
}
