//! What can happen to files, and to the disk they are on.

use crate::origin::{Origin, Place, SLICE, config, content, cut, files, key, on_disk, read, until};
use edge::cache::{CacheConfig, How, TO_THE_END};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// A cache with one object in it, the object's file, and what is in that.
async fn one(folder: &Path, length: u64) -> (Place, PathBuf, Vec<u8>) {
    let place = Place::new(on_disk(folder), &Origin::of(content(1, length)));
    place.get("/a").await.unwrap();
    place.settled().await;
    let file = files(folder).remove(0);
    let bytes = fs::read(&file).unwrap();
    (place, file, bytes)
}

#[tokio::test]
async fn every_flipped_byte_is_found_and_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, bytes) = one(folder.path(), 300).await;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&file, damaged).unwrap();
        assert!(place.get("/a").await.unwrap() == content(1, 300), "byte {at}");
        place.settled().await;
        let stats = place.cache.stats();
        assert_eq!((stats.damaged, place.origin.count()), (at as u64 + 1, at + 2), "byte {at}");
    }
    assert_eq!(place.object("/a").await.unwrap().how(), How::Hit);
}

#[tokio::test]
async fn every_truncation_is_found_and_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, bytes) = one(folder.path(), 300).await;
    for end in 0..bytes.len() {
        fs::write(&file, &bytes[..end]).unwrap();
        assert!(place.get("/a").await.unwrap() == content(1, 300), "cut at {end}");
        place.settled().await;
        assert_eq!((place.cache.stats().damaged, place.origin.count()), (end as u64 + 1, end + 2), "cut at {end}");
    }
}

#[tokio::test]
async fn damage_within_a_long_slice_is_found_before_it_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, bytes) = one(folder.path(), 3 * SLICE + 1000).await;
    let files = files(folder.path());
    assert_eq!(files.len(), 4);
    let whole = content(1, 3 * SLICE + 1000);
    for (number, at) in [(0, 0), (0, 70_000), (1, 65_535), (1, 65_536), (2, 262_143)] {
        let path = files.iter().find(|path| path.extension().unwrap() == &*format!("{number:x}")).unwrap();
        let opened = File::options().write(true).open(path).unwrap();
        let before = fs::read(path).unwrap()[at];
        opened.write_all_at(&[!before], at as u64).unwrap();
        let damaged = place.cache.stats().damaged;
        let object = place.object("/a").await.unwrap();
        let place_of = number * SLICE + at as u64;
        // A part elsewhere does not meet it; the whole does, and is right.
        if at >= 65_536 {
            assert!(read(&object, number * SLICE..number * SLICE + 10).await.is_ok());
            assert_eq!(place.cache.stats().damaged, damaged);
        }
        let part = place_of..place_of + 1;
        assert_eq!(read(&object, part.clone()).await.unwrap(), cut(&whole, &part));
        assert_eq!(place.cache.stats().damaged, damaged + 1);
        assert!(read(&object, 0..TO_THE_END).await.unwrap() == whole);
        place.settled().await;
        // Who has the damaged file open still does not take the new one with it.
        assert!(read(&object, 0..TO_THE_END).await.unwrap() == whole);
        assert_eq!(place.cache.stats().damaged, damaged + 1);
        assert!(path.exists());
    }
    assert_eq!(fs::read(&file).unwrap().len(), bytes.len());
}

#[tokio::test]
async fn a_file_under_another_name_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, bytes) = one(folder.path(), 300).await;
    let other = Origin::of(content(2, 300));
    let place = Place { origin: other, ..place };
    place.get("/b").await.unwrap();
    place.settled().await;
    let second = files(folder.path()).into_iter().find(|path| *path != file).unwrap();
    fs::write(&second, &bytes).unwrap();
    assert!(place.get("/b").await.unwrap() == content(2, 300));
    // Another slice of the same object, too.
    place.settled().await;
    fs::copy(&file, file.with_extension("1")).unwrap();
    let object = place.at("/a", SLICE..TO_THE_END).await.unwrap();
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 300));
    assert_eq!(place.cache.stats().damaged, 2);
}

#[tokio::test]
async fn foreign_files_and_other_layouts_are_cleaned_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, _) = one(folder.path(), 300).await;
    drop(place);
    let old = folder.path().join("noren-cache-v0");
    fs::create_dir_all(old.join("ab")).unwrap();
    fs::write(old.join("ab/file"), "x").unwrap();
    let foreign = file.with_file_name("foreign.txt");
    fs::write(&foreign, "x").unwrap();
    let (photos, named) = (folder.path().join("photos"), folder.path().join("noren-cache-very-dear"));
    fs::create_dir(&photos).unwrap();
    fs::create_dir(&named).unwrap();
    let unfinished = file.ancestors().nth(2).unwrap().join("unfinished");
    let (left, young) = (unfinished.join("1.1"), unfinished.join("2.2"));
    fs::write(&left, "x").unwrap();
    fs::write(&young, "x").unwrap();
    let hours_ago = SystemTime::now() - Duration::from_secs(7200);
    File::options().write(true).open(&left).unwrap().set_modified(hours_ago).unwrap();
    let place = Place::new(config(folder.path()), &Origin::of(content(1, 300)));
    until(|| !old.exists() && !foreign.exists() && !left.exists()).await;
    until(|| place.cache.stats().files == 1).await;
    assert!(file.exists() && photos.exists() && named.exists() && young.exists());
}

#[tokio::test]
async fn a_folder_that_is_removed_while_running_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, _) = one(folder.path(), 3 * SLICE).await;
    let object = place.object("/a").await.unwrap();
    fs::remove_dir_all(file.ancestors().nth(2).unwrap()).unwrap();
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 3 * SLICE));
    place.settled().await;
    assert!(place.get("/a").await.unwrap() == content(1, 3 * SLICE));
    place.settled().await;
    until(|| files(folder.path()).len() == 3 && place.cache.stats().files == 3).await;
    let requests = place.origin.count();
    assert!(place.get("/a").await.unwrap() == content(1, 3 * SLICE));
    assert_eq!(place.origin.count(), requests);
}

#[tokio::test]
async fn what_cannot_be_written_is_answered_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(on_disk(folder.path()), &Origin::of(content(1, 3 * SLICE)));
    // Nothing can be made below a file, not even by root.
    let above = folder.path().join("noren-cache-v1");
    fs::remove_dir_all(&above).unwrap();
    fs::write(&above, "in the way").unwrap();
    for _ in 0..2 {
        assert!(place.get("/a").await.unwrap() == content(1, 3 * SLICE));
        place.settled().await;
    }
    let stats = place.cache.stats();
    assert_eq!((place.origin.count(), stats.unwritten, stats.disk_bytes), (2, 6, 0));
}

/// Runs a test of this file in a process of its own, whose files may not grow beyond so many KiB.
fn within(kibibytes: u64, test: &str, folder: &Path) {
    let program = std::env::current_exe().unwrap();
    let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" --exact \"$1\" --ignored --nocapture");
    let status = Command::new("bash").arg("-c").arg(script).arg(program).arg(test).env("CACHE_FOLDER", folder).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_disk_that_is_full_stops_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    within(100, "disk::on_a_full_disk", folder.path());
}

#[tokio::test]
#[ignore = "started by another test, within a limit"]
async fn on_a_full_disk() {
    let folder = PathBuf::from(std::env::var_os("CACHE_FOLDER").unwrap());
    let (long, short) = (content(1, 3 * SLICE), content(1, 50_000));
    let place = Place::new(on_disk(&folder), &Origin::of(short.clone()));
    assert!(place.get("/fits").await.unwrap() == short);
    place.settled().await;
    let place = Place { origin: Origin::of(long.clone()), ..place };
    for _ in 0..2 {
        assert!(place.get("/long").await.unwrap() == long);
        place.settled().await;
    }
    assert_eq!(place.cache.stats().unwritten, 6);
    assert_eq!(place.object("/fits").await.unwrap().how(), How::Hit);
    assert_eq!((files(&folder).len(), place.cache.stats().files), (1, 1));
    let unfinished = folder.join("noren-cache-v1/unfinished");
    assert_eq!(fs::read_dir(unfinished).unwrap().count(), 0);
}

#[tokio::test]
async fn an_origin_without_ranges_is_read_once_also_if_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 8 * SLICE + 5);
    let given = body.clone();
    let origin = Origin::new(move |_| {
        let reply = crate::origin::whole(&given, "\"v1\"");
        async move { Ok(reply) }
    });
    let place = Place::new(on_disk(folder.path()), &origin);
    let above = folder.path().join("noren-cache-v1");
    fs::remove_dir_all(&above).unwrap();
    fs::write(&above, "in the way").unwrap();
    assert!(place.get("/a").await.unwrap() == body);
    assert_eq!(origin.count(), 1);
}

/// Bytes of all files; some may go meanwhile.
fn size(folder: &Path) -> u64 {
    files(folder).iter().map(|file| file.metadata().map_or(0, |meta| meta.len())).sum()
}

#[tokio::test]
async fn the_disk_is_never_fuller_than_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        let length = call.path[1..].parse::<u64>().unwrap() * 3000 % 200_000;
        Ok(crate::origin::right(&content(length, length), &call.want, "\"v1\""))
    });
    let max_size = 1_000_000;
    let place = Place::new(CacheConfig { max_size, ..on_disk(folder.path()) }, &origin);
    for number in 0..150_u64 {
        place.get(&format!("/{number}")).await.unwrap();
        place.settled().await;
        // What is used again stays.
        place.get("/3").await.unwrap();
        place.settled().await;
        let on_disk = size(folder.path());
        let stats = place.cache.stats();
        assert!(on_disk <= stats.disk_bytes && stats.disk_bytes <= max_size, "{on_disk} {stats:?}");
    }
    assert!(place.cache.stats().evictions > 50);
    let three = origin.calls().iter().filter(|call| call.path == "/3").count();
    assert!(three <= 3, "{three}");
    drop(place);
    // A smaller bound holds after a restart.
    let place = Place::new(CacheConfig { max_size: 300_000, ..on_disk(folder.path()) }, &origin);
    until(|| size(folder.path()) <= 300_000).await;
    until(|| place.cache.stats().files as usize == files(folder.path()).len()).await;
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place =
        Place::new(CacheConfig { min_free: u64::MAX / 2, ..config(folder.path()) }, &Origin::of(content(1, 100)));
    for _ in 0..3 {
        place.get("/a").await.unwrap();
        place.settled().await;
    }
    assert_eq!((files(folder.path()).len(), place.cache.stats().disk_bytes), (0, 0));
    assert_eq!(place.origin.count(), 1, "memory has it");
}

#[tokio::test]
async fn what_nobody_asks_for_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (place, file, _) = one(folder.path(), 300).await;
    drop(place);
    let long_ago = SystemTime::now() - Duration::from_secs(100 * 24 * 3600);
    File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    let inactive = Duration::from_secs(99 * 24 * 3600);
    let place = Place::new(CacheConfig { inactive, ..on_disk(folder.path()) }, &Origin::of(content(1, 300)));
    until(|| place.cache.stats().files == 1).await;
    // A use is written down.
    assert_eq!(place.object("/a").await.unwrap().how(), How::Hit);
    let touched = file.metadata().unwrap().modified().unwrap();
    assert!(touched.elapsed().unwrap() < Duration::from_secs(3600));
    drop(place);
    File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    let inactive = Duration::from_secs(1);
    let place = Place::new(CacheConfig { inactive, ..on_disk(folder.path()) }, &Origin::of(content(1, 300)));
    until(|| !file.exists() && place.cache.stats().expired == 1).await;
}

#[tokio::test]
async fn another_length_of_slices_is_no_mix_either() {
    let folder = tempfile::tempdir().unwrap();
    let long = content(1, 5 * SLICE);
    let origin = Origin::of(long.clone());
    for slice_size in [SLICE, 2 * SLICE, 8 * SLICE, SLICE] {
        let place = Place::new(CacheConfig { slice_size, ..on_disk(folder.path()) }, &origin);
        for part in [0..TO_THE_END, 3 * SLICE + 5..4 * SLICE] {
            let object = place.at("/a", part.clone()).await.unwrap();
            assert!(read(&object, part.clone()).await.unwrap() == cut(&long, &part));
        }
        place.settled().await;
    }
    assert!(key("/a") == key("/a"));
}
