//! A browser without scripts: keeps cookies, reads forms, says where it comes from.

use reqwest::{Method, header};
use std::collections::BTreeMap;
use testkit::{Client, Reply, TestServer};

pub const PASSWORD: &str = "correct horse battery";

#[derive(Clone)]
pub struct Browser {
    client: Client,
    pub jar: BTreeMap<String, String>,
    pub origin: String,
    pub lang: &'static str,
}

impl Browser {
    pub fn new(server: &TestServer) -> Self {
        let origin = server.parts().site.base_url.clone();
        Self { client: server.client().clone(), jar: BTreeMap::new(), origin, lang: "en" }
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        let request = self.client.request(Method::GET, path);
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = self.client.request(Method::POST, path).form(fields);
        let request = if self.origin.is_empty() { request } else { request.header(header::ORIGIN, &self.origin) };
        self.send(request).await
    }

    /// Opens `page`, and sends the form there with its token to `path`.
    pub async fn fill(&mut self, (page, path): (&str, &str), fields: &[(&str, &str)]) -> Reply {
        let token = hidden(&self.get(page).await, "form_token");
        let mut all = vec![("form_token", token.as_str())];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Reply {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request
            .header(header::COOKIE, cookies.join("; "))
            .header(header::ACCEPT_LANGUAGE, self.lang)
            .header(header::USER_AGENT, "Firefox/140.0 (Linux)");
        let reply = self.client.send(request).await;
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match attributes.contains("Max-Age=0") {
                true => self.jar.remove(name),
                false => self.jar.insert(name.into(), value.into()),
            };
        }
        reply
    }

    pub async fn sign_in(&mut self, login: &str) -> Reply {
        self.fill(("/auth/sign_in?again=1", "/auth/sign_in"), &[("login", login), ("password", PASSWORD)]).await
    }

    pub fn is_in(&self) -> bool {
        self.jar.contains_key("__Host-noren_session")
    }
}

/// The value of a hidden field.
#[track_caller]
pub fn hidden(page: &Reply, name: &str) -> String {
    let start = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = page.text().rsplit_once(&start).unwrap_or_else(|| panic!("no field {name}: {}", page.text()));
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

#[track_caller]
pub fn expect(page: &Reply, status: u16, words: &str) {
    assert!(page.status == status && page.text().contains(words), "{words}: {} {}", page.status, page.text());
}

/// Where it sends the browser.
#[track_caller]
pub fn location(page: &Reply) -> &str {
    assert_eq!(page.status, 303, "{}", page.text());
    page.header("location")
}
