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
