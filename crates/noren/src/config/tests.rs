//! What is read from where, and what is said when it cannot be read.

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn with_file(text: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noren.toml");
    std::fs::write(&file, text).unwrap();
    let sources = Sources { file: Some(file), environment: environment(pairs), ..Sources::default() };
    let shown = format!("{}/", folder.path().display());
    load(&sources).map(|loaded| loaded.config).map_err(|error| error.0.replace(&shown, ""))
}

#[test]
fn file_then_environment_then_flags() {
    let config = with_file("[server]\nconnections = 7\nlisten = \":1\"\n", &[]).unwrap();
    assert_eq!((config.server.connections, config.server.listen.0.port()), (7, 1));

    let config = with_file("[server]\nconnections = 7\n", &[("NOREN_SERVER__CONNECTIONS", "8")]).unwrap();
    assert_eq!(config.server.connections, 8);

    let flags = vec![Override::flag("server.listen", "--listen", ":9")];
    let sources = Sources { environment: environment(&[("NOREN_SERVER__LISTEN", ":8")]), flags, ..Sources::default() };
    assert_eq!(load(&sources).unwrap().config.server.listen.0.port(), 9);
}

#[test]
fn the_file_in_the_data_folder_is_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("noren.toml"), "[jobs]\npush = 3\n").unwrap();
    let data = folder.path().to_path_buf();
    let by_flag = Sources { data: Some(data.clone()), ..Sources::default() };
    let by_name = environment(&[("NOREN_SERVER__DATA", data.to_str().unwrap())]);
    for sources in [by_flag, Sources { environment: by_name, ..Sources::default() }] {
        let loaded = load(&sources).unwrap();
        assert_eq!((loaded.config.jobs.push, loaded.config.server.data), (3, data.clone()));
        assert!(loaded.file.is_some());
    }
}

#[test]
fn values_of_the_environment_are_typed_by_what_is_wanted() {
    let config = with_file(
        "",
        &[
            ("NOREN_SERVER__COMPRESSION", "false"),
            ("NOREN_SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
            ("NOREN_MEDIA__IMAGE_SIZE", "20 MB"),
            ("NOREN_LOG__LEVEL", "info,api=debug"),
            ("NOREN_DATABASE__URL", "postgres://u:p@localhost/n?x=1"),
            ("NOREN_SERVER__DATA", "2026"),
            ("NOREN_TEST_POSTGRES", "ignored"),
            ("NOREN_MEDIA__STORAGE__PROVIDER", "wasabi"),
            ("NOREN_MEDIA__STORAGE__REGION", "eu-central-1"),
            ("NOREN_MEDIA__STORAGE__BUCKET", "files"),
            ("NOREN_MEDIA__STORAGE__ACCESS_KEY", "id"),
            ("NOREN_MEDIA__STORAGE__SECRET_KEY", "1234"),
            ("NOREN_MEDIA__STORAGE__IDLE_TIMEOUT", "500 ms"),
        ],
    )
    .unwrap();
    let bucket = config.media.bucket().unwrap().unwrap();
    assert_eq!(bucket.url().as_str(), "https://files.s3.eu-central-1.wasabisys.com/");
    assert_eq!(config.media.storage.secret_key.as_ref().unwrap().reveal(), "1234");
    assert!(!config.server.compression);
    assert_eq!(config.server.trusted_proxies.len(), 1);
    assert_eq!(config.media.image_size, ByteSize(20_000_000));
    assert_eq!(config.database.url, "postgres://u:p@localhost/n?x=1");
    assert_eq!(config.server.data, PathBuf::from("2026"));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let wrong = |text: &str, pairs: &[(&str, &str)]| with_file(text, pairs).unwrap_err();
    let cases = [
        wrong("[server]\nlisten = \"nowhere\"\n", &[]),
        wrong("\n\n[server]\nconnections = \"many\"\n", &[]),
        wrong("[server]\nport = 3000\n", &[]),
        wrong("[sever]\n", &[]),
        wrong("[server\n", &[]),
        wrong("[log]\nlevel = \"info=info=info\"\n", &[]),
        wrong("[site]\ndomain = \"https://example.com\"\n", &[]),
        wrong("[media.storage]\nbucket = \"files\"\n", &[]),
        wrong("[media.storage]\nprovider = \"aws\"\nbucket = \"files\"\n", &[]),
        wrong("[media.storage]\nendpoint = \"http://127.0.0.1:9000\"\nbucket = \"files\"\n", &[]),
        wrong("[media.storage]\nprovider = \"azure\"\n", &[]),
        wrong("[media.storage]\nidle_timeout = \"soon\"\n", &[]),
        wrong("[media.storage]\nkey = \"x\"\n", &[]),
        wrong("[federation]\nauthorities = [\"/nowhere/ca.pem\"]\n", &[]),
        wrong("[federation]\nallowed_addresses = [\"10.0.0.0/8\"]\n", &[]),
        wrong("", &[("NOREN_MEDIA__STORAGE__RETRIES", "many")]),
        wrong("", &[("NOREN_SERVER__CONNECTIONS", "many")]),
        wrong("", &[("NOREN_SERVER__PORT", "3000")]),
        wrong("", &[("NOREN_SEVER__PORT", "3000")]),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r##"
    noren.toml:2: server.listen: expected an address such as "[::]:3000", "127.0.0.1:3000" or ":3000", not "nowhere"
    noren.toml:4: server.connections: invalid type: string "many", expected a whole number
    noren.toml:2: server.port: unknown field `port`, expected one of `listen`, `data`, `trusted_proxies`, `connections`, `header_timeout`, `body_timeout`, `shutdown_timeout`, `compression`, `threads`
    noren.toml:1: sever: unknown field `sever`, expected one of `site`, `server`, `listen`, `tls`, `acme`, `connections`, `database`, `media`, `edge`, `metrics`, `federation`, `limits`, `rate_limits`, `streaming`, `jobs`, `log`
    noren.toml:1: unclosed table, expected `]`
    noren.toml:2: log.level: expected a level such as "info" or a list such as "info,api=debug", not "info=info=info"
    noren.toml:2: site.domain: expected a domain name such as "example.com", not "https://example.com"
    noren.toml: media.storage.endpoint: missing: expected an address such as "https://s3.example.com"
    noren.toml: media.storage.region: missing: name it, such as "eu-central-1"
    noren.toml: media.storage.access_key: missing: files cannot be stored without a key
    noren.toml:2: media.storage.provider: unknown variant `azure`, expected one of `aws`, `vultr`, `wasabi`, `minio`, `garage`, `r2`, `b2`, `digitalocean`
    noren.toml:2: media.storage.idle_timeout: expected a time such as "25 s", "10 min", "12 h" or "90 d", not "soon"
    noren.toml:2: media.storage.key: unknown field `key`, expected one of `provider`, `endpoint`, `region`, `bucket`, `prefix`, `access_key`, `secret_key`, `secret_key_file`, `addressing`, `storage_class`, `authorities`, `connect_timeout`, `answer_timeout`, `idle_timeout`, `retries`
    noren.toml: federation.authorities: /nowhere/ca.pem: I/O error: No such file or directory (os error 2)
    noren.toml:2: federation.allowed_addresses[0]: invalid IP address syntax
    NOREN_MEDIA__STORAGE__RETRIES: media.storage.retries: invalid type: string "many", expected a whole number
    NOREN_SERVER__CONNECTIONS: server.connections: invalid type: string "many", expected a whole number
    NOREN_SERVER__PORT: server.port: unknown field `port`, expected one of `listen`, `data`, `trusted_proxies`, `connections`, `header_timeout`, `body_timeout`, `shutdown_timeout`, `compression`, `threads`
    NOREN_SEVER__PORT: sever.port: unknown field `sever`, expected one of `site`, `server`, `listen`, `tls`, `acme`, `connections`, `database`, `media`, `edge`, `metrics`, `federation`, `limits`, `rate_limits`, `streaming`, `jobs`, `log`
"##);
    let missing = load(&Sources { file: Some("/nowhere/noren.toml".into()), ..Sources::default() });
    assert_eq!(missing.unwrap_err().0, "--config: there is no file /nowhere/noren.toml");
}

/// So that documentation, keys and defaults cannot drift unseen: read the difference before accepting it.
#[test]
fn the_printed_file_is_known_and_can_be_read_back() {
    let text = print(&Config::default()).unwrap();
    insta::assert_snapshot!("config_print", text);

    let config = with_file(&text, &[]).unwrap();
    assert_eq!(print(&config).unwrap(), text);
    // With every mark taken away all keys that have a value are live and mean the same.
    let live = |line: &str| {
        line.strip_prefix('#')
            .filter(|rest| !rest.starts_with(' ') && !rest.ends_with(" = \"\""))
            .unwrap_or(line)
            .to_owned()
    };
    let all: String = text.lines().map(|line| live(line) + "\n").collect();
    assert_eq!(print(&with_file(&all, &[]).unwrap()).unwrap(), text);
}

#[test]
fn places_to_listen_are_printed_as_they_are_read() {
    let text = "[[listen]]\naddress = [\"[::]:443\", \"127.0.0.1:8443\"]\nserve = \"https\"\n\n\
                [[listen]]\naddress = \":80\"\nserve = \"redirect\"\n\n[acme]\nnames = [\"a.example\"]\n";
    let config = with_file(text, &[]).unwrap();
    let printed = print(&config).unwrap();
    let wanted = "\n[[listen]]\naddress = [\"[::]:443\", \"127.0.0.1:8443\"]\nserve = \"https\"\n";
    assert!(printed.contains(wanted) && printed.contains("\nnames = [\"a.example\"]\n"), "{printed}");
    assert_eq!(with_file(&printed, &[]).unwrap().listen, config.listen);
    let wrong = |text: &str| with_file(text, &[]).unwrap_err();
    assert!(wrong("[[listen]]\naddress = \"nowhere\"\n").contains("expected an address such as"));
    assert!(wrong("[[listen]]\nserve = \"https\"\n").contains("address"));
    assert!(wrong("[acme]\nnames = [\"*.a.example\"]\n").contains("expected the name of a host"));
}

#[test]
fn domain_and_addresses_follow_from_each_other() {
    let site = |text: &str, remembered: Option<&str>| {
        let config = with_file(text, &[]).unwrap();
        let site = config.site(&config.domain(remembered));
        format!("{} {} {}", site.domain, site.base_url, site.media_url)
    };
    assert_eq!(site("", None), "localhost:3000 http://localhost:3000 http://localhost:3000/media");
    assert_eq!(
        site("[server]\nlisten = \":80\"\n", Some("a.example")),
        "a.example https://a.example https://a.example/media"
    );
    assert_eq!(
        site("[site]\ndomain = \"b.example\"\nbase_url = \"https://social.b.example/\"\n", Some("a.example")),
        "b.example https://social.b.example https://social.b.example/media"
    );
}
