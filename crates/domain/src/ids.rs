//! Ids: snowflakes in Mastodon's own layout (milliseconds << 16 | sequence), a type for each noun.

use crate::Time;
use std::sync::atomic::{AtomicI64, Ordering};

/// A type that wraps a row's id.
pub trait Id: Copy {
    fn from_raw(raw: i64) -> Self;
    fn raw(self) -> i64;
}

/// The next id: never twice in one process, ascending, and its time can be read back from it.
pub fn next<I: Id>() -> I {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let floor = Time::now().millis() << 16;
    let seed = i64::from(std::process::id() & 0x0f) << 12;
    let mut last = LAST.load(Ordering::Relaxed);
    loop {
        let id = if last >= floor { last + 1 } else { floor | seed };
        match LAST.compare_exchange_weak(last, id, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return I::from_raw(id),
            Err(seen) => last = seen,
        }
    }
}

/// The smallest id that a row made at `time` can have.
pub fn floor<I: Id>(time: Time) -> I {
    I::from_raw(time.millis() << 16)
}

/// An id for something that was made elsewhere at `time`: with this time in it, so that it stands where it belongs.
/// May be taken; not later than now, and not before 1970: ids are above zero.
pub fn at<I: Id>(time: Time) -> I {
    static TURN: AtomicI64 = AtomicI64::new(0);
    let turn = TURN.fetch_add(7919, Ordering::Relaxed) ^ Time::now().millis();
    I::from_raw((time.min(Time::now()).millis().max(0) << 16) | (turn & 0xffff))
}

macro_rules! ids {
    ($($name:ident),* $(,)?) => { $(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);
        impl Id for $name {
            fn from_raw(raw: i64) -> Self { Self(raw) }
            fn raw(self) -> i64 { self.0 }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> { s.parse().map(Self) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        crate::db::column!($name, i64);
    )* };
}
ids!(
    AccountId,
    ActivityId,
    AliasId,
    AppId,
    ArrivalId,
    BlockId,
    BookmarkId,
    CardId,
    ConversationId,
    DomainAllowId,
    DomainBlockId,
    EmojiId,
    EndorsementId,
    FavouriteId,
    FeaturedTagId,
    FollowId,
    FollowedTagId,
    InviteId,
    JobId,
    ListId,
    ListMemberId,
    MediaId,
    MuteId,
    NotificationId,
    NotificationRequestId,
    PollId,
    ReactionId,
    RelayId,
    ReportId,
    ScheduledId,
    SessionId,
    StatusId,
    TagId,
    TokenId,
    UserId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_carry_their_time() {
        let before = floor::<StatusId>(Time::now());
        let made: Vec<StatusId> = (0..100_000).map(|_| next()).collect();
        assert!(made.windows(2).all(|w| w[0] < w[1]));
        assert!(made[0] >= before);
    }

    #[test]
    fn ids_are_strings_in_json() {
        assert_eq!(serde_json::to_string(&StatusId(1 << 60)).unwrap(), "\"1152921504606846976\"");
        assert_eq!(serde_json::from_str::<StatusId>("\"7\"").unwrap(), StatusId(7));
    }
}
