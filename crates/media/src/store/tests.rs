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
async fn readers_see_the_old_or_the_new_never_a_part() {
    let (_folder, store) = store();
    let whole = |letter: u8| Content::Bytes(vec![letter; 200_000].into());
    store.put(&key("k"), whole(b'0')).await.unwrap();
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                store.put(&key("k"), whole(b'0' + round % 10)).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let blob = store.open(&key("k"), 1 << 20).await.unwrap().unwrap();
        let Body::Bytes(bytes) = blob.body else { panic!("not inline") };
        assert_eq!(bytes.len(), 200_000);
        assert!(bytes.iter().all(|b| *b == bytes[0]));
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn puts_and_deletes_of_neighbours_do_not_disturb_each_other() {
    let (_folder, store) = store();
    let mut tasks = Vec::new();
    for number in 0..8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let name = key(&format!("a/b/c/{number}/x.jpg"));
            for _ in 0..20 {
                store.put(&name, bytes("x")).await.unwrap();
                store.delete(&name).await.unwrap();
            }
            store.put(&name, bytes("x")).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.list(Listing { limit: 100, ..Listing::default() }).await.unwrap().len(), 8);
}

#[tokio::test]
async fn listing_is_paged_in_key_order() {
    let (_folder, store) = store();
    let names = ["a-b/1", "a.b", "a/1", "a/2/x", "a/2.y", "b/1", "c"];
    for name in names {
        store.put(&key(name), bytes("x")).await.unwrap();
    }
    let mut sorted = names;
    sorted.sort_unstable();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(Listing { after, limit: 2, ..Listing::default() }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        seen.extend(page.into_iter().map(|entry| entry.key.to_string()));
    }
    assert_eq!(seen, sorted);
    for (prefix, expected) in [("a/", 3), ("a", 5), ("a/2", 2), ("zz", 0), ("../", 0), (".incoming", 0)] {
        let listing = Listing { prefix: prefix.into(), limit: 100, ..Listing::default() };
        assert_eq!(store.list(listing).await.unwrap().len(), expected, "{prefix}");
    }
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
