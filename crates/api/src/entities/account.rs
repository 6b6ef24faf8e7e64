//! Accounts as clients see them.

use super::{CustomEmoji, Iso, emoji::pick};
use crate::App;
use domain::{
    Result, Time, accounts,
    db::Conn,
    domain_blocks::Rules,
    ids::AccountId,
    statuses::{ContentType, QuotePolicy, Visibility},
    users::{self, User},
};
use media::keys::{self, Kind, Style};
use serde::{Serialize, Serializer};
use std::{collections::HashMap, sync::Arc};

/// <https://docs.joinmastodon.org/entities/Account/>
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    pub id: AccountId,
    pub username: String,
    pub acct: String,
    pub url: String,
    pub uri: String,
    pub display_name: String,
    pub note: String,
    pub avatar: String,
    pub avatar_static: String,
    pub avatar_description: String,
    pub header: String,
    pub header_static: String,
    pub header_description: String,
    pub locked: bool,
    pub fields: Vec<Field>,
    pub emojis: Vec<CustomEmoji>,
    pub bot: bool,
    pub group: bool,
    pub discoverable: Option<bool>,
    pub indexable: bool,
    /// Of local accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noindex: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Box<Account>>,
    #[serde(skip_serializing_if = "is_false")]
    pub memorial: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub suspended: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub limited: bool,
    /// At midnight: no more than the day is shown.
    pub created_at: Iso,
    pub last_status_at: Option<Day>,
    pub statuses_count: i64,
    pub followers_count: i64,
    pub following_count: i64,
    pub hide_collections: Option<bool>,
    pub show_media: bool,
    pub show_media_replies: bool,
    pub show_featured: bool,
    pub roles: Vec<AccountRole>,
    pub feature_approval: FeatureApproval,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands out references
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

/// A date without the time: `2019-12-05`.
#[derive(Clone, Copy, Debug)]
pub struct Day(pub Time);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.date())
    }
}

/// <https://docs.joinmastodon.org/entities/Account/#Field>
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    pub name: String,
    pub value: String,
    pub verified_at: Option<Iso>,
}

/// A role shown on the profile. <https://docs.joinmastodon.org/entities/Account/#roles>
#[derive(Clone, Debug, Serialize)]
pub struct AccountRole {
    pub id: &'static str,
    pub name: &'static str,
    pub color: &'static str,
}

/// Who may feature the account in a collection: there are none here.
/// <https://docs.joinmastodon.org/entities/FeatureApproval/>
#[derive(Clone, Debug, Serialize)]
pub struct FeatureApproval {
    pub automatic: [&'static str; 0],
    pub manual: [&'static str; 0],
    pub current_user: &'static str,
}

const NO_APPROVAL: FeatureApproval = FeatureApproval { automatic: [], manual: [], current_user: "missing" };

/// <https://docs.joinmastodon.org/entities/Account/#CredentialAccount>
#[derive(Clone, Debug, Serialize)]
pub struct CredentialAccount {
    #[serde(flatten)]
    pub account: Account,
    pub source: Source,
    pub role: Role,
}

/// What the owner typed, and their defaults for posting. <https://docs.joinmastodon.org/entities/Account/#source>
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    pub attribution_domains: Vec<String>,
    pub note: String,
    pub fields: Vec<Field>,
    pub privacy: Visibility,
    pub sensitive: bool,
    /// Empty when there is none.
    pub language: String,
    pub follow_requests_count: i64,
    pub hide_collections: Option<bool>,
    pub discoverable: Option<bool>,
    pub indexable: bool,
    pub quote_policy: QuotePolicy,
    /// Not Mastodon's; others with Markdown call it so.
    pub status_content_type: ContentType,
}

/// <https://docs.joinmastodon.org/entities/Role/>
#[derive(Clone, Debug, Serialize)]
pub struct Role {
    pub id: &'static str,
    pub name: &'static str,
    pub color: &'static str,
    /// A number in decimal digits: what the bits mean is in the documentation.
    pub permissions: String,
    pub highlighted: bool,
    pub collection_limit: i64,
}

/// <https://docs.joinmastodon.org/entities/Account/#MutedAccount>
#[derive(Clone, Debug, Serialize)]
pub struct MutedAccount {
    #[serde(flatten)]
    pub account: Account,
    pub mute_expires_at: Option<Iso>,
}

/// <https://docs.joinmastodon.org/entities/FamiliarFollowers/>
#[derive(Clone, Debug, Serialize)]
pub struct FamiliarFollowers {
    pub id: AccountId,
    pub accounts: Vec<Account>,
}

/// Accounts in the order of their rows, one for each: whom they moved to and their emoji are asked for together.
pub async fn accounts(app: &App, conn: &Conn, rows: Vec<accounts::Account>) -> Result<Vec<Account>> {
    let moved = accounts::store::by_ids(conn, rows.iter().filter_map(|a| a.moved_to_id)).await?;
    let everybody = || rows.iter().chain(&moved);
    let emojis = super::emojis(app, conn, everybody().map(|a| a.emojis_json.as_str())).await?;
    let rules = app.federation.policy.rules_on(conn).await?;
    let around = Around { app, emojis, rules };
    let moved: HashMap<AccountId, Account> = moved.into_iter().map(|a| (a.id, around.one(a))).collect();
    let made = rows.into_iter().map(|row| {
        let target = row.moved_to_id.filter(|_| row.suspended_at.is_none()).and_then(|id| moved.get(&id));
        let moved = target.cloned().map(Box::new);
        Account { moved, ..around.one(row) }
    });
    Ok(made.collect())
}

/// [`accounts`] for one.
pub async fn account(app: &App, conn: &Conn, row: accounts::Account) -> Result<Account> {
    let made = accounts(app, conn, vec![row]).await?;
    made.into_iter().next().ok_or(domain::Error::NotFound)
}

/// An account as its owner sees it. `waiting`: how many ask to follow.
pub async fn credential_account(
    app: &App,
    conn: &Conn,
    (row, user): (accounts::Account, User),
    waiting: i64,
) -> Result<CredentialAccount> {
    let plain = |f: accounts::Field| Field { name: f.name, value: f.value, verified_at: verified(f.verified_at) };
    let source = Source {
        attribution_domains: row.attribution_domains(),
        note: row.note.clone(),
        fields: row.fields().into_iter().map(plain).collect(),
        privacy: user.default_visibility,
        sensitive: user.default_sensitive,
        language: user.default_language.unwrap_or_default(),
        follow_requests_count: waiting,
        hide_collections: row.hide_collections,
        discoverable: row.discoverable,
        indexable: row.indexable,
        quote_policy: user.default_quote_policy,
        status_content_type: user.default_content_type,
    };
    Ok(CredentialAccount { account: account(app, conn, row).await?, source, role: Role::of(user.role) })
}

/// What all accounts of one list need beside their rows.
struct Around<'a> {
    app: &'a App,
    emojis: HashMap<String, CustomEmoji>,
    rules: Arc<Rules>,
}

impl Around<'_> {
    fn one(&self, row: accounts::Account) -> Account {
        let row = if row.suspended_at.is_some() { hollow(row) } else { row };
        let row = if self.rules.bars(&row.acct(), &row.uri) { faceless(row) } else { row };
        let id = row.id.0;
        let picture = |stored: Option<&str>, (kind, style): (Kind, Style)| match (stored, kind) {
            (Some(stored), kind) => self.app.site.media(&keys::shown((kind, id, style), stored)),
            (None, Kind::Avatar) => format!("{}{}", self.app.site.base_url, crate::assets::AVATAR),
            (None, _) => format!("{}{}", self.app.site.base_url, crate::assets::HEADER),
        };
        let avatar = |stored: Option<&str>, style| picture(stored, (Kind::Avatar, style));
        let header = |stored: Option<&str>, style| picture(stored, (Kind::Header, style));
        let shown =
            |f: accounts::Field| Field { name: f.name, value: f.value_html, verified_at: verified(f.verified_at) };
        let is_staff = row.role != users::Role::User && row.suspended_at.is_none();
        Account {
            acct: row.acct(),
            avatar: avatar(row.avatar.as_deref(), Style::Original),
            avatar_static: avatar(row.avatar_static.as_deref().or(row.avatar.as_deref()), Style::Static),
            header: header(row.header.as_deref(), Style::Original),
            header_static: header(row.header_static.as_deref().or(row.header.as_deref()), Style::Static),
            fields: if row.fields_json == "[]" { Vec::new() } else { row.fields().into_iter().map(shown).collect() },
            emojis: pick(&row.emojis_json, &self.emojis),
            bot: row.kind == accounts::Kind::Bot,
            group: row.kind == accounts::Kind::Group,
            noindex: row.is_local().then_some(!row.indexable),
            moved: None,
            suspended: row.suspended_at.is_some(),
            limited: row.silenced_at.is_some(),
            created_at: Iso(row.created_at.midnight()),
            last_status_at: row.last_status_at.map(Day),
            roles: is_staff.then(|| Role::of(row.role).badge()).into_iter().collect(),
            id: row.id,
            username: row.username,
            url: row.url,
            uri: row.uri,
            display_name: row.display_name,
            note: row.note_html,
            avatar_description: row.avatar_description,
            header_description: row.header_description,
            locked: row.locked,
            discoverable: row.discoverable,
            indexable: row.indexable,
            memorial: row.memorial,
            statuses_count: row.statuses_count,
            followers_count: row.followers_count,
            following_count: row.following_count,
            hide_collections: row.hide_collections,
            show_media: true,
            show_media_replies: true,
            show_featured: true,
            feature_approval: NO_APPROVAL,
        }
    }
}

/// What is left to be seen of a suspended account.
fn hollow(row: accounts::Account) -> accounts::Account {
    accounts::Account {
        display_name: String::new(),
        note_html: String::new(),
        avatar: None,
        avatar_static: None,
        header: None,
        header_static: None,
        avatar_description: String::new(),
        header_description: String::new(),
        fields_json: "[]".into(),
        emojis_json: "[]".into(),
        kind: accounts::Kind::Person,
        locked: false,
        discoverable: Some(false),
        indexable: false,
        ..row
    }
}

/// Without pictures: a rule keeps those of its server from sight.
fn faceless(row: accounts::Account) -> accounts::Account {
    accounts::Account { avatar: None, avatar_static: None, header: None, header_static: None, ..row }
}

fn verified(at: Option<i64>) -> Option<Iso> {
    at.map(|millis| Iso(Time(millis)))
}

/// May invite people.
const EVERYBODY: u32 = 0x1_0000;
/// Dashboard, audit log, users, reports, trends, live feeds.
const MODERATOR: u32 = EVERYBODY | 0x8 | 0x4 | 0x400 | 0x10 | 0x100 | 0x10_0000;
/// All documented bits.
const ALL: u32 = 0x1f_ffff;
/// All but being everything (0x1) and the developers' tools (0x2).
const ADMIN: u32 = ALL & !0x3;

impl Role {
    /// Ids and permissions are those of a fresh Mastodon.
    pub fn of(role: users::Role) -> Self {
        let (id, name, permissions) = match role {
            users::Role::User => ("-99", "", EVERYBODY),
            users::Role::Moderator => ("1", "Moderator", MODERATOR),
            users::Role::Admin => ("2", "Admin", ADMIN),
            users::Role::Owner => ("3", "Owner", ALL),
        };
        let highlighted = role != users::Role::User;
        Self { id, name, color: "", permissions: permissions.to_string(), highlighted, collection_limit: 10 }
    }

    fn badge(&self) -> AccountRole {
        AccountRole { id: self.id, name: self.name, color: self.color }
    }
}
