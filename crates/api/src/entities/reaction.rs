//! Emoji on statuses, in Pleroma's form.

use super::{Account, CustomEmoji};
use crate::App;
use domain::{
    Result, accounts,
    db::Conn,
    ids::AccountId,
    statuses::reactions::{Counted, Reaction},
};
use serde::Serialize;
use std::collections::HashMap;

/// The emoji of other servers among those that were put on something, by their names.
pub(super) type Pictures = HashMap<String, CustomEmoji>;

/// What Pleroma adds to a status, as far as it is here:
/// <https://docs.pleroma.social/backend/development/API/differences_in_mastoapi_responses/#statuses>
#[derive(Clone, Debug, Serialize)]
pub struct Pleroma {
    pub emoji_reactions: Vec<EmojiReaction>,
}

#[derive(Clone, Debug, Serialize)]
pub struct EmojiReaction {
    /// A character, a shortcode, or `shortcode@host`.
    pub name: String,
    pub count: i64,
    pub me: bool,
    /// The picture of a custom emoji.
    pub url: Option<String>,
}

/// An emoji, and who put it there.
#[derive(Debug, Serialize)]
pub struct ReactedBy {
    #[serde(flatten)]
    pub reaction: EmojiReaction,
    pub accounts: Vec<Account>,
}

/// Shown as all emoji of other servers are: at an address here, and not against the rules. What somebody sent along as a
/// picture is no address for the people here to go to.
pub(super) async fn pictures<'a>(app: &App, conn: &Conn, names: impl Iterator<Item = &'a str>) -> Result<Pictures> {
    super::emoji::named(app, conn, names.filter(|name| name.contains('@')).map(str::to_owned).collect()).await
}

fn url(app: &App, (name, picture): (&str, &str), pictures: &Pictures) -> Option<String> {
    if name.contains('@') {
        return pictures.get(name).map(|emoji| emoji.url.clone());
    }
    (!picture.is_empty()).then(|| app.site.media(picture))
}

/// None when there are none: nobody but those clients needs to read it.
pub(super) fn pleroma(app: &App, rows: &[Counted], pictures: &Pictures) -> Option<Box<Pleroma>> {
    let one = |row: &Counted| EmojiReaction {
        name: row.name.clone(),
        count: row.count,
        me: row.me > 0,
        url: url(app, (&row.name, &row.picture), pictures),
    };
    (!rows.is_empty()).then(|| Box::new(Pleroma { emoji_reactions: rows.iter().map(one).collect() }))
}

/// Grouped by emoji, in the order in which they came.
pub async fn reacted_by(
    app: &App,
    conn: &Conn,
    found: Vec<(Reaction, accounts::Account)>,
    viewer: Option<AccountId>,
) -> Result<Vec<ReactedBy>> {
    let (reactions, rows): (Vec<Reaction>, Vec<accounts::Account>) = found.into_iter().unzip();
    let people = super::accounts(app, conn, rows).await?;
    let pictures = pictures(app, conn, reactions.iter().map(|r| r.name.as_str())).await?;
    let mut out: Vec<ReactedBy> = Vec::new();
    for (reaction, account) in reactions.into_iter().zip(people) {
        let me = viewer == Some(reaction.account_id);
        match out.iter_mut().find(|group| group.reaction.name == reaction.name) {
            Some(group) => {
                group.reaction.count += 1;
                group.reaction.me |= me;
                group.accounts.push(account);
            }
            None => {
                let picture = reaction.picture.as_deref().unwrap_or_default();
                let url = url(app, (&reaction.name, picture), &pictures);
                let reaction = EmojiReaction { name: reaction.name, count: 1, me, url };
                out.push(ReactedBy { reaction, accounts: vec![account] });
            }
        }
    }
    Ok(out)
}
