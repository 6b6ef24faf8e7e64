//! The first start: whoever holds the link that the program printed becomes the owner and is signed in.

use crate::{
    Web,
    cookies::Cookie,
    error::{PageResult, WebError},
    forms::{Asked, Field, Kind, Notice, Sent, fault, hidden, notice},
    lang::Lang,
    page::Page,
    visit::{Form, Visit},
    words::Word,
};
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::get,
};
use domain::{
    Result, sessions, settings,
    users::{self, NewUser, Problem, Role, setup},
};
use maud::{Markup, html};
use serde::Deserialize;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/setup", get(show).post(create))
}

/// Characters of the site's name.
const TITLE_CHARACTERS: usize = 60;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    token: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SetupForm {
    form_token: String,
    token: String,
    title: String,
    username: String,
    email: String,
    password: String,
}

/// `GET /setup?token=`
async fn show(visit: Visit, Asked(link): Asked<Link>) -> PageResult {
    check_open(&visit, &link.token).await?;
    let form = SetupForm { token: link.token, title: visit.settings.title.clone(), ..SetupForm::default() };
    Ok(form_page(&visit, StatusCode::OK, (&form, &[]), None))
}

async fn check_open(visit: &Visit, token: &str) -> Result<(), WebError> {
    let conn = visit.web.db.read().await?;
    if setup::is_open(&conn, token).await? {
        return Ok(());
    }
    match setup::is_due(&conn).await? {
        // Nobody is here, but the link is wrong.
        true => Err(WebError::refused(Word::SetupClosed)),
        false => Err(WebError::not_found()),
    }
}

/// `POST /setup`
async fn create(visit: Visit, Sent(form): Sent<SetupForm>) -> PageResult {
    check_open(&visit, &form.token).await?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    match visit.form(&form.form_token) {
        Form::Own => {}
        Form::Stale => return Ok(form_page(&visit, refused, (&form, &[]), Some(Word::FormAgain))),
        Form::Foreign => return Err(WebError::refused(Word::FormForeign)),
    }
    let new = new_owner(&visit, &form);
    let problems = users::check(&visit.web.db.read().await?, &new).await?;
    if !problems.is_empty() {
        return Ok(form_page(&visit, refused, (&form, &problems), None));
    }
    let (user, _) = users::create_owner(&visit.web.db, &visit.web.site, new).await?;
    name_site(&visit, &form.title).await?;
    let session = sessions::start(&visit.web.db, user.id, &visit.agent).await?;
    let mut response = Redirect::to(&visit.path("/")).into_response();
    response.headers_mut().extend(Cookie::Session.set(&visit.web, &session).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn new_owner(visit: &Visit, form: &SetupForm) -> NewUser {
    let email = form.email.trim();
    NewUser {
        email: (!email.is_empty()).then(|| email.to_owned()),
        password: Some(form.password.clone()),
        role: Role::Owner,
        locale: visit.lang.code().into(),
        ..NewUser::named(form.username.trim())
    }
}

/// An empty name leaves the site the one it has.
async fn name_site(visit: &Visit, title: &str) -> Result<()> {
    let title: String = title.chars().filter(|c| !c.is_control()).take(TITLE_CHARACTERS).collect();
    let title = title.trim();
    if title.is_empty() || title == visit.settings.title {
        return Ok(());
    }
    let tx = visit.web.db.begin().await?;
    let mut settings = settings::read(&tx).await?;
    title.clone_into(&mut settings.title);
    settings::write(&tx, &settings).await?;
    tx.commit().await
}

fn form_page(
    visit: &Visit,
    status: StatusCode,
    (form, problems): (&SetupForm, &[Problem]),
    wrong: Option<Word>,
) -> axum::response::Response {
    let lang = visit.lang;
    let problem = |field: &str| problems.iter().find(|problem| problem.field == field);
    let error = |field: &str| problem(field).map(|problem| fault(lang, field, problem.fault));
    let focus = problems.first().map_or("username", |problem| problem.field);
    let fields = [
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
            name: "password",
            label: Word::Password,
            kind: Kind::Password,
            autocomplete: "new-password",
            hint: Some(Word::PasswordHint),
            ..Field::default()
        },
        Field {
            name: "email",
            label: Word::Email,
            kind: Kind::Email,
            value: &form.email,
            autocomplete: "email",
            hint: Some(Word::EmailHint),
            optional: true,
            ..Field::default()
        },
        Field { name: "title", label: Word::SiteTitle, value: &form.title, optional: true, ..Field::default() },
    ];
    let body = html! {
        section class="card" {
            h1 { (Word::SetupTitle.text(lang)) }
            p class="lead" { (Word::SetupLead.text(lang)) }
            p class="lead" { (known_as(lang, &visit.web.site.domain)) }
            @if let Some(word) = wrong { (notice(Notice::Wrong, word.text(lang))) }
            form method="post" action=(visit.path("/setup")) novalidate {
                (visit.token_field())
                (hidden("token", &form.token))
                @for field in fields {
                    (Field { error: error(field.name), focus: focus == field.name, ..field }.show(lang))
                }
                p class="actions" { button type="submit" { (Word::SetupButton.text(lang)) } }
            }
        }
    };
    let title = Word::SetupTitle.text(lang).to_owned();
    visit.page_with(status, &Page { title, body, narrow: true, form: true, secret: true, ..Page::default() })
}

pub(crate) fn known_as(lang: Lang, domain: &str) -> Markup {
    match lang {
        Lang::En => html! { "Others will find you as " strong class="handle" { "@name@" (domain) "." } },
        Lang::Ja => html! { "ほかの人からは " strong class="handle" { "@name@" (domain) } " で見つけられます。" },
    }
}
