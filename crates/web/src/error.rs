//! What went wrong, as a page. Internal errors are logged here, once, and never shown.

use crate::{
    lang::Lang,
    page::{self, Page},
    words::Word,
};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

pub(crate) type PageResult = Result<Response, WebError>;

/// Why there is no page. Said in the visitor's language by [`speak`].
#[derive(Clone, Debug)]
pub(crate) enum WebError {
    Told(Told),
    /// First sign in, at this path.
    SignIn(String),
}

/// A page with this status and these words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    status: StatusCode,
    title: Word,
    why: Option<Word>,
}

impl WebError {
    fn told(status: StatusCode, title: Word, why: impl Into<Option<Word>>) -> Self {
        Self::Told(Told { status, title, why: why.into() })
    }

    pub(crate) fn not_found() -> Self {
        Self::told(StatusCode::NOT_FOUND, Word::NotFoundTitle, Word::NotFoundText)
    }

    /// 410: there was such a thing.
    pub(crate) fn gone() -> Self {
        Self::told(StatusCode::GONE, Word::GoneTitle, Word::GoneText)
    }

    /// 403: it may come back.
    pub(crate) fn suspended() -> Self {
        Self::told(StatusCode::FORBIDDEN, Word::SuspendedTitle, Word::SuspendedText)
    }

    /// 400: what was asked makes no sense.
    pub(crate) fn bad(why: Word) -> Self {
        Self::told(StatusCode::BAD_REQUEST, Word::BadRequestTitle, why)
    }

    /// 403
    pub(crate) fn refused(why: Word) -> Self {
        Self::told(StatusCode::FORBIDDEN, Word::RefusedTitle, why)
    }
}

impl From<domain::Error> for WebError {
    fn from(error: domain::Error) -> Self {
        use domain::Error::{Busy, Conflict, Forbidden, Gone, Internal, Invalid, NotFound, Unreachable};
        match error {
            NotFound => Self::not_found(),
            Gone => Self::gone(),
            Forbidden(_) => Self::told(StatusCode::FORBIDDEN, Word::RefusedTitle, None),
            Invalid { .. } | Conflict(_) => Self::told(StatusCode::UNPROCESSABLE_ENTITY, Word::BadRequestTitle, None),
            Busy(_) | Unreachable(_) => Self::told(StatusCode::SERVICE_UNAVAILABLE, Word::BusyTitle, Word::BusyText),
            Internal(cause) => {
                tracing::error!(error = format!("{cause:#}"), "page failed");
                Self::told(StatusCode::INTERNAL_SERVER_ERROR, Word::BrokenTitle, Word::BrokenText)
            }
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(path) => Redirect::to(&path).into_response(),
            Self::Told(told) => {
                let mut response = told.status.into_response();
                response.extensions_mut().insert(told);
                response
            }
        }
    }
}

/// Middleware that gives errors their page, in the language of the request.
pub(crate) async fn speak(request: Request, next: Next) -> Response {
    let lang = Lang::of_request(request.uri().query(), request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Told>() {
        Some(told) => told.page(lang),
        None => response,
    }
}

impl Told {
    /// Needs nothing but words: it can be shown when everything else is broken.
    fn page(self, lang: Lang) -> Response {
        let title = self.title.text(lang);
        let body = html! {
            section class="card message" {
                p class="status" aria-hidden="true" { (self.status.as_u16()) }
                h1 { (title) }
                @if let Some(why) = self.why { p { (why.text(lang)) } }
                p class="actions" { a class="button quiet" href="/" { (Word::GoHome.text(lang)) } }
            }
        };
        page::bare(self.status, lang, &Page { title: title.into(), body, narrow: true, ..Page::default() })
    }
}

/// The page for a request that failed with `status`, in the language of its headers.
pub fn error_page(status: StatusCode, headers: &HeaderMap) -> Response {
    let (title, why) = match status {
        StatusCode::NOT_FOUND => (Word::NotFoundTitle, Some(Word::NotFoundText)),
        StatusCode::GONE => (Word::GoneTitle, Some(Word::GoneText)),
        StatusCode::TOO_MANY_REQUESTS => (Word::TooManyTitle, None),
        StatusCode::FORBIDDEN => (Word::RefusedTitle, None),
        status if status.is_client_error() => (Word::BadRequestTitle, None),
        _ => (Word::BrokenTitle, Some(Word::BrokenText)),
    };
    let mut response = Told { status, title, why }.page(Lang::of_request(None, headers));
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

/// 404 for paths without a route: for the router's fallback.
pub async fn not_found(headers: HeaderMap) -> Response {
    error_page(StatusCode::NOT_FOUND, &headers)
}

/// 405 for a page that is asked for in another way.
pub(crate) async fn wrong_method(headers: HeaderMap) -> Response {
    error_page(StatusCode::METHOD_NOT_ALLOWED, &headers)
}
