//! `noren storage check`: does what a server does, and what a stranger must not be able to do.

use super::incomplete;
use super::steps::{Found, Report, refused};
use super::target::Chosen;
use super::{Failure, failed, output};
use anyhow::anyhow;
use bytes::Bytes;
use clap::Args;
use edge::presets::Preset;
use futures_util::TryStreamExt as _;
use media::s3::{Bucket, Error, Headers, Meta, Scope, Source};
use reqwest::{Client, StatusCode};
use std::ops::Range;
use std::time::Duration;

/// The smallest picture there is: strangers are shown nothing else by a server that looks.
const PICTURE: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\xdac`\0\0\0\x02\0\x01\
    \xe5'\xde\xfc\0\0\0\0IEND\xaeB`\x82";
/// The name of a folder for what is stored here.
const FOLDER: &str = "noren-check/";
/// Just long enough to go in parts: three of them.
const LONG: usize = 17 * 1024 * 1024;
const PART: u64 = 8 * 1024 * 1024;
/// More of a stranger's answer is not read.
const ANSWER: usize = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Where strangers read objects: what stands before an object's name in links
    /// [default: the site's media.base_url, for the site's bucket]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

struct Checking<'a> {
    bucket: &'a Bucket,
    report: Report,
    folder: String,
    picture: String,
    long: String,
    url: Option<String>,
}

impl Check {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        if chosen.bucket.is_anonymous() {
            let text = "a check stores and removes objects, which takes a key: set AWS_ACCESS_KEY_ID and \
                        AWS_SECRET_ACCESS_KEY, or say --access-key and --secret-key-file";
            return Err(Failure::Usage(text.into()));
        }
        let of_site = chosen.site.as_ref().map(|config| config.site(&config.domain(None)).media_url);
        let url = self.url.or(of_site).map(|url| url.trim_end_matches('/').to_owned());
        if url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(Failure::Usage("--url: expected an address such as \"https://files.example.com\"".into()));
        }
        let folder = public_folder(chosen.software);
        let name = |extension: &str| format!("{folder}{}", media::keys::file_name(extension));
        let report = Report::new(self.json);
        let (picture, long) = (name("png"), name("bin"));
        let closed = closed(chosen);
        let mut checking = Checking { bucket: &chosen.bucket, report, folder, picture, long, url };
        let begun = checking.begin().await;
        if begun {
            checking.as_owner().await;
            checking.through_the_url().await;
            checking.as_stranger().await;
            for (folder, what) in closed {
                checking.closed(folder, what).await;
            }
            checking.long_file().await;
            checking.clean_up().await;
            let left = incomplete::left(&chosen.bucket).await;
            checking.report.step("uploads that were never ended", left);
        }
        let Report { failed: wrong, all, .. } = checking.report;
        match (wrong, begun) {
            (0, _) => Ok(()),
            (_, true) => Err(failed(anyhow!("{wrong} of {all} checks failed"))),
            (_, false) => Err(failed(anyhow!("nothing else can be checked before this works"))),
        }
    }
}

impl Checking<'_> {
    /// Without this there is nothing to look at.
    async fn begin(&mut self) -> bool {
        let scope = Scope { prefix: self.folder.clone(), limit: 1, ..Scope::default() };
        let listed = Found::of(self.bucket.list(&scope, None).await);
        if !self.report.step("the bucket is there and the key may list it", listed) {
            return false;
        }
        let source = Source::Bytes(Bytes::from_static(PICTURE));
        let headers =
            Headers { content_type: Some("image/png".into()), cache_control: Some("public, max-age=60".into()) };
        let put = self.bucket.put(&self.picture, &source, &headers).await;
        let put = match put {
            Err(error @ Error::Denied { .. }) => Found::Wrong(
                error.to_string(),
                "check with a key that may write: s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload. (An edge needs \
                 none of them: what it is given should only read)"
                    .into(),
            ),
            put => Found::of(put),
        };
        self.report.step("an object can be stored", put)
    }

    async fn as_owner(&mut self) {
        let found = match read(self.bucket, &self.picture, None).await {
            Ok((meta, bytes)) => match (bytes == PICTURE, meta.content_type.as_deref()) {
                (true, Some("image/png")) => Found::Fine(String::new()),
                (true, other) => Found::Wrong(
                    format!("its content type was not kept, it is now {other:?}"),
                    "this provider loses Content-Type: let Noren serve the files instead of the bucket".into(),
                ),
                (false, _) => changed(),
            },
            Err(error) => Found::from_error(&error),
        };
        self.report.step("it comes back as it was stored", found);
        let found = match read(self.bucket, &self.picture, Some(1..4)).await {
            Ok((_, bytes)) if bytes == b"PNG" => Found::Fine(String::new()),
            Ok(_) => changed(),
            Err(error) => Found::from_error(&error),
        };
        self.report.step("a part of it can be read (Range)", found);
    }

    async fn through_the_url(&mut self) {
        let Some(url) = self.url.clone() else {
            let why = "not looked at: say --url, what stands before an object's name in links";
            self.report.step("strangers can read it", Found::Left(why.into()));
            return;
        };
        let object = format!("{url}/{}", self.picture);
        let found = self.public(&object).await;
        if self.report.step(&format!("strangers can read it at {url}"), found) {
            let part = ask(&object, Some("bytes=1-3")).await;
            let found = match part {
                Ok((StatusCode::PARTIAL_CONTENT, body)) if body == b"PNG" => Found::Fine(String::new()),
                Ok((status, _)) => Found::Wrong(
                    format!("the answer is {status}"),
                    "let whatever answers there pass Range on: videos cannot be skipped through without it".into(),
                ),
                Err(why) => Found::Wrong(why, "see what it says".into()),
            };
            self.report.step("strangers can read a part of it there (Range)", found);
        }
        let found = match ask(&format!("{url}/"), None).await {
            Ok((status, body)) if status.is_success() && contains(&body, b"<ListBucketResult") => Found::Wrong(
                "anybody can see the names of all objects".into(),
                "take public listing away: `noren storage policy public-read` allows reading alone".into(),
            ),
            Ok(_) => Found::Fine(String::new()),
            Err(why) => Found::Left(why),
        };
        self.report.step("strangers get no list there", found);
    }

    async fn public(&self, object: &str) -> Found {
        let private =
            "`noren storage policy public-read` if the bucket itself answers there; if Noren does, it has to run";
        match ask(object, None).await {
            Ok((StatusCode::OK, body)) if body == PICTURE => Found::Fine(String::new()),
            Ok((StatusCode::OK, _)) => Found::Wrong(
                "something else is answered there".into(),
                "check the URL: it has to lead to this bucket and its prefix".into(),
            ),
            Ok((status @ (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED), _)) => {
                Found::Wrong(format!("the answer is {status}"), private.into())
            }
            Ok((status, _)) => Found::Wrong(
                format!("the answer is {status}"),
                "check the URL: an object's name is put behind it, after a slash".into(),
            ),
            Err(why) => Found::Wrong(why, "check the URL, DNS, and that whatever answers there runs".into()),
        }
    }

    async fn as_stranger(&mut self) {
        let stranger = self.bucket.as_a_stranger();
        let scope = Scope { limit: 1, ..Scope::default() };
        let listed = refused(stranger.list(&scope, None).await, self.bucket, "list");
        self.report.step("strangers cannot list the bucket", listed);
        let source = Source::Bytes(Bytes::from_static(b"stranger"));
        let name = format!("{}.stranger", self.picture);
        let written = stranger.put(&name, &source, &Headers::default()).await;
        // Some answer as if they had done it.
        let written = match (written, self.bucket.head(&name).await) {
            (Ok(()), Ok(None)) => Err(Error::NoObject),
            (written, _) => written,
        };
        self.report.step("strangers cannot store anything", refused(written, self.bucket, "write to"));
        let _ = self.bucket.delete(&name).await;
    }

    /// Not by the URL, and not from the bucket itself.
    async fn closed(&mut self, folder: &str, what: &str) {
        let name = format!("{folder}/{FOLDER}{}", media::keys::file_name("png"));
        let headers = Headers { content_type: Some("image/png".into()), ..Headers::default() };
        let step = format!("strangers cannot read {folder}/ ({what})");
        if let Err(error) = self.bucket.put(&name, &Source::Bytes(Bytes::from_static(PICTURE)), &headers).await {
            self.report.step(&step, Found::from_error(&error));
            return;
        }
        let mut open = Vec::new();
        if let Ok(Some(_)) = self.bucket.as_a_stranger().get(&name, None).await {
            open.push(self.bucket.url().to_string());
        }
        if let Some(url) = &self.url
            && let Ok((StatusCode::OK, _)) = ask(&format!("{url}/{name}"), None).await
        {
            open.push(url.clone());
        }
        let found = match open.is_empty() {
            true => Found::Fine(String::new()),
            false => Found::Wrong(
                format!("anybody who knows a name can, at {}", open.join(" and ")),
                "`noren storage policy public-read` opens only what is public (with --software for a Mastodon's bucket); \
                 in front of it let `noren edge` answer, with software set, or forbid that folder there"
                    .into(),
            ),
        };
        self.report.step(&step, found);
        let _ = self.bucket.delete(&name).await;
    }

    async fn long_file(&mut self) {
        let content: Vec<u8> = (0..LONG).map(|at| (at / 4096 % 251) as u8).collect();
        let content = Bytes::from(content);
        let stored = self.bucket.put(&self.long, &Source::Bytes(content.clone()), &Headers::default()).await;
        if !self.report.step("a long file can be stored in parts", Found::of(stored)) {
            return;
        }
        // Where the first part ends and the second begins.
        let range = PART - 8192..PART + 8192;
        let found = match read(self.bucket, &self.long, Some(range)).await {
            Ok((meta, bytes)) if meta.total == LONG as u64 => {
                let at = PART as usize;
                if bytes == content[at - 8192..at + 8192] { Found::Fine(String::new()) } else { changed() }
            }
            Ok(_) => changed(),
            Err(error) => Found::from_error(&error),
        };
        self.report.step("it comes back in the right order", found);
    }

    async fn clean_up(&mut self) {
        let mut found = Found::Fine(String::new());
        for key in [&self.picture, &self.long] {
            found = match (found, self.bucket.delete(key).await) {
                (Found::Fine(_), Ok(())) => match self.bucket.head(key).await {
                    Ok(None) => Found::Fine(String::new()),
                    Ok(Some(_)) => Found::Wrong(
                        "it is still there".into(),
                        "if the bucket keeps old versions (versioning), switch that off: nothing would ever go".into(),
                    ),
                    Err(error) => Found::from_error(&error),
                },
                (Found::Fine(_), Err(error)) => Found::from_error(&error),
                (wrong, _) => wrong,
            };
        }
        if !self.report.step("objects can be removed", found) {
            output::note(format_args!("left behind: {} and {}", self.picture, self.long));
        }
    }
}

/// A folder that strangers may read, if any.
fn public_folder(software: Option<&Preset>) -> String {
    match software.map(|preset| preset.public) {
        Some([]) => FOLDER.to_owned(),
        None => format!("cache/{FOLDER}"),
        Some(folders) => {
            let folder = folders.iter().find(|folder| **folder == "cache").or(folders.first());
            format!("{}/{FOLDER}", folder.copied().unwrap_or_default())
        }
    }
}

/// Folders that strangers may not read although they are beside what they may, and what is in them.
fn closed(chosen: &Chosen) -> Vec<(&'static str, &'static str)> {
    let uploads = (media::UPLOADS.trim_end_matches('/'), "pictures that still tell where and when they were taken");
    let of_site = chosen.site.as_ref().map(|_| uploads);
    chosen.software.map(|preset| preset.closed.to_vec()).unwrap_or_default().into_iter().chain(of_site).collect()
}

async fn read(bucket: &Bucket, key: &str, range: Option<Range<u64>>) -> Result<(Meta, Vec<u8>), Error> {
    let object = bucket.get(key, range).await?.ok_or(Error::NoObject)?;
    let chunks: Vec<Bytes> = object.body.try_collect().await?;
    Ok((object.meta, chunks.concat()))
}

/// As a browser would, but for following redirects.
async fn ask(url: &str, range: Option<&str>) -> Result<(StatusCode, Vec<u8>), String> {
    let plain = |error: reqwest::Error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        cause.to_string()
    };
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(30));
    let client = client.build().map_err(plain)?;
    let request = client.get(url);
    let request = match range {
        Some(range) => request.header("range", range),
        None => request,
    };
    let mut response = request.send().await.map_err(plain)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(plain)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER {
            break;
        }
    }
    Ok((response.status(), body))
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

fn changed() -> Found {
    let advice = "something between here and the bucket changes what passes: look for proxies that compress or convert";
    Found::Wrong("it is not what was stored".into(), advice.into())
}
