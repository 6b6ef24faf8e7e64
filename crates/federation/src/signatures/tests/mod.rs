mod hostile;
mod proofs;
mod vectors;

use super::*;
use axum::http::{HeaderName, HeaderValue};
use std::sync::LazyLock;

const BODY: &str = "{\"hello\": \"world\"}";
const OURS: Ours<'static> = Ours { hosts: &["noren.example", "example.com"], scheme: "https" };
const NOW: Time = Time(1_763_600_000_000);
const KEY_ID: &str = "https://a.example/users/1#main-key";

static PAIR: LazyLock<Arc<KeyPair>> = LazyLock::new(|| Arc::new(KeyPair::generate().unwrap()));
static PUBLIC: LazyLock<PublicKey> = LazyLock::new(|| PAIR.public_key().unwrap());

/// A request that can be changed before it is looked at.
#[derive(Clone, Debug)]
struct Arrived {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Arrived {
    fn parse(&self, now: Time) -> Result<Signed, Refusal> {
        let request = Incoming { method: &self.method, uri: &self.uri, headers: &self.headers, body: &self.body };
        parse(&request, &OURS, now)
    }
    fn verify(&self, now: Time) -> Result<(), Refusal> {
        self.parse(now)?.verify(&PUBLIC)
    }
    fn set(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }
    fn text(&self, name: &str) -> String {
        self.headers.get(name).unwrap().to_str().unwrap().to_owned()
    }
}

fn send(form: Form, url: &str, body: Option<&str>) -> Arrived {
    let url = Url::parse(url).unwrap();
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let payload = body.map(|body| Payload::new(body.to_owned()));
    let signer = Signer::new(KEY_ID, PAIR.clone());
    let request = Outgoing { method: &method, url: &url, payload: payload.as_ref(), extra: &[] };
    let headers = signer.sign(form, &request, NOW).unwrap();
    let uri = base::target(&url).parse().unwrap();
    Arrived { method, uri, headers, body: body.unwrap_or_default().as_bytes().to_vec() }
}

/// Signs `base` as somebody else would.
fn cavage_by_hand(covered: &str, base: &str, more: &str) -> String {
    let signature = pem::to_base64(&PAIR.sign(base.as_bytes()).unwrap());
    format!("keyId=\"{KEY_ID}\",{more}headers=\"{covered}\",signature=\"{signature}\"")
}

#[test]
fn what_we_sign_is_accepted_in_every_form() {
    for form in [Form::Cavage, Form::CavagePathOnly, Form::Rfc9421] {
        for (url, body) in [
            ("https://noren.example/inbox", Some(BODY)),
            ("https://noren.example/users/1", None),
            ("https://noren.example", None),
            ("https://example.com/users/1?page=2&x=%20", None),
        ] {
            let request = send(form, url, body);
            let signed = request.parse(NOW).unwrap();
            assert_eq!((signed.key_id.as_str(), signed.created), (KEY_ID, NOW), "{form:?} {url}");
            assert_eq!(signed.form == Form::Rfc9421, form == Form::Rfc9421);
            assert_eq!(signed.verify(&PUBLIC), Ok(()), "{form:?} {url}");
            let other = KeyPair::generate().unwrap().public_key().unwrap();
            assert_eq!(signed.verify(&other), Err(Refusal::Mismatch));
        }
    }
}

#[test]
fn headers_that_we_send() {
    let request = send(Form::Cavage, "https://noren.example/inbox", Some(BODY));
    assert_eq!(request.text("digest"), "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=");
    assert_eq!(request.text("date"), "Thu, 20 Nov 2025 00:53:20 GMT");
    assert_eq!(request.text("content-type"), "application/activity+json");
    assert_eq!(request.text("host"), "noren.example");
    let start = "keyId=\"https://a.example/users/1#main-key\",algorithm=\"rsa-sha256\",\
                 headers=\"(request-target) host date digest content-type\",signature=\"";
    assert!(request.text("signature").starts_with(start), "{}", request.text("signature"));
    let request = send(Form::Cavage, "https://noren.example/users/1", None);
    assert!(request.text("signature").contains("headers=\"(request-target) host date\""));
    let request = send(Form::Rfc9421, "https://noren.example/inbox", Some(BODY));
    assert_eq!(
        request.text("signature-input"),
        "sig1=(\"@method\" \"@target-uri\" \"content-digest\");created=1763600000;\
         keyid=\"https://a.example/users/1#main-key\";alg=\"rsa-v1_5-sha256\""
    );
    assert_eq!(request.text("content-digest"), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
    assert!(!request.headers.contains_key("digest"));
}

#[test]
fn more_headers_can_be_covered() {
    let url = Url::parse("https://noren.example/inbox").unwrap();
    let extra = [("collection-synchronization", "collectionId=\"x\", digest=\"0\", url=\"y\"".to_owned())];
    let payload = Payload::new(BODY);
    let outgoing = Outgoing { method: &Method::POST, url: &url, payload: Some(&payload), extra: &extra };
    let signer = Signer::new(KEY_ID, PAIR.clone());
    for form in [Form::Cavage, Form::Rfc9421] {
        let headers = signer.sign(form, &outgoing, NOW).unwrap();
        let body = BODY.as_bytes().to_vec();
        let mut request = Arrived { method: Method::POST, uri: "/inbox".parse().unwrap(), headers, body };
        assert_eq!(request.verify(NOW), Ok(()));
        assert!(request.parse(NOW).unwrap().covers("Collection-Synchronization"));
        request.set("collection-synchronization", "collectionId=\"x\", digest=\"1\", url=\"y\"");
        assert_eq!(request.verify(NOW), Err(Refusal::Mismatch));
        // Two signatures: either may be the one that fits.
        let mut plain = send(form, "https://noren.example/inbox", Some(BODY));
        assert!(!plain.parse(NOW).unwrap().covers("collection-synchronization"));
        let other = if form == Form::Cavage { Form::Rfc9421 } else { Form::Cavage };
        for (name, value) in signer.sign(other, &outgoing, NOW).unwrap() {
            let name = name.unwrap();
            if name == "signature" || !plain.headers.contains_key(&name) {
                plain.headers.append(name, value);
            }
        }
        let both = plain.parse(NOW).unwrap();
        assert!(both.other.is_some() && !both.covers("collection-synchronization"));
    }
    let broken = Outgoing {
        extra: &[("x", "a\nb".to_owned())],
        ..Outgoing { method: &Method::POST, url: &url, payload: Some(&payload), extra: &[] }
    };
    assert_eq!(signer.sign(Form::Cavage, &broken, NOW).unwrap_err(), KeyError::Header);
}

/// What other servers send: which headers, in which order, under which name of an algorithm.
#[test]
fn signatures_as_other_servers_make_them() {
    let sent = send(Form::Cavage, "https://noren.example/inbox?x=1", Some(BODY));
    let (date, digest) = (sent.text("date"), sent.text("digest"));
    let target = "(request-target): post /inbox?x=1";
    let path = "(request-target): post /inbox";
    let host = "host: noren.example";
    let (date, digest) = (format!("date: {date}"), format!("digest: {digest}"));
    let kind = "content-type: application/activity+json";
    let created = format!("(created): {}", NOW.seconds());
    for (who, algorithm, lines) in [
        ("Mastodon", "algorithm=\"rsa-sha256\",", vec![host, &date, &digest, kind, target]),
        ("Misskey", "algorithm=\"rsa-sha256\",", vec![path, &date, host, &digest]),
        ("GoToSocial", "algorithm=\"hs2019\",", vec![target, host, &date, &digest]),
        ("Pixelfed", "algorithm=\"rsa-sha256\",", vec![path, host, &date, &digest]),
        ("Bridgy Fed", "algorithm=\"rsa-sha256\",", vec![&date, host, &digest, target]),
        ("no algorithm", "", vec![target, host, &date, &digest]),
        ("created", "algorithm=\"hs2019\",created=1763600000,", vec![target, &created, host, &digest]),
    ] {
        let names: Vec<&str> = lines.iter().map(|line| line.split_once(": ").unwrap().0).collect();
        let mut request = sent.clone();
        request.set("signature", &cavage_by_hand(&names.join(" "), &lines.join("\n"), algorithm));
        assert_eq!(request.verify(NOW), Ok(()), "{who}");
    }
}

/// Lemmy's way to fetch.
#[test]
fn a_digest_of_nothing_may_be_covered() {
    let mut request = send(Form::Cavage, "https://noren.example/users/1", None);
    let (date, digest) = (request.text("date"), digest_header(b""));
    request.set("digest", &digest);
    let base = format!("(request-target): get /users/1\nhost: noren.example\ndate: {date}\ndigest: {digest}");
    request.set("signature", &cavage_by_hand("(request-target) host date digest", &base, "algorithm=\"hs2019\","));
    assert_eq!(request.verify(NOW), Ok(()));
    request.set("digest", &digest_header(b"something"));
    assert_eq!(request.verify(NOW), Err(Refusal::Digest));
}

#[test]
fn what_covers_too_little_is_refused() {
    let sent = send(Form::Cavage, "https://noren.example/inbox", Some(BODY));
    let (date, digest) = (format!("date: {}", sent.text("date")), format!("digest: {}", sent.text("digest")));
    let (target, host) = ("(request-target): post /inbox", "host: noren.example");
    for (lines, more, refusal) in [
        (vec![host, &date, &digest], "", Refusal::NotCovered("(request-target)")),
        (vec![target, &date, &digest], "", Refusal::NotCovered("host")),
        (vec![target, host, &date], "", Refusal::NotCovered("digest")),
        (vec![target, host, &digest], "", Refusal::NotCovered("date or (created)")),
        (vec![&date], "", Refusal::NotCovered("(request-target)")),
        (
            vec![target, host, &digest, "(created): 1763600000"],
            "algorithm=\"rsa-sha256\",created=1763600000,",
            Refusal::Malformed("rsa-sha256 does not know (created)"),
        ),
        (vec![target, host, &date, &digest], "algorithm=\"hmac-sha256\",", Refusal::Algorithm),
        (vec![target, host, &date, &digest, "x: y"], "", Refusal::Malformed("covers a header that is not there")),
    ] {
        let names: Vec<&str> = lines.iter().map(|line| line.split_once(": ").unwrap().0).collect();
        let mut request = sent.clone();
        request.set("signature", &cavage_by_hand(&names.join(" "), &lines.join("\n"), more));
        assert_eq!(request.verify(NOW), Err(refusal), "{lines:?}");
    }
    for (components, refusal) in [
        ("\"@method\" \"@target-uri\"", Refusal::NotCovered("content-digest")),
        ("\"@target-uri\" \"content-digest\"", Refusal::NotCovered("@method")),
        ("\"@method\" \"content-digest\"", Refusal::NotCovered("@target-uri")),
        ("\"@method\" \"@path\" \"content-digest\"", Refusal::NotCovered("@target-uri")),
    ] {
        let mut request = send(Form::Rfc9421, "https://noren.example/inbox", Some(BODY));
        let input = format!("sig1=({components});created=1763600000;keyid=\"{KEY_ID}\"");
        request.set("signature-input", &input);
        assert_eq!(request.verify(NOW), Err(refusal), "{components}");
    }
}

#[test]
fn time_host_and_body_count() {
    for form in [Form::Cavage, Form::Rfc9421] {
        let request = send(form, "https://noren.example/inbox", Some(BODY));
        let at = |seconds: i64| Time(NOW.millis() + seconds * 1000);
        assert_eq!(request.verify(at(3600)), Ok(()));
        assert_eq!(request.verify(at(-3600)), Ok(()));
        assert_eq!(request.verify(at(3601)).unwrap_err(), Refusal::Window);
        assert_eq!(request.verify(at(-3601)).unwrap_err(), Refusal::Window);
        let elsewhere = send(form, "https://other.example/inbox", Some(BODY));
        assert_eq!(elsewhere.verify(NOW).unwrap_err(), Refusal::Host);
        let mut changed = request.clone();
        changed.body[2] ^= 1;
        assert_eq!(changed.verify(NOW).unwrap_err(), Refusal::Digest);
        let mut twice = request.clone();
        twice.headers.append("host", HeaderValue::from_static("noren.example"));
        assert_eq!(twice.verify(NOW).unwrap_err(), Refusal::Host);
        // A signature for one of our names is none for another.
        let mut moved = request.clone();
        moved.set("host", "example.com");
        assert_eq!(moved.verify(NOW).unwrap_err(), Refusal::Mismatch);
    }
    let mut unsigned = send(Form::Cavage, "https://noren.example/inbox", Some(BODY));
    unsigned.headers.remove("signature");
    assert_eq!(unsigned.parse(NOW).unwrap_err(), Refusal::Missing);
}

#[test]
fn an_older_signature_beside_a_new_one_that_fails() {
    let mut request = send(Form::Cavage, "https://noren.example/inbox", Some(BODY));
    let newer = send(Form::Rfc9421, "https://noren.example/inbox", Some(BODY));
    request.headers.append("signature", newer.headers["signature"].clone());
    request.set("content-digest", &newer.text("content-digest"));
    // Not readable, then readable but of another time: the older one decides.
    request.set("signature-input", "nonsense");
    assert_eq!(request.verify(NOW), Ok(()));
    request.set("signature-input", &newer.text("signature-input").replace("created=1763600000", "created=1763600001"));
    assert_eq!(request.verify(NOW), Ok(()));
    request.set("date", "Thu, 20 Nov 2025 00:53:21 GMT");
    assert_eq!(request.verify(NOW), Err(Refusal::Mismatch));
    request.set("signature-input", &newer.text("signature-input"));
    assert_eq!(request.verify(NOW), Ok(()));
}

#[test]
fn the_host_of_http_2_stands_in_the_address() {
    for form in [Form::Cavage, Form::Rfc9421] {
        for (url, body) in [("https://noren.example/inbox", Some(BODY)), ("https://noren.example/users/1?x=1", None)] {
            let mut request = send(form, url, body);
            request.headers.remove("host");
            assert_eq!(request.parse(NOW).unwrap_err(), Refusal::Host, "nowhere");
            request.uri = url.parse().unwrap();
            assert_eq!(request.verify(NOW), Ok(()), "{form:?} {url}");
            request.uri = url.replace("noren", "other").parse().unwrap();
            assert_eq!(request.verify(NOW), Err(Refusal::Host));
        }
    }
}

/// A proxy that ends TLS hands on what it got: the address is what the site is called, not how the proxy came here.
#[test]
fn the_target_is_what_the_client_asked() {
    let request = send(Form::Rfc9421, "https://noren.example/inbox?x=1", Some(BODY));
    assert_eq!(request.uri, "/inbox?x=1");
    let told = |scheme| {
        let Arrived { method, uri, headers, body } = &request;
        let ours = Ours { scheme, ..OURS };
        parse(&Incoming { method, uri, headers, body }, &ours, NOW)?.verify(&PUBLIC)
    };
    assert_eq!((told("https"), told("http")), (Ok(()), Err(Refusal::Mismatch)));
}

#[test]
fn two_signatures_by_two_keys_stand_apart() {
    let mut request = send(Form::Cavage, "https://noren.example/inbox", Some(BODY));
    let newer = send(Form::Rfc9421, "https://noren.example/inbox", Some(BODY));
    request.headers.append("signature", newer.headers["signature"].clone());
    request.set("content-digest", &newer.text("content-digest"));
    request.set("signature-input", &newer.text("signature-input"));
    assert!(request.parse(NOW).unwrap().apart().1.is_none(), "by one key");
    // What the newer one says of its key is signed: it fits no more, and the older one is not asked for it.
    request.set("signature-input", &newer.text("signature-input").replace("main-key", "other"));
    let (first, second) = request.parse(NOW).unwrap().apart();
    assert_eq!(first.verify(&PUBLIC), Err(Refusal::Mismatch));
    assert_eq!((first.key_id.as_str(), first.form), ("https://a.example/users/1#other", Form::Rfc9421));
    let second = second.unwrap();
    assert_eq!((second.key_id.as_str(), second.form), (KEY_ID, Form::Cavage));
    assert_eq!(second.verify(&PUBLIC), Ok(()));
    assert!(first.covers("content-digest") && !first.covers("digest") && second.covers("digest"));
}

/// What only looks like the name of a parameter is part of a signature.
#[test]
fn forms_are_told_apart_by_what_they_say() {
    let mut request = send(Form::Rfc9421, "https://noren.example/inbox", Some(BODY));
    let label = request.text("signature-input").replace("sig1=", "keyid=");
    let signature = request.text("signature").replace("sig1=", "keyid=");
    request.set("signature-input", &label).set("signature", &format!("{signature}, other=:keyIdA==:"));
    assert_eq!(request.verify(NOW), Ok(()));
}
