//! The rows that files are called after, and what files they name.

use ::media::keys as media_keys;
use domain::Result;
use domain::accounts::{self, Account};
use domain::cards::{self, Preview};
use domain::db::Conn;
use domain::emojis::{self, Emoji};
use domain::ids::{AccountId, CardId, EmojiId, MediaId};
use domain::media::{self, Attachment};
use media_keys::{Kind, Style, What};
use std::collections::HashMap;

/// The rows of some files.
#[derive(Default)]
pub(crate) struct Rows(HashMap<(Class, i64), (Whose, Vec<String>)>);

/// Whose table it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Attachment,
    Account,
    Emoji,
    Card,
}

/// Whose a file is.
#[derive(Clone)]
pub(crate) enum Whose {
    Attachment(Box<Attachment>),
    Account(Box<Account>),
    Emoji(Box<Emoji>),
    Card(Box<Preview>),
}

fn class(kind: Kind) -> Class {
    match kind {
        Kind::Attachment | Kind::Thumbnail => Class::Attachment,
        Kind::Avatar | Kind::Header => Class::Account,
        Kind::Emoji => Class::Emoji,
        Kind::Card => Class::Card,
    }
}

impl Rows {
    pub(crate) async fn of(conn: &Conn, wanted: impl Iterator<Item = What>) -> Result<Self> {
        let mut ids: HashMap<Class, Vec<i64>> = HashMap::new();
        for (kind, id, _) in wanted {
            ids.entry(class(kind)).or_default().push(id);
        }
        let mut of = |class| ids.remove(&class).unwrap_or_default();
        let mut rows = Self::default();
        let media: Vec<MediaId> = of(Class::Attachment).into_iter().map(MediaId).collect();
        for row in media::store::by_ids(conn, &media).await? {
            let stored = [row.upload.clone(), row.original.clone(), row.small.clone()];
            rows.put((Class::Attachment, row.id.0), Whose::Attachment(Box::new(row)), stored);
        }
        for row in accounts::store::by_ids(conn, of(Class::Account).into_iter().map(AccountId)).await? {
            let stored = [&row.avatar, &row.avatar_static, &row.header, &row.header_static].map(Clone::clone);
            rows.put((Class::Account, row.id.0), Whose::Account(Box::new(row)), stored);
        }
        for row in emojis::by_ids(conn, of(Class::Emoji).into_iter().map(EmojiId)).await? {
            let stored = [Some(row.image.clone()), Some(row.image_static.clone())];
            rows.put((Class::Emoji, row.id.0), Whose::Emoji(Box::new(row)), stored);
        }
        for row in cards::by_ids(conn, of(Class::Card).into_iter().map(CardId)).await? {
            let stored = [row.card().image];
            rows.put((Class::Card, row.id.0), Whose::Card(Box::new(row)), stored);
        }
        Ok(rows)
    }

    fn put<const N: usize>(&mut self, row: (Class, i64), whose: Whose, stored: [Option<String>; N]) {
        self.0.insert(row, (whose, stored.into_iter().flatten().collect()));
    }

    /// Keys and addresses that the row names after which a file is called.
    pub(crate) fn stored(&self, (kind, id, _): What) -> &[String] {
        self.0.get(&(class(kind), id)).map_or(&[], |(_, stored)| stored)
    }

    pub(crate) fn whose(&self, (kind, id, _): What) -> Option<&Whose> {
        self.0.get(&(class(kind), id)).map(|(whose, _)| whose)
    }
}

/// A file that is shown under a key of ours, and the address where it is from.
pub(crate) type Shown = (What, String);

fn elsewhere(files: impl IntoIterator<Item = (What, Option<String>)>) -> Vec<Shown> {
    let address = |(what, stored): (What, Option<String>)| Some((what, stored.filter(|s| media_keys::is_address(s))?));
    files.into_iter().filter_map(address).collect()
}

/// What is shown of an attachment of another server.
pub(crate) fn attachment_files(row: &Attachment) -> Vec<Shown> {
    let own = row.original.clone().filter(|_| row.kind == media::Kind::Image);
    let small = row.small.clone().or(own);
    let what = |style| (Kind::Attachment, row.id.0, style);
    elsewhere([(what(Style::Original), row.original.clone()), (what(Style::Small), small)])
}

/// The same of an account.
pub(crate) fn portrait_files(row: &Account) -> Vec<Shown> {
    let both = |kind, stored: &Option<String>| {
        [Style::Original, Style::Static].map(|style| ((kind, row.id.0, style), stored.clone()))
    };
    elsewhere(both(Kind::Avatar, &row.avatar).into_iter().chain(both(Kind::Header, &row.header)))
}

/// The same of a custom emoji.
pub(crate) fn emoji_files(row: &Emoji) -> Vec<Shown> {
    let what = |style| ((Kind::Emoji, row.id.0, style), Some(row.image.clone()));
    elsewhere([Style::Original, Style::Static].map(what))
}
