//! One's own settings: which apps and browsers have access, the password, and what leads to the others.

mod browsers;
mod moving;

use crate::{
    Web,
    error::{PageResult, WebError},
    forms::{Asked, Field, Kind, Notice, Sent, fault, hidden, notice},
    lang::Lang,
    page::Page,
    visit::Visit,
    waiting,
    words::Word,
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use domain::{
    Error,
    ids::AppId,
    oauth::{Authorised, tokens},
    sessions::{self, Visitor},
    two_factor,
    users::{self, Endings, Fault, PASSWORD_CHARACTERS, Role},
};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::HashSet;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/settings", get(show))
        .route("/settings/password", post(change_password))
        .route("/settings/browsers", post(browsers::end))
        .route("/settings/browsers/others", post(browsers::end_others))
        .route("/settings/apps", post(revoke_app))
        .route("/settings/aliases", post(moving::add))
        .route("/settings/aliases/remove", post(moving::remove))
        .route("/settings/move", post(moving::leave))
        .route("/settings/move/cancel", post(moving::come_back))
}

const HERE: &str = "/settings";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PasswordForm {
    form_token: String,
    current: String,
    password: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OneForm {
    form_token: String,
    id: String,
}

/// `GET /settings`
async fn show(visit: Visit, Asked(done): Asked<Done>) -> PageResult {
    let word = match done.done.as_str() {
        "password" => Some(Word::DonePassword),
        "browser" => Some(Word::DoneSession),
        "browsers" => Some(Word::DoneSessions),
        "app" => Some(Word::DoneApp),
        "alias" => Some(Word::DoneAlias),
        "moved" => Some(Word::DoneMoved),
        "back" => Some(Word::DoneBack),
        _ => None,
    };
    let told = word.map(|word| notice(Notice::Done, word.text(visit.lang)));
    render(&visit, StatusCode::OK, told.unwrap_or_default(), Wrong::default()).await
}

fn done(visit: &Visit, what: &str) -> PageResult {
    Ok(Redirect::to(&visit.path(&format!("{HERE}?done={what}"))).into_response())
}

/// `POST /settings/password`
async fn change_password(visit: Visit, Sent(form): Sent<PasswordForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    // Somebody at an unattended browser may try as often as somebody at the door.
    let who = visitor.user.id.to_string();
    if visit.web.attempts.count(visit.ip, &who, domain::Time::now()).is_err() {
        let wrong = Wrong { current: Some(Word::SignInTooMany.text(visit.lang).into()), ..Wrong::default() };
        return render(&visit, StatusCode::TOO_MANY_REQUESTS, html! {}, wrong).await;
    }
    if !users::verify_password(&visitor.user, &form.current).await? {
        let wrong = Wrong { current: Some(Word::WrongPassword.text(visit.lang).into()), ..Wrong::default() };
        return render(&visit, refused, html! {}, wrong).await;
    }
    let endings = Endings::OtherSessions(visitor.session.id);
    match users::set_password(&visit.web.db, visitor.user.id, &form.password, endings).await {
        Ok(()) => done(&visit, "password"),
        Err(Error::Invalid { .. }) => {
            let wrong = Wrong { password: Some(length_fault(visit.lang, &form.password)), ..Wrong::default() };
            render(&visit, refused, html! {}, wrong).await
        }
        Err(error) => Err(error.into()),
    }
}

fn length_fault(lang: Lang, password: &str) -> String {
    let (least, most) = (*PASSWORD_CHARACTERS.start(), *PASSWORD_CHARACTERS.end());
    let short = password.chars().count() < least;
    fault(lang, "password", if short { Fault::TooShort(least) } else { Fault::TooLong(most) })
}

/// `POST /settings/apps`
async fn revoke_app(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    let id = form.id.parse().map_err(|_| WebError::bad(Word::FormBroken))?;
    gone_is_fine(tokens::take_back(&visit.web.db, visitor.user.id, id).await)?;
    done(&visit, "app")
}

/// Pressed twice is as good as once.
fn gone_is_fine(result: domain::Result<()>) -> domain::Result<()> {
    match result {
        Err(Error::NotFound) => Ok(()),
        other => other,
    }
}

/// What was wrong with the password form.
#[derive(Default)]
struct Wrong {
    current: Option<String>,
    password: Option<String>,
}

async fn render(visit: &Visit, status: StatusCode, told: Markup, wrong: Wrong) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    let conn = visit.web.db.read().await?;
    let apps = tokens::list(&conn, visitor.user.id).await?;
    let browsers = sessions::list(&conn, visitor.user.id).await?;
    let factor = two_factor::state(&conn, visitor.user.id).await?;
    let asking = waiting::count(&conn, visitor).await?;
    let moving = moving::Moving::load(&conn, &visitor.account).await?;
    drop(conn);
    let title = Word::Settings.text(visit.lang).to_owned();
    let body = html! {
        h1 class="page" { (title) }
        (told)
        (account_card(visit, visitor))
        (waiting::card(visit, visitor, asking))
        (apps_card(visit, &apps))
        (browsers::card(visit, visitor, &browsers))
        (password_card(visit, visitor, wrong))
        (crate::two_factor::card(visit, &factor))
        (moving::card(visit, visitor, &moving))
    };
    Ok(visit.page_with(status, &Page { title, body, secret: true, ..Page::default() }))
}

fn account_card(visit: &Visit, visitor: &Visitor) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let role = match visitor.user.role {
        Role::User => Word::RoleUser,
        Role::Moderator => Word::RoleModerator,
        Role::Admin => Word::RoleAdmin,
        Role::Owner => Word::RoleOwner,
    };
    let profile = visit.path(&format!("/@{}", visitor.account.username));
    html! {
        section class="card" {
            h2 { (say(Word::SettingsAccount)) }
            dl class="facts" {
                div { dt { (say(Word::SettingsHandle)) } dd { a class="handle" href=(profile) { "@" (visit.web.site.handle(&visitor.account.username)) } } }
                @if !visitor.user.email.is_empty() { div { dt { (say(Word::Email)) } dd { (visitor.user.email) } } }
                div { dt { (say(Word::SettingsRole)) } dd { (say(role)) } }
            }
        }
    }
}

fn apps_card(visit: &Visit, tokens: &[Authorised]) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let mut seen: HashSet<AppId> = HashSet::new();
    // An app is one line, however often one signed in with it.
    let lines: Vec<&Authorised> = tokens.iter().filter(|token| token.app.is_none_or(|app| seen.insert(app))).collect();
    html! {
        section class="card" {
            h2 { (say(Word::SettingsApps)) }
            @if lines.is_empty() { p class="fine" { (say(Word::SettingsNoApps)) } }
            ul class="lines" {
                @for token in lines {
                    li {
                        div {
                            strong { (token.name.as_deref().unwrap_or(say(Word::CommandLine))) }
                            p class="fine" { (say(Word::Since)) " " (visit.lang.date(token.created_at)) " · " (token.scopes()) }
                        }
                        (one_button(visit, "/settings/apps", &token.token.to_string(), say(Word::Revoke)))
                    }
                }
            }
        }
    }
}

fn one_button(visit: &Visit, action: &str, id: &str, label: &str) -> Markup {
    html! {
        form method="post" action=(visit.path(action)) {
            (visit.token_field())
            (hidden("id", id))
            button class="quiet small" type="submit" { (label) }
        }
    }
}

fn password_card(visit: &Visit, visitor: &Visitor, wrong: Wrong) -> Markup {
    let current = Field {
        name: "current",
        label: Word::CurrentPassword,
        kind: Kind::Password,
        autocomplete: "current-password",
        focus: wrong.current.is_some(),
        error: wrong.current,
        ..Field::default()
    };
    let new = Field {
        name: "password",
        label: Word::NewPassword,
        kind: Kind::Password,
        autocomplete: "new-password",
        hint: Some(Word::PasswordHint),
        focus: wrong.password.is_some(),
        error: wrong.password,
        ..Field::default()
    };
    html! {
        section class="card" {
            h2 { (Word::ChangePassword.text(visit.lang)) }
            form method="post" action=(visit.path("/settings/password")) {
                (visit.token_field())
                // Password managers want to know whose password it is.
                input type="text" name="username" value=(visitor.account.username) autocomplete="username" aria-label=(Word::UserName.text(visit.lang)) hidden readonly;
                (current.show(visit.lang))
                (new.show(visit.lang))
                p class="fine" { (Word::ChangePasswordHint.text(visit.lang)) }
                p class="actions" { button type="submit" { (Word::ChangePassword.text(visit.lang)) } }
            }
        }
    }
}
