//! JSON in the one form in which it is hashed: the JSON Canonicalization Scheme, RFC 8785.

use serde_json::Value;

/// Up to here every whole number is one of its own among those that JSON's canonical form knows (IEEE 754 doubles).
const WHOLE: u64 = 1 << 53;

/// The canonical text; None for what has a number in it that would become another.
pub(super) fn text(value: &Value) -> Option<Vec<u8>> {
    if !is_exact(value) {
        return None;
    }
    serde_json_canonicalizer::to_vec(value).ok()
}

/// Documents are not deep: `documents::parse` sees to that.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => true,
        Value::Number(number) => number.as_i64().is_some_and(|whole| whole.unsigned_abs() <= WHOLE),
        Value::Array(list) => list.iter().all(is_exact),
        Value::Object(map) => map.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
