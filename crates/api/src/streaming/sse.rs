//! Server-sent events: one stream for each connection, chosen by the path.

use super::{
    Query,
    listeners::Seat,
    topic::{Stream, name_of_path},
    who,
};
use crate::{
    App,
    http::{ApiError, ApiResult, Params, Path},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::io::{Error, ErrorKind};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Request extension by which a stream can end the connection that it is sent on. Ending the body is not enough for a
/// client that does not read: nobody asks for the body's next part then. The server cuts the connection when this is
/// cancelled.
#[derive(Clone, Debug, Default)]
pub struct Hangup(pub CancellationToken);

const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (header::CACHE_CONTROL, "private, no-store"),
    // Asks nginx not to wait until there is more.
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// `GET /api/v1/streaming/user` and the other paths <https://docs.joinmastodon.org/methods/streaming/#http>
pub(super) async fn listen(
    State(app): State<App>,
    Path(path): Path<String>,
    hangup: Option<Extension<Hangup>>,
    (headers, Params(query)): (HeaderMap, Params<Query>),
) -> ApiResult<Response> {
    let unknown = || ApiError::bad_request("Unknown channel requested");
    let name = name_of_path(&path, query.only_media).ok_or_else(unknown)?;
    let bearer = who::bearer(&headers, query.access_token.as_deref())?;
    let who = who::authenticate(&app, bearer).await?;
    let stream = Stream::find(name, query.words(), (who.account, who.scopes))?;
    stream.topic.check_owner(&app, who.account).await?;
    let mut seat = app.streams.seat(who)?;
    seat.subscribe(stream)?;
    let mut lines = Lines::new(app, seat);
    lines.cut = hangup.map(|Extension(Hangup(hangup))| {
        let closed = lines.seat.connection.outbox.closed().clone();
        AbortOnDropHandle::new(tokio::spawn(async move {
            closed.cancelled().await;
            hangup.cancel();
        }))
    });
    let body = Body::from_stream(stream::unfold(lines, |mut lines| async {
        let next = lines.next().await?;
        Some((next.map(Bytes::from), lines))
    }));
    Ok((HEADERS, body).into_response())
}

struct Lines {
    app: App,
    seat: Seat,
    opened: bool,
    thump: Interval,
    recheck: Interval,
    #[allow(dead_code, reason = "held: ends with the stream")]
    cut: Option<AbortOnDropHandle<()>>,
}

impl Lines {
    fn new(app: App, seat: Seat) -> Self {
        let timing = app.streams.timing();
        let mut thump = interval_at(Instant::now() + timing.thump, timing.thump);
        thump.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first look is now: the token may have been revoked just before its connection could be found.
        Self { app, seat, opened: false, thump, recheck: interval(timing.recheck), cut: None }
    }

    /// What to send next; None at the end. An error for whoever is cut off: an answer that ends properly would say that
    /// nothing is missing.
    async fn next(&mut self) -> Option<Result<String, Error>> {
        if !std::mem::replace(&mut self.opened, true) {
            return Some(Ok(":)\n".to_owned()));
        }
        loop {
            let connection = &self.seat.connection;
            tokio::select! {
                () = self.app.streams.stopping().cancelled() => return None,
                outgoing = connection.outbox.next() => {
                    let cut_off = || Error::from(ErrorKind::ConnectionAborted);
                    return Some(outgoing.map(|outgoing| outgoing.message.lines()).ok_or_else(cut_off));
                }
                _ = self.thump.tick() => return Some(Ok(":thump\n".to_owned())),
                _ = self.recheck.tick() => {
                    if !connection.who.still_good(&self.app).await {
                        return None;
                    }
                }
            }
        }
    }
}
