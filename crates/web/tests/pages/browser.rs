//! A browser for tests: keeps cookies, reads forms, says where it comes from.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
};
use domain::{
    Db,
    accounts::Account,
    db::DatabaseConfig,
    sessions::Attempts,
    site::{ClientIp, Limits, Site},
    users::{self, NewUser, User},
};
use federation::Federation;
use http_body_util::BodyExt;
use std::{collections::BTreeMap, sync::Arc};
use tower::ServiceExt;
use web::{Parts, Web};

pub const PASSWORD: &str = "correct horse battery";

/// A site with its pages and nobody on it.
pub struct World {
    pub db: Db,
    pub site: Arc<Site>,
    pub router: Router,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::at("http://localhost:3000").await
    }

    pub async fn at(base_url: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseConfig::default(), &dir.path().join("t.sqlite3")).await.unwrap();
        let site = Arc::new(Site {
            alternate_domains: Vec::new(),
            domain: base_url.split_once("://").unwrap().1.into(),
            base_url: base_url.into(),
            media_url: "https://media.example/files".into(),
            limits: Limits::default(),
        });
        let federation = Federation::new(db.clone(), site.clone(), "0.0.0", Default::default()).unwrap();
        let (attempts, version) = (Attempts::default(), "0.0.0");
        let parts = Parts { db: db.clone(), site: site.clone(), federation, attempts, version };
        let router = web::router(Web::new(parts)).fallback(web::not_found);
        Self { db, site, router, _dir: dir }
    }

    pub async fn person(&self, name: &str) -> (User, Account) {
        let email = Some(format!("{name}@example.com"));
        let new = NewUser { email, password: Some(PASSWORD.into()), ..NewUser::named(name) };
        users::create(&self.db, &self.site, new).await.unwrap()
    }

    pub fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), origin: self.site.base_url.clone(), jar: BTreeMap::new(), lang: "en" }
    }

    /// A browser in which somebody new has signed in.
    pub async fn signed_in(&self, name: &str) -> Browser {
        self.person(name).await;
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD, "").await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }
}

#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub origin: String,
    pub jar: BTreeMap<String, String>,
    pub lang: &'static str,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    pub fn location(&self) -> &str {
        self.header("location")
    }
    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self.text.rsplit_once(&start).unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        unescape(rest.split_once('"').unwrap().0)
    }
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        let request = if self.origin.is_empty() { request } else { request.header("origin", &self.origin) };
        self.send(request, body.into()).await
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Answer {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("cookie", cookies.join("; ")).header("accept-language", self.lang);
        let request = request.header("host", "localhost:3000").header("user-agent", "Firefox/140.0 (Linux)");
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ClientIp("192.0.2.7".parse().unwrap()));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        for line in headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match attributes.contains("Max-Age=0") {
                true => self.jar.remove(name),
                false => self.jar.insert(name.into(), value.into()),
            };
        }
        Answer { status, headers, text }
    }

    pub async fn sign_in(&mut self, login: &str, password: &str, return_to: &str) -> Answer {
        let page = self.get("/auth/sign_in?again=1").await;
        let token = page.hidden("form_token");
        let fields =
            [("form_token", token.as_str()), ("login", login), ("password", password), ("return_to", return_to)];
        self.post("/auth/sign_in", &fields).await
    }
}
