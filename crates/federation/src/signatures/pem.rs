//! The envelope of keys: `-----BEGIN …-----` round base64.

use base64::{
    Engine as _,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    engine::{DecodePaddingMode, general_purpose},
};

/// Longest PEM that is looked at: an RSA key of 8192 bits has about 6500 bytes.
const LONGEST: usize = 16 * 1024;
/// Standard base64; padding may be missing, as some senders leave it out.
pub(super) const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// (label, bytes) of the first block; what stands around it is ignored.
pub(super) fn decode(text: &str) -> Option<(&str, Vec<u8>)> {
    if text.len() > LONGEST {
        return None;
    }
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.split_whitespace().collect();
    Some((label, TOLERANT.decode(body).ok()?))
}

pub(super) fn encode(label: &str, bytes: &[u8]) -> String {
    let body = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// Base64 as it stands in headers.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    TOLERANT.decode(text).ok()
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}
