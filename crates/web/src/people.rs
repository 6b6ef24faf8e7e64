//! Somebody's profile, with what they posted for everybody, and what was posted under a hashtag.

use crate::{
    Web, elsewhere,
    error::{PageResult, WebError},
    forms::{Asked, Place},
    page::Page,
    posts::{self, Posts},
    visit::Visit,
    words::{Counted, Word},
};
use axum::{
    Router,
    response::{IntoResponse, Redirect},
    routing::get,
};
use domain::{
    Error,
    accounts::{self, Account},
    page, text,
    timelines::{self, Profile, Tagged},
    tombstones,
};
use maud::{Markup, html};
use serde::Deserialize;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/@{username}", get(show))
        .route("/users/{username}", get(actor))
        .route("/tags/{name}", get(tag))
}

/// Posts on one page.
const PAGE: i64 = 20;
/// Characters of a text that link previews show.
pub(crate) const PREVIEW: usize = 300;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Range {
    max_id: String,
}

impl Range {
    /// None: the newest.
    fn before(&self) -> Option<i64> {
        self.max_id.parse().ok().filter(|id| *id > 0)
    }

    fn page(&self) -> page::Page {
        page::Page { before: self.before().unwrap_or(i64::MAX), ..page::Page::newest(PAGE) }
    }
}

/// The local account of this name; 403 while it is suspended, which may end, and 410 for who was deleted. Other servers
/// are told the same.
pub(crate) async fn local(visit: &Visit, conn: &domain::db::Conn, username: &str) -> Result<Account, WebError> {
    let found = match accounts::lookup(conn, &visit.web.site, username).await {
        Err(Error::NotFound) => None,
        found => Some(found?),
    };
    let is_suspended = match found {
        Some(account) if !account.is_local() => return Err(WebError::not_found()),
        Some(account) if account.suspended_at.is_none() => return Ok(account),
        found => found.is_some(),
    };
    // Who is being deleted is suspended until nothing of them is left.
    match (tombstones::is_former_name(conn, username).await?, is_suspended) {
        (true, _) => Err(WebError::gone()),
        (false, true) => Err(WebError::suspended()),
        (false, false) => Err(WebError::not_found()),
    }
}

/// `GET /users/{username}`: the account's name among servers; people go to the profile.
async fn actor(visit: Visit, Place(username): Place<String>) -> PageResult {
    let account = local(&visit, &visit.web.db.read().await?, &username).await?;
    Ok(Redirect::to(&account.url).into_response())
}

/// `GET /@{username}`: of somebody elsewhere (`/@user@domain`) the way to where they are.
async fn show(visit: Visit, Place(username): Place<String>, Asked(range): Asked<Range>) -> PageResult {
    let conn = visit.web.db.read().await?;
    if let Some(account) = elsewhere::account(&visit, &conn, &username).await? {
        return elsewhere::to_account(&visit, &account);
    }
    let account = local(&visit, &conn, &username).await?;
    let what = Profile { exclude_replies: true, ..Profile::default() };
    let shown = timelines::account(&conn, None, (account.id, &what), range.page()).await?;
    let posts = Posts::load(&visit.web, &conn, shown).await?;
    let moved_to = match account.moved_to_id {
        None => None,
        Some(id) => accounts::store::by_id(&conn, id).await?,
    };
    drop(conn);
    let site = &visit.web.site;
    let name = if account.display_name.is_empty() { &account.username } else { &account.display_name };
    let title = format!("{name} (@{})", site.handle(&account.username));
    let head = html! {
        (preview(&visit, "profile", &title, &account.url))
        meta name="description" property="og:description" content=(cut(&text::plain(&account.note_html)));
        meta property="og:image" content=(posts::avatar(site, &account));
        meta property="profile:username" content=(account.username);
        meta name="twitter:card" content="summary";
        @if !account.indexable || account.silenced_at.is_some() { meta name="robots" content="noindex"; }
    };
    let body = html! {
        @if let Some(to) = &moved_to {
            p class="notice" { (Word::MovedTo.text(visit.lang)) " " a href=(to.url) rel="nofollow" { "@" (to.acct()) } }
        }
        (profile(&visit, &account, &posts))
        h2 class="page" { (Word::Posts.text(visit.lang)) }
        (list(&visit, &posts, &range, &format!("/@{}", account.username)))
    };
    Ok(visit.page(&Page { title, body, head, document: Some(account.uri), ..Page::default() }))
}

/// What link previews read on every kind of page.
pub(crate) fn preview(visit: &Visit, kind: &str, title: &str, url: &str) -> Markup {
    html! {
        link rel="canonical" href=(url);
        meta property="og:site_name" content=(visit.settings.title);
        meta property="og:type" content=(kind);
        meta property="og:title" content=(title);
        meta property="og:url" content=(url);
    }
}

pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(PREVIEW) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}

fn profile(visit: &Visit, account: &Account, posts: &Posts) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let site = &visit.web.site;
    let hidden = account.hide_collections == Some(true);
    html! {
        section class="card profile" {
            @if let Some(key) = &account.header {
                img class="banner" src=(site.media(&posts::header(account, key))) alt=(account.header_description);
            }
            img class="avatar large" src=(posts::avatar(site, account)) alt=(account.avatar_description) width="88" height="88";
            h1 { (posts.name(site, account)) }
            p class="handle" { "@" (site.handle(&account.username)) }
            div class="prose" { (posts.emojify(site, account.domain.as_deref(), &account.note_html)) }
            @if !account.fields().is_empty() {
                dl class="facts" {
                    @for field in account.fields() {
                        div {
                            dt { (field.name) }
                            dd { (posts.emojify(site, account.domain.as_deref(), &field.value_html)) }
                        }
                    }
                }
            }
            p class="counts" {
                span { strong { (account.statuses_count) } " " (Counted::Posts.text(visit.lang, account.statuses_count)) }
                @if !hidden {
                    span { strong { (account.following_count) } " " (say(Word::Following)) }
                    span { strong { (account.followers_count) } " " (Counted::Followers.text(visit.lang, account.followers_count)) }
                }
                span { (say(Word::Joined)) " " time datetime=(account.created_at.date()) { (visit.lang.date(account.created_at)) } }
            }
        }
    }
}

/// Posts, and the way to older ones.
fn list(visit: &Visit, posts: &Posts, range: &Range, path: &str) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let full = i64::try_from(posts.statuses().len()).unwrap_or(0) == PAGE;
    let older = posts.statuses().last().filter(|_| full).map(|last| format!("{path}?max_id={}", last.id));
    html! {
        section class="card posts" {
            @if posts.statuses().is_empty() { p class="fine" { (say(Word::NoPosts)) } }
            @for status in posts.statuses() { (posts.show(visit, status)) }
        }
        nav class="pages" aria-label=(say(Word::Posts)) {
            @if range.before().is_some() { a class="button quiet" href=(visit.path(path)) { (say(Word::Newest)) } }
            @if let Some(older) = older { a class="button quiet" rel="next" href=(visit.path(&older)) { (say(Word::Older)) } }
        }
    }
}

/// `GET /tags/{name}`
async fn tag(visit: Visit, Place(name): Place<String>, Asked(range): Asked<Range>) -> PageResult {
    let key = text::tag_key(&name);
    if key.is_empty() || key.chars().count() > 200 || key.contains('\0') {
        return Err(WebError::not_found());
    }
    let conn = visit.web.db.read().await?;
    let what = Tagged { any: vec![key.clone()], ..Tagged::default() };
    let shown = timelines::tagged(&conn, None, &what, range.page()).await?;
    let posts = Posts::load(&visit.web, &conn, shown).await?;
    drop(conn);
    let title = format!("#{name}");
    let url = visit.web.site.tag_url(&key);
    let path = url.strip_prefix(visit.web.site.base_url.as_str()).unwrap_or("/").to_owned();
    let body = html! {
        h1 class="page" { (title) }
        (list(&visit, &posts, &range, &path))
    };
    Ok(visit.page(&Page { head: preview(&visit, "website", &title, &url), title, body, ..Page::default() }))
}
