//! The rules about other servers, in a form that can be asked often.

use super::name::{covering, normal, of_address};
use super::{DomainBlock, Severity};
use crate::Time;
use std::collections::{HashMap, HashSet};

/// What holds for one server. Without a rule nothing is held against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub severity: Severity,
    pub reject_media: bool,
    pub reject_reports: bool,
    /// What accounts that are silenced or suspended for it carry.
    pub since: Time,
}

impl Rule {
    const NONE: Self = Self { severity: Severity::Noop, reject_media: false, reject_reports: false, since: Time(0) };

    fn of(block: &DomainBlock) -> Self {
        let suspended = block.severity == Severity::Suspend;
        Self {
            severity: block.severity,
            reject_media: block.reject_media || suspended,
            reject_reports: block.reject_reports || suspended,
            since: block.created_at,
        }
    }

    /// What `silenced_at` of an account says for this rule.
    pub fn silenced_at(&self) -> Option<Time> {
        (self.severity == Severity::Silence).then_some(self.since)
    }

    /// What `suspended_at` of an account says for this rule.
    pub fn suspended_at(&self) -> Option<Time> {
        (self.severity == Severity::Suspend).then_some(self.since)
    }
}

/// All rules, or those that hold for some servers. The rule for the longest name wins: a rule for a subdomain stands in
/// the place of its parent's.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    blocks: HashMap<String, Rule>,
    allowed: HashSet<String>,
}

impl Rules {
    pub fn new(blocks: &[DomainBlock], allowed: impl IntoIterator<Item = String>) -> Self {
        let blocks = blocks.iter().map(|block| (block.domain.clone(), Rule::of(block))).collect();
        Self { blocks, allowed: allowed.into_iter().collect() }
    }

    /// What holds for the server of this name, however it is spelt.
    pub fn rule(&self, host: &str) -> Rule {
        if self.blocks.is_empty() {
            return Rule::NONE;
        }
        let Some(name) = normal(host) else { return Rule::NONE };
        covering(&name).into_iter().find_map(|name| self.blocks.get(name)).copied().unwrap_or(Rule::NONE)
    }

    /// What holds for an account: the stricter of what holds for the name in its handle and for the server it is on.
    pub fn rule_of_account(&self, domain: &str, host: &str) -> Rule {
        let (one, other) = (self.rule(domain), if host.is_empty() { Rule::NONE } else { self.rule(host) });
        let (mild, strict) = if one.severity < other.severity { (one, other) } else { (other, one) };
        Rule {
            reject_media: mild.reject_media || strict.reject_media,
            reject_reports: mild.reject_reports || strict.reject_reports,
            ..strict
        }
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub fn suspends(&self, host: &str) -> bool {
        self.rule(host).severity == Severity::Suspend
    }

    /// Whether pictures and files of this server are neither shown nor fetched.
    pub fn rejects_media(&self, host: &str) -> bool {
        self.rule(host).reject_media
    }

    /// Whether pictures and files of an account (handle, name among servers) are kept from sight.
    pub fn bars(&self, acct: &str, uri: &str) -> bool {
        let domain = if self.is_empty() { None } else { acct.split_once('@') };
        domain.is_some_and(|(_, domain)| self.rule_of_account(domain, &of_address(uri)).reject_media)
    }

    /// Whether this server is among those that are allowed where federation is limited; its subdomains are too.
    pub fn allows(&self, host: &str) -> bool {
        !self.allowed.is_empty()
            && normal(host).is_some_and(|name| covering(&name).into_iter().any(|name| self.allowed.contains(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(domain: &str, severity: Severity) -> DomainBlock {
        DomainBlock { severity, created_at: Time(7), ..DomainBlock::named(domain) }
    }

    #[test]
    fn the_longest_name_wins() {
        let rules = Rules::new(
            &[
                block("bad.example", Severity::Suspend),
                block("nice.bad.example", Severity::Noop),
                DomainBlock { reject_media: true, ..block("loud.example", Severity::Silence) },
            ],
            [],
        );
        for (host, severity) in [
            ("bad.example", Severity::Suspend),
            ("BAD.example.:8443", Severity::Suspend),
            ("x.bad.example", Severity::Suspend),
            ("x.nice.bad.example", Severity::Noop),
            ("loud.example", Severity::Silence),
            ("good.example", Severity::Noop),
            ("notbad.example", Severity::Noop),
        ] {
            assert_eq!(rules.rule(host).severity, severity, "{host}");
        }
        assert!(rules.rejects_media("cdn.loud.example") && !rules.rule("loud.example").reject_reports);
        assert!(rules.rejects_media("bad.example") && rules.rule("bad.example").reject_reports);
        assert_eq!(rules.rule("loud.example").silenced_at(), Some(Time(7)));
        assert_eq!(rules.rule("loud.example").suspended_at(), None);
    }

    #[test]
    fn an_account_is_judged_by_its_handle_and_by_its_server() {
        let media = DomainBlock { reject_media: true, ..block("friendly.example", Severity::Noop) };
        let rules = Rules::new(&[block("bad.example", Severity::Suspend), media], []);
        assert_eq!(rules.rule_of_account("friendly.example", "social.bad.example").severity, Severity::Suspend);
        assert_eq!(rules.rule_of_account("bad.example", "friendly.example").severity, Severity::Suspend);
        assert!(rules.rule_of_account("friendly.example", "good.example").reject_media);
        assert_eq!(rules.rule_of_account("good.example", "").severity, Severity::Noop);
    }

    #[test]
    fn nobody_is_allowed_until_somebody_is() {
        assert!(!Rules::default().allows("a.example"));
        let rules = Rules::new(&[], ["a.example".to_owned()]);
        assert!(rules.allows("A.example") && rules.allows("social.a.example") && !rules.allows("b.example"));
    }
}
