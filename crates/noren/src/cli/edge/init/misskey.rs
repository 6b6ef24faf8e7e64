//! What the configuration of a Misskey says of its files: the block `drive` up to v11, the block `objectStorage` of later
//! ones and of relatives, or the settings that v12 and later keep in the database, as `admin/meta` prints them.

use super::plan::{BucketPlan, OriginPlan, Plan, joined};
use edge::presets::Software;
use std::path::Path;
use url::Url;
use yaml_rust2::{Yaml, YamlLoader};

/// `home` is the folder of the file: `.config` of Misskey.
pub(super) fn plan(text: &str, home: &Path) -> Result<Plan, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let root = documents.first().ok_or("the file is empty")?;
    let own = root["url"].as_str().and_then(|text| Url::parse(text).ok());
    let is_configuration_folder = home.file_name().is_some_and(|name| name == ".config");
    let install = if is_configuration_folder { home.parent().unwrap_or(home) } else { home };
    let software = match (root["mongodb"].is_badvalue(), root["drive"].is_badvalue()) {
        (false, _) => Software::MisskeyV10,
        (true, false) => Software::MisskeyV11,
        (true, true) => Software::Misskey,
    };
    let mut plan = Plan::new(software.preset());
    let folder = software.preset().folder.map(|folder| install.join(folder));
    if let Some(storage) = storage(root) {
        in_bucket(&mut plan, storage, own.as_ref())?;
        return Ok(plan);
    }
    if root["useObjectStorage"].as_bool() == Some(false) {
        return Err("it says that files are in no bucket: give me .config/default.yml instead".into());
    }
    let own = own.ok_or("expected url, or a block drive or objectStorage: is this a configuration of Misskey?")?;
    plan.hosts.extend(own.host_str().map(str::to_owned));
    plan.path = software.preset().path.to_owned();
    match folder {
        Some(folder) => plan.origins.push(OriginPlan::Folder(folder)),
        None => plan.notes.push("files are in the database: Misskey itself is the origin".into()),
    }
    // It has pictures of its own there, and fetches files of others anew.
    let port = root["port"].as_i64().unwrap_or(3000);
    plan.origins.push(OriginPlan::Http(format!("http://127.0.0.1:{port}{}", plan.path)));
    if software == Software::Misskey {
        plan.notes.push(
            "since v12 the bucket is set in the control panel, not in this file: if there is one, say --bucket, \
             or print the answer of api/admin/meta to a .json file and give me that"
                .into(),
        );
    }
    Ok(plan)
}

/// The settings of a bucket, whichever names they go by.
struct Storage {
    bucket: String,
    prefix: Option<String>,
    base_url: Option<String>,
    endpoint: Option<String>,
    port: Option<i64>,
    plain: bool,
    region: Option<String>,
    path_style: Option<bool>,
    keys: Option<(String, String)>,
}

fn storage(root: &Yaml) -> Option<Storage> {
    let text = |place: &Yaml| place.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (drive, block) = (&root["drive"], &root["objectStorage"]);
    if drive["storage"].as_str() == Some("minio") {
        let client = &drive["config"];
        return Some(Storage {
            bucket: text(&drive["bucket"])?,
            prefix: text(&drive["prefix"]),
            base_url: text(&drive["baseUrl"]),
            endpoint: text(&client["endPoint"]),
            port: client["port"].as_i64(),
            plain: client["useSSL"].as_bool() == Some(false),
            region: text(&client["region"]),
            path_style: Some(true),
            keys: text(&client["accessKey"]).zip(text(&client["secretKey"])),
        });
    }
    // admin/meta has no block, and a longer name for everything.
    let flat = |name: &str| {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        format!("objectStorage{}{}", first.unwrap_or_default(), letters.as_str())
    };
    let is_flat = block.is_badvalue() && root["useObjectStorage"].as_bool() != Some(false);
    let of = |name: &str| if is_flat { &root[flat(name).as_str()] } else { &block[name] };
    Some(Storage {
        bucket: text(of("bucket"))?,
        prefix: text(of("prefix")),
        base_url: text(of("baseUrl")),
        endpoint: text(of("endpoint")),
        port: of("port").as_i64(),
        plain: of("useSSL").as_bool() == Some(false),
        region: text(of("region")),
        path_style: of("s3ForcePathStyle").as_bool(),
        keys: text(of("accessKey")).zip(text(of("secretKey"))),
    })
}

fn in_bucket(plan: &mut Plan, storage: Storage, own: Option<&Url>) -> Result<(), String> {
    match storage.base_url.as_deref().map(Url::parse) {
        Some(Ok(base)) => {
            plan.hosts.extend(base.host_str().map(str::to_owned));
            plan.path = joined(base.path(), storage.prefix.as_deref());
        }
        Some(Err(_)) => return Err("baseUrl: expected an address".into()),
        None => {
            let host =
                own.and_then(Url::host_str).map_or("media.example.com".to_owned(), |host| format!("media.{host}"));
            plan.notes
                .push(format!("links lead to the bucket itself: when the edge answers, set baseUrl to https://{host}"));
            plan.hosts.push(host);
            plan.path = joined("", storage.prefix.as_deref());
        }
    }
    let scheme = if storage.plain { "http" } else { "https" };
    let usual = if storage.plain { 80 } else { 443 };
    let port = storage.port.filter(|port| *port != usual);
    let endpoint = storage.endpoint.map(|host| {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let bare = host.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
        format!("{scheme}://{bare}{port}")
    });
    plan.origins.push(OriginPlan::Bucket(Box::new(BucketPlan {
        name: storage.bucket,
        provider: endpoint.is_none().then(|| "aws".to_owned()),
        endpoint,
        region: storage.region,
        prefix: storage.prefix.map(|prefix| prefix.trim_matches('/').to_owned()),
        addressing: storage.path_style.map(|path| if path { "path" } else { "virtual-host" }),
        signed: true,
        keys: storage.keys,
    })));
    Ok(())
}
