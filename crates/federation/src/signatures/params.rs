//! The parameters of a cavage `Signature` header: `name="value",name=123`.

use super::Refusal;

/// Bytes of the header that are looked at.
const LONGEST: usize = 8 * 1024;
const PARAMETERS: usize = 16;
/// Headers that one signature covers.
const COVERED: usize = 32;
const KEY_ID: usize = 2048;

/// What a signature says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Params<'a> {
    pub(super) key_id: &'a str,
    pub(super) algorithm: Option<&'a str>,
    pub(super) created: Option<i64>,
    pub(super) expires: Option<i64>,
    /// In lower case.
    pub(super) covered: Vec<String>,
    pub(super) signature: &'a str,
}

/// Reads the header's value; a leading `Signature ` is an old library's.
pub(super) fn read(text: &str) -> Result<Params<'_>, Refusal> {
    let malformed = Refusal::Malformed;
    if text.len() > LONGEST {
        return Err(malformed("too long"));
    }
    let text = text.trim();
    let text = text.strip_prefix("Signature ").unwrap_or(text);
    let found = pairs(text).ok_or(malformed("not a list of parameters"))?;
    let of = |name: &str| found.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    for (at, (name, _)) in found.iter().enumerate() {
        if found.iter().skip(at + 1).any(|(other, _)| other == name) {
            return Err(malformed("a parameter stands there twice"));
        }
    }
    let key_id = of("keyId").ok_or(malformed("no keyId"))?;
    let algorithm = of("algorithm");
    let fallback = if algorithm == Some("hs2019") { "(created)" } else { "date" };
    let covered = of("headers").unwrap_or(fallback);
    let covered: Vec<String> =
        covered.split(' ').filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect();
    if covered.is_empty() || covered.len() > COVERED {
        return Err(malformed("covers nothing, or too much"));
    }
    if covered.iter().enumerate().any(|(at, name)| covered.iter().skip(at + 1).any(|other| other == name)) {
        return Err(malformed("covers a header twice"));
    }
    let seconds = |name: &str| match of(name) {
        None => Ok(None),
        Some(text) => {
            text.split('.').next().unwrap_or(text).parse().map(Some).map_err(|_| malformed("a time is no number"))
        }
    };
    Ok(Params {
        key_id: key(key_id)?,
        algorithm,
        created: seconds("created")?,
        expires: seconds("expires")?,
        covered,
        signature: of("signature").ok_or(malformed("no signature"))?,
    })
}

/// A key's id must be an address: `acct:` and bare fingerprints lead nowhere.
pub(super) fn key(id: &str) -> Result<&str, Refusal> {
    let address = id.starts_with("https://") || id.starts_with("http://");
    let plain = id.len() <= KEY_ID && !id.chars().any(|c| c.is_control() || c.is_whitespace());
    if address && plain { Ok(id) } else { Err(Refusal::Malformed("the key's id is no address")) }
}

/// Values may be quoted or not; quoted ones know no escapes.
pub(crate) fn pairs(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after.get(..end)?.trim(), after.get(end..)?)
            }
        };
        let name = name.trim();
        if name.is_empty() || found.len() == PARAMETERS {
            return None;
        }
        found.push((name, value));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_and_odd_headers() {
        let text = r#"keyId="https://a.example/users/1#main-key",algorithm="rsa-sha256",headers="(request-target) Host date",signature="YQ==""#;
        let params = read(text).unwrap();
        assert_eq!(params.key_id, "https://a.example/users/1#main-key");
        assert_eq!(params.covered, ["(request-target)", "host", "date"]);
        assert_eq!((params.created, params.signature), (None, "YQ=="));
        let old = format!("Signature {text}");
        assert_eq!(read(&old).unwrap(), params);
        let spaced = r#" keyId = "https://a.example/1" , created=1402170695 ,expires="1402170999.5", algorithm=hs2019, signature="YQ==" "#;
        let params = read(spaced.replace(" = ", "=").as_str()).map(|p| (p.created, p.expires, p.covered)).unwrap();
        assert_eq!(params, (Some(1_402_170_695), Some(1_402_170_999), vec!["(created)".to_owned()]));
    }

    #[test]
    fn hostile_headers() {
        let id = r#"keyId="https://a.example/1""#;
        for text in [
            "",
            "keyId",
            "Bearer abc",
            id,
            r#"keyId="acct:a@b.example",signature="YQ==""#,
            r#"keyId="https://a.example/1"x,signature="YQ==""#,
            r#"keyId="https://a.example/1",signature="YQ=="#,
            r#"keyId="https://a.example/ 1",signature="YQ==""#,
            &format!(r#"{id},{id},signature="YQ==""#),
            &format!(r#"{id},signature="YQ==",signature="YQ==""#),
            &format!(r#"{id},headers="",signature="YQ==""#),
            &format!(r#"{id},headers="date host date",signature="YQ==""#),
            &format!(r#"{id},headers="{}",signature="YQ==""#, "a b c d e f g h i j ".repeat(4)),
            &format!(r#"{id},created=soon,signature="YQ==""#),
            &format!(r#"{id},{},signature="YQ==""#, (0..20).map(|n| format!("a{n}=1")).collect::<Vec<_>>().join(",")),
            &format!(r#"{id},x="{}",signature="YQ==""#, "x".repeat(9000)),
        ] {
            assert!(matches!(read(text), Err(Refusal::Malformed(_))), "{text}");
        }
    }
}
