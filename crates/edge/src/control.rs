//! The socket through which commands speak to an edge that runs: one line of JSON to it, one line back. Only who owns
//! the folder of the cache can open it.

use crate::status::Status;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Longest order, bytes.
const LONGEST: u64 = 16 * 1024;
/// Longest answer, bytes.
const LONGEST_ANSWER: u64 = 4 * 1024 * 1024;
/// Orders under way at once.
const AT_ONCE: usize = 8;
/// How long an order may take to arrive, and its answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether the socket is still there.
const LOOK: Duration = Duration::from_secs(1);

/// What an edge is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// To tell its figures.
    Status,
    /// To read its configuration again.
    Reload,
    /// To forget the file at this address.
    Purge { url: String },
    /// To forget all files whose addresses begin so.
    PurgePrefix { prefix: String },
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Status(Box<Status>),
    Done,
    /// It did not do it.
    Refused(String),
}

/// Does what it is told.
pub type Obey = Arc<dyn Fn(Order) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Where the socket of an edge with this cache is.
pub fn socket(cache: &Path) -> PathBuf {
    cache.join("control.sock")
}

/// Takes orders at `path` for ever, also after the folder was emptied. What lies there from an edge that is gone is
/// replaced.
pub fn listen(path: &Path, obey: Obey) -> io::Result<impl Future<Output = ()> + use<>> {
    let listener = bind(path)?;
    Ok(keep(path.to_owned(), listener, obey))
}

/// Made where nobody else may look, then moved: between bind and chmod anybody could connect. There is no moment without
/// a socket when one takes the place of another.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let hidden = folder.join(format!(".control-{}", std::process::id()));
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden)?;
    std::fs::set_permissions(&hidden, Permissions::from_mode(0o600))?;
    std::fs::rename(&hidden, path)?;
    Ok(listener)
}

/// A cache may be emptied at any time, with all that is in its folder.
async fn keep(path: PathBuf, mut listener: UnixListener, obey: Obey) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        tokio::select! {
            () = accept(&listener, (&obey, &places)) => return,
            () = removed(&path) => {}
        }
        let again = std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).and_then(|()| bind(&path));
        match again {
            Ok(again) => listener = again,
            Err(error) => tracing::warn!(%error, path = %path.display(), "orders cannot be taken here"),
        }
    }
}

/// Returns when nothing is there any more; never once somebody else, such as our successor, has put something there.
async fn removed(path: &Path) {
    let id = || std::fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()));
    let ours = id().ok();
    loop {
        tokio::time::sleep(LOOK).await;
        match id() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            there if there.as_ref().ok() != ours.as_ref() => std::future::pending().await,
            _ => {}
        }
    }
}

async fn accept(listener: &UnixListener, (obey, places): (&Obey, &Arc<Semaphore>)) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let obey = obey.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(stream, obey).await {
                tracing::debug!(%error, "an order was not answered");
            }
            drop(place);
        });
    }
}

async fn serve(mut stream: UnixStream, obey: Obey) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(reader.take(LONGEST));
    tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(order) => obey(order).await,
        Err(error) => Answer::Refused(format!("an order that is not understood: {error}")),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    tokio::time::timeout(PATIENCE, writer.write_all(&text)).await?
}

/// Gives an order to the edge that listens at `path`.
pub fn ask(path: &Path, order: &Order) -> io::Result<Answer> {
    let mut stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut text = serde_json::to_vec(order)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_ANSWER)).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn orders_go_through_a_socket_of_our_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = socket(folder.path());
        std::fs::write(&path, "left behind").unwrap();
        let obey: Obey = Arc::new(|order: Order| {
            let answer = match order {
                Order::Purge { url } if url == "https://a/b" => Answer::Done,
                Order::Status => Answer::Status(Box::default()),
                _ => Answer::Refused("no".into()),
            };
            Box::pin(std::future::ready(answer))
        });
        tokio::spawn(listen(&path, obey).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let asked = path.clone();
        let ask = move |order: Order| ask(&asked, &order).unwrap();
        tokio::task::spawn_blocking(move || {
            assert_eq!(ask(Order::Purge { url: "https://a/b".into() }), Answer::Done);
            assert_eq!(ask(Order::Reload), Answer::Refused("no".into()));
            assert_eq!(ask(Order::Status), Answer::Status(Box::default()));
            assert!(matches!(ask(Order::Purge { url: "a".repeat(20_000) }), Answer::Refused(_)));
        })
        .await
        .unwrap();
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"{\"order\":\"fly\"}\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("not understood"), "{answer}");
    }

    #[tokio::test]
    async fn a_folder_that_is_emptied_gets_the_socket_again() {
        let place = tempfile::tempdir().unwrap();
        let (folder, path) = (place.path().join("cache"), socket(&place.path().join("cache")));
        std::fs::create_dir(&folder).unwrap();
        let obey: Obey = Arc::new(|_| Box::pin(std::future::ready(Answer::Done)));
        let old = tokio::spawn(listen(&path, obey.clone()).unwrap());
        let is_there = async || {
            for _ in 0..100 {
                if UnixStream::connect(&path).await.is_ok() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            false
        };
        for remove in [|path: &Path| std::fs::remove_file(socket(path)), |path: &Path| std::fs::remove_dir_all(path)] {
            remove(&folder).unwrap();
            assert!(is_there().await);
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        // Who has a successor leaves the place to it.
        let new = tokio::spawn(listen(&path, obey).unwrap());
        tokio::time::sleep(2 * LOOK).await;
        new.abort();
        std::fs::remove_file(&path).unwrap();
        tokio::time::sleep(2 * LOOK).await;
        assert!(!path.exists());
        old.abort();
    }
}
