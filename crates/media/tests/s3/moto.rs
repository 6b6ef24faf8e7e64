//! What is set up once, and what strangers may do then.

use crate::moto_server::Moto;
use crate::whole;
use bytes::Bytes;
use media::s3::{Access, Answer, Bucket, Created, Error, Headers, Provider, S3Config, Scope, Source, Wanted};

fn bytes(text: &'static str) -> Source {
    Source::Bytes(Bytes::from_static(text.as_bytes()))
}

fn headers() -> Headers {
    Headers { content_type: Some("image/png".into()), cache_control: Some("public, max-age=60, immutable".into()) }
}

async fn is_public(bucket: &Bucket, key: &str) -> bool {
    match bucket.as_a_stranger().get(key, None).await {
        Ok(Some(object)) => !whole(object).await.unwrap().is_empty(),
        Err(Error::Denied { .. }) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn buckets_are_made_once() {
    let Some(moto) = Moto::start() else { return };
    for provider in [None, Some(Provider::Aws), Some(Provider::Wasabi)] {
        let name = format!("made-{}", provider.map_or("plain", |provider| provider.preset().name));
        let region = provider.map(|_| "eu-central-1".to_owned());
        let addressing = Some(media::s3::Addressing::Path);
        let bucket = Bucket::open(&S3Config { provider, region, addressing, ..moto.config(&name) }).unwrap();
        assert!(!bucket.is_there().await.unwrap());
        assert_eq!(bucket.create().await.unwrap(), Created::New);
        assert!(bucket.is_there().await.unwrap());
        assert!(matches!(bucket.create().await, Ok(Created::Already | Created::New)));
    }
}

#[tokio::test]
async fn a_policy_opens_folders_and_closes_them() {
    let Some(moto) = Moto::start() else { return };
    let config = S3Config { prefix: Some("media".into()), ..moto.config("policy") };
    let bucket = Bucket::open(&config).unwrap();
    bucket.create().await.unwrap();
    bucket.put("open/a.png", &bytes("a"), &headers()).await.unwrap();
    bucket.put("closed/b.png", &bytes("b"), &headers()).await.unwrap();
    assert_eq!(bucket.policy().await.unwrap(), None);
    assert!(!is_public(&bucket, "open/a.png").await);

    bucket.set_policy(&Access::PublicRead(vec!["open/".into()])).await.unwrap();
    assert!(is_public(&bucket, "open/a.png").await);
    assert!(!is_public(&bucket, "closed/b.png").await);
    let policy: serde_json::Value = serde_json::from_str(&bucket.policy().await.unwrap().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Resource"], serde_json::json!(["arn:aws:s3:::policy/media/open/*"]));
    assert_eq!(policy["Statement"][0]["Action"], serde_json::json!(["s3:GetObject"]));

    bucket.set_policy(&Access::Private).await.unwrap();
    bucket.set_policy(&Access::Private).await.unwrap();
    assert!(!is_public(&bucket, "open/a.png").await);
    // Amazon's own is told to allow public policies first.
    let amazon = S3Config {
        provider: Some(Provider::Aws),
        region: Some("us-east-1".into()),
        addressing: Some(media::s3::Addressing::Path),
        ..config
    };
    let amazon = Bucket::open(&amazon).unwrap();
    amazon.set_policy(&Access::PublicRead(vec![String::new()])).await.unwrap();
    assert!(is_public(&bucket, "closed/b.png").await);
}

#[tokio::test]
async fn acls_and_cors() {
    let Some(moto) = Moto::start() else { return };
    let bucket = Bucket::open(&moto.config("rules")).unwrap();
    bucket.create().await.unwrap();
    let acl = async || {
        let url = format!("{}/rules?acl", moto.endpoint);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    };
    bucket.set_acl(&Access::PublicRead(vec![String::new()])).await.unwrap();
    let text = acl().await;
    assert!(text.contains("AllUsers") && text.contains("READ") && !text.contains("WRITE"), "{text}");
    bucket.set_acl(&Access::Private).await.unwrap();
    assert!(!acl().await.contains("AllUsers"));

    assert_eq!(bucket.cors().await.unwrap(), [""; 0]);
    let origins = ["https://a.example".to_owned(), "https://b.example".to_owned()];
    bucket.set_cors(&origins).await.unwrap();
    assert_eq!(bucket.cors().await.unwrap(), origins);
    bucket.put("a.png", &bytes("a"), &headers()).await.unwrap();
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("{}/rules/a.png", moto.endpoint))
        .header("origin", "https://a.example")
        .header("access-control-request-method", "GET")
        .send()
        .await
        .unwrap();
    assert!(preflight.headers()["access-control-allow-methods"].to_str().unwrap().contains("GET"));
    bucket.remove_cors().await.unwrap();
    assert_eq!(bucket.cors().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn conditions_and_what_is_told() {
    let Some(moto) = Moto::start() else { return };
    let bucket = Bucket::open(&moto.config("conditions")).unwrap();
    bucket.create().await.unwrap();
    bucket.put("a.png", &bytes("hello"), &headers()).await.unwrap();
    let meta = bucket.head("a.png").await.unwrap().unwrap();
    let same = Wanted { unless_etag: meta.etag.clone(), ..Wanted::default() };
    assert!(matches!(bucket.ask("a.png", same).await, Ok(Answer::Unmodified)));
    let other = Wanted { unless_etag: Some("\"other\"".into()), ..Wanted::default() };
    let Ok(Answer::Found(object)) = bucket.ask("a.png", other).await else { panic!() };
    assert_eq!(whole(object).await.unwrap(), b"hello");
    let later = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let changed = Wanted { unless_older: Some(later), ..Wanted::default() };
    assert!(matches!(bucket.ask("a.png", changed).await, Ok(Answer::Found(_))));
    let since = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let unchanged = Wanted { unless_older: Some(since), ..Wanted::default() };
    assert!(matches!(bucket.ask("a.png", unchanged).await, Ok(Answer::Unmodified)));
    assert!(matches!(bucket.ask("missing.png", Wanted::default()).await, Err(Error::NoObject)));

    bucket.set_policy(&Access::PublicRead(vec![String::new()])).await.unwrap();
    let told = reqwest::get(bucket.public_url("a.png").unwrap()).await.unwrap();
    assert_eq!(told.headers()["content-type"], "image/png");
    assert_eq!(told.headers()["cache-control"], "public, max-age=60, immutable");
    // Parts of the same kind are told with objects that came in parts.
    let source = Source::Bytes(crate::pattern(17 * 1024 * 1024).into());
    bucket.put("v.mp4", &source, &headers()).await.unwrap();
    let told = reqwest::get(bucket.public_url("v.mp4").unwrap()).await.unwrap();
    assert_eq!(told.headers()["cache-control"], "public, max-age=60, immutable");
    assert!(told.headers()["etag"].to_str().unwrap().contains("-3"));
    assert!(told.bytes().await.unwrap() == crate::pattern(17 * 1024 * 1024));
}

#[tokio::test]
async fn long_objects_are_copied_in_parts() {
    let Some(moto) = Moto::start() else { return };
    let bucket = Bucket::open(&moto.config("copies")).unwrap();
    bucket.create().await.unwrap();
    crate::objects::copied_in_parts(&bucket).await;
    let kept = bucket.head("copies/b.mp4").await.unwrap().unwrap();
    assert_eq!(kept.cache_control.as_deref(), Some("public, max-age=60"));
    let stored = bucket.put_checked("k", &Source::Bytes(vec![7; 17 << 20].into()), &headers()).await.unwrap();
    assert!(stored.is_proven(), "{stored:?}");
    let listed = bucket.list(&Scope { prefix: "k".into(), limit: 9, ..Scope::default() }, None).await.unwrap();
    assert_eq!(listed.objects[0].etag, bucket.head("k").await.unwrap().unwrap().etag);
}
