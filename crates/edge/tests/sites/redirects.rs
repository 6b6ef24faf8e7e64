//! Where redirects lead: of origins, of sites that have moved, and in circles.

use crate::world::{Origin, World, reply, sent};

const PNG: &str = "Content-Type: image/png\r\n";

#[tokio::test]
async fn redirects_are_followed_where_they_may_and_told_where_not() {
    let target = Origin::with(&[("/there/a.png", "image/png", b"there")]).await;
    let port = target.address.port();
    let origin = Origin::new(move |head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let to = |status: &str, location: &str| reply(status, &format!("Location: {location}\r\n"), b"moved");
        match path {
            "/known.png" => to("302 Found", &format!("http://127.0.0.1:{port}/there/a.png")),
            "/other.png" => to("301 Moved Permanently", "https://elsewhere.test/b.png?c=d"),
            "/relative.png" => to("307 Temporary Redirect", "known.png"),
            "/loop.png" => to("302 Found", "/loop.png"),
            "/script.png" => to("302 Found", "javascript:alert(1)"),
            "/data.png" => to("302 Found", "data:text/html,x"),
            "/user.png" => to("302 Found", "https://a:b@elsewhere.test/"),
            "/nowhere.png" => reply("302 Found", "", b""),
            "/other-way.png" => to("303 See Other", "https://elsewhere.test/"),
            _ => reply("404 Not Found", "", b""),
        }
    })
    .await;
    let world =
        World::new(&format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\nfollow = [\"127.0.0.1\"]\n", origin.url())).await;
    for (path, status, location) in [
        ("/known.png", 200, ""),
        ("/relative.png", 200, ""),
        ("/other.png", 301, "https://elsewhere.test/b.png?c=d"),
        ("/loop.png", 502, ""),
        ("/script.png", 502, ""),
        ("/data.png", 502, ""),
        ("/user.png", 502, ""),
        ("/nowhere.png", 502, ""),
        ("/other-way.png", 502, ""),
    ] {
        // One that fails often rests: each of these is to be asked.
        world.reload(&format!(
            "[[site]]\nname = \"{path}\"\n[[site.origin]]\nurl = \"{}\"\nfollow = [\"127.0.0.1\"]\n",
            origin.url()
        ));
        let answer = world.get("a", path).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}: {}", answer.head);
    }
    assert_eq!(origin.paths().iter().filter(|path| *path == "/loop.png").count(), 4, "three redirects and no more");
    assert_eq!(world.get("a", "/other.png").await.status, 301);

    // Without the host in the list the client would be told, but cannot reach it.
    world.reload(&format!("[[site]]\nname = \"two\"\n[[site.origin]]\nurl = \"{}\"\n", origin.url()));
    let answer = world.get("a", "/known.png").await;
    assert_eq!((answer.status, answer.header("location")), (502, ""));
}

#[tokio::test]
async fn old_addresses_lead_to_new_ones() {
    let world = World::new(
        "[[site]]\nhosts = [\"old.test\"]\nredirect = \"https://new.test/media\"\n\
         [[site]]\nhosts = [\"old.test\"]\npath = \"/files\"\nredirect = \"https://files.test\"\n",
    )
    .await;
    for (path, status, location) in [
        ("/a/b%20c.png", 301, "https://new.test/media/a/b%20c.png"),
        ("/files/x%2Dy.png?a=b", 301, "https://files.test/x-y.png"),
        ("/", 301, "https://new.test/media/"),
        ("/a/../b", 404, ""),
        ("/a%0d%0aSet-Cookie:%20x", 400, ""),
        ("//evil.test/x", 404, ""),
        ("/%2f%2fevil.test", 400, ""),
    ] {
        let answer = world.get("old.test", path).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}");
    }
}

/// What an origin says of itself, of the site and of its own network is no address for clients.
#[tokio::test]
async fn redirects_within_an_origin_are_followed_and_those_back_are_refused() {
    let origin = Origin::new(move |head| {
        let host = sent(head, "host").unwrap().to_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let to = |location: &str| reply("301 Moved Permanently", &format!("Location: {location}\r\n"), b"moved");
        match path {
            "/files/a.png" => to("/files/b.png"),
            "/files/b.png" => to(&format!("http://{host}/files/c.png?d=e")),
            "/files/c.png?d=e" if host == "inner.test" => reply("200 OK", PNG, b"inner"),
            "/files/c.png?d=e" => reply("200 OK", PNG, b"bytes"),
            "/files/secure.png" => to(&format!("https://{host}/files/secure.png")),
            "/files/site.png" => to("https://media.test/site.png"),
            "/files/outside.png" => to("https://elsewhere.test/x.png"),
            _ => reply("404 Not Found", "", b""),
        }
    })
    .await;
    let site = |name: &str, more: &str| {
        format!(
            "[[site]]\nname = \"{name}\"\nhosts = [\"media.test\"]\n[[site.origin]]\nurl = \"{}/files\"\n{more}",
            origin.url()
        )
    };
    let world = World::new(&site("one", "")).await;
    assert_eq!(world.get("media.test", "/a.png").await.text(), "bytes");
    world.reload(&site("two", "host = \"inner.test\"\n"));
    assert_eq!(world.get("media.test", "/a.png").await.text(), "inner");
    for (path, status, location) in [
        ("/site.png", 502, ""),
        ("/outside.png", 301, "https://elsewhere.test/x.png"),
        // It insists on https under its own name, and is asked without it: there is no end to that.
        ("/secure.png", 502, ""),
    ] {
        let answer = world.get("media.test", path).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}: {}", answer.head);
    }
}

#[tokio::test]
async fn a_redirect_back_is_no_end_of_a_good_copy_and_is_soon_forgotten() {
    let origin = Origin::with(&[("/a.png", "image/png", b"bytes")]).await;
    let sites = format!(
        "[[site]]\nhosts = [\"media.test\"]\nvalid = \"0 s\"\n[[site.origin]]\nurl = \"{}\"\n\
         [[site]]\nname = \"any\"\n[[site.origin]]\nurl = \"{}\"\n[cache]\nvalid_error = \"100 ms\"\n",
        origin.url(),
        origin.url()
    );
    let world = World::new(&sites).await;
    assert_eq!(world.get("media.test", "/a.png").await.text(), "bytes");
    world.settled().await;
    origin.becomes(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let host = if path == "/any.png" { "who.test" } else { "media.test" };
        reply("308 Permanent Redirect", &format!("Location: https://{host}{path}\r\n"), b"")
    });
    let answer = world.get("media.test", "/a.png").await;
    assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("bytes", "STALE"));
    assert_eq!(world.get("media.test", "/b.png").await.status, 502);
    // A site for any host does not know which are its own, but sees that nobody would get on.
    assert_eq!(world.get("who.test", "/any.png").await.status, 508);
    assert_eq!(world.get("other.test", "/any.png").await.status, 308);
    origin.becomes(|_| reply("200 OK", PNG, b"again"));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.get("media.test", "/b.png").await.text(), "again");
}
