//! Signatures as other programs make and check them, written from their documents and not from ours.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use url::{Position, Url};

pub(crate) fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, bytes))
}

/// What of a PEM stands between its lines of dashes.
fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(lines).unwrap()
}

/// A value of a header, as text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().map_err(|_| format!("{name} is no text")),
        (Some(_), Some(_)) => Err(format!("{name} is there twice")),
        (None, _) => Err(format!("{name} is missing")),
    }
}

/// A request on its way, whoever sends it: the method in small letters, path and query.
pub(crate) struct Line<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// A signature of the draft, taken apart.
pub(crate) struct Cavage {
    pub(crate) key_id: String,
    pub(crate) covered: Vec<String>,
    signature: Vec<u8>,
}

/// Reads `Signature` the way the strictest do: all four parameters, all in quotes, none twice.
pub(crate) fn cavage(headers: &HeaderMap) -> Result<Cavage, String> {
    let mut parameters = HashMap::new();
    for part in header(headers, "signature")?.split(',') {
        let (name, value) = part.split_once('=').ok_or("Signature cannot be read")?;
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).ok_or("a parameter without quotes")?;
        if parameters.insert(name, value).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    let one = |name: &str| parameters.get(name).copied().ok_or(format!("Signature has no {name}"));
    if !["rsa-sha256", "hs2019"].contains(&one("algorithm")?) {
        return Err("an unknown algorithm".into());
    }
    let covered: Vec<String> = one("headers")?.split(' ').map(str::to_owned).collect();
    let signature = STANDARD.decode(one("signature")?).map_err(|_| "the signature is not base64")?;
    Ok(Cavage { key_id: one("keyId")?.to_owned(), covered, signature })
}

impl Cavage {
    /// Whether it covers what it must and `pem` made it.
    pub(crate) fn holds(&self, line: &Line<'_>, (required, pem): (&[&str], &str)) -> Result<(), String> {
        if let Some(missing) = required.iter().find(|name| !self.covered.iter().any(|c| c == *name)) {
            return Err(format!("{missing} is not signed"));
        }
        let base = base_of(line, &self.covered)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der(pem));
        key.verify(base.as_bytes(), &self.signature).map_err(|_| format!("it does not fit {base:?}"))
    }
}

fn base_of(line: &Line<'_>, covered: &[String]) -> Result<String, String> {
    let mut lines = Vec::new();
    for name in covered {
        let value = match name.as_str() {
            "(request-target)" => format!("{} {}", line.method, line.target),
            name => header(line.headers, name)?.to_owned(),
        };
        lines.push(format!("{name}: {value}"));
    }
    Ok(lines.join("\n"))
}

/// That `Date` is no further from now than so many seconds.
pub(crate) fn fresh(headers: &HeaderMap, seconds: i64) -> Result<(), String> {
    let text = header(headers, "date")?;
    let at = DateTimeParser::new().parse_timestamp(text).map_err(|_| format!("{text} is no date"))?;
    let apart = (jiff::Timestamp::now().as_second() - at.as_second()).abs();
    if text.ends_with(" GMT") && apart <= seconds { Ok(()) } else { Err(format!("{text} is {apart} s away")) }
}

/// That `Digest` has one value, which is the body's, in this spelling.
pub(crate) fn digest_of(headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let wanted = format!("SHA-256={}", sha256(body));
    let found = header(headers, "digest")?;
    if found == wanted { Ok(()) } else { Err(format!("Digest is {found}, not {wanted}")) }
}

/// The signature of RFC 9421 under `sig1`: its key, if `pem_of` that made it and it covers what it must.
pub(crate) fn rfc9421(
    line: &Line<'_>,
    (base_url, body): (&str, &[u8]),
    pem_of: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let input = header(line.headers, "signature-input")?.strip_prefix("sig1=").ok_or("another label")?;
    let (list, parameters) = input[1..].split_once(')').ok_or("no list")?;
    let components: Vec<&str> = list.split(' ').map(|name| name.trim_matches('"')).collect();
    let mut wanted = vec!["@method", "@target-uri"];
    if line.method == "post" {
        wanted.push("content-digest");
        let digest = format!("sha-256=:{}:", sha256(body));
        if header(line.headers, "content-digest")? != digest {
            return Err("Content-Digest does not fit".into());
        }
    }
    if let Some(missing) = wanted.iter().find(|name| !components.contains(name)) {
        return Err(format!("{missing} is not signed"));
    }
    let parameter = |name: &str| parameters.split(';').find_map(|p| p.strip_prefix(name)?.strip_prefix('='));
    let key_id = parameter("keyid").ok_or("no keyid")?.trim_matches('"');
    let created: i64 = parameter("created").and_then(|c| c.parse().ok()).ok_or("no created")?;
    if (jiff::Timestamp::now().as_second() - created).abs() > 300 {
        return Err("it was not made now".into());
    }
    let mut base = String::new();
    for name in components {
        let value = match name {
            "@method" => line.method.to_ascii_uppercase(),
            "@target-uri" => format!("{base_url}{}", line.target),
            name => header(line.headers, name)?.to_owned(),
        };
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {input}"));
    let signature = header(line.headers, "signature")?;
    let bytes = signature.strip_prefix("sig1=:").and_then(|s| s.strip_suffix(':')).ok_or("no sig1")?;
    let pem = pem_of(key_id).ok_or(format!("{key_id} is not known"))?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der(&pem));
    let bytes = STANDARD.decode(bytes).map_err(|_| "not base64")?;
    key.verify(base.as_bytes(), &bytes).map_err(|_| format!("it does not fit {base:?}"))?;
    Ok(key_id.to_owned())
}

/// What somebody signs with.
pub(crate) enum Secret<'a> {
    /// PKCS#8
    Rsa(&'a str),
    /// Seed
    Ed25519(&'a [u8; 32]),
}

impl Secret<'_> {
    fn sign(&self, text: &str) -> String {
        match self {
            Self::Rsa(pem) => {
                let key = RsaKeyPair::from_pkcs8(&der(pem)).unwrap();
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut out).unwrap();
                STANDARD.encode(out)
            }
            Self::Ed25519(seed) => STANDARD.encode(edwards(seed).sign(text.as_bytes())),
        }
    }
}

fn edwards(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).unwrap()
}

/// The public half of a seed as FEP-521a writes it.
pub(crate) fn multikey(seed: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let key = edwards(seed);
    let bytes = [&[0xed, 0x01][..], key.public_key().as_ref()].concat();
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes {
        let mut carry = usize::from(byte);
        for digit in &mut digits {
            carry += usize::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let text: String = digits.iter().rev().map(|digit| char::from(ALPHABET[usize::from(*digit)])).collect();
    format!("z{text}")
}

/// How a program signs.
#[derive(Clone, Copy)]
pub(crate) enum Signs {
    /// The algorithm that it names, what it covers when it sends and when it asks, whether the query is part of that.
    Cavage { algorithm: &'static str, post: &'static [&'static str], get: &'static [&'static str], query: bool },
    /// What it covers when it sends; without the digest when it asks.
    Rfc9421(&'static [&'static str]),
}

/// The headers of a request, the signature last.
pub(crate) fn sign(
    signs: Signs,
    (method, url, body): (&str, &Url, Option<&[u8]>),
    (key_id, secret): (&str, &Secret<'_>),
) -> HeaderMap {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now()).unwrap();
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap()),
        None => url.host_str().unwrap().to_owned(),
    };
    let mut headers = HeaderMap::new();
    put(&mut headers, "host", &host);
    put(&mut headers, "date", &date);
    put(&mut headers, "accept", ACCEPT);
    if let Some(body) = body {
        put(&mut headers, "content-type", "application/activity+json");
        put(&mut headers, "content-length", &body.len().to_string());
        match signs {
            Signs::Cavage { .. } => put(&mut headers, "digest", &format!("SHA-256={}", sha256(body))),
            Signs::Rfc9421(_) => put(&mut headers, "content-digest", &format!("sha-256=:{}:", sha256(body))),
        }
    }
    let line = (method, url, body.is_some());
    match signs {
        Signs::Cavage { .. } => sign_cavage(&mut headers, line, (signs, key_id, secret)),
        Signs::Rfc9421(components) => sign_anew(&mut headers, line, (components, key_id, secret)),
    }
    headers
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
}

/// (method, address, whether there is a body)
type Request<'a> = (&'a str, &'a Url, bool);

fn sign_cavage(
    headers: &mut HeaderMap,
    (method, url, sends): Request<'_>,
    (signs, key_id, secret): (Signs, &str, &Secret<'_>),
) {
    let Signs::Cavage { algorithm, post, get, query } = signs else { return };
    let covered: Vec<String> = if sends { post } else { get }.iter().map(|s| (*s).to_owned()).collect();
    let target = if query { &url[Position::BeforePath..Position::AfterQuery] } else { url.path() };
    let base = base_of(&Line { method, target, headers }, &covered).unwrap();
    let value = format!(
        "keyId=\"{key_id}\",algorithm=\"{algorithm}\",headers=\"{}\",signature=\"{}\"",
        covered.join(" "),
        secret.sign(&base)
    );
    put(headers, "signature", &value);
}

fn sign_anew(
    headers: &mut HeaderMap,
    (method, url, sends): Request<'_>,
    (components, key_id, secret): (&[&str], &str, &Secret<'_>),
) {
    let covered = components.iter().filter(|name| sends || **name != "content-digest");
    let algorithm = if matches!(secret, Secret::Rsa(_)) { "rsa-v1_5-sha256" } else { "ed25519" };
    let names: Vec<String> = covered.clone().map(|name| format!("\"{name}\"")).collect();
    let created = jiff::Timestamp::now().as_second();
    let input = format!("({});alg=\"{algorithm}\";keyid=\"{key_id}\";created={created}", names.join(" "));
    let mut base = String::new();
    for name in covered {
        let value = match *name {
            "@method" => method.to_ascii_uppercase(),
            "@target-uri" => url.to_string(),
            "@authority" => header(headers, "host").unwrap().to_owned(),
            name => header(headers, name).unwrap().to_owned(),
        };
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {input}"));
    put(headers, "signature-input", &format!("sig1={input}"));
    put(headers, "signature", &format!("sig1=:{}:", secret.sign(&base)));
}

/// What all of them ask for.
pub(crate) const ACCEPT: &str =
    "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
