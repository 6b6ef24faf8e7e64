//! What is around every page: its head, the bar above, the lines below, and the headers that keep it safe.

use crate::{
    assets::{ICON_PATH, STYLE_PATH},
    lang::Lang,
    visit::Visit,
    words::Word,
};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use url::Url;

/// The type of what other servers read.
const DOCUMENT: &str = "application/activity+json";

/// What a page has of its own.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) body: Markup,
    /// Elements for the head, such as what link previews read.
    pub(crate) head: Markup,
    /// Where other servers find what it shows.
    pub(crate) document: Option<String>,
    /// One column of a form's width, in the middle.
    pub(crate) narrow: bool,
    /// Has a form that strangers can send.
    pub(crate) form: bool,
    /// Holds something secret or personal: nobody keeps a copy.
    pub(crate) secret: bool,
    /// Where a form may lead beyond this site: sources of the content policy.
    pub(crate) leads_to: Option<String>,
}

impl Visit {
    /// The page as an answer.
    pub(crate) fn page(&self, page: &Page) -> Response {
        self.page_with(StatusCode::OK, page)
    }

    pub(crate) fn page_with(&self, status: StatusCode, page: &Page) -> Response {
        let frame = Frame { lang: self.lang, site: Some(&self.settings.title), bar: self.bar(page), foot: self.foot() };
        let mut response = respond(status, &frame, (page, media_source(&self.web.site)));
        if page.form
            && let Some(cookie) = self.form_cookie()
        {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn bar(&self, page: &Page) -> Markup {
        let say = |word: Word| word.text(self.lang);
        html! {
            a class="brand" href=(self.path("/")) { (logo()) span { (self.settings.title) } }
            @match &self.visitor {
                Some(visitor) => {
                    nav {
                        a class="who" href=(self.path("/settings")) title=(say(Word::Settings)) { "@" (visitor.account.username) }
                        form method="post" action=(self.path("/auth/sign_out")) {
                            input type="hidden" name="form_token" value=(self.form_token());
                            button class="plain" type="submit" { (say(Word::SignOut)) }
                        }
                    }
                }
                // Not beside a form that is about just this.
                None if page.form => {}
                None => nav { a href=(self.path("/auth/sign_in")) { (say(Word::SignIn)) } },
            }
        }
    }

    fn foot(&self) -> Markup {
        html! {
            a href=(self.path("/about")) { (Word::About.text(self.lang)) }
            @for (lang, name) in [(Lang::En, "English"), (Lang::Ja, "日本語")] {
                @if lang != self.lang && let Some(path) = self.path_in(lang) {
                    a href=(path) lang=(lang.code()) hreflang=(lang.code()) rel="nofollow" { (name) }
                }
            }
            span { "Noren " (self.web.version) }
        }
    }
}

/// A page without a visit: no site's name, no bar.
pub(crate) fn bare(status: StatusCode, lang: Lang, page: &Page) -> Response {
    let bar = html! { a class="brand" href="/" { (logo()) } };
    respond(status, &Frame { lang, site: None, bar, foot: html! {} }, (page, None))
}

struct Frame<'a> {
    lang: Lang,
    site: Option<&'a str>,
    bar: Markup,
    foot: Markup,
}

fn respond(status: StatusCode, frame: &Frame<'_>, (page, media): (&Page, Option<String>)) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang=(frame.lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title {
                    (page.title)
                    @if let Some(site) = frame.site && *site != page.title { " · " (site) }
                }
                link rel="stylesheet" href=(*STYLE_PATH);
                link rel="icon" href=(*ICON_PATH) type="image/svg+xml";
                @if let Some(uri) = &page.document { link rel="alternate" type=(DOCUMENT) href=(uri); }
                (page.head)
            }
            body {
                a class="skip" href="#content" { (Word::SkipToContent.text(frame.lang)) }
                header class="bar" { div { (frame.bar) } }
                main id="content" class=[page.narrow.then_some("narrow")] { (page.body) }
                footer { (frame.foot) }
            }
        }
    };
    let mut response = (status, Html(document.into_string())).into_response();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'{}; media-src 'self'{}; form-action 'self'{}; \
         base-uri 'none'; frame-ancestors 'none'",
        media.as_deref().unwrap_or_default(),
        media.as_deref().unwrap_or_default(),
        page.leads_to.as_deref().unwrap_or_default(),
    );
    let caching = if page.secret || page.form { "no-store" } else { "private, no-cache" };
    let headers: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        // Not stricter: with less, browsers would not say where forms come from.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    response.headers_mut().extend(headers);
    if let Some(uri) = &page.document
        && let Ok(link) = HeaderValue::try_from(format!("<{uri}>; rel=\"alternate\"; type=\"{DOCUMENT}\""))
    {
        response.headers_mut().insert(header::LINK, link);
        // Who accepts the document gets it at the same address.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    }
    response
}

/// The source of stored media for the content policy, with a space before it; None when it is this site.
fn media_source(site: &domain::site::Site) -> Option<String> {
    if site.media_url.starts_with(&site.base_url) {
        return None;
    }
    let url = Url::parse(&site.media_url).ok()?;
    Some(format!(" {}", url.origin().ascii_serialization()))
}

/// The curtain in front of a shop: a rod and three cloths.
pub(crate) fn logo() -> Markup {
    html! {
        svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false" {
            path class="rod" d="M1.5 6.5h29" {}
            path class="cloth" d="M4 8h7.4v16.2c0 .8-.6 1.3-1.3 1.3H5.3c-.7 0-1.3-.5-1.3-1.3z" {}
            path class="cloth" d="M12.3 8h7.4v18.2c0 .8-.6 1.3-1.3 1.3h-4.8c-.7 0-1.3-.5-1.3-1.3z" {}
            path class="cloth" d="M20.6 8H28v16.2c0 .8-.6 1.3-1.3 1.3h-4.8c-.7 0-1.3-.5-1.3-1.3z" {}
        }
    }
}
