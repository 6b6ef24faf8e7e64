//! Those who wait for a moderator to approve their sign-up.

use crate::{
    Web,
    error::{PageResult, WebError},
    forms::{Asked, Notice, Sent, hidden, notice},
    invites::may_invite,
    page::Page,
    visit::Visit,
    words::Word,
};
use axum::{
    Router,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use domain::{
    Error,
    accounts::Account,
    db::Conn,
    ids::UserId,
    sessions::Visitor,
    users::{Role, User, sign_up},
};
use maud::{Markup, html};
use serde::Deserialize;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/settings/sign_ups", get(show))
        .route("/settings/sign_ups/approve", post(approve))
        .route("/settings/sign_ups/reject", post(reject))
}

const HERE: &str = "/settings/sign_ups";
/// People on one page.
const PAGE: i64 = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    done: String,
    after: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OneForm {
    form_token: String,
    id: String,
}

fn may_decide(visitor: &Visitor) -> bool {
    visitor.user.role >= Role::Moderator
}

/// Who may decide; to others there is no such page.
fn staff(visit: &Visit) -> Result<(), WebError> {
    let visitor = visit.signed_in(HERE)?;
    if may_decide(visitor) { Ok(()) } else { Err(WebError::not_found()) }
}

/// `GET /settings/sign_ups`
async fn show(visit: Visit, Asked(wanted): Asked<Wanted>) -> PageResult {
    staff(&visit)?;
    let after = wanted.after.parse().ok();
    let people = sign_up::list_waiting(&visit.web.db.read().await?, after, PAGE).await?;
    let say = |word: Word| word.text(visit.lang);
    let full = i64::try_from(people.len()).unwrap_or(0) == PAGE;
    let more = people.last().filter(|_| full).map(|(user, _)| format!("{HERE}?after={}", user.id));
    let done = match wanted.done.as_str() {
        "approved" => Some(Word::DoneApproved),
        "rejected" => Some(Word::DoneRejected),
        "gone" => Some(Word::DoneAlready),
        _ => None,
    };
    let title = say(Word::Waiting).to_owned();
    let body = html! {
        h1 class="page" { (title) }
        @if let Some(word) = done { (notice(Notice::Done, say(word))) }
        section class="card" {
            @if people.is_empty() { p class="fine" { (say(Word::WaitingNone)) } }
            @else { p class="fine" { (say(Word::RejectHint)) } }
            ul class="lines" { @for person in &people { (line(&visit, person)) } }
        }
        @if let Some(more) = more { p { a class="button quiet" rel="next" href=(visit.path(&more)) { (say(Word::WaitingMore)) } } }
        p class="fine" { a href=(visit.path("/settings")) { (say(Word::BackToSettings)) } }
    };
    Ok(visit.page(&Page { title, body, secret: true, ..Page::default() }))
}

fn line(visit: &Visit, (user, account): &(User, Account)) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let button = |path: &str, word: Word, class: &str| {
        html! {
            form method="post" action=(visit.path(&format!("{HERE}/{path}"))) {
                (visit.token_field())
                (hidden("id", &user.id.to_string()))
                button class=(class) type="submit" aria-label={ (say(word)) ": @" (account.username) } { (say(word)) }
            }
        }
    };
    html! {
        li class="asks" {
            div {
                strong { "@" (account.username) }
                p class="fine" { (user.email) " · " (visit.lang.time(user.created_at)) }
                @if !user.reason.is_empty() { blockquote { (user.reason) } }
            }
            div class="actions" {
                (button("approve", Word::Approve, "small"))
                (button("reject", Word::Reject, "quiet small"))
            }
        }
    }
}

/// `POST /settings/sign_ups/approve`
async fn approve(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let id = whom(&visit, &form)?;
    decided(&visit, sign_up::approve(&visit.web.db, id).await, "approved")
}

/// `POST /settings/sign_ups/reject`
async fn reject(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let id = whom(&visit, &form)?;
    decided(&visit, sign_up::reject(&visit.web.db, id).await, "rejected")
}

fn whom(visit: &Visit, form: &OneForm) -> Result<UserId, WebError> {
    staff(visit)?;
    visit.check_form(&form.form_token)?;
    form.id.parse().map_err(|_| WebError::bad(Word::FormBroken))
}

fn decided(visit: &Visit, result: domain::Result<()>, done: &str) -> PageResult {
    let done = match result {
        Ok(()) => done,
        // Another moderator was quicker.
        Err(Error::NotFound) => "gone",
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&visit.path(&format!("{HERE}?done={done}"))).into_response())
}

/// How many wait, for the page of settings; None for who may not decide.
pub(crate) async fn count(conn: &Conn, visitor: &Visitor) -> domain::Result<Option<i64>> {
    if may_decide(visitor) { Ok(Some(sign_up::count_waiting(conn).await?)) } else { Ok(None) }
}

/// What staff finds in their settings; nothing for others.
pub(crate) fn card(visit: &Visit, visitor: &Visitor, waiting: Option<i64>) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        @if let Some(waiting) = waiting {
            section class="card" {
                h2 { (say(Word::Staff)) }
                p class="actions" {
                    a class="button quiet" href=(visit.path(HERE)) {
                        (say(Word::Waiting)) @if waiting > 0 { " (" (waiting) ")" }
                    }
                    @if may_invite(visitor) { a class="button quiet" href=(visit.path("/settings/invites")) { (say(Word::Invites)) } }
                }
            }
        }
    }
}
