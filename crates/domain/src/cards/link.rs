//! Which of the links of a post its preview is of.

use crate::site::Site;

/// Links of a post that are looked at.
const LOOKED: usize = 50;

/// The first link to a page elsewhere: no mention, no hashtag, not what is quoted in words. `html` has passed the sanitiser,
/// or was written here: attributes stand in double quotes.
pub fn first_link(html: &str, site: &Site) -> Option<String> {
    let is_quoted = is_quoted(html);
    let mut rest = html;
    for _ in 0..LOOKED {
        let tag = rest.get(rest.find("<a ")?..)?;
        let end = tag.find('>')?;
        let (tag, after) = tag.split_at(end);
        rest = after;
        let class = attribute(tag, "class").unwrap_or_default();
        let is_name = class.split_ascii_whitespace().any(|class| matches!(class, "mention" | "hashtag" | "u-url"));
        let is_tag = attribute(tag, "rel").is_some_and(|rel| rel.split_ascii_whitespace().any(|rel| rel == "tag"));
        let href = attribute(tag, "href").filter(|_| !is_name && !is_tag && !is_quoted);
        let url = href.map(|href| href.replace("&amp;", "&")).and_then(|href| page(&href));
        if let Some(url) = url.filter(|url| !site.has(url)) {
            return Some(url);
        }
    }
    None
}

/// Misskey and others say in words what they quote: `RE: address`.
fn is_quoted(html: &str) -> bool {
    html.starts_with("<p class=\"quote-inline\">") && html.matches("<a ").count() == 1
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
