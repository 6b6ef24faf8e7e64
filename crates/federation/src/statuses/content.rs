//! What of a post of another server is shown as its text, and as its warning.

use crate::Federation;
use crate::documents::{self, Note, NoteKind};
use domain::accounts::Account;
use domain::text::mfm::{self, Names};
use domain::text::sanitise::MAX_INPUT;
use domain::text::{self, tag_key};

/// Bytes of an article that is shown whole.
const SHORT: usize = 4_000;

/// Characters of a note's title.
const TITLE: usize = 500;

const MFM: &str = "text/x.misskeymarkdown";
const MARKDOWN: &str = "text/markdown";

fn is_note(note: &Note) -> bool {
    matches!(note.kind, NoteKind::Note | NoteKind::Question)
}

/// The warning. What is no note says with its summary what it is about, unless there is something to warn of.
pub(super) fn warning(note: &Note) -> String {
    if is_note(note) || note.sensitive { note.summary.clone() } else { String::new() }
}

/// A post, or a picture of it, that is not to be seen without asking.
pub(super) fn is_sensitive(note: &Note, warning: &str) -> bool {
    note.sensitive || !warning.is_empty() || note.attachments.iter().any(|a| a.sensitive)
}

impl Federation {
    /// HTML, not yet made safe. `people`: known accounts that are named in it.
    pub(super) fn content(&self, note: &Note, people: &[Account]) -> String {
        let title = note.name.as_deref().filter(|name| !name.trim().is_empty());
        match title {
            Some(title) if !is_note(note) => article(note, title),
            _ => {
                let head = title.and_then(|title| heading(note, title)).unwrap_or_default();
                let text = self.mfm(note, people).unwrap_or_else(|| within_bounds(note, head.len()));
                head + &text
            }
        }
    }

    /// What was typed in Misskey, where the HTML that it sends shows less of it: functions are italics there, and how
    /// something is read stands behind it like any word, or not at all.
    fn mfm(&self, note: &Note, people: &[Account]) -> Option<String> {
        let source = note.source.as_ref().filter(|it| it.media_type.starts_with(MFM) && !note.html_mfm)?;
        if !mfm::has_functions(&source.content) {
            return None;
        }
        let mut html = mfm::mfm_html(&source.content, &self.names(note, people))?;
        if let Some(quote) = note.quote.as_ref().filter(|quote| !source.content.contains(&quote.id)) {
            // For those who do not show quotes; it stands in the HTML that came, too.
            let link = escaped(&quote.id);
            html.push_str(&format!("<p class=\"quote-inline\">RE: <a href=\"{link}\">{link}</a></p>"));
        }
        Some(html)
    }

    fn names(&self, note: &Note, people: &[Account]) -> Names {
        let mut names = Names { host: documents::host(&note.author).unwrap_or_default(), ..Names::default() };
        for mention in &note.mentions {
            let known = people.iter().find(|a| a.uri == mention.href || a.url == mention.href);
            let page = known.map_or(&mention.href, |a| &a.url);
            let name = mention.name.trim_start_matches('@').to_lowercase();
            let handle = match (name.contains('@'), documents::host(&mention.href)) {
                (false, Some(host)) => format!("{name}@{host}"),
                _ => name,
            };
            names.people.insert(handle, page.clone());
            if let Some(account) = known {
                names.people.insert(self.full_handle(account).to_lowercase(), page.clone());
            }
        }
        let tags = note.hashtags.iter().filter_map(|tag| Some((tag_key(&tag.name), tag.href.clone()?)));
        names.tags.extend(tags);
        names
    }
}

/// The title of a note, where it has one (Discourse, Hubzilla) and its text does not begin with it.
fn heading(note: &Note, title: &str) -> Option<String> {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<String>>();
    let title: String = title.chars().take(TITLE).collect();
    // No more of the text than can be the title.
    let beginning = &note.content[..note.content.floor_char_boundary(SHORT)];
    let is_said = words(&text::plain(beginning)).starts_with(&words(&title));
    (!is_said).then(|| format!("<p><strong>{}</strong></p>", escaped(&title)))
}

/// What is no note is shown by its title and a link, and what fits between them: all of it, else what its author says is
/// to be shown of it (FEP-b2b8), else what it is about.
fn article(note: &Note, title: &str) -> String {
    let (title, url) = (escaped(title), escaped(page(note)));
    let typed = note.source.as_ref().filter(|it| note.content.is_empty() && it.media_type.starts_with(MARKDOWN));
    let typed = typed.map(|it| markdown(&it.content)).unwrap_or_default();
    let about = if note.sensitive { "" } else { note.summary.as_str() };
    let preview = note.preview.as_deref().unwrap_or_default();
    let fits = |text: &&str| !text.trim().is_empty() && text.len() <= SHORT;
    let body = [note.content.as_str(), preview, about, typed.as_str()].into_iter().find(fits).unwrap_or_default();
    let facts: Vec<String> = note.when.iter().chain(&note.place).map(|fact| escaped(fact)).collect();
    let facts = if facts.is_empty() { String::new() } else { format!("<p>{}</p>", facts.join("<br>")) };
    format!("<p><strong>{title}</strong></p>{facts}{body}<p><a href=\"{url}\">{url}</a></p>")
}

/// PeerTube says in Markdown what its videos are about.
fn markdown(source: &str) -> String {
    if source.len() > SHORT {
        return String::new();
    }
    let options = text::Options { base_url: "", local_domains: &[], mentions: &text::Mentions::new() };
    text::markdown_html(source, &options)
}

/// The HTML; of what is longer than is kept, of which so much is `taken`, its beginning and where the rest is.
fn within_bounds(note: &Note, taken: usize) -> String {
    let (html, most) = (&note.content, MAX_INPUT.saturating_sub(taken));
    if html.len() <= most {
        return html.clone();
    }
    let url = escaped(page(note));
    let more = format!("<p>… <a href=\"{url}\">{url}</a></p>");
    let head = &html[..html.floor_char_boundary(most.saturating_sub(more.len()))];
    // Not in the middle of a tag.
    let whole = head.rfind('<').filter(|at| !head[*at..].contains('>')).unwrap_or(head.len());
    format!("{}{more}", &head[..whole])
}

fn page(note: &Note) -> &str {
    note.url.as_deref().unwrap_or(&note.id)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
