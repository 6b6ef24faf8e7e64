//! Custom emoji.

use crate::App;
use domain::{Result, db::Conn, emojis};
use media::keys::{self, Kind, Style};
use serde::Serialize;
use std::collections::HashMap;

/// <https://docs.joinmastodon.org/entities/CustomEmoji/>
#[derive(Clone, Debug, Serialize)]
pub struct CustomEmoji {
    pub shortcode: String,
    pub url: String,
    pub static_url: String,
    pub visible_in_picker: bool,
    pub category: Option<String>,
}

impl CustomEmoji {
    pub fn of(app: &App, emoji: emojis::Emoji) -> Self {
        let url = |style, stored: &str| app.site.media(&keys::shown((Kind::Emoji, emoji.id.0, style), stored));
        Self {
            url: url(Style::Original, &emoji.image),
            static_url: url(Style::Static, &emoji.image_static),
            shortcode: emoji.shortcode,
            visible_in_picker: emoji.visible_in_picker,
            category: emoji.category,
        }
    }
}

/// Those of the names (JSON lists of them, as rows keep them) that stand for an emoji.
pub async fn emojis<'a>(
    app: &App,
    conn: &Conn,
    lists: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, CustomEmoji>> {
    named(app, conn, lists.filter(|l| *l != "[]").flat_map(codes_in).collect()).await
}

/// Those of the names that stand for an emoji.
pub(super) async fn named(app: &App, conn: &Conn, mut codes: Vec<String>) -> Result<HashMap<String, CustomEmoji>> {
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let rules = app.federation.policy.rules_on(conn).await?;
    let mut found = emojis::by_names(conn, &codes).await?;
    found.retain(|emoji| emoji.domain.as_deref().is_none_or(|domain| !rules.rejects_media(domain)));
    Ok(found.into_iter().map(|e| (e.name(), CustomEmoji::of(app, e))).collect())
}

/// The emoji of one row out of those of all rows.
pub(super) fn pick(list: &str, known: &HashMap<String, CustomEmoji>) -> Vec<CustomEmoji> {
    if known.is_empty() || list == "[]" {
        return Vec::new();
    }
    codes_in(list).iter().filter_map(|code| known.get(code).cloned()).collect()
}

fn codes_in(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}
