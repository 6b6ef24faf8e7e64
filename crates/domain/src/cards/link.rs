//! Which of the links of a post its preview is of.

use crate::site::Site;

/// Links of a post that are looked at.
const LOOKED: usize = 50;

/// The first link to a page elsewhere: no mention, no hashtag, not what is quoted in words. `html` has passed the sanitiser,
/// or was written here: attributes stand in double quotes.
pub fn first_link(html: &str, site: &Site) -> Option<String> {
    let mut rest = html;
    for _ in 0..LOOKED {
        let (before, found) = rest.split_at(rest.find("<a ")?);
        let end = found.find('>')?;
        let (tag, after) = found.split_at(end);
        rest = after;
        let class = attribute(tag, "class").unwrap_or_default();
        let is_name = class.split_ascii_whitespace().any(|class| matches!(class, "mention" | "hashtag" | "u-url"));
        let href = attribute(tag, "href").map(|href| href.replace("&amp;", "&"));
        let href = href.filter(|href| !is_name && !is_quoted(before) && !is_tag(href, after));
        let url = href.and_then(|href| page(&href));
        if let Some(url) = url.filter(|url| !site.has(url)) {
            return Some(url);
        }
    }
    None
}

/// Misskey and others say in words what they quote, `RE: address`: whether that has begun before a link, and not ended.
fn is_quoted(before: &str) -> bool {
    let begun = before.rsplit_once(" class=\"quote-inline\"");
    begun.is_some_and(|(_, since)| !since.contains("</p>") && !since.contains("</span>"))
}

/// Misskey marks its hashtags by `rel` alone, which is ours to say: `#tea` that leads to a page of that name is one.
fn is_tag(href: &str, after: &str) -> bool {
    let words = after.split("</a>").next().unwrap_or_default().trim_start_matches('>');
    let words = words.replace("<span>", "").replace("</span>", "");
    let Some(name) = words.strip_prefix(['#', '＃']) else { return false };
    let name = name.trim().to_lowercase();
    let decoded = percent_encoding::percent_decode_str(href).decode_utf8_lossy().to_lowercase();
    !name.is_empty() && decoded.contains(&format!("/{name}"))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag.get(start..)?.split('"').next()
}

/// An address of the web, as everybody writes it who means this page.
pub(super) fn page(href: &str) -> Option<String> {
    let mut url = url::Url::parse(href).ok()?;
    url.set_fragment(None);
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_counts() {
        let site = Site {
            alternate_domains: Vec::new(),
            domain: "here.example".into(),
            base_url: "https://social.here.example".into(),
            media_url: "https://social.here.example/media".into(),
            limits: crate::site::Limits::default(),
        };
        for (html, link) in [
            (
                "<p>see <a href=\"https://a.example/x?b=1&amp;c=2#top\" rel=\"nofollow\">a</a></p>",
                Some("https://a.example/x?b=1&c=2"),
            ),
            (
                "<p><span class=\"h-card\"><a href=\"https://b.example/@bob\" class=\"u-url mention\">@bob</a></span> \
                <a href=\"https://b.example/tags/x\" class=\"mention hashtag\" rel=\"tag\">#x</a> \
                <a href=\"https://c.example/\">c</a><a href=\"https://d.example/\">d</a></p>",
                Some("https://c.example/"),
            ),
            (
                "<a href=\"gemini://a.example/\">a</a><a href=\"https://ünï.example\">b</a>",
                Some("https://xn--n-1gabaa.example/"),
            ),
            ("<p class=\"quote-inline\">RE: <a href=\"https://a.example/1\">a</a></p><p>yes</p>", None),
            (
                "<a href=\"https://social.here.example/@mia/1\">1</a><a href=\"https://HERE.example/about\">2</a>\
                <a href=\"https://social.here.example:8443/\">3</a>",
                Some("https://social.here.example:8443/"),
            ),
            // As Misskey has it.
            (
                "<p><a href=\"https://a.example/tags/%E7%8C%AB\" rel=\"nofollow noopener\">#猫</a> \
                <a href=\"https://a.example/issues/5\">#six</a></p>",
                Some("https://a.example/issues/5"),
            ),
            ("<a href=\"https://a.example/discover/tags/Sea?src=hash\">#<span>sea</span></a>", None),
            (
                "<p>x<span class=\"quote-inline\"><br><br>RE: <a href=\"https://a.example/1\">a</a></span> \
                <a href=\"https://b.example/\">b</a></p>",
                Some("https://b.example/"),
            ),
            ("<p>x<span class=\"quote-inline\"><br><br>RE: <a href=\"https://a.example/1\">a</a></span></p>", None),
            ("<a class=\"x\">a</a>", None),
            ("<a href=\"https://a.example/", None),
            ("", None),
        ] {
            let found = first_link(html, &site);
            match link {
                Some(link) if link.contains("xn--") => {
                    assert!(found.is_some_and(|l| l.starts_with("https://xn--")), "{html}")
                }
                link => assert_eq!(found.as_deref(), link, "{html}"),
            }
        }
    }
}
