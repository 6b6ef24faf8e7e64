//! About the site: what its owner says, the rules, whom to turn to.

use crate::{
    Web,
    error::PageResult,
    home::{contact, run_by},
    page::Page,
    visit::Visit,
    words::Word,
};
use axum::{Router, routing::get};
use domain::text;
use maud::{PreEscaped, html};
use std::collections::HashMap;

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/about", get(show))
}

/// `GET /about`
async fn show(visit: Visit) -> PageResult {
    let say = |word: Word| word.text(visit.lang);
    let contact = contact(&visit.web.db.read().await?, &visit.settings).await?;
    let (site, settings) = (&visit.web.site, &visit.settings);
    let nobody = HashMap::new();
    let options = text::Options { base_url: &site.base_url, local_domains: &site.domains(), mentions: &nobody };
    let body = html! {
        section class="card" {
            h1 { (settings.title) }
            p class="lead" { (site.domain) }
            @if !settings.description.is_empty() { p { (settings.description) } }
            div class="prose" { (PreEscaped(text::html(&settings.about, &options))) }
            @if !settings.rules.is_empty() {
                h2 { (say(Word::Rules)) }
                ol class="rules" {
                    @for rule in &settings.rules {
                        li { (rule.text) @if !rule.hint.is_empty() { br; span class="hint" { (rule.hint) } } }
                    }
                }
            }
            h2 { (say(Word::Contact)) }
            @if let Some(account) = &contact { (run_by(visit.lang, account)) }
            @if !settings.contact_email.is_empty() {
                p { a href={ "mailto:" (settings.contact_email) } { (settings.contact_email) } }
            }
            h2 { (say(Word::Software)) }
            p class="fine" { "Noren " (visit.web.version) " · AGPL-3.0-or-later" }
        }
    };
    let title = say(Word::About).to_owned();
    Ok(visit.page(&Page { title, body, ..Page::default() }))
}
