//! Who lives there, and what they sign.

use anyhow::Context as _;
use domain::Time;
use federation::signatures::{Form, KeyPair, Outgoing, Payload, Signer};
use hyper::Method;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use url::Url;

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
const WORDS: &str = "Today the boat came back late, and the fish was sold before the lamps were lit on the quay.";

/// All hosts and their actors: actor N lives on host N modulo their number.
pub(super) struct World {
    hosts: u32,
    port: u16,
    key: Arc<KeyPair>,
    inbox: Url,
    said: AtomicUsize,
}

impl World {
    pub(super) fn new(noren: &str, hosts: u32, port: u16) -> anyhow::Result<Self> {
        anyhow::ensure!((1..=60_000).contains(&hosts), "1 to 60000 hosts");
        let inbox = Url::parse(noren).and_then(|url| url.join("/inbox")).context("--noren is no URL")?;
        let key = Arc::new(KeyPair::generate().context("no key")?);
        Ok(Self { hosts, port, key, inbox, said: AtomicUsize::new(0) })
    }

    /// Where Noren takes what is sent.
    pub(super) fn inbox(&self) -> &Url {
        &self.inbox
    }

    pub(super) fn host(&self, number: usize) -> String {
        let place = u32::try_from(number).unwrap_or(0) % self.hosts;
        let first = u32::from(Ipv4Addr::new(127, 0, 1, 1));
        format!("{}:{}", Ipv4Addr::from(first + place), self.port)
    }

    fn id(&self, number: usize) -> String {
        format!("http://{}/users/a{number}", self.host(number))
    }

    pub(super) fn acct(&self, number: usize) -> String {
        format!("a{number}@{}", self.host(number))
    }

    /// The answer of WebFinger.
    pub(super) fn finger(&self, resource: &str) -> Option<Value> {
        let acct = resource.strip_prefix("acct:").unwrap_or(resource);
        let number = acct.split_once('@')?.0.strip_prefix('a')?.parse().ok()?;
        let link = json!({"rel": "self", "type": "application/activity+json", "href": self.id(number)});
        (acct == self.acct(number)).then(|| json!({"subject": format!("acct:{acct}"), "links": [link]}))
    }

    /// The actor of this name, if it lives on `host`. It has no shared inbox: each delivery is one of its own.
    pub(super) fn document(&self, host: &str, name: &str) -> Option<Value> {
        let number: usize = name.parse().ok()?;
        let id = self.id(number);
        (self.host(number) == host).then(|| {
            json!({
                "@context": [CONTEXT, "https://w3id.org/security/v1"],
                "id": id, "type": "Person", "preferredUsername": format!("a{number}"), "name": format!("Actor {number}"),
                "inbox": format!("{id}/inbox"), "outbox": format!("{id}/outbox"), "followers": format!("{id}/followers"),
                "publicKey": {"id": format!("{id}#main-key"), "owner": id, "publicKeyPem": self.key.public_pem()},
            })
        })
    }

    /// A signed request by which actor `number` follows `target`.
    pub(super) fn follow(&self, number: usize, target: &str) -> anyhow::Result<Vec<u8>> {
        let id = self.id(number);
        let activity = json!({"@context": CONTEXT, "id": format!("{id}/follows/1"), "type": "Follow", "actor": id, "object": target});
        self.signed(number, &activity)
    }

    /// A signed request by which actor `number` says something new in public.
    pub(super) fn create(&self, number: usize) -> anyhow::Result<Vec<u8>> {
        let (id, turn) = (self.id(number), self.said.fetch_add(1, Ordering::Relaxed));
        let (note, followers) = (format!("{id}/notes/{turn}"), format!("{id}/followers"));
        let now = Time::now().iso();
        let activity = json!({
            "@context": [CONTEXT, {"sensitive": "as:sensitive"}],
            "id": format!("{note}/activity"), "type": "Create", "actor": id, "published": now, "to": [PUBLIC], "cc": [followers],
            "object": {
                "id": note, "type": "Note", "attributedTo": id, "published": now, "to": [PUBLIC], "cc": [followers],
                "url": note, "sensitive": false, "content": format!("<p>{WORDS} ({turn})</p>"), "tag": [], "attachment": [],
            },
        });
        self.signed(number, &activity)
    }

    pub(super) fn accept(&self, number: usize, follow: &Value) -> anyhow::Result<Vec<u8>> {
        let id = self.id(number);
        let name = format!("{id}/accepts/{}", self.said.fetch_add(1, Ordering::Relaxed));
        self.signed(number, &json!({"@context": CONTEXT, "id": name, "type": "Accept", "actor": id, "object": follow}))
    }

    /// The bytes of a whole request.
    fn signed(&self, number: usize, activity: &Value) -> anyhow::Result<Vec<u8>> {
        let payload = Payload::new(activity.to_string().into_bytes());
        let signer = Signer::new(format!("{}#main-key", self.id(number)), self.key.clone());
        let outgoing = Outgoing { method: &Method::POST, url: &self.inbox, payload: Some(&payload), extra: &[] };
        let headers = signer.sign(Form::Cavage, &outgoing, Time::now())?;
        let mut bytes = format!("POST {} HTTP/1.1\r\nuser-agent: bench-peer\r\n", self.inbox.path()).into_bytes();
        for (name, value) in &headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", payload.bytes.len()).into_bytes());
        bytes.extend_from_slice(&payload.bytes);
        Ok(bytes)
    }
}
