//! What stored files are: copies of what lies on other servers, the only ones there are, or nobody's.

mod rows;

pub(crate) use rows::{Rows, Shown, Whose, attachment_files, emoji_files, portrait_files};

use crate::server::Parts;
use domain::db::Conn;
use domain::media::{Former, Of};
use domain::{Error, Result, accounts, emojis};
use media::keys::{self, Kind, Style, What};
use media::{Entry, Key, Listing};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

/// Files looked at together.
const PAGE: usize = 500;

/// What a file is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A copy of what a row says lies elsewhere: it is fetched again when somebody looks.
    Copy,
    /// A row names this file: there is no other.
    Only,
    /// It is called as our files are, and no row names it.
    Orphan,
    /// It is called otherwise than any file of ours.
    Foreign,
}

/// A stored file, and what it is.
pub(crate) struct Found {
    pub(crate) entry: Entry,
    /// The row that it is called after.
    pub(crate) whose: Option<Whose>,
    pub(crate) standing: Standing,
}

impl Found {
    pub(crate) fn is_older(&self, than: Duration) -> bool {
        SystemTime::now().duration_since(self.entry.modified).is_ok_and(|age| age >= than)
    }
}

/// What a key is called after, whether it is a copy's or one of our own.
pub(crate) fn what(key: &str) -> Option<What> {
    keys::read(key).or_else(|| keys::read_own(key))
}

/// The stored files below a prefix, page after page.
pub(crate) struct Files<'a> {
    parts: &'a Parts,
    prefix: String,
    after: Option<Key>,
}

impl<'a> Files<'a> {
    pub(crate) fn below(parts: &'a Parts, prefix: &str) -> Self {
        Self { parts, prefix: prefix.to_owned(), after: None }
    }

    /// Some of them, without a look at any row. An empty page is the end.
    pub(crate) async fn entries(&mut self) -> Result<Vec<Entry>> {
        let listing = Listing { prefix: self.prefix.clone(), after: self.after.take(), limit: PAGE };
        let page = self.parts.store.list(listing).await.map_err(|error| Error::Internal(error.into()))?;
        self.after = page.last().map(|last| last.key.clone());
        Ok(page)
    }

    /// The same with what they are. The rows are looked at after the listing: what is new has one by then.
    pub(crate) async fn next(&mut self) -> Result<Vec<Found>> {
        let page = self.entries().await?;
        let conn = self.parts.db.read().await?;
        judged(&conn, page).await
    }
}

/// What these files are by the rows that there are now.
pub(crate) async fn judged(conn: &Conn, page: Vec<Entry>) -> Result<Vec<Found>> {
    let rows = Rows::of(conn, page.iter().filter_map(|entry| what(entry.key.as_str()))).await?;
    let mut found: Vec<Found> = page.into_iter().map(|entry| judge(&rows, entry)).collect();
    let suspects = found.iter().filter(|file| file.standing == Standing::Orphan);
    let suspects: Vec<String> = suspects.map(|file| file.entry.key.to_string()).collect();
    // Rows that came from elsewhere may name files that are called after other rows.
    let named = named(conn, &suspects).await?;
    for file in found.iter_mut().filter(|file| named.contains(file.entry.key.as_str())) {
        file.standing = Standing::Only;
    }
    Ok(found)
}

fn judge(rows: &Rows, entry: Entry) -> Found {
    let key = entry.key.as_str();
    let what = what(key);
    let standing = match what {
        None => Standing::Foreign,
        Some(what) => match rows.stored(what).iter().find(|stored| keys::shown(what, stored) == key) {
            Some(stored) if keys::is_address(stored) => Standing::Copy,
            Some(_) => Standing::Only,
            None => Standing::Orphan,
        },
    };
    let whose = what.and_then(|what| rows.whose(what)).cloned();
    Found { entry, whose, standing }
}

/// Those of these keys that any row names.
async fn named(conn: &Conn, keys: &[String]) -> Result<HashSet<String>> {
    let mut named = HashSet::new();
    if keys.is_empty() {
        return Ok(named);
    }
    named.extend(domain::media::named(conn, keys).await?);
    for account in accounts::store::naming(conn, keys).await? {
        named.extend(
            [account.avatar, account.avatar_static, account.header, account.header_static].into_iter().flatten(),
        );
    }
    for emoji in emojis::naming(conn, keys).await? {
        named.extend([emoji.image, emoji.image_static]);
    }
    Ok(named)
}

/// The keys under which a file of another server may have been shown.
pub(crate) fn former_keys(file: &Former) -> Vec<Key> {
    let (kind, styles) = match file.of {
        Of::Attachment => (Kind::Attachment, &[Style::Original, Style::Small][..]),
        Of::Avatar => (Kind::Avatar, &[Style::Original, Style::Static][..]),
        Of::Header => (Kind::Header, &[Style::Original, Style::Static][..]),
        Of::Emoji => (Kind::Emoji, &[Style::Original, Style::Static][..]),
        Of::Card => (Kind::Card, &[Style::Original][..]),
    };
    let key = |style: &Style| Key::parse(&keys::shown((kind, file.id, *style), &file.address)).ok();
    styles.iter().filter_map(key).collect()
}

/// Whether the store has any copy.
pub(crate) async fn is_kept_at_all(parts: &Parts) -> Result<bool> {
    let listing = Listing { prefix: keys::CACHE.to_owned(), after: None, limit: 1 };
    let first = parts.store.list(listing).await.map_err(|error| Error::Internal(error.into()))?;
    Ok(!first.is_empty())
}

/// So many files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Sum {
    pub(crate) fn and(self, other: Sum) -> Sum {
        Sum { files: self.files + other.files, bytes: self.bytes + other.bytes }
    }

    pub(crate) fn count(&mut self, entry: &Entry) {
        self.files += 1;
        self.bytes += entry.len;
    }
}

/// Removes a file; one that cannot be removed is told, and stays.
pub(crate) async fn remove(parts: &Parts, entry: &Entry) -> bool {
    let removed = parts.store.delete(&entry.key).await;
    if let Err(failure) = &removed {
        tracing::warn!(%failure, key = %entry.key, "a file stays behind");
    }
    removed.is_ok()
}

/// Removes copies that were kept long enough, and what has become of copies that no row names any more. How many.
pub(crate) async fn expire(parts: &Parts, kept: Duration) -> Result<u64> {
    let (mut files, mut removed) = (Files::below(parts, keys::CACHE), 0);
    loop {
        let page = files.next().await?;
        if page.is_empty() {
            return Ok(removed);
        }
        for file in page.iter().filter(|file| file.is_older(kept)) {
            if matches!(file.standing, Standing::Copy | Standing::Orphan) && remove(parts, &file.entry).await {
                removed += 1;
            }
        }
    }
}
