//! What Prometheus reads after requests of which it is known what they did.

use crate::world::{Origin, Reply, World, reply, sent};
use std::collections::HashMap;
use std::path::Path;

const SLICE: usize = 256 * 1024;
/// Two slices and a rest.
const FILM: usize = 2 * SLICE + 1000;

/// What the page says, by name with labels.
async fn read(world: &World) -> HashMap<String, f64> {
    let page = world.get("a", "/metrics").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    values.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

#[track_caller]
fn expect(page: &HashMap<String, f64>, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        assert_eq!(page.get(*name), Some(value), "{name}");
    }
}

fn film() -> Vec<u8> {
    (0..FILM).map(|place| (place % 251) as u8).collect()
}

/// A picture of 7 bytes that never changes, a film, and nothing else.
fn files(head: &str) -> Reply {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let lines = "Content-Type: video/mp4\r\nETag: \"o\"\r\n";
    if sent(head, "if-none-match").is_some() {
        return reply("304 Not Modified", lines, b"");
    }
    match path {
        "/a.png" | "/b.png" => reply("200 OK", "Content-Type: image/png\r\nETag: \"o\"\r\n", b"picture"),
        "/broken.png" => reply("500 Internal Server Error", "", b"no"),
        "/film.mp4" => {
            let film = film();
            let Some(range) = sent(head, "range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
            else {
                return reply("200 OK", lines, &film);
            };
            let first: usize = range.0.parse().unwrap();
            let last = range.1.parse().unwrap_or(FILM).min(FILM - 1);
            let range = format!("{lines}Content-Range: bytes {first}-{last}/{FILM}\r\n");
            reply("206 Partial Content", &range, &film[first..=last])
        }
        _ => reply("404 Not Found", "", b"no"),
    }
}

#[tokio::test]
async fn a_known_sequence_gives_known_figures() {
    let origin = Origin::new(files).await;
    let site = |name: &str, valid: &str| {
        format!(
            "[[site]]\nname = \"{name}\"\npath = \"/{name}\"\nvalid = \"{valid}\"\n[[site.origin]]\nurl = \"{}\"\n",
            origin.url()
        )
    };
    let sites = format!("[metrics]\npath = \"/metrics\"\n{}{}", site("kept", "1 h"), site("asked", "0 s"));
    let world = World::new(&(sites + "[cache]\nslice_size = \"256 KiB\"\nmemory = \"0 B\"\n")).await;
    let ask = async |path: &str, lines: &str, expected: (u16, &str, usize)| {
        let answer = world.ask("a", path, lines).await;
        assert_eq!((answer.status, answer.header("x-cache"), answer.body.len()), expected, "{path}: {}", answer.head);
        world.settled().await;
        answer
    };
    // Fetched once, and then here: whole, unchanged, as a head.
    let etag = ask("/kept/a.png", "", (200, "MISS", 7)).await.header("etag").to_owned();
    ask("/kept/a.png", "", (200, "HIT", 7)).await;
    ask("/kept/a.png", "", (200, "HIT", 7)).await;
    ask("/kept/a.png", &format!("If-None-Match: {etag}\r\n"), (304, "HIT", 0)).await;
    // A part brings its slice, and the next one finds it there.
    ask("/kept/film.mp4", "Range: bytes=100-199\r\n", (206, "MISS", 100)).await;
    ask("/kept/film.mp4", "Range: bytes=200-399\r\n", (206, "HIT", 200)).await;
    // A jump to where nothing is yet.
    ask("/kept/film.mp4", "Range: bytes=300000-300099\r\n", (206, "MISS", 100)).await;
    // Not there, which is remembered; and a failure, which is too.
    ask("/kept/none.png", "", (404, "MISS", 14)).await;
    ask("/kept/none.png", "", (404, "HIT", 14)).await;
    ask("/kept/broken.png", "", (502, "MISS", 16)).await;
    ask("/kept/broken.png", "", (502, "MISS", 16)).await;
    // Asked for each time: unchanged, and then nobody answers.
    ask("/asked/b.png", "", (200, "MISS", 7)).await;
    ask("/asked/b.png", "", (200, "REVALIDATED", 7)).await;
    origin.becomes(|_| reply("503 Service Unavailable", "", b"no"));
    ask("/asked/b.png", "", (200, "STALE", 7)).await;

    let page = read(&world).await;
    let url = origin.url();
    let of = |family: &str, site: &str, more: &str| format!("{family}{{site=\"{site}\",origin=\"{url}\"{more}}}");
    expect(
        &page,
        &[
            ("noren_edge_requests_total{site=\"kept\",status=\"2xx\"}", 6.0),
            ("noren_edge_requests_total{site=\"kept\",status=\"3xx\"}", 1.0),
            ("noren_edge_requests_total{site=\"kept\",status=\"4xx\"}", 2.0),
            ("noren_edge_requests_total{site=\"kept\",status=\"5xx\"}", 2.0),
            ("noren_edge_cache_answers_total{site=\"kept\",how=\"hit\"}", 5.0),
            ("noren_edge_cache_answers_total{site=\"kept\",how=\"miss\"}", 6.0),
            ("noren_edge_cache_answers_total{site=\"kept\",how=\"bypass\"}", 0.0),
            ("noren_edge_hit_ratio{site=\"kept\"}", 5.0 / 11.0),
            ("noren_edge_sent_bytes_total{site=\"kept\"}", 481.0),
            ("noren_edge_open_answers{site=\"kept\"}", 0.0),
            ("noren_edge_requests_total{site=\"asked\",status=\"2xx\"}", 3.0),
            ("noren_edge_cache_answers_total{site=\"asked\",how=\"miss\"}", 1.0),
            ("noren_edge_cache_answers_total{site=\"asked\",how=\"revalidated\"}", 1.0),
            ("noren_edge_cache_answers_total{site=\"asked\",how=\"stale\"}", 1.0),
            ("noren_edge_hit_ratio{site=\"asked\"}", 1.0 / 3.0),
            ("noren_edge_sent_bytes_total{site=\"asked\"}", 21.0),
            // Pictures twice from the disk, a part of the film, and the two of the other site.
            ("noren_edge_saved_bytes_total", 7.0 + 7.0 + 200.0 + 7.0 + 7.0),
            ("noren_edge_cache_hits_total", 5.0),
            ("noren_edge_cache_stale_total", 1.0),
            ("noren_edge_cache_revalidated_total", 1.0),
            ("noren_edge_cache_bypassed_total", 0.0),
            ("noren_edge_cache_bytes_fetched_total", (7 + 2 * SLICE + 7) as f64),
            ("noren_edge_cache_failed_fills_total", 2.0),
            ("noren_edge_cache_fills_total", 8.0),
            ("noren_edge_cache_files", 4.0),
            ("noren_edge_cache_fills_now", 0.0),
            ("noren_edge_cache_evictions_total", 0.0),
            ("noren_edge_cache_disk_bytes", on_disk(&world.folder.path().join("cache")) as f64),
        ],
    );
    for (site, found, absent, failed, bytes) in
        [("kept", 3.0, 1.0, 1.0, 7.0 + 2.0 * SLICE as f64), ("asked", 2.0, 0.0, 1.0, 7.0)]
    {
        let result = |result: &str| of("noren_edge_origin_requests_total", site, &format!(",result=\"{result}\""));
        expect(
            &page,
            &[
                (&result("found"), found),
                (&result("absent"), absent),
                (&result("failed"), failed),
                (&result("busy"), 0.0),
                (&of("noren_edge_origin_bytes_total", site, ""), bytes),
                // Who fails is not measured.
                (&of("noren_edge_origin_seconds_count", site, ""), found + absent),
                (&of("noren_edge_origin_seconds_bucket", site, ",le=\"+Inf\""), found + absent),
            ],
        );
        assert!(page[&of("noren_edge_origin_seconds_sum", site, "")] > 0.0);
    }
}

/// What all files of slices take.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let sizes = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => on_disk(&entry.path()),
        // A file takes whole blocks.
        false => entry.metadata().unwrap().len().next_multiple_of(4096),
    });
    sizes.sum()
}

fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries.map(|entry| if entry.file_type().unwrap().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

#[tokio::test]
async fn what_has_to_go_is_counted() {
    const LENGTH: usize = 100_000;
    let origin = Origin::new(|_| reply("200 OK", "Content-Type: image/png\r\nETag: \"o\"\r\n", &[1; LENGTH])).await;
    let sites = format!(
        "[metrics]\npath = \"/metrics\"\n[[site]]\nname = \"one\"\npath = \"/one\"\n[[site.origin]]\nurl = \"{}\"\n",
        origin.url()
    );
    let world = World::new(&(sites + "[cache]\nmax_size = \"1 MB\"\nmemory = \"0 B\"\n")).await;
    for number in 0..30 {
        assert_eq!(world.get("a", &format!("/one/{number}.png")).await.body.len(), LENGTH);
        world.settled().await;
    }
    let page = read(&world).await;
    let (files, evicted) = (page["noren_edge_cache_files"], page["noren_edge_cache_evictions_total"]);
    assert_eq!(files + evicted, 30.0);
    assert!((5.0..=9.0).contains(&files), "{files}");
    expect(
        &page,
        &[
            ("noren_edge_cache_answers_total{site=\"one\",how=\"miss\"}", 30.0),
            ("noren_edge_cache_limit_bytes", 1_000_000.0),
            ("noren_edge_cache_bytes_fetched_total", 3_000_000.0),
            ("noren_edge_cache_expired_total", 0.0),
            ("noren_edge_saved_bytes_total", 0.0),
        ],
    );
    assert!(page["noren_edge_cache_disk_bytes"] <= 1_000_000.0);
    let folder = world.folder.path().join("cache");
    assert!(count(&folder) as f64 >= files, "{} files", count(&folder));
}

#[tokio::test]
async fn what_is_for_no_site_is_counted() {
    let site = "[[site]]\nhosts = [\"media.test\"]\n[[site.origin]]\nfolder = \"/nowhere\"\n";
    let world = World::new(&format!("[metrics]\npath = \"/metrics\"\n{site}")).await;
    assert_eq!(world.status().sites.len(), 1);
    for (host, path, status) in
        [("other.test", "/a.png", 404), ("media.test", "/a%00b", 400), ("media.test", "/.git/config", 404)]
    {
        assert_eq!(world.get(host, path).await.status, status, "{host}{path}");
    }
    assert_eq!(world.get("media.test", "/a.png").await.status, 404);
    let page = read(&world).await;
    let requests = |site: &str| format!("noren_edge_requests_total{{site=\"{site}\",status=\"4xx\"}}");
    expect(&page, &[(&requests("(no site)"), 3.0), (&requests("media.test/"), 1.0)]);
}
