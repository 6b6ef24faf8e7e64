//! Invites: the link that somebody was given, and where the site's staff makes such links.

use crate::{
    Web,
    error::{PageResult, WebError},
    forms::{Asked, Notice, Place, Sent, hidden, notice},
    page::Page,
    sign_up,
    visit::Visit,
    words::Word,
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use domain::{
    Error, Time,
    invites::{self, Invite, NewInvite},
    sessions::Visitor,
    users::Role,
};
use maud::{Markup, html};
use serde::Deserialize;
use std::time::Duration;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/invite/{code}", get(follow))
        .route("/settings/invites", get(show).post(create))
        .route("/settings/invites/revoke", post(revoke))
}

const HERE: &str = "/settings/invites";
const DAY: u64 = 86_400;
/// What the form offers; 0: without end.
const USES: [i64; 6] = [1, 5, 10, 25, 100, 0];
const DAYS: [u64; 5] = [1, 7, 30, 365, 0];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InviteForm {
    form_token: String,
    uses: String,
    days: String,
    id: String,
}

/// `GET /invite/{code}`: to the form for a new account.
async fn follow(visit: Visit, Place(code): Place<String>) -> PageResult {
    Ok(Redirect::to(&sign_up::path(&visit, &[("invite", &code)])).into_response())
}

/// Who may make invites; to others there is no such page.
fn staff(visit: &Visit) -> Result<&Visitor, WebError> {
    let visitor = visit.signed_in(HERE)?;
    if may_invite(visitor) { Ok(visitor) } else { Err(WebError::not_found()) }
}

pub(crate) fn may_invite(visitor: &Visitor) -> bool {
    visitor.user.role >= Role::Admin
}

/// `GET /settings/invites`
async fn show(visit: Visit, Asked(done): Asked<Done>) -> PageResult {
    staff(&visit)?;
    let word = match done.done.as_str() {
        "made" => Some(Word::InviteMade),
        "revoked" => Some(Word::InviteRevoked),
        _ => None,
    };
    let told = word.map(|word| notice(Notice::Done, word.text(visit.lang)));
    render(&visit, StatusCode::OK, told.unwrap_or_default()).await
}

/// `POST /settings/invites`
async fn create(visit: Visit, Sent(form): Sent<InviteForm>) -> PageResult {
    let visitor = staff(&visit)?;
    visit.check_form(&form.form_token)?;
    let bad = || WebError::bad(Word::FormBroken);
    let uses: i64 = form.uses.parse().map_err(|_| bad())?;
    let days: u64 = form.days.parse().map_err(|_| bad())?;
    let new = NewInvite {
        by: Some(visitor.user.id),
        max_uses: (uses != 0).then_some(uses),
        life: (days != 0).then(|| Duration::from_secs(days.saturating_mul(DAY))),
    };
    match invites::create(&visit.web.db, new).await {
        Ok(_) => Ok(Redirect::to(&visit.path(&format!("{HERE}?done=made"))).into_response()),
        Err(Error::Invalid { field: "base", .. }) => {
            let told = notice(Notice::Wrong, Word::InviteTooMany.text(visit.lang));
            render(&visit, StatusCode::UNPROCESSABLE_ENTITY, told).await
        }
        Err(Error::Invalid { .. }) => Err(bad()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/invites/revoke`
async fn revoke(visit: Visit, Sent(form): Sent<InviteForm>) -> PageResult {
    staff(&visit)?;
    visit.check_form(&form.form_token)?;
    let id = form.id.parse().map_err(|_| WebError::bad(Word::FormBroken))?;
    match invites::revoke(&visit.web.db, id).await {
        // Pressed twice is as good as once.
        Ok(()) | Err(Error::NotFound) => Ok(Redirect::to(&visit.path(&format!("{HERE}?done=revoked"))).into_response()),
        Err(error) => Err(error.into()),
    }
}

async fn render(visit: &Visit, status: StatusCode, told: Markup) -> PageResult {
    let all = invites::list(&visit.web.db.read().await?).await?;
    let say = |word: Word| word.text(visit.lang);
    let title = say(Word::Invites).to_owned();
    let body = html! {
        h1 class="page" { (title) }
        (told)
        (new_card(visit))
        section class="card" {
            h2 { (say(Word::InvitesMade)) }
            @if all.is_empty() { p class="fine" { (say(Word::InvitesNone)) } }
            ul class="lines" { @for invite in &all { (line(visit, invite)) } }
        }
        p class="fine" { a href=(visit.path("/settings")) { (say(Word::BackToSettings)) } }
    };
    Ok(visit.page_with(status, &Page { title, body, secret: true, ..Page::default() }))
}

fn new_card(visit: &Visit) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        section class="card" {
            p { (say(Word::InvitesWhat)) }
            form method="post" action=(visit.path(HERE)) {
                (visit.token_field())
                div class="pair" {
                    div class="field" {
                        label for="uses" { (say(Word::InviteUses)) }
                        select id="uses" name="uses" {
                            @for n in USES {
                                option value=(n) { @if n == 0 { (say(Word::InviteNoLimit)) } @else { (Word::people(visit.lang, n)) } }
                            }
                        }
                    }
                    div class="field" {
                        label for="days" { (say(Word::InviteLife)) }
                        select id="days" name="days" {
                            @for n in DAYS {
                                option value=(n) selected[n == 7] { @if n == 0 { (say(Word::InviteNoLimit)) } @else { (Word::days(visit.lang, n)) } }
                            }
                        }
                    }
                }
                p class="actions" { button type="submit" { (say(Word::InviteMake)) } }
            }
        }
    }
}

fn line(visit: &Visit, invite: &Invite) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let good = invite.is_good(Time::now());
    html! {
        li class="asks" {
            div {
                @if good {
                    code class="copy" tabindex="0" { (visit.web.site.base_url) "/invite/" (invite.code) }
                } @else {
                    code { (invite.code) } " " span class="tag over" { (say(Word::InviteIsOver)) }
                }
                p class="fine" {
                    (Word::used(visit.lang, invite.uses, invite.max_uses))
                    @if let Some(end) = invite.expires_at { " · " (say(Word::InviteUntil)) " " (visit.lang.time(end)) }
                }
            }
            form method="post" action=(visit.path("/settings/invites/revoke")) {
                (visit.token_field())
                (hidden("id", &invite.id.to_string()))
                button class="quiet small" type="submit" { (say(if good { Word::Revoke } else { Word::Remove })) }
            }
        }
    }
}
