//! What people have at hand: curl, where it is installed.

use crate::world::{Origin, World, reply, sent};
use std::process::Command;

/// Enough for several slices.
const LENGTH: usize = 3 * 1024 * 1024 + 77;

fn bytes() -> Vec<u8> {
    (0..LENGTH).map(|at| u8::try_from((at * 7 + at / 253) % 256).unwrap()).collect()
}

async fn curl(world: &World, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--max-time", "20", "--noproxy", "*"]).args(arguments);
    command.arg(format!("http://{}/video.mp4", world.address));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn it_gets_parts_takes_up_what_it_has_begun_and_asks_on_conditions() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("there is no curl here: nothing is tried");
        return;
    }
    let all = bytes();
    let body = all.clone();
    let origin = Origin::new(move |head| {
        let lines = "Content-Type: video/mp4\r\nETag: \"v\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let range = sent(head, "range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let Some((first, last)) = range else { return reply("200 OK", lines, &body) };
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let last = last.min(body.len() - 1);
        let lines = format!("{lines}Content-Range: bytes {first}-{last}/{LENGTH}\r\n");
        reply("206 Partial Content", &lines, &body[first..=last])
    })
    .await;
    let world = World::new(&format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\n", origin.url())).await;
    let last = format!("{}-", LENGTH - 5);
    for (range, part) in [
        ("2000000-2000099", 2_000_000..2_000_100),
        ("0-0", 0..1),
        (last.as_str(), LENGTH - 5..LENGTH),
        ("-1000", LENGTH - 1000..LENGTH),
        ("1048570-1048580", 1_048_570..1_048_581),
    ] {
        assert_eq!(curl(&world, &["--range", range]).await, &all[part], "{range}");
    }
    let several = curl(&world, &["--range", "0-3,3000000-3000003"]).await;
    assert!(several.windows(4).any(|window| window == &all[..4]));
    assert!(several.windows(4).any(|window| window == &all[3_000_000..3_000_004]));

    // A download that was broken off.
    let file = world.folder.path().join("download");
    std::fs::write(&file, &all[..1_500_000]).unwrap();
    curl(&world, &["--continue-at", "-", "--output", file.to_str().unwrap()]).await;
    assert!(std::fs::read(&file).unwrap() == all);

    let status = ["--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"];
    let ask = async |more: &[&str]| {
        let arguments: Vec<&str> = status.iter().chain(more).copied().collect();
        String::from_utf8(curl(&world, &arguments).await).unwrap()
    };
    assert_eq!(ask(&[]).await, format!("200 {LENGTH}"));
    assert_eq!(ask(&["--time-cond", "Mon, 07 Nov 1994 08:49:37 GMT"]).await, "304 0");
    let tag = world.folder.path().join("tag");
    ask(&["--etag-save", tag.to_str().unwrap()]).await;
    assert_eq!(ask(&["--etag-compare", tag.to_str().unwrap()]).await, "304 0");
    let head = String::from_utf8(curl(&world, &["--head"]).await).unwrap();
    assert!(head.contains(&format!("content-length: {LENGTH}")) && head.contains("accept-ranges: bytes"), "{head}");
}
