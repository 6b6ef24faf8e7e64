//! What is made of the files of others.

use super::*;

#[track_caller]
fn good(plan: &Plan) -> String {
    let text = plan.print(Secrets::Named);
    edge::config::EdgeConfig::parse(&text, "edge.toml").unwrap();
    text.split_once("[[site]]").unwrap().1.split_once('\n').unwrap().1.to_owned()
}

fn mastodon(text: &str) -> Plan {
    mastodon::plan(text, Path::new("/home/mastodon/live")).unwrap()
}

#[test]
fn a_mastodon_with_a_bucket() {
    let plan = mastodon(
        "# comment\nLOCAL_DOMAIN=example.com\nS3_ENABLED=true\nS3_BUCKET='files'\nexport S3_REGION=eu-central-1 # here\n\
         S3_PROTOCOL=https\nS3_HOSTNAME=s3.eu-central-1.wasabisys.com\nS3_ENDPOINT=\"https://s3.eu-central-1.wasabisys.com/\"\n\
         S3_ALIAS_HOST=media.example.com\nAWS_ACCESS_KEY_ID=AKIA123\nAWS_SECRET_ACCESS_KEY=hush=hush\n",
    );
    insta::assert_snapshot!(good(&plan), @r#"
    hosts = ["media.example.com"]
    software = "mastodon"

    [[site.origin]]
    bucket = "files"
    endpoint = "https://s3.eu-central-1.wasabisys.com"
    region = "eu-central-1"
    addressing = "path"
    access_key = "$AWS_ACCESS_KEY_ID"
    secret_key = "$AWS_SECRET_ACCESS_KEY"
    "#);
    assert!(plan.notes.is_empty());
    assert!(
        !plan.print(Secrets::Named).contains("hush")
            && plan.print(Secrets::Printed).contains("secret_key = \"hush=hush\"")
    );
}

#[test]
fn a_mastodon_with_a_path_and_a_prefix() {
    let plan = mastodon(
        "LOCAL_DOMAIN=example.com\nS3_ENABLED=true\nS3_BUCKET=files\nS3_KEY_PREFIX=one/\nS3_ALIAS_HOST=example.com/system\n",
    );
    insta::assert_snapshot!(good(&plan), @r#"
    hosts = ["example.com"]
    path = "/system/one"
    software = "mastodon"

    [[site.origin]]
    bucket = "files"
    provider = "aws"
    region = "us-east-1"
    prefix = "one"
    access_key = "$AWS_ACCESS_KEY_ID"
    secret_key = "$AWS_SECRET_ACCESS_KEY"
    "#);
}

#[test]
fn mastodons_without_an_alias_or_a_bucket() {
    let plan = mastodon(
        "LOCAL_DOMAIN=example.com\nS3_ENABLED=true\nS3_BUCKET=files\nS3_HOSTNAME=minio.example.com\nS3_PROTOCOL=http",
    );
    assert!(
        good(&plan).contains("media.example.com") && good(&plan).contains("endpoint = \"http://minio.example.com\"")
    );
    assert!(plan.notes[0].contains("S3_ALIAS_HOST=media.example.com"));

    let plan = mastodon("LOCAL_DOMAIN=example.com\nWEB_DOMAIN=social.example.com\n");
    insta::assert_snapshot!(good(&plan), @r#"
    hosts = ["social.example.com"]
    path = "/system"
    software = "mastodon"

    [[site.origin]]
    folder = "/home/mastodon/live/public/system"
    "#);
    for (text, why) in
        [("", "LOCAL_DOMAIN"), ("LOCAL_DOMAIN=a\nS3_ENABLED=true", "S3_BUCKET"), ("LOCAL_DOMAIN=", "LOCAL_DOMAIN")]
    {
        assert!(mastodon::plan(text, Path::new("/")).unwrap_err().contains(why), "{text}");
    }
}

fn misskey(text: &str) -> Plan {
    misskey::plan(text, Path::new("/home/misskey/misskey/.config")).unwrap()
}

#[test]
fn a_misskey_with_a_bucket() {
    let plan = misskey(
        "url: https://example.com/\nport: 3000\ndrive:\n  storage: 'minio'\n  bucket: files\n  prefix: media\n  baseUrl: https://example.com/storage\n  \
         config:\n    endPoint: minio.example.com\n    port: 9000\n    useSSL: false\n    accessKey: abc\n    secretKey: hush\n",
    );
    insta::assert_snapshot!(good(&plan), @r#"
    hosts = ["example.com"]
    path = "/storage/media"
    software = "misskey-v11"

    [[site.origin]]
    bucket = "files"
    endpoint = "http://minio.example.com:9000"
    prefix = "media"
    addressing = "path"
    access_key = "$AWS_ACCESS_KEY_ID"
    secret_key = "$AWS_SECRET_ACCESS_KEY"
    "#);
    assert!(!plan.print(Secrets::Named).contains("hush") && plan.print(Secrets::Printed).contains("hush"));

    let block = misskey(
        "url: https://example.com/\nobjectStorage:\n  baseUrl: https://media.example.com\n  bucket: files\n  prefix: a\n  \
         endpoint: s3.example.com\n  region: jp\n  accessKey: abc\n  secretKey: hush\n",
    );
    let flat = misskey(
        r#"{"useObjectStorage": true, "objectStorageBaseUrl": "https://media.example.com", "objectStorageBucket": "files",
            "objectStoragePrefix": "a", "objectStorageEndpoint": "s3.example.com", "objectStorageRegion": "jp",
            "objectStorageUseSSL": true, "objectStorageAccessKey": "abc", "objectStorageSecretKey": "hush"}"#,
    );
    assert_eq!(good(&block), good(&flat));
    assert!(good(&flat).contains("software = \"misskey\"") && good(&flat).contains("path = \"/a\""));
}

#[test]
fn misskeys_without_a_bucket() {
    let plan = misskey("url: https://example.com/\nmongodb:\n  host: localhost\nport: 3001\n");
    insta::assert_snapshot!(good(&plan), @r#"
    hosts = ["example.com"]
    path = "/files"
    software = "misskey-v10"

    [[site.origin]]
    url = "http://127.0.0.1:3001/files"
    "#);
    let plan = misskey("url: https://example.com/\ndb:\n  host: localhost\n");
    insta::assert_snapshot!(good(&plan), @r#"
    hosts = ["example.com"]
    path = "/files"
    software = "misskey"

    [[site.origin]]
    folder = "/home/misskey/misskey/files"

    [[site.origin]]
    url = "http://127.0.0.1:3000/files"
    "#);
    assert!(plan.notes[0].contains("control panel"));
    for text in ["", "- a", "a: [", "port: 3000"] {
        assert!(misskey::plan(text, Path::new("/")).is_err(), "{text}");
    }
    let why = misskey::plan(r#"{"useObjectStorage": false, "objectStorageBucket": "a"}"#, Path::new("/")).unwrap_err();
    assert!(why.contains("default.yml"), "{why}");
}
