//! Turning two-factor sign-in on and off.

use super::qr;
use crate::{
    error::{PageResult, WebError},
    forms::{Asked, Field, Kind, Notice, Sent, notice},
    page::Page,
    visit::Visit,
    words::Word,
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    Error,
    sessions::Visitor,
    two_factor::{self, Secret, State},
    users,
};
use maud::{Markup, html};
use serde::Deserialize;

const HERE: &str = "/settings/two_factor";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ProofForm {
    form_token: String,
    code: String,
    password: String,
    /// The password too: there are two forms on one page.
    password_off: String,
}

/// Which field is wrong, and why.
type Wrong = Option<(&'static str, Word)>;

/// `GET /settings/two_factor`
pub(super) async fn show(visit: Visit, Asked(done): Asked<Done>) -> PageResult {
    let told = match done.done.as_str() {
        "off" => notice(Notice::Done, Word::TwoFactorIsOff.text(visit.lang)),
        _ => html! {},
    };
    render(&visit, StatusCode::OK, told, None).await
}

/// `POST /settings/two_factor/prepare`
pub(super) async fn prepare(visit: Visit, Sent(form): Sent<ProofForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    match two_factor::prepare(&visit.web.db, visitor.user.id).await {
        // It is on already: the page says so.
        Ok(()) | Err(Error::Conflict(_)) => Ok(Redirect::to(&visit.path(HERE)).into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/two_factor/enable`
pub(super) async fn enable(visit: Visit, Sent(form): Sent<ProofForm>) -> PageResult {
    let visitor = proven(&visit, &form)?;
    if let Some(refused) = unproven(&visit, visitor, ("password", &form.password)).await? {
        return Ok(refused);
    }
    match two_factor::enable(&visit.web.db, visitor.user.id, &form.code).await {
        Ok(Some(codes)) => Ok(codes_page(&visit, &codes)),
        Ok(None) => {
            let wrong = Some(("code", Word::CodeWrong));
            render(&visit, StatusCode::UNPROCESSABLE_ENTITY, html! {}, wrong).await
        }
        Err(Error::Conflict(_)) => Ok(Redirect::to(&visit.path(HERE)).into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/two_factor/codes`
pub(super) async fn renew_codes(visit: Visit, Sent(form): Sent<ProofForm>) -> PageResult {
    let visitor = proven(&visit, &form)?;
    if let Some(refused) = unproven(&visit, visitor, ("password", &form.password)).await? {
        return Ok(refused);
    }
    match two_factor::renew_codes(&visit.web.db, visitor.user.id).await {
        Ok(codes) => Ok(codes_page(&visit, &codes)),
        Err(Error::Conflict(_)) => Ok(Redirect::to(&visit.path(HERE)).into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/two_factor/disable`
pub(super) async fn disable(visit: Visit, Sent(form): Sent<ProofForm>) -> PageResult {
    let visitor = proven(&visit, &form)?;
    if let Some(refused) = unproven(&visit, visitor, ("password_off", &form.password_off)).await? {
        return Ok(refused);
    }
    two_factor::disable(&visit.web.db, visitor.user.id).await?;
    Ok(Redirect::to(&visit.path(&format!("{HERE}?done=off"))).into_response())
}

/// Who is signed in and sent this form from our page.
fn proven<'a>(visit: &'a Visit, form: &ProofForm) -> Result<&'a Visitor, WebError> {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    Ok(visitor)
}

/// The page that says so when the password in `field` is not theirs, or was tried too often: somebody at an unattended
/// browser may try as often as somebody at the door.
async fn unproven(
    visit: &Visit,
    visitor: &Visitor,
    (field, password): (&'static str, &str),
) -> Result<Option<Response>, WebError> {
    let (status, word) =
        if visit.web.attempts.count(visit.ip, &visitor.user.id.to_string(), domain::Time::now()).is_err() {
            (StatusCode::TOO_MANY_REQUESTS, Word::SignInTooMany)
        } else if !users::verify_password(&visitor.user, password).await? {
            (StatusCode::UNPROCESSABLE_ENTITY, Word::WrongPassword)
        } else {
            return Ok(None);
        };
    Ok(Some(render(visit, status, html! {}, Some((field, word))).await?))
}

async fn render(visit: &Visit, status: StatusCode, told: Markup, wrong: Wrong) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    let state = two_factor::state(&visit.web.db.read().await?, visitor.user.id).await?;
    let title = Word::TwoFactor.text(visit.lang).to_owned();
    let body = html! {
        h1 class="page" { (title) }
        (told)
        @match &state {
            State::Off => (off_card(visit)),
            State::Prepared(secret) => (setup_card(visit, visitor, secret, wrong)),
            State::On { since, recovery_codes } => (on_cards(visit, (*since, *recovery_codes), wrong)),
        }
        p class="fine" { a href=(visit.path("/settings")) { (Word::BackToSettings.text(visit.lang)) } }
    };
    Ok(visit.page_with(status, &Page { title, body, secret: true, ..Page::default() }))
}

fn off_card(visit: &Visit) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        section class="card" {
            p { (say(Word::TwoFactorWhat)) }
            form method="post" action=(visit.path("/settings/two_factor/prepare")) {
                (visit.token_field())
                p class="actions" { button type="submit" { (say(Word::TwoFactorSetUp)) } }
            }
        }
    }
}

fn setup_card(visit: &Visit, visitor: &Visitor, secret: &Secret, wrong: Wrong) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let uri = secret.uri(&visit.web.site, &visitor.account.username);
    let code = Field {
        name: "code",
        label: Word::CodeOfApp,
        kind: Kind::Code,
        autocomplete: "one-time-code",
        hint: Some(Word::CodeOfAppHint),
        ..Field::default()
    };
    html! {
        section class="card" {
            h2 { (say(Word::TwoFactorScan)) }
            @if let Some(picture) = qr::picture(&uri, say(Word::TwoFactorPicture)) { (picture) }
            p class="fine" { a href=(uri) { (say(Word::TwoFactorHere)) } }
            p id="secret" { (say(Word::TwoFactorType)) }
            p { code class="copy" tabindex="0" aria-describedby="secret" { (grouped(&secret.base32())) } }
            h2 { (say(Word::TwoFactorConfirm)) }
            form method="post" action=(visit.path("/settings/two_factor/enable")) {
                (visit.token_field())
                (shown(visit, code, wrong))
                (shown(visit, password("password"), wrong))
                p class="actions" { button type="submit" { (say(Word::TwoFactorTurnOn)) } }
            }
        }
    }
}

fn on_cards(visit: &Visit, (since, left): (domain::Time, i64), wrong: Wrong) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        section class="card" {
            p { (say(Word::TwoFactorIsOn)) " " (visit.lang.date(since)) }
            p class="fine" { (Word::codes_left(visit.lang, left)) }
        }
        section class="card" {
            h2 { (say(Word::RecoveryCodes)) }
            p { (say(Word::RecoveryCodesNew)) }
            form method="post" action=(visit.path("/settings/two_factor/codes")) {
                (visit.token_field())
                (shown(visit, password("password"), wrong))
                p class="actions" { button class="quiet" type="submit" { (say(Word::RecoveryCodesMake)) } }
            }
        }
        section class="card" {
            h2 { (say(Word::TwoFactorTurnOff)) }
            p { (say(Word::TwoFactorOffHint)) }
            form method="post" action=(visit.path("/settings/two_factor/disable")) {
                (visit.token_field())
                (shown(visit, password("password_off"), wrong))
                p class="actions" { button class="quiet" type="submit" { (say(Word::TwoFactorTurnOff)) } }
            }
        }
    }
}

fn password(name: &'static str) -> Field<'static> {
    Field {
        name,
        label: Word::CurrentPassword,
        kind: Kind::Password,
        autocomplete: "current-password",
        ..Field::default()
    }
}

fn shown(visit: &Visit, field: Field<'_>, wrong: Wrong) -> Markup {
    let error = wrong.filter(|(name, _)| *name == field.name).map(|(_, word)| word.text(visit.lang).to_owned());
    Field { focus: error.is_some(), error, ..field }.show(visit.lang)
}

/// In groups of four, as people copy letters.
fn grouped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The only page that ever shows recovery codes.
fn codes_page(visit: &Visit, codes: &[String]) -> Response {
    let say = |word: Word| word.text(visit.lang);
    let title = say(Word::RecoveryCodes).to_owned();
    let body = html! {
        h1 class="page" { (title) }
        (notice(Notice::Done, say(Word::TwoFactorDone)))
        section class="card" {
            p { (say(Word::RecoveryCodesKeep)) }
            ul class="codes" { @for code in codes { li { code { (code) } } } }
            p class="actions" { a class="button" href=(visit.path("/settings")) { (say(Word::RecoveryCodesKept)) } }
        }
    };
    visit.page_with(StatusCode::OK, &Page { title, body, secret: true, ..Page::default() })
}

/// How it stands, for the page of settings.
pub(crate) fn card(visit: &Visit, state: &State) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let (words, link) = match state {
        State::On { since, .. } => (format!("{} {}", say(Word::TwoFactorIsOn), visit.lang.date(*since)), Word::Manage),
        State::Off | State::Prepared(_) => (say(Word::TwoFactorWhat).to_owned(), Word::TwoFactorSetUp),
    };
    html! {
        section class="card" {
            h2 { (say(Word::TwoFactor)) }
            p { (words) }
            p class="actions" { a class="button quiet" href=(visit.path(HERE)) { (say(link)) } }
        }
    }
}
