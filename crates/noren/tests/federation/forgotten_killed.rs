//! Forgetting, and `kill -9` in the middle of it: what is begun again afterwards leaves nothing.

use crate::media::png;
use crate::peer::{File, Peer, Somebody};
use crate::process::{Server, Site};
use domain::domain_blocks;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::{postgres, until};
use tokio::task::{block_in_place, spawn};

/// What somebody posts, and the pictures of each post.
const POSTS: usize = 12;
const PICTURES: usize = 4;
/// How often it is tried to come upon it in the middle.
const ROUNDS: usize = 8;

/// How it comes that somebody is forgotten.
#[derive(Clone, Copy, Debug)]
enum Way {
    Deleted,
    Purged,
}

struct World {
    site: Site,
    peer: Peer,
}

/// Files below a folder that are kept; none where there is no folder. What the cache was writing when it was killed is
/// nothing that it has, and goes within an hour or so.
pub(crate) fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let kept =
        entries.filter(|entry| !["purges", "unfinished"].map(OsStr::new).contains(&entry.file_name().as_os_str()));
    let count = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path()),
        Ok(kind) => usize::from(kind.is_file()),
        Err(_) => 0,
    };
    kept.map(count).sum()
}

impl World {
    /// Copies of a mirror, and what the cache has.
    fn kept(&self) -> usize {
        let data = self.site.data.path();
        files(&data.join("media/cache")) + files(&data.join("cache"))
    }

    fn picture(&self, name: &str) -> Value {
        let url = self.peer.file(&format!("/files/{name}.png"), File::Plain("image/png", png(96, 64)));
        json!({ "type": "Image", "url": url })
    }

    /// How often the peer was asked for a file.
    fn asked(&self) -> usize {
        self.peer.asked.lock().unwrap().iter().filter(|path| path.starts_with("/files/")).count()
    }

    /// Somebody of whom much is shown, and has been looked at: who, and where.
    async fn somebody(&self, name: &str) -> (Somebody, BTreeSet<String>) {
        let who = self.peer.somebody(name);
        let portrait = ["avatar", "header"].map(|kind| self.picture(&format!("{name}-{kind}")));
        self.peer.shows(&who, name, json!({ "icon": portrait[0], "image": portrait[1] }));
        let mut urls = BTreeSet::new();
        let mut add = |entity: &Value, keys: &[&str]| {
            urls.extend(keys.iter().map(|key| entity[key].as_str().unwrap().to_owned()));
        };
        for post in 0..POSTS {
            let id = format!("{name}-{post}");
            let mut note = self.peer.note(&who, (&id, ":blob:"), &[]);
            note["attachment"] = (0..PICTURES).map(|n| self.picture(&format!("{id}-{n}"))).collect();
            note["tag"] = json!([{ "type": "Emoji", "name": ":blob:", "icon": self.picture("blob") }]);
            self.peer.put(&format!("/notes/{id}"), note.clone());
            let uri = note["id"].as_str().unwrap();
            let found = self.site.get(&format!("/api/v2/search?resolve=true&q={uri}")).await["statuses"][0].clone();
            for media in found["media_attachments"].as_array().unwrap() {
                add(media, &["url", "preview_url"]);
            }
            add(&found["account"], &["avatar", "avatar_static", "header", "header_static"]);
        }
        assert!(urls.len() > 2 * POSTS * PICTURES, "{urls:?}");
        for url in &urls {
            assert_eq!(self.site.file(url).await, 200, "{url}");
        }
        until("what is kept", async || {
            let waiting = self.site.line(&["jobs", "list", "--json"]);
            matches!(waiting.trim(), "[]" | "") && self.kept() >= urls.len()
        })
        .await;
        (who, urls)
    }

    /// Kills the server as soon as some of `all` is gone. What is left then.
    fn kill_in_the_middle(&self, server: Server, all: usize) -> usize {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.kept() >= all {
            assert!(Instant::now() < deadline, "nothing is forgotten");
        }
        drop(server);
        self.kept()
    }

    /// Whether the server was killed while some of it was gone, and some not.
    async fn is_forgotten(&self, (name, way): (&str, Way), server: &mut Option<Server>) -> bool {
        let (who, urls) = self.somebody(name).await;
        let (all, db, host) = (self.kept(), self.site.db().await, self.peer.host().to_owned());
        let begun = match way {
            Way::Deleted => {
                let end = self.peer.activity(&who, ("Delete", &format!("end-{name}")), json!(who.uri));
                self.site.receives(&self.peer, &who, &end).await;
                spawn(async {})
            }
            Way::Purged => spawn(async move {
                domain_blocks::purge(&db, &host, |_| {}).await.unwrap();
            }),
        };
        let left = block_in_place(|| self.kill_in_the_middle(server.take().unwrap(), all));
        begun.await.unwrap();
        *server = Some(self.site.serve_again().await);
        let emoji = match way {
            Way::Deleted => self.emoji(),
            Way::Purged => 0,
        };
        until("the end of it", async || self.kept() <= emoji).await;
        let asked = self.asked();
        for url in &urls {
            assert_eq!(self.site.file(url).await, 404, "{url}");
        }
        assert_eq!(self.asked(), asked);
        (1..all).contains(&left)
    }

    /// Copies of emoji, which are their server's and not somebody's there.
    fn emoji(&self) -> usize {
        files(&self.site.data.path().join("media/cache/custom_emojis"))
    }
}

async fn nothing_of_it_is_left(site: Site, mode: &str) {
    site.configure(&format!("[media.remote]\nmode = \"{mode}\"\n"));
    let mut world = World { site, peer: Peer::start().await };
    world.site.own("bob");
    let mut server = Some(world.site.serve());
    for way in [Way::Deleted, Way::Purged] {
        let mut was_in_the_middle = false;
        for round in 0..ROUNDS {
            let name = format!("{way:?}{round}").to_lowercase();
            was_in_the_middle = world.is_forgotten((&name, way), &mut server).await;
            if was_in_the_middle {
                break;
            }
        }
        assert!(was_in_the_middle, "{way:?}: it was over each time before anybody saw it");
    }
    assert!(matches!(world.site.line(&["jobs", "list", "--state", "dead", "--json"]).trim(), "[]" | ""));
    drop(server);
}

async fn sqlite(mode: &str) {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    nothing_of_it_is_left(Site::unowned(None), mode).await;
}

async fn postgres(mode: &str) {
    let Some(database) = postgres::database() else { return };
    nothing_of_it_is_left(Site::unowned(Some(database)), mode).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mirror_sqlite() {
    sqlite("mirror").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mirror_postgres() {
    postgres("mirror").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lazy_sqlite() {
    sqlite("lazy").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lazy_postgres() {
    postgres("lazy").await;
}
