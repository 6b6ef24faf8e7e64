//! Files that are shown as they are: handed on as they come, after a look at how they begin.

use super::make::{spooled, streamed};
use super::source::{Family, Source};
use super::trouble::{Trouble, broken};
use super::{GOOD, Remote};
use axum::http::{StatusCode, header};
use bytes::{Bytes, BytesMut};
use edge::cache::{Failure, Meta, Reply, TO_THE_END, Want};
use federation::fetch::{self, Ask, Body};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::ops::Range;

/// So many bytes tell what a file is.
const BEGINNING: usize = 64;

/// Where an answer's bytes belong.
struct Place {
    start: u64,
    /// Of the whole file.
    total: Option<u64>,
}

impl Remote {
    pub(super) async fn carry(&self, source: &Source, family: Family, want: &Want) -> Result<Reply, Trouble> {
        self.may_ask(source)?;
        let bounds = self.bounds(family);
        let part = part(family, &want.slice);
        let ask = Ask { part, ..Ask::foreign(&source.url, accept(family), bounds) };
        let reply = self.0.parts.federation.files.open(&ask).await?;
        let place = place(&reply)?;
        if place.total.is_some_and(|total| total > bounds.bytes as u64) {
            return Err(fetch::Error::TooLarge.into());
        }
        let status = reply.status;
        let said = known(reply.content_type()).or_else(|| known(source.said.as_deref().unwrap_or_default()));
        let (beginning, body) = begun(reply.body).await?;
        let content_type = match place.start {
            0 => media::sniffed(&beginning),
            // What a file is was seen when its beginning came by.
            _ => said.or(Some("video/mp4")),
        };
        let content_type = content_type.filter(|kind| family.has(kind)).ok_or(Trouble::NotMedia)?;
        let meta = Meta {
            content_type: Some(content_type.to_owned()),
            start: place.start,
            total: place.total,
            etag: Some(source.etag()),
            fresh_for: Some(GOOD),
            ..Meta::default()
        };
        let body = stream::once(async { Ok(beginning) }).chain(pieces(body)).boxed();
        if place.total.is_none() && family == Family::Picture {
            // Only the end tells how long it is, and the cache wants to know before.
            let (file, length) = spooled(body.map_err(Trouble::from), &self.0.parts.store.spool()).await?;
            let meta = Meta { total: Some(length), ..meta };
            return Ok(Reply { status: 200, meta, body: streamed(media::Content::File(file)) });
        }
        let body = body.map_err(broken).boxed();
        let status = if status == StatusCode::PARTIAL_CONTENT { 206 } else { 200 };
        Ok(Reply { status, meta, body })
    }
}

/// Pictures are fetched whole: few are longer than a slice.
fn part(family: Family, slice: &Range<u64>) -> Option<(u64, u64)> {
    let is_part = family != Family::Picture && slice.end != TO_THE_END;
    is_part.then_some((slice.start, slice.end))
}

fn accept(family: Family) -> &'static str {
    match family {
        Family::Picture => "image/*",
        Family::Film => "video/*, audio/*",
        Family::Any => "image/*, video/*, audio/*",
    }
}

fn known(content_type: &str) -> Option<&'static str> {
    media::known_type(content_type.split(';').next().unwrap_or_default().trim())
}

fn place(reply: &fetch::Reply) -> Result<Place, Trouble> {
    let text = |name: header::HeaderName| reply.headers.get(name).and_then(|value| value.to_str().ok());
    if reply.status != StatusCode::PARTIAL_CONTENT {
        let is_plain = text(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
        let total = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()).filter(|_| is_plain);
        return Ok(Place { start: 0, total });
    }
    let range = text(header::CONTENT_RANGE).and_then(content_range);
    let (start, total) = range.ok_or_else(|| fetch::Error::Broken("a part of nobody knows what".to_owned()))?;
    Ok(Place { start, total: Some(total) })
}

/// `bytes 0-99/1234`: where it begins, and the length of the whole.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// The first bytes, and what comes after them.
async fn begun(mut body: Body) -> Result<(Bytes, Body), Trouble> {
    let mut beginning = BytesMut::new();
    while beginning.len() < BEGINNING {
        let Some(piece) = body.next().await else { break };
        beginning.extend_from_slice(&piece?);
    }
    Ok((beginning.freeze(), body))
}

/// What is still to come.
pub(super) fn pieces(body: Body) -> BoxStream<'static, Result<Bytes, fetch::Error>> {
    stream::unfold(body, |mut body| async move {
        let piece = body.next().await?;
        Some((piece, body))
    })
    .boxed()
}

/// So that nobody has to name the type of a body.
pub(super) type Pieces = BoxStream<'static, Result<Bytes, Failure>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_range() {
        assert_eq!(content_range("bytes 0-99/1234"), Some((0, 1234)));
        for text in ["", "bytes */1234", "bytes 0-9/*", "0-9/10", "bytes -9/10", "items 0-9/10"] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }

    #[test]
    fn only_films_come_in_parts() {
        assert_eq!(part(Family::Film, &(0..10)), Some((0, 10)));
        assert_eq!(part(Family::Film, &(0..TO_THE_END)), None);
        assert_eq!(part(Family::Picture, &(0..10)), None);
    }
}
