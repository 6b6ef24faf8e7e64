//! What is too long, too wild or broken in posts of other servers.

use crate::peer::{followed, with_a_peer};
use crate::{home, id, text};
use serde_json::{Value, json};

with_a_peer! {
    async fn long_posts_are_shown_whole_or_say_where_the_rest_is(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        for (n, words, whole) in [(1, 10_000, true), (2, 30_000, false)] {
            let content = format!("<p>{}</p><p>the <b>end</b></p>", "<i>word</i> ".repeat(words));
            let mut note = peer.note(&eve, (&n.to_string(), &content), &[]);
            note["url"] = json!(format!("{}/@eve/{n}?a&b", peer.base));
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", &n.to_string()), note.clone())).await;
            let status = home(&bob).await[0].clone();
            assert_eq!(status["uri"], note["id"]);
            let (shown, html) = (text(&status), status["content"].as_str().unwrap());
            assert_eq!(shown.ends_with("the end"), whole, "{n}");
            let link = format!("<p>… <a href=\"{}/@eve/{n}?a&amp;b\" target=", peer.base);
            assert_eq!(html.contains(&link), !whole, "{n}: {}", &html[html.len() - 300..]);
            assert!(html.len() > 100_000 && html.len() < 140_000, "{n}: {}", html.len());
        }
    }

    async fn titles_of_notes_are_shown_once(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let (long, markup) = ("x".repeat(2000), format!("<script>1</script>{}", "x".repeat(2000)));
        let cut = format!("<p><strong>&lt;script&gt;1&lt;/script&gt;{}</strong></p><p>it</p>", "x".repeat(482));
        for (n, (title, content, html)) in [
            (json!("A tea & a pot"), "<p>it</p>", "<p><strong>A tea &amp; a pot</strong></p><p>it</p>"),
            (json!("A tea"), "", "<p><strong>A tea</strong></p>"),
            // As those have it who write it into the text themselves.
            (json!(" A  tea"), "<h1>a <b>TEA</b></h1><p>it</p>", "<p><strong>a <b>TEA</b></strong></p><p>it</p>"),
            (json!("A tea"), "<p>A teapot</p>", "<p><strong>A tea</strong></p><p>A teapot</p>"),
            (json!(" "), "<p>it</p>", "<p>it</p>"),
            (json!(["x"]), "<p>it</p>", "<p><strong>x</strong></p><p>it</p>"),
            (json!(markup), "<p>it</p>", cut.as_str()),
            (json!(long), "<p>it</p>", &format!("<p><strong>{}</strong></p><p>it</p>", "x".repeat(500))),
        ].into_iter().enumerate() {
            let mut note = peer.note(&eve, (&n.to_string(), content), &[]);
            note["name"] = title;
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", &n.to_string()), note.clone())).await;
            let status = home(&bob).await[0].clone();
            assert_eq!((&status["uri"], &status["content"]), (&note["id"], &json!(html)));
        }
    }

    async fn votes_name_long_options_as_their_author_does(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let mut note = peer.note(&eve, ("1", "<p>which?</p>"), &[]);
        let (short, long) = ("猫".repeat(600), format!("{}!", "猫".repeat(600)));
        note["type"] = json!("Question");
        note["oneOf"] = json!([{ "type": "Note", "name": short }, { "type": "Note", "name": long }]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = home(&bob).await[0].clone();
        assert_eq!(status["poll"]["options"][1]["title"], json!(long));
        let path = format!("/api/v1/polls/{}/votes", id(&status["poll"]));
        bob.post(&path, [("choices[]", "1")]).await.ok();
        server.settle().await;
        let vote = peer.last("Create");
        assert_eq!((&vote["object"]["name"], &vote["object"]["inReplyTo"]), (&json!(long), &note["id"]), "{vote}");
    }

    async fn hostile_emoji_languages_and_pictures_do_no_harm(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let picture = format!("{}/blob.png", peer.base);
        let emoji = |name: &str, url: &str| json!({ "type": "Emoji", "name": name, "icon": { "type": "Image", "url": url } });
        let long = format!(":{}:", "a".repeat(129));
        let mut note = peer.note(&eve, ("1", ""), &[]);
        note["content"] = json!(format!("<p>:good: :b d: :<b>: {long} :js: :data: :cred: :\"x: ::</p>"));
        note["tag"] = json!([
            emoji(":good:", &picture), emoji(":b d:", &picture), emoji(":<b>:", &picture), emoji(&long, &picture),
            emoji(":js:", "javascript:alert(1)"), emoji(":data:", "data:image/png;base64,AAAA"), emoji(":cred:", "https://u:p@a.example/"),
            emoji(":\"x:", &picture), emoji("::", &picture), emoji("", &picture), { "type": "Emoji", "name": ["x"], "icon": 5 },
            { "type": "Emoji", "name": ":none:" },
        ]);
        note["contentMap"] = json!({ "en\"><script>": note["content"] });
        note["attachment"] = json!([
            { "type": "Image", "url": "javascript:alert(1)" }, { "type": "Image", "url": picture, "blurhash": "\"><script>" },
            { "type": "Image", "url": picture, "blurhash": "~~~~~~", "width": -5, "height": 1e40, "focalPoint": ["x", {}], "name": { "a": 1 } },
        ]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = home(&bob).await[0].clone();
        let codes: Vec<&str> = status["emojis"].as_array().unwrap().iter().map(|e| e["shortcode"].as_str().unwrap()).collect();
        assert_eq!((codes, &status["language"]), (vec!["good"], &Value::Null), "{status}");
        let media = status["media_attachments"].as_array().unwrap();
        assert_eq!(media.len(), 2, "{status}");
        for one in media {
            assert_eq!((&one["blurhash"], &one["meta"]["original"], &one["description"]), (&Value::Null, &Value::Null, &Value::Null), "{one}");
        }
    }
}
