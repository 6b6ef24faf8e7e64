//! Codes that change every half minute, made from a secret that only the app and we know.
//!
//! <https://www.rfc-editor.org/rfc/rfc6238>

use crate::{Result, Time, db::column, secrets, site::Site};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Seconds for which a code is new.
const STEP: i64 = 30;
/// Steps that the clock of a phone may be wrong by.
const DRIFT: i64 = 1;
pub const DIGITS: usize = 6;
/// What apps understand without having been told: the length that RFC 4226 recommends for SHA-1.
const BYTES: usize = 20;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// What an app makes its codes of. Kept in base64; not printed with whatever holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);
column!(Secret, String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    pub(super) fn random() -> Result<Self> {
        Ok(Self::of(&secrets::random::<BYTES>()?))
    }

    fn of(bytes: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn bytes(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(&self.0).unwrap_or_default()
    }

    /// As people type it into an app that cannot see the picture.
    pub fn base32(&self) -> String {
        let bytes = self.bytes();
        let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
        for group in bytes.chunks(5) {
            let mut bits = [0; 8];
            bits[3..3 + group.len()].copy_from_slice(group);
            let bits = u64::from_be_bytes(bits);
            for n in 0..(group.len() * 8).div_ceil(5) {
                let digit = usize::try_from(bits >> (35 - 5 * n) & 31).unwrap_or(0);
                out.push(char::from(BASE32[digit]));
            }
        }
        out
    }

    /// What the picture for the app says.
    /// <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>
    pub fn uri(&self, site: &Site, username: &str) -> String {
        let issuer = utf8_percent_encode(&site.domain, URI);
        format!("otpauth://totp/{issuer}:{username}?secret={}&issuer={issuer}", self.base32())
    }

    /// The step in which a moment falls.
    fn step(now: Time) -> i64 {
        now.seconds().div_euclid(STEP)
    }

    /// The code that an app shows at `now`.
    pub fn code(&self, now: Time) -> String {
        self.code_of(Self::step(now))
    }

    fn code_of(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.bytes());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let start = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
        let mut four = [0; 4];
        if let Some(part) = tag.get(start..start + 4) {
            four.copy_from_slice(part);
        }
        let number = u32::from_be_bytes(four) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// Whether `code` is one for about `now` that is newer than step `used`: its step, which is used up from then on.
    pub(super) fn accept(&self, code: &str, (now, used): (Time, i64)) -> Option<i64> {
        let middle = Self::step(now);
        // All are compared, whichever fits.
        let fitting: Vec<i64> =
            (middle - DRIFT..=middle + DRIFT).filter(|step| secrets::same(&self.code_of(*step), code)).collect();
        fitting.into_iter().find(|step| *step > used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};

    /// RFC 6238, appendix B, the last six of eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Secret::of(b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(Time(seconds * 1000)), code);
        }
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    /// RFC 4648, section 10.
    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ")] {
            assert_eq!(Secret::of(bytes.as_bytes()).base32(), text);
        }
        assert_eq!(Secret::of(b"foobar").base32(), "MZXW6YTBOI");
    }

    #[test]
    fn a_clock_may_be_a_little_wrong() {
        let secret = Secret::of(b"12345678901234567890");
        let now = Time(1_234_567_890_000);
        let step = Secret::step(now);
        for (off, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = secret.code_of(step + off);
            assert_eq!(secret.accept(&code, (now, -1)), fits.then_some(step + off), "{off}");
            assert_eq!(secret.accept(&code, (now, step + off)), None, "used");
        }
        let used = secret.accept(&secret.code_of(step - 1), (now, step));
        assert_eq!(used, None, "older than the one that was used");
        for wrong in ["", "00592", "0059244", "００５９２４", "aaaaaa"] {
            assert_eq!(secret.accept(wrong, (now, -1)), None, "{wrong}");
        }
    }

    #[test]
    fn the_picture_names_the_site() {
        let mut site = crate::users::tests::site();
        site.domain = "localhost:3000".into();
        let uri = Secret::of(b"12345678901234567890").uri(&site, "alice");
        assert_eq!(
            uri,
            "otpauth://totp/localhost%3A3000:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=localhost%3A3000"
        );
    }

    proptest! {
        #[test]
        fn any_secret_can_be_used(bytes in prop::collection::vec(any::<u8>(), 0..64), seconds in 0_i64..1 << 40) {
            let secret = Secret::of(&bytes);
            let code = secret.code(Time(seconds * 1000));
            assert!(code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit()));
            assert_eq!(secret.base32().len(), (bytes.len() * 8).div_ceil(5));
        }
    }
}
