//! Addresses that nobody may make us ask.

use crate::server::{Server, answer, document, redirect};
use crate::{options, signer};
use federation::fetch::{Ask, Error, Fetcher, Options, Private, Resolve, Resolving, Scope};
use federation::signatures::Payload;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use url::Url;

/// A resolver that says for each name what it was told to: one answer after the other, the last one for ever.
#[derive(Default)]
struct Told {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Told {
    fn new(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        let names = names.iter().map(|(name, lists)| ((*name).to_owned(), lists.iter().map(parse).collect()));
        Arc::new(Self { answers: Mutex::new(names.collect()), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Told {
    fn resolve(&self, host: &str) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let found = answers.get_mut(host).map(|lists| if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() });
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

/// May ask 127.0.0.2 besides the public internet.
fn fetcher(resolver: Arc<dyn Resolve>) -> Fetcher {
    let these: Vec<IpAddr> = vec!["127.0.0.2".parse().unwrap()];
    Fetcher::new(Options { private: Private::These(these.into()), resolver, ..options() }).unwrap()
}

fn named(server: &Server, name: &str, path: &str) -> Url {
    Url::parse(&format!("http://{name}:{}{path}", server.address.port())).unwrap()
}

#[tokio::test]
async fn names_of_private_addresses() {
    let secret = Server::start("127.0.0.1", |_, base| document(&format!(r#"{{"id":"{base}/1"}}"#))).await;
    let lists: &[&[&str]] = &[
        &["127.0.0.1"],
        &["10.0.0.1", "192.168.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["fd00::1"],
        &["0.0.0.0"],
    ];
    for list in lists {
        let fetcher = fetcher(Told::new(&[("evil.example", &[list])]));
        let outcome = fetcher.document(&named(&secret, "evil.example", "/1"), None).await;
        assert!(matches!(outcome, Err(Error::Forbidden(_))), "{list:?}: {outcome:?}");
    }
    assert_eq!(secret.connections(), 0);
    let fetcher = fetcher(Told::new(&[("empty.example", &[&[]])]));
    for name in ["empty.example", "unknown.example"] {
        let outcome = fetcher.document(&named(&secret, name, "/1"), None).await;
        assert!(matches!(outcome, Err(Error::Unresolved(_))), "{name}");
    }
}

#[tokio::test]
async fn literals_do_not_ask_the_resolver() {
    let secret = Server::start("127.0.0.1", |_, _| answer("200 OK", &[], b"secret")).await;
    let told = Told::new(&[]);
    let fetcher = fetcher(told.clone());
    let port = secret.address.port();
    for host in ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0"] {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let web = Ask { scope: Scope::Web, ..Ask::web(&url, "*/*", options().document) };
        assert!(matches!(fetcher.open(&web).await, Err(Error::Forbidden(_))), "{host}");
    }
    assert_eq!((secret.connections(), told.asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn everybody_is_not_asked() {
    let w3 = Server::start("127.0.0.2", |_, _| document("{}")).await;
    let told = Told::new(&[("www.w3.org", &[&["127.0.0.2"]]), ("good.example", &[&["127.0.0.2"]])]);
    let fetcher = fetcher(told.clone());
    let everybody = named(&w3, "www.w3.org", "/ns/activitystreams#Public");
    let outcome = fetcher.document(&everybody, None).await;
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
    let payload = Payload::new(b"{}".to_vec());
    let outcome = fetcher.deliver(&everybody, &payload, &signer(), &[]).await;
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
    assert_eq!((w3.connections(), told.asked.load(Ordering::SeqCst)), (0, 0));
    // Nor is anybody led there.
    let door = Server::start("127.0.0.2", move |_, _| redirect(everybody.as_str())).await;
    let outcome = fetcher.document(&named(&door, "good.example", "/1"), None).await;
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
    assert_eq!((door.asked().len(), w3.connections()), (1, 0));
}

#[tokio::test]
async fn redirects_to_private_addresses() {
    let secret = Server::start("127.0.0.1", |_, base| document(&format!(r#"{{"id":"{base}/1"}}"#))).await;
    let port = secret.address.port();
    let told = Told::new(&[("good.example", &[&["127.0.0.2"]]), ("evil.example", &[&["127.0.0.1"]])]);
    for to in [
        format!("http://127.0.0.1:{port}/1"),
        format!("http://2130706433:{port}/1"),
        format!("http://[::ffff:7f00:1]:{port}/1"),
        format!("http://evil.example:{port}/1"),
        format!("//127.0.0.1:{port}/1"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/_FLUSHALL".to_owned(),
        format!("http://user@good.example:{port}/"),
    ] {
        let location = to.clone();
        let door = Server::start("127.0.0.2", move |_, _| redirect(&location)).await;
        let outcome = fetcher(told.clone()).document(&named(&door, "good.example", "/1"), None).await;
        assert!(matches!(outcome, Err(Error::Forbidden(_))), "{to}: {outcome:?}");
        assert_eq!(door.asked().len(), 1, "{to}");
    }
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn ids_that_lead_to_private_addresses() {
    let secret = Server::start("127.0.0.1", |_, base| document(&format!(r#"{{"id":"{base}/1"}}"#))).await;
    let id = secret.url("/1");
    let door = Server::start("127.0.0.2", move |_, _| document(&format!(r#"{{"id":"{id}"}}"#))).await;
    let told = Told::new(&[("good.example", &[&["127.0.0.2"]])]);
    let outcome = fetcher(told).document(&named(&door, "good.example", "/1"), None).await;
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_answer() {
    let secret = Server::start("127.0.0.1", |_, _| answer("200 OK", &[], b"secret")).await;
    let door = Server::start("127.0.0.2", |asked, _| {
        let id = format!("http://{}{}", asked.header("host"), asked.uri);
        answer(
            "200 OK",
            &[("content-type", "application/activity+json"), ("connection", "close")],
            format!(r#"{{"id":"{id}"}}"#).as_bytes(),
        )
    })
    .await;
    // First the address that may be asked, then the one that may not: what was checked is what is connected to.
    let told = Told::new(&[("rebind.example", &[&["127.0.0.2"], &["127.0.0.1"]])]);
    let fetcher = fetcher(told.clone());
    let url = named(&door, "rebind.example", "/1");
    assert_eq!(fetcher.document(&url, None).await.unwrap().url, url);
    assert_eq!(told.asked.load(Ordering::SeqCst), 1);
    assert!(matches!(fetcher.document(&url, None).await, Err(Error::Forbidden(_))));
    assert_eq!(secret.connections(), 0);
    // Mixed answers: the private one is left out.
    let mixed = Told::new(&[("mixed.example", &[&["127.0.0.1", "::1", "127.0.0.2"]])]);
    let url = named(&door, "mixed.example", "/1");
    assert!(self::fetcher(mixed).document(&url, None).await.is_ok());
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn nothing_private_by_default() {
    let secret = Server::start("127.0.0.1", |_, _| answer("200 OK", &[], b"secret")).await;
    let told = Told::new(&[("evil.example", &[&["127.0.0.1"]])]);
    let options = Options { private: Private::Refused, resolver: told.clone(), ..options() };
    let fetcher = Fetcher::new(options).unwrap();
    let port = secret.address.port();
    for url in [
        "https://evil.example/".to_owned(),
        "http://evil.example/".to_owned(),
        format!("https://evil.example:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "https://localhost/".to_owned(),
        "https://intranet/".to_owned(),
    ] {
        let outcome = fetcher.document(&Url::parse(&url).unwrap(), None).await;
        assert!(matches!(outcome, Err(Error::Forbidden(_))), "{url}: {outcome:?}");
    }
    assert_eq!((secret.connections(), told.asked.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn the_family_that_answers_is_found() {
    let server = Server::start("127.0.0.2", |asked, _| {
        document(&format!(r#"{{"id":"http://{}{}"}}"#, asked.header("host"), asked.uri))
    })
    .await;
    // Nothing listens at the first.
    let these: Vec<IpAddr> = vec!["127.0.0.2".parse().unwrap(), "::1".parse().unwrap()];
    let resolver = Told::new(&[("dual.example", &[&["::1", "127.0.0.2"]])]);
    let options = Options { private: Private::These(these.into()), resolver, ..options() };
    let start = std::time::Instant::now();
    let url = named(&server, "dual.example", "/1");
    assert!(Fetcher::new(options).unwrap().document(&url, None).await.is_ok());
    assert!(start.elapsed() < std::time::Duration::from_millis(1000), "{:?}", start.elapsed());
}

/// Also where the other family is refused, and with an address in the place of a name.
#[tokio::test]
async fn ipv6_alone_is_enough() {
    if std::net::TcpListener::bind(("::1", 0)).is_err() {
        return;
    }
    let server = Server::start("::1", |asked, _| {
        document(&format!(r#"{{"id":"http://{}{}"}}"#, asked.header("host"), asked.uri))
    })
    .await;
    let these: Vec<IpAddr> = vec!["127.0.0.2".parse().unwrap(), "::1".parse().unwrap()];
    let told: &[(&'static str, &[&[&str]])] =
        &[("six.example", &[&["::1"]]), ("dual.example", &[&["127.0.0.2", "::1"]])];
    let options = Options { private: Private::These(these.into()), resolver: Told::new(told), ..options() };
    let fetcher = Fetcher::new(options).unwrap();
    for name in ["six.example", "dual.example", "dual.example", "[::1]"] {
        let url = named(&server, name, "/1");
        assert_eq!(fetcher.document(&url, None).await.unwrap().url, url, "{name}");
    }
    let reached = fetcher.reach(&named(&server, "six.example", "/")).await.unwrap();
    assert!(reached.len() == 1 && reached[0].outcome.is_ok(), "{reached:?}");
}

#[tokio::test]
async fn who_can_be_reached_and_why_not() {
    let server = Server::start("127.0.0.2", |_, _| answer("200 OK", &[], b"")).await;
    let told = Told::new(&[("dual.example", &[&["10.0.0.1", "127.0.0.2", "::1"]])]);
    let fetcher = fetcher(told);
    let reached = fetcher.reach(&named(&server, "dual.example", "/")).await.unwrap();
    let outcomes: Vec<_> = reached.iter().map(|one| (one.address.to_string(), one.outcome.is_ok())).collect();
    assert_eq!(outcomes, [("10.0.0.1".into(), false), ("127.0.0.2".into(), true), ("::1".into(), false)]);
    assert!(matches!(&reached[0].outcome, Err(Error::Forbidden(_))));
    assert!(matches!(fetcher.reach(&named(&server, "unknown.example", "/")).await, Err(Error::Unresolved(_))));
    assert_eq!(server.asked().len(), 0);
}
