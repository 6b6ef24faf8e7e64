//! Favourites, and emoji on posts: a Like with content, which is a plain one where that means nothing.

use super::compose::{Act, on_status, undo};
use crate::Federation;
use crate::documents::{Activity, Emoji, Image, Verb};
use domain::db::Conn;
use domain::deliveries::News;
use domain::ids::{AccountId, FavouriteId, ReactionId, StatusId};
use domain::statuses;
use domain::statuses::reactions::{self, Kept};
use domain::{Error, Result};

/// Who does something with which post.
type Whose = (AccountId, StatusId);

pub(super) async fn made(federation: &Federation, conn: &Conn, news: &News) -> Result<(AccountId, Activity)> {
    match news {
        News::Favourited { account, status, favourite } => liked(conn, (*account, *status), *favourite).await,
        News::Unfavourited { account, status, favourite } => {
            let (account, like) = liked(conn, (*account, *status), *favourite).await?;
            Ok((account, undo(like)))
        }
        News::Reacted { account, status, reaction, emoji } => {
            federation.reacted(conn, (*account, *status), (*reaction, emoji)).await
        }
        News::Unreacted { account, status, reaction, emoji } => {
            let (account, like) = federation.reacted(conn, (*account, *status), (*reaction, emoji)).await?;
            Ok((account, undo(like)))
        }
        News::LikeKept { account, status, .. } => {
            let whose = (*account, *status);
            // What is there now: it may have been taken back meanwhile, too.
            match reactions::kept(conn, *account, *status).await?.ok_or(Error::NotFound)? {
                Kept::Favourite(favourite) => liked(conn, whose, favourite).await,
                Kept::Reaction(reaction, emoji) => federation.reacted(conn, whose, (reaction, &emoji)).await,
            }
        }
        _ => Err(Error::NotFound),
    }
}

/// Who hears of it besides the author of what it is on: an emoji is shown, a favourite is between two.
pub(super) async fn followers(conn: &Conn, news: &News) -> Result<Option<AccountId>> {
    let (News::Reacted { account, status, .. }
    | News::Unreacted { account, status, .. }
    | News::LikeKept { account, status, .. }) = news
    else {
        return Ok(None);
    };
    let is_favourite = matches!(news, News::LikeKept { .. })
        && !matches!(reactions::kept(conn, *account, *status).await?, Some(Kept::Reaction(..)));
    match statuses::store::by_id(conn, *status).await?.filter(|_| !is_favourite) {
        Some(status) if reactions::is_for_followers(conn, *account, &status).await? => Ok(Some(*account)),
        _ => Ok(None),
    }
}

async fn liked(conn: &Conn, whose: Whose, favourite: FavouriteId) -> Result<(AccountId, Activity)> {
    on_status(conn, whose, Act { verb: Verb::Like, name: format!("likes/{favourite}") }).await
}

impl Federation {
    async fn reacted(
        &self,
        conn: &Conn,
        whose: Whose,
        (reaction, emoji): (ReactionId, &reactions::Emoji),
    ) -> Result<(AccountId, Activity)> {
        let act = Act { verb: Verb::Like, name: format!("reactions/{reaction}") };
        let (account, mut like) = on_status(conn, whose, act).await?;
        let status = statuses::store::by_id(conn, whose.1).await?.ok_or(Error::NotFound)?;
        if reactions::is_for_followers(conn, account, &status).await? {
            like.to.push(format!("{}/followers", like.actor));
        }
        Ok((account, self.with_emoji(conn, like, emoji).await?))
    }

    /// `like` with the emoji that it is.
    async fn with_emoji(&self, conn: &Conn, like: Activity, emoji: &reactions::Emoji) -> Result<Activity> {
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
