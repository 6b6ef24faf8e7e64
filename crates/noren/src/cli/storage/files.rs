//! Files below a folder, in the order of their names' bytes: that is how buckets list theirs.

use anyhow::{Context as _, anyhow, bail};
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Deeper folders are not followed.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A link, which may lead anywhere, or something that cannot be copied.
    Other,
}

/// What lies in a folder.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub kind: Kind,
    /// Below the folder that was looked through; of folders with a slash at the end.
    pub name: String,
    pub len: u64,
    pub modified: SystemTime,
}

/// What lies in one folder, without names that begin with a dot.
pub(super) fn level(root: &Path, above: &str) -> anyhow::Result<Vec<File>> {
    let folder = root.join(above);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound && !above.is_empty() => return Ok(Vec::new()),
        entries => entries.with_context(|| folder.display().to_string())?,
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(file(&entry?, &folder, above)?);
    }
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn file(entry: &DirEntry, folder: &Path, above: &str) -> anyhow::Result<Option<File>> {
    let name = entry.file_name();
    let name = name.to_str().ok_or_else(|| anyhow!("{}: a name is not UTF-8", folder.display()))?;
    // Neither may a file vanish while it is looked at.
    let Ok(meta) = entry.metadata() else { return Ok(None) };
    if name.starts_with('.') {
        return Ok(None);
    }
    let (kind, slash) = match (meta.is_dir(), meta.is_file()) {
        (true, _) => (Kind::Folder, "/"),
        (false, true) => (Kind::File, ""),
        (false, false) => (Kind::Other, ""),
    };
    let modified = meta.modified().with_context(|| folder.display().to_string())?;
    Ok(Some(File { kind, name: format!("{above}{name}{slash}"), len: meta.len(), modified }))
}

/// All files below a folder, one after the other: no more is known at once than a few folders have.
pub(super) struct Walk {
    root: PathBuf,
    levels: Vec<std::vec::IntoIter<File>>,
    /// What was passed over.
    others: u64,
}

impl Walk {
    pub(super) fn below(root: &Path) -> anyhow::Result<Walk> {
        Ok(Walk { root: root.to_owned(), levels: vec![level(root, "")?.into_iter()], others: 0 })
    }

    fn advance(&mut self) -> anyhow::Result<Option<File>> {
        while let Some(last) = self.levels.last_mut() {
            match last.next() {
                None => {
                    self.levels.pop();
                }
                Some(found) if found.kind == Kind::Other => self.others += 1,
                Some(found) if found.kind == Kind::Folder => {
                    if self.levels.len() > MAX_DEPTH {
                        bail!("{}: too many folders inside each other", self.root.join(&found.name).display());
                    }
                    self.levels.push(level(&self.root, &found.name)?.into_iter());
                }
                Some(found) => return Ok(Some(found)),
            }
        }
        Ok(None)
    }
}

impl Iterator for Walk {
    type Item = anyhow::Result<File>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.advance();
        if found.is_err() {
            self.levels.clear();
        }
        found.transpose()
    }
}

/// What there is to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Sum {
    pub files: u64,
    pub bytes: u64,
    /// Links and the like, which are not copied.
    pub others: u64,
}

pub(in crate::cli) fn sum(root: &Path) -> anyhow::Result<Sum> {
    let (mut walk, mut sum) = (Walk::below(root)?, Sum::default());
    for file in walk.by_ref() {
        sum.files += 1;
        sum.bytes += file?.len;
    }
    Ok(Sum { others: walk.others, ..sum })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_come_in_the_order_of_buckets() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/b", "a-b", "a.b", "b/c/d", "b/c.d", "é", ".hidden/x", "b/.x"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "12").unwrap();
        }
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
        let names: Vec<String> = Walk::below(folder.path()).unwrap().map(|file| file.unwrap().name).collect();
        assert_eq!(names, ["a-b", "a.b", "a/b", "b/c.d", "b/c/d", "é"]);
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        assert_eq!(sum(folder.path()).unwrap(), Sum { files: 6, bytes: 12, others: 1 });
        assert!(Walk::below(&folder.path().join("none")).is_err());
    }
}
