//! The question for the code, after the password was right.

use super::path;
use crate::{
    cookies::Cookie,
    error::{PageResult, WebError},
    forms::{Asked, Field, Kind, Notice, Sent, hidden, notice},
    page::Page,
    sign_in::{enter, retry_after},
    visit::{Form, Visit},
    words::Word,
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
};
use domain::{
    sessions::{self, Answer, Answered},
    users::Login,
};
use maud::html;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CodeForm {
    form_token: String,
    code: String,
    return_to: String,
    /// Not empty: a recovery code is wanted.
    recovery: String,
}

/// `GET /auth/two_factor`
pub(super) async fn show(visit: Visit, Asked(form): Asked<CodeForm>) -> PageResult {
    let open = match &visit.challenge {
        None => false,
        Some(token) => sessions::is_challenged(&visit.web.db.read().await?, token).await?,
    };
    if open { Ok(form_page(&visit, StatusCode::OK, &form, None)) } else { over(&visit, &form) }
}

/// `POST /auth/two_factor`
pub(super) async fn answer(visit: Visit, Sent(form): Sent<CodeForm>) -> PageResult {
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    match visit.form(&form.form_token) {
        Form::Own => {}
        Form::Stale => return Ok(form_page(&visit, refused, &form, Some(Word::FormAgain))),
        Form::Foreign => return Err(WebError::refused(Word::FormForeign)),
    }
    let Some(challenge) = &visit.challenge else { return over(&visit, &form) };
    let answer = Answer { challenge, code: &form.code, ip: visit.ip, user_agent: &visit.agent };
    let (status, word) = match sessions::answer(&visit.web.db, &visit.web.attempts, answer).await? {
        Answered::Yes { token } => return enter(&visit, &token, &form.return_to).await,
        Answered::Expired => return over(&visit, &form),
        Answered::Wrong => (refused, Word::CodeWrong),
        Answered::Refused(Login::Unconfirmed) => (StatusCode::FORBIDDEN, Word::SignInUnconfirmed),
        Answered::Refused(Login::Pending) => (StatusCode::FORBIDDEN, Word::SignInPending),
        Answered::Refused(_) => (StatusCode::FORBIDDEN, Word::SignInDisabled),
        Answered::TooMany(wait) => {
            let page = form_page(&visit, StatusCode::TOO_MANY_REQUESTS, &form, Some(Word::SignInTooMany));
            return Ok(retry_after(page, wait));
        }
    };
    Ok(form_page(&visit, status, &form, Some(word)))
}

/// Nobody waits for a code from this browser: the password first.
fn over(visit: &Visit, form: &CodeForm) -> PageResult {
    let asked = visit.challenge.is_some();
    let path = visit.sign_in_path(&form.return_to) + if asked { "&over=1" } else { "" };
    let mut response = Redirect::to(&path).into_response();
    let cookie = if asked { Cookie::Challenge.clear(&visit.web) } else { None };
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn form_page(visit: &Visit, status: StatusCode, form: &CodeForm, wrong: Option<Word>) -> axum::response::Response {
    let lang = visit.lang;
    let say = |word: Word| word.text(lang);
    let recovery = !form.recovery.is_empty();
    let field = match recovery {
        false => Field {
            name: "code",
            label: Word::CodeOfApp,
            kind: Kind::Code,
            autocomplete: "one-time-code",
            hint: Some(Word::CodeOfAppHint),
            focus: true,
            ..Field::default()
        },
        true => Field {
            name: "code",
            label: Word::RecoveryCode,
            kind: Kind::Name,
            hint: Some(Word::RecoveryCodeHint),
            focus: true,
            ..Field::default()
        },
    };
    let (other, word) = match recovery {
        false => ([("return_to", form.return_to.as_str()), ("recovery", "1")], Word::CodeLost),
        true => ([("return_to", form.return_to.as_str()), ("recovery", "")], Word::CodeFound),
    };
    let body = html! {
        section class="card" {
            h1 { (say(Word::TwoFactor)) }
            p class="lead" { (visit.settings.title) " · " (visit.web.site.domain) }
            @if let Some(word) = wrong { (notice(Notice::Wrong, say(word))) }
            form method="post" action=(visit.path("/auth/two_factor")) {
                (visit.token_field())
                (hidden("return_to", &form.return_to))
                @if recovery { (hidden("recovery", "1")) }
                (field.show(lang))
                p class="actions" { button type="submit" { (say(Word::SignIn)) } }
            }
            p class="fine" {
                a href=(path(visit, &other)) { (say(word)) }
                @if recovery { br; (say(Word::CodeLostAll)) }
            }
        }
    };
    let title = say(Word::TwoFactor).to_owned();
    visit.page_with(status, &Page { title, body, narrow: true, form: true, secret: true, ..Page::default() })
}
