//! Our actors as documents: people, and the site itself.

pub(crate) mod keys;
pub(crate) mod serve;

use crate::Federation;
use crate::documents::{Actor, ActorKind, Emoji, Image, Key, KeyMaterial, Property};
use domain::Result;
use domain::accounts::{self, Account, Kind};
use domain::db::Conn;
use domain::{emojis, keys as own_keys, moves, text};

/// What the site is called among relays.
pub(crate) const RELAY: &str = "relay";

impl Federation {
    /// The name of the site's own actor.
    pub(crate) fn site_uri(&self) -> String {
        format!("{}/actor", self.site.base_url)
    }

    /// The name under which the site speaks with relays that follow back: some take no other.
    pub(crate) fn relay_uri(&self) -> String {
        format!("{}/relay", self.site.base_url)
    }

    pub(crate) fn shared_inbox(&self) -> String {
        format!("{}/inbox", self.site.base_url)
    }

    /// Whether `uri` is an address of this site.
    pub(crate) fn is_ours(&self, uri: &str) -> bool {
        uri.strip_prefix(self.site.base_url.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A local account as others see it: nothing but its addresses and keys while it is suspended.
    pub(crate) async fn actor(&self, account: &Account) -> Result<Actor> {
        let pair = self.pair(account.id).await?;
        let conn = self.db.read().await?;
        let suspended = account.suspended_at.is_some();
        let aliases = if suspended { Vec::new() } else { moves::aliases(&conn, account.id).await? };
        let account = hollow(account.clone());
        let uri = &account.uri;
        let moved_to = match account.moved_to_id {
            None => None,
            Some(id) => accounts::store::by_id(&conn, id).await?.map(|to| to.uri),
        };
        let picture = |key: &Option<String>, words: &str| {
            let key = key.as_ref()?;
            let description = Some(words.to_owned()).filter(|w| !w.is_empty());
            Some(Image { url: self.site.media(key), media_type: media_type(key).map(str::to_owned), description })
        };
        let field = |f: domain::accounts::Field| Property { name: f.name, value: f.value_html };
        Ok(Actor {
            id: uri.clone(),
            kind: match account.kind {
                Kind::Person => ActorKind::Person,
                Kind::Bot => ActorKind::Service,
                Kind::Group => ActorKind::Group,
            },
            username: account.username.clone(),
            webfinger: Some(self.site.handle(&account.username)),
            name: account.display_name.clone(),
            summary: account.note_html.clone(),
            url: Some(account.url.clone()),
            inbox: format!("{uri}/inbox"),
            outbox: Some(format!("{uri}/outbox")),
            shared_inbox: Some(self.shared_inbox()),
            followers: Some(format!("{uri}/followers")),
            following: Some(format!("{uri}/following")),
            featured: Some(format!("{uri}/collections/featured")),
            featured_tags: Some(format!("{uri}/collections/tags")),
            icon: picture(&account.avatar, &account.avatar_description),
            image: picture(&account.header, &account.header_description),
            locked: account.locked,
            discoverable: Some(account.discoverable.unwrap_or(false)),
            indexable: Some(account.indexable),
            published: Some(account.created_at.midnight()),
            fields: account.fields().into_iter().map(field).collect(),
            emojis: self.emojis(&conn, &account.shortcodes()).await?,
            hashtags: text::tags(&account.note).into_iter().map(|tag| self.hashtag(tag.name)).collect(),
            also_known_as: aliases.into_iter().map(|alias| alias.uri).collect(),
            moved_to,
            memorial: account.memorial,
            suspended,
            attribution_domains: account.attribution_domains(),
            keys: vec![key(uri, pair.public_pem())],
            knows_rfc9421: true,
            ..Actor::default()
        })
    }

    /// The actor that is the site itself: it signs what nobody in particular asks for.
    pub(crate) async fn site_actor(&self) -> Result<Actor> {
        let uri = self.site_uri();
        let pair = self.pair(own_keys::SITE).await?;
        Ok(Actor {
            kind: ActorKind::Application,
            username: self.site.domain.clone(),
            webfinger: Some(self.site.handle(&self.site.domain)),
            name: self.site.domain.clone(),
            url: Some(format!("{}/about", self.site.base_url)),
            inbox: format!("{uri}/inbox"),
            outbox: Some(format!("{uri}/outbox")),
            shared_inbox: Some(self.shared_inbox()),
            locked: true,
            keys: vec![key(&uri, pair.public_pem())],
            knows_rfc9421: true,
            id: uri,
            ..Actor::default()
        })
    }

    /// The site among relays: the same keys under another name.
    pub(crate) async fn relay_actor(&self) -> Result<Actor> {
        let uri = self.relay_uri();
        let pair = self.pair(own_keys::SITE).await?;
        Ok(Actor {
            username: RELAY.to_owned(),
            webfinger: Some(self.site.handle(RELAY)),
            inbox: format!("{uri}/inbox"),
            outbox: Some(format!("{uri}/outbox")),
            followers: Some(format!("{uri}/followers")),
            following: Some(format!("{uri}/following")),
            keys: vec![key(&uri, pair.public_pem())],
            id: uri,
            ..self.site_actor().await?
        })
    }

    /// Those of the shortcodes that are emoji of this site.
    pub(crate) async fn emojis<S: AsRef<str>>(&self, conn: &Conn, shortcodes: &[S]) -> Result<Vec<Emoji>> {
        let found = emojis::by_shortcodes(conn, shortcodes).await?;
        let emoji = |e: emojis::Emoji| Emoji {
            id: Some(format!("{}/emojis/{}", self.site.base_url, e.shortcode)),
            image: Image {
                url: self.site.media(&e.image),
                media_type: media_type(&e.image).map(str::to_owned),
                description: None,
            },
            updated: Some(e.created_at),
            shortcode: e.shortcode,
        };
        Ok(found.into_iter().map(emoji).collect())
    }
}

/// What is left to be seen of an account: all of it, or next to nothing while it is suspended.
pub(crate) fn hollow(account: Account) -> Account {
    if account.suspended_at.is_none() {
        return account;
    }
    Account {
        display_name: String::new(),
        note: String::new(),
        note_html: String::new(),
        avatar: None,
        header: None,
        fields_json: "[]".into(),
        emojis_json: "[]".into(),
        discoverable: None,
        indexable: false,
        memorial: false,
        moved_to_id: None,
        attribution_domains_json: "[]".into(),
        ..account
    }
}

fn key(owner: &str, pem: &str) -> Key {
    Key { id: keys::key_id(owner), owner: owner.to_owned(), material: KeyMaterial::Pem(pem.to_owned()) }
}

/// By the end of the name of a stored file.
pub(crate) fn media_type(key: &str) -> Option<&'static str> {
    match key.rsplit('.').next()? {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        "avif" => Some("image/avif"),
        _ => None,
    }
}
