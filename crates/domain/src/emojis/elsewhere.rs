//! Emoji of other servers: known by where they are, kept by server and shortcode.

use super::{Emoji, named, store};
use crate::{Result, Time, db::Tx, ids, media};
use std::time::Duration;

/// Emoji of one text that are kept.
const MOST: usize = 100;
/// Characters of a shortcode.
const SHORTCODE: usize = 128;
/// How often one is written anew whose server does not say when it changed.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// An emoji as it arrived with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Without colons.
    pub shortcode: String,
    pub uri: Option<String>,
    /// The address of its picture.
    pub url: String,
    pub changed_at: Option<Time>,
}

/// Those that the texts use, each once and no more than are kept.
fn in_use<'a>(emojis: &'a [Elsewhere], texts: &[&str]) -> Vec<&'a Elsewhere> {
    let mut used: Vec<&Elsewhere> = Vec::new();
    for emoji in emojis {
        let fits = !emoji.shortcode.is_empty() && emoji.shortcode.len() <= SHORTCODE;
        let known = used.iter().any(|other| other.shortcode == emoji.shortcode);
        let code = format!(":{}:", emoji.shortcode);
        if fits && !known && used.len() < MOST && texts.iter().any(|text| text.contains(&code)) {
            used.push(emoji);
        }
    }
    // Everybody writes them down in the same order, so that nobody waits for each other.
    used.sort_unstable_by(|a, b| a.shortcode.cmp(&b.shortcode));
    used
}

/// The names of those that the texts use, as rows keep them.
pub(crate) fn used(emojis: &[Elsewhere], domain: &str, texts: &[&str]) -> Result<String> {
    let names: Vec<String> = in_use(emojis, texts).iter().map(|e| named(&e.shortcode, Some(domain))).collect();
    Ok(serde_json::to_string(&names)?)
}

/// Writes down those that the texts use. A known one changes when its server says that it did, or once a day.
pub(crate) async fn receive(tx: &mut Tx, domain: &str, (emojis, texts): (&[Elsewhere], &[&str])) -> Result<()> {
    let emojis = in_use(emojis, texts);
    if emojis.is_empty() {
        return Ok(());
    }
    let codes = emojis.iter().map(|e| e.shortcode.clone()).collect();
    let known = store::by_codes_and_domains(tx, codes, vec![domain.to_owned()]).await?;
    for emoji in emojis {
        match known.iter().find(|k| k.shortcode == emoji.shortcode) {
            None => {
                store::insert(tx, &emoji.row(domain, tx.now)).await?;
            }
            Some(old) if emoji.is_news(old, tx.now) => {
                let new = Emoji { id: old.id, ..emoji.row(domain, tx.now) };
                store::update(tx, &new).await?;
                if new.image != old.image {
                    media::forget(tx, media::of_emoji(old)).await?;
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Who says what an emoji of a server looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    ByItself,
    /// Counts until the server itself says anything.
    ByOthers,
}

/// Writes down an emoji that came by itself, not with a text.
pub(crate) async fn hear(tx: &mut Tx, domain: &str, (emoji, said): (Elsewhere, Said)) -> Result<()> {
    if said == Said::ByItself {
        let text = format!(":{}:", emoji.shortcode);
        return receive(tx, domain, (&[emoji], &[text.as_str()])).await;
    }
    store::insert(tx, &Emoji { seen_at: None, ..emoji.row(domain, tx.now) }).await?;
    Ok(())
}

impl Elsewhere {
    fn is_news(&self, known: &Emoji, now: Time) -> bool {
        if (&self.url, self.changed_at) == (&known.image, known.changed_at) {
            return false;
        }
        let newer = self.changed_at.is_some_and(|at| known.changed_at.is_none_or(|before| at > before));
        newer || known.seen_at.is_none_or(|seen| now.since(seen) > DAILY)
    }

    fn row(&self, domain: &str, now: Time) -> Emoji {
        Emoji {
            id: ids::next(),
            shortcode: self.shortcode.clone(),
            domain: Some(domain.to_owned()),
            image: self.url.clone(),
            image_static: self.url.clone(),
            category: None,
            visible_in_picker: false,
            created_at: now,
            uri: self.uri.clone(),
            changed_at: self.changed_at,
            seen_at: Some(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emoji(shortcode: &str, url: &str) -> Elsewhere {
        Elsewhere { shortcode: shortcode.into(), url: url.into(), ..Elsewhere::default() }
    }

    #[test]
    fn only_what_is_used_is_kept_and_never_too_much() {
        let list = [emoji("b", "1"), emoji("a", "2"), emoji("b", "3"), emoji("c", "4"), emoji("", "5")];
        assert_eq!(used(&list, "x.example", &["hi :a:", "<p>:b: ::</p>"]).unwrap(), r#"["a@x.example","b@x.example"]"#);
        let many: Vec<Elsewhere> = (0..10_000).map(|n| emoji(&format!("e{n}"), "x")).collect();
        let text: String = many.iter().map(|e| format!(":{}:", e.shortcode)).collect();
        assert_eq!(in_use(&many, &[&text]).len(), MOST);
    }

    #[tokio::test]
    async fn others_say_how_one_looks_until_its_server_does() {
        let world = crate::accounts::tests::world().await;
        let mut tx = world.db.begin().await.unwrap();
        let looks = async |tx: &Tx| {
            let found = store::by_codes_and_domains(tx, vec!["a".into()], vec!["x.example".into()]).await.unwrap();
            found.into_iter().map(|e| e.image).collect::<Vec<_>>()
        };
        hear(&mut tx, "x.example", (emoji("a", "stranger"), Said::ByOthers)).await.unwrap();
        hear(&mut tx, "x.example", (emoji("a", "another"), Said::ByOthers)).await.unwrap();
        assert_eq!(looks(&tx).await, ["stranger"]);
        receive(&mut tx, "x.example", (&[emoji("a", "own")], &["a post with :a:"])).await.unwrap();
        assert_eq!(looks(&tx).await, ["own"]);
        hear(&mut tx, "x.example", (emoji("a", "stranger"), Said::ByOthers)).await.unwrap();
        assert_eq!(looks(&tx).await, ["own"]);
        hear(&mut tx, "y.example", (emoji("a", "own"), Said::ByItself)).await.unwrap();
        let others = store::by_codes_and_domains(&tx, vec!["a".into()], vec!["y.example".into()]).await.unwrap();
        assert!(others.len() == 1 && others[0].seen_at.is_some());
    }

    #[test]
    fn news_are_newer_or_a_day_old() {
        let at = |day: i64| Time(day * 86_400_000);
        let known = Emoji { changed_at: Some(at(1)), ..emoji("a", "1").row("x.example", at(10)) };
        let arrived = |url: &str, changed: Option<Time>| Elsewhere { changed_at: changed, ..emoji("a", url) };
        for (arrived, now, news) in [
            (arrived("1", Some(at(1))), at(50), false),
            (arrived("2", Some(at(1))), at(10), false),
            (arrived("2", None), at(10), false),
            (arrived("2", Some(at(2))), at(10), true),
            (arrived("1", Some(at(2))), at(10), true),
            (arrived("2", Some(at(0))), at(12), true),
            (arrived("2", None), at(12), true),
        ] {
            assert_eq!(arrived.is_news(&known, now), news, "{arrived:?}");
        }
    }
}
