//! Signing in and out with a browser.

use crate::{
    Web,
    cookies::Cookie,
    error::PageResult,
    forms::{Asked, Field, Kind, Notice, Sent, hidden, notice},
    page::Page,
    sign_up, two_factor,
    visit::{Form, Visit},
    words::Word,
};
use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::{
    sessions::{self, SignIn, SignedIn},
    users::{Login, setup},
};
use maud::html;
use serde::Deserialize;
use std::time::Duration;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/auth/sign_in", get(show).post(sign_in)).route("/auth/sign_out", post(sign_out))
}

/// A longer way back is forgotten.
const RETURN_BYTES: usize = 8192;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    return_to: String,
    /// Not empty: also for somebody who is signed in, perhaps as somebody else.
    again: String,
    /// Not empty: the question for the code was open for too long.
    over: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SignInForm {
    form_token: String,
    login: String,
    password: String,
    return_to: String,
}

/// `GET /auth/sign_in`
async fn show(visit: Visit, Asked(wanted): Asked<Wanted>) -> PageResult {
    if visit.visitor.is_some() && wanted.again.is_empty() {
        return Ok(Redirect::to(&way_back(&visit, &wanted.return_to)).into_response());
    }
    let form = SignInForm { return_to: wanted.return_to, ..SignInForm::default() };
    let word = (!wanted.over.is_empty()).then_some(Word::CodeOver);
    form_page(&visit, StatusCode::OK, &form, word).await
}

/// `POST /auth/sign_in`
async fn sign_in(visit: Visit, Sent(form): Sent<SignInForm>) -> PageResult {
    match visit.form(&form.form_token) {
        Form::Own => {}
        Form::Stale => return form_page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &form, Some(Word::FormAgain)).await,
        Form::Foreign => return Err(crate::error::WebError::refused(Word::FormForeign)),
    }
    let try_ = SignIn { login: &form.login, password: &form.password, ip: visit.ip, user_agent: &visit.agent };
    let web = &visit.web;
    let (status, word) = match sessions::sign_in(&web.db, &web.site, &web.attempts, try_).await? {
        SignedIn::Yes { token } => return enter(&visit, &token, &form.return_to).await,
        SignedIn::NeedsCode { challenge } => return Ok(two_factor::ask(&visit, &challenge, &form.return_to)),
        SignedIn::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, Word::SignInWrong),
        SignedIn::Refused(Login::Unconfirmed) => (StatusCode::FORBIDDEN, Word::SignInUnconfirmed),
        SignedIn::Refused(Login::Pending) => (StatusCode::FORBIDDEN, Word::SignInPending),
        SignedIn::Refused(_) => (StatusCode::FORBIDDEN, Word::SignInDisabled),
        SignedIn::TooMany(wait) => {
            let page = form_page(&visit, StatusCode::TOO_MANY_REQUESTS, &form, Some(Word::SignInTooMany)).await?;
            return Ok(retry_after(page, wait));
        }
    };
    form_page(&visit, status, &form, Some(word)).await
}

pub(crate) fn retry_after(mut response: Response, wait: Duration) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}

/// Lets somebody in, in place of whoever was signed in with this browser.
pub(crate) async fn enter(visit: &Visit, token: &str, return_to: &str) -> PageResult {
    if let Some(before) = &visit.visitor {
        // Ended meanwhile is as good.
        let _ = sessions::end(&visit.web.db, before.user.id, before.session.id).await;
    }
    let mut response = Redirect::to(&way_back(visit, return_to)).into_response();
    let challenge = visit.challenge.as_ref().and_then(|_| Cookie::Challenge.clear(&visit.web));
    let cookies = [Cookie::Session.set(&visit.web, token), Cookie::Browser.clear(&visit.web), challenge];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `return_to` when it is a path of this site, else the front page.
fn way_back(visit: &Visit, return_to: &str) -> String {
    if is_own_path(return_to) { return_to.to_owned() } else { visit.path("/") }
}

/// Whether a browser that follows `path` stays on this site: what starts with `//`, `/\` or holds characters that
/// browsers drop may lead anywhere.
fn is_own_path(path: &str) -> bool {
    path.len() <= RETURN_BYTES
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// `POST /auth/sign_out`
async fn sign_out(visit: Visit, Sent(form): Sent<SignInForm>) -> PageResult {
    if let Some(visitor) = &visit.visitor {
        visit.check_form(&form.form_token)?;
        sessions::end(&visit.web.db, visitor.user.id, visitor.session.id).await?;
    }
    let mut response = Redirect::to(&visit.path("/")).into_response();
    let cookie = Cookie::Session.clear(&visit.web).map(|cookie| (header::SET_COOKIE, cookie));
    response.headers_mut().extend(cookie);
    Ok(response)
}

async fn form_page(visit: &Visit, status: StatusCode, form: &SignInForm, wrong: Option<Word>) -> PageResult {
    let lang = visit.lang;
    let empty = setup::is_due(&visit.web.db.read().await?).await?;
    let fields = [
        Field {
            name: "login",
            label: Word::EmailOrName,
            kind: Kind::Name,
            value: &form.login,
            autocomplete: "username",
            focus: form.login.is_empty(),
            ..Field::default()
        },
        Field {
            name: "password",
            label: Word::Password,
            kind: Kind::Password,
            autocomplete: "current-password",
            focus: !form.login.is_empty(),
            ..Field::default()
        },
    ];
    let body = html! {
        section class="card" {
            h1 { (Word::SignIn.text(lang)) }
            p class="lead" { (visit.settings.title) " · " (visit.web.site.domain) }
            @if let Some(word) = wrong { (notice(Notice::Wrong, word.text(lang))) }
            @if empty { p { (Word::NotSetUp.text(lang)) } }
            @else {
                @if let Some(visitor) = &visit.visitor {
                    p { (Word::SignedInAlready.text(lang)) " " strong { "@" (visitor.account.username) } }
                }
                form method="post" action=(visit.path("/auth/sign_in")) {
                    (visit.token_field())
                    (hidden("return_to", &form.return_to))
                    @for field in &fields { (field.show(lang)) }
                    p class="actions" { button type="submit" { (Word::SignIn.text(lang)) } }
                }
                (sign_up::link(visit, &form.return_to))
            }
        }
    };
    let title = Word::SignIn.text(lang).to_owned();
    Ok(visit.page_with(status, &Page { title, body, narrow: true, form: true, secret: true, ..Page::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        for good in ["/", "/settings", "/oauth/authorize?a=b%20c&redirect_uri=https://x.example/"] {
            assert!(is_own_path(good), "{good}");
        }
        let long = format!("/{}", "x".repeat(RETURN_BYTES));
        for bad in
            ["", "settings", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "/ü", &long]
        {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
