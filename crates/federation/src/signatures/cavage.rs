//! draft-cavage-http-signatures-12 the way the fediverse speaks it.

use super::base::{self, Parts};
use super::keys::Algorithm;
use super::{Form, Incoming, KeyError, Ours, Outgoing, Refusal, Signed, Signer, digest, params, pem, window};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use domain::Time;

pub(super) const TARGET: &str = "(request-target)";
/// What every header of this draft says and none of the other form: base64 has `=` at its end alone.
pub(super) const KEY_ID: &str = "keyId=";
const CREATED: &str = "(created)";
const EXPIRES: &str = "(expires)";
/// What we send; one of those that all compare equal.
const JSON: &str = "application/activity+json";

pub(super) fn sign(signer: &Signer, form: Form, request: &Outgoing<'_>, now: Time) -> Result<HeaderMap, KeyError> {
    let parts = Parts::outgoing(request);
    let target = if form == Form::CavagePathOnly { base::path(parts.target) } else { parts.target };
    let mut lines = vec![
        (TARGET, format!("{} {target}", parts.method.to_ascii_lowercase())),
        ("host", parts.host),
        ("date", window::date(now).ok_or(KeyError::Header)?),
    ];
    if let Some(payload) = request.payload {
        lines.push(("digest", payload.digest()));
        lines.push(("content-type", JSON.to_owned()));
        lines.extend(request.extra.iter().map(|(name, value)| (*name, value.clone())));
    }
    let base: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let signature = pem::to_base64(&signer.key.sign(base.join("\n").as_bytes())?);
    let header = format!(
        "keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{signature}\"",
        signer.key_id,
        names.join(" ")
    );
    lines.push(("signature", header));
    let mut headers = HeaderMap::new();
    for (name, value) in lines.into_iter().filter(|(name, _)| *name != TARGET) {
        put(&mut headers, name, &value)?;
    }
    Ok(headers)
}

pub(super) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), KeyError> {
    let value = HeaderValue::from_str(value).map_err(|_| KeyError::Header)?;
    headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

pub(super) fn parse(request: &Incoming<'_>, ours: &Ours<'_>, now: Time) -> Result<Signed, Refusal> {
    let header = header(request)?;
    let params = params::read(header)?;
    let parts = Parts::incoming(request, ours)?;
    let algorithm = algorithm(params.algorithm)?;
    let signature = pem::base64(params.signature).ok_or(Refusal::Malformed("the signature is not base64"))?;
    let covers = |name: &str| params.covered.iter().any(|covered| covered == name);
    for name in [TARGET, "host"] {
        if !covers(name) {
            return Err(Refusal::NotCovered(if name == "host" { "host" } else { TARGET }));
        }
    }
    let created = created(request, &params, now)?;
    if request.method == Method::POST && !covers("digest") {
        return Err(Refusal::NotCovered("digest"));
    }
    if covers("digest") {
        digest::check(request.headers, request.body)?;
    }
    let mut bases = vec![base(request, &params, (&parts, parts.target))?];
    // Some sign the path alone; no other request of ours has the same path and another meaning.
    if base::path(parts.target) != parts.target {
        bases.push(base(request, &params, (&parts, base::path(parts.target)))?);
    }
    let (key_id, covered) = (params.key_id.to_owned(), params.covered);
    Ok(Signed { key_id, form: Form::Cavage, created, covered, algorithm, bases, signature, other: None })
}

/// The one header that is of this draft; beside it there may be one of RFC 9421.
fn header<'a>(request: &Incoming<'a>) -> Result<&'a str, Refusal> {
    let texts = request.headers.get_all("signature").iter().filter_map(|value| value.to_str().ok());
    let mut ours = texts.filter(|text| text.contains(KEY_ID));
    match (ours.next(), ours.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Refusal::Malformed("more than one signature")),
        (None, _) if request.headers.contains_key("signature") => Err(Refusal::Malformed("no keyId")),
        (None, _) => Err(Refusal::Missing),
    }
}

fn algorithm(told: Option<&str>) -> Result<Algorithm, Refusal> {
    match told {
        Some("rsa-sha256") => Ok(Algorithm::RsaSha256),
        Some("ed25519") => Ok(Algorithm::Ed25519),
        None | Some("hs2019") => Ok(Algorithm::OfTheKey),
        Some(_) => Err(Refusal::Algorithm),
    }
}

/// When it was signed, as far as that is covered. The draft lets only hs2019 cover the parameters.
fn created(request: &Incoming<'_>, params: &params::Params<'_>, now: Time) -> Result<Time, Refusal> {
    let covers = |name: &str| params.covered.iter().any(|covered| covered == name);
    if (covers(CREATED) || covers(EXPIRES)) && params.algorithm == Some("rsa-sha256") {
        return Err(Refusal::Malformed("rsa-sha256 does not know (created)"));
    }
    let time =
        |seconds: Option<i64>| seconds.and_then(window::of_seconds).ok_or(Refusal::Malformed("a time is missing"));
    let expires = if covers(EXPIRES) { Some(time(params.expires)?) } else { None };
    let dated = match covers("date") {
        true => base::field(request, "date").as_deref().and_then(window::of_date).map(Some).ok_or(Refusal::Window)?,
        false => None,
    };
    let created = if covers(CREATED) { Some(time(params.created)?) } else { None };
    for at in [created, dated].into_iter().flatten() {
        window::check(at, expires, now)?;
    }
    created.or(dated).ok_or(Refusal::NotCovered("date or (created)"))
}

fn base(request: &Incoming<'_>, params: &params::Params<'_>, to: (&Parts<'_>, &str)) -> Result<Vec<u8>, Refusal> {
    let (parts, target) = to;
    let mut lines = Vec::with_capacity(params.covered.len());
    for name in &params.covered {
        let value = match name.as_str() {
            TARGET => format!("{} {target}", parts.method.to_ascii_lowercase()),
            CREATED => params.created.map(|n| n.to_string()).ok_or(Refusal::Malformed("a time is missing"))?,
            EXPIRES => params.expires.map(|n| n.to_string()).ok_or(Refusal::Malformed("a time is missing"))?,
            "host" => parts.host.clone(),
            name => base::field(request, name).ok_or(Refusal::Malformed("covers a header that is not there"))?,
        };
        lines.push(format!("{name}: {value}"));
    }
    Ok(lines.join("\n").into_bytes())
}
