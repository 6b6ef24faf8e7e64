//! How old a signature may be, and how far clocks may be apart.

use super::Refusal;
use domain::Time;
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use std::time::Duration;

/// Into the future and into the past. Mastodon accepts about as much; whoever sends again later signs again.
const DRIFT: Duration = Duration::from_secs(3600);

/// `created`, and when the signature ends where it tells.
pub(super) fn check(created: Time, expires: Option<Time>, now: Time) -> Result<(), Refusal> {
    let near = created >= now.minus(DRIFT) && created <= now.plus(DRIFT);
    let open = expires.is_none_or(|at| at >= created && at >= now.minus(DRIFT));
    if near && open { Ok(()) } else { Err(Refusal::Window) }
}

/// Seconds since the epoch.
pub(super) fn of_seconds(seconds: i64) -> Option<Time> {
    seconds.checked_mul(1000).map(Time)
}

/// `Tue, 20 Apr 2021 02:07:55 GMT`
pub(crate) fn of_date(text: &str) -> Option<Time> {
    let parsed = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    Some(Time(parsed.as_millisecond()))
}

pub(super) fn date(time: Time) -> Option<String> {
    let at = Timestamp::from_millisecond(time.millis()).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        let time = of_date("Tue, 20 Apr 2021 02:07:55 GMT").unwrap();
        assert_eq!(time.seconds(), 1_618_884_475);
        assert_eq!(date(time).unwrap(), "Tue, 20 Apr 2021 02:07:55 GMT");
        assert_eq!(of_date("yesterday"), None);
    }

    #[test]
    fn an_hour_either_way() {
        let now = Time(1_800_000_000_000);
        let at = |seconds: i64| Time(now.millis() + seconds * 1000);
        for (created, expires, ok) in [
            (0, None, true),
            (-3600, None, true),
            (3600, None, true),
            (-3601, None, false),
            (3601, None, false),
            (-10, Some(300), true),
            (-600, Some(-300), true),
            (-3600, Some(-3601), false),
            (10, Some(9), false),
        ] {
            assert_eq!(check(at(created), expires.map(at), now).is_ok(), ok, "{created} {expires:?}");
        }
    }
}
