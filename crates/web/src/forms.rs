//! Reading forms and addresses, and the parts that forms are made of.

use crate::{error::WebError, lang::Lang, visit::Visit, words::Word};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use domain::users::Fault;
use maud::{Markup, html};
use serde::de::DeserializeOwned;

/// The fields of a form that was sent. `T` has `#[serde(default)]`.
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = WebError;
    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let form = axum::Form::<T>::from_request(request, state).await;
        form.map(|form| Self(form.0)).map_err(|_| WebError::bad(Word::FormBroken))
    }
}

/// The parameters of an address. `T` has `#[serde(default)]`.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = WebError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|_| WebError::bad(Word::FormBroken))
    }
}

/// Parts of the path. What cannot be read names nothing: 404.
pub(crate) struct Place<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = WebError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        // PostgreSQL cannot hold a NUL in a text.
        if parts.uri.path().contains("%00") {
            return Err(WebError::not_found());
        }
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| WebError::not_found())
    }
}

/// A field that people fill in.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'static str,
    /// Its place on the page, if another form there has a field of the same name.
    pub(crate) id: &'static str,
    pub(crate) label: Word,
    pub(crate) kind: Kind,
    pub(crate) value: &'a str,
    /// What browsers and password managers may put in.
    pub(crate) autocomplete: &'static str,
    pub(crate) hint: Option<Word>,
    /// What is wrong with what was typed.
    pub(crate) error: Option<String>,
    pub(crate) optional: bool,
    pub(crate) focus: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A name in Latin letters: no capitals, no corrections.
    Name,
    Email,
    Password,
    /// Digits that are good once.
    Code,
    /// Several lines.
    Long,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self {
            name: "",
            id: "",
            label: Word::UserName,
            kind: Kind::Text,
            value: "",
            autocomplete: "off",
            hint: None,
            error: None,
            optional: false,
            focus: false,
        }
    }
}

impl Field<'_> {
    pub(crate) fn show(&self, lang: Lang) -> Markup {
        let id = if self.id.is_empty() { self.name } else { self.id };
        let (hint, error) = (format!("{id}-hint"), format!("{id}-error"));
        // What is wrong says what is wanted too.
        let wanted = self.hint.filter(|_| self.error.is_none());
        let described = self.error.as_ref().map(|_| &error).or(wanted.map(|_| &hint));
        let kind = match self.kind {
            Kind::Text | Kind::Name | Kind::Code | Kind::Long => "text",
            Kind::Email => "email",
            Kind::Password => "password",
        };
        let plain = (!matches!(self.kind, Kind::Text | Kind::Long)).then_some("none");
        let digits = (self.kind == Kind::Code).then_some("numeric");
        let invalid = self.error.as_ref().map(|_| "true");
        html! {
            div class="field" {
                label for=(id) {
                    (self.label.text(lang))
                    @if self.optional { " " span class="optional" { (Word::Optional.text(lang)) } }
                }
                @if self.kind == Kind::Long {
                    textarea id=(id) name=(self.name) rows="4" required[!self.optional] autofocus[self.focus]
                        aria-describedby=[described] aria-invalid=[invalid] { (self.value) }
                } @else {
                    input id=(id) name=(self.name) type=(kind) value=(self.value) autocomplete=(self.autocomplete)
                        inputmode=[digits] autocapitalize=[plain] autocorrect=[plain.map(|_| "off")]
                        spellcheck=[plain.map(|_| "false")] required[!self.optional] autofocus[self.focus]
                        aria-describedby=[described] aria-invalid=[invalid];
                }
                @if let Some(why) = &self.error { p class="error" id=(error) { (why) } }
                @if let Some(word) = wanted { p class="hint" id=(hint) { (word.text(lang)) } }
            }
        }
    }
}

/// What is wrong with a field, in the visitor's language.
pub(crate) fn fault(lang: Lang, field: &str, fault: Fault) -> String {
    match (fault, field) {
        (Fault::Blank, _) => Word::Blank.text(lang).into(),
        (Fault::Invalid, "email") => Word::EmailInvalid.text(lang).into(),
        (Fault::Invalid, _) => Word::NameInvalid.text(lang).into(),
        (Fault::Taken, _) => Word::Taken.text(lang).into(),
        (Fault::Reserved, _) => Word::Reserved.text(lang).into(),
        (Fault::TooLong(most), _) => Word::too_long(lang, most),
        (Fault::TooShort(least), _) => Word::too_short(lang, least),
    }
}

impl Visit {
    /// The field that ties a form to this visitor.
    pub(crate) fn token_field(&self) -> Markup {
        hidden("form_token", &self.form_token())
    }
}

pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Something important above a form: what went wrong, or what is done.
pub(crate) fn notice(kind: Notice, text: &str) -> Markup {
    match kind {
        Notice::Wrong => html! { p class="notice wrong" role="alert" { (text) } },
        Notice::Done => html! { p class="notice done" role="status" { (text) } },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Wrong,
    Done,
}
