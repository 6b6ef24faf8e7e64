//! What authors elsewhere let others do with their posts, as GoToSocial says it, and how their consent is looked at.

use crate::documents::{Document, Grant, Note, PUBLIC, Policy, same_origin};
use crate::{Federation, resolve};
use domain::accounts::{self, Account};
use domain::statuses::consent::{self, Circle, Deed, Rule, Rules, Verdict};
use domain::statuses::{self, Status};
use domain::{Error, Result, ids::StatusId};
use url::Url;

/// The lists that an author may mean.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lists<'a> {
    pub followers: Option<&'a str>,
    pub following: Option<&'a str>,
}

/// What a policy says, in the domain's words.
pub(crate) fn rules(policy: &Policy, lists: Lists<'_>) -> Rules {
    let rule = |grant: &Option<Grant>| {
        let grant = grant.as_ref()?;
        Some(Rule { automatic: circle(&grant.automatic, lists), manual: circle(&grant.manual, lists) })
    };
    Rules { like: rule(&policy.like), reply: rule(&policy.reply), boost: rule(&policy.announce) }
}

fn circle(entries: &[String], lists: Lists<'_>) -> Circle {
    let mut circle = Circle::default();
    for entry in entries {
        match Some(entry.as_str()) {
            Some(PUBLIC) => circle.everybody = true,
            it if it == lists.followers => circle.followers = true,
            it if it == lists.following => circle.following = true,
            _ => circle.people.push(entry.clone()),
        }
    }
    circle
}

impl Federation {
    /// Whether `who`, elsewhere, may do `deed` with `target`: its author lets them, or says so in `approval`, which must
    /// be about just this, called `name`.
    pub(crate) async fn may(
        &self,
        (who, deed): (&Account, Deed),
        target: &Status,
        (name, approval): (&str, Option<&str>),
    ) -> Result<bool> {
        let conn = self.db.read().await?;
        if consent::verdict(&conn, who.id, (target, deed)).await? == Verdict::Allowed {
            return Ok(true);
        }
        let author = accounts::store::by_id(&conn, target.account_id).await?;
        drop(conn);
        let (Some(author), Some(approval)) = (author, approval) else { return Ok(false) };
        let Some(url) = Url::parse(approval).ok().filter(|_| same_origin(approval, &author.uri)) else {
            return Ok(false);
        };
        let signer = self.site_signer().await?;
        let fetched = match self.fetcher.document(&url, Some(&signer)).await {
            Ok(fetched) => fetched,
            // What cannot be looked at now may be later.
            Err(error) if error.passes() => return Err(resolve::failed(&url, error)),
            Err(_) => return Ok(false),
        };
        let Ok(Document::Approval(it)) = Document::read(&fetched.value) else { return Ok(false) };
        let wanted = match deed {
            Deed::Like => "Like",
            Deed::Reply => "Reply",
            Deed::Boost => "Announce",
        };
        let fits = it.of == wanted && it.id == approval && it.author == author.uri;
        Ok(fits && it.interacting == name && it.target == target.uri)
    }

    /// [`Error::Forbidden`] when `note` may not answer the post that it would be put below.
    pub(crate) async fn check_answer(&self, note: &Note, author: &Account, parent: StatusId) -> Result<()> {
        let parent = statuses::store::by_id(&self.db.read().await?, parent).await?.ok_or(Error::NotFound)?;
        match self.may((author, Deed::Reply), &parent, (&note.id, note.approved_by.as_deref())).await? {
            true => Ok(()),
            false => Err(Error::forbidden("Its parent's author does not let them answer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart() {
        let lists = Lists { followers: Some("https://a.example/f"), following: None };
        let of = |entries: &[&str]| circle(&entries.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>(), lists);
        assert_eq!(of(&[]), Circle::default());
        assert_eq!(of(&[PUBLIC]), Circle { everybody: true, ..Circle::default() });
        let some = of(&["https://a.example/f", "https://b.example/u"]);
        assert_eq!((some.followers, some.following, some.people.len()), (true, false, 1));
    }
}
