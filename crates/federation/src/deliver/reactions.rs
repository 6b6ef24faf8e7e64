//! Emoji on posts: a Like with content, which is a plain one where that means nothing.

use crate::Federation;
use crate::documents::{Activity, Emoji, Image};
use domain::Result;
use domain::db::Conn;
use domain::statuses::reactions;

impl Federation {
    /// `like` with the emoji that it is.
    pub(super) async fn with_emoji(&self, conn: &Conn, like: Activity, emoji: &reactions::Emoji) -> Result<Activity> {
        let Some(picture) = &emoji.picture else {
            return Ok(Activity { content: Some(emoji.name.clone()), ..like });
        };
        let emojis = match emoji.name.split_once('@') {
            None => self.emojis(conn, std::slice::from_ref(&emoji.name)).await?,
            Some((shortcode, _)) => {
                let image = Image { url: self.site.media(picture), media_type: None, description: None };
                vec![Emoji { id: None, shortcode: shortcode.to_owned(), image, updated: None }]
            }
        };
        let shortcode = emoji.name.split('@').next().unwrap_or_default();
        Ok(Activity { content: Some(format!(":{shortcode}:")), emojis, ..like })
    }
}
