//! A running site moves its files from the disk into a bucket and back: no address changes, no request fails.

use crate::{Ran, noren, ran, server};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::until;

const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs, with its folder.
struct Site {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configure(folder: &Path, port: u16, more: &str) {
    let data = folder.join("data");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\ndata = \"{}\"\n[rate_limits]\nenabled = false\n{more}",
        data.display()
    );
    fs::write(folder.join("noren.toml"), text).unwrap();
}

impl Site {
    async fn start(more: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), testkit::free_port());
        configure(folder.path(), port, more);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = noren(folder.path());
        let child = command.arg("serve").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let site = Self { folder, port, child };
        until("the server is there", async || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How often this is in the log.
    fn logged(&self, words: &str) -> usize {
        fs::read_to_string(self.path("log")).unwrap().matches(words).count()
    }

    /// With another configuration, when it is in force or refused; these words are in the log once more then.
    async fn reload(&self, more: &str, words: &str) {
        let before = self.logged(words);
        configure(self.folder.path(), self.port, more);
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        until(words, async || self.logged(words) > before).await;
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = noren(self.folder.path());
        command.args(arguments).env("AWS_ACCESS_KEY_ID", "test-id").env("AWS_SECRET_ACCESS_KEY", "test-secret");
        ran(command).await
    }
}

const IN_FORCE: &str = "the configuration is in force";
const REFUSED: &str = "everything stays as it was";

fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let count = |path: PathBuf| if path.is_dir() { files(&path) } else { 1 };
    let seen = |path: &PathBuf| !path.file_name().unwrap().to_string_lossy().starts_with('.');
    entries.map(|entry| entry.unwrap().path()).filter(seen).map(count).sum()
}

/// People who upload and look all the time.
#[derive(Default)]
struct People {
    base: String,
    token: String,
    over: AtomicBool,
    /// Path of a file → its bytes, as they were seen first.
    known: Mutex<HashMap<String, Vec<u8>>>,
    uploads: AtomicUsize,
    looks: AtomicUsize,
}

fn picture(number: usize) -> Vec<u8> {
    let shade = u8::try_from(number % 251).unwrap();
    let picture = image::RgbImage::from_fn(200, 150, |x, y| image::Rgb([shade, (x % 256) as u8, (y % 256) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

impl People {
    async fn upload(self: Arc<Self>) {
        let http = reqwest::Client::new();
        while !self.over.load(Ordering::SeqCst) {
            let number = self.uploads.load(Ordering::SeqCst);
            let part = reqwest::multipart::Part::bytes(picture(number)).file_name("p.png");
            let form = reqwest::multipart::Form::new().part("file", part);
            let sent = http.post(format!("{}/api/v2/media", self.base)).bearer_auth(&self.token).multipart(form);
            let answer = sent.send().await.unwrap();
            assert_eq!(answer.status(), 202);
            let id = answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
            let ready = self.ready(&http, &id).await;
            for key in ["url", "preview_url"] {
                let url = ready[key].as_str().unwrap();
                let path = &url[url.find("/media/").unwrap()..];
                let bytes = self.look(&http, path).await;
                assert!(!bytes.is_empty());
                self.known.lock().unwrap().insert(path.to_owned(), bytes);
            }
            self.uploads.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn ready(&self, http: &reqwest::Client, id: &str) -> Value {
        let started = Instant::now();
        loop {
            let asked = http.get(format!("{}/api/v1/media/{id}", self.base)).bearer_auth(&self.token);
            let answer = asked.send().await.unwrap();
            match answer.status().as_u16() {
                200 => return answer.json().await.unwrap(),
                206 => assert!(started.elapsed() < PATIENCE, "upload {id} is never processed"),
                other => panic!("upload {id}: {other}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn look(&self, http: &reqwest::Client, path: &str) -> Vec<u8> {
        let answer = http.get(format!("{}{path}", self.base)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// One after the other, over the same connection.
    async fn look_around(self: Arc<Self>) {
        let http = reqwest::Client::new();
        while !self.over.load(Ordering::SeqCst) {
            let known: Vec<_> = self.known.lock().unwrap().iter().map(|(a, b)| (a.clone(), b.clone())).collect();
            for (path, bytes) in known {
                assert!(self.look(&http, &path).await == bytes, "{path} has other bytes now");
                self.looks.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// So many more uploads and looks.
    async fn go_on(&self, uploads: usize) {
        let all = self.uploads.load(Ordering::SeqCst) + uploads;
        let looks = self.looks.load(Ordering::SeqCst) + 2 * self.known.lock().unwrap().len() + 50;
        let done = async || self.uploads.load(Ordering::SeqCst) >= all && self.looks.load(Ordering::SeqCst) >= looks;
        until("people upload and look", done).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn from_the_disk_into_a_bucket_and_back_while_people_look() {
    let (site, bucket) = (Site::start("").await, server::start().await);
    let (media, objects) = (site.path("data/media"), bucket.folder.path().join("files"));
    site.run(&["account", "create", "alice", "--email", "alice@example.com", "--owner"]).await.fine();
    let token = site.run(&["token", "create", "alice", "--scopes", "read write"]).await.fine();
    let token = token.lines().last().unwrap().to_owned();
    let base = format!("http://127.0.0.1:{}", site.port);
    let people = Arc::new(People { base, token, ..People::default() });
    let mut tasks = vec![tokio::spawn(people.clone().upload())];
    tasks.extend((0..3).map(|_| tokio::spawn(people.clone().look_around())));
    people.go_on(4).await;

    let endpoint = bucket.config.endpoint.as_ref().unwrap().as_str();
    let keys = "access_key = \"test-id\"\nsecret_key = \"test-secret\"\n";
    let named = format!("bucket = \"files\"\nendpoint = \"{endpoint}\"\n{keys}");
    let in_bucket = format!("[media.storage]\n{named}");
    let old_folder = format!("[[media.origin]]\nfolder = \"{}\"\n", media.display());
    site.reload(&format!("{in_bucket}{old_folder}"), IN_FORCE).await;
    people.go_on(2).await;
    let left = files(&media);
    people.go_on(2).await;
    assert_eq!(files(&media), left, "new files go into the bucket alone");
    assert!(files(&objects) > 0);

    site.run(&["storage", "cp", "--recursive", "data/media", "bucket:"]).await.fine();
    site.reload(&in_bucket, IN_FORCE).await;
    fs::rename(&media, site.path("data/was-media")).unwrap();
    people.go_on(2).await;

    // What is wrong changes nothing, whichever part of it is.
    site.reload("[media.storage]\nbucket = \"files\"\n", REFUSED).await;
    assert!(site.logged("media.storage.endpoint: missing") > 0);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("[[listen]]\naddress = \"{}\"\n", taken.local_addr().unwrap());
    site.reload(&listen, REFUSED).await;
    people.go_on(2).await;
    assert_eq!(files(&media), 0, "new files still go into the bucket");

    let old_bucket = format!("[[media.origin]]\n{named}");
    site.reload(&old_bucket, IN_FORCE).await;
    people.go_on(2).await;
    let flags = ["--endpoint", endpoint, "--bucket", "files"];
    site.run(&[&["storage", "cp", "--recursive", "bucket:", "data/media"][..], &flags].concat()).await.fine();
    site.reload("", IN_FORCE).await;
    fs::rename(&objects, bucket.folder.path().join("was-files")).unwrap();
    people.go_on(2).await;

    people.over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(people.uploads.load(Ordering::SeqCst) >= 14);
    let dead = site.run(&["jobs", "list", "--state", "dead", "--json"]).await.fine();
    assert!(matches!(dead.trim(), "[]" | ""), "{dead}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_site_of_the_edge_comes_with_a_reload() {
    let site = Site::start("").await;
    fs::create_dir_all(site.path("system/accounts")).unwrap();
    fs::write(site.path("system/accounts/a.png"), "picture").unwrap();
    let http = reqwest::Client::new();
    let ask = async || {
        let asked =
            http.get(format!("http://127.0.0.1:{}/system/accounts/a.png", site.port)).header("host", "old.test");
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ask().await.0, 404);
    let sites = format!(
        "[[edge.site]]\nhosts = [\"old.test\"]\npath = \"/system\"\n[[edge.site.origin]]\nfolder = \"{}\"\n",
        site.path("system").display()
    );
    site.reload(&sites, IN_FORCE).await;
    // Over the connection that was open before.
    assert_eq!(ask().await, (200, "picture".into()));
    assert!(site.run(&["edge", "status"]).await.fine().contains("old.test/system"));
    site.reload(&sites.replace("folder", "fodler"), REFUSED).await;
    assert_eq!(ask().await.0, 200);
    site.reload("", IN_FORCE).await;
    assert_eq!(ask().await.0, 404);
    assert!(!site.run(&["edge", "purge", "http://old.test/system/accounts/a.png"]).await.out.contains("forgotten"));
}

/// A server in front that still has old files is asked last; what nobody has is absent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_from_the_first_place_that_has_them() {
    let (bucket, old) = (server::start().await, server::start().await);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = listener.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (root, name) in [
        (folder.path().join("disk"), "a.png"),
        (bucket.folder.path().join("files"), "b.png"),
        (old.folder.path().join("files"), "c.png"),
        (folder.path().join("web"), "d.png"),
    ] {
        // Each place has what the ones before it have, with other words.
        for later in ["a.png", "b.png", "c.png", "d.png"].iter().take_while(|later| **later <= name) {
            fs::create_dir_all(root.join("cache")).unwrap();
            fs::write(root.join("cache").join(later), name).unwrap();
        }
    }
    let store = media::Store::disk(folder.path().join("web")).unwrap();
    tokio::spawn(async move { axum::serve(listener, edge::local(store, "/files")).await });
    let keys = "access_key = \"test-id\"\nsecret_key = \"test-secret\"\n";
    let named = |server: &server::Server| {
        let endpoint = server.config.endpoint.as_ref().unwrap();
        format!("bucket = \"files\"\nendpoint = \"{endpoint}\"\n{keys}")
    };
    let site = Site::start(&format!(
        "[media.storage]\n{}[[media.origin]]\nfolder = \"{}\"\n[[media.origin]]\n{}[[media.origin]]\nurl = \"http://{web}/files\"\n",
        named(&bucket),
        folder.path().join("disk").display(),
        named(&old),
    ))
    .await;
    let how = async |name: &str| {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/media/cache/{name}.png", site.port)).await.unwrap();
        let found = answer.headers()["x-cache"].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(answer.text().await.unwrap(), format!("{name}.png"));
        found
    };
    for (name, wanted) in [("a", "BYPASS"), ("b", "MISS"), ("c", "MISS"), ("d", "MISS")] {
        assert_eq!(how(name).await, wanted, "{name}");
    }
    until("it is kept", async || how("b").await == "HIT").await;
    let none = reqwest::get(format!("http://127.0.0.1:{}/media/cache/e.png", site.port)).await.unwrap();
    assert_eq!(none.status(), 404);
    assert_eq!(site.logged("nothing can be removed"), 1);
    let status = site.run(&["edge", "status"]).await.fine();
    assert!(status.contains("(own media)"), "{status}");
}
