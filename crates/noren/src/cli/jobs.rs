//! `noren jobs`

use super::{Failure, Place, output, start};
use clap::{Args, Subcommand};
use domain::ids::JobId;
use domain::jobs::{self, JobRow, State};
use serde_json::json;

/// See what is in the queue, try failed jobs again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren jobs                      how many jobs wait, run, or were given up
  noren jobs list                 what was given up, and why
  noren jobs list --state waiting
  noren jobs retry --all")]
pub(super) struct Jobs {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List jobs, newest first
    List {
        /// Which ones
        #[arg(long, value_enum, default_value = "dead")]
        state: Which,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Put jobs that were given up back into their queue
    #[command(group = clap::ArgGroup::new("which").required(true))]
    #[command(override_usage = "noren jobs retry [OPTIONS] <ID|--all>")]
    Retry {
        /// The job's number, from the list
        #[arg(group = "which")]
        id: Option<JobId>,
        /// All that were given up
        #[arg(long, group = "which")]
        all: bool,
    },
    /// Remove a job that was given up for good
    Discard {
        /// The job's number, from the list
        id: JobId,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Which {
    /// Given up
    Dead,
    /// Due now or later
    Waiting,
    /// Being worked at
    Running,
}

impl Jobs {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| {
            let db = parts.db;
            match self.command {
                None => show_counts(&jobs::counts(&db.read().await?).await?, self.json)?,
                Some(Command::List { state, limit }) => {
                    let state = match state {
                        Which::Dead => State::Dead,
                        Which::Waiting => State::Waiting,
                        Which::Running => State::Running,
                    };
                    let rows = jobs::list(&db.read().await?, state, i64::from(limit)).await?;
                    show_list(&rows, self.json)?;
                }
                Some(Command::Retry { id, .. }) => {
                    let count = jobs::retry_dead(&db, id).await?;
                    told(count, id, "put back into the queue")?;
                }
                Some(Command::Discard { id }) => {
                    let count = jobs::discard_dead(&db, id).await?;
                    told(count, Some(id), "removed")?;
                }
            }
            Ok(())
        })
    }
}

/// One job that was named must have been there; of all there may be none.
fn told(count: u64, id: Option<JobId>, done: &str) -> Result<(), Failure> {
    match id {
        Some(id) if count == 0 => Err(Failure::Failed(anyhow::anyhow!("no job {id} was given up"))),
        _ => {
            output::line(format_args!("{count} {} {done}", if count == 1 { "job" } else { "jobs" }));
            Ok(())
        }
    }
}

fn show_counts(counts: &[(jobs::Queue, State, i64)], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let rows = counts
            .iter()
            .map(|(queue, state, count)| json!({"queue": queue.as_str(), "state": state.as_str(), "count": count}));
        return output::json(&rows.collect::<Vec<_>>());
    }
    if counts.is_empty() {
        output::line("no jobs");
        return Ok(());
    }
    let rows: Vec<_> = counts
        .iter()
        .map(|(queue, state, count)| [queue.as_str().to_owned(), state.as_str().to_owned(), count.to_string()])
        .collect();
    output::table(["QUEUE", "STATE", "JOBS"], &rows);
    Ok(())
}

fn show_list(rows: &[JobRow], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let rows = rows.iter().map(|row| {
            json!({
                "id": row.id, "queue": row.queue.as_str(), "state": row.state.as_str(), "attempts": row.attempts,
                "run_at": row.run_at.iso(), "created_at": row.created_at.iso(), "last_error": row.last_error,
                "job": serde_json::from_str::<serde_json::Value>(&row.payload).unwrap_or_default(),
            })
        });
        return output::json(&rows.collect::<Vec<_>>());
    }
    if rows.is_empty() {
        output::line("no jobs");
        return Ok(());
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let why = row.last_error.clone().unwrap_or_default();
            [
                row.id.to_string(),
                row.queue.as_str().to_owned(),
                row.run_at.iso(),
                row.attempts.to_string(),
                row.payload.clone(),
                why,
            ]
        })
        .collect();
    output::table(["ID", "QUEUE", "DUE", "ATTEMPTS", "JOB", "LAST ERROR"], &rows);
    Ok(())
}
