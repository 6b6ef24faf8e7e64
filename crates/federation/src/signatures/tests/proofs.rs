//! Proofs and the canonical form of JSON, with the vectors of their specifications: values only, written down by hand.

use super::*;
use crate::documents::parse;
use serde_json::{Value, json};
use std::time::Duration;

/// Of the W3C's vectors for eddsa-jcs-2022 and of FEP-8b32's: the same pair.
const SECRET: &str = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq";
const MULTIKEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
const ED_KEY: &str = "https://server.example/users/alice#ed25519-key";
/// When both were made.
const THEN: &str = "2023-02-24T23:36:38Z";

fn then() -> Time {
    Time::parse(THEN).unwrap()
}

fn pair() -> ProofKey {
    let secret = multibase::decode(SECRET).unwrap();
    let pair = ProofKey::from_seed(&secret[2..]);
    assert_eq!(pair.multikey(), MULTIKEY);
    pair
}

fn key() -> PublicKey {
    PublicKey::from_multibase(MULTIKEY).unwrap()
}

fn verify(document: &Value) -> Option<Value> {
    Proof::read(document, then())?.verify(&key())
}

fn canonical_text(json: &str) -> String {
    String::from_utf8(canonical::text(&serde_json::from_str(json).unwrap()).unwrap()).unwrap()
}

fn fep_8b32() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
        "id": "https://server.example/activities/1",
        "type": "Create",
        "actor": "https://server.example/users/alice",
        "object": {
            "id": "https://server.example/objects/1",
            "type": "Note",
            "attributedTo": "https://server.example/users/alice",
            "content": "Hello world",
            "location": { "type": "Place", "longitude": -71.184902, "latitude": 25.273962 },
        },
    })
}

/// Proven as its actor would, with the proof changed before it is signed.
fn proven(mut document: Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut options = json!({
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": THEN, "verificationMethod": ED_KEY,
        "proofPurpose": "assertionMethod",
    });
    if let Some(context) = document.get("@context") {
        options["@context"] = context.clone();
    }
    change(&mut options);
    let hash = |value: &Value| {
        let text = serde_json_canonicalizer::to_vec(value).unwrap();
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text).as_ref().to_vec()
    };
    let signature = pair().sign(&[hash(&options), hash(&document)].concat());
    options["proofValue"] = json!(multibase::encode(&signature));
    document["proof"] = options;
    document
}

/// `fep/8b32/fep-8b32.feature` (CC0).
#[test]
fn vector_of_fep_8b32() {
    let mut document = fep_8b32();
    prove(document.as_object_mut().unwrap(), (ED_KEY, &pair()), then()).unwrap();
    assert_eq!(
        document["proof"]["proofValue"],
        "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL"
    );
    assert_eq!(document["proof"]["created"], THEN);
    assert_eq!(verify(&document), Some(fep_8b32()));
    assert_eq!(proven(fep_8b32(), |_| {})["proof"]["proofValue"], document["proof"]["proofValue"]);
}

/// `TestVectors/eddsa-jcs-2022` of <https://www.w3.org/TR/vc-di-eddsa/>: canonical texts, hashes and signature. Its key is
/// a `did:key`, which nobody's actor names: only what is computed is compared.
#[test]
fn vector_of_the_w3c() {
    let context = r#"["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"]"#;
    let did = format!("did:key:{MULTIKEY}#{MULTIKEY}");
    let document = canonical_text(&format!(
        r#"{{"@context": {context}, "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"], "name": "Alumni Credential",
        "description": "A minimum viable example of an Alumni Credential.", "issuer": "https://vc.example/issuers/5678",
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {{ "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" }} }}"#
    ));
    let options = canonical_text(&format!(
        r#"{{"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "{THEN}",
        "verificationMethod": "{did}", "proofPurpose": "assertionMethod", "@context": {context}}}"#
    ));
    assert_eq!(
        options,
        format!(
            "{{\"@context\":{context},\"created\":\"{THEN}\",\"cryptosuite\":\"eddsa-jcs-2022\",\
             \"proofPurpose\":\"assertionMethod\",\"type\":\"DataIntegrityProof\",\"verificationMethod\":\"{did}\"}}"
        )
    );
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hashes = proof::hashes(options.as_bytes(), document.as_bytes());
    assert_eq!(
        hex(&hashes),
        "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db\
         59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
    );
    let signature = pair().sign(&hashes);
    assert_eq!(
        hex(&signature),
        "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b80351da3f253d725c6f00b07c9e5448d50b3ef78012b9ab5425\
         5116d069c6dd2808"
    );
    assert_eq!(
        multibase::encode(&signature),
        "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
    );
    assert!(key().verifies(keys::Algorithm::Ed25519, &hashes, &signature));
}

/// `fep/521a/fep-521a.feature` (CC0).
#[test]
fn vectors_of_fep_521a() {
    let bytes = |hex: &str| {
        let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(pair).collect::<Vec<u8>>()
    };
    let raw = bytes("2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6");
    let text = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    assert_eq!(multibase::encode(&[[0xed, 0x01].as_slice(), &raw].concat()), text);
    let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], raw.as_slice()].concat();
    assert_eq!(PublicKey::from_multibase(text), PublicKey::from_pem(&pem::encode("PUBLIC KEY", &spki)));
    let pkcs1 = bytes(
        "3082010a0282010100b1b5fcd8d4d5e88ca5c4287b31f578865caf6a78826a3b8ff7b1b23aa4af4e6a0474139f945bd9d3a911ffd0fa72db78e4\
         593a86c91f9da836186ebd3402d51f6a3844247ab5088b46929c311b43604fed84499f06f0f39bf55590e2187f1bbe229ba8f49fd2e570cd0e37\
         33c76bfede80e1e7e0881e4538ea1bc5782be9512f8bf132526e05f4923564fe6e1e21bf7087adebb660fa533fca06d0a8e66991e1312d70b64a\
         61da8ca77c028cdf939601e2cffe2855759b1d479f0847bcac59d7d62427a431d4e3dfd2697428b9dd6309a7b1167db99fe01af1ff1b739566fb\
         949e47089d1dae84aef1214ef7f5773e86a0d3e9da246f9bec09d60c705891183d0203010001",
    );
    let text = "z4MXj1wBzi9jUstyPMS4jQqB6KdJaiatPkAtVtGc6bQEQEEsKTic4G7Rou3iBf9vPmT5dbkm9qsZsuVNjq8HCuW1w24nhBFGkRE4cd2Uf2tfrB3\
                N7h4mnyPp1BF3ZttHTYv3DLUPi1zMdkULiow3M1GfXkoC6DoxDUm1jmN6GBj22SjVsr6dxezRVQc7aj9TxE7JLbMH1wh5X3kA58H3DFW8rnYMakFG\
                bca5CB2Jf6CnGQZmL7o5uJAdTwXfy2iiiyPxXEGerMhHwhjTA1mKYobyk2CpeEcmvynADfNZ5MBvcCS7m3XkFCMNUYBS9NQ3fze6vMSUPsNa6GVYm\
                Kx2x6JrdEjCk3qRMMmyjnjCMfR4pXbRMZa3i";
    assert_eq!(multibase::encode(&[[0x85, 0x24].as_slice(), &pkcs1].concat()), text);
    assert_eq!(PublicKey::from_multibase(text), PublicKey::from_pem(&pem::encode("RSA PUBLIC KEY", &pkcs1)));
}

/// RFC 8785, appendix B, and the documents that its authors test with (`testdata` of cyberphone/json-canonicalization).
#[test]
fn vectors_of_rfc_8785() {
    for (bits, text) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        let number = f64::from_bits(bits);
        let text_of = |value: Value| String::from_utf8(canonical::text(&value).unwrap()).unwrap();
        assert_eq!(text_of(json!(number)), text, "{number}");
        assert_eq!(canonical_text(&format!("{number:e}")), text, "{number}");
        assert_eq!(serde_json::from_str::<f64>(text).unwrap(), number, "what is read is what was written");
    }
    for (document, text) in [
        (r#"[ 56, { "d": true, "10": null, "1": [ ] } ]"#, r#"[56,{"1":[],"10":null,"d":true}]"#),
        (
            r#"{ "peach": "This sorting order", "péché": "is wrong according to French",
            "pêche": "but canonicalization MUST", "sin": "ignore locale" }"#,
            r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}"#,
        ),
        (
            r#"{ "1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { },
            "111": [ {"e": "yes","E": "no" } ], "A": { } }"#,
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#,
        ),
        (r#"{"Unnormalized Unicode":"A\u030a"}"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}"),
        (
            r#"{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }"#,
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        ),
        (
            r#"{ "\u20ac": "Euro Sign", "\r": "Carriage Return", "\u000a": "Newline", "1": "One", "\u0080": "Control\u007f",
            "\ud83d\ude02": "Smiley", "\u00f6": "Latin Small Letter O With Diaeresis",
            "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge" }"#,
            "{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\",\"</script>\":\"Browser Challenge\",\
             \"\u{80}\":\"Control\u{7f}\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
             \"😂\":\"Smiley\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ),
    ] {
        assert_eq!(canonical_text(document), text);
    }
}

#[test]
fn proofs_that_count_do_so_whoever_wrote_them_down() {
    let plain = json!({ "@context": "https://a.example/c", "id": "https://a.example/1", "to": [], "n": 1 });
    for document in [
        proven(fep_8b32(), |_| {}),
        // Nothing about the context, and one thing alone that is also a list of one.
        proven(fep_8b32(), |options| drop(options.as_object_mut().unwrap().remove("@context"))),
        proven(plain.clone(), |_| {}),
        proven(plain.clone(), |options| options["created"] = json!("2023-02-24T23:36:38.123456789+00:00")),
        proven(plain.clone(), |options| options["expires"] = json!("2023-02-24T23:36:39Z")),
        // What is not known is signed as well.
        proven(plain, |options| options["nonce"] = json!("x")),
    ] {
        let mut said = document.clone();
        said.as_object_mut().unwrap().shift_remove("proof");
        assert_eq!(verify(&document), Some(said), "{document}");
    }
    // More contexts behind those that were signed, and a signature of the older kind: none of it was said.
    let mut more = proven(fep_8b32(), |_| {});
    more["@context"].as_array_mut().unwrap().push(json!({ "content": "https://evil.example/content" }));
    more["signature"] = json!({ "type": "RsaSignature2017" });
    assert_eq!(verify(&more), Some(fep_8b32()));
    // One that is understood, among others.
    let mut several = proven(fep_8b32(), |_| {});
    several["proof"] = json!([{ "type": "DataIntegrityProof", "cryptosuite": "mldsa44-jcs-2024" }, several["proof"]]);
    assert_eq!(verify(&several), Some(fep_8b32()));
}

#[test]
fn proofs_that_do_not_count() {
    type Change = fn(&mut Value);
    // Signed like that: the signature fits, what was signed is not enough.
    let options: [(&str, Value); 16] = [
        ("type", json!("Ed25519Signature2020")),
        ("type", json!(["DataIntegrityProof"])),
        ("cryptosuite", json!("eddsa-rdfc-2022")),
        ("proofPurpose", json!("authentication")),
        ("proofPurpose", json!(null)),
        ("created", json!(null)),
        ("created", json!("yesterday")),
        ("created", json!("2023-02-25T00:36:39Z")),
        ("created", json!("2023-02-23T23:36:37Z")),
        ("expires", json!("2023-02-24T23:36:37Z")),
        ("expires", json!(null)),
        ("verificationMethod", json!("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")),
        ("verificationMethod", json!({ "id": ED_KEY })),
        ("previousProof", json!("urn:uuid:1")),
        ("@context", json!("https://w3id.org/security/data-integrity/v2")),
        (
            "@context",
            json!(["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2", "x"]),
        ),
    ];
    for (name, value) in options {
        let document = proven(fep_8b32(), |options| options[name] = value.clone());
        assert!(Proof::read(&document, then()).is_none(), "{name} {value}");
    }
    let good = proven(fep_8b32(), |_| {});
    let changes: [Change; 12] = [
        |it| it["object"]["content"] = json!("Hello world!"),
        |it| it["to"] = json!([]),
        |it| drop(it.as_object_mut().unwrap().shift_remove("type")),
        |it| it["@context"] = json!([]),
        |it| it["object"]["location"]["longitude"] = json!(-71.184903),
        |it| it["proof"]["created"] = json!("2023-02-24T23:36:39Z"),
        |it| it["proof"]["nonce"] = json!("more"),
        |it| it["proof"]["proofValue"] = json!("z"),
        |it| it["proof"]["proofValue"] = json!(format!("z{}", "2".repeat(5000))),
        |it| it["proof"]["proofValue"] = json!(it["proof"]["proofValue"].as_str().unwrap().replace('z', "u")),
        |it| it["proof"] = json!("proof"),
        |it| it["proof"] = json!([1, 2, 3, 4, it["proof"]]),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut document = good.clone();
        change(&mut document);
        assert_eq!(verify(&document), None, "{at}: {document}");
    }
    // Another's key, and one of another kind.
    let other = ProofKey::generate().unwrap();
    for key in [PublicKey::from_multibase(other.multikey()).unwrap(), PUBLIC.clone()] {
        assert_eq!(Proof::read(&good, then()).unwrap().verify(&key), None);
    }
    for (late, counts) in [(24 * 3600, true), (24 * 3600 + 1, false)] {
        assert_eq!(Proof::read(&good, then().plus(Duration::from_secs(late))).is_some(), counts);
    }
}

/// Two texts with one signature must not come to mean two things: what counts is read from what was signed.
#[test]
fn what_is_read_is_what_was_signed() {
    let value = json!({ "id": "https://a.example/1", "n": 1, "list": [1.5, 100], "content": "é" });
    let proof = proven(value.clone(), |_| {})["proof"].to_string();
    for text in [
        r#"{"n":1.0,"id":"https://a.example/1","list":[15e-1,1E2],"content":"\u00e9","proof":P}"#,
        // Of names that come twice the last counts, for the signature as for the meaning.
        r#"{"n":2,"id":"https://evil.example/1","list":[],"content":"x","content":"é","list":[1.5,1e2],"id":"https://a.example/1","n":1,"proof":P}"#,
    ] {
        let document = parse(text.replace('P', &proof).as_bytes()).unwrap();
        assert_eq!(verify(&document), Some(value.clone()), "{text}");
    }
    for text in [
        r#"{"id":"https://a.example/1","n":1,"list":[1.5,100],"content":"é","content":"e","proof":P}"#,
        r#"{"id":"https://a.example/1","n":1,"list":[1.5,100],"content":"e\u0301","proof":P}"#,
        r#"{"id":"https://a.example/1","n":1.0000000000000002,"list":[1.5,100],"content":"é","proof":P}"#,
    ] {
        let document = parse(text.replace('P', &proof).as_bytes()).unwrap();
        assert_eq!(verify(&document), None, "{text}");
    }
    // Numbers that the canonical form would make others of, or that are none.
    for (number, counts) in [
        ("9007199254740992", true),
        ("9007199254740993", false),
        ("-9007199254740993", false),
        ("18446744073709551615", false),
    ] {
        let document = proven(json!({ "n": serde_json::from_str::<Value>(number).unwrap() }), |_| {});
        assert_eq!(verify(&document).is_some(), counts, "{number}");
    }
    for text in [r#"{"n":1e400}"#, r#"{"n":NaN}"#, r#"{"n":"\ud800"}"#, r#"{"n":01}"#] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn keys_for_proofs_survive_being_written_and_read() {
    let key = ProofKey::generate().unwrap();
    let pem = key.private_pem().unwrap();
    let again = ProofKey::from_pem(&pem).unwrap();
    assert_eq!((again.multikey(), again.sign(b"text")), (key.multikey(), key.sign(b"text")));
    assert_eq!(format!("{key:?}"), "ProofKey(…)");
    for text in ["", &pem.replace("PRIVATE", "PUBLIC"), &pem[..60], &PAIR.private_pem().unwrap()] {
        assert_eq!(ProofKey::from_pem(text).unwrap_err(), KeyError::Unreadable, "{text}");
    }
}
