//! What is kept of files of other servers goes when nobody may see them any more: their row went or names another file
//! now, or their server or account is not shown. Whoever makes that true says so in the same transaction; a job removes
//! copies and what the cache has.

use super::{Attachment, Whose, may_be_fetched, store};
use crate::{
    Result, Time,
    accounts::{self, Account},
    cards,
    db::{Conn, Db, Tx},
    domain_blocks::{Rules, store as blocks},
    emojis::{self, Emoji},
    ids::{AccountId, CardId, MediaId},
    jobs::{self, Job},
};
use serde::{Deserialize, Serialize};

/// Files named in one job.
const FILES: usize = 100;
/// Accounts looked at in one job.
const ACCOUNTS: i64 = 100;
/// Attachments of one account looked at in one job.
const ATTACHMENTS: i64 = 200;
/// Previews looked at in one job.
const CARDS: i64 = 500;

/// What a file is shown for. The names are a part of the stored form of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    Attachment,
    Avatar,
    Header,
    Emoji,
    Card,
}

/// A file of another server as a row named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    pub of: Of,
    /// The row's id.
    pub id: i64,
    /// Where the file is.
    pub address: String,
}

/// What is to be removed now, and who goes on.
#[derive(Debug, Default)]
pub struct Unseen {
    pub files: Vec<Former>,
    pub jobs: Vec<Job>,
}

fn some(of: Of, id: i64, stored: impl IntoIterator<Item = Option<String>>) -> impl Iterator<Item = Former> {
    let mut addresses: Vec<String> = stored.into_iter().flatten().filter(|s| super::is_elsewhere(s)).collect();
    addresses.dedup();
    addresses.into_iter().map(move |address| Former { of, id, address })
}

pub(crate) fn of_attachment(row: &Attachment) -> impl Iterator<Item = Former> + use<> {
    some(Of::Attachment, row.id.0, [row.original.clone(), row.small.clone()])
}

pub(crate) fn of_account(row: &Account) -> impl Iterator<Item = Former> + use<> {
    let header = some(Of::Header, row.id.0, [row.header.clone()]);
    some(Of::Avatar, row.id.0, [row.avatar.clone()]).chain(header)
}

pub(crate) fn of_emoji(row: &Emoji) -> impl Iterator<Item = Former> + use<> {
    some(Of::Emoji, row.id.0, [Some(row.image.clone())])
}

pub(crate) fn of_card(id: CardId, image: Option<String>) -> impl Iterator<Item = Former> + use<> {
    some(Of::Card, id.0, [image])
}

/// Has jobs remove what is kept of these files once that is committed. A file that a row names again by then stays.
pub(crate) async fn forget(tx: &mut Tx, files: impl IntoIterator<Item = Former>) -> Result<()> {
    let files: Vec<Former> = files.into_iter().collect();
    for some in files.chunks(FILES) {
        tx.enqueue(Job::ForgetCopies { files: some.to_vec() }).await?;
    }
    Ok(())
}

/// Has a job remove what is kept of an account that is not shown any more.
pub(crate) async fn forget_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.enqueue(Job::ForgetAccount { account, after: MediaId(0) }).await
}

/// Has jobs look through what is kept of these servers, and of pictures of pages wherever they are from.
pub(crate) async fn forget_servers(db: &Db, servers: Vec<String>) -> Result<()> {
    let mut wanted: Vec<Job> =
        servers.into_iter().map(|domain| Job::ForgetServer { domain, after: AccountId(0) }).collect();
    wanted.push(Job::ForgetCards { after: CardId(0) });
    for job in wanted {
        jobs::ensure(db, job).await?;
    }
    Ok(())
}

/// What goes on with the rest. Twice is no harm.
pub async fn go_on(db: &Db, jobs: &[Job]) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    tx.enqueue_all(jobs).await?;
    tx.commit().await
}

/// What of one account is shown no more: a page of it. Nothing when it may be seen.
pub async fn unseen_of_account(
    (conn, rules): (&Conn, &Rules),
    (account, after): (AccountId, MediaId),
) -> Result<Unseen> {
    match accounts::store::by_id(conn, account).await? {
        Some(row) if !may_be_fetched(rules, Whose::Account(&row)) => of_page(conn, (&row, after)).await,
        _ => Ok(Unseen::default()),
    }
}

/// The same of a page of the accounts with this name in their handles or of their servers, and of the server's emoji.
pub async fn unseen_of_server((conn, rules): (&Conn, &Rules), (domain, after): (&str, AccountId)) -> Result<Unseen> {
    let mut unseen = Unseen::default();
    if after == AccountId(0) && !may_be_fetched(rules, Whose::Server(domain)) {
        unseen.files.extend(emojis::by_domain(conn, domain).await?.iter().flat_map(of_emoji));
    }
    let page = blocks::accounts(conn, (domain, after), ACCOUNTS).await?;
    let rows = accounts::store::by_ids(conn, page.iter().map(|row| row.id)).await?;
    for row in rows.iter().filter(|row| !may_be_fetched(rules, Whose::Account(row))) {
        let more = of_page(conn, (row, MediaId(0))).await?;
        unseen.files.extend(more.files);
        unseen.jobs.extend(more.jobs);
    }
    if let Some(last) = page.last() {
        unseen.jobs.push(Job::ForgetServer { domain: domain.to_owned(), after: last.id });
    }
    Ok(unseen)
}

/// The same of previews of pages, whose pictures may be from anywhere.
pub async fn unseen_cards((conn, rules): (&Conn, &Rules), after: CardId) -> Result<Unseen> {
    let page = cards::list(conn, after, CARDS).await?;
    let mut unseen = Unseen::default();
    for preview in &page {
        let card = preview.card();
        if preview.is_barred(&card, rules) {
            unseen.files.extend(of_card(preview.id, card.image));
        }
    }
    unseen.jobs.extend(page.last().map(|last| Job::ForgetCards { after: last.id }));
    Ok(unseen)
}

async fn of_page(conn: &Conn, (row, after): (&Account, MediaId)) -> Result<Unseen> {
    let mut unseen = Unseen::default();
    if after == MediaId(0) {
        unseen.files.extend(of_account(row));
    }
    let page = store::of_account(conn, (row.id, Time(0)), (after, ATTACHMENTS)).await?;
    unseen.files.extend(page.iter().flat_map(of_attachment));
    if page.len() >= usize::try_from(ATTACHMENTS).unwrap_or_default() {
        unseen.jobs.extend(page.last().map(|last| Job::ForgetAccount { account: row.id, after: last.id }));
    }
    Ok(unseen)
}
