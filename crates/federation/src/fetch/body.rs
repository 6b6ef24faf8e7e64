//! Answers as they arrive: counted, timed, decompressed, and never more than asked for.

use super::send::{Lease, Patience, broken};
use super::watch::unless_enough;
use super::{Bounds, Error};
use axum::http::{HeaderMap, Response, header};
use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::io::{self, Write};
use tokio::time::timeout_at;

/// Bytes of an answer that are read for the connection's sake.
const UNWANTED: usize = 16 * 1024;

/// The body of an answer.
pub struct Body {
    incoming: Incoming,
    decoder: Option<MultiGzDecoder<Room>>,
    /// Bytes that may still come.
    left: usize,
    patience: Patience,
    lease: Option<Lease>,
}

/// Holds what was decompressed and refuses more than there is room for.
struct Room {
    bytes: BytesMut,
    left: usize,
}

impl Write for Room {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(part.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// Refuses at once what says that it is too long, and encodings that nobody asked for.
    pub(super) fn new(
        (headers, incoming): (&HeaderMap, Incoming),
        lease: Lease,
        (bounds, patience): (&Bounds, Patience),
    ) -> Result<Self, Error> {
        let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
        let room = Room { bytes: BytesMut::new(), left: bounds.bytes };
        let decoder = match encoding {
            None | Some("" | "identity") => None,
            Some("gzip" | "x-gzip") => Some(MultiGzDecoder::new(room)),
            Some(_) => return Err(Error::Broken("an encoding that was not asked for".to_owned())),
        };
        let told = incoming.size_hint().lower();
        if told > u64::try_from(bounds.bytes).unwrap_or(u64::MAX) {
            return Err(Error::TooLarge);
        }
        Ok(Self { incoming, decoder, left: bounds.bytes, patience, lease: Some(lease) })
    }

    /// The next piece; None at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            let piece = self.raw().await.and_then(|raw| Ok((raw.is_none(), self.unpacked(raw)?)));
            let (ended, piece) = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    (self.lease, self.decoder) = (None, None);
                    return Some(Err(error));
                }
            };
            if ended {
                self.decoder = None;
                if let Some(lease) = self.lease.take() {
                    lease.give_back();
                }
            }
            match (piece.is_empty(), ended) {
                (false, _) => return Some(Ok(piece)),
                (true, true) => return None,
                (true, false) => {}
            }
        }
    }

    /// What came, or what was still inside the decoder at the end.
    fn unpacked(&mut self, raw: Option<Bytes>) -> Result<Bytes, Error> {
        match (&mut self.decoder, raw) {
            (None, raw) => Ok(raw.unwrap_or_default()),
            (Some(decoder), Some(piece)) => inflate(decoder, &piece),
            (Some(decoder), None) => match decoder.try_finish() {
                Ok(()) => Ok(decoder.get_mut().bytes.split().freeze()),
                Err(_) => Err(Error::Broken("the compressed body ends too early".to_owned())),
            },
        }
    }

    /// As it comes over the wire.
    async fn raw(&mut self) -> Result<Option<Bytes>, Error> {
        if self.lease.is_none() {
            return Ok(None);
        }
        loop {
            let next = timeout_at(self.patience.next(), self.incoming.frame());
            let frame = unless_enough(async { next.await.map_err(|_| Error::TimedOut) }).await?;
            let Some(frame) = frame else { return Ok(None) };
            // Trailers say nothing that is needed.
            if let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() {
                self.left = self.left.checked_sub(data.len()).ok_or(Error::TooLarge)?;
                return Ok(Some(data));
            }
        }
    }

    /// All of it.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all.freeze())
    }
}

/// Reads an answer whose text nobody wants, if it is short: so that its connection can be used again.
pub(super) async fn settle(response: Response<Incoming>, lease: Lease, patience: Patience) {
    if let Some(mut body) = short(response, lease, patience) {
        while let Some(Ok(_)) = body.next().await {}
    }
}

/// The same, and what it read.
pub(super) async fn wanted_or_not(response: Response<Incoming>, lease: Lease, patience: Patience) -> Option<Bytes> {
    short(response, lease, patience)?.bytes().await.ok()
}

fn short(response: Response<Incoming>, lease: Lease, patience: Patience) -> Option<Body> {
    let (parts, incoming) = response.into_parts();
    let bounds = Bounds { bytes: UNWANTED, ..Bounds::DOCUMENT };
    Body::new((&parts.headers, incoming), lease, (&bounds, patience)).ok()
}

fn inflate(decoder: &mut MultiGzDecoder<Room>, piece: &[u8]) -> Result<Bytes, Error> {
    match decoder.write_all(piece) {
        Ok(()) => Ok(decoder.get_mut().bytes.split().freeze()),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(Error::TooLarge),
        Err(_) => Err(Error::Broken("the compressed body is damaged".to_owned())),
    }
}
