//! What authors elsewhere let others do with their posts (GoToSocial's interaction policies), and the consent that is
//! asked for where they want to be asked. Posts of ours let everybody do everything but quote them.

mod answers;
mod store;

pub use answers::{Like, given, refused, refused_like};

use super::{Consent, Status};
use crate::{
    Error, Result, accounts,
    db::{Conn, Tx},
    follows,
    ids::{AccountId, StatusId},
};
use serde::{Deserialize, Serialize};

/// People named one by one who are kept.
const PEOPLE: usize = 64;

/// Some people, as seen from the author of a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Circle {
    pub everybody: bool,
    pub followers: bool,
    /// Whom the author follows.
    pub following: bool,
    /// Their names among servers.
    pub people: Vec<String>,
}

/// Who may do something, and who may when the author agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    pub automatic: Circle,
    pub manual: Circle,
}

/// What is not said is for everybody. Part of what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    pub like: Option<Rule>,
    pub reply: Option<Rule>,
    pub boost: Option<Rule>,
}

/// What somebody wants to do with a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Like,
    Reply,
    Boost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// When the author agrees.
    Ask,
    Denied,
}

impl Rule {
    fn is_open(&self) -> bool {
        self.automatic.everybody
    }
    fn people(&self) -> impl Iterator<Item = &String> {
        self.automatic.people.iter().chain(&self.manual.people)
    }
}

impl Rules {
    fn of(&self, deed: Deed) -> Option<&Rule> {
        match deed {
            Deed::Like => self.like.as_ref(),
            Deed::Reply => self.reply.as_ref(),
            Deed::Boost => self.boost.as_ref(),
        }
    }

    /// Only what is not for everybody, and of that not too much; None when nothing is left.
    fn kept(&self) -> Option<Self> {
        let keep = |rule: &Option<Rule>| {
            let mut rule = rule.clone().filter(|rule| !rule.is_open())?;
            rule.automatic.people.truncate(PEOPLE);
            rule.manual.people.truncate(PEOPLE);
            Some(rule)
        };
        let kept = Self { like: keep(&self.like), reply: keep(&self.reply), boost: keep(&self.boost) };
        Some(kept).filter(|kept| *kept != Self::default())
    }
}

/// Writes down what the author of `id` lets others do, in the place of what was known of it.
pub(super) async fn keep(tx: &Tx, id: StatusId, rules: &Rules) -> Result<()> {
    match rules.kept() {
        None => store::delete(tx, id).await,
        Some(kept) => store::put(tx, id, &serde_json::to_string(&kept)?).await,
    }
}

/// Whether `who` may do `deed` with `status`, by what is known here of whom its author follows and is followed by.
pub async fn verdict(conn: &Conn, who: AccountId, (status, deed): (&Status, Deed)) -> Result<Verdict> {
    if status.local || status.account_id == who {
        return Ok(Verdict::Allowed);
    }
    // Most posts have none.
    let Some(rules) = store::find(conn, status.id).await? else { return Ok(Verdict::Allowed) };
    let rules: Rules = serde_json::from_str(&rules)?;
    let Some(rule) = rules.of(deed) else { return Ok(Verdict::Allowed) };
    let spoken_to = || {
        let named = status.mentions().iter().any(|m| m.id == who && !m.silent);
        named || status.in_reply_to_account_id == Some(who)
    };
    if deed == Deed::Reply && spoken_to() {
        return Ok(Verdict::Allowed);
    }
    let name = match rule.people().next() {
        None => None,
        Some(_) => accounts::store::by_id(conn, who).await?.map(|a| a.uri),
    };
    let author = status.account_id;
    let follows = follows::store::find(conn, who, author).await?.is_some();
    let followed = follows::store::find(conn, author, who).await?.is_some();
    let has = |circle: &Circle| {
        circle.everybody
            || (circle.followers && follows)
            || (circle.following && followed)
            || name.as_ref().is_some_and(|name| circle.people.contains(name))
    };
    Ok(match (has(&rule.automatic), has(&rule.manual)) {
        (true, _) => Verdict::Allowed,
        (false, true) => Verdict::Ask,
        (false, false) => Verdict::Denied,
    })
}

/// What a new answer or boost by `who`, who is here, needs. [`Error::Forbidden`] when its author lets them not.
pub(super) async fn needed(conn: &Conn, who: AccountId, (status, deed): (&Status, Deed)) -> Result<Consent> {
    match verdict(conn, who, (status, deed)).await? {
        Verdict::Allowed => Ok(Consent::None),
        Verdict::Ask => Ok(Consent::Waiting),
        Verdict::Denied => Err(Error::forbidden("This action is not allowed")),
    }
}

/// Where the consent to an answer or a boost of ours can be looked at.
pub async fn approval(conn: &Conn, status: &Status) -> Result<Option<String>> {
    match status.consent {
        Consent::Given => store::approval(conn, status.id).await,
        Consent::None | Consent::Waiting => Ok(None),
    }
}

/// Who is asked whether there may be `status`: whom it answers, or whose post it boosts.
pub async fn asked(conn: &Conn, status: &Status) -> Result<Option<AccountId>> {
    match status.reblog_of_id {
        None => Ok(status.in_reply_to_account_id),
        Some(original) => Ok(super::store::by_id(conn, original).await?.map(|s| s.account_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_for_everybody_is_kept() {
        let everybody = || Circle { everybody: true, ..Circle::default() };
        let open = || Some(Rule { automatic: everybody(), manual: Circle::default() });
        assert_eq!(Rules { like: open(), reply: open(), boost: None }.kept(), None);
        let people = (0..200).map(|n| format!("https://a.example/{n}")).collect();
        let few = Rule { automatic: Circle { people, ..Circle::default() }, manual: everybody() };
        let kept = Rules { like: Some(few), reply: open(), boost: None }.kept().unwrap();
        assert_eq!((kept.reply.is_none(), kept.like.unwrap().automatic.people.len()), (true, PEOPLE));
    }

    #[test]
    fn what_is_stored_stays_readable() {
        let text = r#"{"reply":{"automatic":{"followers":true},"manual":{"everybody":true}}}"#;
        let rules: Rules = serde_json::from_str(text).unwrap();
        let reply = rules.reply.unwrap();
        assert!(reply.automatic.followers && !reply.automatic.everybody && reply.manual.everybody);
        assert_eq!((rules.like, rules.boost), (None, None));
    }
}
