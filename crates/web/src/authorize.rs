//! Consent: an app asks to act for somebody, who says yes or no.
//!
//! <https://docs.joinmastodon.org/methods/oauth/#authorize>

use crate::{
    Web,
    error::{PageResult, WebError},
    forms::{Asked, Sent, hidden},
    lang::Lang,
    page::Page,
    visit::Visit,
    words::Word,
};
use axum::{
    Router,
    extract::OriginalUri,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use domain::oauth::{self, Consent, Request, Scope, Wrong};
use domain::sessions::Visitor;
use maud::{Markup, html};
use serde::Deserialize;
use url::{Url, form_urlencoded};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/oauth/authorize", get(show).post(decide)).route("/oauth/authorize/native", get(native))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Query {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    force_login: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Decision {
    form_token: String,
    decision: String,
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
}

impl Query {
    fn asked(&self) -> oauth::Asked {
        oauth::Asked {
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            response_type: self.response_type.clone(),
            scope: self.scope.clone(),
            state: self.state.clone(),
            code_challenge: self.code_challenge.clone(),
            code_challenge_method: self.code_challenge_method.clone(),
        }
    }
}

/// `GET /oauth/authorize`
async fn show(visit: Visit, OriginalUri(uri): OriginalUri, Asked(query): Asked<Query>) -> PageResult {
    let asked = oauth::request(&visit.web.db.read().await?, query.asked()).await;
    let request = match asked {
        Ok(request) => request,
        Err(wrong) => return mistake(&visit, wrong),
    };
    let forced = !matches!(query.force_login.as_str(), "" | "0" | "f" | "F" | "false" | "FALSE" | "off" | "OFF");
    if forced {
        return Ok(Redirect::to(&again(&visit, &uri)).into_response());
    }
    let here = uri.path_and_query().map_or("/", |path| path.as_str());
    let visitor = visit.signed_in(here)?;
    Ok(visit.page(&consent_page(&visit, visitor, (&request, &query), &again(&visit, &uri))))
}

/// The sign-in page for another account, which leads back here.
fn again(visit: &Visit, here: &Uri) -> String {
    let pairs = form_urlencoded::parse(here.query().unwrap_or_default().as_bytes());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.filter(|(name, _)| name != "force_login"));
    format!("{}&again=1", visit.sign_in_path(&format!("{}?{}", here.path(), query.finish())))
}

/// What the app did wrong is told to the person: an address that anybody can register is no place to be sent to
/// without having been asked.
fn mistake(visit: &Visit, wrong: Wrong) -> PageResult {
    let (error, back) = match wrong {
        Wrong::Client => return Err(WebError::bad(Word::UnknownClient)),
        Wrong::Redirect => return Err(WebError::bad(Word::UnknownRedirect)),
        Wrong::Other(error) => return Err(error.into()),
        Wrong::Request { error, back } => (error, back),
    };
    let lang = visit.lang;
    let body = html! {
        section class="card message" {
            h1 { (Word::BadRequestTitle.text(lang)) }
            p { (Word::AppMistake.text(lang)) " (" code { (error) } ")" }
            @if let Some(back) = &back {
                p class="actions" { a class="button quiet" href=(back) rel="noreferrer" { (Word::BackToApp.text(lang)) } }
            }
        }
    };
    let title = Word::BadRequestTitle.text(lang).to_owned();
    Ok(visit.page_with(StatusCode::BAD_REQUEST, &Page { title, body, narrow: true, secret: true, ..Page::default() }))
}

/// `POST /oauth/authorize`
async fn decide(visit: Visit, Sent(form): Sent<Decision>) -> PageResult {
    let visitor = visit.visitor.as_ref().ok_or_else(|| WebError::refused(Word::FormStale))?;
    visit.check_form(&form.form_token)?;
    let asked = oauth::Asked {
        client_id: form.client_id,
        redirect_uri: form.redirect_uri,
        response_type: form.response_type,
        scope: form.scope,
        state: form.state,
        code_challenge: form.code_challenge,
        code_challenge_method: form.code_challenge_method,
    };
    let checked = oauth::request(&visit.web.db.read().await?, asked).await;
    let request = match checked {
        Ok(request) => request,
        Err(wrong) => return mistake(&visit, wrong),
    };
    let consent = match form.decision.as_str() {
        "authorize" => oauth::authorize(&visit.web.db, visitor.user.id, &request).await?,
        _ => request.deny(),
    };
    Ok(match consent {
        Consent::Redirect(url) => leave(&url),
        Consent::Show(code) => leave(&visit.path(&format!("/oauth/authorize/native?code={code}"))),
        Consent::Nothing => visit.page(&denied_page(visit.lang)),
    })
}

/// 302, as Mastodon does: some apps watch for it.
fn leave(to: &str) -> Response {
    match HeaderValue::try_from(to) {
        Ok(to) => {
            (StatusCode::FOUND, [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
                .into_response()
        }
        Err(_) => WebError::bad(Word::UnknownRedirect).into_response(),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Native {
    code: String,
}

/// `GET /oauth/authorize/native?code=`: shows the code to apps without an address.
async fn native(visit: Visit, Asked(native): Asked<Native>) -> PageResult {
    let lang = visit.lang;
    let ours = native.code.len() == 43 && native.code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !ours {
        return Err(WebError::not_found());
    }
    let body = html! {
        section class="card" {
            h1 { (Word::CodeTitle.text(lang)) }
            p id="explanation" class="lead" { (Word::CodeText.text(lang)) }
            p { code class="copy" tabindex="0" aria-describedby="explanation" { (native.code) } }
        }
    };
    let title = Word::CodeTitle.text(lang).to_owned();
    Ok(visit.page(&Page { title, body, narrow: true, secret: true, ..Page::default() }))
}

fn denied_page(lang: Lang) -> Page {
    let title = Word::DeniedTitle.text(lang);
    let body = html! {
        section class="card message" { h1 { (title) } p { (Word::DeniedText.text(lang)) } }
    };
    Page { title: title.to_owned(), body, narrow: true, secret: true, ..Page::default() }
}

fn consent_page(visit: &Visit, visitor: &Visitor, (request, query): (&Request, &Query), other: &str) -> Page {
    let say = |word: Word| word.text(visit.lang);
    let carried = [
        ("response_type", &query.response_type),
        ("client_id", &query.client_id),
        ("redirect_uri", &query.redirect_uri),
        ("scope", &query.scope),
        ("state", &query.state),
        ("code_challenge", &query.code_challenge),
        ("code_challenge_method", &query.code_challenge_method),
    ];
    let handle = visit.web.site.handle(&visitor.account.username);
    let body = html! {
        section class="card" {
            h1 { (say(Word::ConsentTitle)) }
            p class="lead" { (wants(visit.lang, &request.app.name, &handle)) }
            h2 { (say(Word::ConsentMay)) }
            (permissions(visit.lang, request.scopes))
            p class="fine" {
                @if request.is_out_of_band() { (say(Word::ConsentOob)) }
                @else { (say(Word::ConsentBack)) " " strong { (destination(&request.redirect_uri)) } }
                br; (say(Word::ConsentEnd))
            }
            form method="post" action=(visit.path("/oauth/authorize")) {
                (visit.token_field())
                @for (name, value) in carried { @if !value.is_empty() { (hidden(name, value)) } }
                p class="actions" {
                    button type="submit" name="decision" value="authorize" { (say(Word::Authorize)) }
                    button class="quiet" type="submit" name="decision" value="deny" { (say(Word::Deny)) }
                }
            }
            p class="fine" { a href=(other) { (say(Word::OtherAccount)) } }
        }
    };
    let leads_to = Some(form_target(&request.redirect_uri));
    Page {
        title: say(Word::ConsentTitle).to_owned(),
        body,
        narrow: true,
        form: true,
        secret: true,
        leads_to,
        ..Page::default()
    }
}

fn wants(lang: Lang, app: &str, handle: &str) -> Markup {
    match lang {
        Lang::En => {
            html! { strong { (app) } " asks for access to your account " strong class="handle" { "@" (handle) "." } }
        }
        Lang::Ja => {
            html! { strong { (app) } " が、あなたのアカウント " strong class="handle" { "@" (handle) } " へのアクセスを求めています。" }
        }
    }
}

/// Where the app is answered, as far as a person can make sense of it.
fn destination(uri: &str) -> String {
    match Url::parse(uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            url.origin().unicode_serialization().replace("https://", "")
        }
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => uri.to_owned(),
    }
}

/// Browsers hold the content policy's `form-action` against every address that a form leads to, over all redirects:
/// the app's own, and wherever its server sends people on to, which may be any site with TLS.
fn form_target(uri: &str) -> String {
    match Url::parse(uri) {
        Ok(url) if url.scheme() == "http" => format!(" https: {}", url.origin().ascii_serialization()),
        Ok(url) if url.scheme() == "https" || uri == oauth::OUT_OF_BAND => " https:".into(),
        Ok(url) => format!(" https: {}:", url.scheme()),
        Err(_) => String::new(),
    }
}

/// What the app may do, in words: a line for each kind.
fn permissions(lang: Lang, scopes: oauth::Scopes) -> Markup {
    let line = |title: Word, parent: Scope| {
        let prefix = format!("{}:", parent.as_str());
        let whole = scopes.iter().any(|scope| scope == parent);
        let parts: Vec<&str> = scopes
            .iter()
            .filter_map(|scope| scope.as_str().strip_prefix(&prefix))
            .map(|noun| noun_in(lang, noun))
            .collect();
        html! {
            @if whole || !parts.is_empty() {
                li {
                    strong { (title.text(lang)) } ": "
                    @if whole { (Word::Everything.text(lang)) }
                    @else { (parts.join(if lang == Lang::En { ", " } else { "、" })) }
                }
            }
        }
    };
    let single = |word: Word, scope: Scope| {
        html! { @if scopes.iter().any(|s| s == scope) { li { strong { (word.text(lang)) } } } }
    };
    html! {
        ul class="permissions" {
            (single(Word::ScopeProfile, Scope::Profile))
            (line(Word::ScopeRead, Scope::Read))
            (line(Word::ScopeWrite, Scope::Write))
            (single(Word::ScopeFollow, Scope::Follow))
            (single(Word::ScopePush, Scope::Push))
            (line(Word::ScopeAdminRead, Scope::AdminRead))
            (line(Word::ScopeAdminWrite, Scope::AdminWrite))
        }
    }
}

/// What the part of a scope after the colon means.
fn noun_in(lang: Lang, noun: &str) -> &str {
    let (en, ja) = match noun {
        "accounts" => ("accounts", "アカウント"),
        "blocks" => ("blocks", "ブロック"),
        "bookmarks" => ("bookmarks", "ブックマーク"),
        "collections" => ("collections", "コレクション"),
        "conversations" => ("conversations", "会話"),
        "favourites" => ("favourites", "お気に入り"),
        "filters" => ("filters", "フィルター"),
        "follows" => ("follows", "フォロー"),
        "lists" => ("lists", "リスト"),
        "media" => ("pictures and media", "メディア"),
        "mutes" => ("mutes", "ミュート"),
        "notifications" => ("notifications", "通知"),
        "reports" => ("reports", "通報"),
        "search" => ("search", "検索"),
        "statuses" => ("posts and timelines", "投稿とタイムライン"),
        "domain_allows" => ("allowed servers", "許可サーバー"),
        "domain_blocks" => ("blocked servers", "ブロックしたサーバー"),
        "ip_blocks" => ("blocked addresses", "IPブロック"),
        "email_domain_blocks" => ("blocked e-mail providers", "メールドメインブロック"),
        "canonical_email_blocks" => ("blocked e-mail addresses", "メールアドレスブロック"),
        other => (other, other),
    };
    match lang {
        Lang::En => en,
        Lang::Ja => ja,
    }
}
