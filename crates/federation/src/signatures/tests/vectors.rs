use super::*;
use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
};

/// draft-cavage-http-signatures-12, appendix C. The key has 1024 bits: it is used here alone.
#[test]
fn vectors_of_cavage() {
    let key = pem::decode(
        "-----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
        6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
        Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
        oYi+1hqp1fIekaxsyQIDAQAB
        -----END PUBLIC KEY-----",
    );
    let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key.unwrap().1);
    let basic = "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdK\
                 FYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0=";
    let all = "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+\
               TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE=";
    let now = window::of_date("Sun, 05 Jan 2014 21:31:40 GMT").unwrap();
    for (covered, signature, method) in [
        ("(request-target) host date", basic, Method::GET),
        ("(request-target) host date content-type digest content-length", all, Method::POST),
    ] {
        let mut request = send(Form::Cavage, "https://example.com/foo?param=value&pet=dog", Some(BODY));
        request.method = method;
        request.set("date", "Sun, 05 Jan 2014 21:31:40 GMT").set("content-type", "application/json");
        request.set("content-length", "18");
        request.set(
            "signature",
            &format!("keyId=\"https://a.example/Test\",algorithm=\"rsa-sha256\",headers=\"{covered}\",signature=\"{signature}\""),
        );
        let signed = request.parse(now).unwrap();
        // The draft's request is a POST, also where no digest is covered.
        let base = String::from_utf8(signed.bases[0].clone()).unwrap().replace("get /", "post /");
        assert!(key.verify(base.as_bytes(), &signed.signature).is_ok(), "{base}");
    }
    // C.1 signs the date alone: right, and not enough.
    let date = "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0G\
                ppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM=";
    let signature = pem::base64(date).unwrap();
    assert!(key.verify(b"date: Sun, 05 Jan 2014 21:31:40 GMT", &signature).is_ok());
    let mut request = send(Form::Cavage, "https://example.com/foo?param=value&pet=dog", Some(BODY));
    request.set("date", "Sun, 05 Jan 2014 21:31:40 GMT");
    request
        .set("signature", &format!("keyId=\"https://a.example/Test\",algorithm=\"rsa-sha256\",signature=\"{date}\""));
    assert_eq!(request.parse(now).unwrap_err(), Refusal::NotCovered(cavage::TARGET));
}

/// RFC 9421, appendix B.2.1, B.2.3 and B.2.6 (the others are of answers, of keys that are shared, or cover parts of a
/// query, which nobody here does). They cover less than we demand: what is compared is what was signed.
#[test]
fn vectors_of_rfc_9421() {
    let mut request = send(Form::Cavage, "https://example.com/foo?param=Value&Pet=dog", Some(BODY));
    request.set("date", "Tue, 20 Apr 2021 02:07:55 GMT").set("content-type", "application/json");
    request.set("content-length", "18").set(
        "content-digest",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    );
    let incoming =
        Incoming { method: &request.method, uri: &request.uri, headers: &request.headers, body: &request.body };
    let parts = base::Parts::incoming(&incoming, &OURS).unwrap();
    let base = |components: &[&str], parameters: &str| {
        let names: Vec<String> = components.iter().map(|name| (*name).to_owned()).collect();
        let quoted: Vec<String> = components.iter().map(|name| format!("\"{name}\"")).collect();
        let input = format!("({});{parameters}", quoted.join(" "));
        String::from_utf8(rfc9421::base(&incoming, &names, ((&parts, "https"), &input)).unwrap()).unwrap()
    };
    // B.2.1: nothing is covered but the parameters.
    assert_eq!(
        base(&[], "created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\""),
        r#""@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#
    );
    let all = ["date", "@method", "@path", "@query", "@authority", "content-type", "content-digest", "content-length"];
    assert_eq!(
        base(&all, "created=1618884473;keyid=\"test-key-rsa-pss\""),
        r#""date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@query": ?param=Value&Pet=dog
"@authority": example.com
"content-type": application/json
"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#
    );
    let key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----";
    let key = PublicKey::from_pem(key).unwrap();
    let some = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
    let base = base(&some, "created=1618884473;keyid=\"test-key-ed25519\"");
    let signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
    let signature = pem::base64(signature).unwrap();
    assert!(key.verifies(keys::Algorithm::Ed25519, base.as_bytes(), &signature));
    assert!(!key.verifies(keys::Algorithm::Ed25519, base.to_lowercase().as_bytes(), &signature));
}

/// A Multikey of Ed25519, signing in both drafts.
#[test]
fn ed25519_verifies_in_both_forms() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let raw = [&[0xed, 0x01], pair.public_key().as_ref()].concat();
    let key = PublicKey::from_multibase(&multibase::encode(&raw)).unwrap();
    let mut request = send(Form::Cavage, "https://noren.example/users/1", None);
    let date = request.text("date");
    let base = format!("(request-target): get /users/1\nhost: noren.example\ndate: {date}");
    let signature = pem::to_base64(pair.sign(base.as_bytes()).as_ref());
    for (algorithm, suits) in [("hs2019", true), ("ed25519", true), ("rsa-sha256", false)] {
        request.set("signature", &format!(
            "keyId=\"{KEY_ID}\",algorithm=\"{algorithm}\",headers=\"(request-target) host date\",signature=\"{signature}\""
        ));
        let outcome = request.parse(NOW).unwrap().verify(&key);
        assert_eq!(outcome, if suits { Ok(()) } else { Err(Refusal::Algorithm) }, "{algorithm}");
    }
    let input = "(\"@method\" \"@authority\" \"@path\");created=1763600000;keyid=\"https://a.example/key\"";
    let base =
        format!("\"@method\": GET\n\"@authority\": noren.example\n\"@path\": /users/1\n\"@signature-params\": {input}");
    let signature = pem::to_base64(pair.sign(base.as_bytes()).as_ref());
    request.set("signature-input", &format!("x={input}")).set("signature", &format!("x=:{signature}:"));
    assert_eq!(request.parse(NOW).unwrap().verify(&key), Ok(()));
    assert_eq!(request.parse(NOW).unwrap().verify(&PUBLIC), Err(Refusal::Mismatch));
}

#[test]
fn rsa_has_a_multikey_too() {
    let (_, info) = pem::decode(PAIR.public_pem()).unwrap();
    // PKCS#1 stands after the 24 bytes that say that it is RSA.
    let multikey = multibase::encode(&[&[0x85, 0x24], &info[24..]].concat());
    assert_eq!(PublicKey::from_multibase(&multikey), Ok(PUBLIC.clone()));
}

/// Made by others: with PyPI's apsig 0.6.0 and http-message-signatures, for a key that is used nowhere else. There is no
/// vector of rsa-v1_5-sha256 in the RFC. PKCS#1 signatures are the same whoever makes them: ours are compared as a whole.
#[test]
fn vectors_of_other_implementations() {
    let pair = Arc::new(KeyPair::from_pem(PRIVATE_KEY).unwrap());
    let url = Url::parse("https://noren.example/inbox").unwrap();
    let payload = Payload::new(BODY);
    let request = Outgoing { method: &Method::POST, url: &url, payload: Some(&payload), extra: &[] };
    let signer = Signer::new(KEY_ID, pair.clone());
    let headers = signer.sign(Form::Cavage, &request, NOW).unwrap();
    let header = headers["signature"].to_str().unwrap();
    assert!(
        header.ends_with(&format!("headers=\"(request-target) host date digest content-type\",signature=\"{CAVAGE}\"")),
        "{header}"
    );
    let headers = signer.sign(Form::Rfc9421, &request, NOW).unwrap();
    assert_eq!(headers["signature-input"], INPUT);
    assert_eq!(headers["signature"], format!("sig1=:{RFC9421}:"));
    let body = BODY.as_bytes().to_vec();
    let request = Arrived { method: Method::POST, uri: "/inbox".parse().unwrap(), headers, body };
    assert_eq!(request.parse(NOW).unwrap().verify(&pair.public_key().unwrap()), Ok(()));
}

const PRIVATE_KEY: &str = "-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEA02NCb9WL2ZDf7k018XdBD624cNulq5AUvsEEQOXcBXLP37Ai
9FZMJyACtY9qvjdxFSeG/ncthJAV5HlLQ+FyAmjh79dGf7+dR373NcbKoz3whZ4/
o5R8F2oJYd5xNAHEfNszwaOpzYrW/u5D5PCVbxnr7EDyjdANAE6dwQHf4PAusuJD
QdxNIJMYtlJ+0qP9M3aK5ZtKBn+kPokYMGqm48wkxuX2A0ibPlrRrv7MCU7tknnU
F3oiEpdPmS88pCIbl/vavaI0Hlnex0X59vO8HodNk67LGMSdL+qdVNJi3KJVMpKK
bRHuXSW3o5x5B59UiJpfjiLYr+4uuS/e5VnvtwIDAQABAoIBAAXy7oniCzCt6Mdp
2GOO9y54zyP44nz+2Itp4vxTG7YDrR86njCuFXR/OTmg5w+AGVUtk0x/JWSwkC7D
K4HZTzfpRpZ/3BkFaCz0OJxZ7OMfZhdJ5uwfO4t1Rw5AR6V/rG+ACCeM1Lz1AOOc
6D/GQrmLiz3gOnEh2xTg9tmELsFlrHAPHPeDcuHEvLkX317j6bweYYUkaPUUpJhq
yW/091TpsXIKjWd5Grav3NM67+rejsZAR4EnKaP+CyS6DvUYYMRJlEJjBqZ4a9MK
E0FJJDgCPpN9XQmkCzO1phZzENpSljw0bFpO1+NebyrpBhqUqlS3v6H8o1R4RLdx
YlYIBhECgYEA8y09sR5j2fr8htUEIfZrN2YhiHGG0FEAi6Iy0CLpVBVCXey8h6xn
ZQCCIKNoXGuiwpeHoHgCUVu7nhaYB90cK8PcbvCbVvNg7H6PN72WxBUY6aWCMV06
+iybJV2EIaRyHTQ6GHfi4n+1f/zanMEpuCM5RquKOXRkChU9FYST9HECgYEA3oji
PI80qPZUERsD+/kYOsZJvPnGCf1EDINFpBJfOew0rdODeWTG89vf7kHsmghYNdew
FBB4czXUuHo4fsKb6XjAvjiV9UFFwUiTPYM4PKTS9oqJj59lYEGQnOpE+4dyjr7O
4qVefTQfASSGrHnk5AY5ioj+stW3JPG38BsiGqcCgYBFZtQEiLfWrlsD4CedycYv
uWY4mq3vJi8Rquj1ngEZjjeytq3Xysx3dv2scvaF6fI5tyVuFtIShiu1op0hIWm4
091FjEXJOwyeckBNmD4/GAZUKHhPvlvmqnRc5aOgNl6bFxy9fvmxyuDx9iguNLLD
asod8TcxzpX+irE0QvI3AQKBgAZYpwMNHnZXGAyo1ZNBBlTexMmT4fb09xTYRYsp
Tvfq6ZGvf4ddvWLE+Xzk+mdmJ4XZkdbwpU670UY1jhjnWeTtoamLGZO1+dRKSpCt
hlQMa0vGpaen5w84r3QaJj96HGU/wcyq5KfzbZLtxL10eHecSdXOlFzrRV7TWeiK
DY3vAoGBAK4QdAtpfKG3h4R7RUSlYkG/BBOXHJwlckK7ZGay4roGwayAgrk0aqsZ
YqUB9jodyoKDk83q2Imauz7rEu+C/CE7DgLooJYKOUTMObPe/IIQokW8sWjuHcDq
Bj4N+KvAdfl/Tfrcem4evYHWRXShhi1FRw6ajewCxYwIuuwQaWHi
-----END RSA PRIVATE KEY-----
";
const CAVAGE: &str = "PFI756FUYvsFGER8hj204EKz+7NFWTe0fUChQE2q4v6gh+b/7pA/AiQl/gMr9a0j/523zv+plRjmpDSni/SW4vVB5THWZjlc0zDB\
     btBCvS8sXeGSD1JW/zKajn0FS9i5qm+GaNAsTE2mYNdrQyx+9Fwh1uF/bGGGfe+XJWs6bOSBDHIcgK0K0Uf5LQddGIj4+nSJoCc/\
     li4j3jhUfC9Hq8rz4WcRq9lfJacR981K1qHSaBvWoSdf+9Tq/yyZuxmOST7hofiDQJ2S5bScdU8nvVjTgKwOLR8vbfqyXAaorEp0\
     fYmHttNmO4gtnCol57BEHhgAbN/gYjXRCm3HVTNs8g==";
const INPUT: &str = r#"sig1=("@method" "@target-uri" "content-digest");created=1763600000;keyid="https://a.example/users/1#main-key";alg="rsa-v1_5-sha256""#;
const RFC9421: &str = "PiSyrCEbmp/N+czY4A4wlny6AsTbMr71MRphPJAZ1+OQWLI71B9ykGIlWQBouGHhw5NMLpjKjpMik6sSemQMfTisAj/JmbBNay6D\
     IBfHln58k358rxjBFJn/NdUISAietiCedaM3hBfAMkSQmTlnoKc2ocOuj/2T4enJgGaHHcv9HKLVMkzWYM7vJ70T1M2w0NcBJ/h9\
     2tv3NotDwwr3Pd9UdoiB32P4QvAm5r8wUN2lho5WwPhegRqz8oKDt0Yqb9Ty3jQCqWJ11BPRIQgsov8tfuHyPSdUG+8IE36sE6AR\
     zvjyPbw13ntB7mm5TgNgQa6pvNAOYu517MK+lJqxFQ==";
