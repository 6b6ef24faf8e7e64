//! A server with a database of its own, people who do things, and clients that listen.

use api::streaming::{self, StreamingConfig, Streams, Timing};
use api::{App, Parts};
use domain::db::{DatabaseConfig, Durability};
use domain::ids::{AccountId, StatusId};
use domain::statuses::{self, NewStatus, Status, Visibility};
use domain::users::{self, NewUser, User};
use domain::{Db, events::Event, follows, oauth, site};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, handshake::client::Response},
};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct World {
    pub app: App,
    pub address: SocketAddr,
    folder: tempfile::TempDir,
}

pub struct Person {
    pub user: User,
    pub token: String,
    app: App,
}

async fn open(folder: &Path) -> Db {
    let database = DatabaseConfig { durability: Durability::Normal, connections: 2, ..Default::default() };
    Db::open(&database, &folder.join("test.sqlite3")).await.unwrap()
}

impl World {
    pub async fn start() -> Self {
        Self::with(StreamingConfig::default(), Timing::default()).await
    }

    pub async fn with(config: StreamingConfig, timing: Timing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path()).await;
        let limits = site::Limits { status_characters: 1_000_000, ..Default::default() };
        let site = site::Site {
            alternate_domains: Vec::new(),
            domain: "noren.test".into(),
            base_url: "https://noren.test".into(),
            media_url: "https://noren.test/media".into(),
            limits,
        };
        let site = Arc::new(site);
        let federation = federation::Federation::new(db.clone(), site.clone(), "0.0.0", Default::default()).unwrap();
        let app = App::new(Parts {
            db,
            site,
            federation,
            store: media::Store::disk(folder.path().join("media")).unwrap(),
            pool: media::Pool::new(1, 1),
            media_limits: media::Limits::default(),
            streams: Streams::with_timing(config, timing),
            instance: Default::default(),
            version: "0.0.0",
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(streaming::run(app.clone()));
        let router = api::router(app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { app, address, folder }
    }

    /// The same database, as another process sees it: what it tells is not heard here.
    pub async fn other_process(&self) -> Db {
        open(self.folder.path()).await
    }

    pub async fn person(&self, name: &str) -> Person {
        let (user, _) = users::create(&self.app.db, &self.app.site, NewUser::named(name)).await.unwrap();
        let token = self.token(&user, "read write follow").await;
        Person { user, token, app: self.app.clone() }
    }

    pub async fn token(&self, user: &User, scopes: &str) -> String {
        oauth::tokens::create(&self.app.db, user.id, scopes.parse().unwrap()).await.unwrap().token
    }

    /// A socket with this query and token.
    pub async fn socket(&self, query: &str, token: &str) -> Socket {
        let mut socket = self.try_socket(query, &[("authorization", &format!("Bearer {token}"))]).await.unwrap().0;
        socket.settle().await;
        socket
    }

    pub async fn try_socket(&self, query: &str, headers: &[(&'static str, &str)]) -> Result<(Socket, Response), Error> {
        let mut request = format!("ws://{}/api/v1/streaming{query}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(8 * 1024).unwrap();
        let tcp = tcp.connect(self.address).await.unwrap();
        let (socket, response) = client_async(request, tcp).await?;
        Ok((Socket(socket), response))
    }

    pub async fn sse(&self, path: &str, token: &str) -> Sse {
        let url = format!("http://{}/api/v1/streaming/{path}", self.address);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Sse { answer, text: String::new() }
    }

    /// Something harmless that comes after all that was sent before.
    pub fn mark(&self, person: &Person) {
        self.app.db.events().send(Event::FiltersChanged { account: person.id() });
    }

    pub async fn until(&self, what: &str, mut done: impl FnMut(&Streams) -> bool) {
        for _ in 0..PATIENCE.as_millis() / 10 {
            if done(&self.app.streams) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("in vain: {what}");
    }
}

impl Person {
    pub fn id(&self) -> AccountId {
        self.user.account_id
    }

    pub async fn post(&self, text: &str) -> Status {
        self.publish(NewStatus { text: text.into(), ..Default::default() }).await
    }

    pub async fn post_as(&self, text: &str, visibility: Visibility) -> Status {
        self.publish(NewStatus { text: text.into(), visibility: Some(visibility), ..Default::default() }).await
    }

    pub async fn publish(&self, new: NewStatus) -> Status {
        statuses::publish(&self.app.db, &self.app.site, &self.user, new).await.unwrap()
    }

    pub async fn boost(&self, id: StatusId) -> Status {
        statuses::actions::reblog(&self.app.db, &self.app.site, self.id(), (id, None)).await.unwrap()
    }

    pub async fn follow(&self, whom: &Person) {
        follows::follow(&self.app.db, self.id(), whom.id(), &Default::default()).await.unwrap();
    }
}

pub struct Socket(pub WebSocketStream<TcpStream>);

impl Socket {
    pub async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub async fn subscribe(&mut self, stream: &str) {
        self.say(json!({ "type": "subscribe", "stream": stream })).await;
        self.settle().await;
    }

    /// Waits until all that was said is done: answers come in order.
    pub async fn settle(&mut self) {
        self.say(json!({ "type": "subscribe", "stream": "?" })).await;
        assert_eq!(self.frame().await, json!({ "error": "Unknown stream type", "status": 400 }));
    }

    /// The next text frame.
    pub async fn frame(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame in time");
            match next.expect("an open socket").unwrap() {
                Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next event: its stream, its name and its payload, read when it is JSON.
    pub async fn event(&mut self) -> (Value, String, Value) {
        let frame = self.frame().await;
        let payload = frame["payload"].as_str().map(|p| serde_json::from_str(p).unwrap_or_else(|_| p.into()));
        let event = frame["event"].as_str().unwrap_or_else(|| panic!("{frame}")).to_owned();
        (frame["stream"].clone(), event, payload.unwrap_or_default())
    }

    /// The next event must be this one, about this id.
    pub async fn expect(&mut self, stream: &str, event: &str, id: impl ToString) -> Value {
        let (from, name, payload) = self.event().await;
        assert_eq!((from, name.as_str()), (json!([stream]), event), "{payload}");
        let about = payload["id"].as_str().map_or_else(|| payload.clone(), Value::from);
        // Ids that are sent bare are numbers to a reader of JSON.
        assert_eq!(about.to_string().trim_matches('"'), id.to_string(), "{payload}");
        payload
    }

    /// The next event must be the mark.
    pub async fn expect_mark(&mut self) {
        assert_eq!(self.frame().await, json!({ "stream": ["user"], "event": "filters_changed" }));
    }

    /// The code with which the server closes, None when it just goes.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("closed in time") {
                Some(Ok(Message::Close(frame))) => return frame.map(|f| f.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

pub struct Sse {
    pub answer: reqwest::Response,
    text: String,
}

impl Sse {
    /// The next line; None at the end.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(line);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("a line in time");
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    /// The next event's name and data; comments are left out.
    pub async fn event(&mut self) -> (String, String) {
        let mut event = String::new();
        loop {
            let line = self.line().await.expect("an open stream");
            if let Some(name) = line.strip_prefix("event: ") {
                event = name.to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                assert_eq!(self.line().await.as_deref(), Some(""));
                return (event, data.to_owned());
            }
        }
    }
}
