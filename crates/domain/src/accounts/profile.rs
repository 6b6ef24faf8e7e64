//! Changing how others see an account: its names, texts, table and pictures, and the owner's defaults for posting.

use super::{Account, Field, Kind, search, store};
use crate::{
    Error, Result,
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    follows,
    ids::{self, AccountId},
    jobs::Job,
    site::Site,
    statuses::{ContentType, QuotePolicy, Visibility},
    text,
};

/// Characters of a field's name and of its value; the rest is cut off, as Mastodon does.
const FIELD_CHARACTERS: usize = 255;
/// Characters of what a picture shows.
const DESCRIPTION_CHARACTERS: usize = 150;
/// Domains that may name the account as an author.
const ATTRIBUTION_DOMAINS: usize = 10;
/// Accounts that one text may link to; more are left as text.
const MENTIONS: usize = 50;
/// A longer text is not even counted, in bytes.
const TEXT_BYTES: usize = 1 << 18;

/// What becomes of an avatar or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    Remove,
    /// Store keys of files that are there already; `still` when the original moves.
    Set {
        original: String,
        still: Option<String>,
    },
}

/// Defaults for posting; None leaves as it is.
/// <https://docs.joinmastodon.org/entities/Account/#source>
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    pub visibility: Option<Visibility>,
    pub sensitive: Option<bool>,
    /// Empty: none.
    pub language: Option<String>,
    pub quote_policy: Option<QuotePolicy>,
    pub content_type: Option<ContentType>,
}

/// What somebody changes about themselves; None leaves as it is.
/// <https://docs.joinmastodon.org/methods/accounts/#update_credentials>
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub note: Option<String>,
    pub avatar: Option<Picture>,
    pub avatar_description: Option<String>,
    pub header: Option<Picture>,
    pub header_description: Option<String>,
    pub locked: Option<bool>,
    pub bot: Option<bool>,
    pub discoverable: Option<bool>,
    pub indexable: Option<bool>,
    pub hide_collections: Option<bool>,
    pub attribution_domains: Option<Vec<String>>,
    /// Name and value of every line: replaces them all.
    pub fields: Option<Vec<(String, String)>>,
    pub defaults: Defaults,
}

/// Changes a local account; whoever stops approving followers approves all who wait. Files of pictures that are
/// replaced are removed by a job.
///
/// [`Error::Invalid`] with Mastodon's sentences for what is too long.
pub async fn update_profile(db: &Db, site: &Site, id: AccountId, change: ProfileChange) -> Result<Account> {
    let mut change = change;
    tidy(site, &mut change)?;
    let conn = db.read().await?;
    let links = links(&conn, site, &change).await?;
    drop(conn);

    let mut tx = db.begin().await?;
    let before = store::by_id(&tx, id).await?.filter(Account::is_local).ok_or(Error::NotFound)?;
    let options = text::Options { base_url: &site.base_url, local_domains: &site.domains(), mentions: &links };
    let after = changed(before.clone(), &change, &options)?;
    store::update_profile(&tx, &after).await?;
    store::update_defaults(&tx, id, &change.defaults).await?;
    if after.display_name != before.display_name {
        search::index(&tx, &after).await?;
    }
    if before.locked && !after.locked {
        follows::authorize_all(&mut tx, id).await?;
    }
    remove_replaced(&mut tx, &before, &after).await?;
    if deliveries::is_profile_elsewhere(&tx, &after).await? {
        deliveries::tell(&mut tx, News::ProfileChanged { account: id, telling: ids::next() }).await?;
    }
    // Followers may have come in: the counters are not those read above.
    let shown = store::by_id(&tx, id).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok(shown)
}

/// Trims what was typed and refuses what is too long.
fn tidy(site: &Site, change: &mut ProfileChange) -> Result<()> {
    let limits = &site.limits;
    if let Some(name) = &mut change.display_name {
        *name = single_line(name);
        bounded("Display name", name.chars().count(), limits.display_name_characters)?;
    }
    if let Some(note) = &mut change.note {
        *note = note.trim().replace('\0', "");
        let long = if note.len() > TEXT_BYTES { usize::MAX } else { text::count(note) };
        bounded("Note", long, limits.note_characters)?;
    }
    for (field, text) in
        [("Avatar description", &mut change.avatar_description), ("Header description", &mut change.header_description)]
    {
        if let Some(text) = text {
            *text = text.trim().replace('\0', "");
            bounded(field, text.chars().count(), DESCRIPTION_CHARACTERS)?;
        }
    }
    if let Some(fields) = &mut change.fields {
        for (name, value) in fields.iter_mut() {
            (*name, *value) = (cut(&single_line(name)), cut(&single_line(value)));
        }
        fields.retain(|(name, value)| !name.is_empty() || !value.is_empty());
        bounded("Fields", fields.len(), limits.profile_fields)?;
        if fields.iter().any(|(name, _)| name.is_empty()) {
            return Err(Error::invalid("Fields", "contains values with missing labels"));
        }
    }
    if let Some(domains) = &mut change.attribution_domains {
        *domains = attribution_domains(domains)?;
    }
    if let Some(code) = &mut change.defaults.language {
        *code = code.trim().to_owned();
        let ok = code.len() <= 12 && code.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
        if !ok || code.len() == 1 {
            return Err(Error::invalid("Default language", "is not a valid language"));
        }
    }
    Ok(())
}

fn bounded(field: &'static str, count: usize, most: usize) -> Result<()> {
    if count > most {
        return Err(Error::invalid(field, format!("is too long (maximum is {most} characters)")));
    }
    Ok(())
}

fn single_line(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\0').map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

fn cut(text: &str) -> String {
    text.chars().take(FIELD_CHARACTERS).collect()
}

fn attribution_domains(typed: &[String]) -> Result<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    for text in typed {
        let text = text.trim();
        let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let host = text.split('/').next().unwrap_or_default().trim_start_matches("*.");
        if host.is_empty() {
            continue;
        }
        let host = match url::Host::parse(host) {
            Ok(url::Host::Domain(host)) if host.contains('.') => host,
            _ => return Err(Error::invalid("Attribution domains", "contains one or more invalid domain names")),
        };
        if !out.contains(&host) {
            out.push(host);
        }
    }
    bounded("Attribution domains", out.len(), ATTRIBUTION_DOMAINS)?;
    Ok(out)
}

/// Whom the new texts may link to.
async fn links(conn: &Conn, site: &Site, change: &ProfileChange) -> Result<text::Mentions> {
    let mut all = change.note.clone().unwrap_or_default();
    for (_, value) in change.fields.iter().flatten() {
        all.push('\n');
        all.push_str(value);
    }
    let handles: Vec<text::Handle> = text::mentioned(&all, &site.domains()).into_iter().take(MENTIONS).collect();
    let found = store::by_handles(conn, &handles).await?;
    let link = |a: &Account| {
        let handle = text::Handle::new(&a.username, a.domain.as_deref(), &site.domains());
        let link = text::MentionLink { url: a.url.clone(), username: a.username.clone(), pretty_acct: a.acct() };
        (handle.key(), link)
    };
    Ok(found.iter().map(link).collect())
}

fn changed(mut a: Account, change: &ProfileChange, options: &text::Options<'_>) -> Result<Account> {
    if let Some(name) = &change.display_name {
        a.display_name.clone_from(name);
    }
    if let Some(note) = &change.note {
        a.note.clone_from(note);
        a.note_html = text::note_html(note, options);
    }
    if let Some(fields) = &change.fields {
        a.fields_json = serde_json::to_string(&rendered(&a.fields(), fields, options))?;
    }
    if let Some(picture) = &change.avatar {
        (a.avatar, a.avatar_static) = keys(picture);
    }
    if let Some(picture) = &change.header {
        (a.header, a.header_static) = keys(picture);
    }
    if let Some(text) = &change.avatar_description {
        a.avatar_description.clone_from(text);
    }
    if let Some(text) = &change.header_description {
        a.header_description.clone_from(text);
    }
    if let Some(bot) = change.bot {
        a.kind = if bot { Kind::Bot } else { Kind::Person };
    }
    if let Some(domains) = &change.attribution_domains {
        a.attribution_domains_json = serde_json::to_string(domains)?;
    }
    a.locked = change.locked.unwrap_or(a.locked);
    a.indexable = change.indexable.unwrap_or(a.indexable);
    a.discoverable = change.discoverable.or(a.discoverable);
    a.hide_collections = change.hide_collections.or(a.hide_collections);
    let mut texts = format!("{}\n{}", a.display_name, a.note);
    for field in a.fields() {
        texts.push_str(&format!("\n{}\n{}", field.name, field.value));
    }
    a.emojis_json = serde_json::to_string(&text::shortcodes(&texts))?;
    Ok(a)
}

/// The new table; a value that stays keeps its proof.
fn rendered(old: &[Field], new: &[(String, String)], options: &text::Options<'_>) -> Vec<Field> {
    let proof = |value: &str| old.iter().find(|f| f.value == value).and_then(|f| f.verified_at);
    let field = |(name, value): &(String, String)| Field {
        name: name.clone(),
        value_html: text::field_html(value, options),
        verified_at: proof(value),
        value: value.clone(),
    };
    new.iter().map(field).collect()
}

fn keys(picture: &Picture) -> (Option<String>, Option<String>) {
    match picture {
        Picture::Remove => (None, None),
        Picture::Set { original, still } => (Some(original.clone()), still.clone()),
    }
}

async fn remove_replaced(tx: &mut Tx, before: &Account, after: &Account) -> Result<()> {
    let files = |a: &Account| [a.avatar.clone(), a.avatar_static.clone(), a.header.clone(), a.header_static.clone()];
    let kept = files(after);
    let gone = files(before).into_iter().filter(|key| key.is_some() && !kept.contains(key));
    let keys: Vec<String> = gone.flatten().collect();
    if keys.is_empty() {
        return Ok(());
    }
    tx.enqueue(Job::DeleteFiles { keys }).await
}
