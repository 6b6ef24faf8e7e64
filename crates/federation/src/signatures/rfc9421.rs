//! HTTP message signatures: <https://www.rfc-editor.org/rfc/rfc9421>.

use super::base::{self, Parts};
use super::cavage::put;
use super::keys::Algorithm;
use super::structured::{self, Member};
use super::{Form, Incoming, KeyError, Ours, Outgoing, Refusal, Signed, Signer, cavage, digest, params, window};
use axum::http::{HeaderMap, Method};
use domain::Time;

/// Signatures of one request that are looked at.
const LABELS: usize = 4;
const COMPONENTS: usize = 32;
const LABEL: &str = "sig1";

pub(super) fn sign(signer: &Signer, request: &Outgoing<'_>, now: Time) -> Result<HeaderMap, KeyError> {
    let parts = Parts::outgoing(request);
    let uri = format!("{}://{}{}", request.url.scheme(), parts.host, parts.target);
    let mut lines = vec![("@method", parts.method.to_owned()), ("@target-uri", uri)];
    let mut headers = HeaderMap::new();
    put(&mut headers, "host", &parts.host)?;
    put(&mut headers, "date", &window::date(now).ok_or(KeyError::Header)?)?;
    if let Some(payload) = request.payload {
        let value = payload.content_digest();
        put(&mut headers, "content-digest", &value)?;
        put(&mut headers, "content-type", "application/activity+json")?;
        lines.push(("content-digest", value));
        for (name, value) in request.extra {
            put(&mut headers, name, value)?;
            lines.push((name, value.clone()));
        }
    }
    let names: Vec<String> = lines.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let input =
        format!("({});created={};keyid=\"{}\";alg=\"rsa-v1_5-sha256\"", names.join(" "), now.seconds(), signer.key_id);
    let mut base = String::new();
    for (name, value) in &lines {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {input}"));
    let signature = super::pem::to_base64(&signer.key.sign(base.as_bytes())?);
    put(&mut headers, "signature-input", &format!("{LABEL}={input}"))?;
    put(&mut headers, "signature", &format!("{LABEL}=:{signature}:"))?;
    Ok(headers)
}

pub(super) fn parse(request: &Incoming<'_>, ours: &Ours<'_>, now: Time) -> Result<Signed, Refusal> {
    let malformed = Refusal::Malformed("Signature-Input cannot be read");
    let inputs = structured::joined(request.headers, "signature-input").ok_or(malformed)?;
    let inputs = structured::dictionary(&inputs).ok_or(malformed)?;
    let signatures = signatures(request)?;
    let parts = Parts::incoming(request, ours)?;
    let mut outcome = Err(malformed);
    // A proxy on the way may have signed, too: the first signature that is of use counts.
    for member in inputs.into_iter().take(LABELS) {
        let signature = signatures.iter().find(|(label, _)| label == member.key);
        let Some((_, signature)) = signature else { continue };
        outcome = one(request, member, (&parts, ours.scheme), now)
            .map(|signed| Signed { signature: signature.clone(), ..signed });
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// (label, bytes) of the `Signature` headers; one of the older draft may stand among them.
fn signatures(request: &Incoming<'_>) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let mut found = Vec::new();
    for line in request.headers.get_all("signature").iter().filter_map(|value| value.to_str().ok()) {
        if line.contains(cavage::KEY_ID) {
            continue;
        }
        let members = structured::dictionary(line).ok_or(Refusal::Malformed("Signature cannot be read"))?;
        for member in members {
            let bytes = structured::bytes(member.value).ok_or(Refusal::Malformed("Signature cannot be read"))?;
            found.push((member.key.to_owned(), bytes));
        }
    }
    if found.is_empty() { Err(Refusal::Missing) } else { Ok(found) }
}

/// What the parameters after the list say.
#[derive(Default)]
struct Told {
    created: Option<i64>,
    expires: Option<i64>,
    key_id: Option<String>,
    algorithm: Option<String>,
}

fn one(request: &Incoming<'_>, input: Member<'_>, to: (&Parts<'_>, &str), now: Time) -> Result<Signed, Refusal> {
    let (components, told) = input_of(input.value).ok_or(Refusal::Malformed("Signature-Input cannot be read"))?;
    let key_id = told.key_id.ok_or(Refusal::Malformed("no keyid"))?;
    params::key(&key_id)?;
    let algorithm = match told.algorithm.as_deref() {
        None => Algorithm::OfTheKey,
        Some("rsa-v1_5-sha256") => Algorithm::RsaSha256,
        Some("ed25519") => Algorithm::Ed25519,
        Some(_) => return Err(Refusal::Algorithm),
    };
    let time = |seconds: i64| window::of_seconds(seconds).ok_or(Refusal::Window);
    let created = time(told.created.ok_or(Refusal::NotCovered("created"))?)?;
    window::check(created, told.expires.map(time).transpose()?, now)?;
    covered(request, &components, to.0)?;
    let base = base(request, &components, (to, input.value))?;
    let (form, bases, signature) = (Form::Rfc9421, vec![base], Vec::new());
    Ok(Signed { key_id, form, created, covered: components, algorithm, bases, signature, other: None })
}

/// Method and address must be covered, of a POST its body, too.
fn covered(request: &Incoming<'_>, components: &[String], parts: &Parts<'_>) -> Result<(), Refusal> {
    let covers = |name: &str| components.iter().any(|component| component == name);
    if !covers("@method") {
        return Err(Refusal::NotCovered("@method"));
    }
    let host = covers("@authority") || covers("host");
    let has_query = base::path(parts.target) != parts.target;
    let path = covers("@request-target") || (covers("@path") && (covers("@query") || !has_query));
    if !(covers("@target-uri") || (host && path)) {
        return Err(Refusal::NotCovered("@target-uri"));
    }
    if covers("content-digest") {
        digest::check_content(request.headers, request.body)?;
    } else if request.method == Method::POST {
        return Err(Refusal::NotCovered("content-digest"));
    }
    if covers("digest") {
        digest::check(request.headers, request.body)?;
    }
    Ok(())
}

/// `("a" "b");created=1;…` taken apart. Components with parameters of their own are not known here.
fn input_of(text: &str) -> Option<(Vec<String>, Told)> {
    let inner = text.trim().strip_prefix('(')?;
    let end = close(inner)?;
    let (list, parameters) = (inner.get(..end)?, inner.get(end + 1..)?);
    let mut components = Vec::new();
    for item in structured::split(list, b' ')?.into_iter().filter(|item| !item.is_empty()) {
        let name = structured::string(item)?;
        if components.len() == COMPONENTS || components.contains(&name) || name.chars().any(|c| c.is_ascii_uppercase())
        {
            return None;
        }
        components.push(name);
    }
    let mut told = Told::default();
    for parameter in structured::split(parameters, b';')?.into_iter().skip(1) {
        let (name, value) = parameter.split_once('=')?;
        match name.trim() {
            "created" if told.created.is_none() => told.created = Some(value.trim().parse().ok()?),
            "expires" if told.expires.is_none() => told.expires = Some(value.trim().parse().ok()?),
            "keyid" if told.key_id.is_none() => told.key_id = Some(structured::string(value)?),
            "alg" if told.algorithm.is_none() => told.algorithm = Some(structured::string(value)?),
            "nonce" | "tag" => {}
            _ => return None,
        }
    }
    (parameters.is_empty() || parameters.starts_with(';')).then_some((components, told))
}

/// Where the list ends: the first bracket outside of strings.
fn close(inner: &str) -> Option<usize> {
    let mut quoted = false;
    inner.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b')' && !quoted
    })
}

pub(super) fn base(
    request: &Incoming<'_>,
    components: &[String],
    ((parts, scheme), input): ((&Parts<'_>, &str), &str),
) -> Result<Vec<u8>, Refusal> {
    let mut out = String::new();
    for name in components {
        let value = match name.as_str() {
            "@method" => parts.method.to_owned(),
            "@target-uri" => format!("{scheme}://{}{}", parts.host, parts.target),
            "@authority" => parts.host.to_ascii_lowercase(),
            "@scheme" => scheme.to_owned(),
            "@request-target" => parts.target.to_owned(),
            "@path" => base::path(parts.target).to_owned(),
            "@query" => format!("?{}", parts.target.split_once('?').map_or("", |(_, query)| query)),
            "host" => parts.host.clone(),
            name if name.starts_with('@') => {
                return Err(Refusal::Malformed("covers a component that is not known here"));
            }
            name => base::field(request, name).ok_or(Refusal::Malformed("covers a header that is not there"))?,
        };
        out.push_str(&format!("\"{name}\": {value}\n"));
    }
    out.push_str(&format!("\"@signature-params\": {}", input.trim()));
    Ok(out.into_bytes())
}
