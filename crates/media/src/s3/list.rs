//! What lies in a bucket, page by page.

use super::call::Call;
use super::{Bucket, Result, xml};
use rusty_s3::Method;
use std::time::SystemTime;

/// Which objects to list. All texts are without the bucket's prefix.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Only keys after this one.
    pub after: Option<String>,
    /// Whether what lies below a further slash is told as one folder.
    pub folders: bool,
    /// Longest page; the bucket may give less, and never more than 1000.
    pub limit: usize,
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its key, without the bucket's prefix.
    pub key: String,
    /// Length in bytes.
    pub len: u64,
    /// When it was stored.
    pub modified: SystemTime,
    /// With its quotation marks, where it is told.
    pub etag: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their bytes.
    pub objects: Vec<Found>,
    /// With their slashes, if they were asked for.
    pub folders: Vec<String>,
    /// What to give to the next call; `None` at the end.
    pub next: Option<Next>,
}

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// As the server wants to be told.
    Token(String),
    /// After this key, for servers that give no token.
    After(String),
}

impl Bucket {
    /// One page; `next` is that of the page before. Keys are not asked for in an encoded form: XML can hold nearly all
    /// of them, and not every server that is asked encodes.
    pub async fn list(&self, scope: &Scope, next: Option<&Next>) -> Result<Page> {
        let mut call = Call::new(Method::Get, None)
            .query("list-type", "2")
            .query("max-keys", scope.limit.clamp(1, 1000).to_string())
            .query("prefix", format!("{}{}", self.0.prefix, scope.prefix));
        if scope.folders {
            call = call.query("delimiter", "/");
        }
        call = match (next, &scope.after) {
            (Some(Next::Token(token)), _) => call.query("continuation-token", token),
            (Some(Next::After(key)), _) | (None, Some(key)) => {
                call.query("start-after", format!("{}{key}", self.0.prefix))
            }
            (None, None) => call,
        };
        let meaning = |answer: &[u8]| page(answer, &self.0.prefix).map_err(|why| self.broken(why));
        let page = self.send_and_read(&call, meaning).await?;
        match next.is_some() && page.next.as_ref() == next {
            true => Err(self.broken("its pages go round in a circle")),
            false => Ok(page),
        }
    }
}

#[derive(Default)]
struct Listing {
    page: Page,
    truncated: bool,
    token: Option<String>,
    is_listing: bool,
    key: String,
    len: Option<u64>,
    modified: Option<SystemTime>,
    etag: Option<String>,
    wrong: Option<&'static str>,
}

fn page(answer: &[u8], prefix: &str) -> Result<Page, String> {
    let mut listing = Listing::default();
    xml::read(answer, |path, text| listing.element(path, text))?;
    if let Some(wrong) = listing.wrong {
        return Err(wrong.into());
    }
    let Listing { mut page, truncated, token, is_listing, .. } = listing;
    if !is_listing {
        return Err("it is no listing".into());
    }
    let plain = |key: &str| key.strip_prefix(prefix).map(str::to_owned);
    let outside = "it lists what was not asked for";
    for found in &mut page.objects {
        found.key = plain(&found.key).ok_or(outside)?;
    }
    for folder in &mut page.folders {
        *folder = plain(folder).ok_or(outside)?;
    }
    let last = page.objects.last().map(|found| &found.key).max(page.folders.last());
    page.next = match token.filter(|token| !token.is_empty()).map(Next::Token) {
        _ if !truncated => None,
        None => Some(Next::After(last.ok_or("it has more but does not say how to go on")?.clone())),
        token => token,
    };
    // The marker of a folder that some programs make.
    page.objects.retain(|found| !found.key.is_empty());
    Ok(page)
}

impl Listing {
    fn element(&mut self, path: &[&str], text: &str) {
        match path {
            ["ListBucketResult", "Contents", "Key"] => self.key = text.to_owned(),
            ["ListBucketResult", "Contents", "Size"] => self.len = text.trim().parse().ok(),
            ["ListBucketResult", "Contents", "LastModified"] => {
                self.modified = text.trim().parse::<jiff::Timestamp>().ok().map(SystemTime::from);
            }
            ["ListBucketResult", "Contents", "ETag"] => {
                self.etag = Some(text.to_owned()).filter(|etag| !etag.is_empty() && etag.len() <= 256);
            }
            ["ListBucketResult", "Contents"] => match (self.len.take(), self.modified.take()) {
                (Some(len), Some(modified)) => {
                    let (key, etag) = (std::mem::take(&mut self.key), self.etag.take());
                    self.page.objects.push(Found { key, len, modified, etag });
                }
                _ => self.wrong = Some("it lists an object without its length or time"),
            },
            ["ListBucketResult", "CommonPrefixes", "Prefix"] => self.page.folders.push(text.to_owned()),
            ["ListBucketResult", "IsTruncated"] => self.truncated = text.trim() == "true",
            ["ListBucketResult", "NextContinuationToken"] => self.token = Some(text.to_owned()),
            ["ListBucketResult"] => self.is_listing = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(inside: &str) -> Result<Vec<String>, String> {
        let xml = format!("<ListBucketResult>{inside}</ListBucketResult>");
        page(xml.as_bytes(), "media/").map(|page| page.objects.into_iter().map(|found| found.key).collect())
    }

    fn object(key: &str) -> String {
        format!(
            "<Contents><Key>{key}</Key><Size>3</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>"
        )
    }

    #[test]
    fn keys_lose_their_prefix() {
        assert_eq!(listed(&object("media/a+b%20 é&amp;")).unwrap(), ["a+b%20 é&"]);
        assert_eq!(listed(&object("media/")).unwrap(), [""; 0]);
        let spaced = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>true</IsTruncated>\
            <NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
        assert_eq!(page(spaced.as_bytes(), "").unwrap().next, Some(Next::Token("t".into())));
        let without = format!("<ListBucketResult><IsTruncated>true</IsTruncated>{}</ListBucketResult>", object("a"));
        assert_eq!(page(without.as_bytes(), "").unwrap().next, Some(Next::After("a".into())));
    }

    #[test]
    fn listings_that_make_no_sense_are_refused() {
        let cases = [
            object("elsewhere/a"),
            object("media/a").replace("<Size>3</Size>", ""),
            object("media/a").replace(">3<", ">-3<"),
            object("media/a").replace("2026", "26"),
            "<IsTruncated>true</IsTruncated>".to_owned(),
        ];
        for case in cases {
            assert!(listed(&case).is_err(), "{case}");
        }
        assert!(page(b"<html/>", "").is_err());
        assert!(page(b"<ListBucketResult><Contents>", "").is_err());
    }
}
