//! CORS for clients that run in a browser on another site: open on the API, closed on pages.

use super::request_id::X_REQUEST_ID;
use axum::extract::Request;
use axum::http::{HeaderName, Method, header};
use axum::response::Response;
use futures_util::future::Either;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tower::{Layer, Service};
use tower_http::cors::{AllowHeaders, Any, Cors, CorsLayer, Vary};

const METHODS: [Method; 6] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// What scripts of other sites may read beyond the plain headers.
const EXPOSED: [HeaderName; 6] = [
    header::LINK,
    HeaderName::from_static("mastodon-async-refresh"),
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
    X_REQUEST_ID,
];

/// The layer for the whole router: answers preflights and adds the headers on open paths, passes the others on
/// untouched. To be the outermost layer, so that refusals of the layers below can be read by scripts too.
#[derive(Clone, Debug)]
pub struct CorsOnApi(CorsLayer);

/// Open to every origin, without cookies: `*` on the paths of [`is_open`].
pub fn cors() -> CorsOnApi {
    let layer = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(METHODS)
        // A literal `*` would not cover Authorization.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED)
        .max_age(Duration::from_secs(7200))
        // The answer is the same for every origin, so caches need not tell them apart.
        .vary(Vary::list([]));
    CorsOnApi(layer)
}

/// Whether scripts of other sites may use `path`.
pub fn is_open(path: &str) -> bool {
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/userinfo")
        || below("/api")
        || below("/.well-known")
        || below("/nodeinfo")
}

impl<S: Clone> Layer<S> for CorsOnApi {
    type Service = CorsOnApiService<S>;
    fn layer(&self, inner: S) -> Self::Service {
        CorsOnApiService { open: self.0.layer(inner.clone()), closed: inner }
    }
}

/// Made by [`CorsOnApi`].
#[derive(Clone, Debug)]
pub struct CorsOnApiService<S> {
    open: Cors<S>,
    closed: S,
}

impl<S> Service<Request> for CorsOnApiService<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<<Cors<S> as Service<Request>>::Future, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.open.poll_ready(cx))?;
        self.closed.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if is_open(request.uri().path()) {
            Either::Left(self.open.call(request))
        } else {
            Either::Right(self.closed.call(request))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn answer(method: &str, path: &str) -> Response {
        let app: Router = Router::new()
            .route("/api/v1/x", get(|| async { "x" }))
            .route("/about", get(|| async { "y" }))
            .layer(cors());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("origin", "https://elk.example")
            .header("access-control-request-method", "DELETE")
            .header("access-control-request-headers", "authorization,idempotency-key")
            .body(Body::empty())
            .unwrap();
        app.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn preflights_are_answered() {
        let response = answer("OPTIONS", "/api/v1/x").await;
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["access-control-allow-headers"], "authorization,idempotency-key");
        let methods = headers["access-control-allow-methods"].to_str().unwrap();
        assert!(METHODS.iter().all(|m| methods.contains(m.as_str())), "{methods}");
    }

    #[tokio::test]
    async fn answers_expose_their_headers() {
        for (method, path, status) in
            [("GET", "/api/v1/x", 200), ("GET", "/api/v1/none", 404), ("POST", "/api/v1/x", 405)]
        {
            let response = answer(method, path).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
            assert!(EXPOSED.iter().all(|h| exposed.contains(h.as_str())), "{exposed}");
            assert!(response.headers().get("vary").is_none());
        }
    }

    #[tokio::test]
    async fn pages_stay_closed() {
        assert!(answer("GET", "/about").await.headers().get("access-control-allow-origin").is_none());
        assert_eq!(answer("OPTIONS", "/about").await.status(), 405);
        for path in ["/api", "/api/v1/x", "/.well-known/webfinger", "/nodeinfo/2.0", "/oauth/token"] {
            assert!(is_open(path), "{path}");
        }
        for path in ["/", "/apix", "/oauth/authorize", "/auth/sign_in", "/oauth/token/x", "/settings/api"] {
            assert!(!is_open(path), "{path}");
        }
    }
}
