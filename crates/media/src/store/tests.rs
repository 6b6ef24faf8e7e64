//! What is particular to folders; the contract that all stores share is in `tests/s3/store.rs`.

use super::*;
use crate::Error;
use std::fs;
use std::time::Duration;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::disk(folder.path().join("media")).unwrap();
    (folder, store)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn bytes(text: &'static str) -> Content {
    Content::Bytes(Bytes::from_static(text.as_bytes()))
}

async fn text(store: &Store, name: &str) -> Option<String> {
    let blob = store.open(&key(name), 1 << 20).await.unwrap()?;
    let Body::Bytes(bytes) = blob.body else { panic!("not inline") };
    assert_eq!(blob.len, bytes.len() as u64);
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn put_open_replace_delete() {
    let (folder, store) = store();
    assert_eq!(text(&store, "a/b/c.jpg").await, None);
    store.put(&key("a/b/c.jpg"), bytes("one")).await.unwrap();
    assert_eq!(text(&store, "a/b/c.jpg").await.as_deref(), Some("one"));
    store.put(&key("a/b/c.jpg"), bytes("two")).await.unwrap();
    assert_eq!(text(&store, "a/b/c.jpg").await.as_deref(), Some("two"));
    assert!(store.exists(&key("a/b/c.jpg")).await.unwrap());
    assert!(!store.exists(&key("a/b")).await.unwrap(), "a folder is no object");
    assert!(store.open(&key("a/b"), 10).await.unwrap().is_none());
    assert!(store.open(&key("a/b/c.jpg/d"), 10).await.unwrap().is_none());

    store.put(&key("a/d.jpg"), bytes("three")).await.unwrap();
    store.delete(&key("a/b/c.jpg")).await.unwrap();
    store.delete(&key("a/b/c.jpg")).await.unwrap();
    assert_eq!(text(&store, "a/b/c.jpg").await, None);
    assert!(!folder.path().join("media/a/b").exists(), "the empty folder is gone");
    assert_eq!(text(&store, "a/d.jpg").await.as_deref(), Some("three"));
}

#[tokio::test]
async fn files_are_moved_in_and_large_ones_come_open() {
    let (folder, store) = store();
    for inside in [store.spool().to_owned(), folder.path().to_owned()] {
        let mut file = tempfile::NamedTempFile::new_in(inside).unwrap();
        std::io::Write::write_all(&mut file, &[7; 5000]).unwrap();
        let path = file.path().to_owned();
        store.put(&key("x.bin"), Content::File(file.into_temp_path())).await.unwrap();
        assert!(!path.exists());
        let blob = store.open(&key("x.bin"), 4999).await.unwrap().unwrap();
        assert_eq!(blob.len, 5000);
        assert!(matches!(blob.body, Body::File(_)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("media/x.bin")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o644);
        }
    }
    assert_eq!(fs::read_dir(store.spool()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_failed_put_leaves_the_old_object_and_no_rest() {
    let (folder, store) = store();
    store.put(&key("a/b.jpg"), bytes("old")).await.unwrap();
    // A file where a folder has to be.
    let refused = store.put(&key("a/b.jpg/c.jpg"), bytes("new")).await;
    assert!(matches!(refused, Err(Error::Storage(_))));
    fs::create_dir_all(folder.path().join("media/taken.jpg/inside")).unwrap();
    let refused = store.put(&key("taken.jpg"), bytes("new")).await;
    assert!(matches!(refused, Err(Error::Storage(_))));
    assert_eq!(text(&store, "a/b.jpg").await.as_deref(), Some("old"));
    assert_eq!(fs::read_dir(store.spool()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_removed_after_a_day() {
    let (folder, store) = store();
    let (old, new) = (store.spool().join("old"), store.spool().join("new"));
    for path in [&old, &new] {
        fs::write(path, "x").unwrap();
    }
    let yesterday = SystemTime::now() - Duration::from_secs(25 * 3600);
    fs::File::options().write(true).open(&old).unwrap().set_modified(yesterday).unwrap();
    Store::disk(folder.path().join("media")).unwrap();
    assert!(!old.exists() && new.exists());
}

/// A store that has moved from `old` to `new`, and both by themselves.
fn moved() -> (tempfile::TempDir, Store, Store, Store) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (old, new) = (Store::disk(at("old")).unwrap(), Store::disk(at("new")).unwrap());
    let store = Store::of(Places::new(Place::disk(at("new")).unwrap()).and(Place::old_disk(at("old"))));
    (folder, store, old, new)
}

#[tokio::test]
async fn old_places_are_looked_into_and_cleaned() {
    let (folder, store, old, new) = moved();
    old.put(&key("a/1"), bytes("old")).await.unwrap();
    old.put(&key("a/3"), bytes("old")).await.unwrap();
    store.put(&key("a/2"), bytes("new")).await.unwrap();
    store.put(&key("a/3"), bytes("new")).await.unwrap();
    assert_eq!(text(&old, "a/2").await, None, "new objects go to the first place alone");
    for (name, expected) in [("a/1", Some("old")), ("a/2", Some("new")), ("a/3", Some("new")), ("a/4", None)] {
        assert_eq!(text(&store, name).await.as_deref(), expected, "{name}");
        assert_eq!(store.exists(&key(name)).await.unwrap(), expected.is_some(), "{name}");
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(Listing { prefix: "a/".into(), after: after.take(), limit: 2 }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        names.extend(page.iter().map(|entry| entry.key.to_string()));
    }
    assert_eq!(names, ["a/1", "a/2", "a/3"]);
    store.delete(&key("a/3")).await.unwrap();
    store.delete(&key("a/1")).await.unwrap();
    for place in [&store, &old, &new] {
        assert_eq!((text(place, "a/1").await, text(place, "a/3").await), (None, None), "what is deleted is nowhere");
    }
    assert!(folder.path().join("old").is_dir());
}

#[tokio::test]
async fn an_old_place_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let places = Places::new(Place::disk(folder.path().join("new")).unwrap()).and(Place::old_disk(&gone));
    let store = Store::of(places);
    store.put(&key("a"), bytes("new")).await.unwrap();
    store.delete(&key("b")).await.unwrap();
    assert_eq!((text(&store, "a").await.as_deref(), text(&store, "b").await), (Some("new"), None));
    assert_eq!(store.list(Listing { limit: 9, ..Listing::default() }).await.unwrap().len(), 1);
    assert!(!gone.exists());
}

#[tokio::test]
async fn every_handle_follows_a_move() {
    let (_folder, store, old, new) = moved();
    let handle = old.clone();
    let begun = tempfile::NamedTempFile::new_in(handle.spool()).unwrap();
    fs::write(begun.path(), "begun").unwrap();
    old.move_to((*store.places()).clone());
    assert_eq!(handle.spool(), new.spool());
    handle.put(&key("x"), Content::File(begun.into_temp_path())).await.unwrap();
    assert_eq!(text(&new, "x").await.as_deref(), Some("begun"), "what was spooled before the move arrives too");
}
