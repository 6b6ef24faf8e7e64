//! Other accounts of one's own, and moving to one of them.

use super::{HERE, OneForm, Wrong, done, gone_is_fine, one_button, render};
use crate::{
    error::PageResult,
    forms::{Field, Kind, Notice, Sent, notice},
    visit::Visit,
    words::Word,
};
use axum::http::StatusCode;
use domain::{
    Error,
    accounts::{self, Account},
    db::Conn,
    moves::{self, Alias},
    sessions::Visitor,
    users,
};
use federation::resolve;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct OtherForm {
    form_token: String,
    other: String,
    password: String,
}

/// What the card shows.
pub(super) struct Moving {
    aliases: Vec<Alias>,
    moved_to: Option<Account>,
}

impl Moving {
    pub(super) async fn load(conn: &Conn, account: &Account) -> domain::Result<Self> {
        let moved_to = match account.moved_to_id {
            None => None,
            Some(id) => accounts::store::by_id(conn, id).await?,
        };
        Ok(Self { aliases: moves::aliases(conn, account.id).await?, moved_to })
    }
}

async fn refused(visit: &Visit, word: Word) -> PageResult {
    let told = notice(Notice::Wrong, word.text(visit.lang));
    render(visit, StatusCode::UNPROCESSABLE_ENTITY, told, Wrong::default()).await
}

/// `POST /settings/aliases`
pub(super) async fn add(visit: Visit, Sent(form): Sent<OtherForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    let other = match resolve::moves::other(&visit.web.federation, &form.other).await {
        Ok(other) => other,
        Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error.into()),
        Err(_) => return refused(&visit, Word::AliasUnknown).await,
    };
    match moves::add_alias(&visit.web.db, visitor.account.id, &other).await {
        Ok(()) => done(&visit, "alias"),
        Err(Error::Invalid { .. }) => refused(&visit, Word::AliasRefused).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/aliases/remove`
pub(super) async fn remove(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    gone_is_fine(moves::remove_alias(&visit.web.db, visitor.account.id, &form.id).await)?;
    done(&visit, "alias")
}

/// `POST /settings/move`: wants the password, as it ends most of what one can do here.
pub(super) async fn leave(visit: Visit, Sent(form): Sent<OtherForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    let who = visitor.user.id.to_string();
    if visit.web.attempts.count(visit.ip, &who, domain::Time::now()).is_err() {
        return refused(&visit, Word::SignInTooMany).await;
    }
    if !users::verify_password(&visitor.user, &form.password).await? {
        return refused(&visit, Word::WrongPassword).await;
    }
    match resolve::moves::leave(&visit.web.federation, &visitor.account, &form.other).await {
        Ok(_) => done(&visit, "moved"),
        Err(Error::Forbidden(_)) => refused(&visit, Word::MoveRefused).await,
        Err(error @ (Error::Internal(_) | Error::Busy(_))) => Err(error.into()),
        Err(_) => refused(&visit, Word::AliasUnknown).await,
    }
}

/// `POST /settings/move/cancel`
pub(super) async fn come_back(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    gone_is_fine(moves::come_back(&visit.web.db, visitor.account.id).await)?;
    done(&visit, "back")
}

pub(super) fn card(visit: &Visit, visitor: &Visitor, moving: &Moving) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        section class="card" {
            h2 { (say(Word::SettingsMoving)) }
            @if let Some(to) = &moving.moved_to {
                p { (say(Word::MovedTo)) " " a href=(to.url) rel="nofollow" { "@" (to.acct()) } }
                (one_button(visit, "/settings/move/cancel", "", say(Word::ComeBack)))
            }
            p class="fine" { (say(Word::AliasText)) }
            ul class="lines" {
                @for alias in &moving.aliases {
                    li {
                        div { strong { "@" (alias.acct) } }
                        (one_button(visit, "/settings/aliases/remove", &alias.uri, say(Word::AliasRemove)))
                    }
                }
            }
            form method="post" action=(visit.path("/settings/aliases")) {
                (visit.token_field())
                (other("alias", Word::AliasField).show(visit.lang))
                p class="actions" { button type="submit" { (say(Word::AliasAdd)) } }
            }
            @if moving.moved_to.is_none() { (leave_form(visit, visitor)) }
        }
    }
}

fn other(id: &'static str, label: Word) -> Field<'static> {
    Field { name: "other", id, label, kind: Kind::Name, autocomplete: "off", ..Field::default() }
}

fn leave_form(visit: &Visit, visitor: &Visitor) -> Markup {
    let password = Field {
        name: "password",
        id: "leave-password",
        label: Word::CurrentPassword,
        kind: Kind::Password,
        autocomplete: "current-password",
        ..Field::default()
    };
    html! {
        form class="apart" method="post" action=(visit.path("/settings/move")) {
            (visit.token_field())
            p class="fine" { (Word::MoveText.text(visit.lang)) }
            input type="text" name="username" value=(visitor.account.username) autocomplete="username" aria-label=(Word::UserName.text(visit.lang)) hidden readonly;
            (other("destination", Word::MoveField).show(visit.lang))
            (password.show(visit.lang))
            p class="actions" { button class="quiet" type="submit" { (Word::MoveThere.text(visit.lang)) } }
        }
    }
}
