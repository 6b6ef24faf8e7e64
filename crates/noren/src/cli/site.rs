//! `noren site`

use super::{Failure, Place, output, start};
use crate::server::Parts;
use clap::{Args, Subcommand, ValueEnum};
use domain::settings::{self, InstanceSettings, Registrations};

/// What the site says of itself, and who may join
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren site show
  noren site set --title 'Our village' --description 'A quiet place.'
  noren site set --registrations approval
  noren site set --single-user true")]
pub(super) struct Site {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the settings as JSON
    Show,
    /// Change settings; a server that runs takes them over at once
    Set(Set),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
#[command(override_usage = "noren site set [OPTIONS]")]
struct Set {
    /// Name of the site
    #[arg(long, value_name = "TEXT", group = "what")]
    title: Option<String>,
    /// One or two sentences
    #[arg(long, value_name = "TEXT", group = "what")]
    description: Option<String>,
    /// Who may open an account
    #[arg(long, value_enum, group = "what")]
    registrations: Option<Who>,
    /// The front page is the owner's profile, and nobody can sign up
    #[arg(long, value_name = "true|false", group = "what")]
    single_user: Option<bool>,
    /// Address for questions to the owner
    #[arg(long, value_name = "ADDRESS", group = "what")]
    contact_email: Option<String>,
    /// Local account for questions to the owner
    #[arg(long, value_name = "NAME", group = "what")]
    contact: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    /// Everybody
    Open,
    /// Everybody may ask; a moderator decides
    Approval,
    /// Nobody
    Closed,
}

impl Site {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Show => Ok(output::json(&settings::read(&parts.db.read().await?).await?)?),
            Command::Set(set) => set.run(&parts).await,
        })
    }
}

impl Set {
    async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let contact = match &self.contact {
            Some(name) => Some(super::account::person(parts, name).await?.1.username),
            None => None,
        };
        let tx = parts.db.begin().await?;
        let before = settings::read(&tx).await?;
        let after = InstanceSettings {
            title: self.title.unwrap_or(before.title),
            description: self.description.unwrap_or(before.description),
            registrations: self.registrations.map_or(before.registrations, |who| match who {
                Who::Open => Registrations::Open,
                Who::Approval => Registrations::Approval,
                Who::Closed => Registrations::Closed,
            }),
            single_user: self.single_user.unwrap_or(before.single_user),
            contact_email: self.contact_email.unwrap_or(before.contact_email),
            contact_username: contact.or(before.contact_username),
            ..before
        };
        settings::write(&tx, &after).await?;
        tx.commit().await?;
        Ok(output::json(&after)?)
    }
}
