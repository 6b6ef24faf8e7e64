//! What the site itself remembers, one value by name; among them what its owner changes while it runs.

pub(crate) mod store;

use crate::{
    Result,
    db::{Conn, Db, Tx},
};
use serde::{Deserialize, Serialize};

/// Who may open an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registrations {
    Open,
    /// Everybody may ask; a moderator decides.
    Approval,
    #[default]
    Closed,
}

/// One rule of the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Stays the same while the rule stands.
    pub id: i64,
    pub text: String,
    #[serde(default)]
    pub hint: String,
}

/// What the owner decides about the site while it runs. Kept as one JSON text; what an older program wrote is read
/// with defaults for what it did not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSettings {
    pub title: String,
    /// One or two sentences, plain text.
    pub description: String,
    /// The page about the site: plain text, paragraphs by empty lines.
    pub about: String,
    pub registrations: Registrations,
    /// The site is its owner's alone: the front page is their profile, and nobody can sign up.
    pub single_user: bool,
    /// Whether the e-mail address of a sign-up counts as confirmed at once.
    pub confirm_at_once: bool,
    pub rules: Vec<Rule>,
    pub contact_email: String,
    /// Name of the local account to turn to; None: the first owner.
    pub contact_username: Option<String>,
    /// Store key of the picture that stands for the site.
    pub thumbnail: Option<String>,
    /// Languages spoken here, ISO 639-1.
    pub languages: Vec<String>,
}

impl Default for InstanceSettings {
    fn default() -> Self {
        Self {
            title: "Noren".into(),
            description: String::new(),
            about: String::new(),
            registrations: Registrations::Closed,
            single_user: false,
            confirm_at_once: true,
            rules: Vec::new(),
            contact_email: String::new(),
            contact_username: None,
            thumbnail: None,
            languages: vec!["en".into()],
        }
    }
}

impl InstanceSettings {
    /// Who may open an account without an invite.
    pub fn open_to(&self) -> Registrations {
        if self.single_user { Registrations::Closed } else { self.registrations }
    }
}

/// What the owner decided; defaults where nothing was.
pub async fn read(conn: &Conn) -> Result<InstanceSettings> {
    match store::by_key(conn, store::INSTANCE).await? {
        None => Ok(InstanceSettings::default()),
        Some(json) => Ok(serde_json::from_str(&json)?),
    }
}

pub async fn write(tx: &Tx, settings: &InstanceSettings) -> Result<()> {
    store::put(tx, store::INSTANCE, &serde_json::to_string(settings)?).await
}

/// The domain that this site was last served with; None before the first start.
pub async fn site_domain(conn: &Conn) -> Result<Option<String>> {
    store::by_key(conn, store::SITE_DOMAIN).await
}

/// Keeps the domain that this site is served with: links of accounts made on the command line need it too.
pub async fn remember_site_domain(db: &Db, name: &str) -> Result<()> {
    let tx = db.begin().await?;
    store::put(&tx, store::SITE_DOMAIN, name).await?;
    tx.commit().await
}

/// As [`remember_site_domain`], and rewrites the links of everything local from one base URL to another. Only for a site
/// that nobody else knows yet: others keep the links they have seen.
pub async fn move_site(db: &Db, name: &str, (from, to): (&str, &str)) -> Result<()> {
    let tx = db.begin().await?;
    if from != to {
        store::replace_links(&tx, &format!("{from}/"), &format!("{to}/")).await?;
    }
    store::put(&tx, store::SITE_DOMAIN, name).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_site_that_moves_takes_its_links_along() {
        let world = crate::accounts::tests::world().await;
        let before = world.site.base_url.clone();
        let tx = world.db.begin().await.unwrap();
        let made = crate::accounts::create(&tx, &world.site, "mover").await.unwrap();
        tx.commit().await.unwrap();
        assert!(made.uri.starts_with(&before));
        move_site(&world.db, "noren.example", (&before, "https://noren.example")).await.unwrap();
        let conn = world.db.read().await.unwrap();
        let moved = crate::accounts::store::by_id(&conn, made.id).await.unwrap().unwrap();
        assert_eq!(
            (moved.uri.as_str(), moved.url.as_str()),
            ("https://noren.example/users/mover", "https://noren.example/@mover")
        );
        assert_eq!(site_domain(&conn).await.unwrap().as_deref(), Some("noren.example"));
    }

    #[tokio::test]
    async fn what_is_written_is_read_and_the_unknown_has_defaults() {
        let (_dir, db) = crate::users::tests::database().await;
        assert_eq!(read(&db.read().await.unwrap()).await.unwrap(), InstanceSettings::default());
        let rules = vec![Rule { id: 1, text: "Be kind".into(), hint: String::new() }];
        let wanted =
            InstanceSettings {
                title: "暖簾".into(), registrations: Registrations::Open, rules, ..Default::default()
            };
        let tx = db.begin().await.unwrap();
        write(&tx, &wanted).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(read(&db.read().await.unwrap()).await.unwrap(), wanted);
        let old: InstanceSettings = serde_json::from_str(r#"{"title":"Old","gone":1}"#).unwrap();
        assert_eq!((old.title.as_str(), old.registrations), ("Old", Registrations::Closed));
    }
}
