//! Who listens: the token of a connection, where it may stand, and whether it is still good.

use crate::{
    App, auth,
    http::{ApiError, ApiResult},
};
use axum::http::{HeaderMap, header};
use domain::{
    ids::{AccountId, TokenId},
    oauth::{self, Scopes},
};
use std::fmt;

/// A person with a token that was good when the connection began.
pub(super) struct Who {
    pub(super) account: AccountId,
    pub(super) token: TokenId,
    pub(super) scopes: Scopes,
    pub(super) bearer: Box<str>,
}

impl fmt::Debug for Who {
    /// Without the token's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Who").field("account", &self.account).field("token", &self.token).finish_non_exhaustive()
    }
}

/// The token in the Authorization header, the query's `access_token`, or in place of a WebSocket's protocol: browsers
/// can set no header there. 401 without one.
pub(super) fn bearer<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> ApiResult<&'a str> {
    let protocols = || headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
    let protocol = || protocols().and_then(|value| value.split(',').next()).map(str::trim);
    let token = auth::bearer(headers).or(query).or_else(protocol).filter(|token| !token.is_empty());
    token.ok_or_else(ApiError::unauthorized)
}

/// Whose token it is.
///
/// 401 for one that is unknown or revoked, 422 for an application's own, 403 when its person may do nothing now.
pub(super) async fn authenticate(app: &App, bearer: &str) -> ApiResult<Who> {
    let grant = oauth::authenticate(&app.db.read().await?, bearer).await?.ok_or_else(ApiError::unauthorized)?;
    let person = auth::check_login(grant.person.ok_or_else(ApiError::needs_user)?)?;
    Ok(Who { account: person.account, token: grant.token, scopes: grant.scopes, bearer: bearer.into() })
}

impl Who {
    /// Whether the token is as good as it was. A database that is busy is no reason to send people away.
    pub(super) async fn still_good(&self, app: &App) -> bool {
        match authenticate(app, &self.bearer).await {
            Ok(now) => now.token == self.token && now.account == self.account,
            Err(error) => error.status().is_server_error(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_three_places() {
        let headers = |authorization: &str, protocol: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::AUTHORIZATION, authorization), (header::SEC_WEBSOCKET_PROTOCOL, protocol)] {
                if !value.is_empty() {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            headers
        };
        let table = [
            (headers("Bearer a", "c"), Some("b"), Some("a")),
            (headers("bearer  a", ""), None, Some("a")),
            (headers("Basic a", ""), None, None),
            (headers("", "c"), Some("b"), Some("b")),
            (headers("", "c, d"), None, Some("c")),
            (headers("", ""), None, None),
            (headers("", ""), Some(""), None),
        ];
        for (headers, query, token) in table {
            assert_eq!(bearer(&headers, query).ok(), token, "{headers:?} {query:?}");
        }
    }
}
