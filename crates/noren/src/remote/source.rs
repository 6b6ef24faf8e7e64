//! What a key in the cache stands for, by the rows that there are now.

use domain::Result;
use domain::accounts::{self, Account};
use domain::cards;
use domain::db::Conn;
use domain::domain_blocks::Rules;
use domain::emojis;
use domain::ids::{AccountId, CardId, EmojiId, MediaId};
use domain::media::{self as attachments, Attachment, Kind, Whose, may_be_fetched};
use federation::Policy;
use media::Role;
use media::keys::{self, Style, What, is_address};
use url::Url;

/// A file of another server that somebody here may see.
pub(super) struct Source {
    pub(super) url: Url,
    pub(super) make: Make,
    /// What its own server says it is.
    pub(super) said: Option<String>,
    pub(super) asking: Asking,
    /// The key under which the same file is shown as it is, if it is.
    pub(super) whole: Option<String>,
}

/// What is shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// The file itself.
    Original(Family),
    /// A preview.
    Small,
    Picture(Role, Style),
}

/// What it may turn out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Picture,
    /// Videos and sounds: nobody can tell these apart by their beginning.
    Film,
    Any,
}

/// Whose row wants to know what is found out about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    Nobody,
    /// The preview is made from the file itself, or from a picture that stands for it.
    Attachment(MediaId, Base),
    Card(CardId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Itself,
    Another,
}

impl Family {
    fn of(kind: Kind) -> Family {
        match kind {
            Kind::Image => Family::Picture,
            Kind::Gifv | Kind::Video | Kind::Audio => Family::Film,
            Kind::Unknown => Family::Any,
        }
    }

    pub(super) fn has(self, content_type: &str) -> bool {
        let is_picture = content_type.starts_with("image/");
        match self {
            Family::Picture => is_picture,
            Family::Film => !is_picture,
            Family::Any => true,
        }
    }
}

/// What a row has: the address as it is written down, and what is made of it.
struct Found {
    address: String,
    make: Make,
    said: Option<String>,
    asking: Asking,
    whole: Option<What>,
}

/// The rows, the rules about other servers, and with which of these there is anything to do at all.
type Look<'a> = (&'a Conn, &'a Rules, &'a Policy);

/// None for keys that mean nothing, or nothing any more, and for what may not be fetched.
pub(super) async fn find(look: Look<'_>, key: &str) -> Result<Option<Source>> {
    let Some(what @ (kind, id, style)) = keys::read(key) else { return Ok(None) };
    let found = match kind {
        keys::Kind::Attachment => attachment(look, MediaId(id), style).await?,
        keys::Kind::Avatar | keys::Kind::Header => portrait(look, AccountId(id), (kind, style)).await?,
        keys::Kind::Emoji => emoji(look, EmojiId(id), style).await?,
        keys::Kind::Card => card(look, CardId(id), style).await?,
        keys::Kind::Thumbnail => None,
    };
    // The name belongs to one address: another one's is not this file.
    let found = found.filter(|found| is_address(&found.address) && keys::shown(what, &found.address) == key);
    Ok(found.and_then(|found| {
        let url = Url::parse(&found.address).ok()?;
        let whole = found.whole.map(|what| keys::shown(what, &found.address).into_owned());
        Some(Source { url, make: found.make, said: found.said, asking: found.asking, whole })
    }))
}

async fn account((conn, rules, policy): Look<'_>, id: AccountId) -> Result<Option<Account>> {
    let Some(account) = accounts::store::by_id(conn, id).await? else { return Ok(None) };
    let may = may_be_fetched(rules, Whose::Account(&account)) && policy.admits_account(rules, &account);
    Ok(Some(account).filter(|_| may))
}

async fn attachment(look: Look<'_>, id: MediaId, style: Style) -> Result<Option<Found>> {
    let Some(row) = attachments::store::by_id(look.0, id).await? else { return Ok(None) };
    if account(look, row.account_id).await?.is_none() {
        return Ok(None);
    }
    Ok(match style {
        Style::Original => original(row),
        Style::Small => small(row),
        Style::Static => None,
    })
}

fn original(row: Attachment) -> Option<Found> {
    let make = Make::Original(Family::of(row.kind));
    Some(Found { address: row.original?, make, said: row.content_type, asking: Asking::Nobody, whole: None })
}

fn small(row: Attachment) -> Option<Found> {
    let base = if row.small.is_some() { Base::Another } else { Base::Itself };
    let asking = if attachments::is_unseen(&row) { Asking::Attachment(row.id, base) } else { Asking::Nobody };
    let whole = (base == Base::Itself).then_some((keys::Kind::Attachment, row.id.0, Style::Original));
    let address = row.small.or(row.original.filter(|_| row.kind == Kind::Image))?;
    Some(Found { address, make: Make::Small, said: None, asking, whole })
}

async fn portrait(look: Look<'_>, id: AccountId, (kind, style): (keys::Kind, Style)) -> Result<Option<Found>> {
    let account = account(look, id).await?;
    let (role, address) = match kind {
        keys::Kind::Avatar => (Role::Avatar, account.and_then(|a| a.avatar)),
        _ => (Role::Header, account.and_then(|a| a.header)),
    };
    Ok(picture(address, (role, style)))
}

async fn emoji((conn, rules, policy): Look<'_>, id: EmojiId, style: Style) -> Result<Option<Found>> {
    let Some(emoji) = emojis::by_id(conn, id).await? else { return Ok(None) };
    let is_shown = |domain: &str| may_be_fetched(rules, Whose::Server(domain)) && policy.admits_by(rules, domain);
    let may = emoji.domain.as_deref().is_some_and(is_shown);
    Ok(picture(Some(emoji.image).filter(|_| may), (Role::Emoji, style)))
}

async fn card((conn, rules, _): Look<'_>, id: CardId, style: Style) -> Result<Option<Found>> {
    let preview = cards::by_id(conn, id).await?.filter(|_| style == Style::Original);
    Ok(preview.and_then(|preview| {
        let card = preview.card();
        if preview.is_barred(&card, rules) {
            return None;
        }
        let asking = if card.blurhash.is_none() { Asking::Card(id) } else { Asking::Nobody };
        Some(Found { address: card.image?, make: Make::Small, said: None, asking, whole: None })
    }))
}

fn picture(address: Option<String>, (role, style): (Role, Style)) -> Option<Found> {
    let make = Make::Picture(role, style);
    let asking = Asking::Nobody;
    address.filter(|_| style != Style::Small).map(|address| Found { address, make, said: None, asking, whole: None })
}
