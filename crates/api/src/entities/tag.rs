//! Hashtags, and those on profiles.

use super::Day;
use crate::App;
use domain::{
    Result, Time,
    db::Conn,
    ids::{AccountId, FeaturedTagId},
    tags::{self, Use, WEEK},
};
use serde::Serialize;
use std::collections::HashMap;

/// <https://docs.joinmastodon.org/entities/Tag/>
#[derive(Debug, Serialize)]
pub struct Tag {
    /// Empty while nobody has used it.
    pub id: String,
    pub name: String,
    pub url: String,
    pub history: Vec<TagHistory>,
    /// Only with a user's token, as the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub following: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub featuring: Option<bool>,
}

/// Numbers are sent as strings here.
#[derive(Debug, Serialize)]
pub struct TagHistory {
    pub day: String,
    pub uses: String,
    pub accounts: String,
}

/// <https://docs.joinmastodon.org/entities/FeaturedTag/>
#[derive(Debug, Serialize)]
pub struct FeaturedTag {
    pub id: FeaturedTagId,
    pub name: String,
    pub url: String,
    /// A number in decimal digits.
    pub statuses_count: String,
    pub last_status_at: Option<Day>,
}

/// Tags as `viewer` sees them, in order.
pub async fn tags(app: &App, conn: &Conn, rows: Vec<tags::Tag>, viewer: Option<AccountId>) -> Result<Vec<Tag>> {
    let history = tags::history(conn, &rows).await?;
    let marks = match viewer {
        None => HashMap::new(),
        Some(viewer) => tags::marks(conn, viewer, &rows).await?,
    };
    let today = Time::now().midnight().seconds();
    let made = rows.into_iter().map(|row| {
        let mine = viewer.map(|_| marks.get(&row.id).copied().unwrap_or_default());
        Tag {
            history: week(today, &history.get(&row.id).copied().unwrap_or_default()),
            id: if row.is_used() { row.id.to_string() } else { String::new() },
            url: app.site.tag_url(&row.name),
            name: row.display_name,
            following: mine.map(|m| m.following),
            featuring: mine.map(|m| m.featuring),
        }
    });
    Ok(made.collect())
}

/// [`tags`] for one.
pub async fn tag(app: &App, conn: &Conn, row: tags::Tag, viewer: Option<AccountId>) -> Result<Tag> {
    let made = tags(app, conn, vec![row], viewer).await?;
    made.into_iter().next().ok_or(domain::Error::NotFound)
}

fn week(today: i64, history: &[Use; WEEK]) -> Vec<TagHistory> {
    let days = (0..).map(|ago: i64| today - ago * 86_400);
    let line = |(day, n): (i64, &Use)| TagHistory {
        day: day.to_string(),
        uses: n.uses.to_string(),
        accounts: n.accounts.to_string(),
    };
    days.zip(history).map(line).collect()
}

pub fn featured_tags(app: &App, rows: Vec<tags::Featured>) -> Vec<FeaturedTag> {
    rows.into_iter().map(|row| featured_tag(app, row)).collect()
}

pub fn featured_tag(app: &App, row: tags::Featured) -> FeaturedTag {
    FeaturedTag {
        id: row.id,
        url: app.site.tag_url(&row.name),
        name: row.name,
        statuses_count: row.statuses_count.to_string(),
        last_status_at: row.last_status_at.map(Day),
    }
}
