//! `noren federation host`

use super::{as_json, at, some};
use crate::cli::{Failure, output};
use crate::server::Parts;
use domain::domain_blocks::{self, Contents, Rule, Severity};
use domain::hosts::{self, Host};
use domain::jobs;
use serde_json::{Value, json};

/// What is known of one server.
struct Found {
    name: String,
    /// None: it never failed, or nothing was ever sent there.
    host: Option<Host>,
    waiting: i64,
    rule: Rule,
    /// Whether this site has to do with it.
    admitted: bool,
    contents: Contents,
}

pub(super) async fn host(parts: &Parts, name: String, json: bool) -> Result<(), Failure> {
    let conn = parts.db.read_long().await?;
    let rules = domain_blocks::rules(&conn).await?;
    let found = Found {
        host: hosts::by_name(&conn, &name).await?,
        waiting: jobs::waiting_deliveries(&conn, Some(&name)).await?,
        rule: rules.rule(&name),
        admitted: !rules.suspends(&name) && (!parts.config.federation.limited || rules.allows(&name)),
        contents: domain_blocks::contents(&conn, &name).await?,
        name,
    };
    drop(conn);
    if json {
        return Ok(output::json(&found.json())?);
    }
    for (label, value) in found.told() {
        output::line(format_args!("{label:<12} {value}"));
    }
    Ok(())
}

impl Found {
    fn json(&self) -> Value {
        let mut value = self
            .host
            .as_ref()
            .map_or_else(|| json!({ "host": self.name, "failures": 0, "failed_days": 0, "given_up": false }), as_json);
        value["waiting"] = json!(self.waiting);
        value["severity"] = json!(self.rule.severity.as_str());
        value["reject_media"] = json!(self.rule.reject_media);
        value["reject_reports"] = json!(self.rule.reject_reports);
        value["admitted"] = json!(self.admitted);
        value["accounts"] = json!(self.contents.accounts);
        value["statuses"] = json!(self.contents.statuses);
        value
    }

    fn told(&self) -> Vec<(&'static str, String)> {
        let Contents { accounts, statuses, .. } = self.contents;
        let statuses = if statuses == 1 { "1 status".to_owned() } else { format!("{statuses} statuses") };
        let mut lines = vec![
            ("Server", self.name.clone()),
            ("Rule", self.ruled()),
            ("Known", format!("{}, {statuses}", some(accounts, "account", "accounts"))),
            ("Waiting", some(self.waiting, "delivery", "deliveries")),
        ];
        let Some(host) = &self.host else {
            lines.push(("Deliveries", "none ever failed".to_owned()));
            return lines;
        };
        lines.push(("Deliveries", deliveries(host)));
        if let Some(why) = &host.last_error {
            lines.push(("Last error", why.clone()));
        }
        lines.push(("Last failure", at(host.last_failure_at)));
        lines
    }

    fn ruled(&self) -> String {
        let mut words = vec![match self.rule.severity {
            Severity::Suspend => "suspended: nothing is taken from there or sent there",
            _ if !self.admitted => {
                "not allowed, and federation.limited is set: nothing is taken from there or sent there"
            }
            Severity::Silence => "limited",
            Severity::Noop => "none",
        }];
        if self.admitted && self.rule.reject_media {
            words.push("media rejected");
        }
        if self.admitted && self.rule.reject_reports {
            words.push("reports rejected");
        }
        if let [_, rest @ ..] = words.as_slice()
            && self.rule.severity == Severity::Noop
            && !rest.is_empty()
        {
            words.remove(0);
        }
        words.join(", ")
    }
}

fn deliveries(host: &Host) -> String {
    let next = || host.resting_until.map_or_else(|| "soon".to_owned(), |until| format!("not before {}", until.iso()));
    match host {
        _ if host.is_given_up() => {
            format!("given up since {}: one a week to see, {}", at(host.failing_since), next())
        }
        Host { failures: 1.., .. } => {
            let times = some(host.failures, "failure", "failures in a row");
            format!("{times} since {}, tried again {}", at(host.failing_since), next())
        }
        _ if host.is_troubled() => match host.resting_until {
            Some(until) => format!("it answers, and wants to be left in peace until {}", until.iso()),
            None => "it answers, but refused something".to_owned(),
        },
        _ => format!("taken again since {}", at(host.last_success_at)),
    }
}
