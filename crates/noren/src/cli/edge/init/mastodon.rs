//! What the `.env.production` of a Mastodon says of its files.
//! <https://docs.joinmastodon.org/admin/config/#file-storage>

use super::plan::{BucketPlan, OriginPlan, Plan, joined};
use edge::presets::Software;
use std::collections::HashMap;
use std::path::Path;

/// `home` is the folder of the file: that of Mastodon.
pub(super) fn plan(text: &str, home: &Path) -> Result<Plan, String> {
    let env = Environment(variables(text));
    let mut plan = Plan::new(Software::Mastodon.preset());
    let domain = env.text("WEB_DOMAIN").or_else(|| env.text("LOCAL_DOMAIN"));
    let domain = domain.ok_or("expected LOCAL_DOMAIN: is this the .env.production of a Mastodon?")?;
    let local = env.text("PAPERCLIP_ROOT_PATH").map_or_else(|| home.join("public/system"), |path| rooted(path, home));
    if env.is("S3_ENABLED") {
        let bucket = bucket(&env)?;
        placed(&mut plan, (&env, domain), &bucket)?;
        // Where Mastodon used this folder before it had a bucket, files may still be in it.
        if local.is_dir() {
            plan.origins.push(OriginPlan::Folder(local));
        }
        plan.origins.push(OriginPlan::Bucket(Box::new(bucket)));
    } else if env.is("SWIFT_ENABLED") {
        let url = env.text("SWIFT_OBJECT_URL").ok_or("expected SWIFT_OBJECT_URL beside SWIFT_ENABLED")?;
        plan.hosts.push(format!("media.{domain}"));
        plan.origins.push(OriginPlan::Http(url.to_owned()));
        plan.notes.push("Swift is asked over http as it is public: its keys are not used".into());
    } else {
        plan.hosts.push(domain.to_owned());
        plan.path = env.text("PAPERCLIP_ROOT_URL").unwrap_or(plan.preset.path).to_owned();
        plan.origins.push(OriginPlan::Folder(local));
        plan.notes.push(format!(
            "files are in a folder: let the web server of {domain} send {} here, or give the edge a bucket too",
            plan.path
        ));
    }
    Ok(plan)
}

/// Where links to the files lead now decides what the site is called.
fn placed(plan: &mut Plan, (env, domain): (&Environment, &str), bucket: &BucketPlan) -> Result<(), String> {
    let Some(alias) = env.text("S3_ALIAS_HOST").or_else(|| env.text("S3_CLOUDFRONT_HOST")) else {
        plan.hosts.push(format!("media.{domain}"));
        plan.path = joined("", bucket.prefix.as_deref());
        plan.notes.push(format!(
            "links lead to the bucket itself: when the edge answers, set S3_ALIAS_HOST=media.{domain} in Mastodon's file"
        ));
        return Ok(());
    };
    let (host, path) = alias.split_once('/').unwrap_or((alias, ""));
    if host.is_empty() {
        return Err("S3_ALIAS_HOST: expected a host name, perhaps with a path".into());
    }
    plan.hosts.push(host.to_owned());
    plan.path = joined(path, bucket.prefix.as_deref());
    Ok(())
}

fn bucket(env: &Environment) -> Result<BucketPlan, String> {
    let name = env.text("S3_BUCKET").ok_or("expected S3_BUCKET beside S3_ENABLED")?;
    let protocol = env.text("S3_PROTOCOL").unwrap_or("https");
    let amazon = |host: &str| host.ends_with(".amazonaws.com");
    let hostname = env.text("S3_HOSTNAME");
    let endpoint = match (env.text("S3_ENDPOINT"), hostname) {
        (Some(endpoint), _) => Some(endpoint.trim_end_matches('/').to_owned()),
        (None, Some(host)) if !amazon(host) => Some(format!("{protocol}://{host}")),
        _ => None,
    };
    let addressing = match env.text("S3_ENDPOINT") {
        Some(_) if env.is("S3_OVERRIDE_PATH_STYLE") => Some("virtual-host"),
        Some(_) => Some("path"),
        None => None,
    };
    let keys = env.text("AWS_ACCESS_KEY_ID").zip(env.text("AWS_SECRET_ACCESS_KEY"));
    Ok(BucketPlan {
        name: name.to_owned(),
        provider: endpoint.is_none().then(|| "aws".to_owned()),
        region: Some(env.text("S3_REGION").unwrap_or("us-east-1").to_owned()),
        endpoint,
        prefix: env.text("S3_KEY_PREFIX").map(|prefix| prefix.trim_matches('/').to_owned()),
        addressing,
        // Without keys of its own Mastodon uses those of the machine; the edge then needs some too.
        signed: true,
        keys: keys.map(|(id, secret)| (id.to_owned(), secret.to_owned())),
    })
}

fn rooted(path: &str, home: &Path) -> std::path::PathBuf {
    match path.strip_prefix(":rails_root") {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => home.join(path),
    }
}

struct Environment(HashMap<String, String>);

impl Environment {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn is(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

/// `NAME=value` in lines, as dotenv reads them: comments, quotation marks, `export` in front. The last one wins.
fn variables(text: &str) -> HashMap<String, String> {
    let line = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let (name, value) = line.split_once('=')?;
        let name = name.trim_end();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| (name.to_owned(), value_of(value.trim())))
    };
    text.lines().filter_map(line).collect()
}

fn value_of(text: &str) -> String {
    for mark in ['"', '\''] {
        if let Some((inside, _)) = text.strip_prefix(mark).and_then(|rest| rest.split_once(mark)) {
            return inside.to_owned();
        }
    }
    text.split(" #").next().unwrap_or_default().trim_end().to_owned()
}
