//! Who calls: extractors whose types say, in an endpoint's signature, who may.
//!
//! | extractor | who may call |
//! | --- | --- |
//! | [`User<S>`] | a person, with a token that has one of the scopes of `S` |
//! | [`Viewer<S>`] | anybody; a token, if there is one, has to be good and to have one of the scopes of `S` |
//! | [`AppOnly<S>`] | an application, with its own token or a person's |
//!
//! Answers of those who may not, in this order: 401 without a token or with an unknown one, 403 when it lacks the
//! scope, 422 when it is an application's own, 403 when its person may do nothing at the moment.

use crate::http::{ApiError, ApiResult, rate_limit::RateKey};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use domain::{
    Db,
    ids::{AccountId, AppId, TokenId, UserId},
    oauth::{self, Grant, Person, Scopes},
    users::{self, Login},
};
use std::marker::PhantomData;

/// Types that name a scope in a signature.
pub mod scope {
    use domain::oauth::Scope as S;

    /// What a token needs: one of these scopes, or a parent of one. None at all: any token will do.
    pub trait Scope: Send + Sync + 'static {
        const ANY_OF: &'static [S];
    }

    macro_rules! scopes {
        ($($(#[$doc:meta])* $name:ident = $($scope:ident)|*;)*) => { $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl Scope for $name {
                const ANY_OF: &'static [S] = &[$(S::$scope),*];
            }
        )* };
    }
    scopes! {
        /// Any token.
        Any = ;
        /// All that is only looked at.
        Read = Read;
        /// Who somebody is.
        ReadProfile = Profile | ReadAccounts;
        ReadAccounts = ReadAccounts;
        ReadBlocks = ReadBlocks;
        ReadBookmarks = ReadBookmarks;
        ReadFavourites = ReadFavourites;
        ReadFilters = ReadFilters;
        ReadFollows = ReadFollows;
        ReadLists = ReadLists;
        ReadMutes = ReadMutes;
        ReadNotifications = ReadNotifications;
        /// The documentation says that one method which only reads wants the scope to write.
        AnyNotifications = ReadNotifications | WriteNotifications;
        ReadSearch = ReadSearch;
        ReadStatuses = ReadStatuses;
        /// The documentation asks for `read` to dismiss a suggestion, Mastodon for `write:accounts`.
        Suggestions = ReadAccounts | WriteAccounts;
        WriteAccounts = WriteAccounts;
        WriteBlocks = WriteBlocks;
        WriteBookmarks = WriteBookmarks;
        WriteConversations = WriteConversations;
        WriteFavourites = WriteFavourites;
        WriteFilters = WriteFilters;
        WriteFollows = WriteFollows;
        WriteLists = WriteLists;
        WriteMedia = WriteMedia;
        WriteMutes = WriteMutes;
        WriteNotifications = WriteNotifications;
        /// Pleroma's word is `write:statuses`; it is a kind of favourite.
        WriteReactions = WriteStatuses | WriteFavourites;
        WriteReports = WriteReports;
        WriteStatuses = WriteStatuses;
        Push = Push;
    }
}
use scope::Scope;

/// A signed-in person whose token has the scope `S`.
#[derive(Clone, Copy, Debug)]
pub struct User<S> {
    pub account: AccountId,
    pub user: UserId,
    pub token: TokenId,
    /// None: the token was made on the command line.
    pub app: Option<AppId>,
    scope: PhantomData<S>,
}

/// Somebody who looks: anonymous, or a person whose token has the scope `S`.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<S> {
    account: Option<AccountId>,
    scope: PhantomData<S>,
}

impl<S> Viewer<S> {
    /// None: anonymous, or an application by itself.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }
}

/// An application, by itself or for a person, whose token has the scope `S`.
#[derive(Clone, Copy, Debug)]
pub struct AppOnly<S = scope::Any> {
    pub token: TokenId,
    /// None: the token was made on the command line.
    pub app: Option<AppId>,
    /// For whom the token speaks, whatever they may do at the moment.
    pub person: Option<Person>,
    pub scopes: Scopes,
    scope: PhantomData<S>,
}

/// The token of the Authorization header; None without one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What the token of a request allows; None without a token.
///
/// 401 when it is unknown or revoked.
async fn grant<St>(parts: &Parts, state: &St) -> ApiResult<Option<Grant>>
where
    Db: FromRef<St>,
{
    if !parts.headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let token = bearer(&parts.headers).ok_or_else(ApiError::unauthorized)?;
    let db = Db::from_ref(state);
    let conn = db.read().await?;
    let grant = oauth::authenticate(&conn, token).await?.ok_or_else(ApiError::unauthorized)?;
    drop(conn);
    if let Some(person) = grant.person {
        if let Some(key) = parts.extensions.get::<RateKey>() {
            key.account(person.account.0);
        }
        if person.login == Login::Usable && users::is_stale(person.last_active_at) {
            users::seen(&db, person.user).await?;
        }
    }
    Ok(Some(grant))
}

fn check_scope<S: Scope>(grant: &Grant) -> ApiResult<()> {
    let enough = S::ANY_OF.is_empty() || S::ANY_OF.iter().any(|scope| grant.scopes.allows(*scope));
    if enough { Ok(()) } else { Err(ApiError::missing_scope()) }
}

pub(crate) fn check_login(person: Person) -> ApiResult<Person> {
    match person.login {
        Login::Usable => Ok(person),
        Login::Disabled => Err(ApiError::login_disabled()),
        Login::Unconfirmed => Err(ApiError::login_unconfirmed()),
        Login::Pending => Err(ApiError::login_pending()),
    }
}

impl<S, St> FromRequestParts<St> for User<S>
where
    S: Scope,
    St: Send + Sync,
    Db: FromRef<St>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> ApiResult<Self> {
        let grant = grant(parts, state).await?.ok_or_else(ApiError::unauthorized)?;
        check_scope::<S>(&grant)?;
        let person = check_login(grant.person.ok_or_else(ApiError::needs_user)?)?;
        // Who moved does nothing here any more: Mastodon says it with the same words.
        if person.moved {
            return Err(ApiError::login_disabled());
        }
        let Person { user, account, .. } = person;
        Ok(Self { account, user, token: grant.token, app: grant.app, scope: PhantomData })
    }
}

impl<S, St> FromRequestParts<St> for Viewer<S>
where
    S: Scope,
    St: Send + Sync,
    Db: FromRef<St>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> ApiResult<Self> {
        let Some(grant) = grant(parts, state).await? else {
            return Ok(Self { account: None, scope: PhantomData });
        };
        check_scope::<S>(&grant)?;
        let person = grant.person.map(check_login).transpose()?;
        Ok(Self { account: person.map(|p| p.account), scope: PhantomData })
    }
}

impl<S, St> FromRequestParts<St> for AppOnly<S>
where
    S: Scope,
    St: Send + Sync,
    Db: FromRef<St>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> ApiResult<Self> {
        let grant = grant(parts, state).await?.ok_or_else(ApiError::unauthorized)?;
        check_scope::<S>(&grant)?;
        let Grant { token, app, person, scopes, .. } = grant;
        Ok(Self { token, app, person, scopes, scope: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::{scope, *};
    use axum::{Router, body::Body, http::Request, routing::get};
    use domain::{
        oauth::Scope as S,
        site::{Limits, Site},
        users::{Change, NewUser},
    };
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn asked(app: &Router, path: &str, token: Option<&str>) -> (u16, String) {
        let mut request = Request::builder().uri(path);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_caller_gets_the_documented_answer() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&domain::db::DatabaseConfig::default(), &dir.path().join("t.sqlite3")).await.unwrap();
        let site = Site {
            alternate_domains: Vec::new(),
            domain: "noren.example".into(),
            base_url: "https://noren.example".into(),
            media_url: "https://noren.example/media".into(),
            limits: Limits::default(),
        };
        let app: Router = Router::new()
            .route("/user", get(|user: User<scope::ReadStatuses>| async move { user.account.to_string() }))
            .route(
                "/viewer",
                get(|viewer: Viewer<scope::ReadStatuses>| async move { format!("{:?}", viewer.account()) }),
            )
            .route("/app", get(|app: AppOnly| async move { app.scopes.to_string() }))
            .with_state(db.clone());
        let (user, account) = users::create(&db, &site, NewUser::named("alice")).await.unwrap();
        let token = |scopes: &'static [S]| {
            let db = db.clone();
            async move { format!("Bearer {}", oauth::tokens::create(&db, user.id, Scopes::of(scopes)).await.unwrap().token) }
        };
        let (read, write) = (token(&[S::Read]).await, token(&[S::Write]).await);
        let new =
            oauth::NewApp { name: "x".into(), redirect_uris: vec![oauth::OUT_OF_BAND.into()], ..Default::default() };
        let (client, _) = oauth::apps::create(&db, new).await.unwrap();
        let own = oauth::tokens::client_credentials(&db, &client, "read").await.unwrap();
        let own = format!("bearer {}", own.token);

        let id = account.id.to_string();
        let some = format!("{:?}", Some(account.id));
        for (path, token, status, text) in [
            ("/user", None, 401, "The access token is invalid"),
            ("/user", Some("Bearer nonsense"), 401, "The access token is invalid"),
            ("/user", Some("Basic abc"), 401, "The access token is invalid"),
            ("/user", Some(write.as_str()), 403, "outside the authorized scopes"),
            ("/user", Some(own.as_str()), 422, "This method requires an authenticated user"),
            ("/user", Some(read.as_str()), 200, id.as_str()),
            ("/viewer", None, 200, "None"),
            ("/viewer", Some("Bearer nonsense"), 401, "The access token is invalid"),
            ("/viewer", Some(write.as_str()), 403, "outside the authorized scopes"),
            ("/viewer", Some(own.as_str()), 200, "None"),
            ("/viewer", Some(read.as_str()), 200, some.as_str()),
            ("/app", None, 401, "The access token is invalid"),
            ("/app", Some(own.as_str()), 200, "read"),
            ("/app", Some(write.as_str()), 200, "write"),
        ] {
            let (seen, body) = asked(&app, path, token).await;
            assert!(seen == status && body.contains(text), "{path} {token:?}: {seen} {body}");
        }
        let (user, _) = users::by_id(&db.read().await.unwrap(), user.id).await.unwrap();
        assert!(user.last_active_at.is_some(), "it is written down that they were here");
        for (change, text) in [
            (Change { approved: Some(false), ..Default::default() }, "currently pending approval"),
            (Change { confirmed: Some(false), ..Default::default() }, "missing a confirmed e-mail address"),
            (Change { disabled: Some(true), ..Default::default() }, "currently disabled"),
        ] {
            users::modify(&db, user.id, change).await.unwrap();
            for path in ["/user", "/viewer"] {
                let (status, body) = asked(&app, path, Some(&read)).await;
                assert!(status == 403 && body.contains(text), "{path}: {status} {body}");
            }
        }
    }
}
