//! The front page: whose site this is, and how to go on.

use crate::{Web, error::PageResult, lang::Lang, page::Page, posts::Posts, sign_up, visit::Visit, words::Word};
use axum::{
    Router,
    response::{IntoResponse, Redirect},
    routing::get,
};
use domain::{
    Result,
    accounts::{self, Account},
    db::Conn,
    page,
    settings::InstanceSettings,
    timelines::{self, Origin, Public},
    users::{self, setup},
};
use maud::{Markup, html};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/", get(show))
}

/// Public posts of this site that the front page shows.
const LATEST: i64 = 10;

/// Whom to turn to.
pub(crate) async fn contact(conn: &Conn, settings: &InstanceSettings) -> Result<Option<Account>> {
    match &settings.contact_username {
        Some(name) => accounts::store::by_handle(conn, name, None).await,
        None => Ok(users::list(conn, None, 1).await?.into_iter().map(|(_, account)| account).next()),
    }
}

/// `GET /`
async fn show(visit: Visit) -> PageResult {
    let conn = visit.web.db.read().await?;
    if visit.settings.single_user
        && visit.visitor.is_none()
        && let Some((_, account)) = users::owner(&conn).await?
    {
        return Ok(Redirect::to(&visit.path(&format!("/@{}", account.username))).into_response());
    }
    let empty = setup::is_due(&conn).await?;
    let contact = contact(&conn, &visit.settings).await?;
    let here = Public { origin: Origin::Local, only_media: false };
    let shown = timelines::public(&conn, None, &here, page::Page::newest(LATEST)).await?;
    let posts = Posts::load(&visit.web, &conn, shown).await?;
    drop(conn);
    let lang = visit.lang;
    let body = html! {
        section class="card front" {
            h1 { (visit.settings.title) }
            p class="lead" {
                @if visit.settings.description.is_empty() { (Word::FrontEmpty.text(lang)) }
                @else { (visit.settings.description) }
            }
            @if empty { p { (Word::NotSetUp.text(lang)) } }
            @else {
                (if visit.visitor.is_some() { welcome(&visit) } else { invitation(&visit) })
                @if let Some(account) = &contact { (run_by(lang, account)) }
            }
        }
        @if !posts.statuses().is_empty() {
            h2 class="page" { (Word::LatestPosts.text(lang)) }
            section class="card posts" { @for status in posts.statuses() { (posts.show(&visit, status)) } }
        }
    };
    let head = html! {
        meta property="og:site_name" content=(visit.settings.title);
        meta property="og:title" content=(visit.settings.title);
        meta property="og:type" content="website";
        meta property="og:url" content=(visit.web.site.base_url);
        meta name="description" property="og:description" content=(visit.settings.description);
    };
    Ok(visit.page(&Page { title: visit.settings.title.clone(), body, head, ..Page::default() }))
}

fn welcome(visit: &Visit) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        @if let Some(visitor) = &visit.visitor {
            p { (say(Word::SignedInAlready)) " " strong class="handle" { "@" (visit.web.site.handle(&visitor.account.username)) } }
            p { (say(Word::FrontApps)) }
            p { code class="copy" tabindex="0" { (visit.web.site.domain) } }
            p class="actions" {
                a class="button" href=(visit.path(&format!("/@{}", visitor.account.username))) { (say(Word::MyProfile)) }
                a class="button quiet" href=(visit.path("/settings")) { (say(Word::Settings)) }
            }
        }
    }
}

fn invitation(visit: &Visit) -> Markup {
    let here = visit.path("/auth/sign_in");
    let (before, link, after) = match visit.lang {
        Lang::En => ("If you have an account here, use it with any app for Mastodon, or ", "sign in on this page", "."),
        Lang::Ja => {
            ("アカウントをお持ちの方は、Mastodon対応のアプリを使うか、", "このページからログイン", "してください。")
        }
    };
    html! {
        p { (before) a href=(here) { (link) } (after) }
        (sign_up::link(visit, ""))
    }
}

/// A line that names whom to turn to.
pub(crate) fn run_by(lang: Lang, account: &Account) -> Markup {
    html! {
        p class="fine" {
            (Word::FrontRunBy.text(lang)) " "
            a href=(account.url) {
                @if !account.display_name.is_empty() { (account.display_name) " " }
                "@" (account.username)
            }
        }
    }
}
