//! Deliveries: what is sent, what counts as taken, and which signature a peer understands.

use crate::server::{Asked, Says, Server, answer, redirect};
use crate::{fetcher, signer};
use federation::fetch::Error;
use federation::signatures::{Form, Incoming, Ours, Payload, Refusal, parse};
use std::time::Duration;

const BODY: &str = r#"{"type":"Create","id":"https://noren.example/1"}"#;

fn taken() -> Says {
    answer("202 Accepted", &[], b"")
}

fn verified(asked: &Asked) -> Result<Form, Refusal> {
    let request = Incoming { method: &asked.method, uri: &asked.uri, headers: &asked.headers, body: &asked.body };
    let ours = Ours { hosts: &[asked.header("host")], scheme: "http" };
    let signed = parse(&request, &ours, domain::Time::now())?;
    signed.verify(&crate::KEY.public_key().unwrap())?;
    Ok(signed.form)
}

#[tokio::test]
async fn a_delivery_is_signed_and_whole() {
    let server = Server::start("127.0.0.1", |_, _| taken()).await;
    let extra = [("collection-synchronization", "collectionId=\"x\"".to_owned())];
    let payload = Payload::new(BODY);
    let delivered = fetcher().deliver(&server.url("/users/1/inbox?x=1"), &payload, &signer(), &extra).await.unwrap();
    assert_eq!((delivered.status, delivered.form), (202, Form::Cavage));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.to_string().as_str()), ("POST", "/users/1/inbox?x=1"));
    assert_eq!(asked.body, BODY.as_bytes());
    assert_eq!(asked.header("content-type"), "application/activity+json");
    assert_eq!(asked.header("user-agent"), "Noren/0.1 (+https://noren.example/)");
    assert!(asked.header("digest").starts_with("SHA-256="));
    assert_eq!(asked.header("content-digest"), "");
    assert_eq!(asked.header("collection-synchronization"), "collectionId=\"x\"");
    assert!(asked.header("signature").contains("collection-synchronization"));
    assert_eq!(verified(asked), Ok(Form::Cavage));
}

#[tokio::test]
async fn whoever_knows_only_rfc_9421_is_knocked_at_once() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.header("signature-input") {
        "" => answer("401 Unauthorized", &[], b"no"),
        _ => taken(),
    })
    .await;
    let (fetcher, payload) = (fetcher(), Payload::new(BODY));
    let url = server.url("/inbox");
    for _ in 0..2 {
        assert_eq!(fetcher.deliver(&url, &payload, &signer(), &[]).await.unwrap().form, Form::Rfc9421);
    }
    let forms: Vec<_> = server.asked().iter().map(|asked| verified(asked).unwrap()).collect();
    assert_eq!(forms, [Form::Cavage, Form::Rfc9421, Form::Rfc9421]);
    assert_eq!(fetcher.form(&server.address.to_string()), Some(Form::Rfc9421));
}

#[tokio::test]
async fn a_preference_that_turns_out_wrong_is_forgotten() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.header("signature-input") {
        "" => taken(),
        _ => answer("400 Bad Request", &[], b"No digest"),
    })
    .await;
    let (fetcher, host) = (fetcher(), server.address.to_string());
    fetcher.prefer(&host, Form::Rfc9421);
    for _ in 0..2 {
        let delivered = fetcher.deliver(&server.url("/inbox"), &Payload::new(BODY), &signer(), &[]).await.unwrap();
        assert_eq!(delivered.form, Form::Cavage);
    }
    assert_eq!(server.asked().len(), 3);
    assert_eq!(fetcher.form(&host), Some(Form::Cavage));
}

#[tokio::test]
async fn signed_fetches_knock_too_and_may_leave_the_query_out() {
    let server = Server::start("127.0.0.1", |asked, base| {
        let target = asked.uri.path().to_owned();
        let mut asked = asked.clone();
        let id = format!("{base}{}", asked.uri);
        // Verifies the path alone.
        asked.uri = target.parse().unwrap();
        match verified(&asked) {
            Ok(Form::Cavage) => crate::server::document(&format!(r#"{{"id":"{id}"}}"#)),
            _ => answer("401 Unauthorized", &[], b""),
        }
    })
    .await;
    let fetcher = fetcher();
    assert!(fetcher.document(&server.url("/outbox?page=1"), Some(&signer())).await.is_ok());
    assert!(fetcher.document(&server.url("/outbox?page=2"), Some(&signer())).await.is_ok());
    assert_eq!(server.asked().len(), 3);
    assert_eq!(fetcher.form(&server.address.to_string()), Some(Form::CavagePathOnly));
    // Unsigned, it is refused and not knocked at.
    let error = fetcher.document(&server.url("/outbox?page=3"), None).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 401, .. }) && error.passes());
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn what_is_not_taken() {
    for (status, passes, requests) in [
        ("400 Bad Request", false, 2),
        ("401 Unauthorized", true, 2),
        ("403 Forbidden", false, 2),
        ("404 Not Found", false, 1),
        ("405 Method Not Allowed", false, 1),
        ("406 Not Acceptable", false, 1),
        ("408 Request Timeout", true, 1),
        ("410 Gone", false, 1),
        ("413 Content Too Large", false, 1),
        ("415 Unsupported Media Type", false, 1),
        ("422 Unprocessable Content", false, 1),
        ("429 Too Many Requests", true, 1),
        ("500 Internal Server Error", true, 1),
        ("501 Not Implemented", false, 1),
        ("503 Service Unavailable", true, 1),
    ] {
        let server = Server::start("127.0.0.1", move |_, _| answer(status, &[("retry-after", "5")], b"text")).await;
        let error = fetcher().deliver(&server.url("/inbox"), &Payload::new(BODY), &signer(), &[]).await.unwrap_err();
        assert_eq!((error.passes(), server.asked().len()), (passes, requests), "{status}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
        // All of it on one connection.
        assert_eq!(server.connections(), 1, "{status}");
    }
}

#[tokio::test]
async fn the_first_refusal_is_the_one_that_counts() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.header("signature-input") {
        "" => answer("401 Unauthorized", &[("retry-after", "7")], b"the key cannot be fetched now"),
        _ => answer("400 Bad Request", &[], b"No digest"),
    })
    .await;
    let error = fetcher().deliver(&server.url("/inbox"), &Payload::new(BODY), &signer(), &[]).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 401, .. }) && error.passes(), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_moved_inbox_is_not_followed() {
    let other = Server::start("127.0.0.1", |_, _| taken()).await;
    let to = other.url("/inbox").to_string();
    let server = Server::start("127.0.0.1", move |_, _| redirect(&to)).await;
    let error = fetcher().deliver(&server.url("/inbox"), &Payload::new(BODY), &signer(), &[]).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 302, .. }), "{error}");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn connections_are_used_again_until_they_are_gone() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.uri.path() {
        "/last" => Says::Closing(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec()),
        "/long" => answer("202 Accepted", &[], &[b'x'; 100_000]),
        _ => answer("202 Accepted", &[], b"thank you"),
    })
    .await;
    let (fetcher, payload, signer) = (fetcher(), Payload::new(BODY), signer());
    let deliver = async |path: &str| fetcher.deliver(&server.url(path), &payload, &signer, &[]).await.unwrap();
    for _ in 0..5 {
        deliver("/inbox").await;
    }
    assert_eq!(server.connections(), 1);
    // Hangs up without a word: the next delivery must not notice.
    deliver("/last").await;
    deliver("/inbox").await;
    assert_eq!(server.connections(), 2);
    deliver("/last").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    deliver("/inbox").await;
    // Whoever talks too much loses the connection, not the delivery.
    deliver("/long").await;
    deliver("/inbox").await;
    assert_eq!(server.connections(), 4);
}
