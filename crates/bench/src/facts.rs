//! What whoever measures needs to know about a filled site.

use crate::people::{self, Person};
use crate::{WINDOW, World};
use anyhow::{Context as _, ensure};
use domain::ids::{Id as _, StatusId};
use domain::page::Page;
use domain::statuses::Status;
use domain::timelines;
use serde::Serialize;
use std::collections::HashMap;

/// Statuses that one reading of a timeline gives.
const AT_ONCE: i64 = 40;

#[derive(Debug, Serialize)]
pub struct Facts {
    pub domain: String,
    pub statuses: usize,
    /// Tokens for everything: of the one who follows all authors, and of one of those.
    pub reader_token: String,
    pub author_token: String,
    /// Parameter of the home timeline: the page after this many newer entries.
    pub home_max_id: StatusId,
    pub home_newer: usize,
    pub home_entries: usize,
    pub home_with_picture: usize,
    /// One with a picture, from that page.
    pub status_id: StatusId,
    /// Path of a profile that everybody may see.
    pub public_page: String,
    /// Path of a stored file and its length in bytes.
    pub media_path: String,
    pub media_bytes: u64,
    /// Sample pictures in the folder of samples, ready to upload.
    pub samples: Vec<String>,
}

/// A page of the reader's home timeline and where it begins.
pub struct Window {
    pub max_id: StatusId,
    pub newer: usize,
    pub page: Vec<Status>,
    pub with_picture: usize,
}

impl Window {
    pub async fn find(world: &World, reader: &Person, statuses: usize) -> anyhow::Result<Self> {
        let conn = world.db.read().await?;
        let newer = WINDOW.newer(statuses);
        let mut before = i64::MAX;
        let mut feed: Vec<Status> = Vec::new();
        let mut boosted: HashMap<StatusId, Status> = HashMap::new();
        while feed.len() < newer + WINDOW.entries {
            let shown = timelines::home(&conn, reader.account, Page { before, ..Page::newest(AT_ONCE) }).await?;
            before = shown.statuses.last().context("the home timeline is too short")?.id.raw();
            feed.extend(shown.statuses);
            boosted.extend(shown.reblogged);
        }
        let max_id = feed.get(newer - 1).context("the home timeline is too short")?.id;
        let page: Vec<Status> = feed.into_iter().skip(newer).take(WINDOW.entries).collect();
        let pictured = |status: &&Status| {
            let inner = status.reblog_of_id.and_then(|id| boosted.get(&id));
            inner.unwrap_or(status).has_media
        };
        let with_picture = page.iter().filter(pictured).count();
        ensure!(with_picture == 11, "{with_picture} of the page's {} have a picture, not 11", page.len());
        Ok(Self { max_id, newer, page, with_picture })
    }
}

/// A stored file: its path and its length.
pub type File = (String, u64);

impl Facts {
    pub async fn collect(
        world: &World,
        (reader, author): (&Person, &Person),
        (statuses, samples): (usize, usize),
        (media_path, media_bytes): File,
    ) -> anyhow::Result<Self> {
        let window = Window::find(world, reader, statuses).await?;
        let single = window.page.iter().find(|status| status.has_media).context("a status with a picture")?;
        Ok(Self {
            domain: world.site.domain.clone(),
            statuses,
            reader_token: people::token(world, reader).await?,
            author_token: people::token(world, author).await?,
            home_max_id: window.max_id,
            home_newer: window.newer,
            home_entries: window.page.len(),
            home_with_picture: window.with_picture,
            status_id: single.id,
            public_page: format!("/@{}", author.name),
            media_path,
            media_bytes,
            samples: (0..samples).map(|number| format!("sample-{number}.jpg")).collect(),
        })
    }
}
