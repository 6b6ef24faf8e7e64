//! A bucket as an origin: signed requests where it has keys, plain ones where it is public.

use super::freshness::Word;
use super::{Asked, Body, Found, Manners, empty, freshness};
use crate::cache::{Failure, Meta, Reply, TO_THE_END, Want};
use crate::config::BucketOrigin;
use futures_util::StreamExt as _;
use media::s3::{Answer, Bucket, Error, Object, S3Config, Secret, Wanted};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The end of a part that goes to the end of an object: more than anybody has, and all servers can read it.
const FAR: u64 = i64::MAX as u64;

/// Of a bucket that was opened by somebody else.
const PLACES: usize = 64;
const PATIENCE: Duration = Duration::from_secs(20);

impl BucketOrigin {
    /// The bucket, with keys of the environment where the configuration names them. Makes no connection.
    pub fn open(&self) -> Result<Bucket, String> {
        let settled = with_environment(&self.bucket, |name| std::env::var(name).ok())?;
        Bucket::open(&settled).map_err(|error| error.to_string())
    }
}

pub(super) struct InBucket {
    bucket: Bucket,
    places: Arc<Semaphore>,
    patience: Duration,
    honour: bool,
}

impl InBucket {
    /// An answer is waited for no longer than `most`, also if it is asked for several times.
    pub(super) fn open(config: &BucketOrigin, (manners, most): (&Manners, Duration)) -> Result<InBucket, String> {
        let bucket = config.open()?;
        let patience = config.bucket.answer_timeout.0.min(most);
        let places = Arc::new(Semaphore::new(config.limits.requests));
        Ok(InBucket { bucket, places, patience, honour: manners.honour })
    }

    /// One that is open already, with the usual limits.
    pub(super) fn of(bucket: Bucket, most: Duration) -> InBucket {
        let places = Arc::new(Semaphore::new(PLACES));
        InBucket { bucket, places, patience: PATIENCE.min(most), honour: false }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) async fn ask(&self, asked: &Asked, want: &Want) -> Result<Found, Failure> {
        let place = timeout(self.patience / 2, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
        let is_whole = want.slice == (0..TO_THE_END);
        let known = want.validators.clone().unwrap_or_default();
        let wanted = Wanted {
            range: (!is_whole).then(|| want.slice.start..want.slice.end.min(FAR)),
            unless_etag: known.etag,
            unless_older: known.last_modified,
        };
        let asking = timeout(self.patience, self.bucket.ask(asked.name.as_str(), wanted)).await;
        match asking.map_err(|_| Failure::TimedOut)? {
            Ok(Answer::Found(object)) => {
                let said = &object.meta;
                let word = freshness::of_stored(said.cache_control.as_deref(), said.expires.as_deref());
                let word = if self.honour { word } else { Word::default() };
                Ok(Found::Reply(reply(object, (is_whole, word), place)))
            }
            Ok(Answer::Unmodified) => Ok(Found::Reply(empty(304, Meta::default()))),
            Err(Error::NoObject | Error::Key(_)) => Ok(Found::Absent),
            // Who may not list a bucket is not told that an object is not there. Wrong keys are another code.
            // Of what was there before it says that something is wrong with the permissions.
            Err(Error::Denied { code, .. }) if code == "AccessDenied" && !want.has_copy => Ok(Found::Absent),
            Err(Error::Denied { code, .. }) if code == "AccessDenied" || code == "AllAccessDisabled" => {
                Err(Failure::Refused(403))
            }
            Err(Error::OutOfRange { total }) => Ok(Found::Reply(empty(416, Meta { total, ..Meta::default() }))),
            Err(error) => Err(failure(&error)),
        }
    }
}

fn reply(object: Object, (is_whole, word): (bool, Word), place: OwnedSemaphorePermit) -> Reply {
    let meta = Meta {
        content_type: object.meta.content_type,
        start: object.meta.start,
        total: Some(object.meta.total),
        etag: object.meta.etag,
        last_modified: object.meta.last_modified,
        fresh_for: word.fresh_for,
        unkept: word.unkept,
        ..Meta::default()
    };
    let pieces = object.body.map(move |piece| {
        let _held = &place;
        piece.map_err(|error| failure(&error))
    });
    let body: Body = pieces.boxed();
    Reply { status: if is_whole { 200 } else { 206 }, meta, body }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Unreachable { .. } | Error::Certificate { .. } => Failure::Unreachable(error.to_string().into()),
        Error::TimedOut { .. } => Failure::TimedOut,
        Error::Busy { status, .. } | Error::Failed { status, .. } | Error::Refused { status, .. } => {
            Failure::Refused(*status)
        }
        Error::Changed => Failure::Changed,
        other => Failure::Broken(other.to_string().into()),
    }
}

/// Keys that are written as "$NAME" are taken from the environment, so that the file can be shown to others.
fn with_environment(config: &S3Config, lookup: impl Fn(&str) -> Option<String>) -> Result<S3Config, String> {
    let read = |key: &str, text: &str| match text.strip_prefix('$') {
        Some(name) => lookup(name).ok_or_else(|| format!("{key}: {name} is not in the environment")),
        None => Ok(text.to_owned()),
    };
    let mut config = config.clone();
    if let Some(id) = &config.access_key {
        config.access_key = Some(read("access_key", id)?);
    }
    if let Some(secret) = &config.secret_key {
        config.secret_key = Some(Secret::new(read("secret_key", secret.reveal())?));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_be_in_the_environment() {
        let config = S3Config {
            access_key: Some("$KEY_ID".into()),
            secret_key: Some(Secret::new("$KEY")),
            ..S3Config::default()
        };
        let known = |name: &str| (name == "KEY_ID" || name == "KEY").then(|| format!("{name} value"));
        let read = with_environment(&config, known).unwrap();
        assert_eq!(read.access_key.as_deref(), Some("KEY_ID value"));
        assert_eq!(read.secret_key.map(|secret| secret.reveal().to_owned()).as_deref(), Some("KEY value"));
        let missing = with_environment(&config, |name| (name == "KEY_ID").then(String::new)).unwrap_err();
        assert_eq!(missing, "secret_key: KEY is not in the environment");
        let plain = S3Config { access_key: Some("AKIA".into()), ..S3Config::default() };
        assert_eq!(with_environment(&plain, |_| None).unwrap(), plain);
    }
}
