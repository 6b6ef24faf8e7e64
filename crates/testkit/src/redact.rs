//! Takes out of JSON what differs from run to run, so that the rest can be compared with a snapshot.

use serde_json::Value;

/// Ids become `[id 1]`, `[id 2]`, … by their first appearance, so that it stays visible which are the same; instants
/// `[time]`, days `[day]`, names of stored files `[file]`.
pub fn redacted(value: &Value) -> Value {
    walk(value, &mut Vec::new())
}

fn walk(value: &Value, ids: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => Value::String(plain(text, ids)),
        Value::Array(items) => items.iter().map(|item| walk(item, ids)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), walk(value, ids))).collect())
        }
        other => other.clone(),
    }
}

fn plain(text: &str, ids: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, shown) = piece(rest, ids).unwrap_or_else(|| (first.len_utf8(), first.to_string()));
        out.push_str(&shown);
        rest = &rest[length..];
    }
    out
}

/// What stands at the beginning of `text`, when it is one of these: its length and what to show instead.
fn piece(text: &str, ids: &mut Vec<String>) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    if fits(bytes, "dddd-dd-ddTdd:dd:dd.dddZ") {
        let midnight = text[10..].starts_with("T00:00:00.000Z");
        return Some((24, if midnight { "[day]" } else { "[time]" }.to_owned()));
    }
    if fits(bytes, "dddd-dd-dd") {
        return Some((10, "[day]".to_owned()));
    }
    if fits(bytes, "ddd/ddd/ddd/ddd/ddd/ddd/") {
        return Some((24, "[folder]/".to_owned()));
    }
    if fits(bytes, "hhhhhhhhhhhhhhhh.") && bytes[..16].iter().any(u8::is_ascii_alphabetic) {
        return Some((17, "[file].".to_owned()));
    }
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if (15..=19).contains(&digits) {
        let id = &text[..digits];
        let place = ids.iter().position(|known| known == id).unwrap_or_else(|| {
            ids.push(id.to_owned());
            ids.len() - 1
        });
        return Some((digits, format!("[id {}]", place + 1)));
    }
    // The rest of a longer run must not be taken for something of its own.
    (digits > 1).then(|| (digits, text[..digits].to_owned()))
}

/// `d` stands for a digit, `h` for a hexadecimal one, anything else for itself.
fn fits(bytes: &[u8], pattern: &str) -> bool {
    bytes.len() >= pattern.len()
        && bytes.iter().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'h' => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
            other => *byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_from_run_to_run_is_taken_out() {
        let value = json!({
            "id": "115583000000000001",
            "created_at": "2026-11-21T07:15:01.123Z",
            "account": { "id": "115583000000000002", "created_at": "2026-11-21T00:00:00.000Z", "last_status_at": "2026-11-21" },
            "url": "https://noren.test/@alice/115583000000000001",
            "picture": "https://noren.test/media/media_attachments/files/115/583/000/000/000/003/small/0a1b2c3d4e5f6071.png",
            "content": "日本 12345 and 3.5",
            "count": 3,
        });
        insta::assert_json_snapshot!(redacted(&value), @r##"
        {
          "id": "[id 1]",
          "created_at": "[time]",
          "account": {
            "id": "[id 2]",
            "created_at": "[day]",
            "last_status_at": "[day]"
          },
          "url": "https://noren.test/@alice/[id 1]",
          "picture": "https://noren.test/media/media_attachments/files/[folder]/small/[file].png",
          "content": "日本 12345 and 3.5",
          "count": 3
        }
    "##);
    }
}
