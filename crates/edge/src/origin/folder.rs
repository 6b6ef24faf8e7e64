//! A folder of this machine. Whatever a name or a link in the folder says, nothing outside of it is opened.

use crate::config::FolderOrigin;
use crate::path::Name;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How often an open is tried while somebody renames folders.
const ATTEMPTS: u32 = 4;

#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Below it, with a slash at its end if it is not empty.
    prefix: String,
}

/// A file that is there.
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) length: u64,
    pub(crate) modified: SystemTime,
}

impl Folder {
    pub(crate) fn new(config: &FolderOrigin) -> Folder {
        let prefix = config.prefix.as_str();
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Folder { root: config.folder.clone(), prefix }
    }

    /// Opens a regular file; `None` when there is none. Blocks on the disk.
    pub(crate) fn open(&self, name: &Name) -> io::Result<Option<Opened>> {
        let path = format!("{}{name}", self.prefix);
        match beneath(&self.root, &path) {
            Ok(file) => opened(file),
            Err(error) if is_absent(error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn opened(file: OwnedFd) -> io::Result<Option<Opened>> {
    let file = File::from(file);
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Ok(None);
    }
    Ok(Some(Opened { length: meta.len(), modified: meta.modified()?, file }))
}

/// Also for names that the file system cannot have, and for links that lead out.
fn is_absent(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::XDEV | Errno::INVAL | Errno::NXIO
    )
}

/// A file that is waited for (a pipe) must not block.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn beneath(root: &Path, path: &str) -> Result<OwnedFd, Errno> {
    let root = openat(rustix::fs::CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut attempts = 1;
    loop {
        match whole(&root, path) {
            Err(Errno::AGAIN) if attempts < ATTEMPTS => attempts += 1,
            // An old kernel, or a container that does not let us.
            Err(Errno::NOSYS | Errno::PERM) => return stepwise(root, path),
            other => return other,
        }
    }
}

/// The kernel watches over every step.
#[cfg(target_os = "linux")]
fn whole(root: &OwnedFd, path: &str) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};
    openat2(root, path, READ, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS)
}

#[cfg(not(target_os = "linux"))]
fn whole(_root: &OwnedFd, _path: &str) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// Step by step, without following any link.
fn stepwise(root: OwnedFd, path: &str) -> Result<OwnedFd, Errno> {
    let mut folder = root;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() || part == ".." || part == "." {
            return Err(Errno::NOENT);
        }
        if parts.peek().is_none() {
            return openat(&folder, part, READ | OFlags::NOFOLLOW, Mode::empty());
        }
        let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        folder = openat(&folder, part, step, Mode::empty())?;
    }
    Err(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn read(found: Result<OwnedFd, Errno>) -> Option<String> {
        let opened = found.ok().and_then(|fd| opened(fd).unwrap())?;
        let bytes = crate::serve::read(&opened.file, 0..opened.length).unwrap();
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn nothing_outside_is_opened() {
        let place = tempfile::tempdir().unwrap();
        let (inside, outside) = (place.path().join("in"), place.path().join("out"));
        fs::create_dir_all(inside.join("a/b")).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(inside.join("a/b/file"), "in").unwrap();
        fs::write(outside.join("secret"), "out").unwrap();
        symlink(&outside, inside.join("absolute")).unwrap();
        symlink("../out", inside.join("relative")).unwrap();
        symlink("../../out/secret", inside.join("a/file")).unwrap();
        symlink("b/file", inside.join("a/link")).unwrap();
        symlink("loop", inside.join("loop")).unwrap();
        symlink("/proc/self/root", inside.join("magic")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            inside.join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();

        let root = || openat(rustix::fs::CWD, &inside, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let outward =
            ["absolute/secret", "relative/secret", "a/file", "loop", "magic/etc/passwd", "pipe", "a", "a/b/none"];
        for path in outward.into_iter().chain(["../out/secret", "a/../../out/secret", "/etc/passwd", "a/b/file/x", ""])
        {
            assert_eq!(read(beneath(&inside, path)), None, "{path}");
            assert_eq!(read(stepwise(root(), path)), None, "{path}");
        }
        assert_eq!(read(beneath(&inside, "a/b/file")).as_deref(), Some("in"));
        assert_eq!(read(stepwise(root(), "a/b/file")).as_deref(), Some("in"));
        assert_eq!(read(beneath(&inside, "a/link")).as_deref(), Some("in"), "links inside are followed");
    }

    #[test]
    fn what_is_not_there_is_no_failure() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("sub")).unwrap();
        fs::write(place.path().join("sub/日本 語.png"), "x").unwrap();
        let folder =
            |root: PathBuf, prefix: &str| Folder::new(&FolderOrigin { folder: root, prefix: prefix.parse().unwrap() });
        let name = |text: &str| Name::of_path(text).unwrap();
        let sub = folder(place.path().into(), "/sub");
        assert!(sub.open(&name("/%E6%97%A5%E6%9C%AC%20%E8%AA%9E.png")).unwrap().is_some());
        assert!(sub.open(&name("/none.png")).unwrap().is_none());
        assert!(sub.open(&name(&format!("/{}", "é".repeat(127)))).unwrap().is_none());
        let gone = folder(place.path().join("gone"), "");
        assert!(gone.open(&name("/a")).unwrap().is_none());
    }
}
