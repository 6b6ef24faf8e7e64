//! Which documents are believed.

use crate::server::{Server, answer, document, redirect};
use crate::{fetcher, options, signer};
use federation::fetch::{Error, Fetcher};
use federation::signatures::{Incoming, Ours, parse};
use std::time::Duration;

fn note(id: &str) -> String {
    format!(r#"{{"@context":"https://www.w3.org/ns/activitystreams","id":"{id}","type":"Note","content":"x"}}"#)
}

#[tokio::test]
async fn a_document_is_where_its_id_says() {
    let server = Server::start("127.0.0.1", |asked, base| document(&note(&format!("{base}{}", asked.uri)))).await;
    let url = server.url("/notes/1?x=y");
    let fetched = fetcher().document(&url, None).await.unwrap();
    assert_eq!(fetched.url, url);
    assert_eq!(fetched.value["content"], "x");
    let asked = &server.asked()[0];
    assert_eq!(asked.header("user-agent"), "Noren/0.1 (+https://noren.example/)");
    assert!(asked.header("accept").starts_with("application/activity+json, application/ld+json; profile="));
    assert_eq!(asked.header("host"), server.address.to_string());
    assert_eq!((asked.header("signature"), asked.header("cookie"), asked.header("referer")), ("", "", ""));
}

#[tokio::test]
async fn a_fragment_is_not_sent_and_not_compared() {
    let server = Server::start("127.0.0.1", |_, base| document(&note(&format!("{base}/users/1")))).await;
    let fetched = fetcher().document(&server.url("/users/1#main-key"), None).await.unwrap();
    assert_eq!(fetched.url, server.url("/users/1"));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn every_hop_is_signed_for_itself() {
    let server = Server::start("127.0.0.1", |asked, base| match asked.uri.path() {
        "/@mia" => redirect("/users/1"),
        _ => document(&note(&format!("{base}/users/1"))),
    });
    let server = server.await;
    let fetched = fetcher().document(&server.url("/@mia"), Some(&signer())).await.unwrap();
    assert_eq!(fetched.url, server.url("/users/1"));
    let host = server.address.to_string();
    let key = crate::KEY.public_key().unwrap();
    assert_eq!(server.asked().len(), 2);
    for asked in server.asked() {
        let request = Incoming { method: &asked.method, uri: &asked.uri, headers: &asked.headers, body: &asked.body };
        let signed = parse(&request, &Ours { hosts: &[&host], scheme: "http" }, domain::Time::now()).unwrap();
        assert_eq!(signed.verify(&key), Ok(()), "{}", asked.uri);
        assert_eq!(signed.key_id, "https://noren.example/actor#main-key");
    }
}

#[tokio::test]
async fn nobody_speaks_for_another_server() {
    let honest = Server::start("127.0.0.1", |asked, base| match asked.uri.path() {
        "/notes/1" => document(&note(&format!("{base}/notes/1")).replace("\"x\"", "\"honest\"")),
        _ => answer("404 Not Found", &[], b""),
    })
    .await;
    let (real, unknown) = (format!("{}/notes/1", honest.base()), format!("{}/notes/2", honest.base()));
    let spoofer = Server::start("127.0.0.1", move |asked, _| match asked.uri.path() {
        "/real" => document(&note(&real)),
        "/unknown" => document(&note(&unknown)),
        "/none" => document(r#"{"type":"Note"}"#),
        "/odd" => document(r#"{"id":"javascript:alert(1)","type":"Note"}"#),
        _ => document(&note("http://127.0.0.1:1/notes/1")),
    })
    .await;
    let fetched = fetcher().document(&spoofer.url("/real"), None).await.unwrap();
    assert_eq!((fetched.url.as_str(), &fetched.value["content"]), (honest.url("/notes/1").as_str(), &"honest".into()));
    let error = fetcher().document(&spoofer.url("/unknown"), None).await.unwrap_err();
    assert!(error.is_absent() && !error.is_gone(), "{error}");
    assert!(matches!(fetcher().document(&spoofer.url("/none"), None).await, Err(Error::Origin)));
    assert!(matches!(fetcher().document(&spoofer.url("/odd"), None).await, Err(Error::Forbidden(_))));
    assert!(matches!(fetcher().document(&spoofer.url("/dead"), None).await, Err(Error::Unreachable(_))));
}

#[tokio::test]
async fn an_id_is_followed_once() {
    let server = Server::start("127.0.0.1", |asked, base| match asked.uri.path() {
        "/stub" => document(&note(&format!("{base}/actor"))),
        "/actor" => document(&note(&format!("{base}/actor"))),
        "/a" => document(&note(&format!("{base}/b"))),
        "/b" => document(&note(&format!("{base}/c"))),
        // Redirects to where the id is named, but another server's address was asked for.
        _ => redirect("/b"),
    })
    .await;
    assert_eq!(fetcher().document(&server.url("/stub"), None).await.unwrap().url, server.url("/actor"));
    assert!(matches!(fetcher().document(&server.url("/a"), None).await, Err(Error::Origin)));
    assert!(matches!(fetcher().document(&server.url("/c"), None).await, Err(Error::Origin)));
}

#[tokio::test]
async fn what_is_not_of_activitypub_is_not_read() {
    for kind in ["application/json", "text/html; charset=utf-8", "image/png", "application/ld+json", ""] {
        let server = Server::start("127.0.0.1", move |_, base| {
            answer("200 OK", &[("content-type", kind)], note(&format!("{base}/upload.json")).as_bytes())
        });
        let server = server.await;
        let error = fetcher().document(&server.url("/upload.json"), None).await.unwrap_err();
        assert!(matches!(&error, Error::Type { kind: told, alternate: None } if told == kind), "{kind}: {error}");
        assert!(!error.passes());
    }
}

#[tokio::test]
async fn json_that_is_broken_deep_or_endless() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let wide = format!("[{}0]", "0,".repeat(200_000));
    for body in ["", "{", "nonsense", "\u{feff}{}", deep.as_str(), &"[".repeat(100_000), wide.as_str()] {
        let body = body.to_owned();
        let server = Server::start("127.0.0.1", move |_, _| document(&body)).await;
        assert!(matches!(fetcher().document(&server.url("/1"), None).await, Err(Error::NotJson)));
    }
}

#[tokio::test]
async fn a_page_says_where_its_document_is() {
    let server = Server::start("127.0.0.1", |asked, base| {
        let html = |headers: &[(&str, &str)], body: &str| {
            let headers = [&[("content-type", "text/html; charset=utf-8")], headers].concat();
            answer("200 OK", &headers, body.as_bytes())
        };
        let link = "</users/1>; rel=\"alternate\"; type=\"application/activity+json\"";
        match asked.uri.path() {
            "/header" => html(&[("link", link)], ""),
            "/head" => {
                html(&[], "<head><link rel='alternate' type='application/activity+json' href='/users/1'></head>")
            }
            "/loop" => html(&[("link", &link.replace("/users/1", "/loop"))], ""),
            "/plain" => html(&[], "<p>nothing</p>"),
            _ => document(&note(&format!("{base}/users/1"))),
        }
    })
    .await;
    for path in ["/header", "/head", "/users/1"] {
        let fetched = fetcher().page_or_document(&server.url(path), None).await.unwrap();
        assert_eq!(fetched.url, server.url("/users/1"), "{path}");
    }
    for path in ["/loop", "/plain"] {
        let outcome = fetcher().page_or_document(&server.url(path), None).await;
        assert!(matches!(outcome, Err(Error::Type { .. })), "{path}");
    }
    assert!(server.asked()[0].header("accept").ends_with("text/html;q=0.1"));
    // Asked for a document, a page is none.
    assert!(matches!(fetcher().document(&server.url("/head"), None).await, Err(Error::Type { .. })));
}

#[tokio::test]
async fn our_own_documents_are_not_fetched() {
    let server = Server::start("127.0.0.1", |_, base| document(&note(&format!("{base}/1")))).await;
    let ours = vec![server.address.to_string()];
    let fetcher = Fetcher::new(federation::fetch::Options { ours, ..options() }).unwrap();
    assert!(matches!(fetcher.document(&server.url("/1"), None).await, Err(Error::Ours)));
    let own = server.url("/1").to_string();
    let other = Server::start("127.0.0.1", move |_, _| redirect(&own)).await;
    assert!(matches!(fetcher.document(&other.url("/1"), None).await, Err(Error::Ours)));
    // A dot at the end of a name is no other host.
    let named = vec![format!("localhost:{}", server.address.port())];
    let strict = Fetcher::new(federation::fetch::Options { ours: named, ..options() }).unwrap();
    let dotted = url::Url::parse(&format!("http://localhost.:{}/1", server.address.port())).unwrap();
    assert!(matches!(strict.document(&dotted, None).await, Err(Error::Ours)));
    let payload = federation::signatures::Payload::new("{}");
    let outcome = fetcher.deliver(&server.url("/inbox"), &payload, &signer(), &[]).await;
    assert!(matches!(outcome, Err(Error::Ours)));
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn refusals_say_when_to_come_back() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.uri.path() {
        "/busy" => answer("503 Service Unavailable", &[("retry-after", "30")], b""),
        "/gone" => answer("410 Gone", &[], b""),
        _ => answer("404 Not Found", &[], b"nothing"),
    })
    .await;
    let busy = fetcher().document(&server.url("/busy"), None).await.unwrap_err();
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(30)));
    assert!(busy.passes() && !busy.is_absent());
    let gone = fetcher().document(&server.url("/gone"), None).await.unwrap_err();
    assert!(gone.is_gone() && gone.is_absent() && !gone.passes());
    assert!(fetcher().document(&server.url("/1"), None).await.unwrap_err().is_absent());
}

#[tokio::test]
async fn other_json_and_texts() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.uri.path() {
        "/jrd" => answer("200 OK", &[("content-type", "application/jrd+json; charset=utf-8")], br#"{"subject":"x"}"#),
        "/html" => answer("200 OK", &[("content-type", "text/html")], br#"{"subject":"x"}"#),
        _ => answer("200 OK", &[("content-type", "application/xrd+xml")], "<XRD>\u{e9}</XRD>".as_bytes()),
    })
    .await;
    let accept = "application/jrd+json, application/json";
    assert_eq!(fetcher().json(&server.url("/jrd"), accept).await.unwrap()["subject"], "x");
    assert_eq!(server.asked()[0].header("accept"), accept);
    assert!(matches!(fetcher().json(&server.url("/html"), accept).await, Err(Error::Type { .. })));
    let (url, text) = fetcher().text(&server.url("/xml"), "application/xrd+xml", 100).await.unwrap();
    assert_eq!((url, text.as_str()), (server.url("/xml"), "<XRD>é</XRD>"));
    assert!(matches!(fetcher().text(&server.url("/xml"), "*/*", 5).await, Err(Error::TooLarge)));
}
