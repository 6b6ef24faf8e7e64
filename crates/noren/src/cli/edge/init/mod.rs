//! `noren edge init`: a configuration to begin with, from a few words or from the files of a Mastodon or Misskey.

mod mastodon;
mod misskey;
mod plan;

use crate::cli::{Failure, output};
use anyhow::Context as _;
use clap::Args;
use edge::config::{EdgeConfig, OriginConfig};
use edge::presets::Software;
use media::s3::{Bucket, Error, Provider, S3Config};
use plan::{BucketPlan, OriginPlan, Plan, Secrets};
use std::path::{Path, PathBuf};

/// Longest file that is read.
const LONGEST: u64 = 1024 * 1024;

/// Print an edge.toml to begin with
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren edge init --software mastodon --host media.example.com --bucket media --provider wasabi --region eu-central-1
  noren edge init --software misskey --host example.com --path /files --folder /home/misskey/misskey/files --bucket media --prefix files --endpoint https://s3.example.net
  noren edge init --software pleroma --host example.com --path /media --folder /var/lib/pleroma/uploads
  noren edge init --from /home/mastodon/live/.env.production > edge.toml
  noren edge init --from /home/misskey/misskey/.config/default.yml > edge.toml

Keys to buckets are not printed: the configuration names variables of the environment that hold them.")]
pub(super) struct Init {
    /// Whose files they are: mastodon, misskey-v10, misskey-v11, misskey (v12 and later) or pleroma (Akkoma too)
    #[arg(long, value_name = "NAME")]
    software: Option<Software>,
    /// Read what is wanted from a .env.production of Mastodon, or a configuration of Misskey
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Host name that files are asked for at, such as media.example.com
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Path that files are below [default: / with a host name of its own]
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Folder of this machine that is looked into first
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Name of a bucket
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// What names in the bucket begin with
    #[arg(long, value_name = "PREFIX", requires = "bucket")]
    prefix: Option<String>,
    /// Who runs the bucket: aws, vultr, wasabi, minio, garage, r2, b2, digitalocean
    #[arg(long, value_name = "NAME", requires = "bucket")]
    provider: Option<Provider>,
    /// Address of the bucket's provider
    #[arg(long, value_name = "URL", requires = "bucket")]
    endpoint: Option<String>,
    /// The bucket's region
    #[arg(long, value_name = "NAME", requires = "bucket")]
    region: Option<String>,
    /// Everybody may read the bucket: no keys are needed
    #[arg(long, requires = "bucket")]
    public: bool,
    /// Another web server that is asked last, such as https://old.example.com/system
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Print keys that the file has, instead of naming variables of the environment
    #[arg(long, requires = "from")]
    with_secrets: bool,
}

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let plan = match &self.from {
            Some(file) => self.adjusted(read(file)?),
            None => self.planned()?,
        };
        let text = plan.print(if self.with_secrets { Secrets::Printed } else { Secrets::Named });
        for note in &plan.notes {
            output::note(format_args!("note: {note}"));
        }
        // What cannot be read would be no beginning.
        let config = EdgeConfig::parse(&text, "edge.toml").map_err(|error| Failure::Usage(error.to_string()))?;
        config.sites.iter().flat_map(|site| &site.origins).try_for_each(whole)?;
        output::line(text.trim_end());
        Ok(())
    }

    fn planned(&self) -> Result<Plan, Failure> {
        let nothing = "say whose files they are: --from FILE reads it from the settings of a Mastodon or Misskey, \
                       --software NAME takes the rest from the command line";
        let software = self.software.ok_or_else(|| Failure::Usage(nothing.into()))?;
        let mut plan = Plan::new(software.preset());
        plan.hosts.extend(self.host.clone());
        if let Some(path) = &self.path {
            plan.path.clone_from(path);
        }
        if let Some(folder) = &self.folder {
            plan.origins.push(OriginPlan::Folder(folder.clone()));
        }
        plan.origins.extend(self.named());
        if let Some(url) = &self.url {
            plan.origins.push(OriginPlan::Http(url.clone()));
        }
        if plan.origins.is_empty() {
            return Err(Failure::Usage("expected at least one of --folder, --bucket and --url".into()));
        }
        Ok(plan)
    }

    /// The bucket of the command line.
    fn named(&self) -> Option<OriginPlan> {
        let name = self.bucket.clone()?;
        Some(OriginPlan::Bucket(Box::new(BucketPlan {
            name,
            provider: self.provider.map(|provider| provider.to_string()),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            prefix: self.prefix.clone(),
            signed: !self.public,
            ..BucketPlan::default()
        })))
    }

    /// What was said on the command line goes before what a file says.
    fn adjusted(&self, mut plan: Plan) -> Plan {
        if let Some(host) = &self.host {
            plan.hosts = vec![host.clone()];
        }
        if let Some(path) = &self.path {
            plan.path.clone_from(path);
        }
        if let Some(software) = self.software {
            plan.preset = software.preset();
        }
        if let Some(folder) = &self.folder {
            plan.origins.retain(|origin| !matches!(origin, OriginPlan::Folder(_)));
            plan.origins.insert(0, OriginPlan::Folder(folder.clone()));
        }
        if let Some(bucket) = self.named() {
            // Nothing of the other one stays, least of all its keys.
            plan.origins.retain(|origin| !matches!(origin, OriginPlan::Bucket(_)));
            let folders = plan.origins.iter().take_while(|origin| matches!(origin, OriginPlan::Folder(_))).count();
            plan.origins.insert(folders, bucket);
        }
        plan.origins.extend(self.url.clone().map(OriginPlan::Http));
        plan
    }
}

/// A bucket is described so far that it can be asked; the keys are not here yet.
fn whole(origin: &OriginConfig) -> Result<(), Failure> {
    let OriginConfig::Bucket(origin) = origin else { return Ok(()) };
    let plain = S3Config { access_key: None, secret_key: None, ..origin.bucket.clone() };
    let Err(Error::Config { field, why }) = Bucket::open(&plain) else { return Ok(()) };
    let or = if field == "endpoint" && origin.bucket.provider.is_none() { "--provider, or " } else { "" };
    Err(Failure::Usage(format!("{or}--{field}: {why}")))
}

fn read(file: &Path) -> Result<Plan, Failure> {
    let shown = file.display();
    let length = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?.len();
    if length > LONGEST {
        return Err(Failure::Usage(format!("{shown}: too long to be a configuration")));
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let file = std::path::absolute(file)?;
    let home = file.parent().unwrap_or(Path::new("/")).to_owned();
    let is_yaml =
        file.extension().is_some_and(|extension| ["yml", "yaml", "json"].iter().any(|known| extension == *known));
    let plan = if is_yaml { misskey::plan(&text, &home) } else { mastodon::plan(&text, &home) };
    plan.map_err(|why| Failure::Usage(format!("{shown}: {why}")))
}

#[cfg(test)]
mod tests;
