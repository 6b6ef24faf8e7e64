//! What an answer says that it is.

/// Whether a `Content-Type` is ActivityPub's: `application/activity+json`, or `application/ld+json` with its profile.
/// Anything else is not believed, least of all JSON that somebody uploaded.
pub fn is_activity(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    if name.eq_ignore_ascii_case("application/activity+json") {
        return true;
    }
    let is_profile = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        let profiles = value.trim().trim_matches('"');
        let of_streams = |profile: &str| profile.trim_end_matches('#') == "https://www.w3.org/ns/activitystreams";
        name.trim().eq_ignore_ascii_case("profile") && profiles.split_whitespace().any(of_streams)
    };
    name.eq_ignore_ascii_case("application/ld+json") && parts.any(is_profile)
}

/// Whether it is any kind of JSON.
pub fn is_json(kind: &str) -> bool {
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_activitypubs_own_types() {
        for kind in [
            "application/activity+json",
            "application/activity+json; charset=utf-8",
            "Application/Activity+JSON",
            "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/ld+json;profile=https://www.w3.org/ns/activitystreams",
            "application/ld+json; charset=utf-8; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/ld+json; profile=\"https://a.example https://www.w3.org/ns/activitystreams#\"",
        ] {
            assert!(is_activity(kind), "{kind}");
            assert!(is_json(kind), "{kind}");
        }
        for kind in [
            "",
            "application/json",
            "application/ld+json",
            "application/ld+json; profile=\"https://www.w3.org/ns/other\"",
            "text/html; a=application/activity+json",
            "image/png",
            "application/activity+jsonx",
        ] {
            assert!(!is_activity(kind), "{kind}");
        }
        assert!(is_json("application/jrd+json; charset=utf-8") && !is_json("text/json") && !is_json("text/html"));
    }
}
