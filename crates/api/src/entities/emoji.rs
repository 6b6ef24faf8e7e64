//! Custom emoji.

use crate::App;
use domain::{Result, db::Conn, emojis};
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
        Self {
            url: app.site.media(&emoji.image),
            static_url: app.site.media(&emoji.image_static),
            shortcode: emoji.shortcode,
            visible_in_picker: emoji.visible_in_picker,
            category: emoji.category,
        }
    }
}

/// Those of the shortcodes (JSON lists of them, as rows keep them) that stand for local emoji.
pub async fn emojis<'a>(
    app: &App,
    conn: &Conn,
    lists: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, CustomEmoji>> {
    let mut codes: Vec<String> = lists.filter(|l| *l != "[]").flat_map(codes_in).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let found = emojis::by_shortcodes(conn, &codes).await?;
    Ok(found.into_iter().map(|e| (e.shortcode.clone(), CustomEmoji::of(app, e))).collect())
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
