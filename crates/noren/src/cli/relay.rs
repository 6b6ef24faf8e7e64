//! `noren relay`

use super::{Failure, Place, output, start};
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::Time;
use domain::hosts;
use domain::relays::{self, Relay as Row};
use serde_json::{Value, json};

/// Relays: servers that pass public posts on between those who subscribe to them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren relay add https://relay.example/inbox    as Mastodon subscribes
  noren relay add https://relay.example/actor    as Pleroma does
  noren relay list
  noren relay status https://relay.example/inbox
  noren relay remove https://relay.example/inbox")]
pub(super) struct Relay {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a relay to pass posts on, ours and those of others
    Add {
        /// Its inbox (ends with /inbox), or its actor
        url: String,
    },
    /// List all relays
    List,
    /// Leave a relay
    Remove {
        /// As it was added
        url: String,
    },
    /// What relays answered, and what they brought
    Status {
        /// Only this one, as it was added
        url: Option<String>,
    },
}

impl Relay {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let json = self.json;
        start::with_data(place, async |parts| match self.command {
            Command::Add { url } => add(&parts, &url).await,
            Command::List => list(&parts, json).await,
            Command::Remove { url } => remove(&parts, &url).await,
            Command::Status { url } => status(&parts, url.as_deref(), json).await,
        })
    }
}

async fn add(parts: &Parts, url: &str) -> Result<(), Failure> {
    let relay = match federation::resolve::relay::subscribe(&parts.federation, url).await {
        Err(domain::Error::NotFound) => {
            return Err(anyhow!("{url} is no relay: neither an inbox (…/inbox) nor the actor of a program").into());
        }
        result => result?,
    };
    output::line(format_args!("{} was asked, the {} way; see noren relay status", relay.url, relay.style.as_str()));
    Ok(())
}

async fn list(parts: &Parts, json: bool) -> Result<(), Failure> {
    let all = relays::list(&parts.db.read().await?).await?;
    if json {
        return Ok(output::json(&all.iter().map(as_json).collect::<Vec<_>>())?);
    }
    if all.is_empty() {
        output::line("no relays");
        return Ok(());
    }
    let row = |relay: &Row| {
        let (style, state) = (relay.style.as_str().to_owned(), relay.state.as_str().to_owned());
        [relay.url.clone(), style, state, relay.received.to_string(), at(relay.received_at)]
    };
    output::table(["RELAY", "STYLE", "STATE", "BROUGHT", "LAST"], &all.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn remove(parts: &Parts, url: &str) -> Result<(), Failure> {
    match relays::leave(&parts.db, url).await {
        Err(domain::Error::NotFound) => return Err(anyhow!("there is no relay {url}").into()),
        result => result?,
    }
    output::line(format_args!("{url} is left"));
    Ok(())
}

async fn status(parts: &Parts, url: Option<&str>, json: bool) -> Result<(), Failure> {
    let Some(url) = url else { return list(parts, json).await };
    let all = relays::list(&parts.db.read().await?).await?;
    let relay = all.into_iter().find(|relay| relay.url == url || relay.inbox == url);
    let relay = relay.ok_or_else(|| anyhow!("there is no relay {url}"))?;
    if json {
        return Ok(output::json(&as_json(&relay))?);
    }
    let conn = parts.db.read().await?;
    let host = match hosts::of(&relay.inbox) {
        Some(host) => hosts::by_name(&conn, &host).await?,
        None => None,
    };
    for (label, value) in [
        ("Relay", relay.url.clone()),
        ("Style", relay.style.as_str().to_owned()),
        ("Inbox", relay.inbox.clone()),
        ("State", relay.state.as_str().to_owned()),
        ("Asked", relay.created_at.iso()),
        ("Answered", at(relay.answered_at)),
        ("Brought", relay.received.to_string()),
        ("Last", at(relay.received_at)),
        // Why an answer may be long in coming.
        ("Trouble", host.and_then(|host| host.last_error).unwrap_or_else(|| "-".to_owned())),
    ] {
        output::line(format_args!("{label:<9} {value}"));
    }
    Ok(())
}

fn at(time: Option<Time>) -> String {
    time.map_or_else(|| "-".to_owned(), Time::iso)
}

fn as_json(relay: &Row) -> Value {
    json!({
        "url": relay.url, "style": relay.style.as_str(), "inbox": relay.inbox, "state": relay.state.as_str(),
        "created_at": relay.created_at.iso(), "answered_at": relay.answered_at.map(Time::iso),
        "received": relay.received, "received_at": relay.received_at.map(Time::iso),
    })
}
