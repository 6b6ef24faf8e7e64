//! What is set up once: the bucket, who may read it, which pages may.

use super::target::Chosen;
use super::{Failure, failed, failed_without, output};
use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use edge::presets::Preset;
use media::s3::{Access, Bucket, Created, Error, Support};
use serde_json::{Value, json};

pub(super) async fn create(chosen: &Chosen) -> Result<(), Failure> {
    let name = chosen.bucket.name();
    // Some make it again without a word, and it need not be closed.
    let created = match chosen.bucket.is_there().await {
        Ok(true) => Created::Already,
        _ => chosen.bucket.create().await.map_err(failed_without("s3:CreateBucket"))?,
    };
    match created {
        Created::New => output::line(format_args!("{name} is made; nobody else may read it yet")),
        Created::Already => output::line(format_args!("{name} was there already")),
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// Whoever knows an object's name may read it
    PublicRead,
    /// Only with a key
    Private,
}

#[derive(Debug, Args)]
pub(super) struct Policy {
    /// What to set; without it the policy is shown
    #[arg(value_enum)]
    wanted: Option<Wanted>,
    /// Only what lies in this folder; may be given several times [default in this site's bucket, and with --software: the
    /// folders that links lead to]
    #[arg(long, value_name = "FOLDER")]
    folder: Vec<String>,
    /// All that lies in the bucket, backups and all; never in this site's bucket, where uploads wait
    #[arg(long, conflicts_with = "folder")]
    everything: bool,
    /// Set the ACL of the whole bucket, where there are no policies; at some providers strangers may then list it.
    /// Opens everything, so never this site's bucket
    #[arg(long, conflicts_with = "folder")]
    acl: bool,
    /// Put it in the place of a policy that says more than who may read
    #[arg(long)]
    replace: bool,
}

impl Policy {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let bucket = &chosen.bucket;
        let Some(wanted) = self.wanted else { return show_policy(bucket).await };
        let access = match wanted {
            Wanted::PublicRead => Access::PublicRead(self.folders(chosen)?),
            Wanted::Private if self.everything || !self.folder.is_empty() => {
                return Err(Failure::Usage(
                    "private: closes the whole bucket, without --folder and --everything".into(),
                ));
            }
            Wanted::Private => Access::Private,
        };
        let how = self.set(bucket, &access).await?;
        match wanted {
            Wanted::PublicRead => output::line(format_args!(
                "{}: whoever knows an object's name may read it now ({how}); prove it with: noren storage check --url URL",
                bucket.name()
            )),
            Wanted::Private => output::line(format_args!("{}: only keys open it now ({how})", bucket.name())),
        }
        Ok(())
    }

    /// What is to be opened, and never what nobody asked for.
    fn folders(&self, chosen: &Chosen) -> Result<Vec<String>, Failure> {
        let folders: Vec<String> = if !self.folder.is_empty() {
            self.folder.iter().map(|folder| format!("{}/", folder.trim_matches('/'))).collect()
        } else if self.everything || self.acl {
            vec![String::new()]
        } else if let (Some(preset), None) = (chosen.software, &chosen.site) {
            public(preset)
        } else if chosen.site.is_some() {
            media::keys::PUBLISHED.iter().map(|folder| (*folder).to_owned()).collect()
        } else {
            let text = "say what strangers may read: --software NAME for what is public of a Mastodon, Misskey or Pleroma, \
                        --folder FOLDER for each folder, or --everything. In the bucket of another server there may be \
                        more than media: backups, files that people import";
            return Err(Failure::Usage(text.into()));
        };
        let plain = |folder: &String| !folder.contains(['*', '?', '"']) && folder != "/";
        if !folders.iter().all(plain) {
            return Err(Failure::Usage("--folder: expected a folder such as \"cache\"".into()));
        }
        // An ACL knows nothing of the folder that the bucket is used in.
        let inside = if self.acl { "" } else { chosen.bucket.prefix() };
        let opened = |uploads: &str, folder: &str| {
            let folder = format!("{inside}{folder}");
            uploads.starts_with(&folder) || folder.starts_with(uploads)
        };
        if let Some(uploads) = &chosen.uploads
            && folders.iter().any(|folder| opened(uploads, folder))
        {
            return Err(Failure::Usage(format!(
                "{uploads} of this site stays closed: what waits there still tells where and when it was taken. Name \
                 other folders, or let Noren serve the files"
            )));
        }
        Ok(folders)
    }

    /// Answers by what it was done.
    async fn set(&self, bucket: &Bucket, access: &Access) -> Result<&'static str, Failure> {
        let preset = bucket.preset();
        let support = preset.map(|preset| (preset.policy, preset.acl));
        let only_acl = match support {
            Some((Support::No(instead), Support::Yes)) => Some(instead),
            _ => None,
        };
        if let (Some(instead), Access::PublicRead(_), false) = (only_acl, access, self.acl) {
            return Err(failed(anyhow!(
                "there are no bucket policies at this provider: {instead}. Keep the bucket private and let Noren serve it, \
                 or say --acl where all of it may be read"
            )));
        }
        if self.acl || only_acl.is_some() {
            if let Some((_, Support::No(instead))) = support {
                return Err(failed(anyhow!("there are no ACLs at this provider: {instead}")));
            }
            bucket.set_acl(access).await.map_err(failed_without("s3:PutBucketAcl"))?;
            return Ok("by the bucket's ACL");
        }
        if let Some((Support::No(instead), _)) = support {
            return match access {
                Access::Private => Ok("it cannot be otherwise through S3"),
                Access::PublicRead(_) => {
                    Err(failed(anyhow!("there are no bucket policies at this provider: {instead}")))
                }
            };
        }
        if !self.replace {
            may_be_replaced(bucket).await?;
        }
        match bucket.set_policy(access).await {
            Ok(()) => Ok("by the bucket's policy"),
            Err(error @ Error::Unsupported { .. }) => Err(failed(anyhow!(
                "{error}: there are no bucket policies here. Keep the bucket private and let Noren serve it, or try --acl"
            ))),
            Err(error) => Err(failed_without(
                "s3:PutBucketPolicy; at AWS \"Block public access\" of the bucket and of the account have to be off, too",
            )(error)),
        }
    }
}

/// What links of this software lead to; in its folder of the bucket, if it has one.
fn public(preset: &Preset) -> Vec<String> {
    match preset.public {
        [] => vec![String::new()],
        folders => folders.iter().map(|folder| format!("{folder}/")).collect(),
    }
}

const READ_POLICY: &str = "s3:GetBucketPolicy";

/// What others have put into the policy is not thrown away unasked.
async fn may_be_replaced(bucket: &Bucket) -> Result<(), Failure> {
    let policy = match bucket.policy().await {
        Ok(Some(policy)) => serde_json::from_str::<Value>(&policy).map_err(failed)?,
        // Setting one tells it better.
        Ok(None) | Err(Error::Unsupported { .. }) => return Ok(()),
        Err(error) => return Err(failed_without(READ_POLICY)(error)),
    };
    match policy["Statement"].as_array().is_some_and(|statements| statements.iter().all(lets_all_read)) {
        true => Ok(()),
        false => Err(failed(anyhow!(
            "the bucket has a policy that says more than who may read: look at it with `noren storage policy`, and \
             say --replace if it may go"
        ))),
    }
}

/// Whether a statement says no more than that everybody may read, as those do that are made here.
fn lets_all_read(statement: &Value) -> bool {
    const KNOWN: [&str; 5] = ["Sid", "Effect", "Principal", "Action", "Resource"];
    let is = |value: &Value, text: &str| *value == text || *value == json!([text]);
    let principal = &statement["Principal"];
    let everybody = is(principal, "*")
        || principal
            .as_object()
            .is_some_and(|kinds| kinds.len() == 1 && kinds.get("AWS").is_some_and(|who| is(who, "*")));
    // A condition, or all but something: somebody has thought about it.
    let plain = statement.as_object().is_some_and(|parts| parts.keys().all(|part| KNOWN.contains(&part.as_str())));
    statement["Effect"] == "Allow" && is(&statement["Action"], "s3:GetObject") && everybody && plain
}

async fn show_policy(bucket: &Bucket) -> Result<(), Failure> {
    let policy = match bucket.policy().await {
        Err(Error::Unsupported { .. }) => {
            output::line("there are no bucket policies here: only keys open it, unless an ACL says otherwise");
            return Ok(());
        }
        policy => policy.map_err(failed_without(READ_POLICY))?,
    };
    match policy {
        Some(policy) => {
            let parsed = serde_json::from_str::<Value>(&policy);
            output::json(&parsed.map_err(failed)?)?;
        }
        None => output::line("no policy: only keys open the bucket, unless an ACL says otherwise"),
    }
    Ok(())
}

#[derive(Debug, Args)]
pub(super) struct Cors {
    /// Let pages of this site read, such as https://example.com, or "*" for all; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
    /// Take the rules away
    #[arg(long, conflicts_with = "origin")]
    remove: bool,
}

impl Cors {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let bucket = &chosen.bucket;
        let preset = bucket.preset();
        if let Some(Support::No(instead)) = preset.map(|preset| preset.cors) {
            return Err(failed(anyhow!("there are no CORS rules of buckets at this provider: {instead}")));
        }
        let failed = |error| match error {
            Error::Unsupported { .. } => failed(anyhow!(
                "{error}: there are no CORS rules of buckets here. Let Noren serve the files: it lets pages of all sites read"
            )),
            error => failed_without("s3:PutBucketCORS and s3:GetBucketCORS")(error),
        };
        if self.remove {
            bucket.remove_cors().await.map_err(failed)?;
            output::line("the rules are gone");
            return Ok(());
        }
        if self.origin.is_empty() {
            let origins = bucket.cors().await.map_err(failed)?;
            match origins.is_empty() {
                true => output::line("no rules: set one with --origin"),
                false => origins.iter().for_each(output::line),
            }
            return Ok(());
        }
        self.origin
            .iter()
            .try_for_each(|origin| valid_origin(origin))
            .map_err(|error| Failure::Usage(error.to_string()))?;
        bucket.set_cors(&self.origin).await.map_err(failed)?;
        output::line(format_args!("pages may read now that come from: {}", self.origin.join(", ")));
        Ok(())
    }
}

fn valid_origin(origin: &str) -> anyhow::Result<()> {
    let parsed = url::Url::parse(origin).ok();
    let plain = parsed.is_some_and(|url| url.origin().ascii_serialization() == origin.trim_end_matches('/'));
    if origin != "*" && !plain {
        bail!("--origin: expected \"*\" or an address such as \"https://example.com\", not {origin:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lets_everybody_read_is_replaced_unasked() {
        let with = |more: Value| {
            let mut statement = json!({
                "Sid": "PublicRead", "Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"],
                "Resource": ["arn:aws:s3:::files/cache/*"],
            });
            for (key, value) in more.as_object().unwrap() {
                statement[key] = value.clone();
            }
            statement
        };
        for more in [
            json!({}),
            json!({"Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/*"}),
            json!({"Principal": {"AWS": "*"}}),
        ] {
            assert!(lets_all_read(&with(more.clone())), "{more}");
        }
        for more in [
            json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/backup"}}),
            json!({"Principal": {"AWS": ["*", "arn:aws:iam::123456789012:root"]}}),
            json!({"Principal": {"AWS": "*", "Service": "cloudfront.amazonaws.com"}}),
            json!({"Principal": {"Service": "cloudfront.amazonaws.com"}}),
            json!({"Principal": null}),
            json!({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
            json!({"NotPrincipal": {"AWS": "*"}}),
            json!({"NotResource": "arn:aws:s3:::files/secret/*"}),
            json!({"Effect": "Deny"}),
            json!({"Action": ["s3:GetObject", "s3:PutObject"]}),
        ] {
            assert!(!lets_all_read(&with(more.clone())), "{more}");
        }
        assert!(!lets_all_read(&json!("all")));
    }
}
