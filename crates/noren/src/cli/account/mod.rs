//! `noren account`

mod keys;
mod moves;
mod refresh;

use super::start::{self, Expects};
use super::{Failure, Place, output};
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use domain::accounts::Account as Profile;
use domain::ids::UserId;
use domain::two_factor;
use domain::users::{self, Change, Endings, NewUser, User, sign_up};
use serde_json::{Value, json};

/// People of this site
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren account create mia --email mia@example.com --owner
  noren account list
  noren account modify mia --role moderator
  noren account modify tom --suspend
  noren account approve kei
  noren account reset-password mia
  noren account alias add mia @mia@old.example
  noren account move mia @mia@new.example --dry-run
  noren account delete mia --dry-run
  noren account refresh tom@other.example
  noren account rotate-keys mia")]
pub(super) struct Account {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create an account; the last line is its password
    Create(Create),
    /// List all accounts, in the order they came
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one account
    Show {
        /// Name or e-mail address
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change role, address or state of an account
    Modify(Modify),
    /// Approve a sign-up that waits
    Approve {
        /// Name or e-mail address
        name: String,
    },
    /// Reject a sign-up that waits: it is deleted
    Reject {
        /// Name or e-mail address
        name: String,
    },
    /// Give an account a new password; the last line is the password alone
    ResetPassword {
        /// Name or e-mail address
        name: String,
        /// Sign all applications out too
        #[arg(long)]
        everywhere: bool,
    },
    /// Ask other servers how their accounts are now
    Refresh(refresh::Refresh),
    /// Other accounts of the same person
    Alias(moves::Alias),
    /// Leave for another account; followers come along
    Move(moves::Move),
    /// Give an account another key to sign with; servers that may know the old one are told
    RotateKeys(keys::RotateKeys),
    /// Delete an account and everything it wrote; nobody gets its name again
    Delete {
        /// Name or e-mail address
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Say what would go, change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren account create mia --email mia@example.com --owner
  noren account create kei --email kei@example.com --locale ja")]
struct Create {
    /// Letters, digits and underscores
    name: String,
    /// E-mail address; it counts as confirmed
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// May do everything; the same as --role owner
    #[arg(long, conflicts_with = "role")]
    owner: bool,
    /// What the person may do
    #[arg(long, value_enum, default_value = "user")]
    role: Role,
    /// Language to speak to the person, such as ja
    #[arg(long, default_value = "en", value_name = "CODE")]
    locale: String,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
#[command(override_usage = "noren account modify [OPTIONS] <NAME>")]
struct Modify {
    /// Name or e-mail address
    name: String,
    /// What the person may do
    #[arg(long, value_enum, group = "what")]
    role: Option<Role>,
    /// Another e-mail address; empty for none
    #[arg(long, value_name = "ADDRESS", group = "what")]
    email: Option<String>,
    /// Language to speak to the person
    #[arg(long, value_name = "CODE", group = "what")]
    locale: Option<String>,
    /// Let nobody sign in; what was written stays
    #[arg(long, conflicts_with = "enable", group = "what")]
    disable: bool,
    /// Undo --disable
    #[arg(long, group = "what")]
    enable: bool,
    /// Show nothing of theirs and let nobody sign in; can be undone
    #[arg(long, conflicts_with = "unsuspend", group = "what")]
    suspend: bool,
    /// Undo --suspend
    #[arg(long, group = "what")]
    unsuspend: bool,
    /// Limit: not in public timelines, and heard only by who follows them
    #[arg(long, conflicts_with = "unsilence", group = "what")]
    silence: bool,
    /// Undo --silence
    #[arg(long, group = "what")]
    unsilence: bool,
    /// Turn two-factor sign-in off, for somebody who has lost phone and recovery codes
    #[arg(long = "disable-2fa", group = "what")]
    disable_2fa: bool,
    /// Approve a sign-up
    #[arg(long, group = "what")]
    approve: bool,
    /// Take the e-mail address as confirmed
    #[arg(long, group = "what")]
    confirm: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    User,
    Moderator,
    Admin,
    Owner,
}

impl From<Role> for users::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Moderator => Self::Moderator,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

impl Create {
    fn role(&self) -> users::Role {
        if self.owner { users::Role::Owner } else { self.role.into() }
    }
}

impl Account {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        // Who makes an owner may be about to make a site.
        let expects = match &self.command {
            Command::Create(wanted) if wanted.role() == users::Role::Owner => Expects::Place,
            _ => Expects::Site,
        };
        start::with(expects, place, async |parts| match self.command {
            Command::Create(wanted) => create(&parts, wanted).await,
            Command::List { json } => list(&parts, json).await,
            Command::Show { name, json } => show(&parts, &name, json).await,
            Command::Modify(wanted) => modify(&parts, wanted).await,
            Command::Approve { name } => decide(&parts, &name, Decision::Approve).await,
            Command::Reject { name } => decide(&parts, &name, Decision::Reject).await,
            Command::ResetPassword { name, everywhere } => {
                let endings = if everywhere { Endings::Everything } else { Endings::Sessions };
                reset_password(&parts, &name, endings).await
            }
            Command::Refresh(wanted) => refresh::refresh(&parts, &wanted).await,
            Command::RotateKeys(wanted) => wanted.run(&parts).await,
            Command::Alias(alias) => alias.run(&parts).await,
            Command::Move(wanted) => wanted.run(&parts).await,
            Command::Delete { name, yes: _, dry_run: true } => would_delete(&parts, &name).await,
            Command::Delete { name, yes, dry_run: false } => delete(&parts, &name, yes).await,
        })
    }
}

/// The local person whom `name` means.
pub(super) async fn person(parts: &Parts, name: &str) -> Result<(User, Profile), Failure> {
    let found = users::find(&parts.db.read().await?, &parts.site, name).await?;
    found.ok_or_else(|| anyhow!("there is no local account {name}").into())
}

async fn create(parts: &Parts, wanted: Create) -> Result<(), Failure> {
    let password = domain::secrets::password()?;
    let new = NewUser {
        role: wanted.role(),
        email: wanted.email,
        password: Some(password.clone()),
        locale: wanted.locale,
        ..NewUser::named(&wanted.name)
    };
    let (_, profile) = users::create(&parts.db, &parts.site, new).await?;
    if parts.site.base_url.starts_with("http://") {
        output::note("Development: set site.domain before others see this site.");
    }
    output::line(format_args!("@{} is ready. Password:", parts.site.handle(&profile.username)));
    output::line(password);
    Ok(())
}

async fn list(parts: &Parts, as_json: bool) -> Result<(), Failure> {
    const PAGE: i64 = 200;
    let (mut all, mut after) = (Vec::new(), None::<UserId>);
    loop {
        let page = users::list(&parts.db.read().await?, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.id);
        all.extend(page);
    }
    if as_json {
        return Ok(output::json(&all.iter().map(as_value).collect::<Vec<_>>())?);
    }
    if all.is_empty() {
        output::line("no accounts");
        return Ok(());
    }
    let row = |(user, profile): &(User, Profile)| {
        let (name, state) = (format!("@{}", profile.username), state(user, profile).to_owned());
        [name, user.email.clone(), user.role.as_str().to_owned(), state, profile.created_at.date()]
    };
    output::table(["NAME", "E-MAIL", "ROLE", "STATE", "SINCE"], &all.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn show(parts: &Parts, name: &str, as_json: bool) -> Result<(), Failure> {
    let found = person(parts, name).await?;
    if as_json {
        return Ok(output::json(&as_value(&found))?);
    }
    let (user, profile) = found;
    let conn = parts.db.read().await?;
    let two_factor = if two_factor::is_on(&conn, user.id).await? { "on" } else { "off" };
    let moved_to = match profile.moved_to_id {
        Some(id) => domain::accounts::store::by_id(&conn, id).await?.map(|to| format!("@{}", to.acct())),
        None => None,
    };
    drop(conn);
    let seen = user.last_active_at.map_or_else(|| "never".to_owned(), domain::Time::date);
    for (label, value) in [
        ("Handle", format!("@{}", parts.site.handle(&profile.username))),
        ("Name", profile.display_name.clone()),
        ("Profile", profile.url.clone()),
        ("E-mail", user.email.clone()),
        ("Role", user.role.as_str().to_owned()),
        ("State", state(&user, &profile).to_owned()),
        ("Moved to", moved_to.unwrap_or_else(|| "-".to_owned())),
        ("Two-factor", two_factor.to_owned()),
        ("Since", profile.created_at.date()),
        ("Last here", seen),
        ("Statuses", profile.statuses_count.to_string()),
        ("Followers", profile.followers_count.to_string()),
        ("Following", profile.following_count.to_string()),
    ] {
        output::line(format_args!("{label:<10} {value}").to_string().trim_end());
    }
    Ok(())
}

fn state(user: &User, profile: &Profile) -> &'static str {
    match user {
        _ if profile.suspended_at.is_some() => "suspended",
        user if user.disabled => "disabled",
        user if !user.approved => "waiting for approval",
        user if user.confirmed_at.is_none() => "unconfirmed",
        _ if profile.silenced_at.is_some() => "limited",
        _ if profile.moved_to_id.is_some() => "moved",
        _ => "active",
    }
}

fn as_value((user, profile): &(User, Profile)) -> Value {
    json!({
        "username": profile.username, "account_id": profile.id, "display_name": profile.display_name, "url": profile.url,
        "email": user.email, "role": user.role.as_str(), "state": state(user, profile), "locale": user.locale,
        "created_at": profile.created_at.iso(), "last_active_at": user.last_active_at.map(domain::Time::iso),
        "statuses_count": profile.statuses_count, "followers_count": profile.followers_count,
        "following_count": profile.following_count,
    })
}

async fn modify(parts: &Parts, wanted: Modify) -> Result<(), Failure> {
    let (user, _) = person(parts, &wanted.name).await?;
    let change = Change {
        role: wanted.role.map(Into::into),
        email: wanted.email,
        locale: wanted.locale,
        disabled: switch(wanted.disable, wanted.enable),
        suspended: switch(wanted.suspend, wanted.unsuspend),
        silenced: switch(wanted.silence, wanted.unsilence),
        approved: wanted.approve.then_some(true),
        confirmed: wanted.confirm.then_some(true),
    };
    let user = users::modify(&parts.db, user.id, change).await?;
    if wanted.disable_2fa && !two_factor::disable(&parts.db, user.id).await? {
        output::note("Two-factor sign-in was off already.");
    }
    let (user, profile) = users::by_id(&parts.db.read().await?, user.id).await?;
    output::line(format_args!("@{}: {}, {}", profile.username, user.role.as_str(), state(&user, &profile)));
    Ok(())
}

/// What two flags that undo each other ask for.
fn switch(on: bool, off: bool) -> Option<bool> {
    if off { Some(false) } else { on.then_some(true) }
}

#[derive(Clone, Copy)]
enum Decision {
    Approve,
    Reject,
}

async fn decide(parts: &Parts, name: &str, decision: Decision) -> Result<(), Failure> {
    let (user, profile) = person(parts, name).await?;
    let (result, done) = match decision {
        Decision::Approve => (sign_up::approve(&parts.db, user.id).await, "is approved"),
        Decision::Reject => (sign_up::reject(&parts.db, user.id).await, "is rejected and deleted"),
    };
    match result {
        Err(domain::Error::NotFound) => return Err(anyhow!("@{} does not wait for approval", profile.username).into()),
        result => result?,
    }
    output::line(format_args!("@{} {done}", profile.username));
    Ok(())
}

async fn reset_password(parts: &Parts, name: &str, endings: Endings) -> Result<(), Failure> {
    let (user, profile) = person(parts, name).await?;
    let password = domain::secrets::password()?;
    users::set_password(&parts.db, user.id, &password, endings).await?;
    output::line(format_args!("New password of @{}:", profile.username));
    output::line(password);
    Ok(())
}

async fn would_delete(parts: &Parts, name: &str) -> Result<(), Failure> {
    let (_, profile) = person(parts, name).await?;
    output::line(format_args!("{} would be deleted; nothing was changed", described(&profile)));
    Ok(())
}

fn described(profile: &Profile) -> String {
    let (statuses, followers) = (profile.statuses_count, profile.followers_count);
    let statuses = if statuses == 1 { "1 status".to_owned() } else { format!("{statuses} statuses") };
    let followers = if followers == 1 { "1 follower".to_owned() } else { format!("{followers} followers") };
    format!("@{} with {statuses} and {followers}", profile.username)
}

async fn delete(parts: &Parts, name: &str, sure: bool) -> Result<(), Failure> {
    let (user, profile) = person(parts, name).await?;
    if !sure && !output::confirmed(&format!("Delete {} for ever?", described(&profile))) {
        return Err(Failure::Usage("nothing was deleted: answer y at a terminal, or say --yes".into()));
    }
    users::delete(&parts.db, user.id).await?;
    output::line(format_args!("{} is deleted", described(&profile)));
    Ok(())
}
