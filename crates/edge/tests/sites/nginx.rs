//! Ranges and conditions as nginx answers them, where nginx is installed (Debian's package) or NOREN_TEST_NGINX names it. What differs on purpose is
//! in the table with its reason; what differs otherwise is a fault of ours.

use crate::ports::free_port;
use crate::world::World;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// (lines of the head, status of ours, why it may differ from nginx's)
const TABLE: &[(&str, u16, Option<&str>)] = &[
    ("", 200, None),
    ("Range: bytes=0-0\r\n", 206, None),
    ("Range: bytes=0-9\r\n", 206, None),
    ("Range: bytes=10-99999\r\n", 206, None),
    ("Range: bytes=990-\r\n", 206, None),
    ("Range: bytes=-10\r\n", 206, None),
    ("Range: bytes=-5000\r\n", 206, None),
    ("Range: bytes=1000-\r\n", 416, None),
    ("Range: bytes=5000-6000\r\n", 416, None),
    ("Range: bytes=0-1,10-11\r\n", 206, None),
    ("Range: bytes=0-1, 10-11, -2\r\n", 206, None),
    ("Range: bytes=0-1,5000-\r\n", 206, None),
    ("Range: bytes=0-,0-,0-\r\n", 200, None),
    ("Range: items=0-1\r\n", 200, None),
    ("Range: bytes=0-9\r\nIf-Range: \"other\"\r\n", 200, None),
    ("Range: bytes=0-9\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, None),
    ("If-None-Match: \"other\"\r\n", 200, None),
    ("If-None-Match: *\r\n", 304, None),
    ("If-Match: *\r\n", 200, None),
    ("If-Match: \"other\"\r\n", 412, None),
    ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, None),
    ("If-Modified-Since: nonsense\r\n", 200, None),
    ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 412, None),
    ("Range: bytes=9-0\r\n", 200, Some("what makes no sense is ignored: RFC 9110 lets a server do so, nginx refuses")),
    ("Range: bytes=x\r\n", 200, Some("the same")),
    ("Range: bytes=-\r\n", 200, Some("the same")),
    ("Range: bytes=-0\r\n", 416, Some("nginx takes the last zero bytes for nonsense or nothing, by version")),
];

struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Nginx {
    /// None where there is none.
    fn start(folder: &Path) -> Option<Nginx> {
        let named = std::env::var("NOREN_TEST_NGINX").ok();
        let usual = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].map(str::to_owned);
        let program = named.into_iter().chain(usual).find(|path| Path::new(path).exists())?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let here = folder.display();
        let text = format!(
            "daemon off; pid {here}/nginx.pid; error_log {here}/error.log; worker_processes 1;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3;\n\
             uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5; types {{ image/png png; }}\n\
             server {{ listen {address}; root {here}/files; }} }}\n"
        );
        std::fs::write(folder.join("nginx.conf"), text).unwrap();
        let child = Command::new(program)
            .args(["-c", folder.join("nginx.conf").to_str().unwrap(), "-p", folder.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Nginx { child, address })
    }

    async fn ask(&self, lines: &str) -> Option<(u16, String, Vec<u8>)> {
        for _ in 0..600 {
            if let Ok(mut stream) = TcpStream::connect(self.address).await {
                let request = format!("GET /a.png HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n");
                stream.write_all(request.as_bytes()).await.ok()?;
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).await.ok()?;
                let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let status = head.split(' ').nth(1)?.parse().ok()?;
                return Some((status, head, bytes[end + 4..].to_vec()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
}

/// The parts of a message, without its boundary.
fn parts(kind: &str, body: &[u8]) -> Option<String> {
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=")?;
    Some(String::from_utf8_lossy(body).replace(boundary, "BOUNDARY"))
}

#[tokio::test]
async fn ranges_and_conditions_are_as_those_of_nginx() {
    let world = World::new("[[site]]\n[[site.origin]]\nfolder = \"{here}/files\"\n").await;
    let text: String = (0..250).map(|number| format!("{number:03}.")).collect();
    world.write("files/a.png", &text);
    let nginx = Nginx::start(world.folder.path());
    for (lines, status, differs) in TABLE {
        let ours = world.ask("a", "/a.png", lines).await;
        assert_eq!(ours.status, *status, "{lines}: {}", ours.head);
        assert!(ours.whole, "{lines}");
        let Some(nginx) = &nginx else { continue };
        let (theirs, head, body) = nginx.ask(lines).await.expect("nginx answers");
        if differs.is_some() {
            continue;
        }
        assert_eq!(ours.status, theirs, "{lines}");
        assert_eq!(ours.header("content-range"), header(&head, "content-range"), "{lines}");
        if matches!(status, 200 | 206) {
            match parts(ours.header("content-type"), &ours.body) {
                Some(parts_of_ours) => {
                    let theirs = parts(header(&head, "content-type"), &body).expect("several parts");
                    assert_eq!(parts_of_ours, theirs, "{lines}");
                }
                None => assert_eq!(ours.body, body, "{lines}"),
            }
        }
    }
    let modified = world.get("a", "/a.png").await.header("last-modified").to_owned();
    for (lines, status) in [
        (format!("If-Modified-Since: {modified}\r\n"), 304),
        (format!("If-Unmodified-Since: {modified}\r\n"), 200),
        (format!("Range: bytes=0-9\r\nIf-Range: {modified}\r\n"), 206),
    ] {
        assert_eq!(world.ask("a", "/a.png", &lines).await.status, status, "{lines}");
        if let Some(nginx) = &nginx {
            assert_eq!(nginx.ask(&lines).await.unwrap().0, status, "{lines}");
        }
    }
}
