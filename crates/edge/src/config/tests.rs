//! What is read, and what is said when it cannot be read.

use super::*;

fn read(text: &str) -> Result<EdgeConfig, String> {
    EdgeConfig::parse(text, "edge.toml").map_err(|error| error.0)
}

#[test]
fn ten_lines_do() {
    let config = read(
        r#"
        [cache]
        path = "/var/cache/noren"
        max_size = "20 GB"

        [[site]]
        hosts = ["media.example.com"]
        software = "mastodon"
        [[site.origin]]
        folder = "/home/mastodon/live/public/system"
        [[site.origin]]
        bucket = "media"
        endpoint = "https://s3.eu-central-1.wasabisys.com"
        [[site.origin]]
        url = "https://old.example.com/system"
        "#,
    )
    .unwrap();
    let site = &config.sites[0];
    assert_eq!(site.label(), "media.example.com/");
    let labels: Vec<String> = site.origins.iter().map(OriginConfig::label).collect();
    assert_eq!(
        labels,
        [
            "/home/mastodon/live/public/system",
            "bucket media at s3.eu-central-1.wasabisys.com",
            "https://old.example.com/system"
        ]
    );
    let OriginConfig::Http(http) = &site.origins[2] else { panic!() };
    assert_eq!((http.requests, http.follow.len(), http.answer_timeout.to_string()), (64, 0, "20 s".into()));
    // What is printed can be read again.
    let printed = toml::to_string(&config).unwrap();
    assert_eq!(toml::to_string(&read(&printed).unwrap()).unwrap(), printed);
}

#[test]
fn origins_are_called_by_where_they_are() {
    for (text, label) in [
        ("folder = \"/a\"", "/a"),
        ("folder = \"/a\"\nprefix = \"b\"", "/a/b"),
        ("bucket = \"a-b\"\nendpoint = \"http://s3.test:9000\"\nprefix = \"c\"", "bucket a-b/c at s3.test:9000"),
        ("url = \"https://a.test\"\nconnect = \"10.0.0.5:443\"", "https://a.test at 10.0.0.5:443"),
        ("url = \"https://a.test\"\nhost = \"b.test\"", "https://a.test as b.test"),
    ] {
        let config = read(&format!("[[site]]\n[[site.origin]]\n{text}\n")).unwrap();
        assert_eq!(config.sites[0].origins[0].label().replace(".test/", ".test"), label);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let site = |text: &str| format!("[[site]]\n{text}\n");
    let cases: Vec<(String, &str)> = vec![
        (site("host = \"a\""), "edge.toml:2: site[0].host: unknown field `host`"),
        (site("hosts = [\"a:80\"]"), "site[0].hosts[0]: expected a host name without a port"),
        (site("software = \"mastdon\""), "unknown variant `mastdon`"),
        (site("hosts = [\"a\"]"), "edge.toml: site[0].origin: expected [[site.origin]] with folder, bucket or url"),
        (site("path = \"/../x\""), "site[0].path: expected a path such as \"/\" or \"/system\""),
        (site("[[site.origin]]\n"), "expected exactly one of folder, bucket and url"),
        (
            site("[[site.origin]]\nfolder = \"/a\"\nurl = \"https://a\""),
            "expected exactly one of folder, bucket and url",
        ),
        (site("[[site.origin]]\nfolder = \"a\""), "site[0].origin[0].folder: expected a path from the root"),
        (site("[[site.origin]]\nfolder = \"/a\"\nfollow = []"), "unknown field `follow`"),
        (site("[[site.origin]]\nurl = \"ftp://a\""), "url: expected an address such as"),
        (site("[[site.origin]]\nurl = \"https://a\"\nidle_timeout = \"soon\""), "idle_timeout: expected a time"),
        (site("[[site.origin]]\nurl = \"https://a\"\nrequests = 0"), "site[0].origin[0].requests: expected 1 to 10000"),
        (
            site("[[site.origin]]\nurl = \"https://a:8443\"\nconnect = \"10.0.0.1:443\""),
            "connect: expected the port of url",
        ),
        (site("[[site.origin]]\nbucket = \"a\"\nbukket = \"b\""), "unknown field `bukket`"),
        (
            site("[[site.origin]]\nfolder = \"/a\"\n[[site]]\n[[site.origin]]\nfolder = \"/b\""),
            "site[1].name: another site is called",
        ),
        (
            site(
                "name = \"a\"\n[[site.origin]]\nfolder = \"/a\"\n[[site]]\nname = \"b\"\n[[site.origin]]\nfolder = \"/b\"",
            ),
            "site[1].hosts: another site has any host and the path / already",
        ),
        (
            site("strip = \"/a\"\npath = \"/b\"\n[[site.origin]]\nfolder = \"/a\""),
            "site[0].strip: expected the beginning of site.path (/b)",
        ),
        (site("redirect = \"https://a\"\n[[site.origin]]\nfolder = \"/a\""), "either a redirect or origins"),
        (site("hosts = [\"a.example\"]\nredirect = \"https://a.example/b\""), "redirect: leads to this very site"),
        (
            site("hosts = [\"a.example\"]\npath = \"/b\"\nredirect = \"https://a.example/b\""),
            "redirect: leads to this very site",
        ),
        ("[metrics]\npath = \"/\"".into(), "metrics.path: expected a path such as \"/metrics\""),
        ("[metrics]\nlisten = \"here\"".into(), "edge.toml:2: metrics.listen: "),
        ("[access_log]\nformat = \"common\"".into(), "unknown variant `common`"),
        ("[cache".into(), "edge.toml:1: "),
    ];
    for (text, expected) in cases {
        let error = read(&text).unwrap_err();
        assert!(error.contains(expected), "{text}\n{error}\n{expected}");
    }
    assert!(read(&site("hosts = [\"a.example\"]\npath = \"/b\"\nredirect = \"https://a.example/c\"")).is_ok());
}

/// Whoever adds a key adds it to the documentation, in words: that is where people look.
#[test]
fn every_key_is_documented() {
    use crate::server::config::{AcmeConfig, ConnectionsConfig, ListenConfig, TlsConfig};
    use media::s3::S3Config;
    fn usual(config: impl serde::Serialize) -> toml::Table {
        toml::Table::try_from(config).unwrap()
    }
    let none = toml::Table::new;
    let (listen, url): (ListenConfig, HttpOrigin) =
        (toml::from_str("address = \":80\"").unwrap(), toml::from_str("url = \"https://a\"").unwrap());
    let sections = [
        ("[server]", ServerConfig::FIELD_NAMES, usual(ServerConfig::default())),
        ("[[listen]]", ListenConfig::FIELD_NAMES, usual(listen)),
        ("[tls]", TlsConfig::FIELD_NAMES, usual(TlsConfig::default())),
        ("[acme]", AcmeConfig::FIELD_NAMES, usual(AcmeConfig::default())),
        ("[connections]", ConnectionsConfig::FIELD_NAMES, usual(ConnectionsConfig::default())),
        ("[cache]", CacheConfig::FIELD_NAMES, usual(CacheConfig::default())),
        ("[access_log]", AccessLogConfig::FIELD_NAMES, none()),
        ("[metrics]", MetricsConfig::FIELD_NAMES, usual(MetricsConfig::default())),
        ("[[site]]", SiteConfig::FIELD_NAMES, usual(SiteConfig::default())),
        ("[[site.origin]] with folder", FolderOrigin::FIELD_NAMES, none()),
        ("[[site.origin]] with url", HttpOrigin::FIELD_NAMES, usual(url)),
        ("[[site.origin]] with bucket", S3Config::FIELD_NAMES, usual(S3Config::default())),
    ];
    for page in ["edge.md", "edge.ja.md"] {
        let text = page_of_documentation(page);
        for (name, keys, usual) in &sections {
            let part = text.split_once(&format!("### `{name}`\n")).and_then(|(_, rest)| rest.split("\n### ").next());
            let part = part.unwrap_or_else(|| panic!("{name} is not in docs/{page}"));
            for key in keys.iter().map(|key| if *key == "origins" { "origin" } else { key }) {
                let row = part.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
                let row = row.unwrap_or_else(|| panic!("{key} is missing under {name} in docs/{page}"));
                let value = usual.get(key).map(ToString::to_string).filter(|text| text != "[]" && text != "\"\"");
                if let Some(value) = value.filter(|_| !["address", "url"].contains(&key)) {
                    assert!(row.ends_with(&format!(" `{value}` |")), "{key} under {name} in docs/{page} is {value}");
                }
            }
        }
    }
}

fn page_of_documentation(page: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    std::fs::read_to_string(path).unwrap()
}

/// Who says where a log shall be wants one.
#[test]
fn a_log_with_a_file_is_written() {
    for (text, format) in [
        ("", AccessLogFormat::Off),
        ("file = \"/a\"", AccessLogFormat::Combined),
        ("format = \"json\"", AccessLogFormat::Json),
        ("format = \"off\"\nfile = \"/a\"", AccessLogFormat::Off),
    ] {
        assert_eq!(read(&format!("[access_log]\n{text}\n")).unwrap().access_log.format, format, "{text}");
    }
}

/// The examples in a page of the documentation, without their comments.
fn examples(page: &str, language: &str) -> Vec<String> {
    let text = page_of_documentation(page);
    let fence = format!("\n```{language}\n");
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let bare = |line: &str| line.split(" #").next().unwrap().trim_end().to_owned() + "\n";
    blocks.map(|block| block.lines().map(bare).collect()).collect()
}

#[test]
fn examples_of_the_documentation_can_be_read_and_are_the_same_in_both_languages() {
    for language in ["toml", "nginx", "sh"] {
        let english = examples("edge.md", language);
        assert_eq!(english, examples("edge.ja.md", language), "{language}");
        assert!(english.len() > 1, "{language}");
    }
    for example in examples("edge.md", "toml") {
        if let Err(why) = read(&example) {
            panic!("{why}\n{example}");
        }
    }
}
