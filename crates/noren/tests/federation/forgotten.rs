//! What nobody may see any more is gone at once: copies of a mirror, and what the cache has.

use crate::media::{png, post_with};
use crate::peer::{File, Peer, Somebody};
use crate::previews::{html, hurry};
use crate::{find, id, search};
use domain::domain_blocks::{self, DomainBlock, Severity};
use noren::config::Mode;
use serde_json::{Value, json};
use testkit::{Engine, Person, TestServer};

/// A server, another one that is known to it, and who looks.
struct World {
    server: TestServer,
    peer: Peer,
    bob: Person,
    eve: Somebody,
}

impl World {
    async fn new(engine: Engine, mode: Mode) -> Option<World> {
        let server = TestServer::start_reachable_with(engine, |config| config.media.remote.mode = mode).await?;
        let (peer, bob) = (Peer::start().await, server.person("bob").await);
        let eve = peer.somebody("eve");
        Some(World { server, peer, bob, eve })
    }

    fn picture(&self, path: &str) -> String {
        self.peer.file(path, File::Plain("image/png", png(200, 100)))
    }

    fn image(&self, path: &str) -> Value {
        json!({ "type": "Image", "url": self.picture(path) })
    }

    fn is_mirror(&self) -> bool {
        self.server.parts().config.media.remote.mode == Mode::Mirror
    }

    /// Whether all of these can be seen, and lie in the store where they are mirrored.
    async fn are_seen(&self, urls: &[String]) {
        for url in urls {
            assert_eq!(self.server.client().get(url, ()).await.status, 200, "{url}");
            assert_eq!(self.is_copied(url).await, self.is_mirror(), "{url}");
        }
    }

    /// None of these is to be had, and nobody is asked for it.
    async fn are_gone(&self, urls: &[String]) {
        let asked = self.peer.asked.lock().unwrap().len();
        for url in urls {
            assert!(!self.is_copied(url).await, "{url}");
            assert_eq!(self.server.client().get(url, ()).await.status, 404, "{url}");
        }
        assert_eq!(self.peer.asked.lock().unwrap().len(), asked, "{urls:?}");
    }

    async fn is_copied(&self, url: &str) -> bool {
        let key = url.strip_prefix(&format!("{}/", self.server.parts().site.media_url)).unwrap();
        self.server.parts().store.exists(&key.parse().unwrap()).await.unwrap()
    }

    /// The links of a post's file, and of its preview.
    async fn post(&self, name: &str) -> Vec<String> {
        let media = json!([self.image(&format!("/{name}.png"))]);
        let post = post_with(&self.bob, (&self.peer, &self.eve), name, media).await;
        self.server.settle().await;
        links(&post["media_attachments"][0], &["url", "preview_url"])
    }

    async fn delete(&self, name: &str) {
        let uri = format!("{}/notes/{name}", self.peer.base);
        let deletion = self.peer.activity(&self.eve, ("Delete", &format!("delete-{name}")), json!(uri));
        self.peer.send(&self.eve, &self.server, &deletion).await;
    }

    /// A post that links to a page; what is shown of the page.
    async fn page(&self, name: &str, url: &str) -> Value {
        let mut note = self.peer.note(&self.eve, (name, &format!("<p>:blob: <a href=\"{url}\">there</a></p>")), &[]);
        note["tag"] = json!([{ "type": "Emoji", "name": ":blob:", "icon": self.image("/blob.png") }]);
        self.peer.put(&format!("/notes/{name}"), note.clone());
        let post = search(&self.bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        hurry(&self.server).await;
        self.bob.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok()
    }

    async fn block(&self, severity: Severity, reject_media: bool) {
        let rule = DomainBlock { severity, reject_media, ..DomainBlock::named(self.peer.host()) };
        domain_blocks::block(self.server.db(), &rule).await.unwrap();
        self.server.settle().await;
    }
}

fn links(entity: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| entity[name].as_str().unwrap().to_owned()).collect()
}

const PORTRAIT: [&str; 4] = ["avatar", "avatar_static", "header", "header_static"];

async fn what_is_deleted_or_replaced_goes_and_the_rest_stays(engine: Engine, mode: Mode) {
    let Some(world) = World::new(engine, mode).await else { return };
    let World { server, peer, bob, eve } = &world;
    let more = json!({ "icon": world.image("/avatar.png"), "image": world.image("/header.png") });
    peer.shows(eve, "eve", more);
    let (one, two) = (world.post("1").await, world.post("2").await);
    let portrait = links(&find(bob, &format!("eve@{}", peer.host())).await, &PORTRAIT);
    server.settle().await;
    for urls in [&one, &two, &portrait] {
        world.are_seen(urls).await;
    }
    world.delete("1").await;
    world.are_gone(&one).await;
    for urls in [&two, &portrait] {
        world.are_seen(urls).await;
    }
    // Another file in the place of the old one, by an edit.
    let mut note = peer.note(eve, ("2", "look"), &[]);
    (note["attachment"], note["updated"]) = (json!([world.image("/3.png")]), json!(jiff::Timestamp::now().to_string()));
    peer.send(eve, server, &peer.activity(eve, ("Update", "u2"), note)).await;
    world.are_gone(&two).await;
    let edited = search(bob, &format!("{}/notes/2", peer.base)).await["statuses"][0].clone();
    world.are_seen(&links(&edited["media_attachments"][0], &["url", "preview_url"])).await;
    // Another avatar.
    let mut actor = peer.actor("eve", eve);
    (actor["icon"], actor["image"]) = (world.image("/new.png"), world.image("/header.png"));
    peer.put("/users/eve", actor.clone());
    peer.send(eve, server, &peer.activity(eve, ("Update", "u3"), actor)).await;
    world.are_gone(&portrait[..2]).await;
    world.are_seen(&portrait[2..]).await;
    let new = links(&find(bob, &format!("eve@{}", peer.host())).await, &PORTRAIT);
    world.are_seen(&new).await;
    // All of them.
    peer.send(eve, server, &peer.activity(eve, ("Delete", "end"), json!(eve.uri))).await;
    world.are_gone(&new).await;
    server.finish().await;
}

async fn a_page_that_nobody_shows_is_forgotten(engine: Engine, mode: Mode) {
    let Some(world) = World::new(engine, mode).await else { return };
    let World { server, peer, bob, .. } = &world;
    let image = world.picture("/card.png");
    let page = peer.file("/page", html(&format!("<title>page</title><meta property=og:image content='{image}'>")));
    let first = world.page("1", &page).await;
    let card = links(&first["card"], &["image"]);
    let emoji = links(&first["emojis"][0], &["url", "static_url"]);
    assert_eq!(links(&world.page("2", &page).await["card"], &["image"]), card, "it is shared");
    world.are_seen(&card).await;
    world.are_seen(&emoji).await;
    world.delete("1").await;
    world.are_seen(&card).await;
    world.delete("2").await;
    world.are_gone(&card).await;
    // Whoever links to it next has it fetched again.
    let again = links(&world.page("3", &page).await["card"], &["image"]);
    world.are_seen(&again).await;
    // The emoji is another one now.
    let mut note = peer.note(&world.eve, ("4", ":blob:"), &[]);
    let later = jiff::Timestamp::now().to_string();
    note["tag"] = json!([{ "type": "Emoji", "name": ":blob:", "updated": later, "icon": world.image("/other.png") }]);
    peer.put("/notes/4", note.clone());
    let post = search(bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
    server.settle().await;
    world.are_gone(&emoji).await;
    world.are_seen(&links(&post["emojis"][0], &["url", "static_url"])).await;
    server.finish().await;
}

async fn what_is_blocked_or_purged_goes(engine: Engine, mode: Mode) {
    let Some(world) = World::new(engine, mode).await else { return };
    let World { server, peer, bob, eve } = &world;
    peer.shows(eve, "eve", json!({ "icon": world.image("/avatar.png"), "image": world.image("/header.png") }));
    let image = world.picture("/card.png");
    let page = peer.file("/page", html(&format!("<title>page</title><meta property=og:image content='{image}'>")));
    let everything = async |name: &str| {
        let mut all = world.post(name).await;
        let post = world.page(&format!("{name}-page"), &page).await;
        all.extend(links(&post["card"], &["image"]));
        all.extend(links(&post["emojis"][0], &["url", "static_url"]));
        all.extend(links(&find(bob, &format!("eve@{}", peer.host())).await, &PORTRAIT));
        server.settle().await;
        all
    };
    let all = everything("1").await;
    world.are_seen(&all).await;
    world.block(Severity::Silence, false).await;
    world.are_seen(&all).await;
    world.block(Severity::Silence, true).await;
    world.are_gone(&all).await;
    domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
    server.settle().await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    // Not by the links that were just refused: that is remembered for a minute.
    let more = world.post("2").await;
    world.are_seen(&more).await;
    world.block(Severity::Suspend, false).await;
    world.are_gone(&more).await;
    domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
    server.settle().await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let last = world.post("3").await;
    world.are_seen(&last).await;
    domain_blocks::purge(server.db(), peer.host(), |_| {}).await.unwrap();
    server.settle().await;
    world.are_gone(&last).await;
    world.are_gone(&all).await;
    server.finish().await;
}

macro_rules! in_both_modes {
    ($($name:ident: $body:ident),+ $(,)?) => { $(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mirror_sqlite() {
                $body(Engine::Sqlite, Mode::Mirror).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mirror_postgres() {
                $body(Engine::Postgres, Mode::Mirror).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn lazy_sqlite() {
                $body(Engine::Sqlite, Mode::Lazy).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn lazy_postgres() {
                $body(Engine::Postgres, Mode::Lazy).await;
            }
        }
    )+ };
}

in_both_modes! {
    deleted: what_is_deleted_or_replaced_goes_and_the_rest_stays,
    pages: a_page_that_nobody_shows_is_forgotten,
    blocked: what_is_blocked_or_purged_goes,
}
