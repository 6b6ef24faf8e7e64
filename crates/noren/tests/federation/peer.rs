//! A server that does what it is told: right, wrong and evil.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use federation::documents;
use federation::signatures::{Form, KeyPair, Outgoing, Payload, Signer};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use testkit::{Keys, Person, TestServer};
use url::Url;

#[derive(Clone)]
pub(crate) struct Peer {
    /// `http://localhost:PORT`
    pub(crate) base: String,
    documents: Arc<Mutex<HashMap<String, Value>>>,
    files: Arc<Mutex<HashMap<String, File>>>,
    /// What was sent to its inboxes.
    pub(crate) received: Arc<Mutex<Vec<Value>>>,
    /// What came with each of that as `Collection-Synchronization`, or nothing.
    pub(crate) claims: Arc<Mutex<Vec<String>>>,
    /// The heads of the requests that brought it.
    pub(crate) heads: Arc<Mutex<Vec<HeaderMap>>>,
    /// What its inboxes answer, if not 202, and how many seconds they want to be left in peace.
    pub(crate) refuses: Arc<Mutex<HashMap<String, (u16, u32)>>>,
    /// What it was asked for.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// Looks at everything first.
    pub(crate) judge: Arc<OnceLock<Judge>>,
    client: reqwest::Client,
    /// Lent to those on it and to whoever pretends to be.
    pub(crate) keys: Arc<Keys>,
}

/// A request as it came.
pub(crate) struct Came {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Whether a request is let in: the answer to one that is not.
pub(crate) type Judge = Box<dyn Fn(&Came) -> Option<Response> + Send + Sync>;

/// What is served at an address besides documents.
#[derive(Clone)]
pub(crate) enum File {
    /// Its type and its bytes.
    Plain(&'static str, Vec<u8>),
    /// The same without saying how long it is.
    Unmeasured(&'static str, Vec<u8>),
    /// The same, but it says that there are more.
    Short(&'static str, Vec<u8>),
    /// It begins so, and never ends.
    Endless(&'static str, Vec<u8>),
    /// The same, a byte each second.
    Drip(&'static str, Vec<u8>),
    /// All of it comes, but not before this time.
    Late(&'static str, Vec<u8>, std::time::Duration),
    /// Nothing comes after the head for this long.
    Silent(&'static str, std::time::Duration),
    Redirect(String),
    Status(u16),
}

impl File {
    fn answer(self) -> Response {
        let stream = |pieces: Vec<Vec<u8>>| {
            let pieces = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
            axum::body::Body::from_stream(pieces)
        };
        match self {
            File::Plain(kind, bytes) => ([("content-type", kind)], bytes).into_response(),
            File::Unmeasured(kind, bytes) => ([("content-type", kind)], stream(vec![bytes])).into_response(),
            File::Short(kind, bytes) => {
                let length = (bytes.len() + 1000).to_string();
                ([("content-type", kind), ("content-length", &length)], stream(vec![bytes])).into_response()
            }
            File::Endless(kind, bytes) => {
                let more = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 64 * 1024]));
                let all = futures_util::StreamExt::chain(futures_util::stream::iter([Ok(bytes)]), more);
                ([("content-type", kind)], axum::body::Body::from_stream(all)).into_response()
            }
            File::Drip(kind, bytes) => {
                let slow = futures_util::stream::unfold(bytes.into_iter(), |mut bytes| async move {
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    bytes.next().map(|byte| (Ok::<_, std::io::Error>(vec![byte]), bytes))
                });
                ([("content-type", kind)], axum::body::Body::from_stream(slow)).into_response()
            }
            File::Late(kind, bytes, time) => {
                let late = futures_util::stream::once(async move {
                    tokio::time::sleep(time).await;
                    Ok::<_, std::io::Error>(bytes)
                });
                ([("content-type", kind)], axum::body::Body::from_stream(late)).into_response()
            }
            File::Silent(kind, time) => {
                let late = futures_util::stream::once(async move {
                    tokio::time::sleep(time).await;
                    Ok::<_, std::io::Error>(vec![0_u8; 1])
                });
                ([("content-type", kind)], axum::body::Body::from_stream(late)).into_response()
            }
            File::Redirect(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
            File::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        }
    }
}

/// Somebody on it.
#[derive(Clone)]
pub(crate) struct Somebody {
    pub(crate) uri: String,
    pub(crate) key: Arc<KeyPair>,
}

/// A request, signed and ready to be sent as often as one likes.
pub(crate) struct Signed {
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let client = reqwest::Client::new();
        let (documents, files, received, claims, heads, refuses) = Default::default();
        let (asked, judge, keys) = Default::default();
        let peer = Self { base, documents, files, received, claims, heads, refuses, asked, judge, client, keys };
        let router = Router::new().fallback(answer).with_state(peer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        peer
    }

    /// The same, as if it were at another address.
    pub(crate) fn called(&self, base: String) -> Self {
        Self { base, ..self.clone() }
    }

    /// Serves `value` at `path` from now on; a number is the status of an empty answer.
    pub(crate) fn put(&self, path: &str, value: Value) {
        self.documents.lock().unwrap().insert(path.to_owned(), value);
    }

    /// Serves nothing there any more.
    pub(crate) fn remove(&self, path: &str) {
        self.documents.lock().unwrap().remove(path);
    }

    /// Serves a file at `path` from now on. Its address.
    pub(crate) fn file(&self, path: &str, file: File) -> String {
        self.files.lock().unwrap().insert(path.to_owned(), file);
        format!("{}{path}", self.base)
    }

    /// How often `path` was asked for.
    pub(crate) fn hits(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    pub(crate) fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Somebody with a key, an actor and a handle.
    pub(crate) fn somebody(&self, name: &str) -> Somebody {
        self.somebody_at(name, &format!("/users/{name}"))
    }

    /// Somebody whose actor is at another path than most.
    pub(crate) fn somebody_at(&self, name: &str, path: &str) -> Somebody {
        let who = Somebody { uri: format!("{}{path}", self.base), key: self.keys.another() };
        self.put(path, self.actor(name, &who));
        self.put(
            &format!(
                "/.well-known/webfinger?resource=acct%3A{name}%40localhost%3A{}",
                self.host().trim_start_matches("localhost:")
            ),
            json!({
                "subject": format!("acct:{name}@{}", self.host()),
                "links": [{ "rel": "self", "type": "application/activity+json", "href": who.uri }],
            }),
        );
        who
    }

    pub(crate) fn actor(&self, name: &str, who: &Somebody) -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": who.uri, "type": "Person", "preferredUsername": name, "name": name,
            "inbox": format!("{}/inbox", who.uri), "outbox": format!("{}/outbox", who.uri),
            "followers": format!("{}/followers", who.uri),
            "endpoints": { "sharedInbox": format!("{}/inbox", self.base) },
            "publicKey": {
                "id": format!("{}#main-key", who.uri), "owner": who.uri, "publicKeyPem": who.key.public_pem(),
            },
        })
    }

    /// `who` shows these properties too from now on.
    pub(crate) fn shows(&self, who: &Somebody, name: &str, more: Value) {
        let mut actor = self.actor(name, who);
        actor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.put(who.uri.strip_prefix(&self.base).unwrap(), actor);
    }

    /// What the activities of this type that came were about: of an inner activity, what that is about.
    pub(crate) fn told(&self, verb: &str) -> Vec<String> {
        let object = |a: &Value| match &a["object"] {
            Value::String(uri) => uri.clone(),
            inner => inner["object"].as_str().or(inner["id"].as_str()).unwrap_or_default().to_owned(),
        };
        self.received.lock().unwrap().iter().filter(|a| a["type"] == verb).map(object).collect()
    }

    /// The last activity of this type that came.
    pub(crate) fn last(&self, verb: &str) -> Value {
        self.received.lock().unwrap().iter().rev().find(|a| a["type"] == verb).cloned().unwrap_or_default()
    }

    /// A public note by somebody, addressed to `cc` too.
    pub(crate) fn note(&self, who: &Somebody, (name, content): (&str, &str), cc: &[&str]) -> Value {
        let cc: Vec<String> =
            cc.iter().map(|uri| (*uri).to_owned()).chain([format!("{}/followers", who.uri)]).collect();
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{}/notes/{name}", self.base), "type": "Note", "attributedTo": who.uri, "content": content,
            "published": jiff::Timestamp::now().to_string(),
            "to": [documents::PUBLIC], "cc": cc,
        })
    }

    /// Something that somebody does.
    pub(crate) fn activity(&self, who: &Somebody, (verb, name): (&str, &str), object: Value) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{}/activities/{name}", self.base), "type": verb, "actor": who.uri, "object": object,
            "to": [documents::PUBLIC],
        })
    }

    /// `body` with the signature of `who`.
    pub(crate) fn sign(&self, who: &Somebody, to: &TestServer, body: &Value) -> Signed {
        self.sign_with(who, to, (body, &[]))
    }

    /// The same with other headers besides.
    pub(crate) fn sign_with(
        &self,
        who: &Somebody,
        to: &TestServer,
        what: (&Value, &[(&'static str, String)]),
    ) -> Signed {
        let url = Url::parse(&format!("{}/inbox", to.parts().site.base_url)).unwrap();
        self.sign_to(who, url, what)
    }

    /// The same to any address.
    pub(crate) fn sign_to(
        &self,
        who: &Somebody,
        url: Url,
        (body, extra): (&Value, &[(&'static str, String)]),
    ) -> Signed {
        let signer = Signer::new(format!("{}#main-key", who.uri), who.key.clone());
        self.sign_by(&signer, url, (body, extra))
    }

    /// The same with a key of any name.
    pub(crate) fn sign_by(
        &self,
        signer: &Signer,
        url: Url,
        (body, extra): (&Value, &[(&'static str, String)]),
    ) -> Signed {
        let body = body.to_string().into_bytes();
        let payload = Payload::new(body.clone());
        let request = Outgoing { method: &Method::POST, url: &url, payload: Some(&payload), extra };
        let headers = signer.sign(Form::Cavage, &request, domain::Time::now()).unwrap();
        Signed { url, headers, body }
    }

    /// Asks for a document with the signature of `who`: status and headers of the answer, and the document.
    pub(crate) async fn get(&self, who: &Somebody, url: &str) -> (u16, HeaderMap, Value) {
        let url = Url::parse(url).unwrap();
        let signer = Signer::new(format!("{}#main-key", who.uri), who.key.clone());
        let request = Outgoing { method: &Method::GET, url: &url, payload: None, extra: &[] };
        let headers = signer.sign(Form::Cavage, &request, domain::Time::now()).unwrap();
        let asked = self.client.get(url).headers(headers).header("accept", "application/activity+json");
        let answer = asked.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.json().await.unwrap_or_default())
    }

    /// Sends what was signed, as it is or changed. The status of the answer.
    pub(crate) async fn post(&self, request: &Signed, change: impl FnOnce(&mut HeaderMap, &mut Vec<u8>)) -> u16 {
        let (mut headers, mut body) = (request.headers.clone(), request.body.clone());
        change(&mut headers, &mut body);
        let answer = self.client.post(request.url.clone()).headers(headers).body(body).send().await.unwrap();
        answer.status().as_u16()
    }

    /// Signs and sends; must be taken.
    pub(crate) async fn send(&self, who: &Somebody, to: &TestServer, body: &Value) {
        let signed = self.sign(who, to, body);
        assert_eq!(self.post(&signed, |_, _| {}).await, 202, "{body}");
        to.settle().await;
    }
}

async fn answer(State(peer): State<Peer>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().as_str().to_owned();
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let (method, headers) = (parts.method, parts.headers);
    let came = Came { method, target: path.clone(), headers, body };
    if let Some(refusal) = peer.judge.get().and_then(|judge| judge(&came)) {
        return refusal;
    }
    let Came { method, headers, body, .. } = came;
    if method == Method::POST {
        let claim = headers.get("collection-synchronization").map(|value| value.to_str().unwrap().to_owned());
        peer.claims.lock().unwrap().push(claim.unwrap_or_default());
        peer.heads.lock().unwrap().push(headers.clone());
        peer.received.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        let refused = peer.refuses.lock().unwrap().get(&path).copied();
        let Some((status, wait)) = refused else { return StatusCode::ACCEPTED.into_response() };
        return (StatusCode::from_u16(status).unwrap(), [("retry-after", wait.to_string())]).into_response();
    }
    peer.asked.lock().unwrap().push(path.clone());
    if let Some(file) = peer.files.lock().unwrap().get(&path).cloned() {
        return file.answer();
    }
    let found = peer.documents.lock().unwrap().get(&path).cloned();
    let kind = if path.contains("webfinger") { "application/jrd+json" } else { "application/activity+json" };
    match found {
        Some(Value::Number(status)) => StatusCode::from_u16(status.as_u64().unwrap() as u16).unwrap().into_response(),
        Some(value) => ([("content-type", kind)], value.to_string()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Bob follows `who`, who has agreed. What they are known as to bob.
pub(crate) async fn followed(server: &TestServer, peer: &Peer, bob: &Person, (who, name): (&Somebody, &str)) -> String {
    let there = crate::find(bob, &format!("{name}@{}", peer.host())).await;
    let there = crate::id(&there).to_owned();
    bob.post(&format!("/api/v1/accounts/{there}/follow"), ()).await.ok();
    server.settle().await;
    let asked = peer.last("Follow");
    assert_eq!(asked["object"], who.uri);
    peer.send(who, server, &peer.activity(who, ("Accept", &format!("accept-{name}")), asked)).await;
    assert_eq!(crate::relationship(bob, &there).await["following"], true);
    there
}

/// The name of somebody here among servers.
pub(crate) fn local_uri(server: &TestServer, who: &Person) -> String {
    server.parts().site.actor_uri(&who.username)
}

/// Makes of each function two tests, one on each engine: a server, a peer of it, and Bob on the server.
macro_rules! with_a_peer {
    ($($(#[$meta:meta])* async fn $name:ident($server:ident, $peer:ident, $bob:ident) $body:block)+) => { $(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body(engine: testkit::Engine) {
                let Some($server) = testkit::TestServer::start_reachable(engine).await else { return };
                let $peer = $crate::peer::Peer::start().await;
                let $bob = $server.person("bob").await;
                $body
                $server.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(testkit::Engine::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(testkit::Engine::Postgres).await;
            }
        }
    )+ };
}

pub(crate) use with_a_peer;
