//! Opening an account: for everybody, for whom a moderator approves, or with an invite.

use crate::{
    Web,
    error::{PageResult, WebError},
    forms::{Asked, Field, Kind, Notice, Sent, fault, hidden, notice},
    page::Page,
    sign_in::{enter, retry_after},
    visit::{Form, Visit},
    words::Word,
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use domain::{
    Error, sessions,
    settings::Registrations,
    users::{self, Fault, Login, NewUser, Problem, SignUp, sign_up::door},
};
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/auth/sign_up", get(show).post(create))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SignUpForm {
    form_token: String,
    username: String,
    email: String,
    password: String,
    reason: String,
    /// Not empty: the rules are agreed to.
    agreement: String,
    invite: String,
    return_to: String,
}

impl SignUpForm {
    fn invite(&self) -> Option<&str> {
        (!self.invite.is_empty()).then_some(self.invite.as_str())
    }
}

/// What is wrong with a form that was sent.
#[derive(Default)]
struct Wrong {
    problems: Vec<Problem>,
    /// The rules were not agreed to.
    disagreed: bool,
    word: Option<Word>,
}

/// The way here for those who have no account, where there is one without an invite.
pub(crate) fn link(visit: &Visit, return_to: &str) -> Markup {
    let word = match visit.settings.open_to() {
        Registrations::Open => Word::SignUp,
        Registrations::Approval => Word::SignUpAsk,
        Registrations::Closed => return html! {},
    };
    html! {
        p class="fine" {
            (Word::SignUpNone.text(visit.lang)) " "
            a href=(path(visit, &[("return_to", return_to)])) { (word.text(visit.lang)) }
        }
    }
}

/// This page's path with those of `pairs` that are not empty.
pub(crate) fn path(visit: &Visit, pairs: &[(&str, &str)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    visit.path(format!("/auth/sign_up?{query}").trim_end_matches('?'))
}

/// `GET /auth/sign_up`
async fn show(visit: Visit, Asked(form): Asked<SignUpForm>) -> PageResult {
    if visit.visitor.is_some() {
        return Ok(Redirect::to(&visit.path("/")).into_response());
    }
    let form = SignUpForm { invite: form.invite, return_to: form.return_to, ..SignUpForm::default() };
    match door(&visit.web.db.read().await?, &visit.settings, form.invite()).await? {
        Registrations::Closed => Ok(closed_page(&visit, &form)),
        open => Ok(form_page(&visit, StatusCode::OK, (&form, open), &Wrong::default())),
    }
}

/// `POST /auth/sign_up`
async fn create(visit: Visit, Sent(form): Sent<SignUpForm>) -> PageResult {
    if visit.visitor.is_some() {
        return Err(WebError::refused(Word::FormStale));
    }
    let open = match door(&visit.web.db.read().await?, &visit.settings, form.invite()).await? {
        Registrations::Closed => return Ok(closed_page(&visit, &form)),
        open => open,
    };
    let told = |word| Wrong { word: Some(word), ..Wrong::default() };
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    match visit.form(&form.form_token) {
        Form::Own => {}
        Form::Stale => return Ok(form_page(&visit, refused, (&form, open), &told(Word::FormAgain))),
        Form::Foreign => return Err(WebError::refused(Word::FormForeign)),
    }
    if let Some(wait) = too_many(&visit) {
        let page = form_page(&visit, StatusCode::TOO_MANY_REQUESTS, (&form, open), &told(Word::SignInTooMany));
        return Ok(retry_after(page, wait));
    }
    let new = new_user(&visit, &form, open);
    let wrong = check(&visit, (&form, open), &new).await?;
    if !wrong.problems.is_empty() || wrong.disagreed {
        return Ok(form_page(&visit, refused, (&form, open), &wrong));
    }
    let sign_up = SignUp { new: new.clone(), invite: form.invite() };
    match users::sign_up(&visit.web.db, &visit.web.site, sign_up).await {
        Ok((user, account)) if user.login(&account) == Login::Usable => {
            let session = sessions::start(&visit.web.db, user.id, &visit.agent).await?;
            enter(&visit, &session, &form.return_to).await
        }
        Ok((user, _)) => Ok(thanks_page(&visit, if user.approved { Word::SignUpConfirm } else { Word::SignUpWait })),
        // Somebody else was quicker.
        Err(Error::Forbidden(_)) => Ok(closed_page(&visit, &form)),
        Err(Error::Invalid { .. }) => {
            let wrong = check(&visit, (&form, open), &new).await?;
            Ok(form_page(&visit, refused, (&form, open), &wrong))
        }
        Err(error) => Err(error.into()),
    }
}

/// Counted with the tries to sign in from the same address: each costs as much.
fn too_many(visit: &Visit) -> Option<std::time::Duration> {
    let who = format!("sign-up from {:?}", visit.ip);
    visit.web.attempts.count(visit.ip, &who, domain::Time::now()).err()
}

fn new_user(visit: &Visit, form: &SignUpForm, open: Registrations) -> NewUser {
    NewUser {
        email: Some(form.email.trim().to_owned()),
        password: Some(form.password.clone()),
        locale: visit.lang.code().into(),
        reason: form.reason.trim().to_owned(),
        confirmed: visit.settings.confirm_at_once,
        approved: open == Registrations::Open,
        ..NewUser::named(form.username.trim())
    }
}

async fn check(
    visit: &Visit,
    (form, open): (&SignUpForm, Registrations),
    new: &NewUser,
) -> Result<Wrong, domain::Error> {
    let mut problems = users::check(&visit.web.db.read().await?, new).await?;
    if open == Registrations::Approval && new.reason.is_empty() {
        problems.push(Problem { field: "reason", fault: Fault::Blank });
    }
    let disagreed = !visit.settings.rules.is_empty() && form.agreement.is_empty();
    Ok(Wrong { problems, disagreed, word: None })
}

fn fields<'a>(form: &'a SignUpForm, open: Registrations) -> Vec<Field<'a>> {
    let mut fields = vec![
        Field {
            name: "username",
            label: Word::UserName,
            kind: Kind::Name,
            value: &form.username,
            autocomplete: "username",
            hint: Some(Word::UserNameHint),
            ..Field::default()
        },
        Field {
            name: "email",
            label: Word::Email,
            kind: Kind::Email,
            value: &form.email,
            autocomplete: "email",
            hint: Some(Word::EmailHint),
            ..Field::default()
        },
        Field {
            name: "password",
            label: Word::Password,
            kind: Kind::Password,
            autocomplete: "new-password",
            hint: Some(Word::PasswordHint),
            ..Field::default()
        },
    ];
    if open == Registrations::Approval {
        fields.push(Field {
            name: "reason",
            label: Word::SignUpReason,
            kind: Kind::Long,
            value: &form.reason,
            hint: Some(Word::SignUpReasonHint),
            ..Field::default()
        });
    }
    fields
}

fn form_page(visit: &Visit, status: StatusCode, (form, open): (&SignUpForm, Registrations), wrong: &Wrong) -> Response {
    let lang = visit.lang;
    let say = |word: Word| word.text(lang);
    let problem = |field: &str| wrong.problems.iter().find(|problem| problem.field == field);
    let error = |field: &str| problem(field).map(|problem| fault(lang, field, problem.fault));
    let focus = wrong.problems.first().map_or("username", |problem| problem.field);
    let (heading, button) = match open {
        Registrations::Approval => (Word::SignUpAsk, Word::SignUpAskButton),
        _ => (Word::SignUpTitle, Word::SignUpButton),
    };
    let body = html! {
        section class="card" {
            h1 { (say(heading)) }
            p class="lead" { (crate::setup::known_as(lang, &visit.web.site.domain)) }
            @if let Some(word) = wrong.word { (notice(Notice::Wrong, say(word))) }
            @if form.invite().is_some() { (notice(Notice::Done, say(Word::InviteGood))) }
            @if open == Registrations::Approval { p { (say(Word::SignUpAskLead)) } }
            form method="post" action=(visit.path("/auth/sign_up")) novalidate {
                (visit.token_field())
                (hidden("invite", &form.invite))
                (hidden("return_to", &form.return_to))
                @for field in fields(form, open) {
                    (Field { error: error(field.name), focus: focus == field.name, ..field }.show(lang))
                }
                (agreement(visit, form, wrong.disagreed))
                p class="actions" { button type="submit" { (say(button)) } }
            }
            p class="fine" {
                (say(Word::SignUpHave)) " " a href=(visit.sign_in_path(&form.return_to)) { (say(Word::SignIn)) }
            }
        }
    };
    let title = say(heading).to_owned();
    visit.page_with(status, &Page { title, body, narrow: true, form: true, secret: true, ..Page::default() })
}

/// The rules, to be agreed to; nothing where there are none.
fn agreement(visit: &Visit, form: &SignUpForm, disagreed: bool) -> Markup {
    let rules = &visit.settings.rules;
    let say = |word: Word| word.text(visit.lang);
    html! {
        @if !rules.is_empty() {
            fieldset class="field" {
                legend { (say(Word::Rules)) }
                ol class="rules" {
                    @for rule in rules {
                        li { (rule.text) @if !rule.hint.is_empty() { br; span class="hint" { (rule.hint) } } }
                    }
                }
                label class="check" for="agreement" {
                    input id="agreement" type="checkbox" name="agreement" value="1" required checked[!form.agreement.is_empty()]
                        aria-describedby=[disagreed.then_some("agreement-error")] aria-invalid=[disagreed.then_some("true")];
                    span { (say(Word::SignUpAgree)) }
                }
                @if disagreed { p class="error" id="agreement-error" { (say(Word::SignUpDisagreed)) } }
            }
        }
    }
}

fn closed_page(visit: &Visit, form: &SignUpForm) -> Response {
    let word = if form.invite().is_some() { Word::InviteOver } else { Word::SignUpClosed };
    message(visit, StatusCode::FORBIDDEN, (Word::SignUpTitle, word))
}

fn thanks_page(visit: &Visit, word: Word) -> Response {
    message(visit, StatusCode::OK, (Word::SignUpThanks, word))
}

fn message(visit: &Visit, status: StatusCode, (title, text): (Word, Word)) -> Response {
    let say = |word: Word| word.text(visit.lang);
    let body = html! {
        section class="card message" {
            h1 { (say(title)) }
            p { (say(text)) }
            p class="actions" { a class="button quiet" href=(visit.path("/")) { (say(Word::GoHome)) } }
        }
    };
    let title = say(title).to_owned();
    visit.page_with(status, &Page { title, body, narrow: true, secret: true, ..Page::default() })
}
