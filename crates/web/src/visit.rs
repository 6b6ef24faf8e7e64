//! A visit: who looks at a page, in what language, and whether a form really comes from one of our pages.

use crate::{Web, cookies::Cookie, error::WebError, lang::Lang, words::Word};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts},
};
use domain::{
    secrets,
    sessions::{self, Visitor},
    settings::{self, InstanceSettings},
    site::ClientIp,
};
use url::form_urlencoded;

/// Who looks, and how to speak to them.
pub(crate) struct Visit {
    pub(crate) web: Web,
    pub(crate) lang: Lang,
    /// What the site is called, and what else its owner decided.
    pub(crate) settings: InstanceSettings,
    /// Who is signed in.
    pub(crate) visitor: Option<Visitor>,
    /// What somebody holds whose password was right and whose code is still to come.
    pub(crate) challenge: Option<String>,
    pub(crate) ip: Option<ClientIp>,
    pub(crate) agent: String,
    /// The address names the language: links carry it on.
    lang_given: bool,
    /// What forms are tied to: the session's secret, or the browser's.
    secret: String,
    /// The browser has to be given the secret for that.
    fresh: bool,
    foreign: bool,
    /// Path and query; None for forms.
    here: Option<Uri>,
}

impl FromRequestParts<Web> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, WebError> {
        let headers = &parts.headers;
        let session = Cookie::Session.read(web, headers);
        let conn = web.db.read().await?;
        let settings = settings::read(&conn).await?;
        let visitor = match &session {
            None => None,
            Some(token) => sessions::visitor(&conn, token).await?,
        };
        drop(conn);
        let known = if visitor.is_some() { session } else { Cookie::Browser.read(web, headers) };
        Ok(Self {
            web: web.clone(),
            lang: Lang::of_request(parts.uri.query(), headers),
            settings,
            visitor,
            challenge: Cookie::Challenge.read(web, headers),
            ip: parts.extensions.get::<ClientIp>().copied(),
            agent: text(headers, header::USER_AGENT).to_owned(),
            lang_given: Lang::asked(parts.uri.query()).is_some(),
            fresh: known.is_none(),
            secret: known.map_or_else(secrets::token, Ok)?,
            foreign: is_foreign(web, headers),
            here: (parts.method == Method::GET).then(|| parts.uri.clone()),
        })
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether the browser says that the request comes from a page of another site. `null` is what hidden origins say.
fn is_foreign(web: &Web, headers: &HeaderMap) -> bool {
    let own = |origin: &str| {
        // While developing, the same server goes by several names; over TLS it has one.
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        let same_host = !web.is_secure() && host.eq_ignore_ascii_case(text(headers, header::HOST));
        origin.eq_ignore_ascii_case(&web.site.base_url) || same_host
    };
    match (text(headers, header::ORIGIN), text(headers, HeaderName::from_static("sec-fetch-site"))) {
        ("", site) => !matches!(site, "" | "same-origin" | "none"),
        (origin, _) => !own(origin),
    }
}

impl Visit {
    /// What every form on a page for this visitor carries as `form_token`.
    pub(crate) fn form_token(&self) -> String {
        secrets::mac(&self.secret, "form")
    }

    /// The cookie without which a form on this page cannot be sent; None when the browser has it.
    pub(crate) fn form_cookie(&self) -> Option<HeaderValue> {
        if self.fresh { Cookie::Browser.set(&self.web, &self.secret) } else { None }
    }

    /// How a form that arrived stands to the pages it could come from.
    pub(crate) fn form(&self, token: &str) -> Form {
        match (self.foreign, !self.fresh && secrets::same(&self.form_token(), token)) {
            (true, _) => Form::Foreign,
            (false, false) => Form::Stale,
            (false, true) => Form::Own,
        }
    }

    /// Refuses forms that are not [`Form::Own`].
    pub(crate) fn check_form(&self, token: &str) -> Result<(), WebError> {
        match self.form(token) {
            Form::Own => Ok(()),
            Form::Stale => Err(WebError::refused(Word::FormStale)),
            Form::Foreign => Err(WebError::refused(Word::FormForeign)),
        }
    }

    /// Who is signed in; others are asked to sign in and come back to `here`.
    pub(crate) fn signed_in(&self, here: &str) -> Result<&Visitor, WebError> {
        self.visitor.as_ref().ok_or_else(|| WebError::SignIn(self.sign_in_path(here)))
    }

    /// The sign-in page that leads to `next`.
    pub(crate) fn sign_in_path(&self, next: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", next).finish();
        self.path(&format!("/auth/sign_in?{query}"))
    }

    /// `path` in the language that this page was asked for in.
    pub(crate) fn path(&self, path: &str) -> String {
        let join = if path.contains('?') { '&' } else { '?' };
        if self.lang_given { format!("{path}{join}lang={}", self.lang.code()) } else { path.to_owned() }
    }

    /// This very page in another language; None when it is the answer to a form.
    pub(crate) fn path_in(&self, lang: Lang) -> Option<String> {
        let here = self.here.as_ref()?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = form_urlencoded::parse(here.query().unwrap_or_default().as_bytes());
        query.extend_pairs(pairs.filter(|(name, _)| name != "lang"));
        query.append_pair("lang", lang.code());
        Some(format!("{}?{}", here.path(), query.finish()))
    }
}

/// Where a form comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A page of ours, opened by the same browser and the same person.
    Own,
    /// A page of ours perhaps, but of before: who is signed in has changed, or the browser has lost its cookies.
    Stale,
    /// A page of another site.
    Foreign,
}
