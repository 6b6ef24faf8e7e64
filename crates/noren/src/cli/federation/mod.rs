//! `noren federation`

mod host;
mod reach;

use super::{Failure, Place, output, start};
use clap::{Args, Subcommand};
use domain::Time;
use domain::domain_blocks;
use domain::hosts::{self, Host};
use domain::jobs::{self, Queue, State};
use serde_json::{Value, json};

/// See how deliveries to other servers go, try again now
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren federation status               how much waits, and which servers do not answer
  noren federation host example.com     one server
  noren federation retry                try all deliveries that wait now
  noren federation retry example.com
  noren federation reach example.com    who reaches whom, and why not")]
pub(super) struct Federation {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How much waits, and which servers do not answer
    Status {
        /// At most so many servers
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// What is known of one server
    Host {
        /// Its name, with the port if it is not the usual one
        name: String,
    },
    /// Find out who reaches whom, and why not; fails when we do not reach them
    Reach {
        /// Its name, with the port if it is not the usual one
        name: String,
    },
    /// Try deliveries that wait now, also to servers that are left in peace for a while
    Retry {
        /// Only to this server
        name: Option<String>,
    },
}

impl Federation {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| {
            let db = parts.db.clone();
            match self.command {
                Command::Reach { name } => return reach::reach(&parts, &name, self.json).await,
                Command::Status { limit } => {
                    let conn = db.read().await?;
                    let troubled = hosts::list_troubled(&conn, i64::from(limit)).await?;
                    let waiting = jobs::waiting_deliveries(&conn, None).await?;
                    show_status(waiting, (&jobs::counts(&conn).await?, &troubled), self.json)?;
                }
                Command::Host { name } => return host::host(&parts, named(&name)?, self.json).await,
                Command::Retry { name } => {
                    let name = name.map(|name| named(&name)).transpose()?;
                    let count = hosts::retry(&db, name.as_deref()).await?;
                    let count = i64::try_from(count).unwrap_or(i64::MAX);
                    output::line(format_args!("{} tried again", some(count, "delivery is", "deliveries are")));
                }
            }
            Ok(())
        })
    }
}

/// As hosts are called in the database; what no server is called is refused.
fn named(name: &str) -> Result<String, Failure> {
    match (domain_blocks::name::normal(name), hosts::of(&format!("https://{name}/"))) {
        (Some(_), Some(host)) => Ok(host),
        _ => Err(Failure::Usage(format!("{name} is not the name of a server"))),
    }
}

fn show_status(waiting: i64, (counts, troubled): (&[(Queue, State, i64)], &[Host]), json: bool) -> anyhow::Result<()> {
    let dead = counts.iter().find(|(queue, state, _)| (*queue, *state) == (Queue::Push, State::Dead));
    let dead = dead.map_or(0, |(_, _, count)| *count);
    if json {
        let hosts: Vec<Value> = troubled.iter().map(as_json).collect();
        return output::json(&json!({ "waiting": waiting, "given_up": dead, "hosts": hosts }));
    }
    let wait = some(waiting, "delivery waits", "deliveries wait");
    output::line(format_args!("{wait}, {}", some(dead, "was given up", "were given up")));
    if !troubled.is_empty() {
        show_hosts(troubled);
    }
    Ok(())
}

/// A number and what there is so many of.
fn some(count: i64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn at(time: Option<Time>) -> String {
    time.map_or_else(|| "-".to_owned(), Time::iso)
}

fn show_hosts(hosts: &[Host]) {
    let row = |host: &Host| {
        [
            host.host.clone(),
            host.failures.to_string(),
            at(host.failing_since),
            at(host.resting_until),
            host.last_error.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = hosts.iter().map(row).collect();
    output::table(["SERVER", "FAILURES", "SINCE", "NEXT", "LAST ERROR"], &rows);
}

fn as_json(host: &Host) -> Value {
    json!({
        "host": host.host, "failures": host.failures, "failing_since": host.failing_since.map(Time::iso),
        "resting_until": host.resting_until.map(Time::iso), "last_error": host.last_error,
        "failed_days": host.failed_days, "given_up": host.is_given_up(),
        "last_success_at": host.last_success_at.map(Time::iso), "last_failure_at": host.last_failure_at.map(Time::iso),
    })
}
