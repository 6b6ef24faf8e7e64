//! Browsers in which one is signed in.

use super::{HERE, OneForm, done, gone_is_fine, one_button};
use crate::{
    error::{PageResult, WebError},
    forms::Sent,
    visit::Visit,
    words::Word,
};
use domain::sessions::{self, Session, Visitor};
use maud::{Markup, html};

/// `POST /settings/browsers`
pub(super) async fn end(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    let id = form.id.parse().map_err(|_| WebError::bad(Word::FormBroken))?;
    gone_is_fine(sessions::end(&visit.web.db, visitor.user.id, id).await)?;
    done(&visit, "browser")
}

/// `POST /settings/browsers/others`
pub(super) async fn end_others(visit: Visit, Sent(form): Sent<OneForm>) -> PageResult {
    let visitor = visit.signed_in(HERE)?;
    visit.check_form(&form.form_token)?;
    sessions::end_others(&visit.web.db, visitor.user.id, visitor.session.id).await?;
    done(&visit, "browsers")
}

pub(super) fn card(visit: &Visit, visitor: &Visitor, sessions: &[Session]) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    html! {
        section class="card" {
            h2 { (say(Word::SettingsBrowsers)) }
            ul class="lines" {
                @for session in sessions {
                    li {
                        div {
                            strong title=(session.user_agent) { (browser_name(&session.user_agent)) }
                            @if session.id == visitor.session.id { " " span class="tag" { (say(Word::ThisBrowser)) } }
                            p class="fine" { (say(Word::SignedInOn)) " " (visit.lang.time(session.created_at)) }
                        }
                        @if session.id != visitor.session.id {
                            (one_button(visit, "/settings/browsers", &session.id.to_string(), say(Word::EndSession)))
                        }
                    }
                }
            }
            @if sessions.len() > 1 {
                form class="apart" method="post" action=(visit.path("/settings/browsers/others")) {
                    (visit.token_field())
                    button class="quiet small" type="submit" { (say(Word::EndOthers)) }
                }
            }
        }
    }
}

/// `Firefox, Linux` for what browsers say about themselves at length.
fn browser_name(agent: &str) -> String {
    let first =
        |table: &[(&str, &'static str)]| table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    // The order matters: most claim to be their predecessors too.
    let browser = first(&[
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Vivaldi/", "Vivaldi"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(browser), None) => browser.into(),
        _ if agent.is_empty() => "?".into(),
        _ => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_have_names() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            ("python-requests/2.32", "python-requests/2.32"),
            ("", "?"),
        ] {
            assert_eq!(browser_name(agent), name);
        }
    }
}
