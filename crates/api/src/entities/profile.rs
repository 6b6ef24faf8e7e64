//! One's own profile, as it is edited.

use super::{Field, Iso};
use crate::App;
use domain::{Time, accounts, ids::AccountId};
use serde::Serialize;

/// <https://docs.joinmastodon.org/entities/Profile/>
#[derive(Debug, Serialize)]
pub struct Profile {
    pub id: AccountId,
    pub display_name: String,
    /// As it was typed, as are the values of the fields.
    pub note: String,
    pub fields: Vec<Field>,
    /// Null when there is none.
    pub avatar: Option<String>,
    pub avatar_static: Option<String>,
    pub avatar_description: String,
    pub header: Option<String>,
    pub header_static: Option<String>,
    pub header_description: String,
    pub locked: bool,
    pub bot: bool,
    pub hide_collections: Option<bool>,
    pub discoverable: Option<bool>,
    pub indexable: bool,
    pub show_media: bool,
    pub show_media_replies: bool,
    pub show_featured: bool,
    pub attribution_domains: Vec<String>,
}

pub fn profile(app: &App, row: accounts::Account) -> Profile {
    let picture = |key: Option<&String>| key.map(|key| app.site.media(key));
    let field = |f: accounts::Field| Field { name: f.name, value: f.value, verified_at: f.verified_at.map(at) };
    Profile {
        fields: row.fields().into_iter().map(field).collect(),
        attribution_domains: row.attribution_domains(),
        avatar: picture(row.avatar.as_ref()),
        avatar_static: picture(row.avatar_static.as_ref().or(row.avatar.as_ref())),
        header: picture(row.header.as_ref()),
        header_static: picture(row.header_static.as_ref().or(row.header.as_ref())),
        bot: row.kind == accounts::Kind::Bot,
        id: row.id,
        display_name: row.display_name,
        note: row.note,
        avatar_description: row.avatar_description,
        header_description: row.header_description,
        locked: row.locked,
        hide_collections: row.hide_collections,
        discoverable: row.discoverable,
        indexable: row.indexable,
        show_media: true,
        show_media_replies: true,
        show_featured: true,
    }
}

fn at(millis: i64) -> Iso {
    Iso(Time(millis))
}
