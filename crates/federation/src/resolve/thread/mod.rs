//! The answers to a post elsewhere that nobody sent here: first what its context lists, then the answers to each answer.
//!
//! A list proves nothing but that something may be there: each entry is fetched where it is from, and kept only when it
//! answers something that is here, or is what an answer that is here answers. Everything has an end: what is asked for in one
//! walk, at one host at once, how many pages a list may have, how far up it goes, how long it takes.

mod step;

use crate::Federation;
use crate::documents::{Collection, Note, Page, host};
use crate::fetch::Meter;
use domain::ids::StatusId;
use domain::statuses::{self, threads};
use domain::{Error, Result};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::time::{Duration, Instant};
use step::{Got, Step};

/// Requests of one walk, whoever and whatever they ask for; steps at once in all, at once at one host.
const FETCHES: usize = 500;
const AT_ONCE: usize = 8;
const AT_ONE_HOST: usize = 2;
/// Pages of one list.
const PAGES: usize = 60;
/// So far up from an answer whose parent is not here.
const ABOVE: usize = 60;
/// What may still be looked at, and answers held until what they answer has come.
const QUEUE: usize = 1_000;
const HELD: usize = 20;
const LIMIT: Duration = Duration::from_secs(600);
/// New answers between two notes of how far it came.
const NOTED: i64 = 10;

/// Looks for answers to `id`, a post of another server that everybody may see. Safe to repeat.
pub async fn fetch(federation: &Federation, id: StatusId) -> Result<()> {
    let root = statuses::store::by_id(&federation.db.read().await?, id).await?.ok_or(Error::NotFound)?;
    let mut found = 0;
    if threads::is_elsewhere(&root) {
        let mut walk = Walk::new(federation, id);
        walk.want(&root.uri);
        walk.run().await?;
        found = walk.found;
    }
    threads::finished(&federation.db, id, found).await
}

/// The work of a step: all that it asks for counts.
async fn counted<F: Future>(left: Meter, work: F) -> F::Output {
    left.count(work).await
}

/// What became of a post that the walk came across.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    Asked,
    Here,
    Absent,
}

struct Walk<'a> {
    federation: &'a Federation,
    root: StatusId,
    left: Meter,
    until: Instant,
    queue: VecDeque<Step>,
    posts: HashMap<String, Met>,
    pages: HashSet<String>,
    /// Requests that run at each host.
    busy: HashMap<String, usize>,
    /// Hosts that are left in peace for the rest of the walk.
    resting: HashSet<String>,
    /// Answers to what is not here yet, by its name.
    held: HashMap<String, Vec<Note>>,
    found: i64,
    noted: i64,
}

impl<'a> Walk<'a> {
    fn new(federation: &'a Federation, root: StatusId) -> Self {
        Self {
            federation,
            root,
            left: Meter::new(FETCHES),
            until: Instant::now() + LIMIT,
            queue: VecDeque::new(),
            posts: HashMap::new(),
            pages: HashSet::new(),
            busy: HashMap::new(),
            resting: HashSet::new(),
            held: HashMap::new(),
            found: 0,
            noted: 0,
        }
    }

    async fn run(&mut self) -> Result<()> {
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(step) = self.next()
            {
                *self.busy.entry(step.host()).or_default() += 1;
                running.push(counted(self.left.clone(), step.perform(self.federation)));
            }
            let Some((step, got)) = running.next().await else { return Ok(()) };
            if let Some(busy) = self.busy.get_mut(&step.host()) {
                *busy = busy.saturating_sub(1);
            }
            self.met(step, got?);
            if self.found - self.noted >= NOTED {
                self.noted = self.found;
                // Beside the others, not in between: one of them may be in the middle of writing.
                let step = Step::Noted { root: self.root, found: self.found };
                running.push(counted(self.left.clone(), step.perform(self.federation)));
            }
        }
    }

    /// The first step whose host has a place. None when there is none, or nothing may be asked any more.
    fn next(&mut self) -> Option<Step> {
        if Instant::now() > self.until {
            return None;
        }
        let (busy, used_up) = (&self.busy, self.left.is_used_up());
        // What was fetched already may still be kept.
        let may = |step: &Step| !used_up || matches!(step, Step::Held(_));
        let free = |step: &Step| may(step) && busy.get(&step.host()).is_none_or(|n| *n < AT_ONE_HOST);
        self.queue.remove(self.queue.iter().position(free)?)
    }

    /// Looks at a post unless that was done, or will be. What is ours is known, and what could not be had lately is not
    /// asked for.
    fn want(&mut self, uri: &str) {
        let known = self.posts.contains_key(uri) || self.federation.is_ours(uri) || self.federation.missing.has(uri);
        let asks = host(uri).is_some_and(|host| !self.resting.contains(&host));
        if !known && asks && self.queue.len() < QUEUE {
            self.posts.insert(uri.to_owned(), Met::Asked);
            self.queue.push_back(Step::Post(uri.to_owned()));
        }
    }

    /// Looks at a list or a page of one, at `host` and nowhere else.
    fn want_page(&mut self, uri: &str, (at, left): (&str, usize)) {
        let is_there = host(uri).is_some_and(|host| host == at && !self.resting.contains(&host));
        let fits = left > 0 && is_there && !self.federation.is_ours(uri);
        if fits && self.queue.len() < QUEUE && self.pages.insert(uri.to_owned()) {
            self.queue.push_back(Step::Page { uri: uri.to_owned(), left });
        }
    }

    /// Looks for what `note`, which is here, answers, and so on upwards.
    fn want_above(&mut self, note: Box<Note>, left: usize) {
        let Some(host) = note.in_reply_to.as_deref().and_then(host) else { return };
        let waiting = self.queue.iter().filter(|step| matches!(step, Step::Above { .. })).count();
        if left > 0 && waiting < HELD && self.queue.len() < QUEUE && !self.resting.contains(&host) {
            self.queue.push_back(Step::Above { note, left });
        }
    }

    fn met(&mut self, step: Step, got: Got) {
        let uri = step.uri().to_owned();
        let Some(at) = host(&uri) else { return };
        match (got, step) {
            (Got::Page(list), Step::Page { left, .. }) => self.spread(&list, (&at, left - 1)),
            (Got::Below { new, above }, Step::Above { left, .. }) => {
                self.found += i64::from(new);
                if let Some(note) = above {
                    self.want_above(note, left - 1);
                }
            }
            (Got::Post { replies, context, new, above }, _) => {
                self.found += i64::from(new);
                if let Some(note) = above {
                    self.want_above(note, ABOVE);
                }
                self.posts.insert(uri.clone(), Met::Here);
                if let Some(context) = context
                    && let Some(host) = host(&context)
                {
                    self.want_page(&context, (&host, PAGES));
                }
                if let Some(replies) = replies {
                    self.spread(&replies, (&at, PAGES));
                }
                for note in self.held.remove(&uri).unwrap_or_default() {
                    self.queue.push_front(Step::Held(Box::new(note)));
                }
            }
            // Held once already: what it answers came and went.
            (Got::Orphan(_), Step::Held(_)) => {}
            (Got::Orphan(note), _) => self.hold(*note),
            (Got::Rest, _) => {
                self.queue.retain(|step| step.host() != at);
                self.resting.insert(at);
            }
            // What is above one answer and may not be kept may still be part of the thread.
            (_, Step::Above { .. }) => {}
            _ => {
                self.posts.insert(uri, Met::Absent);
            }
        }
    }

    /// Until what it answers has come; that is asked for, too.
    fn hold(&mut self, note: Note) {
        let Some(parent) = note.in_reply_to.clone() else { return };
        self.want(&parent);
        match self.posts.get(&parent) {
            Some(Met::Here) => self.queue.push_front(Step::Held(Box::new(note))),
            Some(Met::Asked) if self.held.values().map(Vec::len).sum::<usize>() < HELD => {
                self.held.entry(parent).or_default().push(note);
            }
            _ => {}
        }
    }

    /// What a list has in it, and where it goes on.
    fn spread(&mut self, list: &Collection, (at, left): (&str, usize)) {
        for uri in list.ids() {
            self.want(uri);
        }
        match &list.first {
            Some(Page::Embedded(first)) if left > 0 => self.spread(first, (at, left - 1)),
            Some(Page::Id(first)) => self.want_page(first, (at, left)),
            _ => {}
        }
        if let Some(next) = &list.next {
            self.want_page(next, (at, left));
        }
        let is_name = list.items.is_empty() && list.first.is_none() && list.next.is_none();
        if let (true, Some(id)) = (is_name, &list.id) {
            self.want_page(id, (at, left));
        }
    }
}
