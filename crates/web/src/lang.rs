//! Which language a page speaks.

use axum::http::{HeaderMap, header};
use domain::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Ja,
}

impl Lang {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The language of a code such as `ja` or `en-GB`, if there are pages in it.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let main = code.trim().split(['-', '_']).next().unwrap_or_default();
        [Self::En, Self::Ja].into_iter().find(|lang| lang.code().eq_ignore_ascii_case(main))
    }

    /// The language that the address names with `lang=`, if there are pages in it.
    pub(crate) fn asked(query: Option<&str>) -> Option<Self> {
        query?.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Self::of_code)
    }

    /// The language of a request: as its address says, else as its browser prefers.
    pub(crate) fn of_request(query: Option<&str>, headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self::asked(query).unwrap_or_else(|| Self::accepted(accepted.unwrap_or_default()))
    }

    /// The best language for an Accept-Language header; English for those who want none that there is.
    fn accepted(header: &str) -> Self {
        let mut best: Option<(Self, f32)> = None;
        for item in header.split(',').take(20) {
            let mut parts = item.split(';');
            let Some(lang) = parts.next().and_then(Self::of_code) else { continue };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > best.map_or(0.0, |(_, weight)| weight) {
                best = Some((lang, weight));
            }
        }
        best.map_or(Self::En, |(lang, _)| lang)
    }

    /// `5 December 2019, 04:05 UTC`; pages without scripts do not know people's clocks.
    pub(crate) fn time(self, time: Time) -> String {
        let iso = time.iso();
        let clock = iso.get(11..16).unwrap_or_default();
        format!("{}{}{clock} UTC", self.date(time), if self == Self::En { ", " } else { " " })
    }

    /// `5 December 2019`
    pub(crate) fn date(self, time: Time) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let date = time.date();
        let mut numbers = date.rsplitn(3, '-').map(|part| part.parse::<usize>().unwrap_or(0));
        let (day, month, year) =
            (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        match self {
            Self::En => format!("{day} {} {year}", MONTHS.get(month.wrapping_sub(1)).unwrap_or(&"?")),
            Self::Ja => format!("{year}年{month}月{day}日"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_say_what_they_prefer() {
        for (header, lang) in [
            ("", Lang::En),
            ("ja", Lang::Ja),
            ("ja-JP,ja;q=0.9,en;q=0.8", Lang::Ja),
            ("en-US,en;q=0.9,ja;q=0.8", Lang::En),
            ("fr, ja;q=0.5, en;q=0.4", Lang::Ja),
            ("de", Lang::En),
            ("*", Lang::En),
            ("en;q=0, ja;q=0.1", Lang::Ja),
            ("ja;q=x", Lang::Ja),
        ] {
            assert_eq!(Lang::accepted(header), lang, "{header}");
        }
    }

    #[test]
    fn dates() {
        let time = Time::parse("2019-12-05T04:05:08.302Z").unwrap();
        assert_eq!(Lang::En.time(time), "5 December 2019, 04:05 UTC");
        assert_eq!(Lang::Ja.time(time), "2019年12月5日 04:05 UTC");
    }
}
