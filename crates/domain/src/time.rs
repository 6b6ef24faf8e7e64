//! One instant: epoch milliseconds, UTC. The database, the queue and the ids all count this way.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    pub fn now() -> Self {
        Self(Timestamp::now().as_millisecond())
    }
    pub fn millis(self) -> i64 {
        self.0
    }
    /// Whole seconds since the epoch, as OAuth's `created_at` wants them.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
    fn civil(self) -> DateTime {
        let t = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        TimeZone::UTC.to_datetime(t)
    }
    /// `2019-12-05T04:05:08.302Z`: exactly milliseconds, as Mastodon's clients expect.
    pub fn iso(self) -> String {
        let mut out = String::with_capacity(24);
        self.write_iso(&mut out);
        out
    }
    /// Appends [`Time::iso`] to `out`.
    pub fn write_iso(self, out: &mut String) {
        let d = self.civil();
        let date = (i64::from(d.year()), i64::from(d.month()), i64::from(d.day()));
        push_digits(out, date.0, 4);
        out.push('-');
        push_digits(out, date.1, 2);
        out.push('-');
        push_digits(out, date.2, 2);
        out.push('T');
        push_digits(out, i64::from(d.hour()), 2);
        out.push(':');
        push_digits(out, i64::from(d.minute()), 2);
        out.push(':');
        push_digits(out, i64::from(d.second()), 2);
        out.push('.');
        push_digits(out, self.0.rem_euclid(1000), 3);
        out.push('Z');
    }
    /// `2019-12-05`
    pub fn date(self) -> String {
        self.civil().date().to_string()
    }
    /// The day's first instant: accounts show no more than the day they were made.
    pub fn midnight(self) -> Self {
        Self(self.0 - self.0.rem_euclid(86_400_000))
    }
    /// Reads RFC 3339 and what browsers send (`2030-01-01T00:00`, taken as UTC).
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(t) = text.parse::<Timestamp>() {
            return Some(Self(t.as_millisecond()));
        }
        let d = text.parse::<DateTime>().ok()?;
        let z = d.to_zoned(TimeZone::UTC).ok()?;
        Some(Self(z.timestamp().as_millisecond()))
    }
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
    pub fn minus(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
    /// Time from `earlier` to this; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        let d = SignedDuration::from_millis(self.0.saturating_sub(earlier.0));
        d.try_into().unwrap_or(Duration::ZERO)
    }
}

fn push_digits(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value.unsigned_abs() / 10u64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_is_exactly_milliseconds_and_parses_back() {
        let t = Time(1_575_518_708_302);
        assert_eq!(t.iso(), "2019-12-05T04:05:08.302Z");
        assert_eq!(Time::parse(&t.iso()), Some(t));
        assert_eq!(t.date(), "2019-12-05");
        assert_eq!(t.midnight().iso(), "2019-12-05T00:00:00.000Z");
        assert_eq!(Time(0).iso(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time::parse("2030-01-01T00:00"), Time::parse("2030-01-01T00:00:00Z"));
        assert_eq!(Time::parse("soon"), None);
    }
}
