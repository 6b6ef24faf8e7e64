use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// One changed byte of anything that is covered.
    #[test]
    fn changes_are_noticed(which in 0_usize..3, at: prop::sample::Index, flip in 1_u8..128) {
        let form = [Form::Cavage, Form::Rfc9421][which % 2];
        let sent = send(form, "https://noren.example/users/1/inbox?page=true", Some(BODY));
        let mut names: Vec<&str> = match form {
            Form::Rfc9421 => vec!["content-digest", "signature", "signature-input"],
            _ => vec!["date", "digest", "content-type", "host", "signature"],
        };
        names.push("uri");
        names.push("body");
        let name = names[at.index(names.len())];
        let mut request = sent.clone();
        let change = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let place = at.index(bytes.len());
            bytes[place] ^= flip;
            bytes
        };
        match name {
            "body" => request.body = change(&sent.body),
            "uri" => match String::from_utf8(change(sent.uri.to_string().as_bytes())).ok().and_then(|uri| uri.parse().ok()) {
                Some(uri) => request.uri = uri,
                None => return Ok(()),
            },
            name => match HeaderValue::from_bytes(&change(sent.headers[name].as_bytes())) {
                Ok(value) => {
                    request.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
                }
                Err(_) => return Ok(()),
            },
        }
        // A key that is named otherwise is another's; names of parameters and algorithms are not covered.
        if let Ok(signed) = request.parse(NOW) {
            let parts_same = name == "signature" && signed.signature == sent.parse(NOW).unwrap().signature && signed.bases == sent.parse(NOW).unwrap().bases;
            prop_assert!(signed.verify(&PUBLIC).is_err() || parts_same || signed.key_id != KEY_ID, "{name} of {form:?}");
        }
    }

    #[test]
    fn hostile_headers_never_panic(signature in "\\PC{0,120}", input in "\\PC{0,120}", more in "[ -~]{0,200}") {
        let mut request = send(Form::Cavage, "https://noren.example/inbox", Some(BODY));
        for (name, text) in [("signature", &signature), ("signature-input", &input), ("digest", &more)] {
            if let Ok(value) = HeaderValue::from_str(text) {
                request.headers.insert(HeaderName::from_static(name), value);
            }
        }
        prop_assert!(request.verify(NOW).is_err());
        request.set("signature", &format!("keyId=\"https://a.example/1\",{more}"));
        prop_assert!(request.verify(NOW).is_err());
    }

    #[test]
    fn hostile_inputs_never_panic(list in "[()\"a-z@; =:,\\\\-]{0,80}", rest in "[ -~]{0,80}") {
        let mut request = send(Form::Rfc9421, "https://noren.example/inbox", Some(BODY));
        request.set("signature-input", &format!("sig1=({list}){rest}"));
        prop_assert!(request.verify(NOW).is_err());
    }
}
