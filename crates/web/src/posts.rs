//! Posts as they stand on pages: loaded for a list, shown one by one. Pages show what everybody may see, no more.

use crate::{
    Web,
    lang::Lang,
    visit::Visit,
    words::{Counted, Word},
};
use ::media::keys::{self, Style};
use domain::{
    Result,
    accounts::{self, Account},
    db::Conn,
    emojis::{self, Emoji},
    ids::{AccountId, PollId, StatusId},
    media::{self, Attachment, Kind, State},
    polls::{self, Poll},
    site::Site,
    statuses::{Status, visibility::Shown},
};
use maud::{Markup, PreEscaped, html};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Where a picture is shown of those who have none.
const NO_AVATAR: &str = "/avatars/original/missing.png";

/// A list of posts with everything that showing them needs.
pub(crate) struct Posts {
    shown: Shown,
    accounts: HashMap<AccountId, Account>,
    media: HashMap<StatusId, Vec<Attachment>>,
    polls: HashMap<PollId, Poll>,
    emojis: HashMap<String, Emoji>,
}

impl Posts {
    pub(crate) async fn load(web: &Web, conn: &Conn, shown: Shown) -> Result<Self> {
        let rules = web.federation.policy.rules_on(conn).await?;
        let all = || shown.statuses.iter().chain(shown.reblogged.values());
        let accounts = accounts::store::by_ids(conn, all().map(|s| s.account_id)).await?;
        let mut media: HashMap<StatusId, Vec<Attachment>> = HashMap::new();
        for row in media::store::by_statuses(conn, all().filter(|s| s.has_media).map(|s| s.id)).await? {
            if let Some(id) = row.status_id {
                media.entry(id).or_default().push(row);
            }
        }
        let polls = polls::store::by_ids(conn, all().filter_map(|s| s.poll_id)).await?;
        let mut shortcodes: Vec<String> = all().flat_map(|s| listed(&s.emojis_json)).collect();
        shortcodes.extend(accounts.iter().flat_map(Account::shortcodes));
        let emojis = emojis::by_names(conn, &shortcodes).await?;
        // What a rule about their server keeps from sight.
        let barred = |a: &Account| rules.bars(&a.acct(), &a.uri);
        let hidden: HashSet<AccountId> = accounts.iter().filter(|a| barred(a)).map(|a| a.id).collect();
        all().filter(|s| hidden.contains(&s.account_id)).for_each(|s| drop(media.remove(&s.id)));
        let shown_of =
            |a: Account| if hidden.contains(&a.id) { Account { avatar: None, header: None, ..a } } else { a };
        let is_seen = |e: &Emoji| e.domain.as_deref().is_none_or(|domain| !rules.rejects_media(domain));
        Ok(Self {
            accounts: accounts.into_iter().map(|a| (a.id, shown_of(a))).collect(),
            polls: polls.into_iter().map(|p| (p.id, p)).collect(),
            emojis: emojis.into_iter().filter(is_seen).map(|e| (e.name(), e)).collect(),
            media,
            shown,
        })
    }

    pub(crate) fn statuses(&self) -> &[Status] {
        &self.shown.statuses
    }

    /// The first picture of a post, for link previews.
    pub(crate) fn picture(&self, id: StatusId) -> Option<&Attachment> {
        self.media.get(&id)?.iter().find(|row| row.kind == Kind::Image && row.state == State::Ready)
    }

    /// One post of the list; a boost shows what it boosts.
    pub(crate) fn show(&self, visit: &Visit, status: &Status) -> Markup {
        let booster = status.reblog_of_id.and_then(|_| self.accounts.get(&status.account_id));
        let original = match status.reblog_of_id {
            None => Some(status),
            Some(id) => self.shown.reblogged.get(&id),
        };
        let Some(post) = original else { return html! {} };
        let Some(author) = self.accounts.get(&post.account_id) else { return html! {} };
        let say = |word: Word| word.text(visit.lang);
        html! {
            article class="post" {
                @if let Some(booster) = booster {
                    p class="fine" {
                        (self.name(&visit.web.site, booster))
                        @if visit.lang == Lang::En { " " }
                        (say(Word::Boosted))
                    }
                }
                (self.byline(visit, author))
                @if post.spoiler_text.is_empty() { (self.content(visit, (post, author))) }
                @else {
                    details {
                        summary { (self.emojify(&visit.web.site, author.domain.as_deref(), &escape(&post.spoiler_text))) }
                        (self.content(visit, (post, author)))
                    }
                }
                (footer(visit, post))
            }
        }
    }

    fn byline(&self, visit: &Visit, author: &Account) -> Markup {
        html! {
            header class="byline" {
                img class="avatar" src=(avatar(&visit.web.site, author)) alt="" width="48" height="48" loading="lazy";
                div {
                    a class="name" href=(author.url) { (self.name(&visit.web.site, author)) }
                    span class="handle" { "@" (handle(&visit.web.site, author)) }
                }
            }
        }
    }

    fn content(&self, visit: &Visit, (post, author): (&Status, &Account)) -> Markup {
        let say = |word: Word| word.text(visit.lang);
        let pictures = self.pictures(visit, post);
        html! {
            div class="prose" lang=[post.language.as_deref()] { (self.emojify(&visit.web.site, author.domain.as_deref(), &post.content)) }
            @if let Some(poll) = post.poll_id.and_then(|id| self.polls.get(&id)) { (votes(visit.lang, poll)) }
            @if !pictures.is_empty() {
                // Behind a content warning one click is enough.
                @if post.sensitive && post.spoiler_text.is_empty() {
                    details { summary { (say(Word::Sensitive)) } div class="media" { @for one in pictures { (one) } } }
                } @else {
                    div class="media" { @for one in pictures { (one) } }
                }
            }
        }
    }

    fn pictures(&self, visit: &Visit, post: &Status) -> Vec<Markup> {
        let rows = self.media.get(&post.id).map(Vec::as_slice).unwrap_or_default();
        let site = &visit.web.site;
        let ready = rows.iter().filter(|row| row.state == State::Ready);
        let one = |row: &Attachment| {
            let original = site.media(&shown(row, Style::Original, row.original.as_deref()?));
            let small = preview(row).map(|key| site.media(&key));
            let alt = row.description.as_deref().unwrap_or_default();
            Some(match row.kind {
                Kind::Image => html! {
                    a href=(original) { img src=(small.as_deref().unwrap_or(&original)) alt=(alt) title=(alt) loading="lazy"; }
                },
                Kind::Video | Kind::Gifv => {
                    html! { video src=(original) poster=[small] controls preload="none" title=(alt) {} }
                }
                Kind::Audio => html! { audio src=(original) controls preload="none" title=(alt) {} },
                Kind::Unknown => html! { a href=(original) { (Word::Media.text(visit.lang)) } },
            })
        };
        ready.filter_map(one).collect()
    }

    /// The name that somebody chose, with emoji; the user name of those who chose none.
    pub(crate) fn name(&self, site: &Site, account: &Account) -> Markup {
        let name = if account.display_name.is_empty() { &account.username } else { &account.display_name };
        self.emojify(site, account.domain.as_deref(), &escape(name))
    }

    /// HTML with pictures in place of shortcodes, those of the server that it is from. Tags are left alone.
    pub(crate) fn emojify(&self, site: &Site, domain: Option<&str>, html: &str) -> Markup {
        if self.emojis.is_empty() {
            return PreEscaped(html.to_owned());
        }
        let mut out = String::with_capacity(html.len());
        let mut rest = html;
        while let Some(at) = rest.find(['<', ':']) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = match rest.starts_with('<') {
                true => rest.find('>').map_or(rest.len(), |end| end + 1),
                false => match self.shortcode(domain, rest) {
                    Some((emoji, length)) => {
                        out.push_str(&picture(site, emoji).into_string());
                        rest = &rest[length..];
                        continue;
                    }
                    None => 1,
                },
            };
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        out.push_str(rest);
        PreEscaped(out)
    }

    /// The emoji whose shortcode, with its colons, `text` begins with, and how long that is.
    fn shortcode(&self, domain: Option<&str>, text: &str) -> Option<(&Emoji, usize)> {
        let word = text.get(1..)?.split(':').next()?;
        let whole = text.get(1 + word.len()..)?.starts_with(':');
        let emoji = match domain {
            _ if !whole => None,
            None => self.emojis.get(word),
            Some(domain) => self.emojis.get(&format!("{word}@{domain}")),
        }?;
        Some((emoji, word.len() + 2))
    }
}

fn picture(site: &Site, emoji: &Emoji) -> Markup {
    let text = format!(":{}:", emoji.shortcode);
    let image = keys::shown((keys::Kind::Emoji, emoji.id.0, Style::Original), &emoji.image);
    html! { img class="emoji" src=(site.media(&image)) alt=(text) title=(text) width="20" height="20"; }
}

fn shown<'a>(row: &Attachment, style: Style, stored: &'a str) -> Cow<'a, str> {
    keys::shown((keys::Kind::Attachment, row.id.0, style), stored)
}

/// The key of the small version, if there is one or one can be made.
pub(crate) fn preview(row: &Attachment) -> Option<Cow<'_, str>> {
    let made = || row.original.as_deref().filter(|stored| row.kind == Kind::Image && keys::is_address(stored));
    row.small.as_deref().or_else(made).map(|stored| shown(row, Style::Small, stored))
}

fn listed(json: &str) -> Vec<String> {
    if json == "[]" { Vec::new() } else { serde_json::from_str(json).unwrap_or_default() }
}

fn escape(text: &str) -> String {
    html! { (text) }.into_string()
}

pub(crate) fn avatar(site: &Site, account: &Account) -> String {
    match &account.avatar {
        Some(key) => site.media(&keys::shown((keys::Kind::Avatar, account.id.0, Style::Original), key)),
        None => format!("{}{NO_AVATAR}", site.base_url),
    }
}

/// The key of somebody's header.
pub(crate) fn header<'a>(account: &Account, stored: &'a str) -> Cow<'a, str> {
    keys::shown((keys::Kind::Header, account.id.0, Style::Original), stored)
}

/// `alice@noren.example`
pub(crate) fn handle(site: &Site, account: &Account) -> String {
    if account.is_local() { site.handle(&account.username) } else { account.acct() }
}

fn votes(lang: Lang, poll: &Poll) -> Markup {
    let options = poll.options();
    let all: i64 = options.iter().map(|choice| choice.votes).sum();
    let hidden = poll.hide_totals && !poll.expired(domain::Time::now());
    html! {
        ul class="poll" {
            @for choice in &options {
                li {
                    span { (choice.title) }
                    @if !hidden {
                        span class="count" { (choice.votes) " " (Counted::Votes.text(lang, choice.votes)) }
                        meter min="0" max=(all.max(1)) value=(choice.votes) aria-hidden="true" {}
                    }
                }
            }
        }
    }
}

fn footer(visit: &Visit, post: &Status) -> Markup {
    let say = |word: Word| word.text(visit.lang);
    let counts = [
        (post.replies_count, Counted::Replies),
        (post.reblogs_count, Counted::Boosts),
        (post.favourites_count, Counted::Favourites),
    ];
    html! {
        footer class="fine" {
            a href=[post.url.as_deref()] {
                time datetime=(post.created_at.iso()) { (visit.lang.time(post.created_at)) }
            }
            @if post.edited_at.is_some() { " · " (say(Word::Edited)) }
            @for (n, what) in counts { @if n > 0 { " · " (n) " " (what.text(visit.lang, n)) } }
        }
    }
}
