//! Pictures and sounds of other servers: known by their address, left where they are.

use super::{Attachment, Kind, Shape, State, store, versions};
use crate::{
    Result,
    accounts::Account,
    db::{Db, Tx},
    domain_blocks::{Rules, name},
    ids::{self, AccountId, MediaId, StatusId},
    jobs::{self, Job},
};
use serde_json::json;

/// Characters of a description that are kept.
const DESCRIPTION: usize = 10_000;

/// An attachment as it arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elsewhere {
    pub url: String,
    /// The address of a picture that its server shows for it.
    pub preview: Option<String>,
    /// Such as `image/png`; empty when nobody said.
    pub content_type: String,
    pub description: Option<String>,
    pub blurhash: Option<String>,
    pub size: Option<(i64, i64)>,
    pub focus: Option<(f64, f64)>,
}

impl Elsewhere {
    fn kind(&self) -> Kind {
        match self.content_type.split('/').next().unwrap_or_default() {
            "image" => Kind::Image,
            "video" => Kind::Video,
            "audio" => Kind::Audio,
            _ => Kind::Unknown,
        }
    }

    fn row(&self, (owner, status): (AccountId, StatusId), position: i64, now: crate::Time) -> Result<Attachment> {
        let shape = |(width, height): (i64, i64)| {
            #[allow(clippy::cast_precision_loss)] // pictures are smaller than that
            let aspect = width as f64 / height.max(1) as f64;
            json!({ "original": { "width": width, "height": height, "size": format!("{width}x{height}"), "aspect": aspect } })
        };
        let meta = self.size.map(|size| serde_json::to_string(&shape(size))).transpose()?;
        let text = self.description.as_deref().map(cut);
        Ok(Attachment {
            id: ids::next(),
            account_id: owner,
            status_id: Some(status),
            position,
            kind: self.kind(),
            state: State::Ready,
            upload: None,
            original: Some(self.url.clone()),
            small: self.preview.clone(),
            content_type: Some(self.content_type.clone()).filter(|t| !t.is_empty()),
            file_size: 0,
            meta_json: meta,
            blurhash: self.blurhash.clone(),
            description: text,
            focus_x: self.focus.map(|f| f.0),
            focus_y: self.focus.map(|f| f.1),
            failure: None,
            loose_since: now,
        })
    }
}

/// Whether these hang on a post just as they arrive, in words, order and all that its server says of them.
pub(crate) fn are_same(known: &[Attachment], arrived: &[Elsewhere]) -> bool {
    let is_same = |(row, one): (&Attachment, &Elsewhere)| {
        let text = one.description.as_deref().map(cut);
        (row.original.as_deref(), &row.small, &row.description) == (Some(one.url.as_str()), &one.preview, &text)
            && (row.focus_x, row.focus_y) == (one.focus.map(|f| f.0), one.focus.map(|f| f.1))
    };
    known.len() == arrived.len() && known.iter().zip(arrived).all(is_same)
}

fn cut(description: &str) -> String {
    description.chars().filter(|c| *c != '\0').take(DESCRIPTION).collect()
}

/// What was found out about a picture of another server when its preview was made.
#[derive(Clone, Debug)]
pub struct Seen {
    /// None where the preview was not made from the file itself.
    pub original: Option<Shape>,
    pub small: Shape,
    pub blurhash: String,
}

/// Whether nothing has been found out about it yet.
pub fn is_unseen(row: &Attachment) -> bool {
    row.blurhash.is_none() || row.meta_json.as_ref().is_none_or(|meta| !meta.contains("\"small\""))
}

/// Writes down what nobody has said of it before.
pub async fn describe(db: &Db, id: MediaId, seen: Seen) -> Result<()> {
    let tx = db.begin().await?;
    let Some(row) = store::by_id(&tx, id).await?.filter(is_unseen) else { return Ok(()) };
    let mut meta = versions::meta_of(&row)?;
    if let (Some(original), false) = (seen.original, meta.contains_key("original")) {
        meta.insert("original".into(), original.meta());
    }
    meta.insert("small".into(), seen.small.meta());
    let blurhash = row.blurhash.unwrap_or(seen.blurhash);
    store::update_seen(&tx, id, (&serde_json::to_string(&meta)?, &blurhash)).await?;
    tx.commit().await
}

/// Has a job copy the pictures of an account, and emoji in its name; once is enough.
pub async fn mirror_account_later(db: &Db, account: AccountId) -> Result<()> {
    jobs::ensure(db, Job::MirrorAccount { account }).await
}

/// Has a job copy what hangs on a status, and its emoji; once is enough.
pub async fn mirror_later(db: &Db, status: StatusId) -> Result<()> {
    jobs::ensure(db, Job::MirrorMedia { status }).await
}

/// Whose files are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    Account(&'a Account),
    /// Of a server as a whole, such as its emoji.
    Server(&'a str),
}

/// Whether files of theirs are fetched and shown at all.
pub fn may_be_fetched(rules: &Rules, whose: Whose<'_>) -> bool {
    match whose {
        Whose::Account(account) => {
            let domain = account.domain.as_deref().unwrap_or_default();
            let rule = rules.rule_of_account(domain, &name::of_address(&account.uri));
            account.suspended_at.is_none() && !rule.reject_media
        }
        Whose::Server(domain) => !rules.rejects_media(domain),
    }
}

/// Writes down what a status of another server shows.
pub(crate) async fn receive(tx: &Tx, of: (AccountId, StatusId), media: &[Elsewhere]) -> Result<()> {
    for (position, attachment) in (0i64..).zip(media) {
        store::insert(tx, &attachment.row(of, position, tx.now)?).await?;
    }
    Ok(())
}

/// After an edit: a file that stays keeps its row, and so the address that it is shown under, all that was found out
/// about it, and its place in versions before. What is said of it may be new.
pub(crate) async fn replace(tx: &mut Tx, of: (AccountId, StatusId), media: &[Elsewhere]) -> Result<()> {
    let mut before = store::by_statuses(tx, [of.1]).await?;
    if are_same(&before, media) {
        return Ok(());
    }
    for (position, one) in (0i64..).zip(media) {
        let row = one.row(of, position, tx.now)?;
        let same = |known: &Attachment| (&known.original, &known.small) == (&row.original, &row.small);
        match before.iter().position(same) {
            Some(at) => store::update_elsewhere(tx, &retold(before.remove(at), row)?).await?,
            None => store::insert(tx, &row).await?,
        }
    }
    for gone in before {
        super::delete_row(tx, gone).await?;
    }
    Ok(())
}

/// `known` as its server speaks of it now.
fn retold(known: Attachment, now: Attachment) -> Result<Attachment> {
    let mut meta = versions::meta_of(&known)?;
    meta.extend(versions::meta_of(&now)?);
    let meta_json = if meta.is_empty() { None } else { Some(serde_json::to_string(&meta)?) };
    Ok(Attachment { id: known.id, meta_json, blurhash: now.blurhash.or(known.blurhash), ..now })
}
