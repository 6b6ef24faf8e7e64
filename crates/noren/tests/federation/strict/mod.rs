//! Servers that are as strict as one program each: what of us any of them would refuse, fails its test.
//!
//! A program is a list of checks of what it is sent, what it is asked and what it gets, in its own file; `story.rs` is what
//! happens to all of them; `checks.rs` has what several demand; `signed.rs` signs and verifies without any code of ours.

mod akkoma;
mod checks;
mod fedify;
mod gotosocial;
mod lemmy;
mod mastodon;
mod mastodon_next;
mod misskey;
mod proof;
mod signed;
mod story;
mod threads;

use crate::peer::{Came, Peer, Somebody};
use axum::response::{IntoResponse, Response};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use signed::{Line, Secret, Signs};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use testkit::{Engine, Person, TestServer};
use url::Url;

/// One program.
pub(crate) struct Software {
    pub(crate) name: &'static str,
    /// The path of its person, and what stands behind it in the name of their key.
    pub(crate) actor: &'static str,
    pub(crate) key: &'static str,
    pub(crate) signs: Signs,
    /// A signature that it turns away without holding it against anybody: the answer to it.
    pub(crate) knock: fn(&Looked<'_>) -> Option<u16>,
    /// What it demands of what is sent to it, of what is asked of it, and of what it gets from us.
    pub(crate) inbox: &'static [Check],
    pub(crate) gate: &'static [Check],
    pub(crate) fetched: &'static [Check],
    /// For whom it takes a post to be.
    pub(crate) visibility: fn(&Value, &Value) -> &'static str,
    /// What stands in its own actors, posts, and likes besides.
    pub(crate) actor_has: fn(&str) -> Value,
    pub(crate) note_has: fn(&str) -> Value,
    pub(crate) like_has: fn(&str) -> Value,
}

/// One demand: the status of the refusal, and whether it is met.
pub(crate) type Check = (u16, Holds);

/// Says what is wrong.
pub(crate) type Holds = fn(&Looked<'_>) -> Result<(), String>;

/// What a check looks at: a request that came to the peer, or an answer that it got to a request of its own.
pub(crate) struct Looked<'a> {
    pub(crate) method: &'a Method,
    /// Path and query of a request; the whole address of an answer.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// The body as JSON.
    pub(crate) value: &'a Value,
    pub(crate) known: &'a Known,
}

/// What a peer knows of the other side.
pub(crate) struct Known {
    /// Its own address, and ours.
    pub(crate) base: String,
    pub(crate) theirs: String,
    /// Keys by their names, as they were when their actors were first looked at. Never asked for again.
    pub(crate) keys: Mutex<HashMap<String, String>>,
    /// Actors of ours by their names.
    pub(crate) actors: Mutex<HashMap<String, Value>>,
}

impl Known {
    pub(crate) fn key(&self, id: &str) -> Option<String> {
        self.keys.lock().unwrap().get(id).cloned()
    }
    pub(crate) fn actor(&self, id: &str) -> Value {
        self.actors.lock().unwrap().get(id).cloned().unwrap_or_default()
    }
}

impl Looked<'_> {
    pub(crate) fn line(&self, target: &'static str) -> Line<'_> {
        let method = if self.method == Method::POST { "post" } else { "get" };
        let target = if target.is_empty() { self.target } else { target };
        Line { method, target, headers: self.headers }
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }
}

/// A running one, with somebody called Eve on it.
pub(crate) struct Strict {
    pub(crate) software: &'static Software,
    pub(crate) server: TestServer,
    pub(crate) peer: Peer,
    pub(crate) eve: Somebody,
    pub(crate) known: Arc<Known>,
    /// Everything that was wrong.
    pub(crate) wrong: Arc<Mutex<Vec<String>>>,
    /// Signatures that were turned away without being wrong.
    pub(crate) turned_away: Arc<Mutex<usize>>,
    client: reqwest::Client,
}

impl Strict {
    pub(crate) async fn start(software: &'static Software, server: &TestServer) -> Self {
        let peer = Peer::start().await;
        let eve = peer.somebody_at("eve", software.actor);
        let known = Arc::new(Known {
            base: peer.base.clone(),
            theirs: server.parts().site.base_url.clone(),
            keys: Mutex::default(),
            actors: Mutex::default(),
        });
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (wrong, turned_away) = Default::default();
        let strict = Self { software, server: server.clone(), peer, eve, known, wrong, turned_away, client };
        let mut more = (software.actor_has)(&strict.eve.uri);
        let pem = strict.eve.key.public_pem();
        more["publicKey"] = serde_json::json!({ "id": strict.key_id(), "owner": strict.eve.uri, "publicKeyPem": pem });
        strict.peer.shows(&strict.eve, "eve", more);
        strict.keeps_its_key_apart();
        strict.judge();
        strict
    }

    /// What has no fragment is a document of its own, with no more in it than it must have.
    fn keeps_its_key_apart(&self) {
        if self.software.key.starts_with('#') {
            return;
        }
        let (uri, pem) = (&self.eve.uri, self.eve.key.public_pem());
        let stub = serde_json::json!({
            "@context": ["https://w3id.org/security/v1", "https://www.w3.org/ns/activitystreams"],
            "id": uri, "type": "Person", "preferredUsername": "eve",
            "publicKey": { "id": self.key_id(), "owner": uri, "publicKeyPem": pem },
        });
        self.peer.put(&format!("{}{}", self.software.actor, self.software.key), stub);
    }

    /// From now on everything that comes is looked at.
    fn judge(&self) {
        let (software, known) = (self.software, self.known.clone());
        let (wrong, turned_away) = (self.wrong.clone(), self.turned_away.clone());
        let judge = move |came: &Came| {
            let value = serde_json::from_slice(&came.body).unwrap_or_default();
            let Came { method, target, headers, body } = came;
            let looked = Looked { method, target, headers, body, value: &value, known: &known };
            let is_open = target.starts_with("/.well-known/");
            if !is_open && let Some(status) = (software.knock)(&looked) {
                *turned_away.lock().unwrap() += 1;
                return Some(refusal(status));
            }
            let checks = match method {
                &Method::POST => software.inbox,
                _ if is_open => &[],
                _ => software.gate,
            };
            let (status, why) = failure(checks, &looked)?;
            wrong.lock().unwrap().push(format!("{method} {target} {}: {why}", looked.text("type")));
            Some(StatusCode::from_u16(status).unwrap().into_response())
        };
        assert!(self.peer.judge.set(Box::new(judge)).is_ok());
    }

    pub(crate) fn key_id(&self) -> String {
        format!("{}{}", self.eve.uri, self.software.key)
    }

    /// Asks us for something, signed as this program does it; what comes is looked at. Its status and JSON.
    pub(crate) async fn ask(&self, url: &str) -> (u16, Value) {
        let signs = self.software.signs;
        let pem = self.eve.key.private_pem().unwrap();
        let at = Url::parse(url).unwrap();
        let headers = signed::sign(signs, ("get", &at, None), (&self.key_id(), &Secret::Rsa(&pem)));
        let (status, headers, body) = self.get(at, headers).await;
        let value = serde_json::from_slice(&body).unwrap_or_default();
        if status == 200 {
            let known = &*self.known;
            let looked =
                Looked { method: &Method::GET, target: url, headers: &headers, body: &body, value: &value, known };
            if let Some((_, why)) = failure(self.software.fetched, &looked) {
                self.wrong.lock().unwrap().push(format!("the answer at {url}: {why}"));
            }
        }
        (status, value)
    }

    /// Looks at an actor of ours and remembers it for good.
    pub(crate) async fn learn(&self, uri: &str) -> Value {
        let (status, actor) = self.ask(uri).await;
        assert_eq!(status, 200, "{uri}");
        let key = (actor["publicKey"]["id"].as_str().unwrap(), actor["publicKey"]["publicKeyPem"].as_str().unwrap());
        self.known.keys.lock().unwrap().insert(key.0.to_owned(), key.1.to_owned());
        self.known.actors.lock().unwrap().insert(uri.to_owned(), actor.clone());
        actor
    }

    pub(crate) async fn get(&self, url: Url, headers: HeaderMap) -> (u16, HeaderMap, Vec<u8>) {
        let answer = self.client.get(url).headers(headers).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.bytes().await.unwrap().to_vec())
    }

    /// Sends us something, signed as `signs` says. The status of the answer, and its headers.
    pub(crate) async fn post_as(
        &self,
        signs: Signs,
        (key_id, secret): (&str, &Secret<'_>),
        value: &Value,
    ) -> (u16, HeaderMap) {
        let url = Url::parse(&format!("{}/inbox", self.known.theirs)).unwrap();
        let body = value.to_string().into_bytes();
        let headers = signed::sign(signs, ("post", &url, Some(&body)), (key_id, secret));
        let answer = self.client.post(url).headers(headers).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.headers().clone())
    }

    /// Sends us something as this program does it; must be taken at once.
    pub(crate) async fn send(&self, value: &Value) {
        let pem = self.eve.key.private_pem().unwrap();
        let (status, _) = self.post_as(self.software.signs, (&self.key_id(), &Secret::Rsa(&pem)), value).await;
        assert_eq!(status, 202, "{}: {value}", self.software.name);
        self.server.settle().await;
    }

    /// The first thing of this kind that came about an object with these words in it.
    pub(crate) fn got(&self, kind: &str, words: &str) -> Value {
        let received = self.peer.received.lock().unwrap();
        let found = received.iter().find(|a| a["type"] == kind && a["object"].to_string().contains(words));
        let wrong = self.wrong.lock().unwrap();
        let all: Vec<String> = received.iter().map(Value::to_string).collect();
        found.cloned().unwrap_or_else(|| {
            panic!("{}: no {kind} with {words}; refused: {wrong:#?}; taken: {all:#?}", self.software.name)
        })
    }

    /// Nothing was wrong.
    pub(crate) fn content(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} would refuse this:\n{}", self.software.name, wrong.join("\n"));
    }
}

fn failure(checks: &[Check], looked: &Looked<'_>) -> Option<(u16, String)> {
    checks.iter().find_map(|(status, holds)| holds(looked).err().map(|why| (*status, why)))
}

/// Says how it wants to be spoken to, where that is asked.
fn refusal(status: u16) -> Response {
    let how = "sig1=(\"@method\" \"@target-uri\" \"content-digest\");created";
    (StatusCode::from_u16(status).unwrap(), [("accept-signature", how)]).into_response()
}

/// Runs the story of a program and then what only it does.
pub(crate) async fn with(engine: Engine, software: &'static Software, more: impl AsyncFnOnce(&Strict, &Person)) {
    let Some(server) = TestServer::start_reachable(engine).await else { return };
    let bob = server.person("bob").await;
    let strict = Strict::start(software, &server).await;
    story::all(&strict, &bob).await;
    strict.content();
    more(&strict, &bob).await;
    strict.content();
    server.finish().await;
}

/// Makes of a function two tests, one on each engine: a program, and what is told of it after the story of all.
macro_rules! strict {
    ($software:ident, async fn $name:ident($strict:ident, $bob:ident) $body:block) => {
        async fn $name($strict: &$crate::strict::Strict, $bob: &testkit::Person) $body

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn sqlite() {
            $crate::strict::with(testkit::Engine::Sqlite, &$software, $name).await;
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            $crate::strict::with(testkit::Engine::Postgres, &$software, $name).await;
        }
    };
}

pub(crate) use strict;
