//! Requests to a test server, as a stranger or with a token.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::net::SocketAddr;

/// Speaks to one server; with a token it speaks for somebody.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// What comes before paths in the server's own links.
    public: String,
    token: Option<String>,
}

/// What goes along with a request.
#[derive(Clone, Debug, Default)]
pub enum Input {
    #[default]
    Nothing,
    /// In the query for GET, else as a form.
    Fields(Vec<(String, String)>),
    Json(Value),
}

impl From<()> for Input {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}

impl<K: ToString, V: ToString, const N: usize> From<[(K, V); N]> for Input {
    fn from(fields: [(K, V); N]) -> Self {
        Self::Fields(fields.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }
}

impl From<Vec<(String, String)>> for Input {
    fn from(fields: Vec<(String, String)>) -> Self {
        Self::Fields(fields)
    }
}

impl From<Value> for Input {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Null when the body is no JSON.
    pub json: Value,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, public: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let http = http.expect("an HTTP client without special wishes");
        Self { http, base: format!("http://{address}"), public: public.to_owned(), token: None }
    }

    /// The same with a token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Where the server listens: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn get(&self, path: &str, input: impl Into<Input>) -> Reply {
        self.call(Method::GET, path, input).await
    }
    pub async fn post(&self, path: &str, input: impl Into<Input>) -> Reply {
        self.call(Method::POST, path, input).await
    }
    pub async fn put(&self, path: &str, input: impl Into<Input>) -> Reply {
        self.call(Method::PUT, path, input).await
    }
    pub async fn patch(&self, path: &str, input: impl Into<Input>) -> Reply {
        self.call(Method::PATCH, path, input).await
    }
    pub async fn delete(&self, path: &str, input: impl Into<Input>) -> Reply {
        self.call(Method::DELETE, path, input).await
    }

    async fn call(&self, method: Method, path: &str, input: impl Into<Input>) -> Reply {
        let in_query = method == Method::GET;
        let request = self.request(method, path);
        self.send(match input.into() {
            Input::Nothing => request,
            Input::Fields(fields) if in_query => request.query(&fields),
            Input::Fields(fields) => request.form(&fields),
            Input::Json(value) => request.json(&value),
        })
        .await
    }

    /// POSTs a file, and fields beside it, as multipart: `file` is (name of the field, name of the file, bytes).
    pub async fn upload(&self, path: &str, file: (&str, &str, Vec<u8>), fields: &[(&str, &str)]) -> Reply {
        let (field, name, bytes) = file;
        let part = reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned());
        let mut form = reqwest::multipart::Form::new().part(field.to_owned(), part);
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        self.send(self.request(Method::POST, path).multipart(form)).await
    }

    /// A request to be changed before it goes to [`Client::send`]. `path` may be one of the server's own links.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let path = path.strip_prefix(self.public.as_str()).unwrap_or(path);
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// # Panics
    /// When there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.expect("the whole answer").to_vec();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Reply { status, headers, body, json }
    }
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// The JSON of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200)
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json
    }

    /// The address in the Link header with this `rel`.
    pub fn link(&self, rel: &str) -> Option<String> {
        let links = self.header("link").split(", <");
        let wanted = format!("rel=\"{rel}\"");
        let link = links.into_iter().find(|link| link.contains(&wanted))?;
        Some(link.trim_start_matches('<').split_once('>')?.0.to_owned())
    }
}
