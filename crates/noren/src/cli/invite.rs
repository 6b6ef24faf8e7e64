//! `noren invite`

use super::{Failure, Place, output, start};
use crate::config::Period;
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::Time;
use domain::invites::{self, NewInvite};
use serde_json::{Value, json};

/// Links with which people can open an account, whoever else may
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren invite create
  noren invite create --uses 10 --expires 7d
  noren invite list
  noren invite revoke k7mq2xhd9fnpw4ab")]
pub(super) struct Invite {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create an invite; prints its link
    Create {
        /// How many people may come with it [default: any number]
        #[arg(long, value_name = "NUMBER")]
        uses: Option<i64>,
        /// After what time it is over, such as 12h or 7d [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<Period>,
    },
    /// List all invites, newest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take an invite back; who came with it stays
    Revoke {
        /// Its code, or the whole link
        code: String,
    },
}

impl Invite {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Create { uses, expires } => create(&parts, uses, expires).await,
            Command::List { json } => list(&parts, json).await,
            Command::Revoke { code } => revoke(&parts, &code).await,
        })
    }
}

fn link(parts: &Parts, code: &str) -> String {
    format!("{}/invite/{code}", parts.site.base_url)
}

async fn create(parts: &Parts, uses: Option<i64>, expires: Option<Period>) -> Result<(), Failure> {
    let new = NewInvite { by: None, max_uses: uses, life: expires.map(|period| period.0) };
    let made = invites::create(&parts.db, new).await?;
    output::line(link(parts, &made.code));
    Ok(())
}

async fn list(parts: &Parts, as_json: bool) -> Result<(), Failure> {
    let (all, now) = (invites::list(&parts.db.read().await?).await?, Time::now());
    if as_json {
        return Ok(output::json(&all.iter().map(|invite| as_value(parts, invite)).collect::<Vec<_>>())?);
    }
    if all.is_empty() {
        output::line("no invites");
        return Ok(());
    }
    let row = |invite: &invites::Invite| {
        let most = invite.max_uses.map_or_else(|| "any".to_owned(), |most| most.to_string());
        let until = invite.expires_at.map_or_else(|| "never".to_owned(), Time::date);
        let state = if invite.is_good(now) { "good" } else { "over" };
        [link(parts, &invite.code), format!("{} of {most}", invite.uses), until, state.to_owned()]
    };
    output::table(["LINK", "USED", "EXPIRES", "STATE"], &all.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

fn as_value(parts: &Parts, invite: &invites::Invite) -> Value {
    json!({
        "code": invite.code, "url": link(parts, &invite.code), "uses": invite.uses, "max_uses": invite.max_uses,
        "expires_at": invite.expires_at.map(Time::iso), "created_at": invite.created_at.iso(),
    })
}

async fn revoke(parts: &Parts, code: &str) -> Result<(), Failure> {
    let code = code.rsplit('/').next().unwrap_or(code);
    match invites::revoke_code(&parts.db, code).await {
        Err(domain::Error::NotFound) => return Err(anyhow!("there is no invite {code}").into()),
        result => result?,
    }
    output::line(format_args!("{code} is revoked"));
    Ok(())
}
