//! Several processes of one site: each has a cache of its own, which does not hear what the others are told. What is forgotten
//! is served by none of them for more than a minute, also by one that was away.

use crate::forgotten_killed::files;
use crate::media::png;
use crate::peer::{File, Peer};
use crate::process::Site;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{postgres, until};

/// How long a file is shown without a look whether it still may be, and a moment.
const GOOD: Duration = Duration::from_secs(61);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forgotten_goes_from_every_cache() {
    let Some(database) = postgres::database() else { return };
    let a = Site::new("bob", Some(database));
    let (b, c) = (a.beside(), a.beside());
    let (_at_a, _at_b, at_c) = (a.serve(), b.serve(), c.serve());
    let peer = Peer::start().await;
    let eve = peer.somebody("eve");
    let url = peer.file("/cat.png", File::Plain("image/png", png(96, 64)));
    let mut note = peer.note(&eve, ("1", "look"), &[]);
    note["attachment"] = json!([{ "type": "Image", "url": url }]);
    peer.put("/notes/1", note.clone());
    let uri = note["id"].as_str().unwrap();
    let found = b.get(&format!("/api/v2/search?resolve=true&q={uri}")).await["statuses"][0].clone();
    let shown = found["media_attachments"][0]["url"].as_str().unwrap();
    let cached = |site: &Site| files(&site.data.path().join("cache"));
    for site in [&a, &b, &c] {
        assert_eq!(site.file(shown).await, 200);
        until("what is kept", async || cached(site) == 1).await;
    }
    let looked = Instant::now();
    assert_eq!(peer.hits("/cat.png"), 3);
    drop(at_c);
    a.receives(&peer, &eve, &peer.activity(&eve, ("Delete", "2"), note["id"].clone())).await;
    // The one that did the work.
    until("the end of it", async || cached(&a) + cached(&b) == 1).await;
    tokio::time::sleep(GOOD.saturating_sub(looked.elapsed())).await;
    let _at_c = c.serve();
    for site in [&a, &b, &c] {
        assert_eq!(site.file(shown).await, 404);
        until("what was kept", async || cached(site) == 0).await;
    }
    assert_eq!(peer.hits("/cat.png"), 3);
}
