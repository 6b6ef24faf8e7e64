//! Buckets as origins, public and private.

use crate::world::{Origin, Reply, World, reply, sent};
use edge::OwnPlace;
use edge::config::OriginConfig;

fn refusal(status: &str, code: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
    reply(status, "Content-Type: application/xml\r\n", body.as_bytes())
}

/// One object; whoever does not sign, or not with our key, is denied.
async fn private() -> Origin {
    Origin::new(|head| {
        if !head.contains("X-Amz-Credential=ID%2F") || !head.contains("X-Amz-Signature=") {
            return refusal("403 Forbidden", "SignatureDoesNotMatch");
        }
        match head.split([' ', '?']).nth(1).unwrap_or_default() {
            "/media/sub/a.png" => {
                reply("200 OK", "Content-Type: image/png\r\nETag: \"o\"\r\nx-amz-request-id: 1\r\n", b"object")
            }
            "/media/sub/%E6%97%A5%20%28x%29.png" => reply("200 OK", "Content-Type: image/png\r\n", b"named"),
            "/media/sub/denied.png" => refusal("403 Forbidden", "AccessDenied"),
            "/media/sub/broken.png" => refusal("500 Internal Server Error", "InternalError"),
            _ => refusal("404 Not Found", "NoSuchKey"),
        }
    })
    .await
}

fn site(origin: &Origin, keys: &str) -> String {
    format!(
        "[[site]]\nname = \"{}\"\npath = \"/files\"\n[[site.origin]]\nbucket = \"media\"\nendpoint = \"{}\"\nprefix = \"sub\"\n\
         addressing = \"path\"\nretries = 0\n{keys}",
        keys.len(),
        origin.url()
    )
}

const KEYS: &str = "access_key = \"ID\"\nsecret_key = \"hush\"\n";

#[tokio::test]
async fn private_buckets_are_asked_with_signatures() {
    let origin = private().await;
    let world = World::new(&site(&origin, KEYS)).await;
    for (path, status, body) in [
        ("/files/a.png", 200, "object"),
        ("/files/%E6%97%A5%20(x).png", 200, "named"),
        ("/files/none.png", 404, "404 Not Found\n"),
        ("/files/denied.png", 404, "404 Not Found\n"),
        ("/files/broken.png", 502, "502 Bad Gateway\n"),
    ] {
        let answer = world.get("a", path).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{path}: {}", answer.head);
        assert_eq!(answer.header("x-amz-request-id"), "");
    }
    let count = origin.asked().len();
    world.settled().await;
    assert_eq!(world.get("a", "/files/a.png").await.header("x-cache"), "HIT");
    assert_eq!(origin.asked().len(), count);
    for head in origin.asked() {
        assert!(!head.contains("hush") && sent(&head, "cookie").is_none(), "{head}");
    }
}

/// Wrong keys are a fault of the settings: what is there must not be remembered as absent.
#[tokio::test]
async fn wrong_keys_are_no_absence() {
    let origin = private().await;
    let world = World::new(&site(&origin, "access_key = \"OTHER\"\nsecret_key = \"hush\"\n")).await;
    let answer = world.get("a", "/files/a.png").await;
    assert_eq!((answer.status, answer.header("cache-control")), (502, "no-store"), "{}", answer.head);
}

#[tokio::test]
async fn public_buckets_need_no_keys_and_the_next_has_what_one_lacks() {
    let public = Origin::with(&[("/media/sub/b.png", "image/png", b"public")]).await;
    let other = Origin::with(&[("/c.png", "image/png", b"other")]).await;
    let sites = site(&public, "") + &format!("[[site.origin]]\nurl = \"{}\"\n", other.url());
    let world = World::new(&sites).await;
    assert_eq!(world.get("a", "/files/b.png").await.text(), "public");
    assert_eq!(world.get("a", "/files/c.png").await.text(), "other");
    assert_eq!(world.get("a", "/files/d.png").await.status, 404);
    assert!(public.asked().iter().all(|head| !head.contains("X-Amz") && sent(head, "authorization").is_none()));
}

#[tokio::test]
async fn our_own_bucket_goes_through_the_cache() {
    let origin = private().await;
    let world = World::new("").await;
    let config = media::s3::S3Config {
        bucket: Some("media".into()),
        endpoint: Some(origin.url().parse().unwrap()),
        prefix: Some("sub".into()),
        access_key: Some("ID".into()),
        secret_key: Some(media::s3::Secret::new("hush")),
        ..media::s3::S3Config::default()
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old.png"), "old").unwrap();
    let old = edge::config::FolderOrigin { folder: folder.path().into(), prefix: Default::default() };
    let places =
        [OwnPlace::Origin(OriginConfig::Folder(old)), OwnPlace::Bucket(media::s3::Bucket::open(&config).unwrap())];
    let router = world.edge.own(&places, "/media").unwrap();
    let ask = async |path: &str| {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        let how = answer.headers().get("x-cache").map_or("", |how| how.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), how)
    };
    assert_eq!(ask("/media/a.png").await, (200, "MISS".into()));
    world.settled().await;
    assert_eq!(ask("/media/a.png").await, (200, "HIT".into()));
    let asked = origin.asked().len();
    assert_eq!(ask("/media/old.png").await, (200, "BYPASS".into()), "folders in front are looked into first");
    for path in ["/media/uploads/1", "/media/%75ploads/1", "/media/../a.png", "/media/.x"] {
        assert_eq!(ask(path).await.0, 404, "{path}");
    }
    assert_eq!(origin.asked().len(), asked, "nothing of these reaches the bucket");
}

#[tokio::test]
async fn a_locked_bucket_destroys_nothing() {
    for (status, code, new) in [
        ("403 Forbidden", "AccessDenied", 404),
        ("403 Forbidden", "AllAccessDisabled", 502),
        // That there is no bucket any more is no word about a file.
        ("404 Not Found", "NoSuchBucket", 502),
    ] {
        let origin = Origin::new(|_| reply("200 OK", "Content-Type: image/png\r\nETag: \"o\"\r\n", b"object")).await;
        let sites = site(&origin, "").replace("path = \"/files\"", "path = \"/files\"\nvalid = \"0 s\"");
        let world = World::new(&sites).await;
        assert_eq!(world.get("a", "/files/a.png").await.text(), "object");
        world.settled().await;
        origin.becomes(move |_| refusal(status, code));
        let answer = world.get("a", "/files/a.png").await;
        assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("object", "STALE"), "{code}");
        assert_eq!(world.get("a", "/files/never.png").await.status, new, "{code}");
    }
}

/// What an object was stored with counts where that is wanted, as it does for web servers.
#[tokio::test]
async fn buckets_say_how_long_a_file_is_good() {
    let origin = Origin::new(|head| {
        let stored = match head.split([' ', '?']).nth(1).unwrap_or_default() {
            "/media/sub/secret.png" => "Cache-Control: private, no-store\r\n",
            "/media/sub/old.png" => "Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
            _ => "Cache-Control: max-age=3600\r\n",
        };
        let unchanged = sent(head, "if-none-match").is_some();
        let status = if unchanged { "304 Not Modified" } else { "200 OK" };
        let body: &[u8] = if unchanged { b"" } else { b"object" };
        reply(status, &format!("Content-Type: image/png\r\nETag: \"o\"\r\n{stored}"), body)
    })
    .await;
    let honoured = |how: &str| site(&origin, "").replace("path = \"/files\"", &format!("path = \"/files\"\n{how}"));
    let world = World::new(&honoured("honour_origin_headers = true\nvalid = \"0 s\"")).await;
    for (path, first, then, told) in [
        ("/files/secret.png", "BYPASS", "BYPASS", "no-store"),
        ("/files/old.png", "MISS", "REVALIDATED", "no-cache"),
        ("/files/long.png", "MISS", "HIT", "public, max-age=3600, immutable"),
    ] {
        for how in [first, then, then] {
            let answer = world.get("a", path).await;
            assert_eq!((answer.header("x-cache"), answer.header("cache-control")), (how, told), "{path}");
            assert_eq!(answer.text(), "object");
            world.settled().await;
        }
    }
    let world = World::new(&honoured("")).await;
    for how in ["MISS", "HIT"] {
        assert_eq!(world.get("a", "/files/secret.png").await.header("x-cache"), how);
        world.settled().await;
    }
}

/// Old and new provider, and a second site: what one does is not counted for another, nor held against it.
#[tokio::test]
async fn buckets_of_one_name_have_figures_of_their_own() {
    let (new, old) = (private().await, private().await);
    new.becomes(|_| refusal("503 Slow Down", "SlowDown"));
    let keyed = |origin: &Origin| site(origin, KEYS).split_once("[[site.origin]]").unwrap().1.to_owned();
    let sites = format!(
        "[[site]]\nname = \"one\"\npath = \"/one\"\n[[site.origin]]{}[[site.origin]]{}\
         [[site]]\nname = \"two\"\npath = \"/two\"\n[[site.origin]]{}",
        keyed(&new),
        keyed(&old),
        keyed(&old)
    );
    let world = World::new(&sites).await;
    for number in 0..5 {
        let answer = world.get("a", &format!("/one/none-{number}.png")).await;
        assert!(matches!(answer.status, 502 | 503), "{}", answer.head);
    }
    assert_eq!(world.get("a", "/two/a.png").await.text(), "object");
    let figures: Vec<_> =
        world.status().origins.into_iter().map(|o| (o.site, o.name, o.found, o.absent, o.rests)).collect();
    let name = |origin: &Origin| format!("bucket media/sub at {}", origin.address);
    let mut expected = vec![("one".to_owned(), name(&new), 0, 0, true), ("one".to_owned(), name(&old), 0, 5, false)];
    expected.sort_by(|a, b| a.1.cmp(&b.1));
    expected.push(("two".to_owned(), name(&old), 1, 0, false));
    assert_eq!(figures, expected);
}
