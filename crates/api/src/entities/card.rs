//! Previews of pages.

use super::{Account, Iso};
use crate::App;
use domain::{
    Result, Time, accounts,
    cards::{self, Kind, Preview},
    db::Conn,
    domain_blocks::Rules,
    ids::{AccountId, CardId, StatusId},
    statuses::Status,
};
use media::keys::{self, Style};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// <https://docs.joinmastodon.org/entities/PreviewCard/>
#[derive(Clone, Debug, Serialize)]
pub struct PreviewCard {
    pub url: String,
    pub title: String,
    pub description: String,
    pub language: Option<String>,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub author_name: String,
    pub author_url: String,
    pub provider_name: String,
    pub provider_url: String,
    pub html: String,
    pub width: i64,
    pub height: i64,
    pub image: Option<String>,
    pub image_description: String,
    pub embed_url: String,
    pub blurhash: Option<String>,
    pub published_at: Option<Iso>,
    pub authors: Vec<PreviewCardAuthor>,
    /// Nobody is named who does not want to be: nothing is missing.
    pub missing_attribution: Option<bool>,
}

/// <https://docs.joinmastodon.org/entities/PreviewCardAuthor/>
#[derive(Clone, Debug, Serialize)]
pub struct PreviewCardAuthor {
    pub name: String,
    pub url: String,
    pub account: Option<Account>,
}

/// The previews of these statuses, those that have one.
pub async fn cards<'a>(
    app: &App,
    conn: &Conn,
    rows: impl Iterator<Item = &'a Status>,
) -> Result<HashMap<StatusId, Arc<PreviewCard>>> {
    // Elsewhere they may have one that the text does not link to.
    let may_have = |row: &&Status| !row.has_media && (!row.local || row.content.contains("<a "));
    let found = cards::by_statuses(conn, rows.filter(may_have).map(|row| row.id)).await?;
    if found.is_empty() {
        return Ok(HashMap::new());
    }
    let mut by_id: HashMap<CardId, (Preview, cards::Card)> = HashMap::new();
    let rules = app.federation.policy.rules_on(conn).await?;
    for preview in found.values() {
        by_id.entry(preview.id).or_insert_with(|| (preview.clone(), shown(preview, &rules)));
    }
    let authors = accounts::store::by_ids(conn, by_id.values().filter_map(|(_, card)| card.author)).await?;
    let ids: Vec<AccountId> = authors.iter().map(|a| a.id).collect();
    let authors: HashMap<AccountId, Account> =
        ids.into_iter().zip(super::accounts(app, conn, authors).await?).collect();
    let made: HashMap<CardId, Arc<PreviewCard>> =
        by_id.into_iter().map(|(id, (_, card))| (id, Arc::new(one(app, (id, card), &authors)))).collect();
    Ok(found.into_iter().filter_map(|(status, preview)| Some((status, made.get(&preview.id)?.clone()))).collect())
}

/// What is said of the page, without a picture that is not to be seen.
fn shown(preview: &Preview, rules: &Rules) -> cards::Card {
    let card = preview.card();
    if !preview.is_barred(&card, rules) {
        return card;
    }
    let embed_url = if card.kind == Kind::Photo { String::new() } else { card.embed_url };
    let kind = if card.kind == Kind::Photo { Kind::Link } else { card.kind };
    cards::Card { kind, embed_url, image: None, image_description: String::new(), blurhash: None, ..card }
}

fn one(app: &App, (id, card): (CardId, cards::Card), authors: &HashMap<AccountId, Account>) -> PreviewCard {
    let account = card.author.and_then(|id| authors.get(&id)).cloned();
    let is_named = account.is_some() || !card.author_name.is_empty();
    let author = PreviewCardAuthor { name: card.author_name.clone(), url: card.author_url.clone(), account };
    let image = |stored: &String| app.site.media(&keys::shown((keys::Kind::Card, id.0, Style::Original), stored));
    PreviewCard {
        image: card.image.as_ref().map(image),
        authors: is_named.then_some(author).into_iter().collect(),
        url: card.url,
        title: card.title,
        description: card.description,
        language: card.language,
        kind: card.kind,
        author_name: card.author_name,
        author_url: card.author_url,
        provider_name: card.provider_name,
        provider_url: card.provider_url,
        html: card.html,
        width: card.width,
        height: card.height,
        image_description: card.image_description,
        embed_url: card.embed_url,
        blurhash: card.blurhash,
        published_at: card.published_at.map(|at| Iso(Time(at))),
        missing_attribution: None,
    }
}
