//! Paths as attackers send them. Nothing that is not below the folder ever comes out, and the origin never sees a path
//! that could mean something else to it.

use crate::world::{Origin, World, reply};

/// (what is sent, the status)
pub const NASTY: &[(&str, u16)] = &[
    ("/../secret", 404),
    ("/a/../../secret", 404),
    ("/./a.png", 404),
    ("/a/..", 404),
    ("/..", 404),
    ("//secret", 404),
    ("///etc/passwd", 404),
    ("/%2e%2e/secret", 404),
    ("/%2E%2E/%2e%2e/secret", 404),
    ("/.%2e/secret", 404),
    ("/%2e./secret", 404),
    ("/..%2fsecret", 400),
    ("/..%2Fsecret", 400),
    ("/%2e%2e%2fsecret", 400),
    ("/%252e%252e/secret", 400),
    ("/%252e%252e%252fsecret", 400),
    ("/%25252e%25252e/secret", 400),
    ("/..\\secret", 400),
    ("/..%5csecret", 400),
    ("/%c0%ae%c0%ae/secret", 400),
    ("/%c0%afsecret", 400),
    ("/%e0%80%ae%e0%80%ae/secret", 400),
    ("/%uff0e%uff0e/secret", 400),
    ("/a.png%00", 400),
    ("/a.png%00.html", 400),
    ("/a.png%0d%0aX-Evil:%20yes", 400),
    ("/a.png%0a", 400),
    ("/%ff%fe", 400),
    ("/%", 400),
    ("/%2", 400),
    ("/%zz", 400),
    ("/%e2%80%ae", 404),
    ("/.env", 404),
    ("/.git/config", 404),
    ("/%2egit/config", 404),
    ("/a/.htaccess", 404),
    ("/", 404),
    ("/a", 404),
    ("/a/", 404),
    ("/a.png/", 404),
    ("/a.png/b", 404),
    ("/link/secret", 404),
    ("/file-link", 404),
    ("/magic/etc/passwd", 404),
    ("/pipe", 404),
    ("/A.png", 404),
    ("/a.png;jsessionid=1", 404),
    ("/a.png::$DATA", 404),
    ("/a.png%20", 404),
    ("/a.png.", 404),
    ("/con", 404),
    ("/~root/.ssh/id_rsa", 404),
    ("/a.png?x=../../secret", 200),
    ("/%61.png", 200),
    ("/a%2Epng", 200),
    ("/a.png", 200),
];

/// Bytes that are no path at all.
pub const BROKEN: &[&[u8]] =
    &[b"/\xff\xfe", b"/\xc0\xae\xc0\xae/secret", b"/a\x01b", b"/a.png\x7f", b"/ a.png", b"a.png", b"\\a.png", b""];

const SITES: &str = "[[site]]\nhosts = [\"files.test\"]\n[[site.origin]]\nfolder = \"{here}/files\"\n";

/// A site with a folder, and much beside the folder that nobody may see.
pub async fn world() -> World {
    let world = World::new(SITES).await;
    world.write("files/a.png", "inside");
    world.write("files/a/b.png", "inside");
    world.write("secret", "outside");
    world.write(".env", "outside");
    world.write("files/.env", "outside");
    world.write("files/.git/config", "outside");
    world.write("files/a/.htaccess", "outside");
    let files = world.folder.path().join("files");
    std::os::unix::fs::symlink(world.folder.path(), files.join("link")).unwrap();
    std::os::unix::fs::symlink("../secret", files.join("file-link")).unwrap();
    std::os::unix::fs::symlink("/proc/self/root", files.join("magic")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(files.join("pipe")).status().unwrap().success());
    world
}

#[tokio::test]
async fn nothing_outside_the_folder_comes_out() {
    let world = world().await;
    for (path, status) in NASTY {
        let answer = world.get("files.test", path).await;
        assert_eq!(answer.status, *status, "{path}: {}", answer.head);
        assert!(!answer.text().contains("outside") && !answer.text().contains("root:"), "{path}");
        assert_eq!(answer.text() == "inside", *status == 200, "{path}");
        assert_eq!(answer.header("x-evil"), "", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn paths_that_are_no_text_or_have_no_end() {
    let world = World::new(SITES).await;
    world.write("files/a.png", "inside");
    for &bytes in BROKEN {
        let request = [b"GET ", bytes, b" HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n"].concat();
        let answer = world.send(&request).await;
        assert!(matches!(answer.status, 0 | 400 | 404), "{bytes:?}: {}", answer.head);
        assert_ne!(answer.text(), "inside", "{bytes:?}");
    }
    let long = format!("/{}", "a/".repeat(2500));
    assert_eq!(world.get("files.test", &long).await.status, 400);
    assert_eq!(world.get("files.test", &format!("/{}", "a".repeat(300))).await.status, 404);
    let huge = format!("/{}", "a".repeat(100_000));
    assert!(matches!(world.get("files.test", &huge).await.status, 0 | 400 | 414 | 431));
}

#[tokio::test]
async fn origins_see_one_form_of_a_path_and_no_other() {
    let origin = Origin::new(|_| reply("200 OK", "Content-Type: image/png\r\n", b"bytes")).await;
    let site = format!("[[site]]\nhosts = [\"files.test\"]\n[[site.origin]]\nurl = \"{}/base\"\n", origin.url());
    let world = World::new(&site).await;
    for (path, status) in NASTY {
        let answer = world.get("files.test", path).await;
        // What a folder does not have the origin may.
        let expected = if *status == 400 { 400 } else { answer.status };
        assert_eq!(answer.status, expected, "{path}");
    }
    for path in origin.paths() {
        let rest = path.strip_prefix("/base/").unwrap_or_else(|| panic!("{path}"));
        assert!(!rest.contains(['\\', '?', '#', ' ']) && !rest.contains("%2F") && !rest.contains("%2f"), "{path}");
        assert!(rest.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{path}");
    }
    assert_eq!(origin.paths().iter().filter(|path| *path == "/base/a.png").count(), 1, "three spellings are one file");
    assert!(world.get("files.test", "/%E6%97%A5%E6%9C%AC%20%28%F0%9F%90%88%29%3F.png").await.status == 200);
    assert!(origin.paths().contains(&"/base/%E6%97%A5%E6%9C%AC%20%28%F0%9F%90%88%29%3F.png".to_owned()));
}
