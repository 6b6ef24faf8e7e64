//! Whom this server has to do with: asked before anything is taken, fetched or sent.

use crate::Federation;
use crate::documents::host;
use crate::fetch::{Admission, Error as FetchError, Gate, Scope};
use crate::inbox::signer;
use crate::refusal::Refusal;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use documented::{Documented, DocumentedFields};
use domain::Db;
use domain::accounts::Account;
use domain::db::Conn;
use domain::domain_blocks::{Known, Rules};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What other servers may do here; `noren domains` blocks and allows single ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct FederationConfig {
    /// Whether profiles and posts are shown to other servers only when they sign what they ask, so that blocked ones
    /// cannot read along. Some programs that only read do not sign.
    pub authorized_fetch: bool,
    /// Whether this site has to do with those servers alone that are allowed by name: "noren domains allow". Others are
    /// not shown anything either: who reads profiles and posts has to sign, as with authorized_fetch.
    pub limited: bool,
    /// Files with certificates (PEM) of authorities that are believed besides the system's, for networks that have an
    /// authority of their own.
    pub authorities: Vec<PathBuf>,
    /// Addresses that may be asked although they are not public, on any port: "10.0.0.5", "fd00::5". Whoever writes
    /// links here can have this server ask them; name other servers of a closed network and nothing else.
    pub allowed_addresses: Vec<IpAddr>,
}

impl FederationConfig {
    /// The certificates of `authorities`; what is wrong with them names the file.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut found = Vec::new();
        for file in &self.authorities {
            let said = |why: &dyn Display| format!("{}: {why}", file.display());
            let before = found.len();
            for one in CertificateDer::pem_file_iter(file).map_err(|error| said(&error))? {
                found.push(one.map_err(|error| said(&error))?.to_vec());
            }
            if found.len() == before {
                return Err(said(&"there is no certificate in it"));
            }
        }
        Ok(found)
    }
}

pub(crate) const BLOCKED: &str = "This server is blocked here";

/// The rules of the moment with the settings.
pub struct Policy {
    known: Known,
    limited: bool,
}

impl Policy {
    pub(crate) fn new(db: Db, limited: bool) -> Self {
        Self { known: Known::new(db), limited }
    }

    /// The rules about other servers as they were at most a second ago.
    pub async fn rules(&self) -> domain::Result<Arc<Rules>> {
        self.known.rules().await
    }

    /// As [`Policy::rules`], for who has a connection.
    pub async fn rules_on(&self, conn: &Conn) -> domain::Result<Arc<Rules>> {
        self.known.rules_on(conn).await
    }

    /// The rules as they are now, for who acts on them for good; from here on everybody in this process has them.
    pub async fn renewed(&self, conn: &Conn) -> domain::Result<Arc<Rules>> {
        self.known.renewed(conn).await
    }

    /// Whether only servers that are allowed by name have to do with this one.
    pub fn is_limited(&self) -> bool {
        self.limited
    }

    /// Whether this site has anything to do with the server of this name.
    pub async fn admits(&self, host: &str) -> domain::Result<bool> {
        let rules = self.rules().await?;
        Ok(self.admits_by(&rules, host))
    }

    /// Whether this site has anything to do with the server of an account, by its actor's address.
    pub fn admits_account(&self, rules: &Rules, account: &Account) -> bool {
        host(&account.uri).is_some_and(|host| self.admits_by(rules, &host))
    }

    /// As [`Policy::admits`], by rules that are at hand.
    pub fn admits_by(&self, rules: &Rules, host: &str) -> bool {
        !rules.suspends(host) && self.admits_farewells(rules, host)
    }

    /// Whether the server of this name is told that follows have ended: also one that is blocked, which had them until then.
    /// This, and [`Scope::Farewell`] below, are all that blocked servers are told by.
    pub(crate) fn admits_farewells(&self, rules: &Rules, host: &str) -> bool {
        !self.limited || rules.allows(host)
    }

    /// Whether this site has anything to do with the server of an address.
    pub(crate) async fn admits_address(&self, uri: &str) -> domain::Result<bool> {
        match host(uri) {
            Some(host) => self.admits(&host).await,
            None => Ok(true),
        }
    }
}

impl Gate for Policy {
    fn admit<'a>(&'a self, host: &'a str, scope: Scope) -> Admission<'a> {
        Box::pin(async move {
            // Without the rules nobody is asked: a full database does not open the door.
            let rules = self.rules().await.map_err(|_| FetchError::Busy)?;
            let admitted = match scope {
                Scope::Federation => self.admits_by(&rules, host),
                Scope::Farewell => self.admits_farewells(&rules, host),
                // Files of servers that are allowed may lie anywhere.
                Scope::Web | Scope::Foreign => !rules.suspends(host),
            };
            if admitted { Ok(()) } else { Err(FetchError::Blocked) }
        })
    }
}

/// Where `federation.authorized_fetch` or `federation.limited` is set: only who signs gets an answer, and only who is not
/// blocked, or is allowed.
pub(crate) async fn guard(State(federation): State<Federation>, request: Request, next: Next) -> Response {
    if !federation.config.authorized_fetch && !federation.policy.is_limited() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let mut response = match signer::of_request(&federation, &parts).await {
        Ok(who) if who.suspended_at.is_some() => Refusal::Forbidden(BLOCKED).into_response(),
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    };
    keep_apart(response.headers_mut());
    response
}

/// No cache in between shows one server what was made for another.
fn keep_apart(headers: &mut HeaderMap) {
    let text = |headers: &HeaderMap, name| {
        headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let vary = text(headers, header::VARY);
    let vary = match vary.as_str() {
        "" => "Signature".to_owned(),
        vary if vary.contains("Signature") => vary.to_owned(),
        vary => format!("{vary}, Signature"),
    };
    let cached = text(headers, header::CACHE_CONTROL);
    let cached = if cached.is_empty() { "no-store, private".to_owned() } else { cached.replace("public", "private") };
    for (name, value) in [(header::VARY, vary), (header::CACHE_CONTROL, cached)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
