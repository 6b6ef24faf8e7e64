//! Which requests are for the same file, and which must never be taken for it.

use crate::world::{Origin, World, reply};

/// Answers with the path that it was asked for.
async fn echo() -> Origin {
    Origin::new(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        reply("200 OK", "Content-Type: image/png\r\n", path.as_bytes())
    })
    .await
}

/// (host, path, which of the files that differ it is)
pub const KEYS: &[(&str, &str, &str)] = &[
    ("a.test", "/x.png", "/one/x.png"),
    ("a.test", "/X.png", "/one/X.png"),
    ("a.test", "/x%2Epng", "/one/x.png"),
    ("a.test", "/x.png?a=1", "/one/x.png"),
    ("A.TEST:80", "/x.png", "/one/x.png"),
    ("b.test", "/x.png", "/two/x.png"),
    ("c.test", "/x.png", "/two/x.png"),
    ("a.test", "/system/x.png", "/three/x.png"),
    ("a.test", "/%73ystem/x.png", "/three/x.png"),
    ("a.test", "/systems/x.png", "/one/systems/x.png"),
    ("a.test", "/System/x.png", "/one/System/x.png"),
    ("b.test", "/system/x.png", "/two/system/x.png"),
    ("b.test", "/x%3Fa", "/two/x%3Fa"),
    ("b.test", "/x%23a", "/two/x%23a"),
    ("b.test", "/x+y", "/two/x%2By"),
    ("b.test", "/x%20y", "/two/x%20y"),
    ("b.test", "/%C3%A9", "/two/%C3%A9"),
    ("b.test", "/e%CC%81", "/two/e%CC%81"),
];

/// Three sites before two origins, of which the first is returned.
pub async fn sites() -> (World, Origin) {
    let (one, two) = (echo().await, echo().await);
    let world = World::new(&format!(
        "[[site]]\nhosts = [\"a.test\"]\n[[site.origin]]\nurl = \"{}/one\"\n\
         [[site]]\nhosts = [\"b.test\", \"c.test\"]\n[[site.origin]]\nurl = \"{}/two\"\n\
         [[site]]\nhosts = [\"a.test\"]\npath = \"/system\"\n[[site.origin]]\nurl = \"{}/three\"\n",
        one.url(),
        two.url(),
        two.url()
    ))
    .await;
    (world, one)
}

#[tokio::test]
async fn case_encoding_and_site_make_a_difference_where_they_should() {
    let (world, one) = sites().await;
    for (host, path, body) in KEYS {
        for _ in 0..2 {
            let answer = world.get(host, path).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, *body), "{host}{path}");
        }
    }
    assert_eq!(one.asked().len(), 4, "{:?}", one.paths());
    world.settled().await;
    assert_eq!(world.get("b.test", "/x.png").await.header("x-cache"), "HIT");
}

#[tokio::test]
async fn only_named_parameters_of_the_query_count() {
    let origin = echo().await;
    let world = World::new(&format!(
        "[[site]]\nhosts = [\"a.test\"]\npath = \"/files\"\nsoftware = \"misskey-v10\"\n[[site.origin]]\nurl = \"{}/files\"\n",
        origin.url()
    ))
    .await;
    for (path, body) in [
        ("/files/5b7ad0c1?web", "/files/5b7ad0c1?web"),
        ("/files/5b7ad0c1?thumbnail", "/files/5b7ad0c1?thumbnail"),
        ("/files/5b7ad0c1?thumbnail&web", "/files/5b7ad0c1?thumbnail&web"),
        ("/files/5b7ad0c1?web&thumbnail&x=1", "/files/5b7ad0c1?thumbnail&web"),
        ("/files/5b7ad0c1?original=k-1", "/files/5b7ad0c1?original=k-1"),
        ("/files/5b7ad0c1?x=1", "/files/5b7ad0c1"),
        ("/files/5b7ad0c1%3Fweb", "/files/5b7ad0c1%3Fweb"),
    ] {
        assert_eq!(world.get("a.test", path).await.text(), body, "{path}");
    }
    assert_eq!(origin.asked().len(), 6, "{:?}", origin.paths());
    assert_eq!(world.get("a.test", "/files/a?web=%ff").await.status, 400);
}

#[tokio::test]
async fn headers_of_requests_choose_nothing() {
    let origin = echo().await;
    let world = World::new(&format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\n", origin.url())).await;
    for lines in [
        "X-Forwarded-Host: evil.test\r\n",
        "X-Original-URL: /evil\r\nX-Rewrite-URL: /evil\r\n",
        "X-HTTP-Method-Override: POST\r\n",
        "Accept: text/html\r\n",
        "Cookie: a=b\r\n",
        "Cache-Control: no-cache\r\nPragma: no-cache\r\n",
        "X-Forwarded-Scheme: http\r\n",
    ] {
        let answer = world.ask("any.test", "/x.png", lines).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "/x.png"), "{lines}");
    }
    assert_eq!(origin.asked().len(), 1, "nobody can make the edge ask again");
}

#[tokio::test]
async fn purging_means_what_it_says() {
    let origin = echo().await;
    let world = World::new(&format!(
        "[[site]]\nhosts = [\"a.test\"]\npath = \"/system\"\n[[site.origin]]\nurl = \"{}\"\n",
        origin.url()
    ))
    .await;
    let how = async |path: &str| {
        world.settled().await;
        world.get("a.test", path).await.header("x-cache").to_owned()
    };
    for path in ["/system/a/1", "/system/a/2", "/system/b/1"] {
        assert_eq!(how(path).await, "MISS");
        assert_eq!(how(path).await, "HIT");
    }
    world.edge.purge("https://a.test/system/a/%31", edge::Reach::One).await.unwrap();
    assert_eq!((how("/system/a/1").await, how("/system/a/2").await), ("MISS".into(), "HIT".into()));
    world.edge.purge("https://a.test/system/a/", edge::Reach::Below).await.unwrap();
    assert_eq!(
        (how("/system/a/1").await, how("/system/a/2").await, how("/system/b/1").await),
        ("MISS".into(), "MISS".into(), "HIT".into())
    );
    world.edge.purge("https://a.test/system", edge::Reach::Below).await.unwrap();
    assert_eq!(how("/system/b/1").await, "MISS");
    for url in ["", "a.test", "https://b.test/system/a", "https://a.test/other/a", "https://a.test/system/../x%2f"] {
        assert!(world.edge.purge(url, edge::Reach::One).await.is_err(), "{url}");
    }
}
