//! One request: signed, sent, and its refusal understood.

use super::body::Payload;
use super::retry::{Repeat, retried};
use super::xml::{self, Complaint};
use super::{Bucket, Error, Result};
use crate::trust;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use rusty_s3::Method;
use std::time::{Duration, SystemTime};
use url::Url;

/// How long a signature is good for. A clock that is behind by less still works.
const SIGNED_FOR: u64 = 900;
/// Clocks further apart than this are named as the reason of a refusal (servers allow 15 minutes).
const SKEW: Duration = Duration::from_secs(300);
/// An upload may take as long as this many bytes a second need.
const SLOWEST: u64 = 32 * 1024;
/// More of a complaint is not read.
const COMPLAINT: usize = 64 * 1024;
/// More of any other answer in XML is not read: a thousand of the longest keys, encoded, are 4 MB.
const ANSWER: usize = 8 * 1024 * 1024;

/// What is asked of a bucket.
#[derive(Debug, Clone)]
pub(super) struct Call {
    method: Method,
    /// As the bucket knows it; `None` asks the bucket itself.
    key: Option<String>,
    /// Sorted by name.
    query: Vec<(&'static str, String)>,
    /// Sorted by name; those of Amazon are signed.
    headers: Vec<(&'static str, String)>,
    payload: Payload,
    repeat: Repeat,
}

impl Call {
    pub(super) fn new(method: Method, key: Option<String>) -> Call {
        let repeat = if method == Method::Post { Repeat::Undone } else { Repeat::Always };
        Call { method, key, query: Vec::new(), headers: Vec::new(), payload: Payload::Empty, repeat }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Call {
        self.query.push((name, value.into()));
        self.query.sort_unstable();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Call {
        self.headers.push((name, value.into()));
        self.headers.sort_unstable();
        self
    }

    pub(super) fn payload(mut self, payload: Payload) -> Call {
        self.payload = payload;
        self
    }

    pub(super) fn repeat(mut self, repeat: Repeat) -> Call {
        self.repeat = repeat;
        self
    }
}

impl Bucket {
    /// The answer as soon as it begins; its status is one of success, or "not modified".
    pub(super) async fn send(&self, call: &Call) -> Result<Response> {
        retried(self.0.config.retries, call.repeat, || self.attempt(call)).await
    }

    /// What the whole answer, which is short, means. One that makes no sense is asked for again.
    pub(super) async fn send_and_read<T>(&self, call: &Call, meaning: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
        let meaning = &meaning;
        let once = || async move {
            let response = self.attempt(call).await?;
            meaning(&self.read(response, ANSWER).await?)
        };
        retried(self.0.config.retries, call.repeat, once).await
    }

    async fn attempt(&self, call: &Call) -> Result<Response> {
        let length = call.payload.len();
        let mut request = self.0.http.client().request(method(call.method), self.signed(call));
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = call.payload.body() {
            request = request.header(CONTENT_LENGTH, length).body(body);
        } else if matches!(call.method, Method::Put | Method::Post) {
            request = request.header(CONTENT_LENGTH, 0);
        }
        let waited = self.0.config.answer_timeout.0 + Duration::from_secs(length / SLOWEST);
        let response = match tokio::time::timeout(waited, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.lost(error)),
            Err(_) => return Err(Error::TimedOut { host: self.0.host.clone(), waited }),
        };
        match response.status() {
            status if status.is_success() || status == StatusCode::NOT_MODIFIED => Ok(response),
            _ => Err(self.refusal(response, call.key.is_some()).await),
        }
    }

    fn signed(&self, call: &Call) -> Url {
        let place = &self.0.place;
        let mut url = call.key.as_ref().map_or_else(|| place.base_url().clone(), |key| place.object_url(key));
        let query = call.query.iter().map(|(name, value)| (*name, value.as_str()));
        let Some((id, secret)) = &self.0.keys else {
            if !call.query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            return url;
        };
        let signed = call.headers.iter().filter(|(name, _)| name.starts_with("x-amz-"));
        let headers = signed.map(|(name, value)| (*name, value.as_str()));
        let (now, secret) = (Timestamp::now(), secret.reveal());
        rusty_s3::signing::sign(&now, call.method, url, id, secret, None, place.region(), SIGNED_FOR, query, headers)
    }

    /// Reads an answer that has to be short.
    pub(super) async fn read(&self, mut response: Response, most: usize) -> Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            if whole.len() + chunk.len() > most {
                return Err(self.broken(format!("it is longer than {most} bytes")));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// The next piece of an answer.
    pub(super) async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>> {
        let waited = self.0.config.idle_timeout.0;
        match tokio::time::timeout(waited, response.chunk()).await {
            Ok(read) => read.map_err(|error| self.lost(error)),
            Err(_) => Err(Error::TimedOut { host: self.0.host.clone(), waited }),
        }
    }

    pub(super) fn broken(&self, why: impl Into<String>) -> Error {
        Error::Broken { host: self.0.host.clone(), why: why.into() }
    }

    /// An error of the network, without the address: that is signed.
    pub(super) fn lost(&self, error: reqwest::Error) -> Error {
        let host = self.0.host.clone();
        if let Some(why) = trust::distrust(&error) {
            return Error::Certificate { host, why };
        }
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { host, waited: self.0.config.idle_timeout.0 };
        }
        let unsent = error.is_connect();
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Error::Unreachable { host, why: cause.to_string(), unsent }
    }

    async fn refusal(&self, response: Response, of_object: bool) -> Error {
        let (status, headers) = (response.status(), response.headers().clone());
        let told = self.read(response, COMPLAINT).await.unwrap_or_default();
        let complaint = match xml::complaint(&told) {
            Some(complaint) => complaint,
            // Objects may be behind something that has words of its own; a bucket is told of by S3 or not at all.
            None if status == StatusCode::NOT_FOUND && !of_object && !told.is_empty() => {
                return self.broken("404, and not in the words of S3");
            }
            None => Complaint { message: xml::plain(&told), ..Complaint::default() },
        };
        self.understood((status, &headers), complaint, of_object)
    }

    /// What a refusal means. Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    pub(super) fn understood(
        &self,
        (status, headers): (StatusCode, &HeaderMap),
        told: Complaint,
        of_object: bool,
    ) -> Error {
        let host = self.0.host.clone();
        let code = if told.code.is_empty() { "no reason given".to_owned() } else { told.code };
        let elsewhere = text(headers, "x-amz-bucket-region").or(told.region).or_else(|| expected(&told.message));
        let elsewhere = elsewhere.filter(|region| region != self.region());
        match (status.as_u16(), code.as_str()) {
            (_, "RequestTimeTooSkewed") => self.skew(headers).unwrap_or(Error::Clock { by: SKEW * 3, ahead: false }),
            (403 | 400, _) if self.skew(headers).is_some() && !self.is_anonymous() => {
                self.skew(headers).unwrap_or(Error::NoObject)
            }
            (301 | 307 | 308 | 400, _) if elsewhere.is_some() => Error::Region(elsewhere.unwrap_or_default()),
            (404, "NoSuchBucket") => Error::NoBucket(self.name().to_owned()),
            (404, "NoSuchKey") => Error::NoObject,
            (404, "no reason given") if of_object => Error::NoObject,
            (404, "no reason given") => Error::NoBucket(self.name().to_owned()),
            (409, "BucketAlreadyExists") => Error::Taken(self.name().to_owned()),
            (412, _) => Error::Changed,
            (416, _) => {
                Error::OutOfRange { total: text(headers, "content-range").and_then(|range| after_slash(&range)) }
            }
            (405 | 501, _) | (400, "NotImplemented" | "AccessControlListNotSupported") => {
                Error::Unsupported { host, code }
            }
            (401 | 403, _) => Error::Denied { host, code, message: told.message, anonymous: self.is_anonymous() },
            (status @ (429 | 503), _) => Error::Busy { host, status, after: asked_wait(headers) },
            (status @ 500.., _) => Error::Failed { host, status, code },
            (400, "RequestTimeout") => Error::Failed { host, status: 400, code },
            (status, _) => Error::Refused { host, status, code, message: told.message },
        }
    }

    /// How far the clocks are apart, when that is far enough to be the reason.
    fn skew(&self, headers: &HeaderMap) -> Option<Error> {
        let theirs = http_date(headers.get(DATE)?.to_str().ok()?)?;
        let (by, ahead) = match SystemTime::now().duration_since(theirs) {
            Ok(by) => (by, true),
            Err(error) => (error.duration(), false),
        };
        (by > SKEW).then_some(Error::Clock { by, ahead })
    }
}

/// The region of "the region is wrong; expecting 'eu-central-1'".
fn expected(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("region")?.1.split_once("expecting '")?;
    let (region, _) = rest.split_once('\'')?;
    (!region.is_empty()).then(|| region.to_owned())
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Head => reqwest::Method::HEAD,
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A header's text.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|text| text.trim().to_owned())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(SystemTime::from)
}

/// The total of `bytes */1234`.
pub(super) fn after_slash(range: &str) -> Option<u64> {
    range.rsplit_once('/').and_then(|(_, total)| total.parse().ok())
}

fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::{Addressing, S3Config, Secret};
    use s3s::auth::SimpleAuth;
    use s3s::host::MultiDomain;
    use s3s::service::S3ServiceBuilder;

    /// A real server judges the signature; it is not asked over the network, where no name leads to it.
    #[tokio::test]
    async fn signatures_hold_for_virtual_hosts() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        std::fs::write(folder.path().join("files/a b.txt"), "hello").unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("id", "secret"));
        builder.set_host(MultiDomain::new(["s3.example.com", "s3.example.com:8443"]).unwrap());
        let service = builder.build();
        for (secret, port, status) in [("secret", "", 200), ("secret", ":8443", 200), ("wrong", "", 403)] {
            let config = S3Config {
                endpoint: Some(format!("https://s3.example.com{port}").parse().unwrap()),
                bucket: Some("files".into()),
                addressing: Some(Addressing::VirtualHost),
                access_key: Some("id".into()),
                secret_key: Some(Secret::new(secret)),
                ..S3Config::default()
            };
            let url = Bucket::open(&config).unwrap().signed(&Call::new(Method::Get, Some("a b.txt".into())));
            assert_eq!((url.host_str(), url.path()), (Some("files.s3.example.com"), "/a%20b.txt"));
            let request = hyper::Request::get(format!("{}?{}", url.path(), url.query().unwrap()))
                .header("host", format!("files.s3.example.com{port}"))
                .body(s3s::Body::empty())
                .unwrap();
            assert_eq!(service.call(request).await.unwrap().status(), status, "{secret} {port}");
        }
    }
}
