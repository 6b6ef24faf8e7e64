//! `noren token`

use super::{Failure, Place, account, output, start};
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::ids::TokenId;
use domain::oauth::{Scopes, UnknownScope, tokens};
use serde_json::json;

/// Access tokens, for bots and tests
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren token create mia --scopes 'read write follow push'
  curl -H \"Authorization: Bearer $(noren token create mia | tail -n 1)\" \\
    http://localhost:3000/api/v1/accounts/verify_credentials
  noren token list mia
  noren token revoke mia 115583000000000001")]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a token; the last line is the token alone. It is shown only now
    Create {
        /// Whom the token acts for
        name: String,
        /// What it may do
        #[arg(long, default_value = "read write follow push", value_name = "SCOPES", value_parser = scopes)]
        scopes: Scopes,
    },
    /// List the tokens of an account, newest first
    List {
        /// Whose
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a token back, with all that the same application has; streams close
    Revoke {
        /// Whose
        name: String,
        /// The token's number, from the list
        id: TokenId,
    },
}

fn scopes(text: &str) -> Result<Scopes, String> {
    let scopes: Scopes = text.parse().map_err(|error: UnknownScope| error.to_string())?;
    if scopes.is_empty() {
        Err("no scope: say what the token may do, such as \"read write\"".into())
    } else {
        Ok(scopes)
    }
}

impl Token {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Create { name, scopes } => create(&parts, &name, scopes).await,
            Command::List { name, json } => list(&parts, &name, json).await,
            Command::Revoke { name, id } => revoke(&parts, &name, id).await,
        })
    }
}

async fn create(parts: &Parts, name: &str, scopes: Scopes) -> Result<(), Failure> {
    let (user, profile) = account::person(parts, name).await?;
    let issued = tokens::create(&parts.db, user.id, scopes).await?;
    output::note(format_args!("Token {} of @{}, may: {}", issued.id, profile.username, issued.scopes));
    output::line(issued.token);
    Ok(())
}

async fn list(parts: &Parts, name: &str, as_json: bool) -> Result<(), Failure> {
    let (user, _) = account::person(parts, name).await?;
    let all = tokens::list(&parts.db.read().await?, user.id).await?;
    if as_json {
        let rows = all.iter().map(|token| {
            json!({
                "id": token.token, "application": token.name, "website": token.website,
                "scopes": token.scopes().to_string(), "created_at": token.created_at.iso(),
            })
        });
        return Ok(output::json(&rows.collect::<Vec<_>>())?);
    }
    if all.is_empty() {
        output::line("no tokens");
        return Ok(());
    }
    let rows: Vec<_> = all
        .into_iter()
        .map(|token| {
            let (scopes, since) = (token.scopes().to_string(), token.created_at.date());
            [token.token.to_string(), since, token.name.unwrap_or_else(|| "(command line)".into()), scopes]
        })
        .collect();
    output::table(["ID", "SINCE", "APPLICATION", "SCOPES"], &rows);
    Ok(())
}

async fn revoke(parts: &Parts, name: &str, id: TokenId) -> Result<(), Failure> {
    let (user, profile) = account::person(parts, name).await?;
    match tokens::take_back(&parts.db, user.id, id).await {
        Err(domain::Error::NotFound) => Err(anyhow!("@{} has no token {id}", profile.username).into()),
        other => {
            other?;
            output::line(format_args!("token {id} is revoked"));
            Ok(())
        }
    }
}
