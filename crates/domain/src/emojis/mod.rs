//! Custom emoji: small pictures that people write as `:shortcode:`, of this site and of other servers.

mod elsewhere;
mod store;

pub use elsewhere::Elsewhere;
pub(crate) use elsewhere::{Said, hear, receive, used};

use crate::{
    Error, Result, Time,
    db::{Conn, Db, Ids},
    ids::{self, EmojiId},
    jobs::Job,
    row,
};

row! {
    /// A custom emoji; of this site when it has no domain.
    pub struct Emoji {
        pub id: EmojiId,
        /// Without the colons
        pub shortcode: String,
        pub domain: Option<String>,
        /// Store keys of the picture and of its version that does not move; of other servers' the address
        pub image: String,
        pub image_static: String,
        pub category: Option<String>,
        pub visible_in_picker: bool,
        pub created_at: Time,
        /// Of other servers: its name there, when it says that it last changed, when it was written down
        pub uri: Option<String>,
        pub changed_at: Option<Time>,
        pub seen_at: Option<Time>,
    }
}

impl Emoji {
    /// What rows with texts call it: `blob`, of another server `blob@example.com`.
    pub fn name(&self) -> String {
        named(&self.shortcode, self.domain.as_deref())
    }
}

fn named(shortcode: &str, domain: Option<&str>) -> String {
    domain.map_or_else(|| shortcode.to_owned(), |domain| format!("{shortcode}@{domain}"))
}

/// An emoji to be added. The files are there already.
#[derive(Clone, Debug)]
pub struct New {
    pub id: EmojiId,
    pub shortcode: String,
    pub image: String,
    pub image_static: String,
    pub category: Option<String>,
    pub visible_in_picker: bool,
}

/// This site's emoji with one of these shortcodes; case matters.
pub async fn by_shortcodes<S: AsRef<str>>(conn: &Conn, shortcodes: &[S]) -> Result<Vec<Emoji>> {
    if shortcodes.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted: Vec<String> = shortcodes.iter().map(|s| s.as_ref().to_owned()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    store::by_shortcodes(conn, wanted).await
}

/// The emoji that rows with texts name, of this site and of others.
pub async fn by_names(conn: &Conn, names: &[String]) -> Result<Vec<Emoji>> {
    let part = |name: &String| {
        let (code, domain) = name.split_once('@').unwrap_or((name, ""));
        (code.to_owned(), domain.to_owned())
    };
    let mut wanted: Vec<(String, String)> = names.iter().map(part).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (codes, mut domains): (Vec<String>, Vec<String>) = wanted.iter().cloned().unzip();
    domains.sort_unstable();
    domains.dedup();
    let mut found = store::by_codes_and_domains(conn, codes, domains).await?;
    let is_wanted = |e: &Emoji| {
        let domain = e.domain.as_deref().unwrap_or_default();
        wanted.binary_search_by(|(c, d)| (c.as_str(), d.as_str()).cmp(&(e.shortcode.as_str(), domain))).is_ok()
    };
    found.retain(is_wanted);
    Ok(found)
}

pub async fn by_id(conn: &Conn, id: EmojiId) -> Result<Option<Emoji>> {
    store::by_id(conn, id).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = EmojiId>) -> Result<Vec<Emoji>> {
    let ids = Ids::of(ids);
    if ids.is_empty() { Ok(Vec::new()) } else { store::by_ids(conn, &ids).await }
}

/// Those of another server.
pub async fn by_domain(conn: &Conn, domain: &str) -> Result<Vec<Emoji>> {
    store::by_domain(conn, domain).await
}

/// Those that name one of these files. Looks through all there are.
pub async fn naming(conn: &Conn, keys: &[String]) -> Result<Vec<Emoji>> {
    store::naming(conn, keys).await
}

/// All of this site, in the order of their shortcodes.
pub async fn list(conn: &Conn) -> Result<Vec<Emoji>> {
    store::list(conn).await
}

/// Adds an emoji, or gives another picture to the one of this shortcode; the old files are removed by a job.
/// [`Error::Invalid`] for a shortcode that is not 2 to 128 of `A-Z a-z 0-9 _`.
pub async fn put(db: &Db, new: New) -> Result<Emoji> {
    check(&new.shortcode)?;
    let mut tx = db.begin().await?;
    let old = store::by_shortcodes(&tx, vec![new.shortcode.clone()]).await?.into_iter().next();
    if let Some(old) = &old {
        store::delete(&tx, old.id).await?;
    }
    let emoji = Emoji {
        id: new.id,
        shortcode: new.shortcode,
        domain: None,
        image: new.image,
        image_static: new.image_static,
        category: new.category,
        visible_in_picker: new.visible_in_picker,
        created_at: tx.now,
        uri: None,
        changed_at: None,
        seen_at: None,
    };
    if !store::insert(&tx, &emoji).await? {
        return Err(Error::Conflict("Another emoji has taken this shortcode".into()));
    }
    if let Some(old) = old {
        let kept = [&emoji.image, &emoji.image_static];
        let keys: Vec<String> = [old.image, old.image_static].into_iter().filter(|k| !kept.contains(&k)).collect();
        tx.enqueue(Job::DeleteFiles { keys }).await?;
    }
    tx.commit().await?;
    Ok(emoji)
}

/// [`Error::Invalid`] for what cannot be a shortcode.
pub fn check(code: &str) -> Result<()> {
    if !(2..=128).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Error::invalid("Shortcode", "is invalid"));
    }
    Ok(())
}

/// An id for an emoji that is about to be added: its files are named by it.
pub fn new_id() -> EmojiId {
    ids::next()
}

/// Removes an emoji of this site and its files. [`Error::NotFound`] without one.
pub async fn delete(db: &Db, shortcode: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = store::by_shortcodes(&tx, vec![shortcode.to_owned()]).await?;
    let emoji = found.into_iter().next().ok_or(Error::NotFound)?;
    store::delete(&tx, emoji.id).await?;
    tx.enqueue(Job::DeleteFiles { keys: vec![emoji.image, emoji.image_static] }).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::tests::world;

    fn new(shortcode: &str, image: &str) -> New {
        let image_static = format!("{image}-static");
        New {
            id: new_id(),
            shortcode: shortcode.into(),
            image: image.into(),
            image_static,
            category: None,
            visible_in_picker: true,
        }
    }

    #[tokio::test]
    async fn a_shortcode_is_there_once() {
        let world = world().await;
        put(&world.db, new("blob", "a")).await.unwrap();
        put(&world.db, new("blob", "b")).await.unwrap();
        put(&world.db, new("Anvil", "c")).await.unwrap();
        assert!(matches!(put(&world.db, new("a b", "c")).await, Err(Error::Invalid { .. })));
        let conn = world.db.read().await.unwrap();
        let all = list(&conn).await.unwrap();
        assert_eq!(all.iter().map(|e| e.image.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(by_shortcodes(&conn, &["blob", "nope", "blob"]).await.unwrap().len(), 1);
        assert!(by_shortcodes::<&str>(&conn, &[]).await.unwrap().is_empty());
        drop(conn);
        delete(&world.db, "blob").await.unwrap();
        assert!(matches!(delete(&world.db, "blob").await, Err(Error::NotFound)));
    }
}
