//! Uploads in parts that were begun, and neither ended nor given up. No listing shows them, and they cost what objects
//! cost. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>

use super::call::Call;
use super::{Bucket, Error, Result, xml};
use rusty_s3::Method;
use std::time::SystemTime;

/// An upload that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the object is to be called, without the bucket's prefix.
    pub key: String,
    /// There may be several for one key.
    pub id: String,
    /// When it was begun.
    pub begun: SystemTime,
}

/// One page of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uploads {
    pub uploads: Vec<Upload>,
    /// What to give to the next call; `None` at the end.
    pub next: Option<After>,
}

/// Where the next page begins: as the bucket knows it, key and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After(String, String);

/// Longer than any server makes them.
const ID: usize = 2048;
/// An upload has at most ten thousand parts, and a page of them a thousand.
const PAGES: usize = 10;

impl Bucket {
    /// Uploads of keys that begin with `start`; `after` is that of the page before.
    pub async fn uploads(&self, start: &str, after: Option<&After>) -> Result<Uploads> {
        let mut call = Call::new(Method::Get, None)
            .query("uploads", "")
            .query("max-uploads", "1000")
            .query("prefix", format!("{}{start}", self.0.prefix));
        if let Some(After(key, id)) = after {
            call = call.query("key-marker", key);
            if !id.is_empty() {
                call = call.query("upload-id-marker", id);
            }
        }
        let meaning = |answer: &[u8]| page(answer, &self.0.prefix).map_err(|why| self.broken(why));
        let page = self.send_and_read(&call, meaning).await?;
        match after.is_some() && page.next.as_ref() == after {
            true => Err(self.broken("its pages go round in a circle")),
            false => Ok(page),
        }
    }

    /// How many bytes of an upload are there; `None` when it is not there any more, or its parts have no end.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
    pub async fn uploaded(&self, upload: &Upload) -> Result<Option<u64>> {
        let (full, mut sum, mut after) = (self.full(&upload.key)?, 0u64, None::<u64>);
        for _ in 0..PAGES {
            let mut call = Call::new(Method::Get, Some(full.clone())).query("uploadId", upload.id.as_str());
            if let Some(number) = after {
                call = call.query("part-number-marker", number.to_string());
            }
            let page = self.send_and_read(&call, |answer| parts(answer).map_err(|why| self.broken(why))).await;
            let page = match page {
                Err(Error::NoObject | Error::Refused { status: 404, .. }) => return Ok(None),
                page => page?,
            };
            sum = sum.saturating_add(page.sum);
            if page.next.is_none() {
                return Ok(Some(sum));
            }
            after = page.next;
        }
        Ok(None)
    }

    /// Gives an upload up: its parts are removed. One that is not there any more is no error.
    pub async fn give_up(&self, upload: &Upload) -> Result<()> {
        self.abort(&self.full(&upload.key)?, &upload.id).await
    }
}

/// One page of an upload's parts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    sum: u64,
    /// The number behind which the next page begins.
    next: Option<u64>,
}

fn parts(answer: &[u8]) -> Result<Parts, String> {
    let (mut found, mut truncated, mut last, mut is_listing, mut wrong) = (Parts::default(), false, None, false, false);
    xml::read(answer, |path, text| {
        // Not every server calls it as S3 does.
        let ["ListPartsResult" | "ListPartsResponse", inside @ ..] = path else { return };
        match inside {
            [] => is_listing = true,
            ["Part", "Size"] => match text.trim().parse::<u64>() {
                Ok(size) => found.sum = found.sum.saturating_add(size),
                Err(_) => wrong = true,
            },
            ["Part", "PartNumber"] => last = text.trim().parse().ok(),
            ["NextPartNumberMarker"] => found.next = text.trim().parse().ok(),
            ["IsTruncated"] => truncated = text.trim() == "true",
            _ => {}
        }
    })?;
    if !is_listing || wrong {
        return Err("it is no listing of parts".into());
    }
    // Servers that say where the next page begins say so on the last one, too.
    found.next = if truncated { found.next.filter(|number| *number > 0).or(last) } else { None };
    match truncated && found.next.is_none() {
        true => Err("it has more parts but does not say how to go on".into()),
        false => Ok(found),
    }
}

#[derive(Default)]
struct Listing {
    uploads: Vec<Upload>,
    truncated: bool,
    next_key: String,
    next_id: String,
    is_listing: bool,
    key: String,
    id: String,
    begun: Option<SystemTime>,
    wrong: bool,
}

fn page(answer: &[u8], prefix: &str) -> Result<Uploads, String> {
    let mut listing = Listing::default();
    xml::read(answer, |path, text| listing.element(path, text))?;
    let Listing { mut uploads, truncated, next_key, next_id, is_listing, wrong, .. } = listing;
    if !is_listing {
        return Err("it is no listing of uploads".into());
    }
    if wrong {
        return Err("it lists an upload without its id or time".into());
    }
    let next = match (truncated, next_key.is_empty(), uploads.last()) {
        (false, ..) => None,
        (true, false, _) => Some(After(next_key, next_id)),
        (true, true, Some(last)) => Some(After(last.key.clone(), last.id.clone())),
        (true, true, None) => return Err("it has more but does not say how to go on".into()),
    };
    // One that is asked for the prefix and does not know it tells of others, too.
    uploads.retain(|upload| upload.key.len() > prefix.len() && upload.key.starts_with(prefix));
    for upload in &mut uploads {
        upload.key.drain(..prefix.len());
    }
    Ok(Uploads { uploads, next })
}

impl Listing {
    fn element(&mut self, path: &[&str], text: &str) {
        match path {
            ["ListMultipartUploadsResult", "Upload", "Key"] => self.key = text.to_owned(),
            ["ListMultipartUploadsResult", "Upload", "UploadId"] => self.id = text.trim().to_owned(),
            ["ListMultipartUploadsResult", "Upload", "Initiated"] => {
                self.begun = text.trim().parse::<jiff::Timestamp>().ok().map(SystemTime::from);
            }
            ["ListMultipartUploadsResult", "Upload"] => {
                let (key, id) = (std::mem::take(&mut self.key), std::mem::take(&mut self.id));
                match self.begun.take() {
                    Some(begun) if !id.is_empty() && id.len() <= ID => self.uploads.push(Upload { key, id, begun }),
                    _ => self.wrong = true,
                }
            }
            ["ListMultipartUploadsResult", "IsTruncated"] => self.truncated = text.trim() == "true",
            ["ListMultipartUploadsResult", "NextKeyMarker"] => self.next_key = text.to_owned(),
            ["ListMultipartUploadsResult", "NextUploadIdMarker"] => self.next_id = text.trim().to_owned(),
            ["ListMultipartUploadsResult"] => self.is_listing = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(key: &str) -> String {
        format!(
            "<Upload><Key>{key}</Key><UploadId>i</UploadId><Initiator><ID>x</ID></Initiator>\
             <Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>"
        )
    }

    fn listed(inside: &str) -> Result<Uploads, String> {
        page(format!("<ListMultipartUploadsResult>{inside}</ListMultipartUploadsResult>").as_bytes(), "media/")
    }

    #[test]
    fn only_what_is_below_the_prefix_is_told() {
        let all = [upload("media/a&amp;b"), upload("other/x"), upload("media/"), upload("media")].concat();
        let found = listed(&all).unwrap();
        let keys: Vec<&str> = found.uploads.iter().map(|upload| upload.key.as_str()).collect();
        assert_eq!((keys, found.next), (vec!["a&b"], None));
        assert!(listed("").unwrap().uploads.is_empty());
    }

    #[test]
    fn pages_go_on_where_they_say() {
        let more = |markers: &str| listed(&format!("{}<IsTruncated>true</IsTruncated>{markers}", upload("media/a")));
        let after = |key: &str, id: &str| Some(After(key.into(), id.into()));
        let both = "<NextKeyMarker>media/k</NextKeyMarker><NextUploadIdMarker>n</NextUploadIdMarker>";
        assert_eq!(more(both).unwrap().next, after("media/k", "n"));
        assert_eq!(more("<NextKeyMarker>media/k</NextKeyMarker>").unwrap().next, after("media/k", ""));
        assert_eq!(more("").unwrap().next, after("media/a", "i"));
    }

    #[test]
    fn sizes_of_parts_are_added() {
        let part =
            |number: u64, size: &str| format!("<Part><PartNumber>{number}</PartNumber><Size>{size}</Size></Part>");
        let two = [part(1, "5"), part(7, "18446744073709551615")].concat();
        let more = "<IsTruncated>true</IsTruncated>";
        let next = "<NextPartNumberMarker>9</NextPartNumberMarker>";
        for (inside, wanted) in [
            (String::new(), Some((0, None))),
            (part(1, "5"), Some((5, None))),
            (format!("{next}{}", part(1, "5")), Some((5, None))),
            (two.clone(), Some((u64::MAX, None))),
            (format!("{more}{next}{two}"), Some((u64::MAX, Some(9)))),
            (format!("{more}{two}"), Some((u64::MAX, Some(7)))),
            (more.to_owned(), None),
            (part(1, "-5"), None),
            (part(1, ""), None),
        ] {
            let found = parts(format!("<ListPartsResult>{inside}</ListPartsResult>").as_bytes());
            assert_eq!(found.ok(), wanted.map(|(sum, next)| Parts { sum, next }), "{inside}");
        }
        assert!(parts(b"<ListBucketResult/>").is_err());
        assert!(parts(b"<ListPartsResult>").is_err());
    }

    #[test]
    fn listings_that_make_no_sense_are_refused() {
        let cases = [
            upload("media/a").replace("<UploadId>i</UploadId>", ""),
            upload("media/a").replace("2026", "26"),
            "<IsTruncated>true</IsTruncated>".to_owned(),
        ];
        for case in cases {
            assert!(listed(&case).is_err(), "{case}");
        }
        assert!(page(b"<ListBucketResult/>", "").is_err());
        assert!(page(b"<ListMultipartUploadsResult>", "").is_err());
    }
}
