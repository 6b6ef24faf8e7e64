//! The posts of a site and what people do to them, in an order that is the same every time.

use crate::people::Person;
use crate::pictures::{self, Print};
use crate::words::{self, Random};
use crate::{WINDOW, World};
use domain::ids::StatusId;
use domain::statuses::{self, NewStatus, Visibility, actions};
use std::collections::VecDeque;

/// Replies, boosts and favourites go to one of the latest this many posts.
const RECENT: usize = 300;
/// Which of the twenty entries of the page that is measured have a picture, are a boost, are replies.
const WINDOW_PICTURES: &[usize] = &[0, 2, 3, 5, 7, 8, 10, 12, 14, 16, 18];
const WINDOW_BOOST: usize = 13;
const WINDOW_REPLIES: &[usize] = &[4, 11];

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Boost,
    Post { picture: bool, reply: bool },
}

struct Posted {
    id: StatusId,
    author: usize,
    visibility: Visibility,
    picture: bool,
}

/// Writes `count` statuses by `authors`; `reader` follows them all and favourites some.
pub struct Writer<'a> {
    pub world: &'a World,
    pub reader: &'a Person,
    pub authors: &'a [Person],
    pub album: &'a [Print],
    names: Vec<String>,
    random: Random,
    recent: VecDeque<Posted>,
}

impl<'a> Writer<'a> {
    pub fn new(world: &'a World, (reader, authors): (&'a Person, &'a [Person]), album: &'a [Print]) -> Self {
        let names = authors.iter().map(|author| author.name.clone()).collect();
        Self { world, reader, authors, album, names, random: Random::new(2017), recent: VecDeque::new() }
    }

    pub async fn write(&mut self, count: usize) -> anyhow::Result<()> {
        let bar = indicatif::ProgressBar::new(u64::try_from(count)?);
        for number in 0..count {
            let after = count - 1 - number;
            match next(&mut self.random, after.checked_sub(WINDOW.newer(count))) {
                Next::Boost if self.boost().await? => {}
                Next::Boost => self.post(false, false).await?,
                Next::Post { picture, reply } => self.post(picture, reply).await?,
            }
            if self.random.percent(20) {
                self.favourite().await?;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    async fn post(&mut self, picture: bool, reply: bool) -> anyhow::Result<()> {
        let author = self.random.below(self.authors.len());
        let Some(person) = self.authors.get(author) else { return Ok(()) };
        let made = words::text(&mut self.random, &self.names);
        let visibility = match self.random.below(100) {
            0..=5 => Visibility::Unlisted,
            6..=8 => Visibility::Private,
            _ => Visibility::Public,
        };
        let mut new = NewStatus {
            text: made.text,
            language: Some(made.language.into()),
            visibility: Some(visibility),
            app: Some(person.app),
            ..NewStatus::default()
        };
        if self.random.percent(4) {
            new.spoiler_text = "Long, and about nothing".into();
        }
        if picture && let Some(print) = self.album.get(self.random.below(self.album.len())) {
            new.media = vec![pictures::attach(self.world, person.account, print).await?.0];
        }
        if reply {
            // What an author may not see cannot be answered: only what everybody may.
            let place = self.random.below(self.recent.len());
            let parent = self.recent.get(place).filter(|posted| posted.visibility == Visibility::Public);
            new.in_reply_to = parent.map(|posted| posted.id);
        }
        let status = statuses::publish(&self.world.db, &self.world.site, &person.user, new).await?;
        self.recent.push_back(Posted { id: status.id, author, visibility, picture });
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        Ok(())
    }

    /// False when there is nothing to boost yet.
    async fn boost(&mut self) -> anyhow::Result<bool> {
        let who = self.random.below(self.authors.len());
        let place = self.random.below(self.recent.len());
        // Taken out: nobody boosts it twice. Those with a picture stay, so that a page's pictures can be counted on.
        let fit = |posted: &Posted| posted.visibility == Visibility::Public && posted.author != who && !posted.picture;
        let found = self.recent.iter().skip(place).position(fit).map(|further| place + further);
        let Some(posted) = found.and_then(|place| self.recent.remove(place)) else { return Ok(false) };
        let Some(person) = self.authors.get(who) else { return Ok(false) };
        actions::reblog(&self.world.db, &self.world.site, person.account, (posted.id, None)).await?;
        Ok(true)
    }

    async fn favourite(&mut self) -> anyhow::Result<()> {
        let place = self.random.below(self.recent.len());
        let who = self.random.below(self.authors.len() + 1);
        let account = self.authors.get(who).unwrap_or(self.reader).account;
        let posted = self.recent.get(place).filter(|posted| posted.visibility == Visibility::Public);
        if let Some(posted) = posted {
            actions::favourite(&self.world.db, account, posted.id).await?;
        }
        Ok(())
    }
}

/// Publishes a status of `author` with a picture; answers the status and the store key of the picture.
pub async fn show(world: &World, author: &Person, print: &Print) -> anyhow::Result<(StatusId, String)> {
    let (media, key) = pictures::attach(world, author.account, print).await?;
    let new = NewStatus { text: "The window at noon".into(), media: vec![media], ..NewStatus::default() };
    Ok((statuses::publish(&world.db, &world.site, &author.user, new).await?.id, key))
}

/// `from_window`: how many statuses come between this one and the newest of the page that is measured.
fn next(random: &mut Random, from_window: Option<usize>) -> Next {
    match from_window {
        Some(WINDOW_BOOST) => Next::Boost,
        Some(place) if place < WINDOW.entries => {
            Next::Post { picture: WINDOW_PICTURES.contains(&place), reply: WINDOW_REPLIES.contains(&place) }
        }
        _ if random.percent(5) => Next::Boost,
        // A little over a third, because boosts count among the statuses and have none of their own.
        _ => Next::Post { picture: random.below(1000) < 351, reply: random.percent(15) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_has_a_picture_and_the_window_eleven_of_twenty() {
        let mut random = Random::new(1);
        let has = |next: Next| usize::from(matches!(next, Next::Post { picture: true, .. }));
        let all: usize = (0..30_000).map(|_| has(next(&mut random, None))).sum();
        assert!((9_700..10_300).contains(&all), "{all}");
        let window: usize = (0..WINDOW.entries).map(|place| has(next(&mut random, Some(place)))).sum();
        assert_eq!(window, 11);
    }
}
